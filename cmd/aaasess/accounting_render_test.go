package main

import (
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasess/internal/groups"
	"aaasess/cmd/aaasess/internal/records"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/cmd/internal/human"
)

func pointer[T any](v T) *T { return &v }

// s3 returns the groups of S3: aaa-server-policy-1 controls group-1, -2 monitors it, -3 has no
// acct-on-off-group.
func s3(zone *time.Location) []api.ServerGroup {
	changed, on := time.Date(2013, 2, 20, 13, 32, 5, 0, zone), time.Date(2013, 2, 24, 16, 6, 41, 0, zone)
	server := func(name, address string) []api.GroupServer {
		return []api.GroupServer{{
			Index: 1, Name: name, Address: address, AccountingPort: 1813, OperState: "up", Timeout: 5, Retransmit: 3,
			Statistics: api.ServerStatistics{
				ServerCounters: api.ServerCounters{
					Requests: 1200, Retransmissions: 34, Responses: 1198, Timeouts: 36, MalformedResponses: 1, BadAuthenticators: 2,
					Unexpected: 3, PendingRequests: 4, RoundTripTime: 0.00123, AverageResponseTime: 0.0254, TimedResponses: 1192, MaxResponseTime: 0.48, Successes: 1192, LateResponses: 7, CountedSince: on.Add(-time.Hour), Failures: 5,
				},
				StateSince: on, PreviousStateDuration: 190, TotalDeadTime: 3700, DeadCount: 1,
			},
		}}
	}
	unknown := server("server-3", "172.16.1.10")
	unknown[0].OperState, unknown[0].Statistics = "unknown", api.ServerStatistics{}
	unknown[0].AuthenticationPort, unknown[0].Authentication = 1812, &api.AuthenticationStatistics{OperState: "unknown"}
	both := server("server-1", "172.16.1.8")
	both[0].AuthenticationPort = 1645
	both[0].Authentication = &api.AuthenticationStatistics{
		ServerStatistics: api.ServerStatistics{StateSince: on.Add(time.Hour), PreviousStateDuration: 3600, DeadCount: 2, TotalDeadTime: 100, DownUntil: on.Add(27 * time.Hour)},
		OperState:        "down", Accepts: 90, Rejects: 8, Challenges: 200,
	}
	both[0].Authentication.ServerCounters = api.ServerCounters{
		Requests: 310, Retransmissions: 6, Responses: 305, Timeouts: 11, MalformedResponses: 5, BadAuthenticators: 7, Unexpected: 1,
		PendingRequests: 2, RoundTripTime: 0.0031, AverageResponseTime: 0.0754, TimedResponses: 298, MaxResponseTime: 5.72, Successes: 298, CountedSince: on, Failures: 10,
		Tests: 5, TestsFailed: 4, StatusServer: &api.StatusServerCounters{Sent: 9, Responses: 1, Timeouts: 8},
	}
	both[0].Test = &api.ServerTest{Username: "probe", IdleTime: 3600, AuthenticationPort: true, AccountingPort: true}
	return []api.ServerGroup{
		{
			Name: "aaa-server-policy-1", Protocol: api.RADIUS, RelaysLogins: true, Description: "accounting", AccessAlgorithm: "direct", HoldDown: 30, Window: 1024,
			AcctOnOff: api.AcctOnOff{
				Enabled: true, OperStateChange: true, Group: "group-1", State: api.StateOn, SessionID: "242FFF0000008F512A3985",
				LastStateChange: on, Trigger: "startUp", Server: "server-1",
			},
			LastManagementChange: changed, Waiting: pointer(uint64(0)), Servers: both,
		},
		{
			Name: "aaa-server-policy-2", Protocol: api.RADIUS, AccessAlgorithm: "least-outstanding", BatchSize: 25, HoldDown: 0.5, Window: 256, DrainRate: 250,
			AcctOnOff:            api.AcctOnOff{Enabled: true, Blocked: true, MonitorGroup: "group-1", State: api.StateUnknown},
			LastManagementChange: changed, Servers: server("server-2", "172.16.1.9"),
		},
		{
			Name: "aaa-server-policy-3", Protocol: api.RADIUS, RelaysLogins: true, AccessAlgorithm: "direct", HoldDown: 30, Window: 1024,
			AcctOnOff:            api.AcctOnOff{Enabled: true, Blocked: true, OperStateChange: true, State: api.SendAcctOn, SessionID: "243"},
			LastManagementChange: changed, Waiting: pointer(uint64(17)), Servers: unknown,
		},
	}
}

