package accounting

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
	"time"

	"aaasess/internal/cursor"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Record is one accounting message on its way to a method. It must not be changed.
type Record struct {
	// Session is the number of the session. For a [sessions.Other] of no live session it is the
	// placeholderID of the NAS and its id. See Number and SessionName.
	Session sessions.ID
	// Renamed says of a [sessions.Other] that Session is the number of a live session whose
	// Acct-Session-Id upstream is another ([sessions.Admission].Upstream).
	Renamed bool
	Type    sessions.EventType
	// Resync says that the record repeats a session for servers that have lost their data (R65).
	Resync bool
	// Kind is the accounting type. In a record to append, 0 means the type that List names.
	Kind sessions.Kind
	// Lane is the number of the session whose records this one is kept in order with; 0 means its
	// own. See InLane.
	Lane sessions.ID
	// Hold is how long a start waits for the address of its user, from its commit; 0 means not at
	// all. It is rounded up to milliseconds, at most 2^32-1 of them.
	Hold time.Duration
	// At is when the event happened. Acct-Delay-Time is the time from At to the moment of sending.
	At time.Time
	// List is the accounting type and name of the method list, "network/default"; at most 255 octets.
	List string
	// Next are the methods of the route after the first, to try when the earlier ones give no
	// response (R42); at most 255.
	Next []MethodName
	// NASSession is the Acct-Session-Id that the NAS sent; "" if the NAS sent none, or if an earlier
	// version stored the record. At most 253 octets.
	NASSession string
	// Attrs are the attributes in the order to send them, complete except for Acct-Delay-Time.
	Attrs radius.Attributes
	// Reason is why accounting was turned on or off, as TACACS+ names it ("reason", RFC 8907 section
	// 8.3); only in an Accounting-On or -Off, which is never stored.
	Reason string
}

// SessionName returns the Acct-Session-Id that is sent upstream: that of [sessions.Session.Name] or,
// for a [sessions.Other] of no live session, the value that the NAS sent. An Accounting-On or -Off
// has an id of its own.
func (r *Record) SessionName() string {
	if name := r.Attrs.Text(radius.AcctSessionID); name != "" || r.Type != sessions.Start && r.Type != sessions.Stop && r.Type != sessions.Interim {
		return name
	}
	return r.Session.String()
}

// SessionText returns what people find the session of the record by: its number in eight hex digits,
// whatever its Acct-Session-Id is; SessionName if it has no number.
func (r *Record) SessionText() string {
	if n := r.Number(); n != 0 {
		return n.String()
	}
	return r.SessionName()
}

// Number returns the number of the record's session, 0 if it has none.
func (r *Record) Number() sessions.ID {
	if r.Type == sessions.Other && !r.Renamed && r.SessionName() != r.Session.String() {
		return 0
	}
	return r.Session
}

// IsCommand reports whether the record is of a command, which RADIUS has no records of (S1).
func (r *Record) IsCommand() bool { return r.Kind == sessions.Command }

// InLane returns the number that keeps the record in order: Lane, or else Session.
func (r *Record) InLane() sessions.ID {
	if r.Lane != 0 {
		return r.Lane
	}
	return r.Session
}

// TypeName returns the name of the record's Acct-Status-Type, or its number if it has no name.
func (r *Record) TypeName() string {
	if n, ok := r.Attrs.Uint32(radius.AcctStatusType); ok && r.Type == sessions.Other {
		if name := radius.Standard().ValueName(radius.AcctStatusType, n); name != "" {
			return name
		}
		return strconv.FormatUint(uint64(n), 10)
	}
	return statusType(r.Type, r.Kind).String()
}

// placeholderID returns the placeholder for the number of a session that has none: the 32-bit
// FNV-1a hash of the NAS's name (else its address), a zero octet, and the NAS's Acct-Session-Id.
// Stored records contain it, so it must not change.
func placeholderID(s *sessions.Session) sessions.ID {
	name := ""
	if s.NAS != nil {
		if name = s.NAS.Name(); name == "" {
			name = s.NAS.Addr.String()
		}
	}
	h := fnv.New32a()
	_, _ = io.WriteString(h, name) // never fails
	_, _ = h.Write([]byte{0})
	_, _ = io.WriteString(h, s.AcctSessionID())
	return sessions.ID(h.Sum32())
}

