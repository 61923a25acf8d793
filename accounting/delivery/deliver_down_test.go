package delivery

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
)

// neverAnswers is a server that answers nothing. Its schedule ends after 20 s.
func neverAnswers(_ *accounting.Record, done func(error)) {
	time.AfterFunc(20*time.Second, func() { done(fmt.Errorf("udp: %w", accounting.ErrNoResponse)) })
}

// While no server answers, one record at a time is tried, at growing intervals. When one answers,
// all are delivered.
func TestDeliverDown(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		m := newFake(8, func(rec *accounting.Record, done func(error)) {
			if up.Load() {
				done(nil)
				return
			}
			done(accounting.ErrNoResponse)
		})
		b.add("group/g", rec(1, start), rec(2, start), rec(3, start))
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.advance(20 * time.Second)
		b.sent(m, "1 Start 0s", "3 Start 1s", "2 Start 3s", "1 Start 7s", "3 Start 15s")
		if got := d.Stats(); got != (Stats{
			Queue: "group/g", Pending: 3, NoResponse: 5,
			DownSince: m.from, NextProbe: m.from.Add(31 * time.Second), Oldest: time.Unix(1, 0),
		}) {
			t.Errorf("stats %+v", got)
		}
		up.Store(true)
		b.advance(20 * time.Second)
		b.sent(
			m, "1 Start 0s", "3 Start 1s", "2 Start 3s", "1 Start 7s", "3 Start 15s",
			"2 Start 31s", "1 Start 31s", "3 Start 31s",
		)
		if got := d.Stats(); got != (Stats{Queue: "group/g", NoResponse: 5, Delivered: 3}) {
			t.Errorf("stats %+v", got)
		}
		if log := b.log.String(); strings.Count(log, "does not respond") != 1 || strings.Count(log, "responds again") != 1 {
			t.Errorf("log:\n%s", log)
		}
	})
}

// The wait between probes grows to a minute and no further. A restart starts with what is left.
func TestDeliverDownForLong(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.add("group/g", rec(1, start), rec(1, stop))
		m := newFake(8, answering(accounting.ErrNoResponse))
		b.deliver(setup{}, accounting.Group("g"), m)
		b.advance(4 * time.Minute)
		b.sent(
			m, "1 Start 0s", "1 Start 1s", "1 Start 3s", "1 Start 7s", "1 Start 15s", "1 Start 31s",
			"1 Start 1m3s", "1 Start 2m3s", "1 Start 3m3s",
		)
		b.restart()
		m = newFake(8, nil)
		b.deliver(setup{}, accounting.Group("g"), m)
		b.advance(0)
		b.sent(m, "1 Start 0s", "1 Stop 0s")
	})
}

// A server that comes back gets one record, then two, then four.
func TestDeliverOpensSlowly(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(16, func(rec *accounting.Record, done func(error)) { time.AfterFunc(time.Second, func() { done(nil) }) })
		for id := range sessions.ID(40) {
			b.add("group/g", rec(id+1, start))
		}
		b.deliver(setup{}, accounting.Group("g"), m)
		b.advance(time.Minute)
		at := map[string]int{}
		for _, s := range m.all() {
			at[s[strings.LastIndexByte(s, ' ')+1:]]++
		}
		want := map[string]int{"0s": 1, "1s": 2, "2s": 4, "3s": 8, "4s": 16, "5s": 9}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("sent in each second: want (-) and got (+):\n%s", diff)
		}
	})
}