// unprintableGroup returns a group whose servers differ, and whose names have unprintable
// characters.
func unprintableGroup() *api.ServerGroup {
	backoff := &api.Backoff{MaxDelay: 3600, Retry: 32}
	return &api.ServerGroup{
		Name: "e\x1b[31m", Protocol: api.RADIUS, Description: "\u202ex", AccessAlgorithm: "round-robin", HoldDown: 30, SourceAddress: "2001:db8::1",
		DeadCriteria: &api.DeadCriteria{Time: 12.5, Tries: 1}, Window: 1, DrainRate: 0.5, Waiting: pointer(uint64(math.MaxUint64)),
		AcctOnOff: api.AcctOnOff{State: api.StateUnknown},
		Servers: []api.GroupServer{
			{
				Index: 1, Name: strings.Repeat("name", 10), Address: "2001:db8:1111:2222:3333:4444:5555:6666", AccountingPort: 65535, Test: &api.ServerTest{IdleTime: 0.5, AccountingPort: true},
				OperState: "down", Timeout: 5, Retransmit: 3, Backoff: backoff, Statistics: api.ServerStatistics{
					ServerCounters: api.ServerCounters{Requests: math.MaxUint64, AverageResponseTime: 12.3456, RoundTripTime: 0.0099949}, DeadCount: 2, TotalDeadTime: 86400,
					StateSince: now.Add(-42 * time.Second), DownUntil: now.Add(time.Minute),
				},
			},
			{Index: 2, Name: "b\n", Address: "192.0.2.1", AccountingPort: 1813, OperState: "up", Timeout: 2.5, Retransmit: 0},
		},
	}
}

// tacacsGroup returns a group of TACACS+ servers that differ.
func tacacsGroup() *api.ServerGroup {
	at := time.Date(2001, 6, 27, 6, 0, 0, 0, now.Location())
	return &api.ServerGroup{
		Name: "devices", Protocol: api.TACACS, Description: "of the network", AccessAlgorithm: "direct", HoldDown: 30, Window: 1024, Waiting: pointer(uint64(2)),
		LastManagementChange: at,
		AcctOnOff: api.AcctOnOff{
			Enabled: true, Blocked: false, OperStateChange: true, State: api.StateOn, SessionID: "1", LastStateChange: at, Trigger: "startUp", Server: "t1",
		},
		Servers: []api.GroupServer{
			{
				Index: 1, Name: "t1", Address: "10.0.0.11", AccountingPort: 49, OperState: "up", Timeout: 5,
				Statistics: api.ServerStatistics{
					ServerCounters: api.ServerCounters{
						Requests: 100, Responses: 99, Successes: 90, Failures: 1, BadAuthenticators: 2, MalformedResponses: 3, Unexpected: 4, PendingRequests: 1,
						AverageResponseTime: 0.002, RoundTripTime: 0.001,
					},
					StateSince: at,
				},
				TACACS: &api.TACACSServer{
					SingleConnection: true, Agreed: true, MaxConnections: 4, Watchdog: "with-start", Connections: 1, Opened: 5, Failed: 3, Errors: 6, Follows: 7,
				},
			},
			{
				Index: 2, Name: "t2", Address: "tacacs2.example.net", AccountingPort: 4949, OperState: "unknown", Timeout: 5, Retransmit: 1,
				TACACS: &api.TACACSServer{MaxConnections: 16, Watchdog: "plain"},
			},
		},
	}
}

