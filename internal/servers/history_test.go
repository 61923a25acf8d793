package servers

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// told collects the changes that are told.
type told struct {
	mu  sync.Mutex // that of the client
	all []Change
}

func (c *told) of(hs *Histories) []Change {
	hs.Tell(&c.mu, func(change Change) {
		c.mu.Lock() // it is free
		defer c.mu.Unlock()
		c.all = append(c.all, change)
	})
	return c.all
}

// TestLifetime: a server is dead while a port that groups use is dead; while they use none, its state stays.
// Each change is told once, in order,
// and agrees with the history. The histories of its ports add up over servers of the same name.
func TestLifetime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := at(0)
		hs, changes := NewHistories(RADIUS), told{}
		h := hs.Of("a", now)
		states := make([]Health, 4) // of two servers of the same name, each with two ports
		paths := make([]int, len(states))
		for i := range states {
			states[i] = NewHealth(now)
		}
		dead, total, previous, since := false, time.Duration(0), time.Duration(0), now
		var deaths, portDeaths uint64
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			step := time.Duration(rapid.IntRange(0, 9).Draw(t, "seconds")) * time.Second
			if now = now.Add(step); dead {
				total += step
			}
			i := rapid.IntRange(0, len(states)-1).Draw(t, "port")
			s := &states[i]
			switch rapid.SampledFrom([]string{"use", "unuse", "fail", "answer", "move"}).Draw(t, "event") {
			case "use":
				paths[i]++
				h.AddPort(Use(i%2), s, now)
			case "unuse":
				if paths[i] > 0 {
					paths[i]--
					h.RemovePort(s, now)
				}
			case "fail":
				if paths[i] > 0 && s.Failed(now.Add(1), now, true, byDefault) {
					portDeaths++
				}
			case "answer":
				s.Answered(now)
			case "move":
				s.Moved(now)
			}
			h.Update(now)
			isDead := dead && slices.Max(paths) == 0
			for i := range states {
				isDead = isDead || paths[i] > 0 && states[i].Dead()
			}
			if isDead != dead {
				previous, since, dead = now.Sub(since), now, isDead
				if dead {
					deaths++
				}
				want := Change{RADIUS, "a", Lifetime{Dead: dead, Since: since, Previous: previous, TotalDead: total, Deaths: deaths}}
				if all := changes.of(hs); len(all) == 0 || all[len(all)-1] != want {
					t.Fatalf("told %+v, want %+v", all, want)
				}
			}
			all := changes.of(hs)
			r := hs.Records(now)[0]
			if want := (Lifetime{dead, since, previous, total, deaths}); r.State != want || hs.Changes() != uint64(len(all)) {
				t.Fatalf("%+v, want %+v; %d changes told", r.State, want, len(all))
			}
			for i, c := range all {
				if c.Dead != (i%2 == 0) {
					t.Fatalf("changes do not alternate: %+v", all)
				}
			}
		}
		for i := range states {
			for ; paths[i] > 0; paths[i]-- {
				h.RemovePort(&states[i], now)
			}
		}
		if r := hs.Records(now)[0]; r.Accounting.DeadCount+r.Authentication.DeadCount != portDeaths {
			t.Fatalf("the ports have died %d and %d times, want %d", r.Accounting.DeadCount, r.Authentication.DeadCount, portDeaths)
		}
	})
}

