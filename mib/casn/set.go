package casn

import (
	"errors"
	"log/slog"
	"time"

	"aaasess/mib"
	"aaasess/sessions"
)

// commitWait bounds a commit: the master agent waits a second, and meanwhile serves nobody else.
const commitWait = 700 * time.Millisecond

var errSlow = errors.New("casn: not durable in time")

// writer is SET of casnDisconnect, the only writable object (R4).
type writer struct {
	table      *sessions.Table
	terminator *sessions.Terminator
	allowed    func() bool
	logger     *slog.Logger
}

// testDisconnect checks that a value is a TruthValue.
func testDisconnect(v *mib.Value) mib.ErrorStatus {
	if n := v.Int32(); n != truthTrue && n != truthFalse {
		return mib.WrongValue
	}
	return mib.NoError
}

// Writable is false as long as "session-mib disconnect" is off.
func (w *writer) Writable(mib.Def) bool { return w.allowed != nil && w.allowed() }

// Test checks that the rows exist and that none would be called back to life: false(2) for a session
// that is being terminated, or that another assignment of the same request terminates.
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
		if other, again := wanted[s.ID]; again && other != value || value == truthFalse && s.State == sessions.Terminating {
			return nil, &mib.SetError{Status: mib.InconsistentValue, Index: a.Position}
		}
		wanted[s.ID] = value
		if value == truthTrue {
			c.ids, c.positions = append(c.ids, s.ID), append(c.positions, a.Position)
			c.sessions = append(c.sessions, s)
		}
	}
	return c, nil
}

// change is the sessions that one request ends.
type change struct {
	*writer
	ids       []sessions.ID
	positions []int               // by id
	sessions  []*sessions.Session // by id, as they were when the SET was tested
	by        mib.Requester
}

// Commit marks the sessions, and waits until that is durable. One that has ended since the test
// fails the whole with commitFailed.
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
	var err error
	select {
	case err = <-durable:
	case <-time.After(commitWait):
		err = errSlow
	}
	if err != nil {
		c.table.Undo(c.ids, nil)
		return &mib.SetError{Status: mib.CommitFailed, Index: c.positions[0], Err: err}
	}
	c.log("disconnect by SNMP")
	return nil
}

// log writes a line for each session.
func (c *change) log(what string) {
	for _, s := range c.sessions {
		c.logger.Info(what, "by", c.by.Name, "from", c.by.Address, "session", s.ID.String(), "user", s.User, "nas", s.NAS.String())
	}
}

// Undo takes the marks off again. [mib.Set] calls it once: each call takes back one Disconnect.
func (c *change) Undo() error {
	c.table.Undo(c.ids, nil)
	c.log("disconnect by SNMP taken back")
	return nil
}

// Cleanup lets the terminator have the sessions: from here on nothing takes the SET back. It gets
// also those that were marked already, since who marked them may have failed to say so.
func (c *change) Cleanup() { c.terminator.Start(c.ids...) }
