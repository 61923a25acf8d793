package radius

import (
	"sync"
	"time"
)

const (
	// replaySpan is how long the Event-Timestamp of a request is accepted at most: from timestampWindow
	// before the time that it names, until as long after it.
	replaySpan = 2 * timestampWindow
	// replayLimit bounds the requests of one generation; with more, they are remembered for a shorter
	// time.
	replayLimit = 1 << 16
)

// replays remembers requests of servers that were answered. Within timestampWindow, a request that
// somebody has recorded would pass all other checks (RFC 5176 section 6.3). It may be used from any
// goroutine.
type replays struct {
	mu       sync.Mutex
	requests generations[struct{}]
}

func newReplays() replays { return replays{requests: newGenerations[struct{}](replaySpan)} }

// replayKey is the key of a request from any port: the authenticator covers all of its octets.
func replayKey(k requestKey) requestKey {
	return requestKey{k.auth, sourceKey{addr: k.addr}}
}

// answered remembers a request.
func (r *replays) answered(k requestKey, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests.rotate(len(r.requests.recent) >= replayLimit, now)
	r.requests.recent[replayKey(k)] = struct{}{}
}

// knows reports whether a request was answered before.
func (r *replays) knows(k requestKey, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests.rotate(false, now)
	_, known := r.requests.find(replayKey(k))
	return known
}
