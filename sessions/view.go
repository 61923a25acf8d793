package sessions

import "iter"

// Counters are the scalars of CISCO-AAA-SESSION-MIB. They survive restarts (R6).
type Counters struct {
	HighWater    uint32 // casnActiveTableHighWaterMark
	Total        uint64 // casnTotalSessions; the object shows it modulo 2^32
	Disconnected uint64 // casnDisconnectedSessions; the object shows it modulo 2^32
}

// View is the table at one moment: the live sessions in order of their ids, and the counters; see
// [Table.View]. It never changes. Any number of goroutines may read it.
type View struct {
	Counters
	counted *Counters // Counters is a copy of it
	root    *node
	n       int
}

// Len returns casnActiveTableEntries.
func (v *View) Len() int { return v.n }

// Get returns the session with this id, or nil.
func (v *View) Get(id ID) *Session { return find(v.root, id) }

// From returns the first session whose id is at least id, or nil.
func (v *View) From(id ID) *Session { return ceiling(v.root, id) }

// All yields the sessions in order of their ids.
func (v *View) All() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		for s := v.From(1); s != nil && yield(s); s = v.From(s.ID + 1) {
			if s.ID+1 == 0 {
				return
			}
		}
	}
}
