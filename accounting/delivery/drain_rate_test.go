package delivery

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/sessions"

	"aaasess/accounting"
	"aaasess/internal/retry"
)

func TestPace(t *testing.T) {
	t0 := time.Unix(1000, 0)
	for name, tc := range map[string]struct {
		rate  float64
		each  time.Duration // between wake-ups
		burst int
		want  int // in 10 s
	}{
		"one at a time":       {1, 0, 1, 11},
		"half a record":       {0.5, 0, 1, 6},
		"a hundred":           {100, 0, 1, 1001},
		"does not divide 1e9": {7, 0, 1, 70}, // an interval is rounded up
		"ten a wake-up":       {1000, 0, 10, 10010},
		"often":               {1000, 300 * time.Microsecond, 10, 10009},
		"seldom":              {1000, time.Second, 10, 110},
	} {
		t.Run(name, func(t *testing.T) {
			p, sent := newPace(tc.rate), 0
			for now := t0; !now.After(t0.Add(10 * time.Second)); {
				n := p.room(now)
				if n > tc.burst || n < 0 {
					t.Fatalf("%d at once", n)
				}
				p.spend(n)
				sent += n
				if bound := float64(tc.burst) + tc.rate*now.Sub(t0).Seconds(); float64(sent) > bound+1e-6 {
					t.Fatalf("%d after %v, at most %v", sent, now.Sub(t0), bound)
				}
				if tc.each > 0 {
					now = now.Add(tc.each)
					continue
				}
				now = p.next()
			}
			if sent != tc.want {
				t.Errorf("%d in 10 s, want %d", sent, tc.want)
			}
		})
	}
	for _, rate := range []float64{0, -1} {
		if p := newPace(rate); p.interval != 0 {
			t.Errorf("rate %v: %+v", rate, p)
		}
	}
}

// After an outage, the backlog is sent exactly at the drain rate. After it there is no limit.
func TestDrainRate(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		up.Store(true)
		m := newScheduled(retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3}, func(*accounting.Record) bool { return up.Load() })
		m.window = 1000
		d := b.deliver(setup{DrainRate: 100}, accounting.Group("g"), m)
		b.advance(time.Second)
		for id := range sessions.ID(50) { // no backlog: no limit but the window
			b.add("group/g", rec(id+1, start))
		}
		b.advance(0)
		if s := d.Stats(); s.Delivered != 50 || s.Draining {
			t.Errorf("stats %+v", s)
		}
		up.Store(false)
		for id := range sessions.ID(500) {
			b.add("group/g", rec(id+100, start), rec(id+100, stop))
		}
		b.advance(time.Minute)
		up.Store(true)
		b.advance(time.Minute)
		from := len(m.all()) - 1
		var times []time.Duration
		for i, s := range m.all() {
			at, err := time.ParseDuration(s[strings.LastIndexByte(s, ' ')+1:])
			if err != nil {
				t.Fatal(err)
			}
			if at > 61*time.Second {
				from = min(from, i)
				times = append(times, at)
			}
		}
		// The probe, and then 999 at intervals of 10 ms.
		if len(times) != 1000 {
			t.Fatalf("%d sent", len(times))
		}
		for i := 1; i < len(times); i++ {
			if want := times[0] + time.Duration(i-1)*10*time.Millisecond; times[i] != want {
				t.Fatalf("record %d sent at %v, want %v", i, times[i], want)
			}
		}
		if s := d.Stats(); s.Pending != 0 || s.Draining {
			t.Errorf("stats %+v", s)
		}
		before := time.Now()
		for id := range sessions.ID(100) {
			b.add("group/g", rec(id+2000, start))
		}
		b.advance(0)
		if s := d.Stats(); s.Pending != 0 || !before.Equal(time.Now()) {
			t.Errorf("stats %+v after %v", s, time.Since(before))
		}
	})
}

// A new drain rate counts at once, and the records in flight stay in flight.
func TestReconfigureMethod(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newFake(64, func(_ *accounting.Record, done func(error)) { time.AfterFunc(5*time.Second, func() { done(nil) }) })
		for id := range sessions.ID(100) {
			b.add("group/g", rec(id+1, start))
		}
		name := accounting.Group("g")
		d := b.deliver(setup{DrainRate: 0.1}, name, m)
		b.advance(7 * time.Second)
		if n := len(m.all()); n != 1 {
			t.Fatalf("%d sent", n)
		}
		b.delivery.ReconfigureMethod(name, accounting.MethodConfig{DrainRate: 50})
		b.advance(time.Minute)
		if s := d.Stats(); s.Pending != 0 || len(m.all()) != 100 {
			t.Errorf("%d sent, stats %+v", len(m.all()), s)
		}
		b.delivery.ReconfigureMethod("group none", accounting.MethodConfig{}) // not there: nothing
		b.advance(time.Second)
	})
}

// A drain rate below the load delays the backlog, but does not delay newer records without end.
func TestDrainRateBelowLoad(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var up atomic.Bool
		m := newFake(64, func(rec *accounting.Record, done func(error)) {
			if !up.Load() || rec.Session == 1e6 {
				neverAnswers(rec, done)
				return
			}
			done(nil)
		})
		d := b.deliver(setup{DrainRate: 10}, accounting.Group("g"), m)
		id := sessions.ID(0)
		load := func(seconds int) {
			for range seconds {
				for range 20 {
					id++
					b.add("group/g", rec(id, start))
				}
				b.advance(time.Second)
			}
		}
		load(25)
		up.Store(true)
		load(30)
		// It is found up before 61 s, when 20 records a second have gathered in the queue.
		s := d.Stats()
		gathered := s.Pending
		if !s.Draining || gathered < 200 || gathered > 900 {
			t.Fatalf("stats %+v", s)
		}
		before := s.Delivered
		load(10)
		if s = d.Stats(); s.Pending != gathered-100 || s.Delivered != before+300 || !s.Draining {
			t.Errorf("in 10 s, with 200 new ones and 100 of the backlog: %+v after %d", s, before)
		}
		load(int(gathered)/10 - 11)
		if s = d.Stats(); !s.Draining || s.Pending == 0 {
			t.Errorf("shortly before the end: %+v", s)
		}
		b.add("group/g", rec(1e6, start)) // a later record that is never answered does not belong to the backlog
		load(3)
		if s = d.Stats(); s.Draining || s.Pending != 1 || s.Delivered != uint64(id) {
			t.Errorf("in the end: %+v", s)
		}
	})
}

// The backlog at a start is sent at the drain rate too, and Draining reports it.
func TestDrainRateAtStart(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for id := range sessions.ID(40) {
			b.add("group/g", rec(id/10+1, start))
		}
		m := newFake(256, nil)
		d := b.deliver(setup{DrainRate: 2}, accounting.Group("g"), m)
		b.advance(10*time.Second + 100*time.Millisecond)
		if s := d.Stats(); s.Delivered != 21 || !s.Draining {
			t.Errorf("stats %+v", s)
		}
		d.SetMethod(m, setup{DrainRate: 4}) // a reload
		b.advance(2 * time.Second)
		if s := d.Stats(); s.Delivered != 30 {
			t.Errorf("stats %+v", s)
		}
		b.advance(2 * time.Second)
		if s := d.Stats(); s.Delivered != 38 || !s.Draining {
			t.Errorf("stats %+v", s)
		}
		b.advance(10 * time.Second)
		if s := d.Stats(); s.Delivered != 40 || s.Draining {
			t.Errorf("stats %+v", s)
		}
	})
}