// books returns an Accounting with server groups, queues and set-aside records.
func books(zone *time.Location) *controltest.Accounting {
	at := time.Date(2013, 2, 24, 16, 0, 0, 0, zone)
	return &controltest.Accounting{
		Groups: s3(zone),
		OnOff: []api.OnOffGroup{
			{Name: "group-1", Controlling: []string{"aaa-server-policy-1"}, Monitoring: []string{"aaa-server-policy-2"}},
			{Name: "group-2", Description: "of nobody"},
		},
		Status: api.SpoolStatus{
			Disk: api.Disk{
				Folder: "spool", Size: 1_234_567_890, MaxSize: 10_000_000_000, Free: 45_600_000_000, MinFree: 1_000_000_000, WarnFree: 2_000_000_000, WarnSize: 8_000_000_000, AcceptFree: 1_250_000_000, AcceptSize: 9_000_000_000,
				Accepting: "yes",
			},
			Queues: []api.Queue{{
				Queue: "group/isp", Configured: true, Records: 12, Oldest: at, InFlight: 3, Delivered: 100, OperState: "up", Hold: api.HoldOpen,
			}},
		},
		Lists: []string{"network/default", "exec/default"},
		Aside: []api.SetAside{
			{
				Seq: 3, From: "group/isp", At: at, Reason: "refused", Session: "0000000D", Type: "stop", List: "network/default", User: "alice",
				Attributes: []api.Attribute{{Name: "User-Name", Value: "alice"}, {Name: "Acct-Session-Time", Value: "60"}},
			},
			{Seq: 4, From: "group/isp", At: at, Reason: "damaged: it ends early, after 3 octets", Raw: "0102ff"},
			{Seq: 9, From: "local", At: at, Reason: "never\x1b[0m" + strings.Repeat(" answered", 20), Session: "0000000E", Type: "start", Resync: true, User: "e\nvil"},
		},
	}
}

// TestAccountingScreens compares each kind of output with a file.
func TestAccountingScreens(t *testing.T) {
	listed, aside := s3(time.Local), books(time.Local).Aside
	unprintable := unprintableGroup()
	tests := []struct {
		file  string
		print func(io.Writer) error
	}{
		{"server-groups.txt", func(w io.Writer) error {
			return groups.PrintServerGroups(w, append(listed, *unprintable, *tacacsGroup()))
		}},
		{"server-group.txt", func(w io.Writer) error { return groups.PrintServerGroup(w, &listed[2]) }},
		{"server-group-monitors.txt", func(w io.Writer) error { return groups.PrintServerGroup(w, &listed[1]) }},
		{"server-group-unprintable.txt", func(w io.Writer) error { return groups.PrintServerGroup(w, unprintable) }},
		{"server-group-empty.txt", func(w io.Writer) error { return groups.PrintServerGroup(w, &api.ServerGroup{}) }},
		{"acct-on-off.txt", func(w io.Writer) error { return groups.PrintAcctOnOff(w, &listed[0]) }},
		{"acct-on-off-never.txt", func(w io.Writer) error { return groups.PrintAcctOnOff(w, &listed[1]) }},
		{"acct-on-off-disabled.txt", func(w io.Writer) error { return groups.PrintAcctOnOff(w, unprintable) }},
		{"acct-on-off-group.txt", func(w io.Writer) error { return groups.PrintOnOffGroups(w, books(time.Local).OnOff[:1]) }},
		{"acct-on-off-groups.txt", func(w io.Writer) error { return groups.PrintOnOffGroups(w, books(time.Local).OnOff) }},
		{"acct-on-off-groups-none.txt", func(w io.Writer) error { return groups.PrintOnOffGroups(w, nil) }},
		{"radius-statistics.txt", func(w io.Writer) error {
			return groups.PrintStatistics(w, []api.ServerGroup{listed[0], listed[1], listed[2], *unprintable}, time.Date(2013, 2, 25, 18, 6, 41, 0, time.Local))
		}},
		{"server-group-tacacs.txt", func(w io.Writer) error { return groups.PrintServerGroup(w, tacacsGroup()) }},
		{"server-group-tacacs-alike.txt", func(w io.Writer) error {
			group := tacacsGroup()
			group.Servers = group.Servers[:1]
			return groups.PrintServerGroup(w, group)
		}},
		{"acct-on-off-tacacs.txt", func(w io.Writer) error { return groups.PrintAcctOnOff(w, tacacsGroup()) }},
		{"tacacs-statistics.txt", func(w io.Writer) error { return groups.PrintStatistics(w, []api.ServerGroup{*tacacsGroup()}, now) }},
		{"resync.txt", func(w io.Writer) error {
			return groups.PrintResyncStatus(w, aResync("running", func(r *api.Resync) { r.Waiting, r.LeftOut.Fallback = "odd\x1b", 4 }))
		}},
		{"spool.txt", func(w io.Writer) error { return records.PrintSpool(w, busySpool(), now) }},
		{"spool-empty.txt", func(w io.Writer) error {
			return records.PrintSpool(w, &api.SpoolStatus{Disk: api.Disk{Folder: "s\x1b", Free: -1, Accepting: "no space\n", Warning: "90% of the size is used"}, SetAside: 1}, now)
		}},
		{"spool-list.txt", func(w io.Writer) error {
			table := records.NewRecordTable(w)
			for _, r := range aside {
				if err := table.Record(r); err != nil {
					return err
				}
			}
			return table.End(0)
		}},
		{"spool-show.txt", func(w io.Writer) error { return records.PrintRecord(w, &aside[0]) }},
		{"spool-show-damaged.txt", func(w io.Writer) error { return records.PrintRecord(w, &aside[1]) }},
		{"spool-show-unprintable.txt", func(w io.Writer) error { return records.PrintRecord(w, &aside[2]) }},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			var out strings.Builder
			if err := tt.print(&out); err != nil {
				t.Fatal(err)
			}
			for _, r := range out.String() {
				if r != '\n' && human.IsHidden(r) {
					t.Fatalf("%U is printed", r)
				}
			}
			golden(t, tt.file, out.String())
		})
	}
}

