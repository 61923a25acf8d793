package client_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/servers"
)

// TestServerIsShared: the state that one group finds is known to other groups; it is counted once.
func TestServerIsShared(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", silent)
		r.host("192.0.2.2", nil)
		alone := r.group(client.GroupConfig{Name: "alone"}, to("192.0.2.1"))
		both := r.group(client.GroupConfig{Name: "both"}, to("192.0.2.1"), to("192.0.2.2"))
		dying := r.send(alone, 1)
		r.sleep(2)
		dying.check(nobody)
		second := r.send(both, 2)
		r.sleep(2.5)
		second.check("answered by of 192.0.2.2") // at once
		a, b := alone.Stats().Servers[0], both.Stats().Servers[0]
		if a != b || a.State != servers.Dead || a.Requests != 1 || a.Timeouts != 2 || a.DeadCount != 1 {
			t.Errorf("%+v\n%+v", a, b)
		}
	})
}

// TestServerComesBack: a server that answers one group is up for all groups, and they are told.
func TestServerComesBack(t *testing.T) {
	withRig(t, func(r *rig) {
		dead := true
		r.host("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction {
			if dead {
				return radiusnet.Reaction{Answer: radiusnet.Silent}
			}
			return radiusnet.Reaction{}
		})
		var heard, own int
		one := r.group(client.GroupConfig{Name: "one", Heard: func() { own++ }}, to("192.0.2.1"))
		r.group(client.GroupConfig{Name: "other", Heard: func() { heard++ }}, to("192.0.2.1"))
		r.send(one, 1).check("")
		r.sleep(3)
		dead = false
		probe := r.send(one, 2)
		r.sleep(4)
		probe.check("answered by of 192.0.2.1")
		if heard != 1 || own != 0 { // its own group has the answer
			t.Errorf("the other group was told %d times, the group itself %d times", heard, own)
		}
	})
}

// TestReloadKeepsServer: a group that replaces another one keeps the state of their servers, unless
// their Identity differs. A server ends with its last group. Its name keeps the statistics.
func TestReloadKeepsServer(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", silent)
		r.host("192.0.2.2", nil)
		before := r.group(client.GroupConfig{}, to("192.0.2.1"), to("192.0.2.2"))
		r.send(before, 1)
		r.sleep(2.5)

		again, secret := to("192.0.2.1"), to("192.0.2.2")
		again.Schedule.Timeout, secret.Secret = 5*time.Second, "another"
		after, err := r.client.NewGroup(client.GroupConfig{Algorithm: client.RoundRobin, Members: []client.Member{again, secret}})
		if err != nil {
			t.Fatal(err)
		}
		was := before.Stats().Servers
		if err := before.Close(); err != nil {
			t.Error(err)
		}
		got := after.Stats().Servers
		if got[0] != was[0] || got[0].State != servers.Dead {
			t.Errorf("the server that stays: %+v, was %+v", got[0], was[0])
		}
		if got[1].Requests != 1 || was[1].Requests != 1 || got[1].State != servers.Unknown {
			t.Errorf("the server with another secret: %+v, was %+v", got[1], was[1])
		}
		if err := after.Close(); err != nil {
			t.Error(err)
		}
		if open, _ := r.net.Sockets(); open != 0 {
			t.Errorf("%d sockets are open", open)
		}
		anew := r.group(client.GroupConfig{}, to("192.0.2.1"))
		if s := anew.Stats().Servers[0]; s.Requests != was[0].Requests || s.DeadCount != 1 || s.State != servers.Unknown {
			t.Errorf("statistics of a new server: %+v, were %+v", s, was[0])
		}
	})
}

