package cas

import (
	"cmp"
	"net/netip"
	"time"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// key is the index of a row: casProtocol and casIndex.
type key struct {
	protocol servers.Protocol
	index    uint32
}

func (k key) compare(other key) int {
	return cmp.Or(cmp.Compare(k.protocol, other.protocol), cmp.Compare(k.index, other.index))
}

// compareOID compares the key's sub-identifiers with an OID of any length, in the order of OIDs.
func (k key) compareOID(index mib.OID) int {
	for i, n := range [...]uint32{uint32(k.protocol), k.index} {
		switch {
		case i >= len(index) || n > index[i]:
			return 1
		case n < index[i]:
			return -1
		}
	}
	return 2 - len(index)
}

// HasRow reports whether a server has rows: it has an IPv4 address.
func HasRow(e *servers.Entry) bool { return e.Addr.Unmap().Is4() }

// row is a row of casConfigTable. An active row has an entry, any other one is in the making.
type row struct {
	key
	entry  *servers.Entry
	now    time.Time // of the View; only for an active row
	making *making
}

// state is what readers see at one moment. It is immutable.
type state struct {
	view    *servers.View
	making  *[]making
	expires time.Time // a row in the making ends then; zero: there is none

	// The rows that have the columns of a table, in the order of their OIDs.
	all          []*row // casConfigRowStatus and casKey
	withAddress  []*row
	withAuthPort []*row
	active       []*row
	activeTACACS []*row // those with a distinct authorization function
}

// pin returns the current state. If neither the View nor the rows in the making have changed, it is that
// of the last request.
func (m *module) pin() *state {
	// A row that becomes active is in the View before it leaves the rows in the making, and the other way
	// round if that is undone. So with a View from a time when these did not change, it is in one of both.
	rows := m.making.Load()
	view := m.View()
	for next := m.making.Load(); next != rows; next = m.making.Load() {
		rows, view = next, m.View()
	}
	last := m.pinned.Load()
	if last != nil && last.view == view && last.making == rows && (last.expires.IsZero() || m.Now().Before(last.expires)) {
		return last
	}
	s := newState(view, rows, m.Now())
	m.pinned.Store(s)
	return s
}

// newState merges the servers that have rows with the rows in the making. A row that becomes active, or
// whose activation is undone, may be in both: then it is active.
func newState(view *servers.View, rows *[]making, now time.Time) *state {
	s := &state{view: view, making: rows}
	made := alive(*rows, now)
	if len(made) > 0 {
		s.expires = made[0].ends()
		for i := range made {
			if e := made[i].ends(); e.Before(s.expires) {
				s.expires = e
			}
		}
	}
	entries := view.Entries
	for len(entries) > 0 || len(made) > 0 {
		order := 0
		switch {
		case len(made) == 0:
			order = -1
		case len(entries) == 0:
			order = 1
		default:
			order = keyOf(&entries[0]).compare(made[0].key)
		}
		switch {
		case order > 0:
			s.add(&row{key: made[0].key, making: &made[0]})
		case HasRow(&entries[0]):
			s.add(&row{key: keyOf(&entries[0]), entry: &entries[0], now: view.Now})
		}
		if order >= 0 {
			made = made[1:]
		}
		if order <= 0 {
			entries = entries[1:]
		}
	}
	return s
}

func keyOf(e *servers.Entry) key { return key{e.Protocol, e.Index} }

func keyOfCreated(c *servers.Created) key { return key{c.Protocol, c.Index} }

// add appends a row to the lists that have it.
func (s *state) add(r *row) {
	s.all = append(s.all, r)
	if r.entry != nil {
		s.active = append(s.active, r)
		if r.protocol == servers.TACACS {
			s.activeTACACS = append(s.activeTACACS, r)
		}
	}
	if r.entry != nil || r.making.addr != (netip.Addr{}) {
		s.withAddress = append(s.withAddress, r)
	}
	if _, ok := r.authPort(); ok {
		s.withAuthPort = append(s.withAuthPort, r)
	}
}

// rowsOf returns how to find the rows of a list. Columns that are in the same rows share it.
func rowsOf(list func(*state) []*row) *mib.Rows[*state, *row] {
	return &mib.Rows[*state, *row]{
		Get: func(s *state, index mib.OID) (*row, bool) {
			rows := list(s)
			if i := search(rows, index, true); i < len(rows) && rows[i].compareOID(index) == 0 {
				return rows[i], true
			}
			return nil, false
		},
		Next: func(s *state, index mib.OID, include bool, name mib.OID) (mib.OID, *row, bool) {
			rows := list(s)
			i := search(rows, index, include)
			if i == len(rows) {
				return name, nil, false
			}
			return append(name, uint32(rows[i].protocol), rows[i].index), rows[i], true
		},
	}
}

// search returns the index of the first row after an OID, or at it if include.
func search(rows []*row, index mib.OID, include bool) int {
	lo, hi := 0, len(rows)
	for lo < hi {
		mid := (lo + hi) / 2
		if c := rows[mid].compareOID(index); c > 0 || include && c == 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