// One record that is never answered does not delay other sessions, and its own session stays in
// order.
func TestDeliverOneUnanswered(t *testing.T) {
	inBubble(t, func(b *bubble) {
		fails := 3
		m := newFake(8, func(rec *accounting.Record, done func(error)) {
			if rec.Session == 1 && fails > 0 {
				fails--
				time.AfterFunc(time.Second, func() { done(accounting.ErrNoResponse) })
				return
			}
			time.AfterFunc(100*time.Millisecond, func() { done(nil) })
		})
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(9, start))
		b.advance(500 * time.Millisecond)
		b.add("group/g", rec(1, start), rec(1, stop))
		for range 30 {
			b.add("group/g", rec(9, interim))
			b.advance(500 * time.Millisecond)
		}
		var one []string
		for _, s := range m.all() {
			if s[0] == '1' {
				one = append(one, s)
			}
		}
		want := []string{"1 Start 500ms", "1 Start 2.5s", "1 Start 5.5s", "1 Start 10.5s", "1 Stop 10.6s"}
		if diff := cmp.Diff(want, one); diff != "" {
			t.Errorf("want (-) and got (+):\n%s", diff)
		}
		if got := d.Stats(); got != (Stats{Queue: "group/g", Delivered: 33, NoResponse: 3}) {
			t.Errorf("stats %+v", got)
		}
	})
}

// An unanswered record goes to the next method, and does so at once when the method is known to be
// down. Copies of the newest record of the session that found it down probe the method and delay
// nothing.
func TestDeliverFallback(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first, second := newFake(8, neverAnswers), newFake(8, answering(accounting.ErrNoResponse))
		last := newFake(8, nil)
		d := b.deliver(setup{}, accounting.Group("a"), first)
		b.deliver(setup{}, accounting.Group("b"), second)
		l := b.deliver(setup{}, accounting.Local, last)
		b.add("group/a", rec(1, start, accounting.Group("b"), accounting.Local), rec(1, stop, accounting.Group("b"), accounting.Local))
		b.advance(19 * time.Second)
		b.sent(last)
		b.advance(2 * time.Second)
		b.sent(first, "1 Start 0s", "1 Stop 21s")
		b.sent(second, "1 Start 20s", "1 Stop 21s")
		b.sent(last, "1 Start 20s", "1 Stop 20s")
		b.add("group/a", rec(2, start, accounting.Group("b"), accounting.Local), rec(3, start, accounting.Group("b"), accounting.Local))
		b.advance(0)
		b.sent(last, "1 Start 20s", "1 Stop 20s", "2 Start 21s", "3 Start 21s")
		if got := d.Stats(); got != (Stats{Queue: "group/a", NoResponse: 2, Delivered: 4, Elsewhere: 4, DownSince: first.from.Add(20 * time.Second)}) {
			t.Errorf("stats %+v", got)
		}
		if got := l.Method(accounting.Local); got != (MethodStats{Method: accounting.Local, Delivered: 4}) {
			t.Errorf("stats of the last method %+v", got)
		}
		b.pending("group/a", 0)
	})
}

// If a method is down and no copy is due, it is probed with a record that has just arrived. Only
// later records of the same session wait for that probe.
func TestDeliverFallbackProbedByNew(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first, last := newFake(8, neverAnswers), newFake(8, nil)
		b.deliver(setup{}, accounting.Group("a"), first)
		b.deliver(setup{}, accounting.Local, last)
		b.add("group/a", rec(1, start, accounting.Local))
		b.advance(42 * time.Second) // two probes are over, the third is due at 43
		for id := range sessions.ID(3) {
			b.advance(time.Second)
			b.add("group/a", rec(10+id, start, accounting.Local), rec(10+id, stop, accounting.Local))
		}
		b.advance(30 * time.Second)
		b.sent(first, "1 Start 0s", "1 Start 21s", "10 Start 43s", "1 Start 1m7s")
		if diff := cmp.Diff([]string{"1 Start 20s", "11 Start 44s"}, last.all()[:2]); diff != "" {
			t.Errorf("want (-) and got (+):\n%s", diff)
		}
	})
}

// A record that no method answers stays in its queue.
func TestDeliverFallbackEnds(t *testing.T) {
	inBubble(t, func(b *bubble) {
		d := b.deliver(setup{Rounds: 1}, accounting.Group("a"), newFake(8, answering(accounting.ErrNoResponse)))
		b.deliver(setup{Rounds: 1}, accounting.Group("b"), newFake(8, answering(accounting.ErrNoResponse)))
		b.add("group/a", rec(1, start, accounting.Group("b")))
		b.advance(time.Hour)
		b.pending("group/a", 1)
		if s := d.Stats(); s.SetAside != 0 || s.Lost {
			t.Errorf("stats %+v", s)
		}
	})
}

