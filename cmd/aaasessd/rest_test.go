package main

import "testing"

// TestRest: memory is returned once after much was allocated and the daemon has come to rest, and
// again only after much more, or when the listener has forgotten many requests.
func TestRest(t *testing.T) {
	const mib = 1 << 20
	r := &rest{}
	for i, step := range []struct {
		allocated, live uint64 // MiB
		forgotten       int
		want            bool
	}{
		{50, 20, 0, false},    // busy
		{51, 20, 0, false},    // at rest, but it is not worth it
		{1000, 300, 0, false}, // busy
		{1009, 300, 0, false}, // busy: 9 MiB in 10 s
		{1017, 300, 0, true},  // at rest
		{1018, 300, 0, false}, // nothing new
		{1019, 300, 0, false},
		{1160, 300, 0, false}, // busy
		{1161, 300, 0, false}, // less than half of what is live
		{1168, 300, 0, true},
		{1240, 20, 0, false},
		{1240, 20, 0, true},
		{1241, 300, restForgets / 2, false}, // too few
		{1242, 300, restForgets / 2, true},
		{1243, 300, 0, false},
		{1283, 300, restForgets, false}, // busy
		{1284, 300, 0, true},
	} {
		if got := r.isDue(step.allocated*mib, step.live*mib, step.forgotten); got != step.want {
			t.Errorf("step %d, %+v: %v", i, step, got)
		}
	}
}
