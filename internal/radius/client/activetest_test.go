package client_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// tested returns a member for both purposes with an active test, and one transmission of a second.
func tested(host string, test client.Test) client.Member {
	m := both(host)
	m.Test, m.Schedule = test, retry.Schedule{Timeout: time.Second, Retransmit: -1}
	return m
}

// arrivedAt returns when requests arrived at a host: the seconds since the start of the test, and
// the code and the user of each.
func (r *rig) arrivedAt(h *radiusnet.Host) string {
	var all []string
	for _, a := range h.Arrivals() {
		all = append(all, strings.TrimSpace(a.At.Sub(r.began).String()+" "+a.Code.String()+" "+a.UserName))
	}
	return strings.Join(all, ", ")
}

// checkArrivals checks what arrived at a host.
func (r *rig) checkArrivals(h *radiusnet.Host, want string) {
	r.Helper()
	if got := r.arrivedAt(h); got != want {
		r.Errorf("%s got %q, want %q", h.Name, got, want)
	}
}

// TestIdle: each port that groups use, and that is not ignored, is tested when it is idle.
func TestIdle(t *testing.T) {
	for _, tc := range []struct {
		name       string
		test       client.Test
		auth, acct string // what arrives in 25 minutes
	}{
		{"none", client.Test{IdleTime: time.Minute}, "", ""},
		{
			"user",
			client.Test{Username: "probe", IdleTime: 10 * time.Minute},
			"10m0s Access-Request probe, 20m0s Access-Request probe", "10m0s Accounting-Request probe, 20m0s Accounting-Request probe",
		},
		{"Status-Server", client.Test{StatusServer: true, IdleTime: 15 * time.Minute}, "15m0s Status-Server", "15m0s Status-Server"},
		{"Status-Server and user", client.Test{Username: "u", StatusServer: true, IdleTime: 15 * time.Minute}, "15m0s Status-Server", "15m0s Status-Server"},
		{"ignore-auth-port", client.Test{Username: "u", IdleTime: 15 * time.Minute, IgnoreAuthPort: true}, "", "15m0s Accounting-Request u"},
		{"ignore-acct-port", client.Test{Username: "u", IdleTime: 15 * time.Minute, IgnoreAcctPort: true}, "15m0s Access-Request u", ""},
		{"an hour by default", client.Test{Username: "u"}, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withRig(t, func(r *rig) {
				auth := r.authHost("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction {
					return radiusnet.Reaction{Code: radius.CodeAccessReject}
				})
				acct := r.host("192.0.2.1", nil)
				a := r.authGroup(tested("192.0.2.1", tc.test))
				b := r.group(client.GroupConfig{}, tested("192.0.2.1", tc.test))
				r.group(client.GroupConfig{Name: "one more"}, tested("192.0.2.1", tc.test)) // tests nothing twice
				r.sleep(25 * 60)
				r.checkArrivals(auth, tc.auth)
				r.checkArrivals(acct, tc.acct)
				for _, g := range []*client.Group{a, b} {
					s := g.Stats().Servers[0]
					counted := servers.StatusServer{}
					if tc.test.StatusServer { // RFC 5997: they move no other counter
						counted = servers.StatusServer{Sent: s.Tests, Responses: s.Tests}
					}
					if s.Successes != s.Requests || s.Tests != s.Requests+counted.Sent || s.Responses != s.Requests || s.StatusServer != counted || s.TestsFailed != 0 || s.Timeouts != 0 || s.PendingRequests != 0 {
						t.Errorf("%+v", s)
					}
				}
			})
		})
	}
}

// TestIdleByDefault: without idle-time it is an hour.
func TestIdleByDefault(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", nil)
		r.group(client.GroupConfig{}, tested("192.0.2.1", client.Test{StatusServer: true}))
		r.sleep(3 * 3600)
		r.checkArrivals(h, "1h0m0s Status-Server, 2h0m0s Status-Server, 3h0m0s Status-Server")
	})
}

// TestBusyIsNotTested: a port that answers users is not idle.
func TestBusyIsNotTested(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", nil)
		g := r.group(client.GroupConfig{}, tested("192.0.2.1", client.Test{StatusServer: true, IdleTime: time.Minute}))
		for i := range 5 {
			r.send(g, i)
			r.sleep(float64(i+1) * 50)
		}
		if n := strings.Count(r.arrivedAt(h), "Status-Server"); n != 0 {
			t.Errorf("%d tests", n)
		}
		r.sleep(262)
		if got := r.arrivedAt(h); !strings.HasSuffix(got, ", 4m20s Status-Server") {
			t.Errorf("got %s", got)
		}
	})
}

