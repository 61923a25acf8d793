package sessions

import "iter"

// Counters are the scalars of CISCO-AAA-SESSION-MIB. They live across restarts (R6).
type Counters struct {
	HighWater    uint32 // casnActiveTableHighWaterMark
	Total        uint64 // casnTotalSessions; the object shows it modulo 2^32
	Disconnected uint64 // casnDisconnectedSessions, likewise
}

// View is the table at one moment: the sessions that are not over, in order of their ids, and the
// counters; see [Table.View]. It never changes and may be read by any number of goroutines.
type View struct {
	Counters
	counted *Counters // of which Counters is a copy
	root    *node
	n       int
}

// Len is casnActiveTableEntries.
func (v *View) Len() int { return v.n }

// Get finds the session with this id, or nil.
func (v *View) Get(id ID) *Session { return find(v.root, id) }

// From finds the first session whose id is id or greater, or nil.
func (v *View) From(id ID) *Session { return ceiling(v.root, id) }

// All yields the sessions in order.
func (v *View) All() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		for s := v.From(1); s != nil && yield(s); s = v.From(s.ID + 1) {
			if s.ID+1 == 0 {
				return
			}
		}
	}
}
