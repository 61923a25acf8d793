package admission

import (
	"cmp"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// login is what is known of the authentication of a user, or of the preauthentication of a call. It is
// made to look at one that is kept (see [logins]), or to keep one. Its texts are parts of what is kept,
// or of the packets: what goes to the table must be copied.
type login struct {
	who
	state
	attrs    radius.Attributes // of the Access-Request; who and where, if it is kept
	granted  radius.Attributes // of its Access-Accept; what a session keeps, if it is kept
	upstream string            // the Acct-Session-Id that servers were told, "" if none
}

// state is what is known of a login beside texts.
type state struct {
	at     time.Duration // of its newest request or answer, since the Store was made
	kind   sessions.Kind
	number sessions.ID // reserved for its session, 0 if none
	// session is the session that began before it was accepted, renews the one whose user it has
	// authenticated again; 0 if there is none.
	session, renews sessions.ID
	accepted        bool
	queued          bool // in Store.renewals
	// ambiguous says that a start may have been that of this login, or of another one.
	ambiguous bool
}

// newLogin returns the login of a request.
func newLogin(q *Request, w *who) login {
	return login{who: *w, state: state{kind: q.Kind}, attrs: q.Attrs}
}

// who is what a request or an event says of the user and the line.
type who struct {
	nas          sessions.NAS
	call         bool
	user         string
	also         string // the User-Name of the Access-Accept, "" if it has none
	sid          string // Acct-Session-Id
	station      string // Calling-Station-Id
	port, portID string // NAS-Port, as four octets, and NAS-Port-Id
}

func whoOf(nas *sessions.NAS, kind sessions.Kind, attrs radius.Attributes) who {
	w := who{nas: *nas, call: kind == sessions.Resource}
	for t, v := range attrs.All() {
		switch t { // the first of each counts
		case radius.UserName:
			w.user = cmp.Or(w.user, v)
		case radius.AcctSessionID:
			w.sid = cmp.Or(w.sid, v)
		case radius.CallingStationID:
			w.station = cmp.Or(w.station, v)
		case radius.NASPort:
			if len(v) == 4 { // others are not kept
				w.port = cmp.Or(w.port, v)
			}
		case radius.NASPortID:
			w.portID = cmp.Or(w.portID, v)
		}
	}
	return w
}

// isSame reports whether two requests are rounds or copies of one login, as far as they tell.
func (w *who) isSame(o *who) bool {
	return w.nas == o.nas && w.call == o.call && w.user == o.user && w.sid == o.sid && w.station == o.station && w.port == o.port && w.portID == o.portID
}

// hasLine reports whether something but the user tells one login from another.
func (w *who) hasLine() bool { return w.sid != "" || w.station != "" || w.port != "" || w.portID != "" }

// isUser reports whether a login is of this user: by the name in its request or in its Access-Accept.
func (w *who) isUser(name string) bool {
	return name == w.user || name == w.also && w.also != ""
}

// differ reports whether both are known and not equal.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

// types is a set of attribute types. Those with four octets must have them (RFC 2865 section 5).
type types [256]uint8 // 0: not in it, else the number of octets, or anyLength

const anyLength = 255

func typesOf(texts, numbers []radius.Type) (ts types) {
	for _, t := range texts {
		ts[t] = anyLength
	}
	for _, t := range numbers {
		ts[t] = 4
	}
	return ts
}

// identifying are the attributes that tell who a user is and on which line: what a record has of a
// session that has not begun (S1 "Generating Accounting Records for Failed Login or Session").
var identifying = typesOf(
	[]radius.Type{
		radius.UserName, radius.NASIPv6Address, radius.NASIdentifier, radius.NASPortID, radius.LoginIPv6Host, radius.LoginLATNode,
		radius.CalledStationID, radius.CallingStationID, radius.AcctSessionID, radius.AcctMultiSessionID,
	},
	[]radius.Type{
		radius.NASIPAddress, radius.NASPort, radius.NASPortType, radius.ServiceType, radius.FramedProtocol, radius.LoginService, radius.LoginIPHost,
	},
)

// granting are the attributes of an Access-Accept that a session keeps.
var granting = typesOf(
	[]radius.Type{
		radius.UserName, radius.Class, radius.ChargeableUserIdentity, radius.FramedIPv6Prefix, radius.FramedIPv6Address,
		radius.DelegatedIPv6Prefix, radius.FramedInterfaceID,
	},
	[]radius.Type{radius.AcctInterimInterval, radius.SessionTimeout, radius.IdleTimeout, radius.FramedIPAddress},
)

// only returns a copy of the attributes of these types; see appendOnly.
func only(attrs radius.Attributes, of *types) radius.Attributes {
	return radius.Attributes(appendOnly(make([]byte, 0, len(attrs)), attrs, of))
}

// appendOnly appends the attributes of these types, in order. It leaves out empty ones, which RFC 2865
// section 5 forbids, and numbers of a wrong length.
func appendOnly(b []byte, attrs radius.Attributes, of *types) []byte {
	at := 0
	for t, v := range attrs.All() {
		one := attrs[at : at+2+len(v)]
		at += len(one)
		if v == "" || of[t] == 0 || of[t] != anyLength && int(of[t]) != len(v) {
			continue
		}
		b = append(b, one...)
	}
	return b
}

// nameIn returns the first User-Name of an Access-Accept that is not empty, or "".
func nameIn(accept radius.Attributes) string {
	for t, v := range accept.All() {
		if t == radius.UserName && v != "" {
			return v
		}
	}
	return ""
}
