package client_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

func TestGroupConfig(t *testing.T) {
	server := tacclient.Identity{Host: "192.0.2.1", Key: testKey}
	member := func(change func(m *tacclient.Member)) tacclient.GroupConfig {
		m := tacclient.Member{Identity: server}
		change(&m)
		return tacclient.GroupConfig{Name: "isp", Members: []tacclient.Member{m}}
	}
	for _, tt := range []struct {
		name string
		cfg  tacclient.GroupConfig
		want string
	}{
		{"no server", tacclient.GroupConfig{}, "has 0 servers"},
		{"too many servers", tacclient.GroupConfig{Members: make([]tacclient.Member, 65)}, "has 65 servers"},
		{"no address", member(func(m *tacclient.Member) { m.Host = "" }), "server 1: no address"},
		{"no key", member(func(m *tacclient.Member) { m.Key = "" }), "192.0.2.1:49: no key"},
		{"connections", member(func(m *tacclient.Member) { m.Connections = 257 }), "connections is 257"},
		{"negative connections", member(func(m *tacclient.Member) { m.Connections = -1 }), "connections is -1"},
		{"timeout", member(func(m *tacclient.Member) { m.Schedule.Timeout = -1 }), "timeout"},
		{"retransmit", member(func(m *tacclient.Member) { m.Schedule.Retransmit = -1 }), "retransmit -1 is negative"},
		{"back-off", member(func(m *tacclient.Member) { m.Schedule.BackoffRetry = -1 }), "backoff-retry -1"},
		{"max-delay", member(func(m *tacclient.Member) { m.Schedule.MaxDelay = -1 }), "max-delay"},
		{"transmissions", member(func(m *tacclient.Member) { m.Schedule.BackoffRetry = 1 << 16 }), "exceed the limit"},
		{"twice", tacclient.GroupConfig{Members: []tacclient.Member{{Identity: server}, {Identity: tacclient.Identity{Host: "::ffff:192.0.2.1", Port: 49, Key: "x"}}}}, "configured twice"},
		{"source", tacclient.GroupConfig{Source: netip.MustParseAddr("2001:db8::1"), Members: []tacclient.Member{{Identity: server}}}, "different address families"},
		{"window", tacclient.GroupConfig{MaxInFlight: 1 << 17, Members: []tacclient.Member{{Identity: server}}}, "max-in-flight is 131072"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tacclient.New(tacclient.Config{}).NewGroup(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestBeforeRun: requests wait until Run begins; a group that never runs can be closed.
func TestBeforeRun(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", tacacstest.Behavior{})
		cfg := tacclient.GroupConfig{Members: []tacclient.Member{to("192.0.2.1")}}
		g, err := r.client.NewGroup(cfg)
		if err != nil {
			t.Fatal(err)
		}
		waits := r.send(g, 1)
		r.sleep(10)
		waits.check("")
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() {
			if err := g.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		r.sleep(11)
		waits.check("accepted by of 192.0.2.1")
		stop()
		running.Wait()
		if g.Run(ctx) == nil {
			t.Error("a group runs twice")
		}
		late := r.send(g, 2)
		r.sleep(12)
		late.check("tacacs: group was closed")
		never, err := r.client.NewGroup(cfg)
		if err != nil {
			t.Fatal(err)
		}
		waits = r.send(never, 3)
		if err := never.Close(); err != nil {
			t.Error(err)
		}
		waits.check("tacacs: group was closed")
	})
}

// TestWindow: no more than MaxInFlight requests are in flight; announcements do not count.
func TestWindow(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{Delay: 500 * time.Millisecond})
		g := r.group(tacclient.GroupConfig{MaxInFlight: 3}, to("192.0.2.1"))
		all := r.sendAll(g, 3)
		extra, announced := r.send(g, 3), newSent(t, 4)
		g.Announce(announced)
		r.sleep(0.1)
		extra.check("tacacs: too many requests in flight")
		r.sleep(2)
		checkAll(append(all, announced), "accepted by of 192.0.2.1")
		if g.Window() != 3 || len(s.Arrivals()) != 4 {
			t.Errorf("window %d, %d requests", g.Window(), len(s.Arrivals()))
		}
	})
}

