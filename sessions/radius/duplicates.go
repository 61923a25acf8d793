package radius

import (
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/radius"
)

const (
	// copyWithin is how long after its answer the same datagram is a copy (R24).
	copyWithin = 30 * time.Second
	// rebootCopyWithin is how long after its answer, or after it was passed to the sink, an Accounting-On or -Off is a copy.
	// It is short because these change so little: a NAS that restarts may send the very octets of its last start, from the
	// same port and with the same identifier, and sessions that began in between are over.
	rebootCopyWithin = 2 * time.Second
	// generation is how long a duplicates table collects before it is put aside for as long again: an answer is remembered
	// for at least copyWithin, and forgotten within twice that.
	generation = copyWithin
	// generationCap bounds a generation: at about 60 octets a request, two full ones have 32 MB for each socket. A full one is
	// put aside early: at more than 8,700 requests a second they are remembered for a shorter time. What comes again after
	// that is left to the sink, which knows copies too: one more look at the session is cheaper than the memory.
	generationCap = 1 << 18
)

// requestKey is what makes two datagrams the same (RFC 5080 section 2.2.2). It has no pointer, so
// that the garbage collector need not look at the tables.
type requestKey struct {
	auth       radius.Authenticator
	addr       [16]byte
	port       uint16
	identifier byte
}

func keyOf(p radius.Packet, from netip.AddrPort) requestKey {
	return requestKey{p.Authenticator(), from.Addr().As16(), from.Port(), p.Identifier()}
}

// progress is how far a request is.
type progress uint8

const (
	newRequest progress = iota
	inProgress          // the sink has it
	answered
)

// sighting is what is known of a request.
type sighting struct {
	at       uint32 // when it began or, once it is answered, when that was: milliseconds since the table's birth, modulo 2^32
	progress progress
}

// duplicateTable remembers requests in two generations. It may be used by any goroutine. Its times are those of the
// monotonic clock: a step of the wall clock makes no copy and no new request.
type duplicateTable struct {
	limit int // of a generation

	mu            sync.Mutex
	recent, older map[requestKey]sighting
	birth, since  time.Time // when the table, and when recent, began; zero before the first request
}

func newDuplicateTable(limit int) *duplicateTable {
	return &duplicateTable{limit: limit, recent: map[requestKey]sighting{}}
}

// begin says how far the request is, and makes a new one inProgress. One that was answered is a copy within the time given;
// reboot says that it is an Accounting-On or -Off.
func (d *duplicateTable) begin(k requestKey, reboot bool, now time.Time) progress {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turn(now)
	s, known := d.recent[k]
	if !known {
		s, known = d.older[k]
	}
	within := copyWithin
	if reboot {
		within = rebootCopyWithin
	}
	// What the sink has is in progress however long that takes, but a NAS that starts again does not wait for it.
	if known && (d.age(s, now) <= within || s.progress == inProgress && !reboot) {
		return s.progress
	}
	d.recent[k] = sighting{d.clock(now), inProgress}
	return newRequest
}

// end says what became of a request that is inProgress. One that was not answered is forgotten:
// when it comes again it is a new one.
func (d *duplicateTable) end(k requestKey, ok bool, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turn(now)
	delete(d.older, k)
	if ok { // also when it took longer than we remember
		d.recent[k] = sighting{d.clock(now), answered}
	} else {
		delete(d.recent, k)
	}
}

// turn puts recent aside when its time is over or it is full.
func (d *duplicateTable) turn(now time.Time) {
	if d.birth.IsZero() {
		d.birth, d.since = now, now
	}
	switch age := now.Sub(d.since); {
	case age >= 2*generation:
		d.recent, d.older, d.since = map[requestKey]sighting{}, nil, now
	case age >= generation || len(d.recent) >= d.limit:
		// As large as the one before, so that it need not grow under load.
		d.recent, d.older, d.since = make(map[requestKey]sighting, len(d.recent)), d.recent, now
	}
}

func (d *duplicateTable) clock(now time.Time) uint32 { return uint32(now.Sub(d.birth).Milliseconds()) }

// age is how long ago s was: less than zero if now was read a moment before s was. Nothing here is as old as half of the
// clock's round of 49 days.
func (d *duplicateTable) age(s sighting, now time.Time) time.Duration {
	return time.Duration(int32(d.clock(now)-s.at)) * time.Millisecond
}