// The first octet of a record. The package comment describes the layouts.
const (
	recordWithoutNAS = 1 // with nothing that a later version has
	recordWithNAS    = 2 // with NASSession
	recordExtended   = 3 // with NASSession, Kind, Lane and Hold; each may be missing
	recordRenamed    = 4 // the same, Renamed
)

// headLen is the length of a record's head: version, type, session and time. From version 3 on, the
// kind, the lane and the hold follow it.
const (
	headLen      = 14
	extensionLen = 9
)

// resyncFlag is added to the type of a record that is made by a resync.
const resyncFlag = 0x40

const maxHold = (1<<32 - 1) * time.Millisecond

// AppendRecord appends the octets of a record to b.
func AppendRecord(b []byte, r *Record) []byte {
	start := len(b)
	b = appendHead(b, r, kindOf(r.List))
	b = appendRoute(b, r.List, r.Next)
	b = appendNASSession(b, b[start], r.NASSession)
	attrs := r.Attrs[:min(len(r.Attrs), 1<<16-1)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(attrs)))
	return append(b, attrs...)
}

// kindOf returns the accounting type that the name of a list begins with, 0 if it is none.
func kindOf(list string) sessions.Kind {
	head, _, ok := strings.Cut(list, "/")
	for k := sessions.Network; ok && k <= sessions.Command; k++ {
		if k.String() == head {
			return k
		}
	}
	return 0
}

// needsExtension reports whether only versions 3 and 4 can store the record, whose list is of kind
// listKind. All other records can be read after a downgrade.
func (r *Record) needsExtension(listKind sessions.Kind) bool {
	return r.Renamed || r.Hold > 0 || r.InLane() != r.Session || r.Kind != 0 && r.Kind != listKind
}

// appendHead appends what precedes the name of the list. listKind is the kind of the list.
func appendHead(b []byte, r *Record, listKind sessions.Kind) []byte {
	version, extended := byte(recordWithoutNAS), r.needsExtension(listKind)
	switch {
	case r.Renamed:
		version = recordRenamed
	case extended:
		version = recordExtended
	case r.NASSession != "":
		version = recordWithNAS
	}
	typ := byte(r.Type)
	if r.Resync {
		typ |= resyncFlag
	}
	b = append(b, version, typ)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Session))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixNano()))
	if !extended {
		return b
	}
	lane := r.Lane
	if lane == r.Session {
		lane = 0
	}
	b = append(b, byte(cmp.Or(r.Kind, listKind)))
	b = binary.BigEndian.AppendUint32(b, uint32(lane))
	return appendHold(b, r.Hold)
}

// appendHold appends a hold in milliseconds, rounded up.
func appendHold(b []byte, hold time.Duration) []byte {
	return binary.BigEndian.AppendUint32(b, uint32((min(max(0, hold), maxHold)+time.Millisecond-1)/time.Millisecond))
}

// appendRoute appends the name of a list and methods, at most 255.
func appendRoute(b []byte, list string, methods []MethodName) []byte {
	b = appendName(b, list)
	methods = methods[:min(len(methods), 255)]
	b = append(b, byte(len(methods)))
	for _, m := range methods {
		b = appendName(b, string(m))
	}
	return b
}

// appendNASSession appends what follows the route, if the version of the record has it.
func appendNASSession(b []byte, version byte, s string) []byte {
	if version == recordWithoutNAS {
		return b
	}
	return appendName(b, s)
}

func appendName(b []byte, s string) []byte {
	s = s[:min(len(s), 255)]
	return append(append(b, byte(len(s))), s...)
}

