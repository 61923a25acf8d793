package delivery

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/internal/retry"
)

// transmissionTimes returns the times of all transmissions of a schedule, in seconds. A new
// schedule starts each time one is over.
func transmissionTimes(t *testing.T, m *scheduled) (seconds []int) {
	t.Helper()
	for _, s := range m.all() {
		at, err := time.ParseDuration(s[strings.LastIndexByte(s, ' ')+1:])
		if err != nil || at%time.Second != 0 {
			t.Fatalf("transmission not on a full second: %s", s)
		}
		seconds = append(seconds, int(at/time.Second))
	}
	return seconds
}

// s4Times returns the times of S4: 36 transmissions.
func s4Times() []int {
	all := []int{0, 5, 10, 15, 25, 45, 85, 165, 325, 645, 1285, 2565, 5125, 8725, 12325}
	for len(all) < 36 {
		all = append(all, all[len(all)-1]+3600)
	}
	return all
}

func answersNothing(*accounting.Record) bool { return false }

// A method is probed exactly at the times of S4. The probe is the record that found it down or, if
// that session has gone on to the next method, a copy of the newest record of that session.
func TestDeliverSchedule(t *testing.T) {
	for name, next := range map[string][]accounting.MethodName{"alone": nil, "with another method": {accounting.Local}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				m, other := newScheduled(s4, answersNothing), newFake(8, nil)
				b.deliver(setup{Rounds: 1}, accounting.Group("a"), m)
				b.deliver(setup{}, accounting.Local, other)
				b.add("group/a", rec(1, start, next...), rec(1, stop, next...))
				b.advance(time.Duration(s4Times()[35])*time.Second + 5*time.Second)
				if diff := cmp.Diff(s4Times(), transmissionTimes(t, m)); diff != "" {
					t.Errorf("transmissions: want (-) and got (+):\n%s", diff)
				}
				if next != nil {
					b.sent(other, "1 Start 20s", "1 Stop 20s")
				}
				for i, s := range m.all() {
					want := "1 Start "
					if next != nil && i > 3 { // never the start behind the stop
						want = "1 Stop "
					}
					if !strings.HasPrefix(s, want) {
						t.Errorf("sent %s, want %s", s, want)
					}
				}
			})
		})
	}
}

// A record without a next method starts again when its schedule is over, without end: while the
// method answers no record at all, this one is not at fault.
func TestDeliverScheduleRestarts(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newScheduled(retry.Schedule{Timeout: 5 * time.Second, Retransmit: 1, MaxDelay: time.Minute, BackoffRetry: 3}, answersNothing)
		d := b.deliver(setup{Rounds: 1}, accounting.Group("a"), m)
		b.add("group/a", rec(1, start))
		b.advance(3*time.Minute + 30*time.Second)
		want := []int{
			0, 5, 15, 35, 75, // no answer by 80 s
			81, 86, 96, 116, 156, // no answer by 161 s
			163, 168, 178, 198,
		}
		if diff := cmp.Diff(want, transmissionTimes(t, m)); diff != "" {
			t.Errorf("transmissions: want (-) and got (+):\n%s", diff)
		}
		b.advance(6 * time.Hour)
		s := d.Stats()
		if s.Pending != 1 || s.SetAside != 0 || len(setAside(t, b.store)) != 0 || s.DownSince != m.from.Add(10*time.Second) {
			t.Errorf("stats %+v", s)
		}
	})
}

// While a method is down, its servers get one transmission at each time of the schedule, whatever
// the backlog. Each transmission is the record that waits next. A record that was never transmitted
// gets an extra one, at most once a minute. After the first answer, the window opens from one.
func TestDeliverBacklogProbed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		m := newScheduled(s4, func(*accounting.Record) bool { return up.Load() })
		for id := range sessions.ID(100) {
			b.add("group/a", rec(id+1, start), rec(id+1, stop))
		}
		d := b.deliver(setup{}, accounting.Group("a"), m)
		b.advance(9000 * time.Second)
		var times, extras []int
		tried := map[string]bool{}
		all := m.all()
		for i, at := range transmissionTimes(t, m) {
			session := all[i][:strings.IndexByte(all[i], ' ')]
			if slices.Contains(s4Times(), at) {
				times = append(times, at)
				if at > 15 && len(tried) < 100 && tried[session] {
					t.Errorf("%s has its second turn at %d, before the %d others", session, at, 100-len(tried))
				}
				tried[session] = true
				continue
			}
			if n := len(extras); n > 0 && at-extras[n-1] < 60 || tried[session] {
				t.Errorf("extra try of %s at %d, after %v", session, at, extras)
			}
			tried[session] = true
			extras = append(extras, at)
		}
		if diff := cmp.Diff(s4Times()[:14], times); diff != "" {
			t.Errorf("transmissions: want (-) and got (+):\n%s", diff)
		}
		if len(extras) != 90 || len(tried) != 100 {
			t.Errorf("%d extra tries for %d sessions: %v", len(extras), len(tried), extras)
		}
		s := d.Stats()
		if s.NextProbe != m.from.Add(12325*time.Second) || s.DownSince != m.from.Add(20*time.Second) || s.Pending != 200 {
			t.Errorf("stats %+v", s)
		}
		if log := b.log.String(); strings.Count(log, "does not respond") != 1 || !strings.Contains(log, "next=5s") {
			t.Errorf("log:\n%s", log)
		}
		up.Store(true)
		b.advance(12325*time.Second - time.Since(m.from))
		if s := d.Stats(); s.Delivered != 200 || !s.DownSince.IsZero() || !s.NextProbe.IsZero() {
			t.Errorf("stats %+v", s)
		}
	})
}

