package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestTune(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, tt := range []struct {
		name  string
		env   map[string]string
		procs int
		host  uint64
		floor int
	}{
		{"by the environment", map[string]string{"GOMAXPROCS": "1", "GOGC": "50"}, before, 64 << 30, 0},
		{"the collector by the environment", map[string]string{"GOGC": "off"}, before + waitingThreads, 64 << 30, 0},
		{"by default", nil, before + waitingThreads, 64 << 30, heapFloor},
		{"a small host", nil, before + waitingThreads, 1 << 30, 32 << 20},
	} {
		runtime.GOMAXPROCS(before)
		floor := tune(func(key string) string { return tt.env[key] }, tt.host)
		if n := runtime.GOMAXPROCS(0); n != tt.procs || len(floor) != tt.floor {
			t.Errorf("%s: %d processors and %d octets, want %d and %d", tt.name, n, len(floor), tt.procs, tt.floor)
		}
	}
}

// TestTuneWithMemoryLimit: the floor is a small part of GOMEMLIMIT, which counts it.
func TestTuneWithMemoryLimit(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(64 << 20))
	if n := len(tune(func(string) string { return "" }, 64<<30)); n != 4<<20 {
		t.Errorf("%d octets", n)
	}
}
