package snmpmanager

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/gosnmp/gosnmp"
)

const (
	// maxRows is how many sessions an agent may have. An agent that has more is broken.
	maxRows = 1 << 20
	// repetitions is how many rows a GETBULK asks for, at most. Seven columns of 25 rows are about 5,000
	// octets; agents shorten a reply that is larger than they can send.
	repetitions = 25
	// rowsPerGet is how many rows a GET asks for: their cells are fewer than gosnmp.MaxOids.
	rowsPerGet = 8
)

// Totals are the scalars of the MIB; nil if the agent does not have it.
type Totals struct {
	Entries      *uint32 // casnActiveTableEntries
	HighWater    *uint32 // casnActiveTableHighWaterMark
	Total        *uint32 // casnTotalSessions
	Disconnected *uint32 // casnDisconnectedSessions
}

// Totals reads the scalars. It returns [ErrNoTable] if the agent has none of them.
func (a *Agent) Totals() (t Totals, err error) {
	names := []string{
		".1.3.6.1.4.1.9.9.150.1.1.1.0", ".1.3.6.1.4.1.9.9.150.1.1.2.0",
		".1.3.6.1.4.1.9.9.150.1.2.1.0", ".1.3.6.1.4.1.9.9.150.1.2.2.0",
	}
	vars, err := a.get(names)
	if err != nil {
		return t, err
	}
	fields := []**uint32{&t.Entries, &t.HighWater, &t.Total, &t.Disconnected}
	for i, v := range vars {
		if absent(v) {
			continue
		}
		n := new(uint32)
		if err := setNumber(n, v, math.MaxUint32); err != nil {
			return t, fmt.Errorf("%w: %s: %w", ErrInvalid, v.Name, err)
		}
		*fields[i] = n
	}
	if t == (Totals{}) {
		err = ErrNoTable
	}
	return t, err
}

// absent reports whether a variable is an exception (RFC 3416 section 3).
func absent(v gosnmp.SnmpPDU) bool {
	switch v.Type {
	case gosnmp.NoSuchObject, gosnmp.NoSuchInstance, gosnmp.EndOfMibView, gosnmp.Null:
		return true
	}
	return false
}

// Rows reads the rows of these session numbers. Those that are not there are left out.
func (a *Agent) Rows(numbers []uint32) (rows []Session, err error) {
	for part := range slices.Chunk(numbers, rowsPerGet) {
		var names []string
		for _, n := range part {
			for _, c := range columns {
				names = append(names, fmt.Sprintf("%s.%d.%d", entry, c.sub, n))
			}
		}
		vars, err := a.get(names)
		if err != nil {
			return nil, err
		}
		for i, n := range part {
			s, there := Session{Number: n}, false
			for col, v := range vars[i*len(columns) : (i+1)*len(columns)] {
				if absent(v) {
					continue
				}
				there = true
				if err := s.set(col, v); err != nil {
					return nil, err
				}
			}
			if there {
				rows = append(rows, s)
			}
		}
	}
	return rows, nil
}

// Table reads all rows, in the order of their numbers. The columns are read together, so that the cells
// of a row are of about the same time; a row that comes or goes meanwhile may have cells that are not
// set.
func (a *Agent) Table() ([]Session, error) {
	w := &walk{rows: map[uint32]*Session{}, last: make([]uint64, len(columns)), repetitions: repetitions}
	for i := range columns {
		w.active = append(w.active, i)
	}
	for len(w.active) > 0 {
		vars, err := a.request(func() (*gosnmp.SnmpPacket, error) { return a.snmp.GetBulk(w.names(), 0, w.repetitions) })
		if status := (*StatusError)(nil); errors.As(err, &status) && status.Status == gosnmp.TooBig && w.repetitions > 1 {
			w.repetitions /= 2
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := w.add(vars); err != nil {
			return nil, err
		}
	}
	out := make([]Session, 0, len(w.rows))
	for _, n := range slices.Sorted(maps.Keys(w.rows)) {
		out = append(out, *w.rows[n])
	}
	return out, nil
}

// walk is the state of a walk through all columns at the same time.
type walk struct {
	rows        map[uint32]*Session
	active      []int    // columns that have not ended
	last        []uint64 // the last number read in each column; 0: none
	repetitions uint32
}

// names returns what the next GETBULK asks for.
func (w *walk) names() []string {
	names := make([]string, len(w.active))
	for i, col := range w.active {
		names[i] = fmt.Sprintf("%s.%d", entry, columns[col].sub)
		if w.last[col] > 0 {
			names[i] += "." + strconv.FormatUint(w.last[col], 10)
		}
	}
	return names
}

// add takes the variables of a reply: one of each active column in turn, and any number of turns.
func (w *walk) add(vars []gosnmp.SnmpPDU) error {
	if len(vars) == 0 {
		return fmt.Errorf("%w: no variables", ErrInvalid)
	}
	ended := make([]bool, len(columns))
	for i, v := range vars {
		col := w.active[i%len(w.active)]
		if ended[col] {
			continue
		}
		index, below := strings.CutPrefix(v.Name, fmt.Sprintf("%s.%d.", entry, columns[col].sub))
		if !below || absent(v) {
			ended[col] = true
			continue
		}
		n, err := strconv.ParseUint(index, 10, 32)
		if err != nil {
			return fmt.Errorf("%w: %s is no row", ErrInvalid, v.Name)
		}
		if n <= w.last[col] {
			return fmt.Errorf("%w: row %d follows row %d", ErrInvalid, n, w.last[col])
		}
		w.last[col] = n
		row := w.rows[uint32(n)]
		if row == nil {
			if len(w.rows) == maxRows {
				return fmt.Errorf("%w: more than %d sessions", ErrInvalid, maxRows)
			}
			row = &Session{Number: uint32(n)}
			w.rows[uint32(n)] = row
		}
		if err := row.set(col, v); err != nil {
			return err
		}
	}
	w.active = slices.DeleteFunc(w.active, func(col int) bool { return ended[col] })
	return nil
}
