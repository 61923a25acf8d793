package sessions

import (
	"fmt"
	"slices"
	"time"

	"aaasess/internal/radius"
)

// Disconnect marks live sessions as being terminated, and counts them: what a SET of casnDisconnect to
// true(1) does (R5). All are marked, or none and the error is a *[NotLiveError] for the first that is
// not live. marked are those that were not being terminated already. done is called when the marks are
// durable.
//
// The caller then gives all ids, marked by it or not, either to the [Terminator], and nothing cancels the
// end of these sessions any more, or to [Table.Undo].
func (t *Table) Disconnect(ids []ID, done func(error)) (marked []ID, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return nil, fmt.Errorf("sessions: %w", err)
	}
	for i, id := range ids {
		if t.rows.get(id) == nil {
			return nil, &NotLiveError{Index: i, ID: id}
		}
	}
	var c Change
	for _, id := range ids {
		if s := t.rows.get(id); s.State == Active {
			t.mark(&c, s, Terminating)
			marked = append(marked, id)
			t.claims[id] = 1
		} else if t.claims[id] > 0 {
			t.claims[id]++
		}
	}
	t.counters.Disconnected += uint64(len(marked))
	t.commit(c, done)
	return marked, nil
}

// Undo takes back a Disconnect of these ids, for a SET that failed elsewhere (RFC 2741 section 7.2.4.3). A
// session that another Disconnect has met meanwhile stays marked until that one is undone too; one that has
// ended, or that a Terminator has, stays as it is. It does not ask whether the journal accepts: refused, it
// would leave sessions Terminating that nobody ends.
func (t *Table) Undo(ids []ID, done func(error)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var c Change
	for _, id := range ids {
		switch t.claims[id] {
		case 0: // final
		case 1:
			delete(t.claims, id)
			t.mark(&c, t.rows.get(id), Active)
			t.counters.Disconnected--
		default:
			t.claims[id]--
		}
	}
	t.commit(c, done)
}

// unclaimed leaves those out that a Disconnect has marked which can still be undone.
func (t *Table) unclaimed(ids []ID) []ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(ids, func(id ID) bool { return t.claims[id] > 0 })
}

// keep makes marks final.
func (t *Table) keep(ids []ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		delete(t.claims, id)
	}
}

func (t *Table) mark(c *Change, s *Session, state State) {
	n := *s
	n.State = state
	t.put(c, &n)
}

// Acked notes that the NAS has agreed to end a session: from now on its stop has our cause, whoever sends
// it (R5). It does nothing if the session is not being terminated. It does not ask whether the journal
// accepts: what the NAS has done cannot be refused.
func (t *Table) Acked(id ID, done func(error)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var c Change
	if s := t.rows.get(id); s != nil && s.State == Terminating && s.Acked == 0 {
		n := *s
		n.Acked = t.clock.now()
		t.put(&c, &n)
	}
	t.commit(c, done)
}

// live is a row as it is now; a view may be older.
func (t *Table) live(id ID) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows.get(id)
}

// whenEnded sets what is called, under the table's lock, when a row ends. It must not block. What it returns is called
// with the Acct-Terminate-Cause of the stop record (0 if there is none), on the journal's goroutine, when the end is
// durable and no view has the row any more; but only if the session was being terminated.
func (t *Table) whenEnded(fn func(ID) (durable func(cause uint32))) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onEnd = fn
}

// tellEnd tells the Terminator that the row of a session has ended; stop is the notice of its end.
func (t *Table) tellEnd(s *Session, stop *Notice) {
	if t.onEnd == nil {
		return
	}
	durable := t.onEnd(s.ID)
	if s.State != Terminating {
		return
	}
	cause := stop.Cause
	if cause == 0 {
		cause, _ = stop.Attrs.Uint32(radius.AcctTerminateCause)
	}
	t.ended = append(t.ended, func() { durable(cause) })
}

// whenGone is the done of a commit: before the caller's, it tells that the rows are gone which the commit ends.
func (t *Table) whenGone(done func(error)) func(error) {
	if len(t.ended) == 0 {
		return done
	}
	ended := t.ended
	t.ended = nil
	return func(err error) {
		if err == nil { // else the daemon ends
			for _, tell := range ended {
				tell()
			}
		}
		if done != nil {
			done(err)
		}
	}
}

// End makes a session over without a stop from its NAS: the stop record is made from what was last
// heard. at is the moment that it carries. It does nothing if the session is not live.
func (t *Table) End(id ID, cause uint32, at time.Time, done func(error)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	var c Change
	if s := t.rows.get(id); s != nil {
		ended, _ := t.clock.of(at)
		t.end(&c, s, nil, ended, cause)
	}
	t.commit(c, done)
	return nil
}
