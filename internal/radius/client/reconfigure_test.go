package client_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius/client"
)

// reconfigure changes the settings of a group that runs.
func (r *rig) reconfigure(g *client.Group, cfg client.GroupConfig, members ...client.Member) {
	r.Helper()
	cfg.Members = members
	apply, err := g.Reconfigure(cfg)
	if err != nil || apply == nil {
		r.Fatalf("it needs a new group: %v", err)
	}
	apply()
}

// TestReconfigure: requests in flight continue with the new schedule from their next transmission
// on, and nothing is sent twice.
func TestReconfigure(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", silent)
		g := r.group(client.GroupConfig{}, to("192.0.2.1"))
		s := r.send(g, 1)
		r.sleep(0.5)
		slow := to("192.0.2.1")
		slow.Schedule.Timeout, slow.Schedule.Retransmit = 10*time.Second, 2
		r.reconfigure(g, client.GroupConfig{MaxInFlight: 3}, slow)
		r.sleep(20.5)
		s.check("")
		r.sleep(21.5)
		s.check(nobody)
		var at []int
		for _, a := range h.Arrivals() {
			at = append(at, int(a.At.Sub(r.began).Seconds()))
		}
		if want := []int{0, 1, 11}; !slices.Equal(at, want) {
			t.Errorf("sent at %v, want %v", at, want)
		}
		if g.Window() != 3 {
			t.Errorf("the window is %d", g.Window())
		}
	})
}

// TestReconfigureWindow: the window grows and shrinks while requests are in flight.
func TestReconfigureWindow(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", silent)
		g := r.group(client.GroupConfig{MaxInFlight: 1}, to("192.0.2.1"))
		one, two := r.send(g, 1), r.send(g, 2)
		r.sleep(0.1)
		two.check(client.ErrOverflow.Error())
		r.reconfigure(g, client.GroupConfig{MaxInFlight: 1000}, to("192.0.2.1"))
		var more []*sent
		for i := range 999 {
			more = append(more, r.send(g, 10+i))
		}
		r.sleep(0.2)
		for _, s := range more {
			s.check("")
		}
		r.reconfigure(g, client.GroupConfig{MaxInFlight: 1}, to("192.0.2.1"))
		over := r.send(g, 3)
		r.sleep(3)
		over.check(client.ErrOverflow.Error())
		one.check(nobody)
		for _, s := range more {
			s.check(nobody)
		}
	})
}

// TestReconfigureRules: the algorithm and the dead criteria count from the change on.
func TestReconfigureRules(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", silent)
		h := r.host("192.0.2.2", nil)
		members := []client.Member{to("192.0.2.1"), to("192.0.2.2")}
		g := r.group(client.GroupConfig{HoldDown: -1}, members...)
		s := r.send(g, 1)
		r.sleep(2.5)
		s.check("answered by of 192.0.2.2")
		r.reconfigure(g, client.GroupConfig{HoldDown: time.Hour}, members...)
		s = r.send(g, 2) // it makes the first server dead
		r.sleep(5)
		s.check("answered by of 192.0.2.2")
		s = r.send(g, 3)
		r.sleep(5.5)
		s.check("answered by of 192.0.2.2")
		if !strings.Contains(r.log.String(), "held_down=1h") {
			t.Errorf("log:\n%s", r.log)
		}
		r.reconfigure(g, client.GroupConfig{HoldDown: -1, Algorithm: client.RoundRobin}, members...)
		before := len(h.Arrivals())
		for i := range 4 {
			r.send(g, 10+i)
		}
		r.sleep(5.9)
		if n := len(h.Arrivals()) - before; n != 2 {
			t.Errorf("%d of 4 requests began with the second server", n)
		}
	})
}

// TestReconfigureNeedsNewGroup: which changes a group that runs cannot make.
func TestReconfigureNeedsNewGroup(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", nil)
		g := r.group(client.GroupConfig{Name: "g"}, to("192.0.2.1"), to("192.0.2.2"))
		for name, change := range map[string]func(*client.GroupConfig){
			"its name":       func(c *client.GroupConfig) { c.Name = "h" },
			"its source":     func(c *client.GroupConfig) { c.Source = netip.MustParseAddr("192.0.2.9") },
			"a server less":  func(c *client.GroupConfig) { c.Members = c.Members[:1] },
			"another order":  func(c *client.GroupConfig) { slices.Reverse(c.Members) },
			"another port":   func(c *client.GroupConfig) { c.Members[0].Port++ },
			"another host":   func(c *client.GroupConfig) { c.Members[0].Host = "192.0.2.3" },
			"another secret": func(c *client.GroupConfig) { c.Members[0].Secret = "t" },
		} {
			cfg := client.GroupConfig{Name: "g", Members: []client.Member{to("192.0.2.1"), to("192.0.2.2")}}
			change(&cfg)
			if apply, err := g.Reconfigure(cfg); apply != nil || err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		cfg := client.GroupConfig{Name: "g", MaxInFlight: -1, Members: []client.Member{to("192.0.2.1"), to("192.0.2.2")}}
		if apply, err := g.Reconfigure(cfg); apply != nil || err == nil {
			t.Errorf("a wrong window: %v", err)
		}
	})
}

// TestReconfigureLooksUp: a change of the settings has names looked up at once. After the end of
// the group it starts nothing.
func TestReconfigureLooksUp(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", nil)
		r.name("r.example", "192.0.2.1")
		g := r.group(client.GroupConfig{}, to("r.example"))
		r.sleep(10)
		before := r.lookUps()
		r.reconfigure(g, client.GroupConfig{}, to("r.example"))
		r.sleep(11)
		if n := r.lookUps(); n != before+1 {
			t.Errorf("%d look-ups, want %d", n, before+1)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		r.reconfigure(g, client.GroupConfig{}, to("r.example"))
		r.sleep(12)
		if n := r.lookUps(); n != before+1 {
			t.Errorf("%d look-ups after the end", n)
		}
	})
}