// busySpool returns a spool with queues in every state.
func busySpool() *api.SpoolStatus {
	queue := func(name string, change func(*api.Queue)) api.Queue {
		q := api.Queue{Queue: name, Configured: true, OperState: "up", Hold: api.HoldOpen}
		change(&q)
		return q
	}
	return &api.SpoolStatus{
		Disk: api.Disk{
			Folder: "spool", Size: 1_234_567_890, MaxSize: 10_000_000_000, Free: 45_600_000_000, MinFree: 1_000_000_000, Accepting: "yes",
		},
		SetAside: 3,
		Queues: []api.Queue{
			queue("local", func(*api.Queue) {}),
			queue("group/draining", func(q *api.Queue) {
				q.Records, q.Bytes, q.Oldest, q.InFlight, q.Draining = 5_000_000, pointer(uint64(1_500_000_000)), now.Add(-25*time.Hour), 256, true
				q.Delivered, q.Superseded, q.SetAside, q.Refused, q.NoResponse = math.MaxUint64, 20, 3, 2, 1
			}),
			queue("group/down", func(q *api.Queue) {
				q.OperState, q.Records, q.DownSince, q.NextProbe = "down", 12, now.Add(-5*time.Minute), now.Add(40*time.Second)
			}),
			queue("group/new", func(q *api.Queue) { q.OperState = "unknown" }),
			queue("group/new-draining", func(q *api.Queue) { q.OperState, q.Draining = "unknown", true }),
			queue("group/held", func(q *api.Queue) { q.Hold, q.OperState = api.HoldHeld, "unknown" }),
			queue("group/away", func(q *api.Queue) { q.Hold, q.DownSince = api.HoldAway, now.Add(-time.Second) }),
			queue("group/removed", func(q *api.Queue) {
				q.Configured, q.Records, q.Elsewhere, q.DownSince = false, 7, 12, now.Add(-time.Second)
			}),
			queue("group/passed", func(q *api.Queue) { q.Configured, q.Records, q.Elsewhere, q.Hold = false, 1, 3, "" }),
			queue("group/old", func(q *api.Queue) { q.Configured, q.Records, q.Rerouted, q.Hold = false, 17, "network/x\x07", "" }),
			queue("group/gone\x07", func(q *api.Queue) { q.Configured, q.Lost, q.Records, q.Hold = false, true, 7, "" }),
			queue("group/list-gone", func(q *api.Queue) { q.Configured, q.Lost, q.Rerouted, q.Records = false, true, "exec/default", 7 }),
		},
	}
}

// TestServerStates: a server with two ports has two states. It is down if one of them is.
func TestServerStates(t *testing.T) {
	for _, tt := range []struct {
		name        string
		port        uint16 // for accounting
		acct, auth  string // "" for a server that does not authenticate
		text, worst string
	}{
		{"accounting only", 1813, "up", "", "up", "up"},
		{"authentication only", 0, "unknown", "down", "down", "down"},
		{"both are up", 1813, "up", "up", "up", "up"},
		{"one is down", 1813, "up", "down", "down/up", "down"},
		{"one was never used", 1813, "unknown", "up", "up/unknown", "up"},
		{"none was used", 1813, "unknown", "unknown", "unknown", "unknown"},
	} {
		s := &api.GroupServer{AccountingPort: tt.port, OperState: tt.acct}
		if tt.auth != "" {
			s.Authentication = &api.AuthenticationStatistics{OperState: tt.auth}
		}
		if text, worst := groups.StateText(s), groups.WorstState(s); text != tt.text || worst != tt.worst {
			t.Errorf("%s: %q, %q, want %q, %q", tt.name, text, worst, tt.text, tt.worst)
		}
	}
}

