package sessions

import (
	"hash/maphash"
	"time"
)

// endings remembers sessions that are over, by what their NAS called them, so that copies of their
// packets make no new ones. It keeps a hash of the name only: two names with one hash in the same
// hour would at worst make a late packet look like a copy.
type endings struct {
	keep  time.Duration
	max   int
	seed  maphash.Seed
	known map[uint64]ending
	order []forget // oldest first
}

type ending struct {
	id    ID
	at    time.Duration // since 1970
	stamp uint32        // the newest Event-Timestamp, 0 if there was none
	// stopped: by its stop. Else we ended it, on the word of its NAS's Accounting-On say, and copies of
	// its packets are not to be expected.
	stopped bool
}

type forget struct {
	hash uint64
	id   ID
	from time.Duration
}

func (e *endings) hash(nas NAS, sid string) uint64 {
	var h maphash.Hash
	h.SetSeed(e.seed)
	a := nas.Addr.As16()
	_, _ = h.Write(a[:])
	_, _ = h.WriteString(nas.Addr.Zone())
	_ = h.WriteByte(0)
	_, _ = h.WriteString(nas.Identifier)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(sid)
	return h.Sum64()
}

// of is the ending of the session of that name, zero if none is remembered.
func (e *endings) of(nas NAS, sid string) ending { return e.known[e.hash(nas, sid)] }

// add remembers an ended session; stopped as in ending.
func (e *endings) add(s *Session, now time.Duration, stopped bool) {
	h := e.hash(*s.NAS, s.AcctSessionID)
	// Not before an earlier one of that name, whatever the stop says: so it is also after a restart.
	e.known[h] = ending{id: s.ID, at: max(s.Heard, e.known[h].at), stamp: s.EventStamp, stopped: stopped}
	e.order = append(e.order, forget{hash: h, id: s.ID, from: max(now, s.Heard) + e.keep})
}

// expired takes out one session that need not be remembered any longer.
func (e *endings) expired(now time.Duration) (ID, bool) {
	if len(e.order) == 0 || e.order[0].from > now && len(e.order) <= e.max {
		return 0, false
	}
	f := e.order[0]
	e.order = e.order[1:]
	if e.known[f.hash].id == f.id {
		delete(e.known, f.hash)
	}
	return f.id, true
}
