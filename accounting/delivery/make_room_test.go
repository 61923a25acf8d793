package delivery

import (
	"testing"
	"time"

	"aaasess/sessions"

	"aaasess/accounting"
)

// A server ignores more records than Waiting allows, each for a day. It gets all others at once.
func TestMakeRoom(t *testing.T) {
	for name, next := range map[string][]accounting.MethodName{"set aside": nil, "taken by the next": {accounting.Local}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				m := newScheduled(s4, func(r *accounting.Record) bool { return r.Session > 1000 })
				m.window = 64
				d := b.deliver(setup{Rounds: 1, Loaded: 64, Waiting: 128}, accounting.Group("g"), m)
				b.deliver(setup{}, accounting.Local, newFake(8, nil))
				id := sessions.ID(0)
				for range 200 {
					id++
					b.add("group/g", rec(id, start, next...), rec(1000+id, start))
					b.advance(time.Second)
				}
				b.advance(time.Minute)
				s := d.Stats()
				want := Stats{Delivered: 200, Pending: 64, SetAside: 136}
				if next != nil {
					want = Stats{Delivered: 400, Elsewhere: 200}
				}
				if s.Delivered != want.Delivered || s.Elsewhere != want.Elsewhere || s.Pending != want.Pending || s.SetAside != want.SetAside {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// The records that were tried most often are set aside early, and the records behind them go on.
// While there is room, all wait for their time.
func TestMakeRoomOldest(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newScheduled(s4, func(r *accounting.Record) bool { return r.Session > 10 || r.Type != start })
		d := b.deliver(setup{Rounds: 1, Loaded: 64, Waiting: 128}, accounting.Group("g"), m)
		b.add("group/g", rec(99, start))
		b.advance(time.Second)
		b.add("group/g", rec(1, start))
		b.advance(time.Second)
		for i := range sessions.ID(50) { // other records are answered all the time
			b.add("group/g", rec(99, interim))
			if i == 40 {
				b.add("group/g", rec(2, start))
			}
			b.advance(time.Second)
		}
		for range 60 {
			b.add("group/g", rec(1, interim))
		}
		b.advance(time.Second)
		b.add("group/g", rec(99, interim))
		b.advance(30 * time.Second)
		if s := d.Stats(); s.Pending != 62 || s.SetAside != 0 {
			t.Fatalf("there is room: %+v", s)
		}
		for range 3 {
			b.add("group/g", rec(2, interim))
		}
		b.advance(2 * time.Second)
		if s := d.Stats(); s.Pending != 4 || s.SetAside != 1 {
			t.Errorf("stats %+v", s)
		}
		if got := setAside(t, b.store); len(got) != 1 || string(got[0].Data) != string(accounting.AppendRecord(nil, rec(1, start))) {
			t.Errorf("set aside: %+v", got)
		}
	})
}

// A record is not set aside early if its misses may be chance, or happened while nothing was
// answered.
func TestMakeRoomKeepsRecordsLostByChance(t *testing.T) {
	for name, tc := range map[string]struct {
		with   attempts
		losses lossRate
		goes   bool
	}{
		"unanswered":         {attempts{tries: 1, missed: 1, sends: 4}, lossRate{}, true},
		"too few":            {attempts{tries: 3, missed: 3, sends: 3}, lossRate{}, false},
		"nothing answered":   {attempts{tries: 5}, lossRate{}, false},
		"many are lost":      {attempts{tries: 4, missed: 4, sends: 7}, lossRate{lost: 100, answered: 100}, false},
		"more than are lost": {attempts{tries: 40, missed: 40, sends: 43}, lossRate{lost: 100, answered: 100}, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.add("group/g", rec(1, start), rec(2, start))
				d := b.member(setup{Loaded: 2, Waiting: 2}, accounting.Group("g"), newFake(8, nil))
				d.collect(b.ctx)
				now, q, m := time.Now(), d.queue(), d.method()
				d.reading.active = 1
				if err := d.read(now); err != nil {
					t.Fatal(err)
				}
				for l := q.routes[0].ready.pop(false); l != nil; l = q.routes[0].ready.pop(false) {
					l.head().ensureHistory().attempts[0] = tc.with
					d.waitUntil(l, now.Add(time.Hour))
				}
				m.losses = tc.losses
				if err := d.makeRoom(q, now); err != nil || (d.setAside.lanes.len() == 1) != tc.goes || q.items != 2 {
					t.Errorf("%d set aside, %d items left, %v", d.setAside.lanes.len(), q.items, err)
				}
			})
		})
	}
}
