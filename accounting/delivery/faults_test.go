package delivery

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/retry"
	"aaasess/sessions"
)

// faultyServer is a method with one server, which answers, is silent, or ignores single sessions.
type faultyServer struct {
	mu       sync.Mutex
	window   int
	up       bool
	ignores  map[sessions.ID]bool
	schedule *retry.Schedule // nil: no back-off
	timeout  time.Duration
	sent     []transmission
}

type transmission struct {
	id  sessions.ID
	typ sessions.EventType
	at  time.Time
	got bool
}

func newFaulty(up bool) *faultyServer {
	return &faultyServer{window: 8, up: up, ignores: map[sessions.ID]bool{}, timeout: 5 * time.Second}
}

func (s *faultyServer) Window() int { return s.window }

func (s *faultyServer) Send(rec *accounting.Record, at retry.Progress, done func(error)) {
	s.mu.Lock()
	ok := s.up && !s.ignores[rec.Session]
	s.sent = append(s.sent, transmission{rec.Session, rec.Type, time.Now(), ok})
	s.mu.Unlock()
	if ok {
		time.AfterFunc(time.Millisecond, func() { done(nil) })
		return
	}
	n := int(at.Transmissions)
	err := error(accounting.ErrNoResponse)
	if s.schedule != nil && n+1 < s.schedule.Transmissions() {
		err = &retry.Later{After: s.schedule.Interval(n) - s.timeout, At: retry.Progress{Transmissions: uint16(n + 1)}}
	}
	time.AfterFunc(s.timeout, func() { done(err) })
}

func (s *faultyServer) set(up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = up
}

func (s *faultyServer) ignore(id sessions.ID, is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ignores[id] = is
}

// got returns the sessions of the records that arrived, in order.
func (s *faultyServer) got() (ids []sessions.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sent {
		if x.got {
			ids = append(ids, x.id)
		}
	}
	return ids
}

func (s *faultyServer) tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

var methodX, methodY, methodZ = accounting.Group("x"), accounting.Group("y"), accounting.Group("z")

// The first method is down for a minute while the second is held because its Accounting-On is not
// answered. When the first is up again, it gets its records, whatever the second does.
func TestFaultFirstComesBackWhileSecondIsHeld(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := newFaulty(true), newFaulty(false)
		d := b.deliver(setup{}, methodX, x)
		b.member(setup{}, methodY, y).SetHold(Held)
		for id := range sessions.ID(20) {
			b.add(methodX.Queue(), rec(id+1, start, methodY))
			b.advance(time.Second)
		}
		x.set(false)
		for id := range sessions.ID(20) {
			b.add(methodX.Queue(), rec(id+101, start, methodY))
			b.advance(10 * time.Second)
		}
		x.set(true)
		for id := range sessions.ID(20) {
			b.add(methodX.Queue(), rec(id+201, start, methodY))
			b.advance(time.Minute)
		}
		b.advance(24 * time.Hour)
		if n := len(x.got()); n < 60 {
			t.Errorf("a day after the first method came back it has %d of 60 records; stats %+v", n, d.Stats())
		}
	})
}

// The first method loses a record once while the second is held. The record must not wait as long
// as the second is held, since the first answers.
func TestFaultLossyFirstSecondHeld(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x := newFaulty(true)
		d := b.deliver(setup{}, methodX, x)
		b.member(setup{}, methodY, newFaulty(false)).SetHold(Held)
		x.ignore(7, true)
		for id := range sessions.ID(20) {
			b.add(methodX.Queue(), rec(id+1, start, methodY))
			b.advance(time.Second)
		}
		x.ignore(7, false)
		b.advance(24 * time.Hour)
		if n := len(x.got()); n < 20 {
			t.Errorf("after a day the first method has %d of 20 records; stats %+v", n, d.Stats())
		}
	})
}

// Records for a method that is down reach the Waiting limit. Records behind them whose other method
// answers must still go there.
func TestFaultBacklogInFrontOfFailover(t *testing.T) {
	inBubble(t, func(b *bubble) {
		y := newFaulty(true)
		b.deliver(setup{Loaded: 16, Waiting: 64}, methodX, newFaulty(false))
		b.deliver(setup{}, methodY, y)
		for id := range sessions.ID(200) {
			b.add(methodX.Queue(), rec(id+1, start)) // of a list that has X only
		}
		for id := range sessions.ID(10) {
			b.add(methodX.Queue(), rec(id+1001, start, methodY))
		}
		b.advance(6 * time.Hour)
		if n := len(y.got()); n < 10 {
			t.Errorf("after 6 h the second method has %d of 10 records", n)
		}
	})
}

