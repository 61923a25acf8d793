package main

import "testing"

// TestRest: memory is returned once after much was allocated and the daemon has come to rest, and
// again only after much more.
func TestRest(t *testing.T) {
	const mib = 1 << 20
	r := &rest{}
	for i, step := range []struct {
		allocated, live uint64 // MiB
		want            bool
	}{
		{50, 20, false},    // busy
		{51, 20, false},    // at rest, but it is not worth it
		{1000, 300, false}, // busy
		{1009, 300, false}, // busy: 9 MiB in 10 s
		{1017, 300, true},  // at rest
		{1018, 300, false}, // nothing new
		{1019, 300, false},
		{1160, 300, false}, // busy
		{1161, 300, false}, // less than half of what is live
		{1168, 300, true},
		{1240, 20, false},
		{1240, 20, true},
	} {
		if got := r.isDue(step.allocated*mib, step.live*mib); got != step.want {
			t.Errorf("step %d, %+v: %v", i, step, got)
		}
	}
}
