package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
)

// hostile is a text from the network with all that must not reach a browser as it is.
const hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202egnp\u2066\x00\x1b[2J\xff{{.}}"

// at is a time of the fixture.
var at = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// emptySource is a daemon that has just started and has nothing configured.
func emptySource() Source {
	return Source{
		Version:     "v1",
		Status:      func() api.Status { return api.Status{Verdict: api.VerdictOK, Version: "v1", Started: at} },
		Sessions:    func(api.Query) (api.SessionsHead, []api.Session) { return api.SessionsHead{}, nil },
		Session:     func(api.ID) (api.SessionDetail, bool) { return api.SessionDetail{}, false },
		Groups:      func() []api.ServerGroup { return nil },
		OnOffGroups: func() []api.OnOffGroup { return nil },
		Blocked:     func() Blocked { return Blocked{} },
		Spool:       func() api.SpoolStatus { return api.SpoolStatus{Disk: api.Disk{Accepting: "yes", Free: -1}} },
		SetAside:    func(uint64, int) ([]api.SetAside, error) { return nil, nil },
		SNMP:        func() *api.SNMPStatus { return nil },
	}
}

// fullSource is a daemon with something of everything, whose texts are all name.
func fullSource(name string) Source {
	s := emptySource()
	s.Person = func(*http.Request) (string, bool) { return name, true }
	s.Status = func() api.Status {
		agentx, err := json.Marshal(api.AgentXStatus{State: "disconnected", Reason: name, Since: at, Error: name})
		if err != nil {
			panic(err)
		}
		return api.Status{
			Verdict: api.VerdictDegraded, Reasons: []string{name, "another reason"}, Version: "v1", Started: at, Entries: 1234567, Calls: 1,
			Sections: map[string]json.RawMessage{api.AgentXSection: agentx},
		}
	}
	session := api.Session{ID: "0000000A", Number: 10, Kind: "network", State: "active", User: name, NAS: name, NASIdentifier: name, AcctSessionID: name, CallingStation: name, CalledStation: name, NASPortID: name, Started: at, Heard: at}
	s.Sessions = func(api.Query) (api.SessionsHead, []api.Session) {
		return api.SessionsHead{Total: 2, Matched: 1}, []api.Session{session}
	}
	s.Session = func(id api.ID) (api.SessionDetail, bool) {
		if id != 10 {
			return api.SessionDetail{}, false
		}
		return api.SessionDetail{Session: session, Service: name, ParentSession: name, Attributes: []api.Attribute{{Name: name, Value: name}}, Granted: []api.Attribute{{Name: name, Value: name}}, UnableReason: name}, true
	}
	s.Groups = func() []api.ServerGroup { return []api.ServerGroup{tacacsGroup(name), radiusGroup(name)} }
	s.OnOffGroups = func() []api.OnOffGroup {
		return []api.OnOffGroup{{Name: name, Description: name, Controlling: []string{name}, Monitoring: []string{name, "b"}}}
	}
	s.Blocked = func() Blocked {
		return Blocked{Queues: map[string]bool{"local": true}, Groups: map[string]bool{name + "t": true}}
	}
	s.Spool = func() api.SpoolStatus { return fullSpool(name) }
	s.SetAside = func(after uint64, limit int) (out []api.SetAside, err error) {
		for seq := after + 1; seq <= 120 && len(out) < limit; seq++ {
			out = append(out, api.SetAside{Seq: seq, From: name, At: at, Reason: name, Session: name, Type: "stop", List: name, User: name})
		}
		return out, nil
	}
	s.SNMP = func() *api.SNMPStatus { return fullSNMP(name) }
	return s
}

func radiusGroup(name string) api.ServerGroup {
	waiting := uint64(12345)
	counters := api.ServerCounters{CountedSince: at, Requests: 5, TimedResponses: 4, AverageResponseTime: 0.0125, RoundTripTime: 0.01, MaxResponseTime: 2}
	server := func(i int, state string) api.GroupServer {
		return api.GroupServer{
			Index: i, Name: fmt.Sprint(name, i), Address: name, AccountingPort: 1813, AuthenticationPort: 1812, Created: true, OperState: state,
			Statistics:     api.ServerStatistics{ServerCounters: counters, StateSince: at, DeadCount: 3, DownUntil: at, TotalDeadTime: 90},
			Authentication: &api.AuthenticationStatistics{OperState: "up"},
			Test:           &api.ServerTest{Username: name, IdleTime: 300},
		}
	}
	return api.ServerGroup{
		Name: name, Protocol: api.RADIUS, Description: name, AccessAlgorithm: "round-robin", HoldDown: 60, Waiting: &waiting,
		DeadCriteria: &api.DeadCriteria{Time: 10, Tries: 3}, RelaysLogins: true,
		AcctOnOff: api.AcctOnOff{Enabled: true, Blocked: true, OperStateChange: true, Group: name, State: api.SendAcctOn, SessionID: name, LastStateChange: at, Trigger: "startUp", Server: name},
		Servers:   []api.GroupServer{server(1, "up"), server(2, "down")},
		Managed: &api.ManagedServers{
			Created: []api.ManagedServer{{Name: name, Address: name}}, Destroyed: []api.ManagedServer{{Name: name}}, GivenUp: []api.GivenUpServer{{Name: name, Reason: name}},
		},
	}
}

func tacacsGroup(name string) api.ServerGroup {
	return api.ServerGroup{
		Name: name + "t", Protocol: api.TACACS, AccessAlgorithm: "direct",
		AcctOnOff: api.AcctOnOff{Enabled: true, MonitorGroup: name, State: api.StateUnknown},
		Servers: []api.GroupServer{{Index: 1, Name: name, Address: name, AccountingPort: 49, OperState: "unknown", TACACS: &api.TACACSServer{
			SingleConnection: true, MaxConnections: 4, Connections: 1, Opened: 7,
		}}},
	}
}

func fullSpool(name string) api.SpoolStatus {
	size := uint64(3 << 20)
	return api.SpoolStatus{
		Disk: api.Disk{Folder: name, Size: 1 << 30, MaxSize: 2 << 30, Free: 1 << 20, MinFree: 1 << 25, Warning: name, Accepting: name},
		Queues: []api.Queue{
			{Queue: "group/" + name, Configured: true, Records: 5, Bytes: &size, Oldest: at, DownSince: at, NextProbe: at, OperState: "down", Hold: api.HoldOpen, Draining: true, Superseded: 1, Elsewhere: 2},
			{Queue: "group/lost", Records: 7, Oldest: at.Add(-time.Hour), Lost: true, Rerouted: name, OperState: "unknown", Hold: api.HoldOpen},
			{Queue: "group/held", Configured: true, Hold: api.HoldHeld, OperState: "up"},
			{Queue: "group/away", Configured: true, Hold: api.HoldAway, OperState: "up"},
			{Queue: "local", Configured: true, Hold: api.HoldOpen, OperState: "up"},
		},
		SetAside: 120,
		Damage:   []api.Damage{{Queue: name, First: 1, Last: 2, Records: 2, At: at, Reason: name}, {Records: -1, At: at, Reason: name}},
	}
}

func fullSNMP(name string) *api.SNMPStatus {
	return &api.SNMPStatus{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("[::1]:161")}, EngineID: "80001f88", Boots: 3, Gets: 11, GetNexts: 12, GetBulks: 13, Sets: 14,
		Refused: api.SNMPRefused{WrongDigests: 4711}, Dropped: api.SNMPDropped{TooBig: 815},
		Notifications: []api.NotificationStatus{{Name: name, Sent: 5, Error: name, ErrorAt: "2024-01-02T03:04:05Z"}},
		Users:         []api.SNMPUser{{Name: name, Auth: "SHA-256", Priv: "AES", Group: name}, {Name: "nobody"}},
		Communities:   []api.SNMPCommunity{{SecurityName: name, Group: name, Versions: []string{"v1", "v2c"}, From: []string{"192.0.2.0/24"}}, {SecurityName: "b"}},
		Problems:      []api.SNMPProblem{{At: at, From: "192.0.2.1:5000", User: name, What: name, Detail: name}},
	}
}

// ask asks a page, and returns its answer. A stream has one event at most, because its browser has gone.
func ask(t *testing.T, p http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	ctx, gone := context.WithCancel(t.Context())
	gone()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil).WithContext(ctx))
	return w
}
