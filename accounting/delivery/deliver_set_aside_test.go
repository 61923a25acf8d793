package delivery

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/sessions"

	"aaasess/accounting"
	"aaasess/internal/retry"
)

// A record that is never answered while others are is set aside, with its history. Its session goes
// on, and no other record is delayed.
func TestDeliverSetAside(t *testing.T) {
	for _, rounds := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(rounds), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				delay := time.Duration(0)
				var sent time.Time
				m := newFake(8, func(rec *accounting.Record, done func(error)) {
					if rec.Session == 1 && rec.Type == start {
						neverAnswers(rec, done)
						return
					}
					if rec.Session == 2 {
						delay = max(delay, time.Since(sent))
					}
					done(nil)
				})
				d := b.deliver(setup{Rounds: rounds}, accounting.Group("g"), m)
				b.add("group/g", rec(3, start)) // opens the window
				b.advance(0)
				b.add("group/g", rec(1, start), rec(1, stop))
				for range 150 {
					b.advance(time.Second)
					sent = time.Now()
					b.add("group/g", rec(2, interim))
				}
				b.advance(time.Second)
				want, reason := rounds, ""
				switch rounds {
				case 0: // the default; the first ends at 20 s, waits are 1 2 4 8
					want, reason = 5, "never answered in 1m55s, tried 5 times in 5 rounds, while others were answered"
				case 1:
					reason = "never answered in 20s, tried 1 times in 1 rounds, while others were answered"
				case 3:
					reason = "never answered in 1m3s, tried 3 times in 3 rounds, while others were answered"
				}
				s := d.Stats()
				if s.SetAside != 1 || s.Refused != 0 || s.NoResponse != uint64(want) || s.Pending != 0 || s.Delivered != 152 {
					t.Errorf("stats %+v", s)
				}
				got := setAside(t, b.store)
				if len(got) != 1 || got[0].Reason != reason || string(got[0].Data) != string(accounting.AppendRecord(nil, rec(1, start))) {
					t.Errorf("set aside %+v", got)
				}
				if delay > 0 {
					t.Errorf("others were delayed by %v", delay)
				}
				if log := b.log.String(); strings.Count(log, "never answered and set aside") != 1 || !strings.Contains(log, "session=00000001") {
					t.Errorf("log:\n%s", log)
				}
			})
		})
	}
}

// With back-off, one whole schedule is enough, if other records are answered during it.
func TestDeliverSetAsideBackOff(t *testing.T) {
	inBubble(t, func(b *bubble) {
		short := retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: 5 * time.Minute, BackoffRetry: 8}
		m := newScheduled(short, func(rec *accounting.Record) bool { return rec.Session != 1 })
		d := b.deliver(setup{Rounds: 1}, accounting.Group("g"), m)
		b.add("group/g", rec(1, start), rec(1, stop))
		for range 50 { // now and then a record
			b.advance(33 * time.Second)
			b.add("group/g", rec(2, start))
		}
		b.advance(time.Second)
		if s := d.Stats(); s.SetAside != 1 || s.Delivered != 50 || s.Pending != 1 {
			t.Errorf("stats %+v", s)
		}
		var one []int
		for i, s := range m.all() {
			if strings.HasPrefix(s, "1 Start") {
				one = append(one, transmissionTimes(t, m)[i])
			}
		}
		// Another record is answered at 45 s. Then this one begins its own schedule, since only it
		// is unanswered.
		if want := fmt.Sprint([]int{0, 5, 10, 15, 25, 45, 50, 55, 60, 70, 90, 130, 210, 370, 670, 970, 1270}); fmt.Sprint(one) != want {
			t.Errorf("sent at %v, want %v", one, want)
		}
	})
}

// Records that are set aside in a flood are logged once a second at most, as refusals are.
func TestDeliverSetAsideLog(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(256, func(rec *accounting.Record, done func(error)) {
			if rec.Session > 1000 {
				neverAnswers(rec, done)
				return
			}
			time.AfterFunc(time.Second, func() { done(nil) })
		})
		d := b.deliver(setup{Rounds: 1}, accounting.Group("g"), m)
		for i := range sessions.ID(60) {
			b.add("group/g", rec(i+1, start))
			b.advance(time.Second)
		}
		for i := range sessions.ID(50) {
			b.add("group/g", rec(1001+i, start))
		}
		for i := range sessions.ID(300) {
			b.add("group/g", rec(i+1, start))
			b.advance(time.Second)
		}
		s := d.Stats()
		if n := strings.Count(b.log.String(), "set aside"); s.SetAside != 50 || n < 1 || n > 5 {
			t.Errorf("%d lines, stats %+v", n, s)
		}
	})
}

