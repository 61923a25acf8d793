package client_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/servers"
)

// TestStatisticsStay: the counters of a name stay when anything else of its server changes, and when no
// group has it for a while.
func TestStatisticsStay(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(m *client.Member)
		pause  bool // the old group ends before the new one begins
	}{
		{"another secret", func(m *client.Member) { m.Secret = "other" }, false},
		{"another port", func(m *client.Member) { m.Port++ }, false},
		{"another host", func(m *client.Member) { m.Host = "192.0.2.2" }, false},
		{"another port for authentication", func(m *client.Member) { m.AuthPort = 1812 }, false},
		{"no group for a while", func(*client.Member) {}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withRig(t, func(r *rig) {
				r.host("192.0.2.1", nil)
				r.client.SetNames([]string{"of 192.0.2.1"})
				first, second := to("192.0.2.1"), to("192.0.2.1")
				tc.change(&second)
				r.sleep(1)
				old := r.group(client.GroupConfig{}, first)
				r.send(old, 1)
				r.sleep(2)
				was := old.Stats().Servers[0]
				if tc.pause {
					_ = old.Close() // never fails
				}
				next := r.group(client.GroupConfig{}, second)
				_ = old.Close()
				r.sleep(3)
				got := next.Stats().Servers[0]
				if was.Successes != 1 || !was.CountedSince.Equal(r.began) || counted(&got) != counted(&was) || !got.CountedSince.Equal(r.began) || got.StateSince != was.StateSince {
					t.Errorf("%+v\nwas %+v", got, was)
				}
				r.client.SetNames(nil)
				_ = next.Close()
				if all := r.client.Statistics().Records; len(all) != 0 {
					t.Errorf("not forgotten: %+v", all)
				}
				again := r.group(client.GroupConfig{}, first)
				if got := again.Stats().Servers[0]; counted(&got) != "" || got.CountedSince.Equal(r.began) {
					t.Errorf("a name that was forgotten has %+v", got)
				}
			})
		})
	}
}

// TestRestore: a client continues the statistics of another one.
func TestRestore(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", nil)
		before := servers.Statistics{InvalidAuthAddresses: 3, InvalidAcctAddresses: 4, Records: []servers.Record{
			{Name: "of 192.0.2.1", Accounting: servers.Stats{CountedSince: r.began.Add(-time.Hour), Requests: 5, Successes: 5}},
		}}
		r.client.Restore(before)
		g := r.group(client.GroupConfig{}, to("192.0.2.1"))
		r.send(g, 1)
		r.sleep(1)
		all := r.client.Statistics()
		if s := all.Records[0].Accounting; s.Requests != 6 || s.Successes != 6 || s != g.Stats().Servers[0] || s.Discontinuity(time.Now()) != time.Hour+time.Second {
			t.Errorf("%+v", s)
		}
		if all.InvalidAuthAddresses != 3 || all.InvalidAcctAddresses != 4 {
			t.Errorf("%+v", all)
		}
	})
}

// TestChanged: whatever servers and groups do, each change of a server's state is told once, in order,
// and it agrees with the states of its ports.
func TestChanged(t *testing.T) {
	deaths := uint64(0)
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) { deaths += playChanges(t, seed) })
	}
	if deaths < 50 {
		t.Errorf("servers died %d times in all: the test shows little", deaths)
	}
}

