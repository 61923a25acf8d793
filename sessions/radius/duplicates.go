package radius

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// generation is how long a duplicates table collects before it is put aside for as long again:
	// a request is remembered for 15 to 30 s.
	generation = 15 * time.Second
	// generationCap bounds a generation, at about 50 octets a request. When it is full it is put
	// aside early: at more than 17,000 requests a second they are remembered for a shorter time,
	// and what comes again after that is left to the sink, which knows duplicates of events.
	generationCap = 1 << 18
)

// requestKey is what makes two datagrams the same (RFC 5080 section 2.2.2). It has no pointer, so
// that the garbage collector need not look at the tables.
type requestKey struct {
	auth       authenticator
	addr       [16]byte
	port       uint16
	identifier byte
}

func keyOf(p packet, from netip.AddrPort) requestKey {
	return requestKey{p.authenticator(), from.Addr().As16(), from.Port(), p.identifier()}
}

// progress is how far a request is.
type progress uint8

const (
	newRequest progress = iota
	inProgress          // the sink has it
	answered
)

// duplicateTable remembers requests in two generations. It may be used by any goroutine.
type duplicateTable struct {
	limit int // of a generation

	mu            sync.Mutex
	recent, older map[requestKey]progress
	since         time.Time // when recent began
}

func newDuplicateTable(limit int) *duplicateTable {
	return &duplicateTable{limit: limit, recent: map[requestKey]progress{}}
}

// begin says how far the request is, and makes a new one inProgress.
func (d *duplicateTable) begin(k requestKey, now time.Time) progress {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch age := now.Sub(d.since); {
	case age >= 2*generation:
		d.recent, d.older, d.since = map[requestKey]progress{}, nil, now
	case age >= generation || len(d.recent) >= d.limit:
		// As large as the one before, so that it need not grow under load.
		d.recent, d.older, d.since = make(map[requestKey]progress, len(d.recent)), d.recent, now
	}
	if p := d.recent[k]; p != newRequest {
		return p
	}
	if p := d.older[k]; p != newRequest {
		return p
	}
	d.recent[k] = inProgress
	return newRequest
}

// end says what became of a request that is inProgress. One that was not answered is forgotten:
// when it comes again it is a new one.
func (d *duplicateTable) end(k requestKey, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.recent
	if m[k] == newRequest {
		m = d.older
	}
	switch {
	case m[k] == newRequest: // it took longer than we remember
	case ok:
		m[k] = answered
	default:
		delete(m, k)
	}
}
