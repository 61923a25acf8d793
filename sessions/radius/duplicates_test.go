package radius

import (
	"testing"
	"time"
)

func TestDuplicateTable(t *testing.T) {
	key := func(n byte) requestKey { return requestKey{identifier: n} }
	type step struct {
		at   time.Duration
		what string // begin, ok (answered) or failed
		key  byte
		want progress
	}
	tests := []struct {
		name  string
		limit int
		steps []step
	}{
		{"in progress, then answered", 10, []step{
			{0, "begin", 1, newRequest},
			{0, "begin", 1, inProgress},
			{0, "ok", 1, 0},
			{time.Second, "begin", 1, answered},
			{time.Second, "begin", 2, newRequest},
		}},
		{"what failed is new again", 10, []step{
			{0, "begin", 1, newRequest},
			{0, "failed", 1, 0},
			{0, "begin", 1, newRequest},
		}},
		{"remembered through one change of generation", 10, []step{
			{0, "begin", 1, newRequest},
			{14 * time.Second, "ok", 1, 0},
			{15 * time.Second, "begin", 2, newRequest},
			{29 * time.Second, "begin", 1, answered},
			{30 * time.Second, "begin", 1, newRequest},
		}},
		{"answered after a change of generation", 10, []step{
			{0, "begin", 1, newRequest},
			{16 * time.Second, "begin", 2, newRequest},
			{17 * time.Second, "begin", 1, inProgress},
			{17 * time.Second, "ok", 1, 0},
			{18 * time.Second, "begin", 1, answered},
		}},
		{"failed after a change of generation", 10, []step{
			{0, "begin", 1, newRequest},
			{16 * time.Second, "begin", 2, newRequest},
			{17 * time.Second, "failed", 1, 0},
			{18 * time.Second, "begin", 1, newRequest},
		}},
		{"answered when long forgotten", 10, []step{
			{0, "begin", 1, newRequest},
			{time.Minute, "begin", 2, newRequest},
			{time.Minute, "ok", 1, 0},
			{time.Minute, "begin", 1, newRequest},
		}},
		{"all forgotten after a long silence", 10, []step{
			{0, "begin", 1, newRequest},
			{0, "ok", 1, 0},
			{30 * time.Second, "begin", 1, newRequest},
		}},
		{"a full generation is put aside early", 2, []step{
			{0, "begin", 1, newRequest},
			{0, "begin", 2, newRequest},
			{0, "begin", 3, newRequest},
			{0, "begin", 1, inProgress}, // in the older one
			{0, "begin", 4, newRequest},
			{0, "begin", 5, newRequest},
			{0, "begin", 1, newRequest}, // two generations ago
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDuplicateTable(tt.limit)
			for i, s := range tt.steps {
				if s.what != "begin" {
					d.end(key(s.key), s.what == "ok")
					continue
				}
				if got := d.begin(key(s.key), noon.Add(s.at)); got != s.want {
					t.Errorf("step %d: %d, want %d", i, got, s.want)
				}
				if n := len(d.recent); n > tt.limit || len(d.older) > tt.limit {
					t.Errorf("step %d: %d and %d requests, limit %d", i, n, len(d.older), tt.limit)
				}
			}
		})
	}
}
