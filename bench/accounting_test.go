package main

import (
	"testing"
	"time"
)

// The file of requests is large enough for each part.
func TestFileSize(t *testing.T) {
	base := accountingSizes{requests: 10, half: time.Second, backlog: 20, reader: 5, outage: outage{rate: 1, length: time.Second}}
	for _, tt := range []struct {
		name   string
		change func(*accountingSizes)
		want   int
	}{
		{"the open loop", func(*accountingSizes) {}, 10 + mostHalfLoad},
		{"the backlog", func(s *accountingSizes) { s.backlog = 1_000_000 }, 1_000_000},
		{"the backlog of the reader", func(s *accountingSizes) { s.reader = 2_000_000 }, 2_000_000},
		{"the outage", func(s *accountingSizes) { s.outage.rate = 100_000 }, 100_000},
	} {
		s := base
		tt.change(&s)
		if got := s.fileSize(); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	o := outage{rate: 200, before: 3 * time.Second, length: 20 * time.Second, after: 1500 * time.Millisecond}
	if got := o.total(); got != 4900 {
		t.Errorf("an outage sends %d requests, want 4,900", got)
	}
}
