package radius

import (
	"sync"
	"time"
)

const (
	// copyWithin is how long after its answer an identical datagram counts as a copy (R24).
	copyWithin = 30 * time.Second
	// rebootCopyWithin is the same for an Accounting-On or -Off; without an answer it counts from
	// when the sink received it. It is short because these packets hardly differ: after a restart a
	// NAS may send the identical octets from the same port, with the same identifier, and the
	// sessions that began since the last restart are over.
	rebootCopyWithin = 2 * time.Second
	// generation is the span of generations: an answer is remembered for at least copyWithin and at
	// most twice that.
	generation = copyWithin
	// generationCap bounds one generation. At about 100 octets a request, two full generations use
	// 50 MB for each socket. A full generation is retired early, so above 8,700 requests a second
	// answers are remembered for a shorter time. The sink recognises later copies: one more look at
	// the session costs less than the memory.
	generationCap = 1 << 18
)

// progress is the state of a request.
type progress uint8

const (
	newRequest progress = iota
	inFlight            // the sink has not called back yet
	answered
)

// requestState is the state of a request and its time.
type requestState struct {
	// at is when the request began or, once answered, when it was answered: milliseconds since the
	// table's epoch, modulo 2^32.
	at       uint32
	progress progress
}

// duplicateTable remembers the Accounting-Requests of a socket in two generations. It may be used from
// any goroutine. It uses the monotonic clock, so a step of the wall clock does not affect it.
type duplicateTable struct {
	limit int // requests in one generation

	mu sync.Mutex
	generations[requestState]
	// epoch is when the table began, and newest when a request was last entered or ended. Both are
	// zero before the first request.
	epoch, newest time.Time
}

func newDuplicateTable(limit int) *duplicateTable {
	return &duplicateTable{limit: limit, generations: newGenerations[requestState](generation)}
}

// begin returns the state of a request and marks a new one as inFlight. reboot is true for an
// Accounting-On or -Off. An answered request counts as a copy for copyWithin, or rebootCopyWithin.
func (d *duplicateTable) begin(k requestKey, reboot bool, now time.Time) progress {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rotate(now)
	s, known := d.find(k)
	within := copyWithin
	if reboot {
		within = rebootCopyWithin
	}
	// A request that the sink holds stays in flight however long that takes. A NAS that restarts
	// does not wait for it.
	if known && (d.age(s, now) <= within || s.progress == inFlight && !reboot) {
		return s.progress
	}
	d.newest = now
	d.recent[k] = requestState{d.millis(now), inFlight}
	return newRequest
}

// end records the result of a request that is inFlight. A request that was not answered is
// forgotten: a retransmission counts as new.
func (d *duplicateTable) end(k requestKey, ok bool, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rotate(now)
	d.newest = now
	delete(d.older, k)
	if ok { // also if it took longer than a generation
		d.recent[k] = requestState{d.millis(now), answered}
	} else {
		delete(d.recent, k)
	}
}

// forget frees the memory of a table that has not been used for copyWithin. No answered request
// counts as a copy any longer, so all are forgotten; requests in flight stay. It returns how many
// were forgotten.
func (d *duplicateTable) forget(now time.Time) (forgotten int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.newest) <= copyWithin {
		return 0
	}
	kept := map[requestKey]requestState{}
	for _, requests := range []map[requestKey]requestState{d.older, d.recent} {
		for k, s := range requests {
			if s.progress == inFlight {
				kept[k] = s
			} else {
				forgotten++
			}
		}
	}
	if forgotten > 0 {
		d.reset(kept, now)
	}
	return forgotten
}

func (d *duplicateTable) rotate(now time.Time) {
	if d.epoch.IsZero() {
		d.epoch = now
	}
	d.generations.rotate(len(d.recent) >= d.limit, now)
}

func (d *duplicateTable) millis(now time.Time) uint32 { return uint32(now.Sub(d.epoch).Milliseconds()) }

// age returns how long ago s was. It is negative if now was read just before s was recorded. No
// entry is older than half of the clock's period of 49 days.
func (d *duplicateTable) age(s requestState, now time.Time) time.Duration {
	return time.Duration(int32(d.millis(now)-s.at)) * time.Millisecond
}
