package sessions

import (
	"fmt"
	"slices"
	"time"

	"aaasess/internal/radius"
)

// Disconnect marks live sessions as Terminating and counts them, as a SET of casnDisconnect to
// true(1) does (R5). It marks all of them or none. If one is not live, the error is a
// *[NotLiveError] for the first of these. marked are the sessions that were not Terminating before.
// done is called when the marks are durable.
//
// The caller must then give all ids, also those not in marked, to a terminator (package
// termination) or to [Table.Undo]. After the terminator has them, nothing cancels the end of these
// sessions.
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
			t.setState(&c, s, Terminating)
			marked = append(marked, id)
			t.undoable[id] = 1
		} else if t.undoable[id] > 0 {
			t.undoable[id]++
		}
	}
	if len(marked) > 0 {
		t.lastMark = t.clock.now()
	}
	t.counters.Disconnected += uint64(len(marked))
	t.commit(c, done)
	return marked, nil
}

// markInterval is how soon after one Disconnect another one is expected: a manager that ends one session
// after the other sends the next SET when the mark of this one is durable.
const markInterval = 10 * time.Millisecond

// isBetweenMarks reports whether the stop of a session is to wait for the mark of the next session. It
// comes while a manager ends one session after the other. With a sync of its own it would delay that
// mark, and so all that follow; the NAS can wait these milliseconds for its answer.
func (t *Table) isBetweenMarks(s *Session) bool {
	return s.State == Terminating && t.clock.now().Sub(t.lastMark) < markInterval
}

// Undo undoes a Disconnect of these ids, for a SET that failed elsewhere (RFC 2741 section
// 7.2.4.3). If another Disconnect has named a session meanwhile, the session stays marked until
// that one is undone too. A session that has ended, or whose mark is final, does not change. Undo
// works even if the journal accepts no changes. Otherwise sessions would stay Terminating and
// nobody would end them.
func (t *Table) Undo(ids []ID, done func(error)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var c Change
	for _, id := range ids {
		switch t.undoable[id] {
		case 0: // final, or the session has ended
		case 1:
			delete(t.undoable, id)
			t.setState(&c, t.rows.get(id), Active)
			t.counters.Disconnected--
		default:
			t.undoable[id]--
		}
	}
	t.commit(c, done)
}

// NotUndoable returns ids without the sessions whose Disconnect can still be undone.
func (t *Table) NotUndoable(ids []ID) []ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(ids, func(id ID) bool { return t.undoable[id] > 0 })
}

// MakeFinal makes marks final: Undo no longer removes them.
func (t *Table) MakeFinal(ids []ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		delete(t.undoable, id)
	}
}

func (t *Table) setState(c *Change, s *Session, state State) {
	n := *s
	n.State = state
	t.put(c, &n)
}

// Acked notes that the NAS has answered ACK for a session. From now on its stop has the cause
// Admin-Reset, whoever sends it (R5). Acked does nothing if the session is not Terminating. It
// works even if the journal accepts no changes, because what the NAS has done cannot be refused.
// Nobody waits for it: it becomes durable with another change.
func (t *Table) Acked(id ID, done func(error)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := Change{Patient: true}
	if s := t.rows.get(id); s != nil && s.State == Terminating && s.Acked().IsZero() {
		n := *s
		n.setAcked(t.clock.now())
		t.put(&c, &n)
	}
	t.commit(c, done)
}

// Row returns a row as it is now; a view may be older.
func (t *Table) Row(id ID) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows.get(id)
}

// OnEnd sets the function to call when a row ends. It is called under the table's lock and must
// not block. It returns another function, durable. If the session was Terminating, durable is
// called on the journal's goroutine when the end is durable and no view has the row any more. Its
// argument is the Acct-Terminate-Cause of the stop record, or 0 if the record has none.
func (t *Table) OnEnd(fn func(ID) (durable func(cause uint32))) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onEnd = fn
}

// reportEnd reports to the function of OnEnd that the row of a session has ended. stop is the notice of
// the end.
func (t *Table) reportEnd(s *Session, stop *Notice) {
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
	t.endReports = append(t.endReports, func() { durable(cause) })
}

// withEndReports returns the done of a commit. It first calls the reports of the rows that the
// commit ends, then the caller's done.
func (t *Table) withEndReports(done func(error)) func(error) {
	if len(t.endReports) == 0 {
		return done
	}
	pending := t.endReports
	t.endReports = nil
	return func(err error) {
		if err == nil { // else the daemon ends
			for _, report := range pending {
				report()
			}
		}
		if done != nil {
			done(err)
		}
	}
}

// Clear ends live sessions whose NASes are gone. It ends all of them or none. If one is not live,
// the error is a *[NotLiveError] for the first of these. The stop record of each has its last known
// counters, the time of the newest record, and the cause Admin-Reset. done is called when that is
// durable.
func (t *Table) Clear(ids []ID, done func(error)) error {
	t.RefreshLinks()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	for i, id := range ids {
		if t.rows.get(id) == nil {
			return &NotLiveError{Index: i, ID: id}
		}
	}
	var c Change
	for _, id := range ids {
		if s := t.rows.get(id); s != nil { // nil if ids has it twice
			t.end(&c, s, nil, 0, CauseAdminReset)
		}
	}
	t.commit(c, done)
	return nil
}

// End ends a session without a stop from its NAS. The stop record is made from what was last heard,
// and carries the time at, or that of a newer record of the session. End does nothing if the session
// is not live.
func (t *Table) End(id ID, cause uint32, at time.Time, done func(error)) error {
	if s := t.View().Get(id); s != nil && s.HasLink() {
		t.RefreshLinks()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	var c Change
	if s := t.rows.get(id); s != nil {
		ended, _ := t.clock.fromHost(at)
		t.end(&c, s, nil, ended, cause)
	}
	t.commit(c, done)
	return nil
}