// A record is in its own back-off with a method that answers others. When another method becomes
// available, the record must not wait for up to an hour.
func TestFaultOwnBackOffEndsWithAnotherMethod(t *testing.T) {
	for name, change := range map[string]func(b *bubble, d, e *member, y *faultyServer){
		"the second is opened":  func(_ *bubble, _, e *member, _ *faultyServer) { e.SetHold(Open) },
		"the second is new":     func(b *bubble, _, _ *member, y *faultyServer) { b.member(setup{}, methodZ, y) },
		"the first is removed":  func(_ *bubble, d, e *member, _ *faultyServer) { d.RemoveMethod(methodX); e.SetHold(Open) },
		"the first is put away": func(_ *bubble, d, e *member, _ *faultyServer) { e.SetHold(Open); d.SetHold(Away) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := newFaulty(true), newFaulty(true)
				x.schedule = &s4
				d := b.deliver(setup{}, methodX, x)
				e := b.member(setup{}, methodY, y)
				e.SetHold(Away)
				x.ignore(7, true)
				b.add(methodX.Queue(), rec(7, start, methodY, methodZ))
				for id := range sessions.ID(180) { // X answers others
					b.add(methodX.Queue(), rec(id+101, start, methodY, methodZ))
					b.advance(20 * time.Second)
				}
				if len(y.got()) > 0 {
					t.Fatal("too early")
				}
				change(b, d, e, y)
				b.advance(10 * time.Minute)
				if len(y.got()) == 0 {
					t.Errorf("record still waits, 10 min after another method takes records; its tries: %d", x.tries())
				}
			})
		})
	}
}

// A method is removed and added again while its servers are down. They answered nothing since, so
// the record is not set aside.
func TestFaultRemovedAndBack(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x := newFaulty(true)
		d := b.deliver(setup{Rounds: 1}, methodX, x)
		for id := range sessions.ID(10) {
			b.add(methodX.Queue(), rec(id+1, start))
		}
		b.advance(time.Second)
		x.set(false)
		b.add(methodX.Queue(), rec(100, start))
		b.advance(10 * time.Second)
		d.RemoveMethod(methodX)
		b.advance(time.Second)
		d.SetMethod(x, setup{Rounds: 1})
		b.advance(time.Hour)
		if s := d.Stats(); s.SetAside > 0 {
			t.Errorf("set aside though no record was answered: %s", b.log.String())
		}
	})
}

// A SetHold right after RemoveMethod applies to the next method of that name.
func TestFaultHoldBetweenRemoveAndSet(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x := newFaulty(true)
		d := b.deliver(setup{}, methodX, x)
		b.advance(time.Second)
		d.RemoveMethod(methodX)
		d.SetHold(Held)
		b.advance(time.Second)
		d.SetMethod(x, setup{})
		b.add(methodX.Queue(), rec(1, start))
		b.advance(time.Minute)
		if x.tries() > 0 {
			t.Error("sent to a method that is held")
		}
	})
}

// After Reroute is withdrawn, the method of the other list gets nothing any more.
func TestFaultRerouteWithdrawn(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, z := newFaulty(true), newFaulty(true)
		z.window = 1
		z.timeout = time.Minute
		b.deliver(setup{}, methodX, x)
		b.deliver(setup{}, methodZ, z)
		b.delivery.Reroute(methodX.Queue(), []accounting.MethodName{methodZ})
		for id := range sessions.ID(8) {
			x.ignore(id+1, true)
			z.ignore(id+1, true)
		}
		var recs []*accounting.Record
		for id := range sessions.ID(8) {
			recs = append(recs, rec(id+1, start))
		}
		b.add(methodX.Queue(), recs...)
		for id := range sessions.ID(20) {
			b.add(methodX.Queue(), rec(id+101, start))
			b.advance(time.Second)
		}
		b.delivery.Reroute(methodX.Queue(), nil)
		b.advance(time.Millisecond)
		before := z.tries()
		b.advance(10 * time.Minute)
		if n := z.tries() - before; n > 0 {
			t.Errorf("%d records sent to a method that is in no route any more", n)
		}
	})
}

// A record that names a method twice is not sent in a loop without a pause.
func TestFaultMethodTwice(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var n int
		b.deliver(setup{}, methodX, newFake(4, func(r *accounting.Record, done func(error)) {
			if r.Session != 1 {
				done(nil)
				return
			}
			if n++; n > 1000 {
				done(nil) // otherwise it never ends
				return
			}
			done(accounting.ErrNoResponse)
		}))
		b.add(methodX.Queue(), rec(5, start), rec(6, start))
		b.advance(time.Second)
		b.add(methodX.Queue(), rec(1, start, methodX), rec(2, start, methodX), rec(3, start))
		b.advance(10 * time.Second)
		if n > 50 {
			t.Errorf("%d tries in 10 s", n)
		}
	})
}

// The backlog of a route that Run meets late is sent at the drain rate too.
func TestFaultDrainRateOfLateRoute(t *testing.T) {
	inBubble(t, func(b *bubble) {
		y := newFaulty(true)
		y.window = 1000
		for id := range sessions.ID(100) {
			b.add(methodX.Queue(), rec(id+1, start))
		}
		for id := range sessions.ID(1000) {
			b.add(methodX.Queue(), rec(id+1001, start, methodY))
		}
		b.member(setup{Loaded: 64}, methodX, newFaulty(false))
		b.deliver(setup{DrainRate: 10}, methodY, y)
		b.advance(20 * time.Second)
		if n := len(y.got()); n > 250 {
			t.Errorf("%d records of the backlog in 20 s at 10 a second", n)
		}
	})
}

