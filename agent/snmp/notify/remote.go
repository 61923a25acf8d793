package notify

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"aaasess/agent/snmp/usm"
)

// timeWindow is how far the time of a message may be behind (RFC 3414 section 2.2.3).
const timeWindow = 150

// remote is what we know of the engine of a receiver of v3 informs, which is the authoritative one
// (RFC 3414 section 2.3).
type remote struct {
	user  *usm.User
	own   []byte // our engine id, which no receiver may have
	fixed bool   // the id is configured

	id     []byte    // snmpEngineID; nil: to be discovered
	keys   *usm.Keys // of the user at the engine keysOf, which is id if there is one
	keysOf []byte    // an engine that goes away and comes back costs nothing

	// heard is when the last authentic message came; zero: none of this engine did, its clock is not
	// known. A user without authentication needs no clock.
	heard  time.Time
	boots  int32 // snmpEngineBoots
	time   int32 // snmpEngineTime when latest was raised
	at     time.Time
	latest int32 // latestReceivedEngineTime
	// maxSize is the msgMaxSize of its last authentic message, 0: not known.
	maxSize int32
}

// newRemote begins with the configured engine id, or none.
func newRemote(r *receiver, own []byte) (*remote, error) {
	m := &remote{user: &r.User, own: own}
	if len(r.EngineID) == 0 {
		return m, nil
	}
	if err := m.adopt(r.EngineID); err != nil {
		return nil, err
	}
	m.fixed = true
	return m, nil
}

// adopt takes an engine id that the receiver reported, and localizes the user's keys to it.
func (r *remote) adopt(id []byte) error {
	switch {
	case r.fixed:
		return fmt.Errorf("%w: is %x, configured is %x", ErrEngine, id, r.id)
	case len(id) < minEngineID || len(id) > maxEngineID:
		return fmt.Errorf("%w: id of %d octets, %d..%d are allowed", ErrEngine, len(id), minEngineID, maxEngineID)
	case bytes.Equal(id, r.own):
		// Messages made for such a receiver would be good for our own responder, too.
		return fmt.Errorf("%w: has our own id %x", ErrEngine, id)
	}
	if !bytes.Equal(id, r.keysOf) {
		keys, err := r.user.Keys(id)
		if err != nil {
			return err
		}
		r.keys, r.keysOf = keys, bytes.Clone(id)
	}
	r.forget()
	r.id = r.keysOf
	return nil
}

// forget has the engine discovered and its clock read again: it has not been heard of for too long.
func (r *remote) forget() {
	if !r.fixed {
		r.id = nil
	}
	r.heard, r.boots, r.time, r.latest, r.maxSize = time.Time{}, 0, 0, 0, 0
}

// synchronised reports whether messages can be expected to be in the engine's time window.
func (r *remote) synchronised() bool {
	return r.user.Auth == usm.NoAuth || !r.heard.IsZero()
}

// clock gives msgAuthoritativeEngineBoots and -Time for a message sent now: zeros as long as they are
// not known, which makes the receiver tell them (RFC 3414 section 4).
func (r *remote) clock(now time.Time) (boots, seconds int32) {
	if r.user.Auth == usm.NoAuth || r.heard.IsZero() {
		return 0, 0
	}
	passed := max(0, int64(now.Sub(r.at)/time.Second))
	return r.boots, int32(min(int64(r.time)+passed, math.MaxInt32))
}

// hear takes boots and time of an authentic message (RFC 3414 section 3.2 step 7b). It reports whether
// the message is in the time window; one that is not must be discarded.
func (r *remote) hear(boots, seconds int32, now time.Time) bool {
	if boots > r.boots || boots == r.boots && seconds > r.latest {
		r.boots, r.time, r.latest, r.at = boots, seconds, seconds, now
	}
	if r.heard.IsZero() && boots == 0 && seconds == 0 {
		r.at = now // a receiver without clock: our own notion of it begins at zero
	}
	notion := r.boots == boots && r.boots != math.MaxInt32
	if notion && !r.heard.IsZero() {
		_, local := r.clock(now)
		notion = int64(seconds) >= int64(local)-timeWindow
	}
	if notion {
		r.heard = now
	}
	return notion
}
