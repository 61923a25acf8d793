package radius

import (
	"sync"
	"time"
)

const (
	// replaySpan is how long the Event-Timestamp of a request is accepted at most: from timestampWindow
	// before the time that it names, until as long after it.
	replaySpan = 2 * timestampWindow
	// replayLimit bounds the answered requests of one generation; with more, they are remembered for a
	// shorter time.
	replayLimit = 1 << 16
)

// replays remembers requests of servers, from when they are taken until they are dropped, or for
// replaySpan after their answer. Within timestampWindow, a request that somebody has recorded would pass
// all other checks (RFC 5176 section 6.3). It may be used from any goroutine.
type replays struct {
	mu       sync.Mutex
	inFlight map[requestKey]struct{} // the Changer bounds them
	answered generations[struct{}]
}

func newReplays() replays {
	return replays{inFlight: map[requestKey]struct{}{}, answered: newGenerations[struct{}](replaySpan)}
}

// replayKey is the key of a request from any port and any address: the authenticator covers all of its
// octets and the secret.
func replayKey(k requestKey) requestKey { return requestKey{auth: k.auth} }

// begin remembers a request. It returns false if the request is remembered already.
func (r *replays) begin(k requestKey, now time.Time) (isNew bool) {
	k = replayKey(k)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rotate(now)
	if _, known := r.answered.find(k); known {
		return false
	}
	if _, known := r.inFlight[k]; known {
		return false
	}
	r.inFlight[k] = struct{}{}
	return true
}

// end ends a request that is in flight. If it was not answered, it is forgotten: its server may send it
// again, from any port.
func (r *replays) end(k requestKey, isAnswered bool, now time.Time) {
	k = replayKey(k)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inFlight, k)
	if isAnswered {
		r.rotate(now)
		r.answered.recent[k] = struct{}{}
	}
}

// forget frees the memory of requests that were answered too long ago. It returns how many.
func (r *replays) forget(now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.answered.recent) + len(r.answered.older)
	r.rotate(now)
	return before - len(r.answered.recent) - len(r.answered.older)
}

// rotate forgets the oldest answered requests.
func (r *replays) rotate(now time.Time) {
	r.answered.rotate(len(r.answered.recent) >= replayLimit, now)
}
