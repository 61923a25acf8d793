package accounting

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
)

// silent is a server that answers nothing: the end of its schedule comes after 20 s.
func silent(_ *Record, done func(error)) {
	time.AfterFunc(20*time.Second, func() { done(fmt.Errorf("udp: %w", ErrNoResponse)) })
}

// While nobody answers one record at a time is tried, less and less often; then all are delivered.
func TestDeliverDown(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		m := newFake(8, func(rec *Record, done func(error)) {
			if up.Load() {
				done(nil)
				return
			}
			done(ErrNoResponse)
		})
		b.add("group/g", rec(1, start), rec(2, start), rec(3, start))
		d := b.deliver(DelivererConfig{}, Group("g"), m)
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
		m := newFake(8, answering(ErrNoResponse))
		b.deliver(DelivererConfig{}, Group("g"), m)
		b.after(4 * time.Minute)
		b.sent(
			m, "1 Start 0s", "1 Start 1s", "1 Start 3s", "1 Start 7s", "1 Start 15s", "1 Start 31s",
			"1 Start 1m3s", "1 Start 2m3s", "1 Start 3m3s",
		)
		b.restart()
		m = newFake(8, nil)
		b.deliver(DelivererConfig{}, Group("g"), m)
		b.after(0)
		b.sent(m, "1 Start 0s", "1 Stop 0s")
	})
}

// A server that comes back gets one record, then two, then four.
func TestDeliverOpensSlowly(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(16, func(rec *Record, done func(error)) { time.AfterFunc(time.Second, func() { done(nil) }) })
		for id := range sessions.ID(40) {
			b.add("group/g", rec(id+1, start))
		}
		b.deliver(DelivererConfig{}, Group("g"), m)
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
		m := newFake(8, func(rec *Record, done func(error)) {
			if rec.Session == 1 && fails > 0 {
				fails--
				time.AfterFunc(time.Second, func() { done(ErrNoResponse) })
				return
			}
			time.AfterFunc(100*time.Millisecond, func() { done(nil) })
		})
		d := b.deliver(DelivererConfig{}, Group("g"), m)
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

// What nobody answers goes to the next method; once it is known that nobody does, at once.
func TestDeliverFallback(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first, second := newFake(8, silent), newFake(8, answering(ErrNoResponse))
		last := newFake(8, nil)
		d := b.deliver(DelivererConfig{}, Group("a"), first)
		b.deliver(DelivererConfig{}, Group("b"), second)
		b.deliver(DelivererConfig{}, Local, last)
		b.add("group/a", rec(1, start, Group("b"), Local), rec(1, stop, Group("b"), Local))
		b.after(19 * time.Second)
		b.sent(last)
		b.after(2 * time.Second)
		b.sent(first, "1 Start 0s")
		b.sent(second, "1 Start 20s")
		b.sent(last, "1 Start 20s", "1 Stop 20s")
		b.add("group/a", rec(2, start, Group("b"), Local)) // the next probe
		b.after(0)
		b.add("group/a", rec(3, start, Group("b"), Local))
		b.after(time.Second)
		b.sent(first, "1 Start 0s", "2 Start 21s")
		b.sent(last, "1 Start 20s", "1 Stop 20s", "3 Start 21s")
		if got := d.Stats(); got != (Stats{Queue: "group/a", Pending: 1, InFlight: 1, NoResponse: 1, Moved: 3, DownSince: first.from.Add(20 * time.Second), Oldest: time.Unix(1, 0)}) {
			t.Errorf("stats %+v", got)
		}
		b.after(time.Minute)
		for _, q := range []string{"group/a", "group/b", "local"} {
			b.pending(q, 0)
		}
	})
}

// A method that has the last word keeps what it is not answered.
func TestDeliverFallbackEnds(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.deliver(DelivererConfig{}, Group("a"), newFake(8, answering(ErrNoResponse)))
		b.deliver(DelivererConfig{}, Group("b"), newFake(8, answering(ErrNoResponse)))
		b.add("group/a", rec(1, start, Group("b")))
		b.after(time.Hour)
		b.pending("group/a", 0)
		b.pending("group/b", 1)
	})
}

