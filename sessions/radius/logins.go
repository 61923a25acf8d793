package radius

import (
	"sync"
	"time"

	"aaasess/internal/radius"
)

const (
	// loginSpan is how long an answer is kept at least; it is kept for less than twice that. RFC 5080
	// section 2.2.2 says 5 to 30 seconds.
	loginSpan = 10 * time.Second
	// loginGenerationOctets bounds the answers that one socket keeps in each of two generations. With
	// more, they are kept for a shorter time. A copy of a request whose answer is no longer kept goes
	// to the server.
	loginGenerationOctets = 16 << 20
	// loginOverhead is about what an answer needs beside its octets.
	loginOverhead = 160
)

// loginAnswer is the answer to an Access-Request, a Disconnect-Request or a CoA-Request.
type loginAnswer struct {
	code    radius.Code
	encoded []byte // not changed any more
}

// loginTable recognises copies of the Access-Requests of a socket (RFC 5080 section 2.2.2), or of its
// Disconnect-Requests and CoA-Requests (RFC 5176 section 2.3), and keeps the answers for them. It may
// be used from any goroutine.
type loginTable struct {
	limit int // octets of one generation, with loginOverhead for each answer

	mu       sync.Mutex
	inFlight map[requestKey]*exchange
	// latest has, for each source with requests in flight, the one that came last.
	latest  map[sourceKey]*exchange
	answers generations[loginAnswer]
	octets  int       // of the recent generation
	newest  time.Time // when a request was last answered
}

func newLoginTable(limit int) *loginTable {
	return &loginTable{
		limit: limit, inFlight: map[requestKey]*exchange{}, latest: map[sourceKey]*exchange{},
		answers: newGenerations[loginAnswer](loginSpan),
	}
}

// find returns what is known of a request, and the answer of an answered one.
func (t *loginTable) find(k requestKey, now time.Time) (progress, loginAnswer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inFlight[k] != nil {
		return inFlight, loginAnswer{}
	}
	t.rotate(now)
	if a, known := t.answers.find(k); known {
		return answered, a
	}
	return newRequest, loginAnswer{}
}

// begin enters a new request.
func (t *loginTable) begin(x *exchange) {
	k := x.key
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight[k], t.latest[k.sourceKey] = x, x
}

// end ends a request that is in flight. If the answer has octets, it is kept for copies. end reports
// whether the NAS still waits for it: it does not if it has sent another request with the identifier
// since.
func (t *loginTable) end(x *exchange, a loginAnswer, now time.Time) (waits bool) {
	k := x.key
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.inFlight, k)
	if waits = t.latest[k.sourceKey] == x; waits {
		delete(t.latest, k.sourceKey)
	}
	if a.encoded != nil {
		t.rotate(now)
		t.answers.recent[k] = a
		t.octets += len(a.encoded) + loginOverhead
		t.newest = now
	}
	return waits
}

// rotate retires the recent generation if it is too old or too large.
func (t *loginTable) rotate(now time.Time) {
	if t.answers.rotate(t.octets >= t.limit, now) {
		t.octets = 0
	}
}

// forget frees the memory of a table that has kept no answer for loginSpan. It returns how many
// answers were forgotten.
func (t *loginTable) forget(now time.Time) (forgotten int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.newest) <= loginSpan {
		return 0
	}
	forgotten = len(t.answers.recent) + len(t.answers.older)
	if forgotten > 0 {
		t.answers, t.octets = newGenerations[loginAnswer](loginSpan), 0
	}
	return forgotten
}
