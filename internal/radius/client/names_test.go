package client_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// addressOf returns the address of a group's server.
func addressOf(g *client.Group, i int) string { return g.Stats().Servers[i].Addr.Addr().String() }

// TestNameAppears: with an unknown name the result is no response; when it is known, requests are
// sent there. Additional addresses, or none, change nothing.
func TestNameAppears(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", nil)
		g := r.group(client.GroupConfig{}, to("r.example"))
		early := r.send(g, 1)
		r.sleep(0.5)
		early.check(nobody)
		r.sleep(3.5) // after 0, 1 and 3 s
		if n := r.lookUps(); n != 3 {
			t.Errorf("%d look-ups", n)
		}
		r.name("r.example", "::ffff:192.0.2.1")
		r.sleep(7.5)
		found := r.send(g, 2)
		r.sleep(8)
		found.check("answered by of r.example")
		for _, addrs := range [][]string{{"192.0.2.9", "192.0.2.1"}, {}} {
			r.name("r.example", addrs...)
			asked := r.lookUps()
			for r.lookUps() < asked+2 {
				r.sleep(float64(600 * r.lookUps()))
			}
			if got := addressOf(g, 0); got != "192.0.2.1" {
				t.Errorf("with %q it is %s", addrs, got)
			}
		}
		if n := strings.Count(r.log.String(), "cannot be resolved"); n != 2 {
			t.Errorf("%d log lines about failed resolutions, want 2", n)
		}
		if n := strings.Count(r.log.String(), "RADIUS server name resolved"); n != 1 {
			t.Errorf("%d log lines about the resolved address, want 1", n)
		}
	})
}

// TestServerMoves: requests in flight are sent to the new address at once, and the server starts
// with a clean state there. The counters stay.
func TestServerMoves(t *testing.T) {
	withRig(t, func(r *rig) {
		old := r.host("192.0.2.1", silent)
		r.host("192.0.2.2", nil)
		r.name("r.example", "192.0.2.1")
		g := r.group(client.GroupConfig{}, to("r.example"))
		dead := r.send(g, 1)
		r.sleep(299)
		dead.check(nobody)
		r.name("r.example", "192.0.2.2")
		r.sleep(299.5)
		moving := r.send(g, 2)
		r.sleep(299.9)
		moving.check("")
		r.sleep(300.1) // half way between its transmissions
		moving.check("answered by of r.example")
		s := g.Stats().Servers[0]
		if s.State != servers.Up || s.DeadCount != 1 || s.Requests != 3 || s.PendingRequests != 0 || s.Successes != 1 || len(old.Arrivals()) != 3 {
			t.Errorf("%+v, %d requests came to the old address", s, len(old.Arrivals()))
		}
		if open, _ := r.net.Sockets(); open != 1 {
			t.Errorf("%d sockets are open, want 1", open)
		}
	})
}

// TestDeadServerMoves: at its new address the server is not dead.
func TestDeadServerMoves(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", silent)
		r.host("192.0.2.2", silent)
		r.name("r.example", "192.0.2.1")
		g := r.group(client.GroupConfig{}, to("r.example"))
		r.send(g, 1)
		r.sleep(3)
		if s := g.Stats().Servers[0]; s.State != servers.Dead {
			t.Errorf("it is %s", s.State)
		}
		r.name("r.example", "192.0.2.2")
		r.sleep(301)
		if s := g.Stats().Servers[0]; s.State == servers.Dead || s.DeadCount != 1 {
			t.Errorf("after its move it is %s", s.State)
		}
	})
}

// TestSomeNames: servers with known addresses work while others have none. Two names with one
// address are one server.
func TestSomeNames(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", silent)
		r.host("192.0.2.3", nil)
		r.name("b.example", "192.0.2.1")
		r.name("c.example", "192.0.2.1")
		g := r.group(client.GroupConfig{}, to("a.example"), to("b.example"), to("c.example"), to("192.0.2.3"))
		s := r.send(g, 1)
		r.sleep(2.5)
		s.check("answered by of 192.0.2.3")
		if n := len(h.Arrivals()); n != 2 {
			t.Errorf("%d requests came to the address with two names", n)
		}
		if n := strings.Count(r.log.String(), "RADIUS server is not used, it has the address of another one"); n != 1 {
			t.Errorf("%d log lines about the shared address, want 1", n)
		}
		again := r.group(client.GroupConfig{}, to("192.0.2.3"), to("d.example")) // another name with the address of the first
		r.name("d.example", "192.0.2.3")
		r.sleep(4)
		if s := again.Stats().Servers[1]; s.Addr.Addr().String() != "192.0.2.3" || strings.Count(r.log.String(), "RADIUS server is not used, it has the address of another one") != 2 {
			t.Errorf("the second pair: %v", s.Addr)
		}
		r.host("192.0.2.4", nil)
		r.name("a.example", "192.0.2.4")
		r.sleep(15)
		s = r.send(g, 2)
		r.sleep(16)
		s.check("answered by of a.example")
	})
}

