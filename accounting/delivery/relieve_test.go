package delivery

import (
	"testing"
	"time"

	"aaasess/sessions"

	"aaasess/accounting"
)

// A server that ignores more records than may be known, each for a day, gets all others at once.
func TestRelieve(t *testing.T) {
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
					b.after(time.Second)
				}
				b.after(time.Minute)
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

// It is those that were tried most often that give way, and the records behind them go on; as long as
// there is room all wait for their time.
func TestRelieveOldest(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newScheduled(s4, func(r *accounting.Record) bool { return r.Session > 10 || r.Type != start })
		d := b.deliver(setup{Rounds: 1, Loaded: 64, Waiting: 128}, accounting.Group("g"), m)
		b.add("group/g", rec(99, start))
		b.after(time.Second)
		b.add("group/g", rec(1, start))
		b.after(time.Second)
		for i := range sessions.ID(50) { // all the time somebody is answered
			b.add("group/g", rec(99, interim))
			if i == 40 {
				b.add("group/g", rec(2, start))
			}
			b.after(time.Second)
		}
		for range 60 {
			b.add("group/g", rec(1, interim))
		}
		b.after(time.Second)
		b.add("group/g", rec(99, interim))
		b.after(30 * time.Second)
		if s := d.Stats(); s.Pending != 62 || s.SetAside != 0 {
			t.Fatalf("there is room: %+v", s)
		}
		for range 3 {
			b.add("group/g", rec(2, interim))
		}
		b.after(2 * time.Second)
		if s := d.Stats(); s.Pending != 4 || s.SetAside != 1 {
			t.Errorf("stats %+v", s)
		}
		if got := refused(t, b.store); len(got) != 1 || string(got[0].Data) != string(accounting.AppendRecord(nil, rec(1, start))) {
			t.Errorf("set aside: %+v", got)
		}
	})
}

// What may be chance, or happened while nobody was answered, is no reason to give way.
func TestRelieveSparesTheUnlucky(t *testing.T) {
	for name, tc := range map[string]struct {
		with   attempts
		losses losses
		goes   bool
	}{
		"unanswered":         {attempts{tries: 1, missed: 1, sends: 4}, losses{}, true},
		"too few":            {attempts{tries: 3, missed: 3, sends: 3}, losses{}, false},
		"nobody was there":   {attempts{tries: 5}, losses{}, false},
		"many are lost":      {attempts{tries: 4, missed: 4, sends: 7}, losses{lost: 100, answered: 100}, false},
		"more than are lost": {attempts{tries: 40, missed: 40, sends: 43}, losses{lost: 100, answered: 100}, true},
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
					l.head().known().by[0] = tc.with
					d.wait(l, now.Add(time.Hour))
				}
				m.losses = tc.losses
				if err := d.relieve(q, now); err != nil || (d.aside.lanes.len() == 1) != tc.goes || q.items != 2 {
					t.Errorf("%d of %d go, %v", d.aside.lanes.len(), q.items, err)
				}
			})
		})
	}
}
