package main

import (
	"os"
	"runtime"
)

const (
	// waitingThreads is how many threads wait for the disk at times. The runtime takes a processor away
	// from one that does only after a while, up to 10 ms, in which nobody else has it. On a machine of two
	// processors two more brought a fifth more answers a second.
	waitingThreads = 2
	// heapFloor is how much garbage may gather, whatever else is in memory. With a small table the
	// collector would run several times a second, and answers wait for it.
	heapFloor = 128 << 20
)

// tune sets up the Go runtime for a process that waits for the disk all the time, unless the
// environment (GOMAXPROCS, GOGC) says how. What it returns is to be kept alive.
func tune(getenv func(string) string) []byte {
	if getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + waitingThreads)
	}
	if getenv("GOGC") != "" {
		return nil
	}
	// The collector's next run is at twice what is alive, this included. It is never written to, so
	// that it takes addresses and no memory.
	return make([]byte, heapFloor)
}

// tuned runs a function in a runtime that is set up for it.
func tuned(fn func() error) error {
	floor := tune(os.Getenv)
	defer runtime.KeepAlive(floor)
	return fn()
}
