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
	answers generations[keptAnswer]
	// octets has the answers of the recent generation, older those of the older one.
	octets, older answerOctets
	newest        time.Time // when a request was last answered
}

// keptAnswer says where in the octets of its generation an answer is. It contains no pointer, so the
// garbage collector does not scan the map: with one pointer for each of 100,000 answers, its work
// delayed new ones.
type keptAnswer struct {
	chunk, at uint32
	length    uint16
	code      radius.Code
}

func newLoginTable(limit int) *loginTable {
	return &loginTable{
		limit: limit, inFlight: map[requestKey]*exchange{}, latest: map[sourceKey]*exchange{},
		answers: newGenerations[keptAnswer](loginSpan),
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
	if a, known := t.answers.recent[k]; known {
		return answered, t.octets.answer(a)
	}
	if a, known := t.answers.older[k]; known {
		return answered, t.older.answer(a)
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

// end ends a request that is in flight. If the answer has octets, a copy is kept, which end returns.
// waits reports whether the NAS still waits for it: it does not if it has sent another request with the
// identifier since.
func (t *loginTable) end(x *exchange, a loginAnswer, now time.Time) (kept []byte, waits bool) {
	k := x.key
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.inFlight, k)
	if waits = t.latest[k.sourceKey] == x; waits {
		delete(t.latest, k.sourceKey)
	}
	if a.encoded != nil {
		t.rotate(now)
		t.answers.recent[k], kept = t.octets.add(a)
		t.newest = now
	}
	return kept, waits
}

// rotate retires the recent generation if it is too old or too large.
func (t *loginTable) rotate(now time.Time) {
	if t.answers.rotate(t.octets.size >= t.limit, now) {
		t.octets, t.older = answerOctets{}, t.octets
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
		t.answers, t.octets, t.older = newGenerations[keptAnswer](loginSpan), answerOctets{}, answerOctets{}
	}
	return forgotten
}

// answerChunk is how many octets are allocated at once for answers.
const answerChunk = 16 * radius.MaxPacket

// answerOctets has the octets of the answers of one generation. They do not change once they are
// written, so an answer may be read without a lock for as long as somebody needs it.
type answerOctets struct {
	chunks [][]byte
	size   int // of all answers, with loginOverhead for each
}

// add copies an answer, and returns where it is and its octets.
func (o *answerOctets) add(a loginAnswer) (at keptAnswer, octets []byte) {
	last := len(o.chunks) - 1
	if last < 0 || cap(o.chunks[last])-len(o.chunks[last]) < len(a.encoded) {
		o.chunks = append(o.chunks, make([]byte, 0, max(answerChunk, len(a.encoded))))
		last++
	}
	chunk := append(o.chunks[last], a.encoded...)
	begin := len(o.chunks[last])
	o.chunks[last] = chunk
	o.size += len(a.encoded) + loginOverhead
	return keptAnswer{uint32(last), uint32(begin), uint16(len(a.encoded)), a.code}, chunk[begin:len(chunk):len(chunk)]
}

// answer returns an answer that was added.
func (o *answerOctets) answer(at keptAnswer) loginAnswer {
	end := at.at + uint32(at.length)
	return loginAnswer{at.code, o.chunks[at.chunk][at.at:end:end]}
}
