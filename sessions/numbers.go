package sessions

import "sync/atomic"

// numbers has the numbers of sessions that are reserved before they begin. Table.mu guards all but
// durable.
//
// The login of a session is told its number before anything of the session is durable. So the durable
// state always says that numbers of a whole block have been given: after a restart none of them is
// given to another session.
type numbers struct {
	on       bool
	reserved map[ID]struct{}
	until    ID            // the last number of the block, as of the newest commit; 0 if there was none
	durable  atomic.Uint32 // the last number of the newest durable block
}

const (
	// numberBlock is how many numbers a block has. So many are skipped at most after a restart.
	numberBlock = 1 << 14
	// numbersLeft is how many numbers of the block are left when the next commit begins a new one.
	numbersLeft = numberBlock / 2
)

// isBehind reports whether a was given before b. The numbers wrap, so it looks at the shorter way.
func (a ID) isBehind(b ID) bool { return int32(b-a) > 0 }

// extended returns the number that the durable state says was given last: the end of the block if
// numbers are reserved, else last.
func (n *numbers) extended(last ID) ID {
	switch {
	case !n.on:
		n.until = 0
		return last
	case n.until == 0 || n.isLow(last):
		n.until = max(1, last+numberBlock)
	}
	return n.until
}

// isLow reports whether less than half of the block is left.
func (n *numbers) isLow(last ID) bool { return !(last + numbersLeft).isBehind(n.until) }

// SetReserving says whether [Table.Reserve] will be called. Only then numbers are kept for it.
func (t *Table) SetReserving(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if on == t.numbers.on {
		return
	}
	if t.numbers.on = on; on {
		t.commitCounters()
	}
}

// Reserve returns a number for a session that has not begun. No other session gets it until it is
// released, also after a restart. It returns false if no number is durable, because SetReserving was
// called just now, or because the journal cannot write.
func (t *Table) Reserve() (ID, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id, err := t.nextID()
	if err != nil || !t.numbers.on {
		return 0, false
	}
	if durable := ID(t.numbers.durable.Load()); durable == 0 || durable.isBehind(id) {
		t.keepAhead()
		return 0, false
	}
	t.last = id
	t.numbers.reserved[id] = struct{}{}
	t.keepAhead()
	return id, true
}

// ReserveThis reserves a number that a NAS has chosen, if it is free.
func (t *Table) ReserveThis(id ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isFree(id) {
		return false
	}
	t.numbers.reserved[id] = struct{}{}
	return true
}

// commitCounters commits a block of numbers, which is part of the counters.
func (t *Table) commitCounters() {
	c := t.newChange()
	t.encodeCounters(&c)
	t.commit(c, nil)
}

// keepAhead commits a new block of numbers if half of the block has been given.
func (t *Table) keepAhead() {
	if t.numbers.isLow(t.last) && t.journal.Accepting() == nil {
		t.commitCounters()
	}
}

// Release gives a reserved number back that no session has got, and removes its row, if it has one. It
// is not given again before the numbers have wrapped.
func (t *Table) Release(id ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.numbers.reserved, id)
	if t.withdraw(id) {
		t.outdated.Store(true) // no batch tells the readers
	}
}
