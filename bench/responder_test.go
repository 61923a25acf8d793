package main

import (
	"testing"

	"aaasess/bench/report"

	"github.com/google/go-cmp/cmp"
)

// Each rate stands in the table in three ways.
func TestWalkMetrics(t *testing.T) {
	want := []report.Metric{
		{Name: "a", Unit: "cells/s"},
		{Name: "a, by CPU time", Unit: "cells/CPU s"},
		{Name: "a, by CPU time without the client's", Unit: "cells/CPU s"},
	}
	if diff := cmp.Diff(want, walkMetrics("a"), cmp.AllowUnexported(report.Metric{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
