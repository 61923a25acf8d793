package accounting

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A poisoned record on a quiet group, whose back-off has come to long intervals, does not keep others
// from a server that is there.
func TestDeliverQuietPoison(t *testing.T) {
	inBubble(t, func(b *bubble) {
		m := newScheduled(s4, func(r *Record) bool { return r.Session != 1 && r.Session != 3 })
		d := b.deliver(DelivererConfig{Rounds: 1}, Group("g"), m)
		b.add("group/g", rec(9, start))
		b.after(time.Second)
		b.add("group/g", rec(1, start))
		b.after(5200 * time.Second)
		b.add("group/g", rec(2, start), rec(2, stop))
		b.after(0)
		if s := d.Stats(); s.Delivered != 3 || !s.DownSince.IsZero() {
			t.Errorf("at once: %+v", s)
		}
		// Now it is 1, and then 3, that is tried in vain; 4 has its turn a minute after 3 at the latest.
		b.after(10 * time.Minute)
		b.add("group/g", rec(3, start))
		b.after(time.Second)
		b.add("group/g", rec(4, start))
		b.after(time.Minute)
		if s := d.Stats(); s.Delivered != 4 {
			t.Errorf("a minute later: %+v", s)
		}
	})
}

// There is no extra try that might not be over when the probe is due: the method would suppress that.
func TestDeliverExtraNotTooLate(t *testing.T) {
	for after, want := range map[time.Duration]string{34 * time.Second: "2 Start 34s", 36 * time.Second: "2 Start 45s"} {
		inBubble(t, func(b *bubble) {
			m := newScheduled(s4, never)
			b.deliver(DelivererConfig{}, Group("a"), m)
			b.add("group/a", rec(1, start))
			b.after(after)
			b.add("group/a", rec(2, start))
			b.after(50*time.Second - after)
			if got := m.all(); len(got) < 6 || got[5] != want {
				t.Errorf("sent %v, the sixth is not %s", got, want)
			}
		})
	}
}

// An extra try is one in RetryMax, with the progress of the probe, and is written to nobody's account:
// the record begins at zero in its time. A refusal is an answer, and so is what comes late.
func TestDeliverExtra(t *testing.T) {
	type call struct {
		who string // session/attempt and when
		end func(error)
	}
	run := func(t *testing.T, test func(b *bubble, d *Deliverer, calls func(int) []call)) {
		inBubble(t, func(b *bubble) {
			var mu sync.Mutex
			var all []call
			from := time.Now()
			d := b.deliver(DelivererConfig{}, Group("a"), methodFunc{8, func(rec *Record, at Progress, done func(error)) {
				c := call{fmt.Sprintf("%d/%d %v", rec.Session, at.Attempt, time.Since(from)), done}
				mu.Lock()
				all = append(all, c)
				mu.Unlock()
				if rec.Session == 1 { // the probe: an hour's wait each time
					time.AfterFunc(time.Second, func() { done(&Later{After: time.Hour, At: Progress{Attempt: at.Attempt + 1}}) })
				}
			}})
			b.add("group/a", rec(1, start))
			b.after(time.Hour + 2*time.Second) // 1/0 at 0, 1/1 at 1h0m1s
			b.add("group/a", rec(2, start), rec(3, start))
			b.after(0)
			test(b, d, func(n int) []call {
				t.Helper()
				mu.Lock()
				defer mu.Unlock()
				var who []string
				for _, c := range all {
					who = append(who, c.who)
				}
				want := []string{"1/0 0s", "1/1 1h0m1s", "2/2 1h0m2s", "3/2 1h1m2s", "2/2 2h0m2s"}
				if diff := cmp.Diff(want[:n], who); diff != "" {
					t.Fatalf("sent: want (-) and got (+):\n%s", diff)
				}
				return slices.Clone(all)
			})
		})
	}
	later := &Later{After: 10 * time.Second, At: Progress{Attempt: 3}}
	for name, err := range map[string]error{"later": later, "over": ErrNoResponse, "stopped": ErrStopped} {
		t.Run(name, func(t *testing.T) {
			run(t, func(b *bubble, d *Deliverer, calls func(int) []call) {
				before := d.Stats()
				calls(3)[2].end(err)
				b.after(59 * time.Second)
				if s := d.Stats(); s.NextProbe != before.NextProbe || s.DownSince != before.DownSince || s.Pending != 3 || s.Moved != 0 {
					t.Errorf("stats %+v, before %+v", s, before)
				}
				b.after(time.Second)
				calls(4)[3].end(err)
				b.after(58*time.Minute + 59*time.Second)
				calls(4) // no other one, and none twice
				b.after(time.Second)
				calls(5) // by the schedule, in place of 1
				if d.standIn == nil || d.standIn.rec.Session != 2 {
					t.Errorf("stand-in %+v", d.standIn)
				}
				for _, l := range d.lanes.bySession {
					if p := l.head().progress(); l.session != 1 && p != (Progress{}) {
						t.Errorf("session %s does not begin at zero: %+v", l.session, p)
					}
				}
			})
		})
	}
	for name, err := range map[string]error{"delivered": nil, "refused": fmt.Errorf("no")} {
		t.Run(name, func(t *testing.T) {
			run(t, func(b *bubble, d *Deliverer, calls func(int) []call) {
				calls(3)[2].end(err)
				b.after(0)
				if s := d.Stats(); !s.DownSince.IsZero() || s.InFlight != 2 || s.Pending != 2 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
	t.Run("one at a time", func(t *testing.T) {
		run(t, func(b *bubble, _ *Deliverer, calls func(int) []call) {
			b.after(10 * time.Minute)
			calls(3)
		})
	})
}
