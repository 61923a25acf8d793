package snmpmib

import "aaasess/mib"

// The storage type and status of all configured rows (SNMPv2-TC StorageType, RowStatus).
const (
	storageReadOnly = 5
	statusActive    = 1
)

var zeroDotZero = mib.OID{0, 0}

// scalar describes an object with one instance.
func scalar[S any](parent mib.OID, sub uint32, name string, t mib.Type, a mib.Access, get func(S, *mib.Value)) mib.Scalar[S] {
	return mib.Scalar[S]{Def: mib.Def{Name: name, OID: parent.Append(sub), Type: t, Access: a}, Get: get}
}

// counter describes a Counter32.
func counter[S any](parent mib.OID, sub uint32, name string, get func(S) uint64) mib.Scalar[S] {
	return scalar(parent, sub, name, mib.Counter32, mib.ReadOnly, func(s S, v *mib.Value) { v.SetCounter32(get(s)) })
}

// columns describes the columns of one table.
type columns[S, R any] struct {
	entry mib.OID
	rows  *mib.Rows[S, *R]
}

func (c columns[S, R]) col(sub uint32, name string, t mib.Type, a mib.Access, get func(*R, *mib.Value)) mib.Column[S, *R] {
	return mib.Column[S, *R]{Def: mib.Def{Name: name, OID: c.entry.Append(sub), Type: t, Access: a}, Rows: c.rows, Get: get}
}

// octets describes a column that is read-only here, although its MIB module allows writing.
func (c columns[S, R]) octets(sub uint32, name string, get func(*R) string) mib.Column[S, *R] {
	return c.col(sub, name, mib.OctetString, mib.ReadWrite, func(r *R, v *mib.Value) { v.SetOctets(get(r)) })
}

// integer describes a column with the same value in all rows, otherwise like octets.
func (c columns[S, R]) integer(sub uint32, name string, n int32) mib.Column[S, *R] {
	return c.col(sub, name, mib.Integer32, mib.ReadWrite, func(_ *R, v *mib.Value) { v.SetInteger32(n) })
}
