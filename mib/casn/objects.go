package casn

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"aaasess/mib"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// identity is what sysORTable says of us: the OID of ciscoAAASessionMIB, the module itself. There
// is no capabilities statement (AGENT-CAPABILITIES) whose OID could stand there.
var identity = mib.Identity{
	ID:    mib.MustOID("1.3.6.1.4.1.9.9.150"),
	Descr: "CISCO-AAA-SESSION-MIB: the sessions of network access servers",
}

// Root is casnMIBObjects.
var Root = mib.MustOID("1.3.6.1.4.1.9.9.150.1")

// ifIndex is the target of casnNasPort: the first accessible object of ifTable (IF-MIB).
var ifIndex = mib.MustOID("1.3.6.1.2.1.2.2.1.1")

var zeroDotZero = mib.OID{0, 0}

// The values of TruthValue (SNMPv2-TC).
const (
	truthTrue  = 1
	truthFalse = 2
)

// Config configures the module.
type Config struct {
	// Disconnect reports whether casnDisconnect can be set now: "aaa session-mib disconnect" of S1.
	// nil means never.
	Disconnect func() bool
	// ClientName returns the configured name of the client that a NAS belongs to, for the log, by
	// the source address of the NAS; "" if it has none. nil: no NAS has one.
	ClientName func(netip.Addr) string
	// Logger receives a line for each session that a SET ends; nil discards them.
	Logger *slog.Logger
}

type (
	view   = *sessions.View
	row    = *sessions.Session
	scalar = mib.Scalar[view]
	column = mib.Column[view, row]
)

// New creates the module for a table. Sessions that a SET ends are passed to the terminator.
func New(cfg Config, table *sessions.Table, terminator *termination.Terminator) *mib.Module[*sessions.View] {
	logger := cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	active, general := Root.Append(1), Root.Append(2)
	gauge := func(name string, parent mib.OID, sub uint32, get func(view) uint32) scalar {
		return scalar{
			Def: mib.Def{Name: name, OID: parent.Append(sub), Type: mib.Gauge32, Access: mib.ReadOnly},
			Get: func(s view, v *mib.Value) { v.SetGauge32(get(s)) },
		}
	}
	counter := func(name string, parent mib.OID, sub uint32, get func(view) uint64) scalar {
		return scalar{
			Def: mib.Def{Name: name, OID: parent.Append(sub), Type: mib.Counter32, Access: mib.ReadOnly},
			Get: func(s view, v *mib.Value) { v.SetCounter32(get(s)) },
		}
	}
	entry := active.Append(3, 1)
	rows := &mib.Rows[view, row]{Get: getRow, Next: nextRow}
	col := func(sub uint32, name string, t mib.Type, get func(row, *mib.Value)) column {
		return column{Def: mib.Def{Name: name, OID: entry.Append(sub), Type: t, Access: mib.ReadOnly}, Rows: rows, Get: get}
	}
	disconnect := col(5, "casnDisconnect", mib.Integer32, casnDisconnect)
	disconnect.Access, disconnect.Test = mib.ReadWrite, testDisconnect

	return &mib.Module[view]{
		Name: "CISCO-AAA-SESSION-MIB", Root: Root, Identity: identity,
		Pin:    table.View,
		Writer: &writer{table: table, terminator: terminator, allowed: cfg.Disconnect, clientName: cfg.ClientName, logger: logger},
		Objects: []mib.Object[view]{
			gauge("casnActiveTableEntries", active, 1, func(s view) uint32 { return uint32(s.Entries()) }),
			gauge("casnActiveTableHighWaterMark", active, 2, func(s view) uint32 { return s.HighWater }),
			col(2, "casnUserId", mib.OctetString, func(s row, v *mib.Value) { v.SetOctets(displayable(s.User())) }),
			col(3, "casnIpAddr", mib.IpAddress, func(s row, v *mib.Value) { v.SetIPAddress(s.IPv4) }),
			col(4, "casnIdleTime", mib.Gauge32, idleTime(table)),
			disconnect,
			col(6, "casnCallTrackerId", mib.Gauge32, func(_ row, v *mib.Value) { v.SetGauge32(0) }),
			col(7, "casnNasPort", mib.ObjectIdentifier, casnNasPort),
			col(8, "casnVaiIfIndex", mib.Integer32, func(s row, v *mib.Value) { v.SetInteger32(int32(s.IfIndex())) }),
			counter("casnTotalSessions", general, 1, func(s view) uint64 { return s.Total }),
			counter("casnDisconnectedSessions", general, 2, func(s view) uint64 { return s.Disconnected }),
		},
	}
}

// idleTime returns casnIdleTime of a table. The counters of interfaces are read at most once a second,
// so one read serves a whole walk.
func idleTime(table *sessions.Table) func(row, *mib.Value) {
	return func(s row, v *mib.Value) {
		if s.HasLink() {
			table.RefreshLinks()
		}
		v.SetGauge32(s.IdleTime(table.Clock()))
	}
}

func casnDisconnect(s row, v *mib.Value) {
	if s.State == sessions.Terminating {
		v.SetInteger32(truthTrue)
	} else {
		v.SetInteger32(truthFalse)
	}
}

func casnNasPort(s row, v *mib.Value) {
	if s.PortIfIndex() == 0 {
		v.SetOID(zeroDotZero)
	} else {
		v.SetOID(ifIndex, s.PortIfIndex())
	}
}

// getRow returns the row of a casnSessionId.
func getRow(s view, index mib.OID) (row, bool) {
	if len(index) != 1 {
		return nil, false
	}
	r := s.Entry(sessions.ID(index[0]))
	return r, r != nil
}

func nextRow(s view, index mib.OID, include bool, name mib.OID) (mib.OID, row, bool) {
	from := uint64(0)
	if len(index) > 0 {
		from = uint64(index[0])
		if !include || len(index) > 1 {
			from++
		}
	}
	if from > 1<<32-1 {
		return name, nil, false
	}
	r := s.EntryFrom(sessions.ID(from))
	if r == nil {
		return name, nil, false
	}
	return append(name, uint32(r.ID)), r, true
}

// maxUserID is the SIZE of casnUserId.
const maxUserID = 255

// displayable converts a user name to a DisplayString (R1). Printable ASCII stays unchanged. If
// there is any other octet, it becomes \xHH and backslashes are doubled. The result is cut to 255
// octets, but not inside an escape.
func displayable(user string) string {
	if isPlain(user) {
		return user[:min(len(user), maxUserID)]
	}
	var b strings.Builder
	for _, c := range []byte(user) {
		piece := string(rune(c))
		switch {
		case c == '\\':
			piece = `\\`
		case c < 0x20 || c > 0x7e:
			piece = fmt.Sprintf(`\x%02x`, c)
		}
		if b.Len()+len(piece) > maxUserID {
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}

// isPlain reports whether all octets are printable ASCII. It checks eight at a time, because a walk
// calls it for each cell.
func isPlain(s string) bool {
	const ones = 0x0101010101010101
	var unprintable uint64 // an octet's highest bit is set if the octet is not printable
	for ; len(s) >= 8; s = s[8:] {
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		// Below 0x20 the subtraction borrows, above 0x7e the addition carries into the highest bit.
		// A borrow or carry from another octet happens only if that octet is not printable either.
		unprintable |= x | (x - 0x20*ones) | (x + ones)
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return unprintable&(0x80*ones) == 0
}