// However long the queue is, the number of records in memory is bounded. Sessions that must wait
// leave room for others.
func TestDeliverBounded(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var c store.Change
		for id := range sessions.ID(500) {
			for _, typ := range []sessions.EventType{start, stop} {
				c.Appends = append(c.Appends, store.Append{Queue: "group/g", Data: accounting.AppendRecord(nil, rec(id+1, typ))})
			}
		}
		b.commit(c)
		var answersAll atomic.Bool
		most := 0
		m := newFake(8, nil)
		cfg := setup{Loaded: 16, RetryMax: 10 * time.Second}
		d := b.member(cfg, accounting.Group("g"), m)
		m.answer = func(rec *accounting.Record, done func(error)) {
			most = max(most, d.queue().loaded)
			if !answersAll.Load() && rec.Session%2 == 0 { // half of the sessions get no answer
				done(accounting.ErrNoResponse)
				return
			}
			done(nil)
		}
		b.run()
		b.advance(time.Minute)
		if s := d.Stats(); s.Delivered != 500 || s.Pending != 500 || !s.DownSince.IsZero() && s.NoResponse < 250 {
			t.Errorf("stats %+v", s)
		}
		answersAll.Store(true)
		b.advance(time.Minute)
		if s := d.Stats(); s.Delivered != 1000 || s.Pending != 0 {
			t.Errorf("stats %+v", s)
		}
		b.stop()
		if most > 16+8 {
			t.Errorf("%d records in memory, at most 16 and the window wanted", most)
		}
		if q := d.queue(); len(q.lanes)+q.items+q.loaded != 0 {
			t.Errorf("left in memory: %+v", q)
		}
	})
}

// More records than fit into memory, all in front and never answered, delay the others but do not
// stop them.
func TestDeliverUnansweredBacklog(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var c store.Change
		for id := range sessions.ID(400) {
			c.Appends = append(c.Appends, store.Append{Queue: "group/g", Data: accounting.AppendRecord(nil, rec(id+1, start))})
		}
		b.commit(c)
		good := 0
		m := newFake(16, func(rec *accounting.Record, done func(error)) {
			if rec.Session <= 300 {
				neverAnswers(rec, done)
				return
			}
			good++
			time.AfterFunc(time.Millisecond, func() { done(nil) })
		})
		d := b.deliver(setup{Loaded: 64}, accounting.Group("g"), m)
		b.advance(2 * time.Hour)
		if s := d.Stats(); good != 100 || s.Delivered != 100 || s.Pending != 300 {
			t.Errorf("%d of 100 sent, stats %+v", good, s)
		}
	})
}

// The disk is full and a method does not answer. Records with another method still get there, and
// records that are to be set aside are set aside.
func TestDeliverNoSpaceMoves(t *testing.T) {
	inBubble(t, func(b *bubble) {
		_ = b.store.Close()
		var err error
		if b.store, err = store.Open("state", store.Config{Disk: b.disk, MinFree: 1 << 20, Ballast: -1}); err != nil {
			t.Fatal(err)
		}
		defer b.store.Close()
		for id := range sessions.ID(100) {
			b.add("group/a", rec(id+1, start, accounting.Group("b")))
		}
		b.add("group/c", rec(1, start))
		b.disk.SetFree(3 << 18)
		b.advance(3 * time.Second)
		if err := b.store.Accepting(); !errors.Is(err, store.ErrNoSpace) {
			t.Fatalf("store: %v", err)
		}
		b.deliver(setup{}, accounting.Group("a"), newFake(8, neverAnswers))
		d := b.deliver(setup{}, accounting.Group("b"), newFake(8, nil))
		b.deliver(setup{}, accounting.Group("c"), newFake(8, answering(errors.New("no"))))
		b.advance(25 * time.Second)
		if s := d.Method(accounting.Group("b")); s.Delivered != 100 {
			t.Errorf("b is up, and has %+v", s)
		}
		if n := len(setAside(t, b.store)); n != 1 {
			t.Errorf("%d set aside", n)
		}
		b.stop()
	})
}

