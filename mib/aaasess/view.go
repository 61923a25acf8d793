package aaasess

import (
	"slices"
	"time"

	"aaasess/mib"
)

// View is what the module shows. It is immutable once [NewView] has returned it.
type View struct {
	Version  string        // UTF-8, at most 255 octets
	UpTime   time.Duration // of the daemon
	Reasons  int           // why the daemon is degraded
	Sessions int           // live
	Store    Store
	Spool    Spool
	methods  []row // in the order of their indexes
}

// Store is the store on disk. Sizes are in octets.
type Store struct {
	Refused  bool  // new events are refused
	Short    bool  // of disk space
	Free     int64 // -1: unknown
	MinFree  int64
	WarnFree int64
}

// Spool is the records that wait for servers, and the store that has them. Sizes are in octets. A threshold
// of 0 means that there is none.
type Spool struct {
	Over        bool
	Records     uint64
	Oldest      time.Duration // since the event of the oldest record; 0: none waits
	Size        int64
	MaxSize     int64
	WarnRecords uint64
	WarnAge     time.Duration
	WarnSize    int64
	SetAside    uint64
}

// Method is a row of aaasessMethodTable.
type Method struct {
	Name      string // "group NAME" or "local", 1 to 80 octets of UTF-8
	Protocol  Protocol
	Servers   int
	ServersUp int // that are not dead
	Records   uint64
	Oldest    time.Duration // since the event of the oldest record; 0: none waits
	Since     time.Duration // in the present state
	Reason    Reason
}

// Protocol is aaasessMethodProtocol.
type Protocol int32

// The protocols of methods.
const (
	TACACS          Protocol = 1
	RADIUS          Protocol = 2
	File            Protocol = 3
	UnknownProtocol Protocol = 4
)

// Reason is aaasessMethodReason: why a method is blocked.
type Reason int32

// The reasons.
const (
	Flowing       Reason = 1 // it is not
	NoAnswer      Reason = 2 // no server answers
	AccountingOn  Reason = 3 // its records wait for an Accounting-On
	NotConfigured Reason = 4 // no method of a record is configured
	NotMoving     Reason = 5 // servers answer, but no record leaves the queue
	NoLoginAnswer Reason = 6 // no server answers Access-Requests
)

// Blocked reports whether it is a reason at all. The zero Reason is none either.
func (r Reason) Blocked() bool { return r > Flowing }

// row is a row of aaasessMethodTable with its index.
type row struct {
	index mib.OID
	Method
}

// indexOf returns the index of a row: the length of the name, and its octets (RFC 2578 section 7.7).
func indexOf(name string) mib.OID {
	index := make(mib.OID, 1, 1+len(name))
	index[0] = uint32(len(name))
	for i := range len(name) {
		index = append(index, uint32(name[i]))
	}
	return index
}

// NewView returns a view with methods, whose names are unique.
func NewView(v View, methods []Method) *View {
	v.methods = make([]row, 0, len(methods))
	for _, m := range methods {
		v.methods = append(v.methods, row{indexOf(m.Name), m})
	}
	slices.SortFunc(v.methods, func(a, b row) int { return a.index.Compare(b.index) })
	return &v
}

func search(v *View, index mib.OID) (int, bool) {
	return slices.BinarySearchFunc(v.methods, index, func(r row, index mib.OID) int { return r.index.Compare(index) })
}

// getRow and nextRow find rows as in [mib.Rows].
func getRow(v *View, index mib.OID) (*row, bool) {
	i, ok := search(v, index)
	if !ok {
		return nil, false
	}
	return &v.methods[i], true
}

func nextRow(v *View, index mib.OID, include bool, name mib.OID) (mib.OID, *row, bool) {
	i, at := search(v, index)
	if at && !include {
		i++
	}
	if i == len(v.methods) {
		return name, nil, false
	}
	r := &v.methods[i]
	return append(name, r.index...), r, true
}