// However long the queue, a bounded number is in memory, and sessions that must wait leave room.
func TestDeliverBounded(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var c store.Change
		for id := range sessions.ID(500) {
			for _, typ := range []sessions.EventType{start, stop} {
				c.Appends = append(c.Appends, store.Append{Queue: "group/g", Data: AppendRecord(nil, rec(id+1, typ))})
			}
		}
		b.commit(c)
		var heard atomic.Bool
		most := 0
		m := newFake(8, nil)
		cfg := DelivererConfig{Loaded: 16, RetryMax: 10 * time.Second}
		d := NewDeliverer(cfg, b.store, Group("g"), m, slog.New(slog.DiscardHandler))
		m.answer = func(rec *Record, done func(error)) {
			most = max(most, d.lanes.loaded)
			if !heard.Load() && rec.Session%2 == 0 { // half of the sessions get no answer
				done(ErrNoResponse)
				return
			}
			done(nil)
		}
		b.run(d)
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
		if n := len(d.lanes.bySession) + d.lanes.items + d.lanes.loaded; n != 0 {
			t.Errorf("%d left in memory: %+v", n, d.lanes)
		}
	})
}

// Records that nobody will ever answer, more of them than fit into memory and all in front, delay
// the others but do not stop them.
func TestDeliverUnansweredBacklog(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var c store.Change
		for id := range sessions.ID(400) {
			c.Appends = append(c.Appends, store.Append{Queue: "group/g", Data: AppendRecord(nil, rec(id+1, start))})
		}
		b.commit(c)
		good := 0
		m := newFake(16, func(rec *Record, done func(error)) {
			if rec.Session <= 300 {
				silent(rec, done)
				return
			}
			good++
			time.AfterFunc(time.Millisecond, func() { done(nil) })
		})
		d := b.deliver(DelivererConfig{Loaded: 64}, Group("g"), m)
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
			b.add("group/a", rec(id+1, start, Group("b")))
		}
		b.add("group/c", rec(1, start))
		b.disk.SetFree(3 << 18)
		b.after(3 * time.Second)
		if err := b.store.Accepting(); !errors.Is(err, store.ErrNoSpace) {
			t.Fatalf("store: %v", err)
		}
		b.deliver(DelivererConfig{}, Group("a"), newFake(8, silent))
		d := b.deliver(DelivererConfig{}, Group("b"), newFake(8, nil))
		b.deliver(DelivererConfig{}, Group("c"), newFake(8, answering(errors.New("no"))))
		b.after(25 * time.Second)
		if s := d.Stats(); s.Delivered != 100 {
			t.Errorf("b is there, and has %+v", s)
		}
		if n := len(refused(t, b.store)); n != 1 {
			t.Errorf("%d set aside", n)
		}
		b.stop()
	})
}

// A store that takes no new events for want of space still has records go where they are answered; one
// that has no reserve left keeps them where they are.
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
		b.add("group/g", rec(1, start, Local))
		for id := range sessions.ID(100) {
			b.add("group/g", rec(id+2, start, Local))
		}
		b.disk.SetFree(1<<19 - 1)
		b.after(3 * time.Second)
		if err := b.store.Accepting(); !errors.Is(err, store.ErrNoSpace) {
			t.Fatalf("store: %v", err)
		}
		d := b.deliver(DelivererConfig{}, Group("g"), newFake(8, answering(ErrNoResponse)))
		b.after(time.Minute)
		b.pending("group/g", 101)
		if n := d.transferRoom(); n != 0 {
			t.Errorf("%d may be moved without a reserve", n)
		}
		b.disk.SetFree(1 << 19)
		b.after(time.Minute)
		b.pending("group/g", 0)
		b.pending("local", 101)
		if n := d.transferRoom(); n != 16 {
			t.Errorf("%d may be moved at once, of a reserve", n)
		}
		b.stop()
		for underWay, want := range map[int]int{5: 11, 16: 0, 17: 0} {
			if d.storing = underWay; d.transferRoom() != want {
				t.Errorf("beside %d that are moved there is room for %d, want %d", underWay, d.transferRoom(), want)
			}
		}
	})
}
