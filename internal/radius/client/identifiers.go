package client

import (
	"time"

	"aaasess/internal/radius"
)

// perConn is how many identifiers a Conn has.
const perConn = radius.IdentifiersPerSocket

// none is no attempt.
const none = -1

// attemptState is what an identifier is used for.
type attemptState uint8

const (
	free       attemptState = iota // in the pool
	preparing                      // taken, its request is not sent yet: no answer can be right
	waiting                        // the present attempt of its exchange
	superseded                     // on the list old: a later attempt was made, or the exchange is settled
)

// attempt is one identifier of one Conn, and the request that uses it.
type attempt struct {
	exchange   *exchange // nil if free
	auth       radius.Authenticator
	sent       time.Time
	serial     uint32 // of the path: tells each use of an identifier from all others
	state      attemptState
	prev, next int32 // on the list old
}

// identifiers is all identifiers of one server: number n is identifier n%256 of Conn n/256. An
// identifier goes back to the pool with its answer, else it stays with its attempt as long as it can.
type identifiers struct {
	attempts []attempt
	pool     radius.IdentifierPool
	old      list          // superseded, the longest ago first
	limit    int           // of len(attempts)
	linger   time.Duration // from when on a superseded attempt is given up for its identifier
	taken    uint32        // how many were, also before the server moved
}

// newIdentifiers has none yet; limit and linger are the path's to set.
func newIdentifiers() identifiers { return identifiers{old: list{none, none}} }

// identifierLimit is how many identifiers a group with this window has at most: twice as many, in whole Conns, since each
// exchange may wait for the answer to an earlier attempt, too.
func identifierLimit(window int) int { return 2 * ((window + perConn - 1) / perConn) * perConn }

// grow adds the identifiers of one more Conn.
func (ids *identifiers) grow() {
	ids.attempts = append(ids.attempts, make([]attempt, perConn)...)
	ids.pool.Grow()
}

// full reports whether there are as many Conns as there may be.
func (ids *identifiers) full() bool { return len(ids.attempts) >= ids.limit }

// take finds an identifier for x: a free one, else that of an attempt that was superseded long
// ago. If there is none it gives none when another Conn may be opened, and with force the
// longest superseded one, as long as there is any.
func (ids *identifiers) take(x *exchange, now time.Time, force bool) int {
	n, ok := ids.pool.Take()
	if !ok {
		n = ids.old.first()
		if n == none || !force && !ids.full() && now.Sub(ids.attempts[n].sent) < ids.linger {
			return none
		}
		ids.old.remove(ids.attempts, n)
	}
	a := &ids.attempts[n]
	a.exchange, a.state, a.sent = x, preparing, now
	ids.taken++
	a.serial = ids.taken
	return n
}

// arm makes answers to attempt n possible. It reports false if n is another's by now.
func (ids *identifiers) arm(n int, serial uint32, auth radius.Authenticator) bool {
	if n >= len(ids.attempts) { // the server has moved
		return false
	}
	a := &ids.attempts[n]
	if a.serial != serial || a.state != preparing {
		return false
	}
	a.auth, a.state = auth, waiting
	return true
}

// pending is the attempt with this number, if an answer to it may come.
func (ids *identifiers) pending(n int) (attempt, bool) {
	if n >= len(ids.attempts) {
		return attempt{}, false
	}
	a := ids.attempts[n]
	return a, a.state == waiting || a.state == superseded
}

// supersede takes attempt n from its exchange, whose identifier stays reserved for a late answer.
func (ids *identifiers) supersede(n int) {
	a := &ids.attempts[n]
	switch a.state {
	case preparing: // was never sent
		ids.release(n)
	case waiting:
		a.state = superseded
		ids.old.push(ids.attempts, n)
	}
}

// release makes identifier n free.
func (ids *identifiers) release(n int) {
	a := &ids.attempts[n]
	if a.state == free {
		return
	}
	if a.state == superseded {
		ids.old.remove(ids.attempts, n)
	}
	a.exchange, a.state = nil, free
	ids.pool.Release(n)
}

// list is a list of attempts by their numbers, linked inside them: the first and the last.
type list struct{ head, tail int32 }

func (l *list) first() int { return int(l.head) }

func (l *list) push(all []attempt, n int) {
	a := &all[n]
	a.prev, a.next = l.tail, none
	if l.tail == none {
		l.head = int32(n)
	} else {
		all[l.tail].next = int32(n)
	}
	l.tail = int32(n)
}

func (l *list) remove(all []attempt, n int) {
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
