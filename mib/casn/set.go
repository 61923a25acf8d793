package casn

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"aaasess/mib"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// durableWait limits a commit or undo: the master agent waits one second, and serves nobody else
// meanwhile.
const durableWait = 700 * time.Millisecond

var (
	errNotDurable     = errors.New("casn: the store did not save the disconnect mark in time")
	errUndoNotDurable = errors.New("casn: the store did not remove the disconnect mark in time")
)

// writer performs SETs of casnDisconnect, the only writable object (R4).
type writer struct {
	table      *sessions.Table
	terminator *termination.Terminator
	allowed    func() bool
	clientName func(netip.Addr) string // Config.ClientName
	logger     *slog.Logger
}

// testDisconnect checks that a value is a TruthValue.
func testDisconnect(v *mib.Value) mib.ErrorStatus {
	if n := v.Int32(); n != truthTrue && n != truthFalse {
		return mib.WrongValue
	}
	return mib.NoError
}

// Writable returns false while "session-mib disconnect" is off.
func (w *writer) Writable(mib.Def) bool { return w.allowed != nil && w.allowed() }

// Test checks that the rows exist, that none that is to be ended is of a login only (its NAS knows no
// session yet) or has no means to be ended, and that no assignment is false(2) for a session that is being
// terminated, or that another assignment of the request terminates.
func (w *writer) Test(as []mib.Assignment) (mib.Change, error) {
	view := w.table.View()
	c := &change{writer: w, by: as[0].By}
	wanted := map[sessions.ID]int32{}
	for i := range as {
		a := &as[i]
		s, ok := getRow(view, a.Instance)
		if !ok {
			return nil, &mib.SetError{Status: mib.NoCreation, Index: a.Position}
		}
		value := a.Value.Int32()
		other, again := wanted[s.ID]
		if again && other != value || value == truthFalse && s.State == sessions.Terminating || value == truthTrue && s.State == sessions.SetUp {
			return nil, &mib.SetError{Status: mib.InconsistentValue, Index: a.Position}
		}
		if value == truthTrue {
			if err := w.terminator.CanEnd(s); err != nil {
				c.sessions = []*sessions.Session{s}
				c.log(slog.LevelInfo, "disconnect by SNMP refused", "err", err)
				return nil, &mib.SetError{Status: mib.InconsistentValue, Index: a.Position, Err: err}
			}
		}
		wanted[s.ID] = value
		if value == truthTrue && !again {
			c.ids, c.positions = append(c.ids, s.ID), append(c.positions, a.Position)
			c.sessions = append(c.sessions, s)
		}
	}
	return c, nil
}

// change has the sessions that one request ends.
type change struct {
	*writer
	ids       []sessions.ID
	positions []int               // for each id
	sessions  []*sessions.Session // for each id, as tested
	by        mib.Requester
}

// Commit marks the sessions and waits until that is durable. If a session has ended since the test,
// nothing is marked and the error is commitFailed.
func (c *change) Commit() error {
	if len(c.ids) == 0 {
		return nil
	}
	durable := make(chan error, 1)
	if _, err := c.table.Disconnect(c.ids, func(err error) { durable <- err }); err != nil {
		position := c.positions[0]
		if gone, ok := errors.AsType[*sessions.NotLiveError](err); ok {
			position = c.positions[gone.Index]
		}
		return &mib.SetError{Status: mib.CommitFailed, Index: position, Err: err}
	}
	if err := await(durable, errNotDurable); err != nil {
		undoing := make(chan error, 1)
		removed := c.startUndo()
		go func() { undoing <- await(removed, errUndoNotDurable) }()
		return &mib.SetError{Status: mib.CommitFailed, Index: c.positions[0], Err: err, Undoing: undoing}
	}
	c.log(slog.LevelInfo, "disconnect by SNMP")
	return nil
}

// await waits for the store's answer, or returns late after durableWait.
func await(answer <-chan error, late error) error {
	timer := time.NewTimer(durableWait)
	defer timer.Stop()
	select {
	case err := <-answer:
		return err
	case <-timer.C:
		return late
	}
}

// log writes a line for each session.
func (c *change) log(level slog.Level, what string, more ...any) {
	for _, s := range c.sessions {
		args := []any{"by", c.by.Name, "from", c.by.Address, "session", s.ID.String(), "user", s.User(), "nas", s.NAS.String()}
		if c.clientName != nil {
			if client := c.clientName(s.NAS.Addr); client != "" {
				args = append(args, "client", client)
			}
		}
		c.logger.Log(context.Background(), level, what, append(args, more...)...)
	}
}

// startUndo removes the marks. The result says when that is durable, and then visible to readers.
func (c *change) startUndo() <-chan error {
	removed := make(chan error, 1)
	c.table.Undo(c.ids, func(err error) { removed <- err })
	return removed
}

// Undo removes the marks and waits until that is durable. [mib.Set] calls it once: each call
// reverts one Disconnect. If the store is late, the error is
// undoFailed, and the marks disappear when it answers.
func (c *change) Undo() error {
	if len(c.ids) == 0 {
		return nil
	}
	if err := await(c.startUndo(), errUndoNotDurable); err != nil {
		c.log(slog.LevelWarn, "disconnect by SNMP: undo not confirmed", "err", err)
		return &mib.SetError{Status: mib.UndoFailed, Index: c.positions[0], Err: err}
	}
	c.log(slog.LevelInfo, "disconnect by SNMP undone")
	return nil
}

// Cleanup passes the sessions to the terminator; the SET cannot be undone any more. That includes
// sessions that were marked before, because the request that marked them may have failed before
// this step.
func (c *change) Cleanup() { c.terminator.Start(c.ids...) }
