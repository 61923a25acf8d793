package cas

import (
	"encoding/binary"
	"net/netip"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// column is a column of one of the tables. Its OID is only the column's number until New.
type column = mib.Column[*state, *row]

// configEntry is casConfigEntry.
var configEntry = Root.Append(1, 2, 1)

// Names of objects that a SET can change.
const (
	enableName    = "casServerStateChangeEnable"
	addressName   = "casAddress"
	authPortName  = "casAuthenPort"
	acctPortName  = "casAcctPort"
	keyName       = "casKey"
	rowStatusName = "casConfigRowStatus"
)

// maxKey is the SIZE of casKey, a DisplayString.
const maxKey = 255

// The rows that have a column.
var (
	allRows      = rowsOf(func(s *state) []*row { return s.all })
	addressRows  = rowsOf(func(s *state) []*row { return s.withAddress })
	authPortRows = rowsOf(func(s *state) []*row { return s.withAuthPort })
	activeRows   = rowsOf(func(s *state) []*row { return s.active })
	tacacsRows   = rowsOf(func(s *state) []*row { return s.activeTACACS })
)

// configColumns are the accessible columns of casConfigTable. A column without a value is missing in the
// row: what a manager has yet to SET, and casPriority before the row is active.
var configColumns = []column{
	{
		Def:  mib.Def{Name: addressName, OID: mib.OID{3}, Type: mib.IpAddress, Access: mib.ReadCreate},
		Rows: addressRows, Get: func(r *row, v *mib.Value) { v.SetIPAddress(r.address()) }, Test: testAddress,
	},
	{
		Def:  mib.Def{Name: authPortName, OID: mib.OID{4}, Type: mib.Integer32, Access: mib.ReadCreate},
		Rows: authPortRows, Test: testPort, Get: func(r *row, v *mib.Value) {
			n, _ := r.authPort()
			v.SetInteger32(int32(n))
		},
	},
	{
		Def:  mib.Def{Name: acctPortName, OID: mib.OID{5}, Type: mib.Integer32, Access: mib.ReadCreate},
		Rows: allRows, Get: func(r *row, v *mib.Value) { v.SetInteger32(int32(r.acctPort())) }, Test: testPort,
	},
	{
		Def:  mib.Def{Name: keyName, OID: mib.OID{6}, Type: mib.OctetString, Access: mib.ReadCreate},
		Rows: allRows, Get: func(_ *row, v *mib.Value) { v.SetOctets("") }, Test: testKey,
	},
	{
		Def:  mib.Def{Name: "casPriority", OID: mib.OID{7}, Type: mib.Gauge32, Access: mib.ReadOnly},
		Rows: activeRows, Get: func(r *row, v *mib.Value) { v.SetGauge32(r.entry.Priority) },
	},
	{
		Def:  mib.Def{Name: rowStatusName, OID: mib.OID{8}, Type: mib.Integer32, Access: mib.ReadCreate},
		Rows: allRows, Get: func(r *row, v *mib.Value) { v.SetInteger32(r.status()) }, Test: testStatus,
	},
}

// address returns casAddress of a row that has it.
func (r *row) address() uint32 {
	addr := netip.Addr{}
	if r.entry != nil {
		addr = r.entry.Addr.Unmap()
	} else {
		addr = r.making.addr
	}
	octets := addr.As4()
	return binary.BigEndian.Uint32(octets[:])
}

func (r *row) authPort() (uint16, bool) {
	if r.entry != nil {
		return r.entry.AuthPort, true
	}
	return r.making.authPort()
}

func (r *row) acctPort() uint16 {
	if r.entry != nil {
		return r.entry.AcctPort
	}
	return r.making.acctPort()
}

func (r *row) status() int32 {
	if r.entry != nil {
		return active
	}
	return r.making.status()
}

// addrOf returns the address in an IpAddress.
func addrOf(v *mib.Value) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(v.Num))))
}

// testAddress checks that an address is one of a host.
func testAddress(v *mib.Value) mib.ErrorStatus {
	if !servers.IsHost(addrOf(v)) {
		return mib.WrongValue
	}
	return mib.NoError
}

func testPort(v *mib.Value) mib.ErrorStatus {
	if n := v.Int32(); n < 0 || n > 65535 {
		return mib.WrongValue
	}
	return mib.NoError
}

// testKey checks a DisplayString (RFC 2579): it has the graphics characters of ASCII and some control
// characters, and a CR only before an LF. A CR before a NUL is allowed there, but no NUL here: snmpd
// refuses it too.
func testKey(v *mib.Value) mib.ErrorStatus {
	if len(v.Str) > maxKey {
		return mib.WrongLength
	}
	for i := range len(v.Str) {
		switch c := v.Str[i]; {
		case c >= 0x20 && c <= 0x7e || c >= '\a' && c <= '\f':
		case c == '\r' && i+1 < len(v.Str) && v.Str[i+1] == '\n':
		default:
			return mib.WrongValue
		}
	}
	return mib.NoError
}

// testStatus checks that a RowStatus is one that a manager can SET.
func testStatus(v *mib.Value) mib.ErrorStatus {
	if n := v.Int32(); n < active || n > destroy || n == notReady {
		return mib.WrongValue
	}
	return mib.NoError
}