// TestFirstLookUp: requests and announcements wait for the first resolution instead of failing.
func TestFirstLookUp(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", nil)
		r.silent = true
		g := r.group(client.GroupConfig{}, to("r.example"))
		waiting := r.send(g, 1)
		announced := &sent{r: r, number: 2, ends: make(chan string, 1)}
		g.Announce(announced)
		r.sleep(4.9)
		waiting.check("")
		announced.check("")
		r.sleep(5.1) // a resolution has 5 s
		waiting.check(nobody)
		announced.check(nobody)
	})
}

// TestLookUpEnds: a resolution without an answer does not delay Close.
func TestLookUpEnds(t *testing.T) {
	withRig(t, func(r *rig) {
		r.silent = true
		g := r.group(client.GroupConfig{}, to("r.example"))
		waiting := r.send(g, 1)
		r.sleep(1)
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		r.sleep(1)
		waiting.check(client.ErrStopped.Error())
	})
}

// TestFamilies: a group uses those addresses of a name that it can reach from its local address.
func TestFamilies(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", nil)
		r.host("2001:db8::1", nil)
		r.name("r.example", "2001:db8::1", "192.0.2.1")
		var got []string
		for _, source := range []string{"198.51.100.7", "2001:db8::7"} {
			g := r.group(client.GroupConfig{Source: netip.MustParseAddr(source)}, to("r.example"))
			s := r.send(g, 1)
			r.sleep(1)
			s.check("answered by of r.example")
			got = append(got, addressOf(g, 0))
		}
		if !slices.Equal(got, []string{"192.0.2.1", "2001:db8::1"}) {
			t.Errorf("addresses %q", got)
		}
	})
}

// TestReloadLooksUp: a group that starts has names resolved at once, and waits for the result if no
// address is known.
func TestReloadLooksUp(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", nil)
		r.host("192.0.2.2", nil)
		r.group(client.GroupConfig{}, to("r.example"))
		for i, addr := range []string{"192.0.2.1", "192.0.2.2"} { // unknown first, then known
			r.sleep(100*float64(i) + 100)
			r.name("r.example", addr)
			g := r.group(client.GroupConfig{}, to("r.example"))
			r.sleep(100*float64(i) + 100.1)
			s := r.send(g, i)
			r.sleep(100*float64(i) + 100.2)
			s.check("answered by of r.example")
			if got := addressOf(g, 0); got != addr {
				t.Errorf("it went to %s, want %s", got, addr)
			}
		}
	})
}

// TestMovesOntoAnother: a server gets the address of another one of the group. A request that is
// with it continues with others.
func TestMovesOntoAnother(t *testing.T) {
	withRigTimes(t, client.LookupTimes{Every: 900 * time.Millisecond}, func(r *rig) { // never at the time of a transmission
		r.host("192.0.2.1", silent)
		h := r.host("192.0.2.2", silent)
		r.host("192.0.2.3", nil)
		r.name("a.example", "192.0.2.2")
		r.name("b.example", "192.0.2.1")
		g := r.group(client.GroupConfig{}, to("a.example"), to("b.example"), to("192.0.2.3"))
		s := r.send(g, 1)
		r.sleep(2.5) // with b by now
		r.name("b.example", "192.0.2.2")
		r.sleep(2.8)
		s.check("answered by of 192.0.2.3")
		if n := len(h.Arrivals()); n != 2 {
			t.Errorf("%d requests came to the address of both, want those to a", n)
		}
		if p := g.Stats().Servers[1].PendingRequests; p != 0 {
			t.Errorf("%d pending", p)
		}
	})
}

// TestBackoffBeginsAnew: a request waits for its back-off while its server's address changes. It
// gets all of its transmissions there.
func TestBackoffBeginsAnew(t *testing.T) {
	withRigTimes(t, client.LookupTimes{Every: time.Second}, func(r *rig) {
		r.host("192.0.2.1", silent)
		h := r.host("192.0.2.2", silent)
		r.name("r.example", "192.0.2.1")
		member := to("r.example")
		member.Schedule = retry.Schedule{Timeout: time.Second, Retransmit: 3, BackoffRetry: 1, MaxDelay: 10 * time.Second}
		g := r.group(client.GroupConfig{}, member)
		first := r.send(g, 1)
		r.sleep(4.5)
		var later *retry.Later
		if !errors.As(first.err, &later) {
			t.Fatal(first.err)
		}
		r.name("r.example", "192.0.2.2")
		r.sleep(8)
		g.Send(&sent{r: r, number: 1, ends: make(chan string, 1)}, later.At)
		r.sleep(12.5)
		if n := len(h.Arrivals()); n != 4 {
			t.Errorf("%d requests came to the new address, want 4", n)
		}
	})
}
