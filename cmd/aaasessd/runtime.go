package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// waitingThreads is how many threads are waiting for the disk at the same time. A thread that
	// waits in a system call keeps its P of the Go scheduler for up to 10 ms. On a machine with two
	// processors, two more Ps gave 20% more answers a second.
	waitingThreads = 2
	// heapFloor is the least garbage before a collection. With a small table the collector would
	// otherwise run several times a second, and delay answers.
	heapFloor = 128 << 20
	// floorShare is the part of a memory limit that this may be, as a divisor.
	floorShare = 16
)

// tune sets up the Go runtime for a process that waits for the disk most of the time, unless
// GOMAXPROCS and GOGC are set. The caller must keep the result alive.
func tune(getenv func(string) string) []byte {
	if getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + waitingThreads)
	}
	if getenv("GOGC") != "" {
		return nil
	}
	// A collection starts when the heap has twice the size of the live data, and this counts as
	// live data. It is never written to, so it uses address space but no memory. A memory limit
	// counts it, so it is small then.
	return make([]byte, min(heapFloor, debug.SetMemoryLimit(-1)/floorShare))
}

// tuned calls a function after tune.
func tuned(fn func() error) error {
	floor := tune(os.Getenv)
	defer runtime.KeepAlive(floor)
	return fn()
}
