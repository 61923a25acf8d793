package silence

import (
	"testing"
	"time"
)

// TestClock: only time between two beats at which events were accepted counts, 30 s of it at most.
func TestClock(t *testing.T) {
	type beat struct {
		after   time.Duration
		hearing bool
		refused bool // an event was refused just before
	}
	const s = time.Second
	for _, tc := range []struct {
		name  string
		beats []beat
		want  Time
	}{
		{"no beat", nil, 0},
		{"the first beat", []beat{{1000 * s, true, false}}, 0},
		{"three beats", []beat{{5 * s, true, false}, {5 * s, true, false}, {5 * s, true, false}}, 10},
		{"parts of a second add up", []beat{{0, true, false}, {s / 2, true, false}, {s / 2, true, false}}, 1},
		{"the host was asleep", []beat{{0, true, false}, {time.Hour, true, false}, {5 * s, true, false}}, 35},
		{"the clock went back", []beat{{time.Hour, true, false}, {-time.Minute, true, false}, {5 * s, true, false}}, 5},
		{"the store refuses events", []beat{{0, true, false}, {5 * s, false, false}, {5 * s, false, false}, {5 * s, true, false}, {5 * s, true, false}}, 5},
		{"one event was refused", []beat{{0, true, false}, {5 * s, true, true}, {5 * s, true, false}}, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c Clock
			at := time.Duration(0)
			for _, b := range tc.beats {
				if b.refused {
					c.Refused()
				}
				at += b.after
				c.Beat(at, b.hearing)
			}
			if got := c.Now(); got != tc.want {
				t.Errorf("%d s, want %d", got, tc.want)
			}
		})
	}
}

// TestResume: a clock goes on from what was stored, and never back.
func TestResume(t *testing.T) {
	var c Clock
	c.Resume(100)
	c.Resume(50)
	c.Beat(0, true)
	c.Beat(5*time.Second, true)
	if got := c.Now(); got != 105 {
		t.Errorf("%d s, want 105", got)
	}
}

// TestEvery: what interval the interims of a NAS show.
func TestEvery(t *testing.T) {
	const m = time.Minute
	for _, tc := range []struct {
		name    string
		at      []Time // interims; the start was at 1000
		granted time.Duration
		want    time.Duration
	}{
		{"no interim", nil, 0, 0},
		{"no interim, though one was granted", nil, 5 * m, 0},
		{"one interim", []Time{1300}, 0, 0},
		{"one interim, as granted", []Time{1300}, 5 * m, 5 * m},
		{"one interim, a little later than granted", []Time{1310}, 5 * m, 310 * time.Second},
		{"one interim, not as granted", []Time{1600}, 5 * m, 0},
		{"one by chance, though another was granted", []Time{1100}, 5 * m, 0},
		{"three regular interims", []Time{1300, 1600, 1900}, 0, 0},
		{"four regular interims", []Time{1300, 1600, 1900, 2200}, 0, 5 * m},
		{"they may vary", []Time{1300, 1640, 1940, 2280}, 0, 340 * time.Second},
		{"when something changes", []Time{1100, 1190, 1700, 2300, 2500, 2700}, 0, 0},
		{"more often than granted", []Time{1300, 1600, 1900, 2200}, 10 * m, 10 * m},
		{"addresses soon after the start", []Time{1002, 1004, 1006, 1300}, 0, 0},
		{"addresses, then regular ones", []Time{1002, 1004, 1006, 1300, 1600, 1900, 2200}, 0, 5 * m},
		{"an address between regular ones", []Time{1300, 1600, 1610, 1900, 2200}, 0, 5 * m},
		{"a lost one", []Time{1300, 1900}, 0, 0},
		{"a lost one, then regular ones", []Time{1300, 1900, 2200, 2500, 2800, 3100}, 0, 5 * m},
		{"one by chance", []Time{1100, 1300}, 0, 0},
		{"very often", []Time{1010, 1020, 1030, 1040, 1050, 1060, 1070, 1080, 1090, 1100, 1110, 1120}, 0, m},
		{"it does not become shorter", []Time{1600, 2200, 2800, 3400, 3500, 3600, 3700, 3800}, 0, 10 * m},
		{"the clock was behind", []Time{900, 900}, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := Begun(1000)
			for _, at := range tc.at {
				r = r.Hear(at, true)
			}
			if got := r.Every(tc.granted); got != tc.want {
				t.Errorf("%v, want %v (%+v)", got, tc.want, r)
			}
		})
	}
}

// TestStaleForever: a server that grants the longest interval, to say never, makes no session stale.
func TestStaleForever(t *testing.T) {
	r := Begun(1000).Hear(1300, true).Hear(1600, true).Hear(1900, true).Hear(2200, true)
	for _, intervals := range []int{1, 2, 3, 4, 1000} {
		for _, granted := range []time.Duration{1 << 31, 1<<32 - 1} {
			if l := (Limits{Intervals: intervals}); l.Stale(r, 2200+1e6, granted*time.Second) {
				t.Errorf("stale with %d intervals of %d s", intervals, granted)
			}
		}
	}
}

// TestStale: when a session is stale. It began at 1000 and had four interims until 2200.
func TestStale(t *testing.T) {
	r := Begun(1000).Hear(1300, true).Hear(1600, true).Hear(1900, true).Hear(2200, true)
	for _, tc := range []struct {
		name   string
		limits Limits
		record Record
		now    Time
		want   bool
	}{
		{"no limits", Limits{}, r, 1e6, false},
		{"three are missing, the last may still come", Limits{Intervals: 3}, r, 2200 + 1050, false},
		{"three are missing", Limits{Intervals: 3}, r, 2200 + 1051, true},
		{"no interims", Limits{Intervals: 3}, Begun(1000), 1e6, false},
		{"too old", Limits{MaxAge: time.Hour}, Begun(1000), 4601, true},
		{"not too old yet", Limits{MaxAge: time.Hour}, Begun(1000), 4600, false},
		{"too old, with interims", Limits{Intervals: 100, MaxAge: time.Hour}, r, 5801, true},
		{"from before the clock", Limits{MaxAge: time.Hour}, Record{}, 3601, true},
		{"heard later than now", Limits{Intervals: 1, MaxAge: time.Hour}, r, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.limits.Stale(tc.record, tc.now, 0); got != tc.want {
				t.Errorf("%v, want %v", got, tc.want)
			}
		})
	}
}
