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
		{"one interim, later than granted", []Time{1600}, 5 * m, 10 * m},
		{"two regular interims", []Time{1300, 1600}, 0, 5 * m},
		{"they may vary", []Time{1300, 1660}, 0, 6 * m},
		{"more often than granted", []Time{1300, 1600}, 10 * m, 10 * m},
		{"addresses soon after the start", []Time{1002, 1004, 1006, 1300}, 0, 0},
		{"addresses, then regular ones", []Time{1002, 1004, 1006, 1300, 1600}, 0, 5 * m},
		{"an address between regular ones", []Time{1300, 1600, 1610, 1900}, 0, 5 * m},
		{"a lost one", []Time{1300, 1900}, 0, 0},
		{"a lost one, then regular ones", []Time{1300, 1900, 2200, 2500}, 0, 5 * m},
		{"one by chance", []Time{1100, 1300}, 0, 0},
		{"very often", []Time{1010, 1020, 1030, 1040, 1050, 1060}, 0, m},
		{"it does not become shorter", []Time{1600, 2200, 2300, 2400}, 0, 10 * m},
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

// TestStale: when a session is stale. It began at 1000 and had interims at 1300 and 1600.
func TestStale(t *testing.T) {
	r := Begun(1000).Hear(1300, true).Hear(1600, true)
	for _, tc := range []struct {
		name   string
		limits Limits
		record Record
		now    Time
		want   bool
	}{
		{"no limits", Limits{}, r, 1e6, false},
		{"three are missing, the last may still come", Limits{Intervals: 3}, r, 1600 + 1050, false},
		{"three are missing", Limits{Intervals: 3}, r, 1600 + 1051, true},
		{"no interims", Limits{Intervals: 3}, Begun(1000), 1e6, false},
		{"too old", Limits{MaxAge: time.Hour}, Begun(1000), 4601, true},
		{"not too old yet", Limits{MaxAge: time.Hour}, Begun(1000), 4600, false},
		{"too old, with interims", Limits{Intervals: 100, MaxAge: time.Hour}, r, 5201, true},
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
