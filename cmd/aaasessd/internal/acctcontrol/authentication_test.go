package acctcontrol

import (
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/authgroups"
	"aaasess/cmd/internal/api"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"

	"github.com/google/go-cmp/cmp"
)

// A group of accounting to which logins are relayed too has both ports and statistics. One only for
// logins is a group of its own.
func TestServerGroupsOfAuthentication(t *testing.T) {
	group := func(name, server string, requests uint64) authgroups.Status {
		return authgroups.Status{
			Config: client.GroupConfig{
				Name: name, Algorithm: client.RoundRobin, HoldDown: -1, MaxInFlight: 64,
				Members: []client.Member{{
					Identity: client.Identity{Name: server, Host: "10.0.0.1", AuthPort: 1645, Test: client.Test{Username: "probe", IdleTime: time.Hour, IgnoreAcctPort: true}},
					Schedule: retry.Schedule{Timeout: 5 * time.Second, Retransmit: -1},
				}},
			},
			Stats: client.Stats{Servers: []servers.Stats{{Name: server, State: servers.Up, Requests: requests, Successes: 7, Accepts: 1, Rejects: 2, Challenges: 4}}},
		}
	}
	of := func(auth ...authgroups.Status) *Accounting {
		return &Accounting{cfg: Config{Authentication: func() []authgroups.Status { return auth }}}
	}
	acct := func() []api.ServerGroup {
		return []api.ServerGroup{
			{Name: "isp", Protocol: api.RADIUS, Servers: []api.GroupServer{{Name: "r1", AccountingPort: 1813}, {Name: "r2", AccountingPort: 1813}}},
			{Name: "tac", Protocol: api.TACACS},
		}
	}
	if diff := cmp.Diff(acct(), (&Accounting{}).addAuthentication(acct())); diff != "" {
		t.Errorf("without authentication: %s", diff)
	}
	statistics := &api.AuthenticationStatistics{
		ServerStatistics: api.ServerStatistics{ServerCounters: api.ServerCounters{Requests: 9, Successes: 7}}, OperState: "up", Accepts: 1, Rejects: 2, Challenges: 4,
	}
	both := acct()
	both[0].RelaysLogins = true
	both[0].Servers[1].AuthenticationPort, both[0].Servers[1].Authentication = 1645, statistics
	if diff := cmp.Diff(both, of(group("isp", "r2", 9)).addAuthentication(acct())); diff != "" {
		t.Errorf("a group of both: want (-) and got (+):\n%s", diff)
	}
	alone := append(acct(), api.ServerGroup{
		Name: "radius", Protocol: api.RADIUS, RelaysLogins: true, AcctOnOff: api.AcctOnOff{State: api.StateUnknown}, AccessAlgorithm: "round-robin", Window: 64,
		Servers: []api.GroupServer{{
			Index: 1, Name: "r2", Address: "10.0.0.1", AuthenticationPort: 1645, OperState: "up", Timeout: 5, Authentication: statistics,
			Test: &api.ServerTest{Username: "probe", IdleTime: 3600, AuthenticationPort: true},
		}},
	})
	if diff := cmp.Diff(alone, of(group("radius", "r2", 9)).addAuthentication(acct())); diff != "" {
		t.Errorf("a group of authentication: want (-) and got (+):\n%s", diff)
	}
}

func TestServerTest(t *testing.T) {
	for _, tt := range []struct {
		name string
		test client.Test
		want *api.ServerTest
	}{
		{"none", client.Test{IdleTime: time.Hour}, nil},
		{"no port", client.Test{Username: "u", IgnoreAuthPort: true, IgnoreAcctPort: true}, nil},
		{"a user", client.Test{Username: "u", IdleTime: time.Minute}, &api.ServerTest{Username: "u", IdleTime: 60, AuthenticationPort: true, AccountingPort: true}},
		{"Status-Server", client.Test{Username: "u", StatusServer: true, IgnoreAuthPort: true}, &api.ServerTest{AccountingPort: true}},
	} {
		if diff := cmp.Diff(tt.want, serverTest(&tt.test)); diff != "" {
			t.Errorf("%s: want (-) and got (+):\n%s", tt.name, diff)
		}
	}
}
