package cas

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// commitLimit is how long a commit may take, and turnWait how much of that it may wait for its turn. The
// agents wait for 600 ms. Then they undo what was committed meanwhile: two changes of the servers in
// place of an error without one.
const (
	commitLimit = 550 * time.Millisecond
	turnWait    = 350 * time.Millisecond
)

// Writable reports whether an object can be SET now. casServerStateChangeEnable always can.
func (m *module) Writable(o mib.Def) bool {
	return o.Name == enableName || m.mayConfigure()
}

// mayConfigure reports whether casConfigTable can be SET now.
func (m *module) mayConfigure() bool { return m.Config.Writable != nil && m.Config.Writable() }

// Test checks that the SET can be made now.
func (m *module) Test(as []mib.Assignment) (mib.Change, error) {
	r, err := newRequest(as)
	if err != nil {
		return nil, err
	}
	p, err := m.newTable().plan(r)
	if err != nil {
		return nil, err
	}
	if p.at != 0 && m.Check != nil {
		if err := m.Check(p.after); err != nil {
			return nil, &mib.SetError{Status: mib.InconsistentValue, Index: p.at, Err: err}
		}
	}
	return &change{module: m, request: r, by: as[0].By, first: as[0].Position}, nil
}

// change is a SET that was tested.
type change struct {
	*module
	request *request
	by      mib.Requester
	first   int // position of the first variable

	// After Commit:
	plan       *plan
	wasEnabled bool   // casServerStateChangeEnable before
	enabling   uint64 // the value of module.enables; 0: the request does not SET it
}

// takeTurn waits for the turn. It returns false if that takes longer than turnWait.
func (m *module) takeTurn() bool {
	select {
	case m.turn <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(turnWait)
	defer timer.Stop()
	select {
	case m.turn <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

func (m *module) endTurn() { <-m.turn }

// Commit tests the SET again, because the table and the configuration may have changed since Test, and
// makes it. The error is commitFailed, and then nothing has changed.
func (c *change) Commit() error {
	begin := time.Now()
	if !c.takeTurn() {
		return c.failed(c.first, errBusy)
	}
	defer c.endTurn()
	if len(c.request.rows) > 0 && !c.mayConfigure() {
		return c.request.rows[0].refuse(mib.CommitFailed, errReadOnly)
	}
	t := c.newTable()
	p, err := t.plan(c.request)
	if err != nil {
		at := c.first
		if se, ok := errors.AsType[*mib.SetError](err); ok {
			at = se.Index
		}
		return c.failed(at, fmt.Errorf("%w: %w", errConflict, err))
	}
	if err := c.enable(); err != nil {
		return c.failed(c.request.enableAt, err)
	}
	if p.at != 0 {
		if err := c.Apply(p.after, commitLimit-time.Since(begin)); err != nil {
			failed := c.failed(p.at, err)
			if err := c.undoEnable(); err != nil {
				failed.Status, failed.Err = mib.UndoFailed, errors.Join(failed.Err, err)
			}
			return failed
		}
	}
	if len(p.making) > 0 {
		c.storeMaking(t)
	}
	c.plan = p
	return nil
}

func (c *change) failed(at int, err error) *mib.SetError {
	return &mib.SetError{Status: mib.CommitFailed, Index: at, Err: err}
}

// enable sets casServerStateChangeEnable if the request does. The caller has the turn.
func (c *change) enable() error {
	if c.request.enable == nil {
		return nil
	}
	c.wasEnabled = c.StateChangeEnabled()
	if *c.request.enable != c.wasEnabled {
		if err := c.SetStateChangeEnabled(*c.request.enable); err != nil {
			return err
		}
	}
	c.enables++
	c.enabling = c.enables
	return nil
}

// undoEnable restores casServerStateChangeEnable, unless another request has SET it since. The caller
// has the turn.
func (c *change) undoEnable() error {
	if c.enabling == 0 || c.enabling != c.enables || c.wasEnabled == *c.request.enable {
		return nil
	}
	return c.SetStateChangeEnabled(c.wasEnabled)
}

// Undo restores what Commit has changed, and leaves what other requests have changed since. If one of
// them has changed the same, the error is undoFailed. On a slow disk it takes as long as it needs: the
// agents answer before that, and a SET that was answered with an error must not stay half done.
func (c *change) Undo() error {
	if c.plan == nil {
		return nil
	}
	c.turn <- struct{}{}
	defer c.endTurn()
	t := c.newTable()
	err := t.undo(c.plan)
	if err == nil {
		err = c.restore(t)
	}
	if err := errors.Join(err, c.undoEnable()); err != nil {
		c.Logger.Warn("server configuration by SNMP: undo failed", "by", c.by.Name, "from", c.by.Address, "err", err)
		return &mib.SetError{Status: mib.UndoFailed, Index: c.first, Err: err}
	}
	return nil
}

// restore makes the table of an undo the one in use. Its rows in the making come first, see pin. The
// caller has the turn.
func (c *change) restore(t *table) error {
	before := c.making.Load()
	if len(c.plan.making) > 0 {
		c.storeMaking(t)
	}
	if c.plan.at == 0 {
		return nil
	}
	err := c.Restore(t.overlay)
	if err != nil && slices.ContainsFunc(c.plan.created, func(s servers.Created) bool { return slices.Contains(c.Overlay().Created, s) }) {
		c.making.Store(before)
	}
	return err
}

func (m *module) storeMaking(t *table) {
	rows := t.making
	m.making.Store(&rows)
}

// Cleanup logs what has changed. Rows in the making are logged at level debug.
func (c *change) Cleanup() {
	if c.plan == nil {
		return
	}
	logger := c.Logger.With("by", c.by.Name, "from", c.by.Address)
	for i := range c.plan.created {
		s := &c.plan.created[i]
		logger.Info("server created by SNMP", "server", s.Name(), "address", s.Addr.String())
	}
	for i := range c.plan.destroyed {
		s := &c.plan.destroyed[i]
		logger.Info("server destroyed by SNMP", "server", s.name, "address", s.addr.String())
	}
	if e := c.request.enable; e != nil && *e != c.wasEnabled {
		logger.Info("snmp: value changed by a SET", "object", enableName, "now", *e)
	}
	for i := range c.plan.making {
		logMaking(logger, &c.plan.making[i])
	}
}

// logMaking writes a line for a row in the making.
func logMaking(logger *slog.Logger, m *makingChange) {
	now := int32(destroy)
	if m.after != nil {
		now = m.after.status()
	}
	logger.Debug("server row in the making changed by SNMP", "object", fmt.Sprintf("%s.%d.%d", rowStatusName, m.key.protocol, m.key.index), "now", now)
}
