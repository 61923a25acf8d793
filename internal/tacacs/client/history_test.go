package client_test

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/servers"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

// TestStatisticsStay: the counters of a name stay when anything else of its server changes, when no group
// has it for a while, and over a restart.
func TestStatisticsStay(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(m *tacclient.Member)
		pause  bool // the old group ends before the new one begins
	}{
		{"another key", func(m *tacclient.Member) { m.Key = wrongKey }, false},
		{"another port", func(m *tacclient.Member) { m.Port = 50 }, false},
		{"another host", func(m *tacclient.Member) { m.Host = "192.0.2.2" }, false},
		{"no group for a while", func(*tacclient.Member) {}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withRig(t, func(r *rig) {
				r.host("192.0.2.1", tacacstest.Behavior{})
				r.client.SetNames([]string{"of 192.0.2.1"})
				first, second := to("192.0.2.1"), to("192.0.2.1")
				tc.change(&second)
				r.sleep(1)
				old := r.group(tacclient.GroupConfig{}, first)
				r.send(old, 1)
				r.sleep(2)
				was := old.Stats().Servers[0]
				if tc.pause {
					_ = old.Close() // never fails
				}
				next := r.group(tacclient.GroupConfig{}, second)
				_ = old.Close()
				got := next.Stats().Servers[0]
				if was.Successes != 1 || got.Successes != 1 || got.Requests != 1 || got.Opened != 1 || !got.CountedSince.Equal(r.began) {
					t.Errorf("%+v\nwas %+v", got, was)
				}
				all := r.client.Statistics()
				again := tacclient.New(tacclient.Config{})
				again.Restore(all)
				if st := again.Statistics(); len(st.Records) != 1 || st.Records[0].Accounting.Successes != 1 || !st.Records[0].Accounting.CountedSince.Equal(r.began) {
					t.Errorf("another process has %+v", st)
				}
				r.client.SetNames(nil)
				_ = next.Close()
				if all := r.client.Statistics().Records; len(all) != 0 {
					t.Errorf("not forgotten: %+v", all)
				}
			})
		})
	}
}

// TestChanged: whatever servers do, each change of a server's state is told once, at once and in order,
// and it agrees with its statistics.
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
	r := &rig{T: t, net: tacacstest.Network{}, began: time.Now(), log: &lines{}}
	var mu sync.Mutex
	told := map[string][]servers.Change{}
	r.client = tacclient.New(tacclient.Config{Dial: r.net.Dial, Logger: slog.New(slog.NewTextHandler(r.log, nil)), Changed: func(c servers.Change) {
		r.client.Statistics() // takes the client's mutex
		mu.Lock()
		defer mu.Unlock()
		told[c.Name] = append(told[c.Name], c)
	}})
	behaviors := []tacacstest.Behavior{{}, {}, {}, {Silent: true}, {Status: tacacs.StatusError}, {Key: wrongKey}, {OneSession: true}, {Cut: 5}}
	hosts := []*tacacstest.Server{r.host("192.0.2.1", behaviors[0]), r.host("192.0.2.2", behaviors[0])}
	begin := func() *tacclient.Group {
		a, b := to("192.0.2.1"), single("192.0.2.2")
		if rnd.IntN(3) == 0 {
			a.Key = wrongKey
		}
		return r.group(tacclient.GroupConfig{HoldDown: time.Duration(1+rnd.IntN(4)) * time.Second}, a, b)
	}
	g := begin()
	for step := range 60 {
		switch rnd.IntN(6) {
		case 0:
			old := g
			g = begin()
			_ = old.Close() // never fails
		case 1, 2:
			hosts[rnd.IntN(2)].Set(behaviors[rnd.IntN(len(behaviors))])
		default:
			r.send(g, step)
		}
		time.Sleep(time.Duration(rnd.IntN(3000)) * time.Millisecond)
		synctest.Wait()
		mu.Lock()
		now := maps.Clone(told)
		mu.Unlock()
		deaths = r.checkChanges(fmt.Sprintf("seed %d, step %d", seed, step), g, now)
	}
	if n := uint64(len(told["of 192.0.2.1"]) + len(told["of 192.0.2.2"])); r.client.StateChanges() != n {
		t.Errorf("seed %d: %d state changes, %d told", seed, r.client.StateChanges(), n)
	}
	return deaths
}

// checkChanges checks the changes that were told. It returns how often servers died.
func (r *rig) checkChanges(when string, g *tacclient.Group, told map[string][]servers.Change) (deaths uint64) {
	r.Helper()
	now := time.Now()
	all := r.client.Statistics()
	for _, s := range g.Stats().Servers {
		state, changes := all.Of(s.Name).State, told[s.Name]
		deaths += state.Deaths
		if state.Dead != (s.State == servers.Dead) {
			r.Fatalf("%s: %+v, but the server is %v", when, state, s.State)
		}
		for i, c := range changes {
			if c.Dead != (i%2 == 0) || c.Protocol != servers.TACACS {
				r.Fatalf("%s: changes do not alternate: %+v", when, changes)
			}
		}
		last := servers.Lifetime{Since: r.began}
		if len(changes) > 0 {
			last = changes[len(changes)-1].Lifetime
		}
		if last.Dead {
			last.TotalDead += now.Sub(last.Since)
		}
		if last != state {
			r.Fatalf("%s: the last change is %+v, the state %+v", when, last, state)
		}
	}
	return deaths
}