// playChanges plays a random history, and returns how often servers died in it.
func playChanges(t *testing.T, seed uint64) (deaths uint64) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := &rig{T: t, net: radiusnet.New(1), began: time.Now(), log: &lines{}}
	var mu sync.Mutex
	told := map[string][]servers.Change{}
	r.client = client.New(client.Config{Dial: client.OverUDP(r.net.Listen), Changed: func(c servers.Change) {
		r.client.Statistics() // takes the client's mutex
		mu.Lock()
		defer mu.Unlock()
		told[c.Name] = append(told[c.Name], c)
	}})
	silentNow := map[string]bool{}
	for i := range 2 {
		host := fmt.Sprintf("192.0.2.%d", i+1)
		for port, add := range map[string]func(string, func([]byte, radiusnet.Arrival) radiusnet.Reaction) *radiusnet.Host{"auth": r.authHost, "acct": r.host} {
			add(host, func([]byte, radiusnet.Arrival) radiusnet.Reaction {
				mu.Lock()
				defer mu.Unlock()
				if silentNow[port+host] {
					return radiusnet.Reaction{Answer: radiusnet.Silent}
				}
				return radiusnet.Reaction{}
			})
		}
	}
	begin := func(purpose client.Purpose) *client.Group {
		a, b := both("192.0.2.1"), both("192.0.2.2")
		if rnd.IntN(2) == 0 {
			b.Secret = "s"
			a.Port = 1813 + uint16(rnd.IntN(2)) // another server of this name, where nobody answers
		}
		return r.group(client.GroupConfig{Purpose: purpose, HoldDown: time.Duration(rnd.IntN(5)) * time.Second}, a, b)
	}
	groups := map[client.Purpose]*client.Group{client.Accounting: begin(client.Accounting), client.Authentication: begin(client.Authentication)}
	for step := range 60 {
		purpose := client.Purpose(rnd.IntN(2))
		switch rnd.IntN(6) {
		case 0:
			old := groups[purpose]
			groups[purpose] = begin(purpose)
			_ = old.Close() // never fails
		case 1, 2:
			mu.Lock()
			silentNow[fmt.Sprintf("%s192.0.2.%d", []string{"auth", "acct"}[rnd.IntN(2)], 1+rnd.IntN(2))] = rnd.IntN(3) > 0
			mu.Unlock()
		default:
			if purpose == client.Accounting {
				r.send(groups[purpose], step)
			} else {
				r.login(groups[purpose], step)
			}
		}
		time.Sleep(time.Duration(rnd.IntN(4000)) * time.Millisecond)
		synctest.Wait()
		mu.Lock()
		now := maps.Clone(told)
		mu.Unlock()
		deaths = r.checkChanges(seed, groups, now)
	}
	if n := uint64(len(told["of 192.0.2.1"]) + len(told["of 192.0.2.2"])); r.client.StateChanges() != n {
		t.Errorf("seed %d: %d state changes, %d told", seed, r.client.StateChanges(), n)
	}
	return deaths
}

// checkChanges checks the changes that were told. It returns how often servers died.
func (r *rig) checkChanges(seed uint64, groups map[client.Purpose]*client.Group, told map[string][]servers.Change) (deaths uint64) {
	r.Helper()
	dead := map[string]bool{}
	for _, g := range groups {
		for _, s := range g.Stats().Servers {
			dead[s.Name] = dead[s.Name] || s.State == servers.Dead
		}
	}
	now := time.Now()
	for _, rec := range r.client.Statistics().Records {
		changes, state := told[rec.Name], rec.State
		deaths += state.Deaths
		if state.Dead != dead[rec.Name] {
			r.Fatalf("seed %d at %v: %s is dead: %v; its ports: %v", seed, now.Sub(r.began), rec.Name, state.Dead, dead[rec.Name])
		}
		for i, c := range changes {
			if c.Dead != (i%2 == 0) || c.Protocol != servers.RADIUS {
				r.Fatalf("seed %d: changes do not alternate: %+v", seed, changes)
			}
		}
		if len(changes) == 0 {
			if state.Deaths != 0 || state.Dead {
				r.Fatalf("seed %d: nothing told of %+v", seed, state)
			}
			continue
		}
		last := changes[len(changes)-1].Lifetime
		if last.Dead {
			last.TotalDead += now.Sub(last.Since)
		}
		if last != state {
			r.Fatalf("seed %d: the last change is %+v, the state %+v", seed, last, state)
		}
	}
	return deaths
}

// TestChangedByAddress: nothing is known of a dead server at its new address, so it is not dead any more.
func TestChangedByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		r := &rig{T: t, net: radiusnet.New(1), began: time.Now(), log: &lines{}, addrs: map[string][]netip.Addr{}}
		r.client = client.New(client.Config{Dial: client.OverUDP(r.net.Listen), Lookup: r.lookup, LookupTimes: client.LookupTimes{Every: 10 * time.Second}, Changed: func(c servers.Change) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprintf("%v dead=%v after %v", time.Since(r.began), c.Dead, c.Previous))
		}})
		r.host("192.0.2.1", silent)
		r.name("r.example", "192.0.2.1")
		r.send(r.group(client.GroupConfig{}, to("r.example")), 1)
		r.sleep(5)
		r.name("r.example", "192.0.2.2")
		r.sleep(15)
		if want := []string{"2s dead=true after 2s", "10s dead=false after 8s"}; !slices.Equal(told, want) {
			t.Errorf("%q, want %q", told, want)
		}
	})
}