// TestDeadIsTested: a dead server is tested whenever its hold-down is over, and not by users. When
// it answers, the groups of both purposes are told.
func TestDeadIsTested(t *testing.T) {
	withRig(t, func(r *rig) {
		var answers atomic.Bool
		h := r.authHost("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction {
			if answers.Load() {
				return radiusnet.Reaction{Code: radius.CodeAccessReject}
			}
			return radiusnet.Reaction{Answer: radiusnet.Silent}
		})
		r.authHost("192.0.2.2", nil)
		test := client.Test{Username: "probe", IgnoreAcctPort: true}
		var heard, own atomic.Int32
		one := r.group(client.GroupConfig{Purpose: client.Authentication, HoldDown: 10 * time.Second, Heard: func() { own.Add(1) }}, tested("192.0.2.1", test), both("192.0.2.2"))
		r.group(client.GroupConfig{Heard: func() { heard.Add(1) }}, tested("192.0.2.1", test))
		r.login(one, 1)
		for i := range 40 {
			r.sleep(2 + float64(i))
			l := r.login(one, 100+i)
			r.sleep(2.5 + float64(i))
			l.check("answered by of 192.0.2.2")
		}
		r.checkArrivals(h, "0s Access-Request 1, 11s Access-Request probe, 22s Access-Request probe, 33s Access-Request probe")
		if heard.Load() != 0 || own.Load() != 0 {
			t.Errorf("told %d and %d times", own.Load(), heard.Load())
		}
		answers.Store(true)
		r.sleep(44.1)
		if s := one.Stats().Servers[0]; s.State != servers.Up || s.Tests != 4 || s.TestsFailed != 3 || s.DeadCount != 1 || s.TotalDeadTime != 43*time.Second {
			t.Errorf("%+v", s)
		}
		if heard.Load() != 1 || own.Load() != 1 {
			t.Errorf("told %d and %d times", own.Load(), heard.Load())
		}
		l := r.login(one, 2)
		r.sleep(45)
		l.check("answered by of 192.0.2.1")
		if log := r.log.String(); strings.Count(log, "RADIUS server answers again") != 1 {
			t.Error("log is not as expected")
		}
	})
}

// TestDeadForUsers: if no server is up, users' requests go to dead ones in spite of their tests.
func TestDeadForUsers(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.authHost("192.0.2.1", func(_ []byte, a radiusnet.Arrival) radiusnet.Reaction {
			if a.UserName == "probe" || a.Number == 0 {
				return radiusnet.Reaction{Answer: radiusnet.Silent}
			}
			return radiusnet.Reaction{}
		})
		g := r.authGroup(tested("192.0.2.1", client.Test{Username: "probe"}))
		r.login(g, 1)
		r.sleep(5)
		if s := g.Stats().Servers[0]; s.State != servers.Dead || g.Usable() {
			t.Errorf("usable = %v, %+v", g.Usable(), s)
		}
		l := r.login(g, 2)
		r.sleep(6)
		l.check("answered by of 192.0.2.1")
		r.checkArrivals(h, "0s Access-Request 1, 5s Access-Request 2")
	})
}

// TestTestFindsDeadServer: a server that does not answer its test is dead before a user notices.
func TestTestFindsDeadServer(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", silent)
		r.host("192.0.2.2", nil)
		g := r.group(client.GroupConfig{}, tested("192.0.2.1", client.Test{StatusServer: true, IdleTime: time.Minute}), to("192.0.2.2"))
		r.sleep(62)
		if s := g.Stats().Servers; s[0].State != servers.Dead || s[1].State != servers.Unknown {
			t.Errorf("%+v", s)
		}
		s := r.send(g, 1)
		r.sleep(62.5)
		s.check("answered by of 192.0.2.2")
	})
}

// TestTestIsConfigured: a test may begin, change and end while the group runs.
func TestTestIsConfigured(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", nil)
		g := r.group(client.GroupConfig{}, tested("192.0.2.1", client.Test{}))
		r.sleep(100)
		for _, step := range []struct {
			test  client.Test
			until float64
		}{
			{client.Test{StatusServer: true, IdleTime: time.Minute}, 250},
			{client.Test{Username: "u", IdleTime: 30 * time.Second}, 300},
			{client.Test{}, 1000},
		} {
			r.reconfigure(g, client.GroupConfig{}, tested("192.0.2.1", step.test))
			r.sleep(step.until)
		}
		r.checkArrivals(h, "2m40s Status-Server, 3m40s Status-Server, 4m40s Accounting-Request u")
	})
}

// TestNASIdentifier: tests have the NAS-Identifier that is set at their time.
func TestNASIdentifier(t *testing.T) {
	withRig(t, func(r *rig) {
		var names []string
		r.authHost("192.0.2.1", func(b []byte, _ radiusnet.Arrival) radiusnet.Reaction {
			name, _ := radius.Attributes(b[radius.HeaderLen:]).Get(radius.NASIdentifier)
			names = append(names, name)
			return radiusnet.Reaction{}
		})
		r.authGroup(tested("192.0.2.1", client.Test{Username: "u", IdleTime: time.Minute}))
		r.sleep(61)
		r.client.SetNASIdentifier("gw-1")
		r.sleep(121)
		r.client.SetNASIdentifier("")
		r.sleep(181)
		if got, want := strings.Join(names, " "), "aaasess gw-1 aaasess"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// TestTestMovesToOtherGroup: when the group that tests a server ends, another one goes on, even if
// a test is under way.
func TestTestMovesToOtherGroup(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", silent)
		test := client.Test{StatusServer: true, IdleTime: time.Minute}
		m := tested("192.0.2.1", test)
		m.Schedule.Timeout = 10 * time.Second
		first, err := r.client.NewGroup(client.GroupConfig{HoldDown: time.Minute, Members: []client.Member{m}})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = first.Run(context.Background()) }()
		r.sleep(61)
		second := r.group(client.GroupConfig{HoldDown: time.Minute}, m)
		r.sleep(65)
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		if s := second.Stats().Servers[0]; s.PendingRequests != 0 {
			t.Errorf("%+v", s)
		}
		r.sleep(200)
		r.checkArrivals(h, "1m0s Status-Server, 2m5s Status-Server, 3m15s Status-Server")
	})
}