// After a day without an answer, the window opens from one record and doubles.
func TestDeliverBacklogOpensSlowly(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		var since time.Time // set before up
		m := newScheduled(s4, func(*accounting.Record) bool { return false })
		began := map[int]int{}
		slow := &fakeMethod{window: 16, from: time.Now()}
		slow.answer = func(_ *accounting.Record, done func(error)) {
			began[int(time.Since(since)/time.Second)]++
			time.AfterFunc(time.Second, func() { done(nil) })
		}
		for id := range sessions.ID(40) {
			b.add("group/a", rec(id+1, start))
		}
		b.deliver(setup{}, accounting.Group("a"), methodFunc{16, func(rec *accounting.Record, at retry.Progress, done func(error)) {
			if !up.Load() {
				m.Send(rec, at, done)
				return
			}
			slow.Send(rec, at, done)
		}})
		b.advance(100 * time.Second)
		since = m.from.Add(110 * time.Second) // the next extra try
		up.Store(true)
		b.advance(100 * time.Second)
		want := map[int]int{0: 1, 1: 2, 2: 4, 3: 8, 4: 16, 5: 9}
		if diff := cmp.Diff(want, began); diff != "" {
			t.Errorf("sent in each second: want (-) and got (+):\n%s", diff)
		}
	})
}

// methodFunc is a method that is a function.
type methodFunc struct {
	window int
	send   func(*accounting.Record, retry.Progress, func(error))
}

func (m methodFunc) Window() int { return m.window }

func (m methodFunc) Send(rec *accounting.Record, at retry.Progress, done func(error)) {
	m.send(rec, at, done)
}

