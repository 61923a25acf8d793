package delivery

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

const address = "\x08\x06\x0a\x00\x00\x01"

// held returns a start that waits so long for an address, from an event that was just now.
func held(id sessions.ID, hold time.Duration) *accounting.Record {
	r := rec(id, start)
	r.Hold, r.At, r.Attrs = hold, time.Now(), "\x28\x06\x00\x00\x00\x01"
	return r
}

// again returns what a resync makes of the start of a session.
func again(id sessions.ID) *accounting.Record {
	r := held(id, 5*time.Second)
	r.Resync = true
	return r
}

// with returns a record with attributes.
func with(r *accounting.Record, attrs radius.Attributes) *accounting.Record {
	r.Attrs = attrs
	return r
}

// addressed is a method that notes of each record whether it had an address.
func addressed(sent *[]string, mu *sync.Mutex, answer func(*accounting.Record) bool) *scheduled {
	from := time.Now()
	return newScheduled(s4, func(r *accounting.Record) bool {
		mu.Lock()
		defer mu.Unlock()
		text := fmt.Sprintf("%d %s %v", r.Session, r.Type, time.Since(from))
		if accounting.HasAddress(r.Attrs) {
			text += " with address"
		}
		*sent = append(*sent, text)
		return answer(r)
	})
}

// A start waits for the record of its session that has an address, for the stop, or until its time
// is over.
func TestWithhold(t *testing.T) {
	tests := []struct {
		name string
		add  []*accounting.Record // one a second
		want []string
	}{
		{"an interim with an address", []*accounting.Record{with(rec(1, interim), address)}, []string{"1 Start 1s with address", "1 Interim-Update 1s with address"}},
		{
			"an interim without, then one with",
			[]*accounting.Record{rec(1, interim), with(rec(1, interim), address)},
			[]string{"1 Start 2s with address", "1 Interim-Update 2s", "1 Interim-Update 2s with address"},
		},
		{"an address that is none", []*accounting.Record{with(rec(1, interim), "\x08\x06\xff\xff\xff\xfe")}, []string{"1 Start 5s", "1 Interim-Update 5s"}},
		{"the stop with an address", []*accounting.Record{with(rec(1, stop), address)}, []string{"1 Start 1s with address", "1 Stop 1s with address"}},
		{"the start of a resync without", []*accounting.Record{rec(1, start)}, []string{"1 Start 5s", "1 Start 5s"}},
		{"the stop without", []*accounting.Record{rec(1, stop)}, []string{"1 Start 1s", "1 Stop 1s"}},
		{"another session of the lane", []*accounting.Record{with(inLane(1, 2, stop), address)}, []string{"1 Start 5s", "2 Stop 5s with address"}},
		{"other sessions go on", []*accounting.Record{rec(3, start), rec(3, stop)}, []string{"3 Start 1s", "3 Stop 2s", "1 Start 5s"}},
		{"the start of a resync, and nothing else", []*accounting.Record{again(1)}, []string{"1 Start 5s", "1 Start 5s"}},
		{
			"the start of a resync, then an interim with an address",
			[]*accounting.Record{again(1), with(rec(1, interim), address)},
			[]string{"1 Start 2s with address", "1 Start 2s with address", "1 Interim-Update 2s with address"},
		},
		{"the start of a resync of a session that began long ago", []*accounting.Record{again(2)}, []string{"2 Start 1s", "1 Start 5s"}},
		{"nothing", nil, []string{"1 Start 5s"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var sent []string
				var mu sync.Mutex
				d := b.deliver(setup{}, accounting.Group("g"), addressed(&sent, &mu, func(*accounting.Record) bool { return true }))
				b.advance(0)
				b.add("group/g", held(1, 5*time.Second))
				b.advance(0)
				places, err := d.Locate(context.Background(), "group/g", 1)
				want := []Place{{Seq: 1, State: NoAddress, Next: time.Now().Add(5 * time.Second)}}
				if len(places) == 1 {
					want[0].Seq = places[0].Seq
				}
				if diff := cmp.Diff(want, places); diff != "" || err != nil {
					t.Errorf("want (-) and got (+):\n%s%v", diff, err)
				}
				began := time.Now()
				for _, r := range tt.add {
					b.advance(time.Second)
					if r.Resync && r.Session == 1 {
						r.At = began
					} else if r.Resync {
						r.At = began.Add(-time.Hour)
					}
					b.add("group/g", r)
				}
				b.advance(20 * time.Second)
				if diff := cmp.Diff(tt.want, sent); diff != "" {
					t.Errorf("sent: want (-) and got (+):\n%s", diff)
				}
				b.stop()
				if q := d.queue(); q.items+q.loaded+len(q.lanes)+q.withheld+len(q.held) != 0 {
					t.Errorf("left in memory: %+v", q)
				}
			})
		})
	}
}

// After a restart the time counts from the event or the start of the process, whichever is over
// sooner: a clock that is wrong makes no start wait longer.
func TestWithholdRestart(t *testing.T) {
	for name, tt := range map[string]struct {
		at   time.Duration // of the event, from now
		want string
	}{
		"the event was just now": {0, "1 Start 3s"}, "in the future": {time.Hour, "1 Start 5s"}, "long ago": {-time.Hour, "1 Start 0s"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				r := held(1, 5*time.Second)
				r.At = r.At.Add(tt.at)
				b.add("group/g", r)
				b.advance(2 * time.Second)
				b.restart()
				var sent []string
				var mu sync.Mutex
				b.deliver(setup{}, accounting.Group("g"), addressed(&sent, &mu, func(*accounting.Record) bool { return true }))
				b.advance(time.Minute)
				if diff := cmp.Diff([]string{tt.want}, sent); diff != "" {
					t.Errorf("sent: want (-) and got (+):\n%s", diff)
				}
			})
		})
	}
}

