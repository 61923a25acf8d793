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
	kinds   [Command + 1]int
	setups  *node
	setUp   int // how many they are
}

// Len returns how many sessions are live.
func (v *View) Len() int { return v.n }

// Of returns how many live sessions are of a kind: [Network], [Exec] or [Connection].
func (v *View) Of(k Kind) int { return v.kinds[k] }

// Get returns the session with this id, or nil.
func (v *View) Get(id ID) *Session { return find(v.root, id) }

// From returns the first session whose id is at least id, or nil.
func (v *View) From(id ID) *Session { return ceiling(v.root, id) }

// All yields the sessions in order of their ids.
func (v *View) All() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		if v.root != nil {
			v.root.walk(yield)
		}
	}
}

// Backward yields the sessions in the reverse order of their ids.
func (v *View) Backward() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		if v.root != nil {
			v.root.walkBack(yield)
		}
	}
}

// viewEvery is after how many batches the view is made even if nobody reads it.
const viewEvery = 1024

// View returns the table as it is. Its counters are those of the newest durable commit, so a crash never
// makes them fall. Its rows are those at a moment since the newest batch of commits became durable: the
// first call after that makes the view. They may be ahead of the disk, and of the counters, by decisions
// that are not durable yet. If a crash loses these, a reader may have seen them, but nobody was answered:
// the NAS sends its packet again, and no SET or command has succeeded.
func (t *Table) View() *View {
	for {
		counters := t.durableCounters.Load() // first: who stored them has set outdated before
		if t.outdated.Load() {
			t.publish()
		}
		v := t.view.Load()
		if v.counted == counters {
			return v
		}
		if t.durableCounters.Load() != counters {
			continue // those of v may be newer, and they never fall
		}
		next := &View{Counters: *counters, counted: counters, root: v.root, n: v.n, kinds: v.kinds, setups: v.setups, setUp: v.setUp}
		if t.view.CompareAndSwap(v, next) {
			return next
		}
	}
}

// afterBatch runs when a batch has become durable, before the callbacks of its commits. Now and then it makes
// the view itself: an old one keeps the sessions in memory that events have replaced since.
func (t *Table) afterBatch() {
	t.outdated.Store(true)
	if t.batches++; t.batches%viewEvery == 0 {
		t.publish()
	}
}

// publish makes all decisions visible to readers, if a batch has become durable since it last did.
func (t *Table) publish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.outdated.Load() {
		return
	}
	if t.dirty {
		t.dirty = false
		t.view.Store(t.snapshot())
	}
	// Last, because until then other readers must wait for the lock. A batch that has become durable
	// meanwhile was decided before, so the view has it.
	t.outdated.Store(false)
}

// snapshot returns a view of the rows as they are now.
func (t *Table) snapshot() *View {
	counters := t.durableCounters.Load()
	return &View{
		Counters: *counters, counted: counters, root: t.rows.snapshot(), n: t.rows.n, kinds: t.rows.kinds, setups: t.setups.snapshot(), setUp: t.setups.n,
	}
}