// Transmissions to a method that is down are at the times of its schedule, whatever else happens
// meanwhile.
func TestFaultScheduleIsKept(t *testing.T) {
	seeds := 3
	if race { // it is ten times as slow
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				x, y := newScheduled(s4, func(*accounting.Record) bool { return false }), newFaulty(true)
				x.window = 1 + seed*5
				dx := b.deliver(setup{}, methodX, x)
				dy := b.member(setup{}, methodY, y)
				b.add(methodX.Queue(), rec(9999, start, methodY))
				b.advance(30 * time.Second) // the first record finds it down
				from := x.from
				want := map[time.Duration]bool{}
				at := time.Duration(0)
				for i := range s4.Transmissions() {
					want[at] = true
					at += s4.Interval(i)
				}
				id := sessions.ID(0)
				rng := uint64(seed)*2654435761 + 1
				for time.Since(from) < 20*time.Hour {
					rng = rng*6364136223846793005 + 1442695040888963407
					id++
					switch rng >> 33 % 5 {
					case 0:
						b.add(methodX.Queue(), rec(id, start))
					case 1:
						b.add(methodX.Queue(), rec(id, start, methodY))
					case 2:
						b.add(methodY.Queue(), rec(id, start, methodX))
					case 3:
						b.add(methodX.Queue(), rec(id, start), rec(id, interim), rec(id, interim), rec(id, stop))
					case 4:
						y.set(rng>>40%3 > 0)
						dy.SetHold(Hold(rng >> 50 % 3))
						if rng>>55%4 == 0 {
							d := dx
							d.FindQueues()
						}
					}
					b.advance(time.Duration(rng>>20%600) * time.Second)
				}
				var last time.Duration = -time.Hour
				seen := map[time.Duration]bool{}
				for _, s := range x.all() {
					f := strings.Fields(s)
					at, err := time.ParseDuration(f[2])
					if err != nil {
						t.Fatal(err)
					}
					if want[at] {
						seen[at] = true
						continue
					}
					if at-last < time.Minute {
						t.Errorf("extra tries at %v and %v", last, at)
					}
					last = at
				}
				for at := range want {
					if at < 19*time.Hour && !seen[at] {
						t.Errorf("no transmission at %v", at)
					}
				}
			})
		})
	}
}

// A record is in its own back-off with a method of a Reroute. That Reroute changes, and then the
// new method comes up. Run must not panic.
func TestFaultRerouteChangedInBackOff(t *testing.T) {
	inBubble(t, func(b *bubble) {
		y, z := newFaulty(true), newFaulty(true)
		z.schedule = &s4
		y.timeout = time.Second
		z.ignore(7, true)
		b.deliver(setup{}, methodZ, z)
		b.deliver(setup{}, methodY, y)
		b.delivery.Reroute(methodX.Queue(), []accounting.MethodName{methodZ})
		b.add(methodX.Queue(), rec(7, start)) // X is not configured any more
		for id := range sessions.ID(100) {
			b.add(methodZ.Queue(), rec(id+100, start)) // Z answers others
			b.advance(10 * time.Second)
		}
		y.set(false)
		b.add(methodY.Queue(), rec(500, start)) // Y is found down
		b.advance(time.Minute)
		b.delivery.Reroute(methodX.Queue(), []accounting.MethodName{methodY})
		b.advance(time.Second)
		y.set(true)
		b.advance(2 * time.Hour)
		b.pending(methodX.Queue(), 0)
	})
}

// An interim finds its method down and is dropped when the stop comes. No copy of the interim may
// arrive after the stop was delivered, although the interim never was.
func TestFaultCopyOfSupersededInterim(t *testing.T) {
	inBubble(t, func(b *bubble) {
		x, y := newFaulty(true), newFaulty(true)
		x.schedule = &s4
		b.deliver(setup{}, methodX, x)
		b.deliver(setup{}, methodY, y)
		b.add(methodX.Queue(), rec(1, start, methodY))
		b.add(methodY.Queue(), rec(2, start))
		b.advance(time.Second)
		x.set(false)
		y.set(false)
		b.add(methodY.Queue(), rec(3, start))
		b.add(methodX.Queue(), rec(1, interim, methodY))
		b.advance(20 * time.Second)
		b.add(methodX.Queue(), rec(1, stop, methodY))
		b.advance(10 * time.Second)
		y.set(true)
		b.advance(5 * time.Minute)
		x.set(true)
		b.advance(2 * time.Hour)
		x.mu.Lock()
		defer x.mu.Unlock()
		got := x.arrivals()
		if len(got) > 1 && !strings.Contains(got[1], "Stop") { // a copy of the newest may come
			t.Errorf("after the stop was delivered to y at %v, x got %v", y.got(), got)
		}
	})
}

func (s *faultyServer) arrivals() (all []string) {
	for _, x := range s.sent {
		if x.got {
			all = append(all, fmt.Sprint(x.id, " ", x.typ, " ", x.at.Format("15:04:05")))
		}
	}
	return all
}
