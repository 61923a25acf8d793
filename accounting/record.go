package accounting

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"time"

	"aaasess/internal/cursor"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Record is one accounting message on its way to a method. It must not be changed.
type Record struct {
	// Session is the number of the session, which keeps its records in order. For a
	// [sessions.Other] of no live session it is the placeholderID of the NAS and its id. See Number
	// and SessionName.
	Session sessions.ID
	Type    sessions.EventType
	// Resync: it repeats a session for servers that have lost their data (R65).
	Resync bool
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
}

// SessionName returns the Acct-Session-Id that is sent upstream: our number in eight hex digits or,
// for a [sessions.Other] of no live session, the value that the NAS sent. An Accounting-On or -Off
// has an id of its own.
func (r *Record) SessionName() string {
	switch r.Type {
	case sessions.Other, sessions.On, sessions.Off:
		return r.Attrs.Text(radius.AcctSessionID)
	}
	return r.Session.String()
}

// Number returns the number of the record's session, 0 if it has none.
func (r *Record) Number() sessions.ID {
	if r.Type == sessions.Other && r.SessionName() != r.Session.String() {
		return 0
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
	return r.Type.String()
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
	_, _ = io.WriteString(h, s.AcctSessionID)
	return sessions.ID(h.Sum32())
}

// The first octet of a record. The package comment describes the layouts.
const (
	recordWithoutNAS = 1 // without NASSession
	recordVersion    = 2
)

// headLen is the length of a record's head: version, type, session and time.
const headLen = 14

// resyncFlag is added to the type of a record that is made by a resync.
const resyncFlag = 0x40

func isRecordVersion(o byte) bool { return o == recordWithoutNAS || o == recordVersion }

// AppendRecord appends the octets of a record to b.
func AppendRecord(b []byte, r *Record) []byte {
	b = appendHead(b, r.Session, r.Type, r.Resync, r.At, r.NASSession)
	b = appendRoute(b, r.List, r.Next)
	b = appendNASSession(b, r.NASSession)
	attrs := r.Attrs[:min(len(r.Attrs), 1<<16-1)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(attrs)))
	return append(b, attrs...)
}

func appendHead(b []byte, id sessions.ID, t sessions.EventType, resync bool, at time.Time, nasSession string) []byte {
	version := byte(recordVersion)
	if nasSession == "" {
		version = recordWithoutNAS
	}
	if resync {
		t |= resyncFlag
	}
	b = append(b, version, byte(t))
	b = binary.BigEndian.AppendUint32(b, uint32(id))
	return binary.BigEndian.AppendUint64(b, uint64(at.UnixNano()))
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

// appendNASSession appends what follows the route, if there is anything.
func appendNASSession(b []byte, s string) []byte {
	if s == "" {
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
	if !isRecordVersion(version) && d.OK() {
		return nil, fmt.Errorf("%w: unknown version %d", ErrRecord, version)
	}
	r := &Record{}
	r.Type, r.Resync = parseType(d.Octet())
	r.Session = sessions.ID(d.Uint32())
	r.At = time.Unix(0, int64(d.Uint64()))
	r.List, r.Next = d.route()
	if version == recordVersion {
		r.NASSession = d.name()
		d.Require(r.NASSession != "") // else it would have the other version
	}
	r.Attrs = radius.Attributes(d.Octets(uint64(d.Uint16())))
	switch {
	case !d.OK():
		return nil, fmt.Errorf("%w: it ends early, after %d octets", ErrRecord, len(b))
	case len(d.Rest()) > 0:
		return nil, fmt.Errorf("%w: %d octets follow its end", ErrRecord, len(d.Rest()))
	case (r.Type < sessions.Start || r.Type > sessions.Interim) && r.Type != sessions.Other:
		return nil, fmt.Errorf("%w: unknown type %d", ErrRecord, r.Type)
	case !r.Attrs.Valid():
		return nil, fmt.Errorf("%w: attributes of session %s are damaged", ErrRecord, r.Session)
	}
	for _, m := range r.Next {
		if err := m.Check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRecord, err)
		}
	}
	return r, nil
}

// parseType parses the type of a record. Only starts and interims are made by a resync.
func parseType(o byte) (t sessions.EventType, resync bool) {
	if t = sessions.EventType(o &^ resyncFlag); o&resyncFlag != 0 && (t == sessions.Start || t == sessions.Interim) {
		return t, true
	}
	return sessions.EventType(o), false
}

// PeekRecord reads the type, session and time (nanoseconds since 1970) of a record without parsing
// the rest.
func PeekRecord(b []byte) (typ sessions.EventType, session sessions.ID, at int64, ok bool) {
	if len(b) < headLen || !isRecordVersion(b[0]) {
		return 0, 0, 0, false
	}
	id := sessions.ID(binary.BigEndian.Uint32(b[2:]))
	typ, _ = parseType(b[1])
	return typ, id, int64(binary.BigEndian.Uint64(b[6:])), true
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
