package aaasess

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"aaasess/mib"
	"aaasess/mibs"
)

// Enterprise is the enterprise number for documentation (RFC 5612): that of the module's text.
const Enterprise = 32473

// MaxEnterprise is the largest enterprise number that a configuration may have: net-snmp reads no text with
// a larger one. Those that IANA has assigned are far below.
const MaxEnterprise = 1<<31 - 1

// name is that of the module.
const name = "AAASESS-MIB"

// root returns aaasessMIB below an enterprise number.
func root(enterprise uint32) mib.OID { return mib.MustOID("1.3.6.1.4.1").Append(enterprise, 1) }

// Text returns the text of the module for an enterprise number.
func Text(enterprise uint32) string {
	return strings.Replace(mibs.Own, fmt.Sprintf("{ enterprises %d }", Enterprise), fmt.Sprintf("{ enterprises %d }", enterprise), 1)
}

type (
	scalar = mib.Scalar[*View]
	column = mib.Column[*View, *row]
)

// New creates the module for an enterprise number. view returns the present view; it must not block.
func New(enterprise uint32, view func() *View) mib.Part {
	id := root(enterprise)
	objects := append(daemonObjects(id), storeObjects(id)...)
	objects = append(objects, spoolObjects(id)...)
	return &mib.Module[*View]{
		Name: name, Root: id, Pin: view, Objects: append(objects, methodObjects(id)...),
		Identity: mib.Identity{ID: id, Descr: name + ": the state of aaasess, its spool and its server groups"},
	}
}

// The subtrees below aaasessObjects.
const (
	daemonTree  = 1
	storeTree   = 2
	spoolTree   = 3
	methodTable = 4
)

// objectID returns the OID of an object below aaasessObjects.
func objectID(id mib.OID, sub ...uint32) mib.OID { return id.Append(1).Append(sub...) }

// numbered is a scalar with the last number of its OID. write sets its value in a view.
type numbered struct {
	sub   uint32
	name  string
	kind  mib.Type
	write func(*View, *mib.Value)
}

func scalars(id mib.OID, tree uint32, list []numbered) []mib.Object[*View] {
	out := make([]mib.Object[*View], len(list))
	for i, n := range list {
		out[i] = scalar{Def: mib.Def{Name: n.name, OID: objectID(id, tree, n.sub), Type: n.kind, Access: mib.ReadOnly}, Get: n.write}
	}
	return out
}

func daemonObjects(id mib.OID) []mib.Object[*View] {
	return scalars(id, daemonTree, []numbered{
		{1, "aaasessVersion", mib.OctetString, func(s *View, v *mib.Value) { v.SetOctets(s.Version) }},
		{2, "aaasessUpTime", mib.TimeTicks, func(s *View, v *mib.Value) { v.SetTimeTicks(uint32(s.UpTime / (10 * time.Millisecond))) }},
		{3, "aaasessVerdict", mib.Integer32, func(s *View, v *mib.Value) { v.SetInteger32(second(s.Reasons > 0)) }},
		{4, "aaasessReasons", mib.Gauge32, func(s *View, v *mib.Value) { v.SetGauge32(gauge(s.Reasons)) }},
		{5, "aaasessSessions", mib.Gauge32, func(s *View, v *mib.Value) { v.SetGauge32(gauge(s.Sessions)) }},
	})
}

func storeObjects(id mib.OID) []mib.Object[*View] {
	var list []numbered
	for i := range storeFields {
		f := &storeFields[i]
		list = append(list, numbered{uint32(i) + 1, f.name, f.kind, func(s *View, v *mib.Value) { f.write(&s.Store, v) }})
	}
	return scalars(id, storeTree, list)
}

func spoolObjects(id mib.OID) []mib.Object[*View] {
	var list []numbered
	for i := range spoolFields {
		f := &spoolFields[i]
		list = append(list, numbered{uint32(i) + 1, f.name, f.kind, func(s *View, v *mib.Value) { f.write(&s.Spool, v) }})
	}
	return scalars(id, spoolTree, list)
}

func methodObjects(id mib.OID) []mib.Object[*View] {
	rows := &mib.Rows[*View, *row]{Get: getRow, Next: nextRow}
	out := make([]mib.Object[*View], len(methodFields))
	for i := range methodFields {
		f := &methodFields[i]
		out[i] = column{
			Def: mib.Def{Name: f.name, OID: objectID(id, methodTable, 1, uint32(i)+2), Type: f.kind, Access: mib.ReadOnly}, Rows: rows,
			Get: func(r *row, v *mib.Value) { f.write(&r.Method, v) },
		}
	}
	return out
}

