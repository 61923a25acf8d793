package snmpmib

import (
	"errors"
	"math"
	"sync/atomic"

	"aaasess/mib"
)

var snmpSetRoot = mib.MustOID("1.3.6.1.6.3.1.1.6")

// ErrSerial is wrapped by the commitFailed error of a SET of snmpSetSerialNo if another SET has changed
// the number between the phases of this one.
var ErrSerial = errors.New("snmpmib: snmpSetSerialNo has been changed by another request")

// testAndIncr is an advisory lock (SNMPv2-TC TestAndIncr): a SET succeeds only with the stored
// number, and increments it. It is the [mib.Writer] of its module, whose only object it is.
type testAndIncr struct{ value atomic.Int32 }

// snmpSet is the snmpSet group (RFC 3418 section 2).
func snmpSet(serial *testAndIncr) *mib.Module[int32] {
	serial.value.Store(newSpinLock())
	return &mib.Module[int32]{
		Name: "SNMPv2-MIB", Root: snmpSetRoot,
		Pin: serial.value.Load, Writer: serial,
		Objects: []mib.Object[int32]{
			scalar(snmpSetRoot, 1, "snmpSetSerialNo", mib.Integer32, mib.ReadWrite, func(n int32, v *mib.Value) { v.SetInteger32(n) }),
		},
	}
}

// Writable returns true: everyone who may send SETs may use the lock.
func (t *testAndIncr) Writable(mib.Def) bool { return true }

// Test checks the number. A request may contain it more than once; it is incremented once.
func (t *testAndIncr) Test(as []mib.Assignment) (mib.Change, error) {
	now := t.value.Load()
	for i := range as {
		status := mib.NoError
		switch a := &as[i]; {
		case a.Value.Int32() < 0:
			status = mib.WrongValue
		case len(a.Instance) != 1 || a.Instance[0] != 0:
			status = mib.NoCreation
		case a.Value.Int32() != now:
			status = mib.InconsistentValue
		}
		if status != mib.NoError {
			return nil, &mib.SetError{Status: status, Index: as[i].Position}
		}
	}
	return &increment{lock: t, from: now, position: as[0].Position}, nil
}

// increment is one step of the lock. If several start from the same number, only one can be
// committed.
type increment struct {
	lock     *testAndIncr
	from     int32
	position int
}

func (c *increment) next() int32 {
	if c.from == math.MaxInt32 {
		return 0
	}
	return c.from + 1
}

// Commit increments the number unless another request has done so since Test.
func (c *increment) Commit() error {
	if !c.lock.value.CompareAndSwap(c.from, c.next()) {
		return &mib.SetError{Status: mib.CommitFailed, Index: c.position, Err: ErrSerial}
	}
	return nil
}

// Undo restores the number. If another request has incremented it since Commit, nothing is left to
// restore: the number only has to differ from those that were used, and that request keeps its result.
// undoFailed would tell a manager that values may have changed.
func (c *increment) Undo() error {
	c.lock.value.CompareAndSwap(c.next(), c.from)
	return nil
}

// Cleanup does nothing.
func (c *increment) Cleanup() {}
