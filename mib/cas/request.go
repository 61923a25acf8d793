package cas

import (
	"cmp"
	"slices"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// request is what one SET asks for.
type request struct {
	rows []*wanted // in the order of their status in the PDU
	// enable is casServerStateChangeEnable; nil: it is not SET.
	enable   *bool
	enableAt int // its position
}

// wanted is what a SET asks of one row of casConfigTable.
type wanted struct {
	key
	status   int32 // casConfigRowStatus; 0: it is not SET
	statusAt int   // its position
	columns  columns
	keySet   bool // columns.secret is SET
	columnAt int  // the position of the first one of columns; 0: none is SET
}

// cell is a variable of casConfigTable.
type cell struct {
	object string
	key    key
}

// newRequest sorts the assignments of a SET by row. The error is a *[mib.SetError].
func newRequest(as []mib.Assignment) (*request, error) {
	r := &request{}
	rows, cells := map[key]*wanted{}, map[cell]*mib.Value{}
	for i := range as {
		a := &as[i]
		if a.Object.Name == enableName {
			if status := r.addEnable(a); status != mib.NoError {
				return nil, &mib.SetError{Status: status, Index: a.Position}
			}
			continue
		}
		k, ok := keyIn(a.Instance)
		if !ok {
			return nil, &mib.SetError{Status: mib.NoCreation, Index: a.Position}
		}
		c := cell{a.Object.Name, k}
		if earlier := cells[c]; earlier != nil && (earlier.Num != a.Value.Num || earlier.Str != a.Value.Str) {
			return nil, &mib.SetError{Status: mib.InconsistentValue, Index: a.Position, Err: errTwice}
		}
		cells[c] = &a.Value
		w := rows[k]
		if w == nil {
			w = &wanted{key: k}
			rows[k], r.rows = w, append(r.rows, w)
		}
		w.add(a)
	}
	slices.SortStableFunc(r.rows, func(a, b *wanted) int { return cmp.Compare(a.statusAt, b.statusAt) })
	return r, nil
}

// keyIn returns the row that an index names. No row can have another protocol than ours, or a casIndex
// of 0.
func keyIn(index mib.OID) (key, bool) {
	if len(index) != 2 || index[0] != uint32(servers.TACACS) && index[0] != uint32(servers.RADIUS) || index[1] == 0 {
		return key{}, false
	}
	return key{servers.Protocol(index[0]), index[1]}, true
}

func (r *request) addEnable(a *mib.Assignment) mib.ErrorStatus {
	value := a.Value.Int32()
	switch {
	case value != truthTrue && value != truthFalse:
		return mib.WrongValue
	case len(a.Instance) != 1 || a.Instance[0] != 0:
		return mib.NoCreation
	}
	on := value == truthTrue
	if r.enable != nil && *r.enable != on {
		return mib.InconsistentValue
	}
	r.enable, r.enableAt = &on, a.Position
	return mib.NoError
}

func (w *wanted) add(a *mib.Assignment) {
	number := port{uint16(a.Value.Num), true}
	switch a.Object.Name {
	case rowStatusName:
		w.status, w.statusAt = a.Value.Int32(), a.Position
		return
	case addressName:
		w.columns.addr = addrOf(&a.Value)
	case authPortName:
		w.columns.authPort = number
	case acctPortName:
		w.columns.acctPort = number
	case keyName:
		w.columns.secret, w.keySet = a.Value.Str, true
	}
	if w.columnAt == 0 {
		w.columnAt = a.Position
	}
}

// applyTo changes the columns of a row to those that are SET.
func (w *wanted) applyTo(c *columns) {
	if w.columns.addr.IsValid() {
		c.addr = w.columns.addr
	}
	if w.columns.authPort.set {
		c.authPort = w.columns.authPort
	}
	if w.columns.acctPort.set {
		c.acctPort = w.columns.acctPort
	}
	if w.keySet {
		c.secret = w.columns.secret
	}
}

// refuse is the error for the status, or for the first column if the status is not SET.
func (w *wanted) refuse(status mib.ErrorStatus, err error) error {
	at := w.statusAt
	if at == 0 {
		at = w.columnAt
	}
	return &mib.SetError{Status: status, Index: at, Err: err}
}