// A method that is down sets nothing aside, with and without back-off, even if it was up for a
// moment.
func TestDeliverDownSetsNothingAside(t *testing.T) {
	for name, s := range map[string]retry.Schedule{
		"back-off": {Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Minute, BackoffRetry: 5},
		"none":     {Timeout: 5 * time.Second, Retransmit: 3},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var up atomic.Bool
				up.Store(true)
				m := newScheduled(s, func(*accounting.Record) bool { return up.Load() })
				d := b.deliver(setup{Rounds: 1}, accounting.Group("g"), m)
				id := sessions.ID(0)
				add := func(n int) {
					for range n {
						id++
						b.add("group/g", rec(id, start))
					}
				}
				add(50)
				b.advance(time.Minute)
				up.Store(false)
				for range 20 {
					add(10)
					b.advance(20 * time.Minute)
				}
				s := d.Stats()
				if s.Pending != 200 || s.SetAside != 0 || s.DownSince.IsZero() {
					t.Errorf("stats %+v", s)
				}
				up.Store(true)
				b.advance(3 * time.Minute)
				if s := d.Stats(); s.Pending != 0 || s.SetAside != 0 || s.Delivered != 250 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// A path that loses a fifth of all rounds sets nothing aside.
func TestDeliverLossySetsNothingAside(t *testing.T) {
	for seed := range uint64(3) {
		inBubble(t, func(b *bubble) {
			rng := rand.New(rand.NewPCG(seed, 7))
			poisoned := sessions.ID(500)
			m := newFake(64, func(rec *accounting.Record, done func(error)) {
				if rec.Session == poisoned || rng.Float64() < 0.2 {
					neverAnswers(rec, done)
					return
				}
				time.AfterFunc(time.Duration(rng.Int64N(int64(100*time.Millisecond))), func() { done(nil) })
			})
			d := b.deliver(setup{}, accounting.Group("g"), m)
			const total = 6000
			for id := range sessions.ID(total) {
				b.add("group/g", rec(id+1, start))
				if id%20 == 0 {
					b.advance(time.Second)
				}
			}
			b.advance(40 * time.Minute)
			s := d.Stats()
			if s.Delivered != total-1 || s.NoResponse < total/5 {
				t.Errorf("seed %d: stats %+v", seed, s)
			}
			for i := range 6000 { // a record that is never answered is set aside all the same
				if s = d.Stats(); s.SetAside > 0 {
					break
				}
				b.add("group/g", rec(total+sessions.ID(i)+1, start))
				b.advance(time.Second)
			}
			if got := setAside(t, b.store); len(got) != 1 || string(got[0].Data) != string(accounting.AppendRecord(nil, rec(poisoned, start))) {
				t.Errorf("seed %d: set aside %+v", seed, got)
			}
		})
	}
}

// Many losses in a row count as chance only if other records are lost as well.
func TestLossRateExplains(t *testing.T) {
	var l lossRate
	if l.explains(0) || l.explains(1) {
		t.Error("a loss counts as chance although nothing else is lost")
	}
	for i := range 5000 {
		l.add(i % 2)
	}
	// One of three rounds is lost: 18 losses in a row have a probability of 3e-9, 19 of 9e-10.
	if !l.explains(18) || l.explains(19) {
		t.Errorf("%+v: 18 %t, 19 %t", l, l.explains(18), l.explains(19))
	}
	for range 20000 {
		l.add(0)
	}
	if l.explains(5) {
		t.Errorf("what was lost long ago counts: %+v", l)
	}
}

// Refused records and never answered records are counted apart. A refusal counts as an answer of
// the server.
func TestDeliverRefusedNotSetAside(t *testing.T) {
	inBubble(t, func(b *bubble) {
		d := b.deliver(setup{Rounds: 1}, accounting.Group("g"), newFake(8, answering(errors.New("no"))))
		b.add("group/g", rec(1, start))
		b.advance(time.Second)
		if s := d.Stats(); s.Refused != 1 || s.SetAside != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}
