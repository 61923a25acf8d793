package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Clients that run at once have the time of the one that began first to that of the one that ended last.
func TestSum(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(1_000_000 + int64(ms)) }
	one := func(begin, wall int) measurement {
		return measurement{
			Cells: 7, CPU: 3 * time.Millisecond, Begin: at(begin),
			Wall: time.Duration(wall) * time.Millisecond,
		}
	}
	for _, tt := range []struct {
		name string
		each []measurement
		want measurement
	}{
		{"one", []measurement{one(5, 10)}, one(5, 10)},
		{
			"the first began last and ended last",
			[]measurement{one(5, 10), one(0, 10)},
			measurement{Cells: 14, CPU: 6 * time.Millisecond, Begin: at(0), Wall: 15 * time.Millisecond},
		},
		{
			"one within another",
			[]measurement{one(5, 1), one(0, 10), one(9, 1)},
			measurement{Cells: 21, CPU: 9 * time.Millisecond, Begin: at(0), Wall: 10 * time.Millisecond},
		},
		{
			"one after another",
			[]measurement{one(0, 10), one(20, 10)},
			measurement{Cells: 14, CPU: 6 * time.Millisecond, Begin: at(0), Wall: 30 * time.Millisecond},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, sum(tt.each)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUsableCPUs(t *testing.T) {
	got, err := usableCPUs()
	if err != nil {
		t.Fatal(err)
	}
	// The kernel writes the same set, with ranges.
	ranges := fieldOf("/proc/self/status", "Cpus_allowed_list", ":")
	first, _, _ := strings.Cut(got, ",")
	if !strings.HasPrefix(ranges, first) || got == "" {
		t.Errorf("got %q, the kernel says %q", got, ranges)
	}
}

// Each rate stands in the table in three ways.
func TestWalkMetrics(t *testing.T) {
	want := []metric{
		{"a", "cells/s"},
		{"a, by CPU time", "cells/CPU s"},
		{"a, by CPU time without the client's", "cells/CPU s"},
	}
	if diff := cmp.Diff(want, walkMetrics("a"), cmp.AllowUnexported(metric{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