// TestSources: groups that send from different addresses share the server, but not the sockets.
func TestSources(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", nil)
		var sent []*sent
		for i, source := range []string{"198.51.100.7", "198.51.100.8", "198.51.100.7"} {
			g := r.group(client.GroupConfig{Source: netip.MustParseAddr(source)}, to("192.0.2.1"))
			sent = append(sent, r.send(g, i))
			r.sleep(float64(i + 1))
			if n := g.Stats().Servers[0].Requests; n != uint64(i+1) {
				t.Errorf("%d requests in all, want %d", n, i+1)
			}
		}
		for _, s := range sent {
			s.check("answered by of 192.0.2.1")
		}
		from := h.Arrivals()
		if len(from) != 3 || from[0].From.Addr().String() != "198.51.100.7" || from[1].From.Addr().String() != "198.51.100.8" || from[2].From != from[0].From {
			t.Errorf("from %+v", from)
		}
		if _, ever := r.net.Sockets(); ever != 2 {
			t.Errorf("%d sockets, want 2", ever)
		}
	})
}

// TestNeverDead: for a group without a hold-down no server is dead, whatever other groups find; it
// uses up no probe of theirs.
func TestNeverDead(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", silent)
		r.host("192.0.2.2", nil)
		strict := r.group(client.GroupConfig{}, to("192.0.2.1"), to("192.0.2.2"))
		never := r.group(client.GroupConfig{HoldDown: -1}, to("192.0.2.1"), to("192.0.2.2"))
		r.send(strict, 1)
		r.sleep(2.5)
		before := strict.Stats().Servers[0].DownUntil
		s := r.send(never, 2)
		r.sleep(3)
		s.check("")
		r.sleep(5)
		s.check("answered by of 192.0.2.2")
		if n := len(h.Arrivals()); n != 4 {
			t.Errorf("%d requests came, want 2 of each group", n)
		}
		if after := strict.Stats().Servers[0].DownUntil; !after.Equal(before) {
			t.Errorf("the hold-down changed from %v to %v", before, after)
		}
	})
}

// TestWindowsAddUp: each group of a server may have its whole window in flight.
func TestWindowsAddUp(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", silent)
		for i := range 3 {
			g := r.group(client.GroupConfig{MaxInFlight: 256}, to("192.0.2.1"))
			for j := range 256 {
				r.send(g, 256*i+j)
			}
		}
		r.sleep(1.5)
		if n := len(h.Arrivals()); n != 2*3*256 {
			t.Errorf("%d requests came, want two of each", n)
		}
		seen := map[netip.AddrPort]map[byte]bool{}
		for _, a := range h.Arrivals() {
			if seen[a.From] == nil {
				seen[a.From] = map[byte]bool{}
			}
			if seen[a.From][a.Identifier] {
				t.Fatalf("identifier %d from %v was used twice", a.Identifier, a.From)
			}
			seen[a.From][a.Identifier] = true
		}
	})
}

// TestGroupsComeAndGo: groups with the same servers are created, used, abandoned and closed while
// servers move. Each request has one result, and no resources remain.
func TestGroupsComeAndGo(t *testing.T) {
	withRigTimes(t, client.LookupTimes{Every: 300 * time.Millisecond}, func(r *rig) {
		lossy := radiusnet.Link{Delay: 10 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.2, Duplicate: 0.2}
		for _, addr := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
			r.host(addr, nil).SetLink(lossy)
		}
		r.name("r.example", "192.0.2.1")
		var users sync.WaitGroup
		var ends atomic.Int64
		const groups, rounds, requests = 6, 20, 40
		for user := range groups {
			users.Go(func() {
				rng := rand.New(rand.NewPCG(1, uint64(user)))
				for range rounds {
					g, err := r.client.NewGroup(client.GroupConfig{
						HoldDown: time.Duration(rng.IntN(3)-1) * time.Second, Algorithm: client.Algorithm(rng.IntN(3)), BatchSize: 1 + rng.IntN(9), MaxInFlight: 64,
						Members: []client.Member{to("r.example"), to("192.0.2.2"), to("192.0.2.3")},
					})
					if err != nil {
						t.Error(err)
						return
					}
					users.Go(func() { _ = g.Run(context.Background()) })
					var sents []*sent
					for n := range requests {
						sents = append(sents, r.send(g, n))
						time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
					}
					if rng.IntN(3) == 0 {
						g.Abandon()
					}
					if err := g.Close(); err != nil {
						t.Error(err)
					}
					for _, s := range sents {
						<-s.ends
						ends.Add(1)
					}
				}
			})
		}
		for i := range 30 {
			time.Sleep(400 * time.Millisecond)
			r.name("r.example", []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}[i%3])
		}
		users.Wait()
		if n := ends.Load(); n != groups*rounds*requests {
			t.Errorf("%d ends", n)
		}
		if open, _ := r.net.Sockets(); open != 0 {
			t.Errorf("%d sockets are open", open)
		}
	})
}

