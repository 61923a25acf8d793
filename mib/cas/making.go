package cas

import (
	"net/netip"
	"slices"
	"time"

	"aaasess/internal/servers"
)

// RowStatus values (RFC 2579).
const (
	active        = 1
	notInService  = 2
	notReady      = 3
	createAndGo   = 4
	createAndWait = 5
	destroy       = 6
)

// Limits of rows that are not active.
const (
	// maxMaking is how long such a row stays after its creation, whatever is SET in it.
	maxMaking = 5 * time.Minute
	// maxRows is how many there may be at a time.
	maxRows = 64
)

// The DEFVALs of casAuthenPort and casAcctPort.
const (
	defaultAuthPort = 1645
	defaultAcctPort = 1646
)

// making is a row that a manager is making.
type making struct {
	key
	columns
	created time.Time
}

// columns are what managers can SET in a row.
type columns struct {
	addr               netip.Addr // the zero Addr: not SET
	authPort, acctPort port
	secret             string // casKey; "" means the global key
}

// port is casAuthenPort or casAcctPort.
type port struct {
	number uint16
	set    bool
}

// authPort returns casAuthenPort, and whether the row has it. For TACACS+ it must be SET explicitly, so
// it has no default value.
func (m *making) authPort() (uint16, bool) {
	switch {
	case m.columns.authPort.set:
		return m.columns.authPort.number, true
	case m.protocol == servers.TACACS:
		return 0, false
	}
	return defaultAuthPort, true
}

// acctPort returns casAcctPort. TACACS+ ignores it.
func (m *making) acctPort() uint16 {
	if m.columns.acctPort.set {
		return m.columns.acctPort.number
	}
	return defaultAcctPort
}

// ready reports whether the row has all columns that have no default value.
func (m *making) ready() bool {
	_, ok := m.authPort()
	return ok && m.addr != netip.Addr{}
}

// status is the casConfigRowStatus that is read.
func (m *making) status() int32 {
	if m.ready() {
		return notInService
	}
	return notReady
}

func (m *making) ends() time.Time { return m.created.Add(maxMaking) }

// server returns the row as a server of the overlay. The row must be ready.
func (m *making) server() servers.Created {
	auth, _ := m.authPort()
	return servers.Created{Protocol: m.protocol, Index: m.index, Addr: m.addr, AuthPort: auth, AcctPort: m.acctPort(), Key: m.secret}
}

// alive returns the rows that have not ended.
func alive(rows []making, now time.Time) []making {
	if !slices.ContainsFunc(rows, func(m making) bool { return !now.Before(m.ends()) }) {
		return rows
	}
	return slices.DeleteFunc(slices.Clone(rows), func(m making) bool { return !now.Before(m.ends()) })
}

// find returns the index of the row with this key, or where it belongs.
func find(rows []making, k key) (int, bool) {
	return slices.BinarySearchFunc(rows, k, func(m making, k key) int { return m.compare(k) })
}

// with returns the rows with the row of a key replaced; nil removes it.
func with(rows []making, k key, next *making) []making {
	i, found := find(rows, k)
	rows = slices.Clone(rows)
	switch {
	case next == nil && found:
		return slices.Delete(rows, i, i+1)
	case next == nil:
		return rows
	case found:
		rows[i] = *next
		return rows
	}
	return slices.Insert(rows, i, *next)
}
