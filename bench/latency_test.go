package main

import (
	"testing"
	"time"

	"aaasess/bench/report"
	"aaasess/bench/stand"

	"github.com/google/go-cmp/cmp"
)

func TestCollectionsIn(t *testing.T) {
	at := func(at time.Duration, took int) stand.Collection {
		return stand.Collection{At: at, Took: time.Duration(took) * time.Millisecond}
	}
	all := []stand.Collection{at(time.Second, 100), at(2*time.Second, 10), at(3*time.Second, 30), at(4*time.Second, 100)}
	got := collectionsIn(all, 2*time.Second, 4*time.Second)
	want := report.Sample{pausesCollected: 2, pausesLongest: 30, pausesShare: 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