// TestAnnounce: an announcement goes to each server in order, dead or not, until one accepts it;
// AnnounceTo goes to one server. Abandon leaves them.
func TestAnnounce(t *testing.T) {
	withRig(t, func(r *rig) {
		first := r.host("192.0.2.1", tacacstest.Behavior{Silent: true})
		second := r.host("192.0.2.2", tacacstest.Behavior{})
		g := r.group(tacclient.GroupConfig{}, to("192.0.2.1"), to("192.0.2.2"))
		r.send(g, 1)
		r.sleep(2) // the first is dead
		on, record := newSent(t, 2), newSent(t, 3)
		g.Announce(on)
		g.Send(record, start)
		g.Abandon()
		r.sleep(2.5)
		on.check("")
		record.check("tacacs: group was closed")
		r.sleep(3.5)
		on.check("accepted by of 192.0.2.2")
		if n := len(first.Arrivals()); n != 2 {
			t.Errorf("%d requests came to the first server", n)
		}
		before := len(second.Arrivals())
		only := newSent(t, 4)
		g.AnnounceTo(0, only)
		r.sleep(5)
		only.check(nobody)
		if n := len(second.Arrivals()); n != before {
			t.Error("the other server was told too")
		}
	})
}

// TestSharedServer: groups share servers with their state; a server that comes back for one group
// is heard by the others. What one group does to its requests does not disturb those of others.
func TestSharedServer(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		s.Stop()
		heard, own := 0, 0
		one := r.group(tacclient.GroupConfig{Heard: func() { own++ }}, single("192.0.2.1"))
		two := r.group(tacclient.GroupConfig{Heard: func() { heard++ }}, single("192.0.2.1"))
		r.send(one, 1)
		r.sleep(1)
		if a, b := one.Stats().Servers[0], two.Stats().Servers[0]; a != b || a.DeadCount != 1 {
			t.Errorf("%+v\n%+v", a, b)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		r.send(one, 2)
		r.sleep(2)
		if heard != 1 || own != 0 {
			t.Errorf("the other group heard %d times, the group itself %d times", heard, own)
		}
		s.Set(tacacstest.Behavior{Delay: 500 * time.Millisecond})
		a, b := r.send(one, 3), r.send(two, 4)
		r.sleep(2.1)
		one.Abandon()
		r.sleep(3)
		a.check("tacacs: group was closed")
		b.check("accepted by of 192.0.2.1")
		if s.Open() != 1 || s.Accepted() != 1 {
			t.Errorf("%d connections, %d are open", s.Accepted(), s.Open())
		}
	})
}

// TestReconfigure: schedules, window, connections and modes change while the group runs. Other
// servers need a new group, which keeps the state of those that stay.
func TestReconfigure(t *testing.T) {
	withRig(t, func(r *rig) {
		s := r.host("192.0.2.1", tacacstest.Behavior{})
		m := single("192.0.2.1")
		m.Connections = 4
		g := r.group(tacclient.GroupConfig{MaxInFlight: 500}, m)
		r.send(g, 0)
		r.sleep(0.1)
		s.Set(tacacstest.Behavior{Delay: 200 * time.Millisecond})
		all := r.sendAll(g, 200)
		r.sleep(1)
		more := r.sendAll(g, 200)
		checkAll(all, "accepted by of 192.0.2.1")

		change := to("192.0.2.1")
		change.Connections = 2
		apply, err := g.Reconfigure(tacclient.GroupConfig{MaxInFlight: 7, Members: []tacclient.Member{change}})
		if err != nil || apply == nil {
			t.Fatal(apply == nil, err)
		}
		r.sleep(1.1)
		apply()
		r.sleep(2)
		checkAll(more, "accepted by of 192.0.2.1") // those in flight are not disturbed
		if s.Open() != 0 || g.Window() != 7 {
			t.Errorf("%d connections are open, window %d", s.Open(), g.Window())
		}
		before := s.Accepted()
		all = r.sendAll(g, 5)
		r.sleep(2.1)
		if n := s.Open(); n != 2 {
			t.Errorf("%d connections are open, want 2", n)
		}
		r.sleep(4)
		checkAll(all, "accepted by of 192.0.2.1")
		if n := s.Accepted() - before; n != 5 {
			t.Errorf("%d connections for 5 requests", n)
		}
		for name, cfg := range map[string]tacclient.GroupConfig{
			"name": {Name: "x", Members: []tacclient.Member{change}}, "server": {Members: []tacclient.Member{to("192.0.2.2")}},
			"source": {Source: netip.MustParseAddr("192.0.2.9"), Members: []tacclient.Member{change}},
		} {
			if apply, err := g.Reconfigure(cfg); apply != nil || err != nil {
				t.Errorf("%s: %v, %v", name, apply != nil, err)
			}
		}
		if _, err := g.Reconfigure(tacclient.GroupConfig{}); err == nil {
			t.Error("a wrong configuration is applied")
		}
		r.obeyed(s)
	})
}

