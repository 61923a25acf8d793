package client

import (
	"time"

	"aaasess/internal/radius"
)

// perConn is the number of identifiers of a Conn.
const perConn = radius.IdentifiersPerSocket

// none means no transmission.
const none = -1

// transmissionState is the state of an identifier.
type transmissionState uint8

const (
	free       transmissionState = iota // in the pool
	preparing                           // allocated, but its request is not sent yet: no answer is valid
	waiting                             // the current transmission of its exchange
	superseded                          // on the list old: a later one was made, or the exchange is settled
)

// transmission is one identifier of one Conn, with the request that uses it.
type transmission struct {
	exchange *exchange // nil if free
	auth     radius.Authenticator
	sent     time.Time
	serial   uint32 // identifies this use of the identifier, within the path
	state    transmissionState
	repeated bool // sent again since
	timedOut bool // unanswered for its Timeout
	// statusServer: the request, also the last one if the identifier is free, is a Status-Server.
	statusServer bool
	prev, next   int32 // on the list old
}

// identifiers has all identifiers of one path: number n is identifier n%256 of Conn n/256. An
// identifier returns to the pool with its answer; without one it stays with its transmission as
// long as possible.
type identifiers struct {
	transmissions []transmission
	pool          radius.IdentifierPool
	old           list          // superseded transmissions, the oldest first
	limit         int           // maximum of len(transmissions)
	linger        time.Duration // age at which a superseded transmission gives up its identifier
	allocated     uint32        // total, including those before a change of the address
}

// newIdentifiers returns an empty set; the path sets limit and linger.
func newIdentifiers() identifiers { return identifiers{old: list{none, none}} }

// identifierLimit returns the maximum number of identifiers for a group with this window: twice the
// window, in whole Conns, because each exchange may also wait for the answer to an earlier
// transmission.
func identifierLimit(window int) int { return 2 * ((window + perConn - 1) / perConn) * perConn }

// grow adds the identifiers of one more Conn.
func (ids *identifiers) grow() {
	ids.transmissions = append(ids.transmissions, make([]transmission, perConn)...)
	ids.pool.Grow()
}

// full reports whether the maximum number of Conns is open.
func (ids *identifiers) full() bool { return len(ids.transmissions) >= ids.limit }

// acquire allocates an identifier for x: a free one, else that of a transmission that was
// superseded at least linger ago. If there is none, it returns none if another Conn may be opened.
// If not, or with force, it uses the oldest superseded one, if any.
func (ids *identifiers) acquire(x *exchange, now time.Time, force bool) int {
	n, ok := ids.pool.Allocate()
	if !ok {
		n = ids.old.first()
		if n == none || !force && !ids.full() && now.Sub(ids.transmissions[n].sent) < ids.linger {
			return none
		}
		ids.old.remove(ids.transmissions, n)
	}
	a := &ids.transmissions[n]
	a.exchange, a.state, a.sent, a.repeated, a.timedOut = x, preparing, now, false, false
	a.statusServer = x.statusServer
	ids.allocated++
	a.serial = ids.allocated
	return n
}

// arm makes transmission n accept answers. It returns false if another transmission has the
// identifier now.
func (ids *identifiers) arm(n int, serial uint32, auth radius.Authenticator) bool {
	if n >= len(ids.transmissions) { // the server's address has changed
		return false
	}
	a := &ids.transmissions[n]
	if a.serial != serial || a.state != preparing {
		return false
	}
	a.auth, a.state = auth, waiting
	return true
}

// repeat notes that transmission n is sent again as it is.
func (ids *identifiers) repeat(n int, now time.Time) {
	a := &ids.transmissions[n]
	a.sent, a.repeated, a.timedOut = now, true, false
}

// pending returns the transmission with this number if it accepts an answer.
func (ids *identifiers) pending(n int) (transmission, bool) {
	if n >= len(ids.transmissions) {
		return transmission{}, false
	}
	a := ids.transmissions[n]
	return a, a.state == waiting || a.state == superseded
}

// supersede separates transmission n from its exchange; the identifier stays reserved for a late
// answer.
func (ids *identifiers) supersede(n int) {
	a := &ids.transmissions[n]
	switch a.state {
	case preparing: // was never sent
		ids.release(n)
	case waiting:
		a.state = superseded
		ids.old.push(ids.transmissions, n)
	}
}

// release frees identifier n.
func (ids *identifiers) release(n int) {
	a := &ids.transmissions[n]
	if a.state == free {
		return
	}
	if a.state == superseded {
		ids.old.remove(ids.transmissions, n)
	}
	a.exchange, a.state = nil, free
	ids.pool.Release(n)
}

// list is a doubly linked list of transmissions by number; the links are in the transmissions.
type list struct{ head, tail int32 }

func (l *list) first() int { return int(l.head) }

func (l *list) push(all []transmission, n int) {
	a := &all[n]
	a.prev, a.next = l.tail, none
	if l.tail == none {
		l.head = int32(n)
	} else {
		all[l.tail].next = int32(n)
	}
	l.tail = int32(n)
}

func (l *list) remove(all []transmission, n int) {
	a := &all[n]
	if a.prev == none {
		l.head = a.next
	} else {
		all[a.prev].next = a.next
	}
	if a.next == none {
		l.tail = a.prev
	} else {
		all[a.next].prev = a.prev
	}
}
