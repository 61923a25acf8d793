package notify

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"aaasess/agent/snmp/usm"
)

// timeWindow is how many seconds the time of a message may be behind (RFC 3414 section 2.2.3).
const timeWindow = 150

// remote is the state of the engine of a receiver of v3 informs, which is authoritative (RFC 3414
// section 2.3).
type remote struct {
	user  *usm.User
	ownID []byte // our engine id, which no receiver may have
	fixed bool   // the id is configured

	id     []byte    // snmpEngineID; nil means that it must be discovered
	keys   *usm.Keys // of the user at the engine keysOf, which equals id if id is known
	keysOf []byte    // kept when id is forgotten: an engine that returns needs no new keys

	// lastAuthentic is the time of the last authentic message. If it is zero, there was none from this
	// engine and its clock is unknown. A user without authentication needs no clock.
	lastAuthentic time.Time
	boots         int32 // snmpEngineBoots
	time          int32 // snmpEngineTime when latest was last increased
	at            time.Time
	latest        int32 // latestReceivedEngineTime
	// maxSize is the msgMaxSize of the last authentic message; 0 means unknown.
	maxSize int32
}

func newRemote(r *receiver, own []byte) (*remote, error) {
	m := &remote{user: &r.User, ownID: own}
	if len(r.EngineID) == 0 {
		return m, nil
	}
	if err := m.adopt(r.EngineID); err != nil {
		return nil, err
	}
	m.fixed = true
	return m, nil
}

// adopt sets the engine id that the receiver reported, and localizes the user's keys to it.
func (r *remote) adopt(id []byte) error {
	switch {
	case r.fixed:
		return fmt.Errorf("%w: id is %x, configured is %x", ErrEngine, id, r.id)
	case len(id) < minEngineID || len(id) > maxEngineID:
		return fmt.Errorf("%w: id has %d octets, want %d..%d", ErrEngine, len(id), minEngineID, maxEngineID)
	case bytes.Equal(id, r.ownID):
		// Our own responder would accept messages made for such a receiver.
		return fmt.Errorf("%w: id %x is our own", ErrEngine, id)
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

// forget discards the state of an engine that has not answered for too long, so that its id is
// discovered and its clock read again.
func (r *remote) forget() {
	if !r.fixed {
		r.id = nil
	}
	r.lastAuthentic, r.boots, r.time, r.latest, r.maxSize = time.Time{}, 0, 0, 0, 0
}

// synchronised reports whether our messages should be in the engine's time window.
func (r *remote) synchronised() bool {
	return r.user.Auth == usm.NoAuth || !r.lastAuthentic.IsZero()
}

// clock returns msgAuthoritativeEngineBoots and -Time for a message sent now. If they are unknown,
// it returns zeros, and the receiver reports them (RFC 3414 section 4).
func (r *remote) clock(now time.Time) (boots, seconds int32) {
	if r.user.Auth == usm.NoAuth || r.lastAuthentic.IsZero() {
		return 0, 0
	}
	passed := max(0, int64(now.Sub(r.at)/time.Second))
	return r.boots, int32(min(int64(r.time)+passed, math.MaxInt32))
}

// synchronise processes boots and time of an authentic message (RFC 3414 section 3.2 step 7b). It
// reports whether the message is in the time window; if not, the message must be discarded.
func (r *remote) synchronise(boots, seconds int32, now time.Time) bool {
	if boots > r.boots || boots == r.boots && seconds > r.latest {
		r.boots, r.time, r.latest, r.at = boots, seconds, seconds, now
	}
	if r.lastAuthentic.IsZero() && boots == 0 && seconds == 0 {
		r.at = now // a receiver without a clock: our estimate starts at zero
	}
	inWindow := r.boots == boots && r.boots != math.MaxInt32
	if inWindow && !r.lastAuthentic.IsZero() {
		_, local := r.clock(now)
		inWindow = int64(seconds) >= int64(local)-timeWindow
	}
	if inWindow {
		r.lastAuthentic = now
	}
	return inWindow
}