// TestGroupsComeAndGo: groups with the same servers are created, used, abandoned, reconfigured and
// closed while servers fail in all ways, are killed and restarted. Each request has exactly one end.
// What was accepted is at a server. Nothing is left: the bubble fails if a goroutine is.
func TestGroupsComeAndGo(t *testing.T) {
	withRig(t, func(r *rig) {
		hosts := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}
		var all []*tacacstest.Server
		for _, h := range hosts {
			all = append(all, r.host(h, tacacstest.Behavior{}))
		}
		var accepted sync.Map // number of a request -> the server
		var ends, successes atomic.Int64
		var users sync.WaitGroup
		const groups, rounds, requests = 5, 12, 60
		for user := range groups {
			users.Go(func() {
				rng := rand.New(rand.NewPCG(7, uint64(user)))
				for round := range rounds {
					var members []tacclient.Member
					for _, h := range hosts {
						m := to(h)
						m.SingleConnection, m.Connections = rng.IntN(3) > 0, 1+rng.IntN(3)
						m.Schedule.Retransmit = rng.IntN(2)
						members = append(members, m)
					}
					g, err := r.client.NewGroup(tacclient.GroupConfig{HoldDown: time.Duration(rng.IntN(3)-1) * time.Second, MaxInFlight: 64, Members: members})
					if err != nil {
						t.Error(err)
						return
					}
					users.Go(func() { _ = g.Run(context.Background()) })
					var sents []*sent
					for n := range requests {
						sents = append(sents, r.send(g, (user*rounds+round)*requests+n))
						time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
					}
					if rng.IntN(3) == 0 {
						g.Abandon()
					}
					time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
					if err := g.Close(); err != nil {
						t.Error(err)
					}
					for _, s := range sents {
						if end := <-s.ends; strings.HasPrefix(end, "accepted by of ") {
							accepted.Store(s.number, strings.TrimPrefix(end, "accepted by of "))
							successes.Add(1)
						}
						ends.Add(1)
					}
				}
			})
		}
		var chaos sync.WaitGroup
		stop := make(chan struct{})
		chaos.Go(func() { torment(all, stop) })
		users.Wait()
		close(stop)
		chaos.Wait()
		synctest.Wait()
		if n := ends.Load(); n != groups*rounds*requests || successes.Load() < n/10 {
			t.Errorf("%d ends, %d successes", n, successes.Load())
		}
		t.Logf("%d of %d requests were accepted", successes.Load(), ends.Load())
		at := map[string]map[string]int{}
		for i, h := range hosts {
			at[h] = tasks(all[i])
			if n := all[i].Open(); n != 0 {
				t.Errorf("%d connections to %s are open", n, h)
			}
		}
		r.obeyed(all...)
		accepted.Range(func(number, server any) bool {
			if at[server.(string)][sessionOf(number.(int))] == 0 {
				t.Errorf("request %v is not at %v", number, server)
				return false
			}
			return true
		})
	})
}

// torment changes what servers do every now and then, until stop is closed.
func torment(all []*tacacstest.Server, stop <-chan struct{}) {
	rng := rand.New(rand.NewPCG(8, 8))
	behaviors := []tacacstest.Behavior{
		{},
		{},
		{CloseAfter: 1},
		{CloseAfter: 3},
		{OneSession: true},
		{Delay: 100 * time.Millisecond},
		{Delay: 3 * time.Second},
		{Silent: true},
		{Cut: 14},
		{Garbage: []byte("garbage garbage")},
		{OtherSession: true},
		{Key: wrongKey},
		{Status: 2},
		{Status: 0x21},
		{Batch: 3},
		{Unencrypted: true},
	}
	for {
		s := all[rng.IntN(len(all))]
		switch rng.IntN(4) {
		case 0:
			s.Stop()
			time.Sleep(time.Duration(rng.IntN(300)) * time.Millisecond)
			_ = s.Start()
		default:
			s.Set(behaviors[rng.IntN(len(behaviors))])
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rng.IntN(400)) * time.Millisecond):
		}
	}
}

func sessionOf(number int) string { return (&sent{number: number}).Session() }