// TestLongestHoldDown: the longest hold-down of the groups applies.
func TestLongestHoldDown(t *testing.T) {
	withRig(t, func(r *rig) {
		h := r.host("192.0.2.1", silent)
		r.host("192.0.2.2", nil)
		long := r.group(client.GroupConfig{HoldDown: time.Hour}, to("192.0.2.1"), to("192.0.2.2"))
		short := r.group(client.GroupConfig{HoldDown: time.Second}, to("192.0.2.1"))
		r.send(long, 1)
		r.sleep(3)
		until := long.Stats().Servers[0].DownUntil
		r.send(short, 2).check("")
		r.sleep(10)
		if got := long.Stats().Servers[0].DownUntil; !got.Equal(until) {
			t.Errorf("it is held down until %v, was until %v", got, until)
		}
		before := len(h.Arrivals())
		s := r.send(long, 3)
		r.sleep(10.5)
		s.check("answered by of 192.0.2.2")
		if n := len(h.Arrivals()) - before; n != 0 {
			t.Errorf("%d requests came within the hour", n)
		}
	})
}

// TestNothingHeardAfterClose: a closed group is not told about late answers, while other groups use
// the server.
func TestNothingHeardAfterClose(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction { return radiusnet.Reaction{After: 3 * time.Second} })
		var heard, other int
		g := r.group(client.GroupConfig{Heard: func() { heard++ }}, to("192.0.2.1"))
		r.group(client.GroupConfig{Heard: func() { other++ }}, to("192.0.2.1"))
		r.send(g, 1)
		r.sleep(2.5) // given up, the server is dead
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		r.sleep(5)
		if heard != 0 || other != 1 {
			t.Errorf("the closed group was told %d times, the other %d times", heard, other)
		}
	})
}

// TestLeastOutstanding: of two servers, the slow one gets fewer requests, and those of another group
// count too.
func TestLeastOutstanding(t *testing.T) {
	withRig(t, func(r *rig) {
		answerAfter := func(d time.Duration) func([]byte, radiusnet.Arrival) radiusnet.Reaction {
			return func([]byte, radiusnet.Arrival) radiusnet.Reaction { return radiusnet.Reaction{After: d} }
		}
		slow, fast := r.host("192.0.2.1", answerAfter(900*time.Millisecond)), r.host("192.0.2.2", answerAfter(100*time.Millisecond))
		g := r.group(client.GroupConfig{Algorithm: client.LeastOutstanding, BatchSize: 1}, to("192.0.2.1"), to("192.0.2.2"))
		for i := range 500 {
			r.send(g, i)
			r.sleep(float64(i) / 100)
		}
		r.sleep(7)
		if a, b := len(slow.Arrivals()), len(fast.Arrivals()); a+b != 500 || a < 40 || a > 60 {
			t.Errorf("the slow server got %d requests, the fast one %d", a, b)
		}
		before := len(slow.Arrivals())
		other := r.group(client.GroupConfig{}, to("192.0.2.1"))
		for i := range 20 {
			r.send(other, 1000+i)
		}
		for i := range 10 {
			r.send(g, 2000+i)
		}
		r.sleep(9)
		if n := len(slow.Arrivals()) - before; n != 20 {
			t.Errorf("the server of the busy group got %d requests more", n-20)
		}
	})
}
