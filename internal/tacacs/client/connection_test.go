package client_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

// TestOneSessionPerConnection: without single connection mode each request has its own connection,
// at most Connections at once; further requests wait for one, longer than the timeout if need be.
func TestOneSessionPerConnection(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{Delay: 600 * time.Millisecond})
		m := to("192.0.2.1")
		m.Connections = 3
		g := r.group(tacclient.GroupConfig{}, m)
		all := r.sendAll(g, 10)
		r.sleep(0.5)
		if n := s.Open(); n != 3 {
			t.Errorf("%d connections are open, want 3", n)
		}
		if got := g.Stats().Servers[0]; got.Connections != 3 || got.PendingRequests != 3 {
			t.Errorf("%+v", got)
		}
		r.sleep(2.5)
		checkAll(all, "accepted by of 192.0.2.1")
		if n := s.Accepted(); n != 10 {
			t.Errorf("%d connections were opened, want 10", n)
		}
		if n := s.Open(); n != 0 {
			t.Errorf("%d connections are open", n)
		}
		if got := g.Stats().Servers[0]; got.Connections != 0 || got.Opened != 10 || got.Successes != 10 || got.Requests != 10 || got.Timeouts != 0 || got.SingleConnection {
			t.Errorf("%+v", got)
		}
		r.obeyed(s)
	})
}

// TestSingleConnection: one connection is opened, and after the first answer it has all requests.
// It stays open.
func TestSingleConnection(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{Delay: 100 * time.Millisecond})
		g := r.group(tacclient.GroupConfig{}, single("192.0.2.1"))
		all := r.sendAll(g, 500)
		r.sleep(0.3)
		checkAll(all, "accepted by of 192.0.2.1")
		if s.Accepted() != 1 || s.Open() != 1 {
			t.Errorf("%d connections, %d are open", s.Accepted(), s.Open())
		}
		if got := g.Stats().Servers[0]; got.Connections != 1 || !got.SingleConnection || got.Successes != 500 || got.PendingRequests != 0 {
			t.Errorf("%+v", got)
		}
		for i, a := range s.Arrivals() {
			if has := a.Header.Flags&tacacs.FlagSingleConnect != 0; has != (i == 0) {
				t.Fatalf("request %d has flags %x", i, a.Header.Flags)
			}
		}
		r.obeyed(s)
	})
}

// TestAnswersInAnyOrder: answers are matched by session_id.
func TestAnswersInAnyOrder(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		g := r.group(tacclient.GroupConfig{}, single("192.0.2.1"))
		r.send(g, 1)
		r.sleep(0.1)
		s.Set(tacacstest.Behavior{Batch: 40})
		all := r.sendAll(g, 40)
		r.sleep(0.2)
		checkAll(all, "accepted by of 192.0.2.1")
		r.obeyed(s)
	})
}

// TestConnectionsAreBalanced: under load up to Connections connections are opened, one after the
// other, and have about as many requests each.
func TestConnectionsAreBalanced(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{Delay: 500 * time.Millisecond})
		m := single("192.0.2.1")
		m.Connections = 3
		g := r.group(tacclient.GroupConfig{}, m)
		var all []*sent
		for i := range 900 {
			all = append(all, r.send(g, i))
			time.Sleep(3 * time.Millisecond)
		}
		r.sleep(4)
		checkAll(all, "accepted by of 192.0.2.1")
		if n := s.Accepted(); n != 3 {
			t.Errorf("%d connections, want 3", n)
		}
		by := map[int]int{}
		for _, a := range s.Arrivals() {
			by[a.Connection]++
		}
		for n, requests := range by {
			if requests < 100 {
				t.Errorf("connection %d had %d requests of 900", n, requests)
			}
		}
		r.obeyed(s)
	})
}

// TestServerDeclinesSingleConnection: if the first answer has not the flag, each request has its own
// connection.
func TestServerDeclinesSingleConnection(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{OneSession: true})
		m := single("192.0.2.1")
		m.Connections = 4
		g := r.group(tacclient.GroupConfig{}, m)
		all := r.sendAll(g, 50)
		r.sleep(0.1)
		checkAll(all, "accepted by of 192.0.2.1")
		if s.Accepted() != 50 || g.Stats().Servers[0].SingleConnection {
			t.Errorf("%d connections for 50 requests: %+v", s.Accepted(), g.Stats().Servers[0])
		}
		s.Set(tacacstest.Behavior{})
		all = r.sendAll(g, 50)
		r.sleep(0.2)
		checkAll(all, "accepted by of 192.0.2.1")
		if !g.Stats().Servers[0].SingleConnection || s.Open() == 0 {
			t.Errorf("the server agrees now: %+v", g.Stats().Servers[0])
		}
		r.obeyed(s)
	})
}

// TestServerDoesNotKeepConnections: a server that agrees to single connection mode and closes after
// each answer loses nothing, and fails nothing. After a few times it is asked for it no more, for a
// while, which is logged once.
func TestServerDoesNotKeepConnections(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{CloseAfter: 1})
		m := single("192.0.2.1")
		m.Connections = 4
		g := r.group(tacclient.GroupConfig{}, m)
		all := r.sendAll(g, 300)
		r.sleep(0.5)
		checkAll(all, "accepted by of 192.0.2.1")
		if got := g.Stats().Servers[0]; got.Successes != 300 || got.Failures != 0 || got.Timeouts != 0 || got.SendErrors != 0 || got.SingleConnection {
			t.Errorf("%+v", got)
		}
		if n := strings.Count(r.log.String(), "does not keep single connections"); n != 1 {
			t.Errorf("%d log lines", n)
		}
		before := len(s.Arrivals())
		all = r.sendAll(g, 100)
		r.sleep(1)
		checkAll(all, "accepted by of 192.0.2.1")
		for _, a := range s.Arrivals()[before:] {
			if a.Header.Flags&tacacs.FlagSingleConnect != 0 {
				t.Fatal("single connection mode is still asked for")
			}
		}
		s.Set(tacacstest.Behavior{})
		r.sleep(700) // after singlePause
		all = r.sendAll(g, 100)
		r.sleep(701)
		checkAll(all, "accepted by of 192.0.2.1")
		if !g.Stats().Servers[0].SingleConnection {
			t.Error("single connection mode is not tried again")
		}
		r.obeyed(s)
	})
}

