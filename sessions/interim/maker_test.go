package interim

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// always returns a policy with one period for all sessions and a minimum of a minute.
func always(period time.Duration) Policy {
	return Policy{Minimum: time.Minute, Period: func(*sessions.Session) time.Duration { return period }}
}

// bubble is a table with a Maker, on the clock of a synctest bubble.
type bubble struct {
	t       *testing.T
	table   *sessions.Table
	journal *sessionstest.Journal
	maker   *Maker
	begun   int // sessions
	end     func()
}

// inBubble runs a test with a Maker that runs.
func inBubble(t *testing.T, p Policy, test func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, journal: sessionstest.NewJournal()}
		defer b.journal.Close()
		b.table = sessions.New(sessions.Config{}, b.journal)
		b.run(p)
		defer func() { b.end() }()
		test(b)
	})
}

// run runs a new Maker until b.end.
func (b *bubble) run(p Policy) {
	b.maker = New(b.table, p)
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error)
	go func() { ended <- b.maker.Run(ctx) }()
	b.end = func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	}
}

// restart ends the Maker and runs another one for a table that is loaded from the journal.
func (b *bubble) restart(p Policy) {
	b.t.Helper()
	b.end()
	synctest.Wait()
	b.table = sessions.New(sessions.Config{}, b.journal)
	if err := b.table.Load(b.journal.Load); err != nil {
		b.t.Fatal(err)
	}
	b.run(p)
}

// begin begins n sessions.
func (b *bubble) begin(n int) {
	b.t.Helper()
	for range n {
		b.begun++
		b.send(sessions.Start, b.begun)
	}
	synctest.Wait()
}