// ParseRecord parses what AppendRecord wrote, and nothing else: a parsed record that is appended
// again gives the same octets. Its errors wrap [ErrRecord].
func ParseRecord(b []byte) (*Record, error) {
	d := newDecoder(string(b)) // one copy, shared by all strings of the record
	version := d.Octet()
	if (version < recordWithoutNAS || version > recordRenamed) && d.OK() {
		return nil, fmt.Errorf("%w: unknown version %d", ErrRecord, version)
	}
	r := &Record{}
	r.Type, r.Resync = parseType(d.Octet())
	r.Session = sessions.ID(d.Uint32())
	r.At = time.Unix(0, int64(d.Uint64()))
	r.Renamed = version == recordRenamed
	if version >= recordExtended {
		r.Kind, r.Lane = sessions.Kind(d.Octet()), sessions.ID(d.Uint32())
		r.Hold = time.Duration(d.Uint32()) * time.Millisecond
	}
	r.List, r.Next = d.route()
	if version != recordWithoutNAS {
		r.NASSession = d.name()
	}
	r.Attrs = radius.Attributes(d.Octets(uint64(d.Uint16())))
	if !d.OK() {
		return nil, fmt.Errorf("%w: it ends early, after %d octets", ErrRecord, len(b))
	}
	listKind := kindOf(r.List)
	if err := r.check(version, listKind, d.Rest()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if r.Kind == 0 {
		r.Kind = listKind
	}
	return r, nil
}

// check returns the fault of a record that was read as a version. listKind is the kind of its list.
func (r *Record) check(version byte, listKind sessions.Kind, rest string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%d octets follow its end", len(rest))
	case version == recordWithNAS && r.NASSession == "",
		version == recordRenamed && (r.Type != sessions.Other || r.SessionName() == r.Session.String()),
		version >= recordExtended && (!r.needsExtension(listKind) || r.Kind == 0 && listKind != 0 || r.Lane != 0 && r.Lane == r.Session):
		return fmt.Errorf("version %d has no need", version) // else it would have another form
	case (r.Type < sessions.Start || r.Type > sessions.Interim) && r.Type != sessions.Other:
		return fmt.Errorf("unknown type %d", r.Type)
	case !r.Attrs.Valid():
		return fmt.Errorf("attributes of session %s are damaged", r.Session)
	}
	for _, m := range r.Next {
		if err := m.Check(); err != nil {
			return err
		}
	}
	return nil
}

// parseType parses the type of a record. Only starts and interims are made by a resync.
func parseType(o byte) (t sessions.EventType, resync bool) {
	if t = sessions.EventType(o &^ resyncFlag); o&resyncFlag != 0 && (t == sessions.Start || t == sessions.Interim) {
		return t, true
	}
	return sessions.EventType(o), false
}

// Head is what a record begins with.
type Head struct {
	Type    sessions.EventType
	Holds   bool        // it has a Hold
	Session sessions.ID // as Record has it
	Lane    sessions.ID // as [Record.InLane] returns it
	At      int64       // nanoseconds since 1970
}

// HeadLen is how many octets of a record [PeekRecord] needs at most.
const HeadLen = headLen + extensionLen

// PeekRecord reads the head of a record without parsing the rest, which may be missing.
func PeekRecord(b []byte) (h Head, ok bool) {
	if len(b) < headLen || b[0] < recordWithoutNAS || b[0] > recordRenamed {
		return h, false
	}
	h.Type, _ = parseType(b[1])
	h.Session = sessions.ID(binary.BigEndian.Uint32(b[2:]))
	h.Lane, h.At = h.Session, int64(binary.BigEndian.Uint64(b[6:]))
	if b[0] < recordExtended {
		return h, true
	}
	if len(b) < headLen+extensionLen {
		return Head{}, false
	}
	h.Lane = cmp.Or(sessions.ID(binary.BigEndian.Uint32(b[headLen+1:])), h.Session)
	h.Holds = binary.BigEndian.Uint32(b[headLen+5:]) != 0
	return h, true
}

// decoder reads what the append functions wrote; after the first fault it gives zeros.
type decoder struct{ cursor.Cursor[string] }

// newDecoder reads these octets. What it reads shares their memory.
func newDecoder(octets string) decoder { return decoder{cursor.New(octets)} }

func (d *decoder) name() string { return d.Octets(uint64(d.Octet())) }

// route reads what appendRoute wrote.
func (d *decoder) route() (list string, methods []MethodName) {
	list = d.name()
	n := int(d.Octet())
	d.Require(n <= len(d.Rest()))
	if n == 0 || !d.OK() {
		return list, nil
	}
	methods = make([]MethodName, n)
	for i := range methods {
		methods[i] = MethodName(d.name())
	}
	return list, methods
}
