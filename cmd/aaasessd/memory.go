package main

import (
	"math"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

// memoryWatch reports when the memory in use is above nine tenths of GOMEMLIMIT. In use is what the
// collector counts against the limit, without garbage and free memory: with a limit the heap fills
// up to it with garbage, which says nothing.
type memoryWatch struct {
	limit uint64           // bytes
	used  func() uint64    // bytes; reads the runtime's metrics
	now   func() time.Time // the clock
	next  time.Time        // when used is called again
	short bool             // the last answer
}

// memoryEvery is how often the metrics are read at most.
const memoryEvery = time.Second

// newMemoryWatch returns nil if the process has no memory limit.
func newMemoryWatch() *memoryWatch {
	limit := debug.SetMemoryLimit(-1) // a negative limit only reads it
	if limit == math.MaxInt64 {
		return nil
	}
	return &memoryWatch{limit: uint64(limit), used: memoryUsed, now: time.Now}
}

// isShort reports whether memory is short. The table calls it under its lock.
func (m *memoryWatch) isShort() bool {
	if now := m.now(); !now.Before(m.next) {
		m.next = now.Add(memoryEvery)
		m.short = m.used() > m.limit/10*9
	}
	return m.short
}

// memoryUsed returns the memory that is mapped, less what is released to the system, free, or
// garbage as of the last collection.
func memoryUsed() uint64 {
	samples := []runtimemetrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
	}
	runtimemetrics.Read(samples)
	used := samples[0].Value.Uint64() + samples[1].Value.Uint64()
	for _, s := range samples[2:] {
		used -= s.Value.Uint64()
	}
	return used
}

// limitsStatus is the status of the limits of the session table.
type limitsStatus struct {
	Max             int    `json:"max"`          // sessions.max; 0: none
	RefusedByMax    uint64 `json:"refusedByMax"` // starts and interims that were not answered
	Memory          uint64 `json:"memory"`       // GOMEMLIMIT in bytes; 0: none
	RefusedByMemory uint64 `json:"refusedByMemory"`
}

func (d *daemon) limits() limitsStatus {
	refusals := d.table.Refusals()
	out := limitsStatus{Max: d.table.Max(), RefusedByMax: refusals.Max, RefusedByMemory: refusals.Memory}
	if d.memory != nil {
		out.Memory = d.memory.limit
	}
	return out
}

// sessionRefused logs that a limit has refused a session.
func (d *daemon) sessionRefused(err error) {
	if suppressed, ok := d.refusedLine.Allow(time.Now()); ok {
		d.log.Warn("new sessions are refused; their NASes send the packets again: raise sessions.max or GOMEMLIMIT",
			"sessions", d.table.View().Len(), "suppressed", suppressed, "err", err)
	}
}