// send sends an event of a session.
func (b *bubble) send(typ sessions.EventType, number int) {
	b.t.Helper()
	sid := fmt.Sprint(number)
	attrs := radius.AppendAttribute(radius.AppendUint32(nil, radius.AcctStatusType, uint32(typ)), radius.AcctSessionID, sid)
	err := b.table.Apply(sessions.Event{
		Type: typ, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(),
		Usage: sessions.Usage{SessionTime: 1}, Sent: sessions.SessionTime, Attrs: radius.Attributes(attrs),
	}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
}

// interims returns the times of the interims since a moment, of all sessions and by session.
func (b *bubble) interims(since time.Time) (all []time.Time, bySession map[sessions.ID][]time.Time) {
	synctest.Wait()
	bySession = map[sessions.ID][]time.Time{}
	for _, n := range b.journal.Notices() {
		if n.Type == sessions.Interim && !n.At.Before(since) {
			all = append(all, n.At)
			bySession[n.Session.ID] = append(bySession[n.Session.ID], n.At)
		}
	}
	return all, bySession
}

// perSecond counts moments by whole seconds since a moment.
func perSecond(all []time.Time, since time.Time, seconds int) []int {
	counts := make([]int, seconds)
	for _, at := range all {
		if i := int(at.Sub(since) / time.Second); i >= 0 && i < seconds {
			counts[i]++
		}
	}
	return counts
}

// late is how much later than its moment an interim may be made on the clock of a bubble.
const late = 2 * tick

// TestLevel: a hundred thousand sessions that began at the same moment have interims at a level
// rate, and each exactly once in a period.
func TestLevel(t *testing.T) {
	const period = 10 * time.Minute
	for name, of := range map[string]struct {
		sessions int
		has      func(sessions.ID) bool // whether a session has interims
	}{
		"all":            {100_000, func(sessions.ID) bool { return true }},
		"every third id": {30_000, func(id sessions.ID) bool { return id%3 == 0 }},
		"the first half": {30_000, func(id sessions.ID) bool { return id <= 15_000 }},
	} {
		t.Run(name, func(t *testing.T) {
			p := always(0)
			p.Period = func(s *sessions.Session) time.Duration {
				if of.has(s.ID) {
					return period
				}
				return 0
			}
			inBubble(t, p, func(b *bubble) { b.checkLevel(of.sessions, period, of.has) })
		})
	}
}

func (b *bubble) checkLevel(n int, period time.Duration, has func(sessions.ID) bool) {
	start := time.Now()
	b.begin(n)
	time.Sleep(3*period + late)
	all, bySession := b.interims(start)
	due := 0
	for id := range sessions.ID(n + 1) {
		got := bySession[id]
		if id == 0 || !has(id) {
			if len(got) > 0 {
				b.t.Fatalf("session %d has %d interims", id, len(got))
			}
			continue
		}
		due++
		if len(got) < 2 || len(got) > 3 {
			b.t.Fatalf("session %d has %d interims in three periods", id, len(got))
		}
		if first := got[0].Sub(start); first < period/2 || first > period*3/2+late {
			b.t.Fatalf("the first interim of session %d comes after %v", id, first)
		}
		for i, at := range got[1:] {
			if d := at.Sub(got[i]); d < period-late || d > period+late {
				b.t.Fatalf("%v are between two interims of session %d", d, id)
			}
		}
	}
	rate := float64(due) / period.Seconds()
	level := start.Add(period / 2)
	for second, count := range perSecond(all, level, int(2*period/time.Second)) {
		if float64(count) < 0.8*rate || float64(count) > 1.2*rate {
			b.t.Errorf("%d interims in second %d, want %.1f", count, second, rate)
		}
	}
	if made := b.maker.Records(); made != uint64(len(all)) {
		b.t.Errorf("%d are counted, %d were made", made, len(all))
	}
}

// TestPolicyChanges: after a reload with another period, and after a restart, there is no burst, and
// no session has two interims within a minute.
func TestPolicyChanges(t *testing.T) {
	const n, period, shorter = 12_000, 10 * time.Minute, 2 * time.Minute
	for name, change := range map[string]func(*bubble){
		"reload":                     func(b *bubble) { b.maker.SetPolicy(always(shorter)) },
		"restart":                    func(b *bubble) { b.restart(always(shorter)) },
		"restart with other periods": func(b *bubble) { b.restart(always(shorter + time.Second)) },
		"reloads in a row": func(b *bubble) {
			b.maker.SetPolicy(always(period))
			time.Sleep(time.Second)
			b.maker.SetPolicy(always(shorter))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, always(period), func(b *bubble) {
				start := time.Now()
				b.begin(n)
				time.Sleep(2*period + 140*time.Second) // both periods have moments of some sessions just now
				changed := time.Now()
				change(b)
				time.Sleep(4 * shorter)
				all, bySession := b.interims(start)
				for id, got := range bySession {
					for i, at := range got[1:] {
						if d := at.Sub(got[i]); d < time.Minute {
							b.t.Fatalf("%v are between two interims of session %d", d, id)
						}
					}
				}
				after := 0
				for second, count := range perSecond(all, changed, int(4*shorter/time.Second)) {
					after += count
					if most := 1.2 * n / shorter.Seconds(); float64(count) > most {
						b.t.Errorf("%d interims in second %d, at most %v are level", count, second, most)
					}
				}
				if after < 3*n {
					b.t.Errorf("%d interims after the change", after)
				}
			})
		})
	}
}

// TestRestartKeepsPhase: after a restart with the same policy, interims are a period apart, or two.
func TestRestartKeepsPhase(t *testing.T) {
	const n, period = 1000, 10 * time.Minute
	inBubble(t, always(period), func(b *bubble) {
		start := time.Now()
		b.begin(n)
		for range 4 {
			time.Sleep(7*time.Minute + 13*time.Second)
			b.restart(always(period))
		}
		time.Sleep(2 * period)
		_, bySession := b.interims(start)
		if len(bySession) != n {
			b.t.Errorf("%d sessions have interims", len(bySession))
		}
		for id, got := range bySession {
			for i, at := range got[1:] {
				if d := at.Sub(got[i]).Round(time.Second) % period; d != 0 {
					b.t.Fatalf("session %d: %v is no multiple of the period", id, at.Sub(got[i]))
				}
			}
		}
	})
}