func TestMilliseconds(t *testing.T) {
	for s, want := range map[api.Seconds]string{
		0: "-", -1: "-", 0.0000009: "0.00", 0.00123: "1.23", 0.0099949: "9.99", 0.01: "10", 5.006: "5006", 3600: "3600000",
	} {
		if got := groups.Milliseconds(s); got != want {
			t.Errorf("%v: %s, want %s", s, got, want)
		}
	}
}

// TestS3Layout checks that our screens have the lines of S3. Only "server group" is our own term.
func TestS3Layout(t *testing.T) {
	listed := s3(time.Local)
	listed[0].Name, listed[0].AcctOnOff.Group = "aaa-server-policy-3", ""
	frame := strings.Repeat("=", 79)
	tests := []struct {
		name  string
		print func(io.Writer) error
		want  []string
	}{
		{"acct-on-off", func(w io.Writer) error { return groups.PrintAcctOnOff(w, &listed[0]) }, []string{
			frame,
			`RADIUS server group "aaa-server-policy-3" AcctOnOff info`,
			frame,
			`Oper state                  : on`,
			`Session Id                  : 242FFF0000008F512A3985`,
			`Last state change           : 02/24/2013 16:06:41`,
			`Trigger                     : startUp`,
			`Server                      : "server-1"`,
			frame,
		}},
		{"server group", func(w io.Writer) error { return groups.PrintServerGroup(w, &listed[2]) }, []string{
			frame,
			`RADIUS server group "aaa-server-policy-3"`,
			frame,
			`Description                 : (Not Specified)`,
			`Acct-On-Off                 : Enabled (state Blocked)`,
			strings.Repeat("-", 79),
			`RADIUS server settings`,
			strings.Repeat("-", 79),
			`Source address              : (Not Specified)`,
			`Access algorithm            : direct`,
			`Retry                       : 3`,
			`Timeout (s)                 : 5`,
			`Hold down time (s)          : 30`,
			`Last management change      : 02/20/2013 13:32:05`,
			frame,
			frame,
			`Servers for "aaa-server-policy-3"`,
			frame,
			`Idx Name                             Address         Port        Oper State`,
			`                                                     Auth/Acct`,
			strings.Repeat("-", 79),
			`1   server-3                         172.16.1.10     1812/1813   unknown`,
			frame,
		}},
		{"acct-on-off-group", func(w io.Writer) error { return groups.PrintOnOffGroups(w, books(time.Local).OnOff[:1]) }, []string{
			frame,
			`Acct-On-Off-Group Information`,
			frame,
			`acct on off group name               : group-1`,
			`  - controlling RADIUS server group  :`,
			`        aaa-server-policy-1`,
			`  - monitored by RADIUS server group :`,
			`        aaa-server-policy-2`,
			``,
			strings.Repeat("-", 79),
			`Nbr of Acct-on-off-groups displayed : 1`,
			strings.Repeat("-", 79),
			frame,
		}},
	}
	for _, tt := range tests {
		var out strings.Builder
		if err := tt.print(&out); err != nil {
			t.Fatal(err)
		}
		rest := strings.Split(out.String(), "\n")
		for _, line := range tt.want { // ours has more lines, but has these in this order
			for len(rest) > 0 && rest[0] != line {
				rest = rest[1:]
			}
			if len(rest) == 0 {
				t.Errorf("%s: %q is not there, or not in its place:\n%s", tt.name, line, &out)
				break
			}
			rest = rest[1:]
		}
	}
}

// TestAfterText: a group that is not the first method of the system list is shown as such.
func TestAfterText(t *testing.T) {
	group := s3(time.UTC)[1]
	group.AcctOnOff = api.AcctOnOff{Enabled: true, Blocked: true, After: "group isp", State: api.StateUnknown}
	if got := groups.OnOffText(&group.AcctOnOff); got != "after group isp" {
		t.Errorf("got %q", got)
	}
	var b strings.Builder
	if err := groups.PrintServerGroup(&b, &group); err != nil || !strings.Contains(b.String(), "Acct-On-Off after") || !strings.Contains(b.String(), ": group isp\n") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
