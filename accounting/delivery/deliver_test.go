package delivery

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"aaasess/store"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
)

func TestDeliver(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.add("group/g", rec(1, start), rec(2, start), rec(1, interim), rec(1, stop))
		m := newFake(8, nil)
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.advance(0)
		b.add("group/g", rec(2, stop))
		b.add("group/other", rec(3, stop))
		b.advance(time.Second)
		b.sent(m, "1 Start 0s", "2 Start 0s", "1 Interim-Update 0s", "1 Stop 0s", "2 Stop 0s")
		if got := d.Stats(); got != (Stats{Queue: "group/g", Delivered: 5}) {
			t.Errorf("stats %+v", got)
		}
		if d.String() != "deliver accounting records" {
			t.Error(d.String())
		}
		b.restart()
		b.pending("group/g", 0)
		b.pending("group/other", 1)
	})
}

// The next record of a session waits for the answer to the one before; other sessions do not.
func TestDeliverOrder(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(8, func(rec *accounting.Record, done func(error)) {
			if rec.Session == 1 {
				time.AfterFunc(5*time.Second, func() { done(nil) })
				return
			}
			done(nil)
		})
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(9, start))
		b.advance(0) // an answer has opened the window
		b.add("group/g", rec(1, start), rec(1, stop), rec(2, start), rec(2, stop))
		b.advance(time.Second)
		b.sent(m, "9 Start 0s", "1 Start 0s", "2 Start 0s", "2 Stop 0s")
		if got := d.Stats(); got != (Stats{Queue: "group/g", Pending: 2, InFlight: 1, Delivered: 3, Oldest: time.Unix(1, 0)}) {
			t.Errorf("stats %+v", got)
		}
		b.advance(10 * time.Second)
		b.sent(m, "9 Start 0s", "1 Start 0s", "2 Start 0s", "2 Stop 0s", "1 Stop 5s")
		b.pending("group/g", 0)
	})
}

// setAside returns the records that are set aside.
func setAside(t testing.TB, s *store.Store) (all []accounting.SetAsideEntry) {
	t.Helper()
	entries, err := s.Read(accounting.SetAsideQueue, 0, 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		r, err := accounting.ParseSetAsideEntry(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *r)
	}
	return all
}

// A refusal ends the search for a method (R42). It counts as an answer, so the method stays up.
func TestDeliverRefused(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(8, func(rec *accounting.Record, done func(error)) {
			if rec.Session == 1 && rec.Type == start {
				done(errors.New("not your customer"))
				return
			}
			done(nil)
		})
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(1, start, accounting.Local), rec(1, stop, accounting.Local))
		b.advance(time.Second)
		want := []accounting.SetAsideEntry{{
			From: "group/g", At: m.from, Reason: "not your customer",
			Data: accounting.AppendRecord(nil, rec(1, start, accounting.Local)),
		}}
		if diff := cmp.Diff(want, setAside(t, b.store)); diff != "" {
			t.Errorf("want (-) and got (+):\n%s", diff)
		}
		b.pending("local", 0)
		b.sent(m, "1 Start 0s", "1 Stop 0s")
		if got := d.Stats(); got != (Stats{Queue: "group/g", Delivered: 1, Refused: 1}) {
			t.Errorf("stats %+v", got)
		}
		if log := b.log.String(); !strings.Contains(log, "refused") || !strings.Contains(log, "session=00000001") || !strings.Contains(log, "not your customer") {
			t.Errorf("log:\n%s", log)
		}
	})
}

