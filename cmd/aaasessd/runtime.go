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
	// heapFloor is the least garbage before a collection on a large machine. A collection with a
	// million sessions uses both of two processors for 100 ms, and answers that come meanwhile are
	// late. With less garbage it is so frequent that it decides their p99.
	heapFloor = 512 << 20
	// hostShare is the part of the host's memory that this may be, and floorShare the part of a
	// memory limit, as divisors.
	hostShare, floorShare = 32, 16
)

// tune sets up the Go runtime for a process that waits for the disk most of the time, unless
// GOMAXPROCS and GOGC are set. host is the memory that the process may use, in octets. The caller must
// keep the result alive.
func tune(getenv func(string) string, host uint64) []byte {
	if getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + waitingThreads)
	}
	if getenv("GOGC") != "" {
		return nil
	}
	// A collection starts when the heap has twice the size of the live data, and this counts as
	// live data. It is never written to, so it uses address space but no memory. A memory limit
	// counts it, so it is small then.
	return make([]byte, min(heapFloor, host/hostShare, uint64(debug.SetMemoryLimit(-1))/floorShare))
}

// tuned calls a function after tune.
func tuned(fn func() error) error {
	floor := tune(os.Getenv, hostMemory("/"))
	defer runtime.KeepAlive(floor)
	return fn()
}