// A store that refuses new events for lack of space still sets records aside. One that has no
// reserve left keeps them where they are.
func TestDeliverNoSpace(t *testing.T) {
	inBubble(t, func(b *bubble) {
		if err := b.store.Close(); err != nil {
			t.Fatal(err)
		}
		var err error
		if b.store, err = store.Open("state", store.Config{Disk: b.disk, MinFree: 1 << 20, Ballast: -1}); err != nil {
			t.Fatal(err)
		}
		defer b.store.Close()
		for id := range sessions.ID(101) {
			b.add("group/g", rec(id+1, start))
		}
		b.disk.SetFree(1<<19 - 1)
		b.advance(3 * time.Second)
		if err := b.store.Accepting(); !errors.Is(err, store.ErrNoSpace) {
			t.Fatalf("store: %v", err)
		}
		d := b.deliver(setup{}, accounting.Group("g"), newFake(8, answering(errors.New("no"))))
		b.advance(time.Minute)
		b.pending("group/g", 101)
		if n := d.moveRoom(); n != 0 {
			t.Errorf("%d may be moved without a reserve", n)
		}
		b.disk.SetFree(1 << 19)
		b.advance(time.Minute)
		b.pending("group/g", 0)
		if n := len(setAside(t, b.store)); n != 101 {
			t.Errorf("%d set aside", n)
		}
		if n := d.moveRoom(); n != 16 {
			t.Errorf("%d may be moved at once, of a reserve", n)
		}
		b.stop()
		for inFlight, want := range map[int]int{5: 11, 16: 0, 17: 0} {
			if d.setAside.moving = inFlight; d.moveRoom() != want {
				t.Errorf("with %d moves in flight, moveRoom %d, want %d", inFlight, d.moveRoom(), want)
			}
		}
	})
}

// TestNotAccepted: a record that a server does not accept is tried again later, and the method stays
// up for the others.
func TestNotAccepted(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(1, func(r *accounting.Record, done func(error)) {
			if r.Session == 1 {
				done(accounting.ErrNotAccepted)
				return
			}
			done(nil)
		})
		b.add("group/g", rec(1, start), rec(2, start), rec(3, start))
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.advance(10 * time.Second)
		b.sent(m, "1 Start 0s", "2 Start 0s", "3 Start 0s", "1 Start 1s", "1 Start 3s", "1 Start 7s")
		if got := d.Stats(); !got.DownSince.IsZero() || got.Pending != 1 || got.Delivered != 2 {
			t.Errorf("stats %+v", got)
		}
	})
}

// TestFlapLogged: a method that goes down and up all the time is logged once a minute, and one that
// stays down then is logged too.
func TestFlapLogged(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var down atomic.Bool
		tried := map[uint32]bool{}
		m := newFake(1, func(r *accounting.Record, done func(error)) {
			again := tried[uint32(r.Session)]
			tried[uint32(r.Session)] = true
			if down.Load() || !again && r.Session%2 == 0 {
				done(accounting.ErrNoResponse)
				return
			}
			done(nil)
		})
		var all []*accounting.Record
		for i := range 60 {
			all = append(all, rec(sessions.ID(i+1), start))
		}
		b.add("group/g", all[:40]...)
		b.deliver(setup{}, accounting.Group("g"), m)
		b.advance(50 * time.Second)
		for _, line := range []string{"does not respond", "responds again"} {
			if n := strings.Count(b.log.String(), line); n != 1 {
				t.Errorf("%q was logged %d times:\n%s", line, n, b.log.String())
			}
		}
		down.Store(true)
		b.add("group/g", all[40:]...)
		b.advance(5 * time.Minute)
		if n := strings.Count(b.log.String(), "does not respond"); n != 2 {
			t.Errorf("%d lines of being down:\n%s", n, b.log.String())
		}
	})
}