// Records with a next method go there as soon as the method is known to be down. The others probe
// it, one at a time. A schedule that is over starts again.
func TestDeliverScheduleOver(t *testing.T) {
	inBubble(t, func(b *bubble) {
		short := retry.Schedule{Timeout: 5 * time.Second, Retransmit: 1, MaxDelay: time.Minute, BackoffRetry: 3}
		m, next := newScheduled(short, answersNothing), newFake(8, nil)
		d := b.deliver(setup{}, accounting.Group("a"), m)
		b.deliver(setup{}, accounting.Local, next)
		b.add("group/a", rec(1, start, accounting.Local), rec(2, start, accounting.Local), rec(3, start))
		b.advance(9 * time.Second)
		b.sent(next)
		b.advance(time.Second)
		b.sent(next, "2 Start 10s", "1 Start 10s")
		b.advance(110 * time.Second)
		b.add("group/a", rec(4, start, accounting.Local), rec(5, start))
		b.advance(0)
		b.sent(next, "2 Start 10s", "1 Start 10s", "4 Start 2m0s")
		b.advance(45 * time.Second)
		want := []string{
			"1 Start 0s", "1 Start 5s", "3 Start 15s", "3 Start 35s", "3 Start 1m15s", // over at 80
			"3 Start 1m21s", "3 Start 1m26s", "3 Start 1m36s", "3 Start 1m56s", "5 Start 2m1s", "3 Start 2m36s", // over at 161
			"5 Start 2m43s",
		}
		if diff := cmp.Diff(want, m.all()); diff != "" {
			t.Errorf("want (-) and got (+):\n%s", diff)
		}
		if s := d.Stats(); s.Elsewhere != 3 || s.Pending != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A server is up but never answers the record that is the probe. Another record finds that it is
// up.
func TestDeliverPoisonedProbe(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newScheduled(s4, func(rec *accounting.Record) bool { return rec.Session != 1 })
		d := b.deliver(setup{}, accounting.Group("a"), m)
		b.add("group/a", rec(1, start))
		b.advance(22 * time.Second)
		b.add("group/a", rec(2, start), rec(3, start))
		b.advance(8 * time.Second)
		b.sent(&m.fakeMethod, "1 Start 0s", "1 Start 5s", "1 Start 10s", "1 Start 15s", "3 Start 25s", "2 Start 25s", "1 Start 25s", "1 Start 30s")
		if s := d.Stats(); s.Delivered != 2 || !s.DownSince.IsZero() {
			t.Errorf("stats %+v", s)
		}
	})
}

// A method that replaces one that is down starts all schedules from the beginning.
func TestDeliverSetMethodInSchedule(t *testing.T) {
	inBubble(t, func(b *bubble) {
		old := newScheduled(s4, answersNothing)
		d := b.deliver(setup{}, accounting.Group("a"), old)
		b.add("group/a", rec(1, start))
		b.advance(0)
		b.add("group/a", rec(2, start), rec(3, start))
		b.advance(1000 * time.Second)
		var at []retry.Progress
		done := map[sessions.ID]func(error){}
		d.SetMethod(methodFunc{8, func(rec *accounting.Record, p retry.Progress, fn func(error)) {
			at = append(at, p)
			done[rec.Session] = fn
		}}, setup{})
		b.advance(0)
		if len(at) != 1 || at[0] != (retry.Progress{}) {
			t.Fatalf("sent at %v", at)
		}
		for id, fn := range done { // while it is in flight, yet another method replaces it
			b.advance(time.Second)
			again := newScheduled(s4, func(*accounting.Record) bool { return true })
			d.SetMethod(again, setup{})
			b.advance(0)
			fn(&retry.Later{After: time.Hour, At: retry.Progress{Transmissions: 9}}) // the result of a method that was replaced
			b.advance(0)
			if got := again.all(); len(got) != 3 || !strings.HasSuffix(got[2], " 0s") || id == 0 {
				t.Errorf("sent %v", got)
			}
		}
		b.pending("group/a", 0)
	})
}

// The result of a probe changes nothing for the record if the method answered another record
// meanwhile.
func TestDeliverProbeTooLate(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var calls []string
		var late, probe func(error)
		var up atomic.Bool
		d := b.deliver(setup{}, accounting.Group("a"), methodFunc{8, func(rec *accounting.Record, at retry.Progress, done func(error)) {
			calls = append(calls, fmt.Sprintf("%d/%d", rec.Session, at.Transmissions))
			switch {
			case up.Load():
				done(nil)
			case rec.Session == 1:
				done(&retry.Later{After: 10 * time.Second, At: retry.Progress{Transmissions: 7}})
			case rec.Session == 9:
				late = done
			case len(calls) == 1: // opens the window
				done(nil)
			default:
				probe = done
			}
		}})
		b.add("group/a", rec(8, start))
		b.advance(0)
		b.add("group/a", rec(9, start), rec(1, start))
		b.advance(time.Second)
		b.add("group/a", rec(2, start))
		b.advance(10 * time.Second)
		if want := []string{"8/0", "9/0", "1/0", "2/7"}; !cmp.Equal(want, calls) {
			t.Fatalf("sent %v", calls)
		}
		up.Store(true)
		late(nil)
		b.advance(0)
		probe(&retry.Later{After: time.Hour, At: retry.Progress{Transmissions: 8}})
		b.advance(0)
		if want := []string{"8/0", "9/0", "1/0", "2/7", "1/0", "2/0"}; !cmp.Equal(want, calls) {
			t.Errorf("sent %v, want %v", calls, want)
		}
		if s := d.Stats(); s.Delivered != 4 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A probe whose method was stopped does not count. The schedule continues a moment later where it
// was.
func TestDeliverProbeStopped(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var calls []string
		from := time.Now()
		d := b.deliver(setup{}, accounting.Group("a"), methodFunc{8, func(rec *accounting.Record, at retry.Progress, done func(error)) {
			calls = append(calls, fmt.Sprintf("%d/%d %v", rec.Session, at.Transmissions, time.Since(from)))
			switch len(calls) {
			case 1:
				done(&retry.Later{After: 10 * time.Second, At: retry.Progress{Transmissions: 4}})
			case 4:
				done(nil)
			default:
				done(accounting.ErrStopped)
			}
		}})
		b.add("group/a", rec(1, start))
		b.advance(time.Second)
		b.add("group/a", rec(2, start))
		b.advance(time.Minute)
		if want := []string{"1/0 0s", "2/4 10s", "2/4 11s", "2/4 12s", "1/0 12s"}; !cmp.Equal(want, calls[:5]) {
			t.Errorf("sent %v, want %v", calls, want)
		}
		if s := d.Stats(); s.Delivered != 1 || s.NoResponse != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A late answer, which no record waits for any more, ends the wait of all records. If the method is
// not down, it changes nothing.
func TestDeliverAnsweredLate(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		m := newScheduled(s4, func(*accounting.Record) bool { return up.Load() })
		d := b.deliver(setup{}, accounting.Group("a"), m)
		b.add("group/a", rec(1, start), rec(2, start))
		b.advance(100 * time.Second) // the next transmission is at 165
		if s := d.Stats(); s.DownSince.IsZero() || s.NextProbe.IsZero() {
			t.Fatalf("not down: %+v", s)
		}
		up.Store(true)
		before := len(m.all())
		d.Answered()
		b.advance(0)
		if diff := cmp.Diff([]int{100, 100}, transmissionTimes(t, m)[before:]); diff != "" {
			t.Errorf("transmissions: want (-) and got (+):\n%s", diff)
		}
		b.pending("group/a", 0)
		d.Answered()
		b.advance(time.Second)
		if s := d.Stats(); !s.DownSince.IsZero() || s.Delivered != 2 {
			t.Errorf("in the end: %+v", s)
		}
	})
}
