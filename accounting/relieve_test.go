package accounting

import (
	"testing"
	"time"

	"aaasess/sessions"
)

// A server that ignores more records than may be known, each for a day, gets all others at once.
func TestRelieve(t *testing.T) {
	for name, next := range map[string][]MethodName{"set aside": nil, "moved": {Local}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				m := newScheduled(s4, func(r *Record) bool { return r.Session > 1000 })
				m.window = 64
				d := b.deliver(DelivererConfig{Rounds: 1, Loaded: 64, Waiting: 128}, Group("g"), m)
				id := sessions.ID(0)
				for range 200 {
					id++
					b.add("group/g", rec(id, start, next...), rec(1000+id, start))
					b.after(time.Second)
				}
				b.after(time.Minute)
				s := d.Stats()
				if s.Delivered != 200 || s.Pending != 64 || s.SetAside+s.Moved != 136 || (s.Moved > 0) != (next != nil) {
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
		m := newScheduled(s4, func(r *Record) bool { return r.Session > 10 || r.Type != start })
		d := b.deliver(DelivererConfig{Rounds: 1, Loaded: 64, Waiting: 128}, Group("g"), m)
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
		if got := refused(t, b.store); len(got) != 1 || string(got[0].Data) != string(AppendRecord(nil, rec(1, start))) {
			t.Errorf("set aside: %+v", got)
		}
	})
}

// What may be chance, or happened while nobody was answered, is no reason to give way.
func TestRelieveSparesTheUnlucky(t *testing.T) {
	for name, tc := range map[string]struct {
		odd    odd
		losses losses
		goes   bool
	}{
		"in vain":            {odd{tries: 1, blamed: 1, vain: 4}, losses{}, true},
		"too few":            {odd{tries: 3, blamed: 3, vain: 3}, losses{}, false},
		"nobody was there":   {odd{tries: 5}, losses{}, false},
		"many are lost":      {odd{tries: 4, blamed: 4, vain: 7}, losses{lost: 100, answered: 100}, false},
		"more than are lost": {odd{tries: 40, blamed: 40, vain: 43}, losses{lost: 100, answered: 100}, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.add("group/g", rec(1, start), rec(2, start))
				d := NewDeliverer(DelivererConfig{Loaded: 1, Waiting: 2}, b.store, Group("g"), newFake(8, nil), quiet)
				d.more = true
				now := time.Now()
				for range 2 {
					if err := d.read(now); err != nil {
						t.Fatal(err)
					}
					for l := d.lanes.ready.pop(false); l != nil; l = d.lanes.ready.pop(false) {
						o := tc.odd
						l.head().odd = &o
						d.lanes.wait(l, now.Add(time.Hour))
					}
				}
				d.losses = tc.losses
				if err := d.relieve(now); err != nil || (d.storing == 1) != tc.goes || d.lanes.items != 2 {
					t.Errorf("%d of %d go, %v", d.storing, d.lanes.items, err)
				}
				b.after(0)
			})
		})
	}
}