// TestIdleConnectionIsClosed: a server may close a kept connection that has nothing to do.
func TestIdleConnectionIsClosed(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		g := r.group(tacclient.GroupConfig{}, single("192.0.2.1"))
		first := r.send(g, 1)
		r.sleep(100)
		first.check("accepted by of 192.0.2.1")
		s.Stop()
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		r.sleep(101)
		second := r.send(g, 2)
		r.sleep(102)
		second.check("accepted by of 192.0.2.1")
		if got := g.Stats().Servers[0]; got.Failures != 0 || got.SendErrors != 0 || got.Opened != 2 {
			t.Errorf("%+v", got)
		}
		if log := r.log.String(); log != "" {
			t.Errorf("log: %s", log)
		}
	})
}

// TestConnectionFailsInFlight: requests in flight on a kept connection that fails are sent again at
// once.
func TestConnectionFailsInFlight(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		g := r.group(tacclient.GroupConfig{}, single("192.0.2.1"))
		r.send(g, 1)
		r.sleep(1)
		s.Set(tacacstest.Behavior{Silent: true})
		all := r.sendAll(g, 50)
		r.sleep(1.5)
		s.Set(tacacstest.Behavior{CloseAfter: 2})
		all = append(all, r.send(g, 50))
		r.sleep(1.6)
		checkAll(all, "accepted by of 192.0.2.1")
		if got := g.Stats().Servers[0]; got.Failures != 0 || got.SendErrors != 0 || got.Retransmissions < 50 || got.Requests != 52 {
			t.Errorf("%+v", got)
		}
		for n := range all {
			if got := tasks(s)[fmt.Sprint(n)]; got < 1 {
				t.Errorf("request %d was acknowledged %d times", n, got)
			}
		}
		r.obeyed(s)
	})
}

// TestServerStalls: a connection that accepts requests and answers nothing is closed, and requests
// that were in flight on it go to another one.
func TestServerStalls(t *testing.T) {
	for name, b := range map[string]tacacstest.Behavior{
		"reads nothing": {Stall: true}, "answers nothing": {Silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			withRig(t, func(r *rig) {
				s := r.host("192.0.2.1", tacacstest.Behavior{})
				g := r.group(tacclient.GroupConfig{HoldDown: -1}, single("192.0.2.1"))
				r.send(g, 1)
				r.sleep(1)
				s.Set(b)
				first := r.send(g, 2)
				r.sleep(1.5)
				others := r.sendAll(g, 20)
				r.sleep(1.9)
				s.Set(tacacstest.Behavior{Handle: func(a tacacstest.Arrival) tacacs.Status {
					if a.Connection == 1 {
						return 0
					}
					return tacacs.StatusSuccess
				}})
				r.sleep(2)
				first.check(nobody)
				r.sleep(2.1)
				checkAll(others, "accepted by of 192.0.2.1")
				if s.Accepted() != 2 || s.Open() != 1 {
					t.Errorf("%d connections, %d are open", s.Accepted(), s.Open())
				}
			})
		})
	}
}

// TestWatchdog: an interim is WATCHDOG, or WATCHDOG with START, as the server wants it.
func TestWatchdog(t *testing.T) {
	for _, withStart := range []bool{false, true} {
		withRig(t, func(r *rig) {
			s := r.host("192.0.2.1", tacacstest.Behavior{})
			m := to("192.0.2.1")
			m.WatchdogStart = withStart
			g := r.group(tacclient.GroupConfig{}, m)
			for i, flags := range []tacacs.AcctFlags{tacacs.AcctFlagStart, tacacs.AcctFlagWatchdog, tacacs.AcctFlagStop} {
				request := newSent(t, i)
				request.flags = flags
				g.Send(request, start)
				r.sleep(float64(i + 1))
				want := flags
				if flags == tacacs.AcctFlagWatchdog && withStart {
					want = 0x0a
				}
				if got := s.Arrivals()[i].Request.Flags; got != want {
					t.Errorf("with start %v: flags %#x, want %#x", withStart, got, want)
				}
			}
		})
	}
}

// TestUnsendable: a request that does not fit into a packet ends at once, and disturbs no other.
func TestUnsendable(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		g := r.group(tacclient.GroupConfig{}, single("192.0.2.1"))
		for round := range 2 {
			long, many := newSent(t, 10), newSent(t, 11)
			long.args, many.args = []string{strings.Repeat("x", 256)}, make([]string, 256)
			g.Send(long, start)
			good := r.send(g, round)
			g.Send(many, start)
			r.sleep(float64(round + 1))
			long.check("tacacs: record does not fit into a packet: tacacs: too long: argument 1 has 256 octets")
			many.check("tacacs: record does not fit into a packet: tacacs: too long: 256 arguments")
			good.check("accepted by of 192.0.2.1")
		}
		if len(s.Arrivals()) != 2 {
			t.Errorf("%d requests came", len(s.Arrivals()))
		}
		r.obeyed(s)
	})
}
