package main

import (
	"testing"

	"aaasess/bench/report"

	"github.com/google/go-cmp/cmp"
)

// Each rate has three metrics.
func TestWalkMetrics(t *testing.T) {
	want := []report.Metric{
		{Name: "a", Unit: "cells/s"},
		{Name: "a, by CPU time", Unit: "cells/CPU s"},
		{Name: "a, by CPU time of the server", Unit: "cells/CPU s"},
	}
	if diff := cmp.Diff(want, walkMetrics("a"), cmp.AllowUnexported(report.Metric{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