// While a method is down, the interim that has the address stays until the start is delivered. A
// start is no probe before it has its address.
func TestWithholdDown(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		var sent []string
		var mu sync.Mutex
		m := addressed(&sent, &mu, func(*accounting.Record) bool { return up.Load() })
		d := b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(9, start))
		b.advance(22 * time.Second)
		b.add("group/g", held(1, time.Hour))
		b.advance(30 * time.Second)
		b.add("group/g", with(rec(1, interim), address), rec(1, interim), rec(1, interim), rec(1, stop))
		b.advance(5 * time.Second)
		if diff := cmp.Diff([]string{"9 Start", "1 Start", "1 Interim-Update", "1 Stop"}, b.left("group/g")); diff != "" {
			t.Errorf("left: want (-) and got (+):\n%s", diff)
		}
		taken := func() []string {
			mu.Lock()
			defer mu.Unlock()
			all := sent
			sent = nil
			return all
		}
		for _, text := range taken() {
			if text[0] != '9' && text != "1 Start 52s with address" {
				t.Errorf("a probe was %q", text)
			}
		}
		up.Store(true)
		b.advance(5 * time.Minute)
		var withAddress []string
		for _, text := range taken() {
			if strings.HasSuffix(text, "with address") {
				withAddress = append(withAddress, strings.Join(strings.Fields(text)[:2], " "))
			}
		}
		if diff := cmp.Diff([]string{"1 Start", "1 Interim-Update"}, withAddress); diff != "" {
			t.Errorf("with address: want (-) and got (+):\n%s", diff)
		}
		if s := d.Stats(); s.Pending != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// Starts that wait take no room from other records, and there is a limit to them.
func TestWithholdRoom(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(8, nil)
		d := b.member(setup{Loaded: 4, Waiting: 4}, accounting.Group("g"), m)
		d.reading.maxWithheld = 20
		b.run()
		b.advance(0)
		for id := range sessions.ID(20) {
			b.add("group/g", held(id+1, time.Hour))
		}
		b.add("group/g", rec(100, start), rec(100, stop))
		b.advance(time.Second)
		b.sent(m, "100 Start 0s", "100 Stop 0s")
		if q := d.Queue("group/g"); q.Withheld != 20 || q.Pending != 20 {
			t.Errorf("%+v", q)
		}
		b.add("group/g", held(50, time.Hour))
		b.advance(time.Second)
		b.sent(m, "100 Start 0s", "100 Stop 0s", "1 Start 1s")
		b.add("group/g", rec(2, interim), rec(2, interim), rec(3, interim), rec(3, interim), rec(101, start))
		b.advance(time.Minute)
		if got := m.all(); len(got) != 3+6+1 {
			t.Errorf("sent %v", got)
		}
	})
}

// A start that waits stays where it is if the interim of its parent in front of it is superseded.
func TestWithholdBehindSuperseded(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var sent []string
		var mu sync.Mutex
		m := addressed(&sent, &mu, func(*accounting.Record) bool { return false })
		b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(9, start))
		b.advance(22 * time.Second)
		child := held(2, time.Hour)
		child.Lane = 1
		b.add("group/g", rec(1, interim), child)
		b.advance(2 * time.Second)
		newer := rec(1, interim)
		newer.At = newer.At.Add(time.Second)
		b.add("group/g", newer)
		b.advance(10 * time.Minute)
		if diff := cmp.Diff([]string{"9 Start", "2 Start", "1 Interim-Update"}, b.left("group/g")); diff != "" {
			t.Errorf("left: want (-) and got (+):\n%s", diff)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, text := range sent {
			if text[0] != '9' {
				t.Errorf("sent %q", text)
			}
		}
	})
}

// While a method is down, a start whose time is over gets an extra try like a record that has just
// come.
func TestWithholdExtraTry(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var sent []string
		var mu sync.Mutex
		m := addressed(&sent, &mu, func(r *accounting.Record) bool { return r.Session != 9 })
		b.deliver(setup{}, accounting.Group("g"), m)
		b.add("group/g", rec(9, start))
		b.advance(10*time.Minute + 30*time.Second) // the next transmission is in more than 10 minutes
		b.add("group/g", held(1, 2*time.Minute))
		b.advance(4 * time.Minute)
		if diff := cmp.Diff([]string{"9 Start"}, b.left("group/g")); diff != "" {
			t.Errorf("left: want (-) and got (+):\n%s", diff)
		}
	})
}

// A start that was committed long before it is read, because the records in front of it filled the
// memory, waits for the rest of its time only.
func TestWithholdReadLate(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		var sent []string
		var mu sync.Mutex
		m := addressed(&sent, &mu, func(*accounting.Record) bool { return up.Load() })
		b.deliver(setup{Loaded: 4, Waiting: 4}, accounting.Group("g"), m)
		for id := range sessions.ID(8) {
			b.add("group/g", rec(id+10, start))
		}
		b.add("group/g", held(1, 5*time.Minute))
		b.advance(10 * time.Minute)
		up.Store(true)
		b.advance(2 * time.Minute)
		if left := b.left("group/g"); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		b.add("group/g", held(2, 5*time.Minute))
		b.advance(4 * time.Minute)
		if diff := cmp.Diff([]string{"2 Start"}, b.left("group/g")); diff != "" {
			t.Errorf("a start that is read at once does not wait: want (-) and got (+):\n%s", diff)
		}
	})
}
