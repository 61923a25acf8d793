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

// silent is a server that answers nothing: the end of its schedule comes after 20 s.
func silent(_ *accounting.Record, done func(error)) {
	time.AfterFunc(20*time.Second, func() { done(fmt.Errorf("udp: %w", accounting.ErrNoResponse)) })
}

// While nobody answers one record at a time is tried, less and less often; then all are delivered.
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
		b.after(20 * time.Second)
		b.sent(m, "1 Start 0s", "3 Start 1s", "2 Start 3s", "1 Start 7s", "3 Start 15s")
		if got := d.Stats(); got != (Stats{
			Queue: "group/g", Pending: 3, NoResponse: 5,
			DownSince: m.from, NextProbe: m.from.Add(31 * time.Second), Oldest: time.Unix(1, 0),
		}) {
			t.Errorf("stats %+v", got)
		}
		up.Store(true)
		b.after(20 * time.Second)
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

// Waits between probes end at a minute, and a restart begins with what is left.
func TestDeliverDownForLong(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.add("group/g", rec(1, start), rec(1, stop))
		m := newFake(8, answering(accounting.ErrNoResponse))
		b.deliver(setup{}, accounting.Group("g"), m)
		b.after(4 * time.Minute)
		b.sent(
			m, "1 Start 0s", "1 Start 1s", "1 Start 3s", "1 Start 7s", "1 Start 15s", "1 Start 31s",
			"1 Start 1m3s", "1 Start 2m3s", "1 Start 3m3s",
		)
		b.restart()
		m = newFake(8, nil)
		b.deliver(setup{}, accounting.Group("g"), m)
		b.after(0)
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
		b.after(time.Minute)
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

// One record that nobody answers does not keep the others back, nor those behind it their order.
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
		b.after(500 * time.Millisecond)
		b.add("group/g", rec(1, start), rec(1, stop))
		for range 30 {
			b.add("group/g", rec(9, interim))
			b.after(500 * time.Millisecond)
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

// What nobody answers goes to the next method; once it is known that nobody does, at once. Copies of
// the newest record of the session that found it out probe those that are down, and keep nobody back.
func TestDeliverFallback(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first, second := newFake(8, silent), newFake(8, answering(accounting.ErrNoResponse))
		last := newFake(8, nil)
		d := b.deliver(setup{}, accounting.Group("a"), first)
		b.deliver(setup{}, accounting.Group("b"), second)
		l := b.deliver(setup{}, accounting.Local, last)
		b.add("group/a", rec(1, start, accounting.Group("b"), accounting.Local), rec(1, stop, accounting.Group("b"), accounting.Local))
		b.after(19 * time.Second)
		b.sent(last)
		b.after(2 * time.Second)
		b.sent(first, "1 Start 0s", "1 Stop 21s")
		b.sent(second, "1 Start 20s", "1 Stop 21s")
		b.sent(last, "1 Start 20s", "1 Stop 20s")
		b.add("group/a", rec(2, start, accounting.Group("b"), accounting.Local), rec(3, start, accounting.Group("b"), accounting.Local))
		b.after(0)
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

// A method that is down, and has no copy of a record whose turn it is, is probed by one that comes
// just then; the others of its session wait for it, and none else.
func TestDeliverFallbackProbedByNew(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first, last := newFake(8, silent), newFake(8, nil)
		b.deliver(setup{}, accounting.Group("a"), first)
		b.deliver(setup{}, accounting.Local, last)
		b.add("group/a", rec(1, start, accounting.Local))
		b.after(42 * time.Second) // two probes are over, the third is due at 43
		for id := range sessions.ID(3) {
			b.after(time.Second)
			b.add("group/a", rec(10+id, start, accounting.Local), rec(10+id, stop, accounting.Local))
		}
		b.after(30 * time.Second)
		b.sent(first, "1 Start 0s", "1 Start 21s", "10 Start 43s", "1 Start 1m7s")
		if diff := cmp.Diff([]string{"1 Start 20s", "11 Start 44s"}, last.all()[:2]); diff != "" {
			t.Errorf("want (-) and got (+):\n%s", diff)
		}
	})
}

// What nobody answers stays in its queue.
func TestDeliverFallbackEnds(t *testing.T) {
	inBubble(t, func(b *bubble) {
		d := b.deliver(setup{Rounds: 1}, accounting.Group("a"), newFake(8, answering(accounting.ErrNoResponse)))
		b.deliver(setup{Rounds: 1}, accounting.Group("b"), newFake(8, answering(accounting.ErrNoResponse)))
		b.add("group/a", rec(1, start, accounting.Group("b")))
		b.after(time.Hour)
		b.pending("group/a", 1)
		if s := d.Stats(); s.SetAside != 0 || s.Lost {
			t.Errorf("stats %+v", s)
		}
	})
}

// However long the queue, a bounded number is in memory, and sessions that must wait leave room.
func TestDeliverBounded(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var c store.Change
		for id := range sessions.ID(500) {
			for _, typ := range []sessions.EventType{start, stop} {
				c.Appends = append(c.Appends, store.Append{Queue: "group/g", Data: accounting.AppendRecord(nil, rec(id+1, typ))})
			}
		}
		b.commit(c)
		var heard atomic.Bool
		most := 0
		m := newFake(8, nil)
		cfg := setup{Loaded: 16, RetryMax: 10 * time.Second}
		d := b.member(cfg, accounting.Group("g"), m)
		m.answer = func(rec *accounting.Record, done func(error)) {
			most = max(most, d.queue().loaded)
			if !heard.Load() && rec.Session%2 == 0 { // half of the sessions get no answer
				done(accounting.ErrNoResponse)
				return
			}
			done(nil)
		}
		b.run()
		b.after(time.Minute)
		if s := d.Stats(); s.Delivered != 500 || s.Pending != 500 || !s.DownSince.IsZero() && s.NoResponse < 250 {
			t.Errorf("stats %+v", s)
		}
		heard.Store(true)
		b.after(time.Minute)
		if s := d.Stats(); s.Delivered != 1000 || s.Pending != 0 {
			t.Errorf("stats %+v", s)
		}
		b.stop()
		if most > 16+8 {
			t.Errorf("%d records in memory, at most 16 and the window wanted", most)
		}
		if q := d.queue(); len(q.bySession)+q.items+q.loaded != 0 {
			t.Errorf("left in memory: %+v", q)
		}
	})
}