// A damaged record is set aside unchanged and delays no other record, even while no server answers.
func TestDeliverDamaged(t *testing.T) {
	for _, answer := range []error{nil, accounting.ErrNoResponse} {
		t.Run(fmt.Sprint(answer), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.add("group/g", rec(2, start))
				b.commit(store.Change{Appends: []store.Append{{Queue: "group/g", Data: []byte("junk")}, {Queue: "group/g"}}})
				b.add("group/g", rec(1, start))
				m := newFake(8, answering(answer))
				d := b.deliver(setup{}, accounting.Group("g"), m)
				b.advance(2 * time.Second)
				got := setAside(t, b.store)
				if len(got) != 2 || string(got[0].Data) != "junk" || !strings.Contains(got[0].Reason, "not a record") || len(got[1].Data) != 0 {
					t.Errorf("set aside: %+v", got)
				}
				if s := d.Stats(); s.Refused != 2 || answer == nil && s.Delivered != 2 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// A new method gets the records that the old one has not delivered, whatever the old one reports
// for them.
func TestDeliverSetMethod(t *testing.T) {
	for _, said := range []error{accounting.ErrNoResponse, accounting.ErrStopped, errors.New("closed"), nil} {
		t.Run(fmt.Sprint(said), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var pending func(error)
				old := newFake(1, func(_ *accounting.Record, done func(error)) { pending = done })
				d := b.deliver(setup{}, accounting.Group("g"), old)
				b.add("group/g", rec(1, start, accounting.Local), rec(1, stop, accounting.Local))
				b.advance(0)
				next := newFake(1, nil)
				d.SetMethod(next, setup{})
				b.advance(time.Second)
				b.sent(next)
				pending(said)
				b.advance(0)
				b.sent(old, "1 Start 0s")
				want := []string{"1 Start 1s", "1 Stop 1s"}
				if said == nil {
					want = want[1:]
				}
				b.sent(next, want...)
				b.pending("local", 0)
				if s := d.Stats(); s.Refused != 0 || s.Delivered != 2 || !s.DownSince.IsZero() {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// A new method gets records at once, without waiting for the next probe of the old one.
func TestDeliverSetMethodWhileDown(t *testing.T) {
	inBubble(t, func(b *bubble) {
		d := b.deliver(setup{}, accounting.Group("g"), newFake(8, answering(accounting.ErrNoResponse)))
		b.add("group/g", rec(1, start))
		b.advance(10 * time.Minute)
		m := newFake(8, nil)
		d.SetMethod(m, setup{})
		b.advance(0)
		b.sent(m, "1 Start 0s")
	})
}

// One method is added and another is replaced at the same moment. The record that one of them
// should have is sent at once, from whatever list it is in.
func TestDeliverSetMethodsTogether(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first, second := accounting.Group("z"), accounting.Group("a") // the second is handled first
		b.add(first.Queue(), rec(1, start, second))
		d := b.deliver(setup{}, first, newFake(8, neverAnswers))
		b.advance(20500 * time.Millisecond) // between two probes
		if d.Stats().DownSince.IsZero() {
			t.Fatal("the method is not down")
		}
		m := newFake(8, nil)
		d.inbox.mu.Lock() // so that both become known together
		for name, w := range map[accounting.MethodName]*settings{second: {}, first: d.inbox.settings[first]} {
			w.impl, w.gen = m, w.gen+1
			d.inbox.settings[name] = w
		}
		d.inbox.settingsChanged = true
		d.inbox.mu.Unlock()
		d.inbox.wakeRun()
		b.advance(time.Second)
		b.sent(m, "1 Start 0s")
		b.pending(first.Queue(), 0)
	})
}

// A method that was stopped says nothing about its servers: the record is sent again a little
// later.
func TestDeliverStopped(t *testing.T) {
	inBubble(t, func(b *bubble) {
		times := 0
		m := newFake(8, func(_ *accounting.Record, done func(error)) {
			if times++; times < 3 {
				done(fmt.Errorf("udp: %w", accounting.ErrStopped))
				return
			}
			done(nil)
		})
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(1, start, accounting.Local))
		b.advance(time.Minute)
		b.sent(m, "1 Start 0s", "1 Start 1s", "1 Start 2s")
		if got := d.Stats(); got != (Stats{Queue: "group/g", Delivered: 1}) {
			t.Errorf("stats %+v", got)
		}
	})
}

// At the end of Run, a delivery that comes in time counts. A record with no answer, or with any
// other result, is still there after the restart.
func TestDeliverEnd(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(8, func(rec *accounting.Record, done func(error)) {
			switch rec.Session {
			case 2:
				time.AfterFunc(time.Second, func() { done(nil) })
			case 3:
				time.AfterFunc(time.Second, func() { done(errors.New("socket closed")) })
			case 4:
				time.AfterFunc(time.Hour, func() { done(nil) })
			default:
				done(nil)
			}
		})
		b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(1, start), rec(1, interim), rec(1, stop))
		b.advance(0)
		b.add("group/g", rec(2, start), rec(3, start), rec(4, start), rec(2, stop))
		b.advance(0)
		from := time.Now()
		b.restart()
		if duration := time.Since(from); duration > 3*time.Second {
			t.Errorf("Run ended after %v", duration)
		}
		var left []string
		for _, r := range records(t, b.store, "group/g") {
			left = append(left, fmt.Sprintf("%d %s", r.Session, r.Type))
		}
		if diff := cmp.Diff([]string{"3 Start", "4 Start", "2 Stop"}, left); diff != "" {
			t.Errorf("left: want (-) and got (+):\n%s", diff)
		}
		if r := setAside(t, b.store); len(r) != 0 {
			t.Errorf("set aside: %v", r)
		}
		b.advance(2 * time.Hour)
	})
}

// Run returns the error of a store that has failed.
func TestDeliverStoreClosed(t *testing.T) {
	s := openStore(t, store.NewDisk())
	d := New(Config{}, s, quiet)
	d.SetMethod(accounting.Group("g"), newFake(8, nil), accounting.MethodConfig{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Run(t.Context()); !errors.Is(err, store.ErrClosed) || !strings.Contains(err.Error(), "deliver queue group/g") {
		t.Errorf("got %v", err)
	}
}