// TestTellInOrder: changes that come while others are told are told by the same goroutine, after them.
func TestTellInOrder(t *testing.T) {
	hs, now := NewHistories(TACACS), at(0)
	h := hs.Of("a", now)
	state := NewHealth(now)
	h.AddPort(ForAccounting, &state, now)
	state.Failed(now.Add(1), now, true, byDefault)
	h.Update(now)
	var got []string
	var mu sync.Mutex
	hs.Tell(&mu, func(c Change) {
		got = append(got, fmt.Sprintf("%v %s dead=%v", c.Protocol, c.Name, c.Dead))
		if len(got) == 1 {
			mu.Lock()
			state.Answered(now)
			h.Update(now)
			mu.Unlock()
			if hs.Untold() {
				t.Error("another goroutine is asked to tell")
			}
			hs.Tell(&mu, func(Change) { t.Error("told within a call") })
		}
	})
	if want := []string{"tacacs a dead=true", "tacacs a dead=false"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRestoreHistory: what continues of a server that was dead when the last process ended.
func TestRestoreHistory(t *testing.T) {
	hs, changes := NewHistories(RADIUS), told{}
	old := Record{
		Name:  "a",
		State: Lifetime{Dead: true, Since: at(-10), Previous: 5 * time.Second, TotalDead: 13 * time.Second, Deaths: 2},
		Accounting: Stats{
			CountedSince: at(-50), Requests: 7, PendingRequests: 3, LastResponse: at(-11), DownUntil: at(9), State: Dead, StateSince: at(-10), PreviousState: 5 * time.Second,
			TotalDeadTime: 13 * time.Second, DeadCount: 2, StatusServer: StatusServer{4, 3, 1},
		},
	}
	hs.Restore([]Record{old}, at(0))
	want := Change{RADIUS, "a", Lifetime{Since: at(0), Previous: 10 * time.Second, TotalDead: 13 * time.Second, Deaths: 2}}
	if all := changes.of(hs); len(all) != 1 || all[0] != want {
		t.Errorf("told %+v", all)
	}
	h, state := hs.Of("a", at(0)), NewHealth(at(0))
	h.AddPort(ForAccounting, &state, at(0))
	got := h.Report(ForAccounting, &state, at(20))
	acct := old.Accounting
	acct.Name, acct.State, acct.PendingRequests, acct.LastResponse, acct.DownUntil = "a", Unknown, 0, time.Time{}, time.Time{}
	acct.StateSince, acct.PreviousState, acct.Server = at(0), 10*time.Second, want.Lifetime
	if got != acct {
		t.Errorf("%+v\nwant %+v", got, acct)
	}
	if r := hs.Records(at(20)); len(r) != 1 || r[0].State != want.Lifetime || r[0].Accounting != acct {
		t.Errorf("%+v", r)
	}
}

// TestEnd: a port of a group that ends with the process keeps its state.
func TestEnd(t *testing.T) {
	hs, changes, state := NewHistories(RADIUS), told{}, NewHealth(at(0))
	h := hs.Of("a", at(0))
	h.AddPort(ForAccounting, &state, at(0))
	state.Refused(at(5), DeathRule{HoldDown: time.Minute})
	h.Update(at(5))
	hs.End()
	h.RemovePort(&state, at(7))
	r := hs.Records(at(9))[0]
	if want := (Lifetime{Dead: true, Since: at(5), Previous: 5 * time.Second, TotalDead: 4 * time.Second, Deaths: 1}); r.State != want {
		t.Errorf("%+v, want %+v", r.State, want)
	}
	if r.Accounting.State != Dead || r.Accounting.DeadCount != 1 {
		t.Errorf("the port: %+v", r.Accounting)
	}
	if all := changes.of(hs); len(all) != 1 {
		t.Errorf("told %+v", all)
	}
}

// TestForget: a name is forgotten once it is not configured and no group has it.
func TestForget(t *testing.T) {
	hs, state := NewHistories(RADIUS), NewHealth(at(0))
	names := func() (all []string) {
		for _, r := range hs.Records(at(9)) {
			all = append(all, r.Name)
		}
		return all
	}
	check := func(when string, want ...string) {
		t.Helper()
		if got := names(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	h := hs.Of("a", at(0))
	h.AddPort(ForAccounting, &state, at(0))
	h.RemovePort(&state, at(1))
	check("before the names are known", "a")
	hs.SetNames([]string{"b", "a"}, at(2))
	check("a server of no group", "a", "b")
	h.AddPort(ForAccounting, &state, at(3))
	h.AddPort(ForAccounting, &state, at(3))
	hs.SetNames([]string{"b"}, at(4))
	h.RemovePort(&state, at(5))
	check("one that a group has", "a", "b")
	h.RemovePort(&state, at(5))
	check("one that no group has", "b")
	if n := hs.Of("a", at(6)).Stats(ForAccounting); n.CountedSince != at(6) {
		t.Errorf("one that comes back counts since %v", n.CountedSince)
	}
}