// field is an object about a part of the view, which notifications have too.
type field[P any] struct {
	name  string
	kind  mib.Type
	write func(*P, *mib.Value)
}

// storeFields, spoolFields and methodFields are in the order of their numbers. Those of storeFields and
// spoolFields begin at 1, and those of methodFields at 2: column 1 is the index.
var storeFields = []field[Store]{
	{"aaasessEventState", mib.Integer32, func(s *Store, v *mib.Value) { v.SetInteger32(second(s.Refused)) }},
	{"aaasessDiskState", mib.Integer32, func(s *Store, v *mib.Value) { v.SetInteger32(second(s.Short)) }},
	{"aaasessDiskFree", mib.Gauge32, func(s *Store, v *mib.Value) { v.SetGauge32(kib(s.Free)) }},
	{"aaasessDiskMinFree", mib.Gauge32, func(s *Store, v *mib.Value) { v.SetGauge32(kib(s.MinFree)) }},
	{"aaasessDiskWarnFree", mib.Gauge32, func(s *Store, v *mib.Value) { v.SetGauge32(kib(s.WarnFree)) }},
}

var spoolFields = []field[Spool]{
	{"aaasessSpoolState", mib.Integer32, func(s *Spool, v *mib.Value) { v.SetInteger32(second(s.Over)) }},
	{"aaasessSpoolRecords", mib.Gauge32, func(s *Spool, v *mib.Value) { v.SetGauge32(gauge(s.Records)) }},
	{"aaasessSpoolOldest", mib.Gauge32, func(s *Spool, v *mib.Value) { v.SetGauge32(seconds(s.Oldest)) }},
	{"aaasessSpoolSize", mib.Gauge32, func(s *Spool, v *mib.Value) { v.SetGauge32(kib(s.Size)) }},
	{"aaasessSpoolMaxSize", mib.Gauge32, func(s *Spool, v *mib.Value) { v.SetGauge32(kib(s.MaxSize)) }},
	{"aaasessSpoolWarnRecords", mib.Gauge32, func(s *Spool, v *mib.Value) { v.SetGauge32(gauge(s.WarnRecords)) }},
	{"aaasessSpoolWarnAge", mib.Gauge32, func(s *Spool, v *mib.Value) { v.SetGauge32(seconds(s.WarnAge)) }},
	{"aaasessSpoolWarnSize", mib.Gauge32, func(s *Spool, v *mib.Value) { v.SetGauge32(kib(s.WarnSize)) }},
	{"aaasessSpoolSetAside", mib.Gauge32, func(s *Spool, v *mib.Value) { v.SetGauge32(gauge(s.SetAside)) }},
}

var methodFields = []field[Method]{
	{"aaasessMethodProtocol", mib.Integer32, func(m *Method, v *mib.Value) { v.SetInteger32(int32(m.Protocol)) }},
	{"aaasessMethodServers", mib.Gauge32, func(m *Method, v *mib.Value) { v.SetGauge32(gauge(m.Servers)) }},
	{"aaasessMethodServersUp", mib.Gauge32, func(m *Method, v *mib.Value) { v.SetGauge32(gauge(m.ServersUp)) }},
	{"aaasessMethodRecords", mib.Gauge32, func(m *Method, v *mib.Value) { v.SetGauge32(gauge(m.Records)) }},
	{"aaasessMethodOldest", mib.Gauge32, func(m *Method, v *mib.Value) { v.SetGauge32(seconds(m.Oldest)) }},
	{"aaasessMethodState", mib.Integer32, func(m *Method, v *mib.Value) { v.SetInteger32(second(m.Reason.Blocked())) }},
	{"aaasessMethodStateTime", mib.Gauge32, func(m *Method, v *mib.Value) { v.SetGauge32(seconds(m.Since)) }},
	{"aaasessMethodReason", mib.Integer32, func(m *Method, v *mib.Value) { v.SetInteger32(int32(cmp.Or(m.Reason, Flowing))) }},
}

// second returns the second value of a state with two, if it is the present one; else the first.
func second(is bool) int32 {
	if is {
		return 2
	}
	return 1
}

// gauge converts a number to a Gauge32, which stays at its maximum (RFC 2578 section 7.1.7).
func gauge[N int | int64 | uint64](n N) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

// kib converts octets to KiB, rounded down. Unknown octets, -1, are the maximum.
func kib(octets int64) uint32 {
	if octets < 0 {
		return math.MaxUint32
	}
	return gauge(octets >> 10)
}

// seconds rounds down.
func seconds(d time.Duration) uint32 { return gauge(int64(d / time.Second)) }