// Records that nobody will ever answer, more of them than fit into memory and all in front, delay
// the others but do not stop them.
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
				silent(rec, done)
				return
			}
			good++
			time.AfterFunc(time.Millisecond, func() { done(nil) })
		})
		d := b.deliver(setup{Loaded: 64}, accounting.Group("g"), m)
		b.after(2 * time.Hour)
		if s := d.Stats(); good != 100 || s.Delivered != 100 || s.Pending != 300 {
			t.Errorf("%d of 100 sent, stats %+v", good, s)
		}
	})
}

// A full disk and a method that does not answer: what has another method gets there all the same, and
// what is to be set aside is.
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
		b.after(3 * time.Second)
		if err := b.store.Accepting(); !errors.Is(err, store.ErrNoSpace) {
			t.Fatalf("store: %v", err)
		}
		b.deliver(setup{}, accounting.Group("a"), newFake(8, silent))
		d := b.deliver(setup{}, accounting.Group("b"), newFake(8, nil))
		b.deliver(setup{}, accounting.Group("c"), newFake(8, answering(errors.New("no"))))
		b.after(25 * time.Second)
		if s := d.Method(accounting.Group("b")); s.Delivered != 100 {
			t.Errorf("b is there, and has %+v", s)
		}
		if n := len(refused(t, b.store)); n != 1 {
			t.Errorf("%d set aside", n)
		}
		b.stop()
	})
}

// A store that takes no new events for want of space still has records set aside; one that has no
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
		b.after(3 * time.Second)
		if err := b.store.Accepting(); !errors.Is(err, store.ErrNoSpace) {
			t.Fatalf("store: %v", err)
		}
		d := b.deliver(setup{}, accounting.Group("g"), newFake(8, answering(errors.New("no"))))
		b.after(time.Minute)
		b.pending("group/g", 101)
		if n := d.transferRoom(); n != 0 {
			t.Errorf("%d may be moved without a reserve", n)
		}
		b.disk.SetFree(1 << 19)
		b.after(time.Minute)
		b.pending("group/g", 0)
		if n := len(refused(t, b.store)); n != 101 {
			t.Errorf("%d set aside", n)
		}
		if n := d.transferRoom(); n != 16 {
			t.Errorf("%d may be moved at once, of a reserve", n)
		}
		b.stop()
		for underWay, want := range map[int]int{5: 11, 16: 0, 17: 0} {
			if d.aside.storing = underWay; d.transferRoom() != want {
				t.Errorf("beside %d that are moved there is room for %d, want %d", underWay, d.transferRoom(), want)
			}
		}
	})
}
