package accounting

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"time"

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
	// At is when the event happened. Acct-Delay-Time is the time from At to the moment of sending.
	At time.Time
	// List is the accounting type and name of the method list, "network/default"; at most 255 octets.
	List string
	// Next are the methods of the route after the first, to try when the earlier ones give no
	// response (R42); at most 255.
	Next []MethodName
	// Attrs are the attributes in the order to send them, complete except for Acct-Delay-Time.
	Attrs radius.Attributes
}

// SessionName returns the Acct-Session-Id that is sent upstream: our number in eight hex digits or,
// for a [sessions.Other] of no live session, the value that the NAS sent.
func (r *Record) SessionName() string {
	if r.Type == sessions.Other {
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

// recordVersion is the first octet of a record. The package comment describes the layout.
const recordVersion = 1

// AppendRecord appends the octets of a record to b.
func AppendRecord(b []byte, r *Record) []byte {
	b = appendHead(b, r.Session, r.Type, r.At)
	b = appendRoute(b, r.List, r.Next)
	attrs := r.Attrs[:min(len(r.Attrs), 1<<16-1)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(attrs)))
	return append(b, attrs...)
}

func appendHead(b []byte, id sessions.ID, t sessions.EventType, at time.Time) []byte {
	b = append(b, recordVersion, byte(t))
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

func appendName(b []byte, s string) []byte {
	s = s[:min(len(s), 255)]
	return append(append(b, byte(len(s))), s...)
}

// ParseRecord parses what AppendRecord wrote, and nothing else: a parsed record that is appended
// again gives the same octets. Its errors wrap [ErrRecord].
func ParseRecord(b []byte) (*Record, error) {
	c := cursor{rest: string(b)} // one copy, shared by all strings of the record
	if v := c.octet(); v != recordVersion && !c.short {
		return nil, fmt.Errorf("%w: unknown version %d", ErrRecord, v)
	}
	r := &Record{Type: sessions.EventType(c.octet())}
	r.Session = sessions.ID(c.uint32())
	r.At = time.Unix(0, int64(c.uint64()))
	r.List, r.Next = c.route()
	r.Attrs = radius.Attributes(c.take(int(c.uint16())))
	switch {
	case c.short:
		return nil, fmt.Errorf("%w: it ends early, after %d octets", ErrRecord, len(b))
	case len(c.rest) > 0:
		return nil, fmt.Errorf("%w: %d octets follow its end", ErrRecord, len(c.rest))
	case (r.Type < sessions.Start || r.Type > sessions.Interim) && r.Type != sessions.Other:
		return nil, fmt.Errorf("%w: unknown type %d", ErrRecord, r.Type)
	case !r.Attrs.Valid():
		return nil, fmt.Errorf("%w: attributes of session %s are damaged", ErrRecord, r.Session)
	}
	for _, m := range r.Next {
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRecord, err)
		}
	}
	return r, nil
}

// PeekRecord reads the type, session and time (nanoseconds since 1970) of a record without parsing
// the rest.
func PeekRecord(b []byte) (typ sessions.EventType, session sessions.ID, at int64, ok bool) {
	if len(b) < 14 || b[0] != recordVersion {
		return 0, 0, 0, false
	}
	id := sessions.ID(binary.BigEndian.Uint32(b[2:]))
	return sessions.EventType(b[1]), id, int64(binary.BigEndian.Uint64(b[6:])), true
}

// cursor reads fields; once one is not there it gives zeros.
type cursor struct {
	rest  string
	short bool
}

func (c *cursor) take(n int) string {
	if c.short || n > len(c.rest) {
		c.short = true
		return ""
	}
	s := c.rest[:n]
	c.rest = c.rest[n:]
	return s
}

func (c *cursor) number(n int) (v uint64) {
	for _, o := range []byte(c.take(n)) {
		v = v<<8 | uint64(o)
	}
	return v
}

func (c *cursor) octet() byte    { return byte(c.number(1)) }
func (c *cursor) uint16() uint16 { return uint16(c.number(2)) }
func (c *cursor) uint32() uint32 { return uint32(c.number(4)) }
func (c *cursor) uint64() uint64 { return c.number(8) }
func (c *cursor) name() string   { return c.take(int(c.octet())) }

// route reads what appendRoute wrote.
func (c *cursor) route() (list string, methods []MethodName) {
	list = c.name()
	n := int(c.octet())
	if n > len(c.rest) {
		c.short = true
	}
	if n == 0 || c.short {
		return list, nil
	}
	methods = make([]MethodName, n)
	for i := range methods {
		methods[i] = MethodName(c.name())
	}
	return list, methods
}