// TestNoneOfNAS: once a NAS has sent an interim for a session, none is made for it. After the stop
// there is none either.
func TestNoneOfNAS(t *testing.T) {
	const n, period = 100, 10 * time.Minute
	inBubble(t, always(period), func(b *bubble) {
		b.begin(n)
		time.Sleep(4 * period)
		for i := range n / 2 {
			b.send([]sessions.EventType{sessions.Interim, sessions.Stop}[i%2], i+1)
		}
		heard := time.Now().Add(time.Second)
		time.Sleep(2 * period)
		_, bySession := b.interims(heard)
		for id := range sessions.ID(n) {
			if got := len(bySession[id+1]); (got > 0) != (id >= n/2) {
				b.t.Errorf("session %d has %d interims", id+1, got)
			}
		}
	})
}

// TestRefused: while the journal accepts nothing or is slow, no interims are made, and afterwards
// there is no burst.
func TestRefused(t *testing.T) {
	const n, period = 6000, 10 * time.Minute
	for name, stall := range map[string]func(*sessionstest.Journal, bool){
		"refuses": func(j *sessionstest.Journal, on bool) {
			if on {
				j.Refuse(errors.New("full"))
			} else {
				j.Refuse(nil)
			}
		},
		"is slow": (*sessionstest.Journal).Hold,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, always(period), func(b *bubble) {
				b.begin(n)
				time.Sleep(2 * period)
				synctest.Wait()
				stall(b.journal, true)
				before := b.maker.Records()
				time.Sleep(3 * time.Minute)
				if made := b.maker.Records() - before; made > 0 {
					b.t.Errorf("%d interims are counted", made)
				}
				stall(b.journal, false)
				resumed := time.Now()
				time.Sleep(time.Minute)
				all, _ := b.interims(resumed)
				rate := n / period.Seconds()
				if most := int(rate * (60 + 12)); len(all) > most || len(all) < int(rate*30) {
					b.t.Errorf("%d interims in the next minute, at most %d", len(all), most)
				}
			})
		})
	}
}

// TestMinimumIsKept: with the shortest period no interim is left out, unless a slow disk has delayed
// the one before it. No two are less than the minimum apart.
func TestMinimumIsKept(t *testing.T) {
	const n, period = 600, time.Minute
	for name, slow := range map[string]time.Duration{"fast disk": 0, "slow disk": 7 * time.Second} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, always(period), func(b *bubble) {
				start := time.Now()
				b.begin(n)
				for range 40 {
					b.journal.Hold(slow > 0)
					time.Sleep(slow)
					b.journal.Hold(false)
					time.Sleep(17*time.Second - slow) // another phase in each period
				}
				all, bySession := b.interims(start)
				for id, got := range bySession {
					for i, at := range got[1:] {
						d := at.Sub(got[i]).Round(time.Second)
						if d < period || slow == 0 && d != period {
							t.Fatalf("%v are between two interims of session %d", d, id)
						}
					}
				}
				if len(all) < 4*n {
					t.Errorf("%d interims in eleven periods", len(all))
				}
			})
		})
	}
}

// TestPhase: the next moment is within one period, at the same phase whenever it is asked for.
func TestPhase(t *testing.T) {
	for _, period := range []time.Duration{1, time.Second, 10 * time.Minute, 71582 * time.Minute} {
		for _, id := range []sessions.ID{1, 2, 1 << 31, 1<<32 - 1} {
			from := sessions.Stamp(1_700_000_000_123_456_789)
			at := nextDue(id, period, from)
			if at < from || at >= from.Add(period) {
				t.Errorf("session %s, period %v: due %v later", id, period, at.Sub(from))
			}
			if again := nextDue(id, period, at.Add(1)); again != at.Add(period) || nextDue(id, period, at) != at {
				t.Errorf("session %s, period %v: then %v later", id, period, again.Sub(at))
			}
		}
	}
	if at := nextDue(7, time.Hour, -5); at < -5 {
		t.Errorf("before 1970: %v", at)
	}
}
