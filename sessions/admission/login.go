package admission

import (
	"cmp"
	"strings"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// login is what is known of the authentication of a user, or of the preauthentication of a call.
type login struct {
	who
	kind     sessions.Kind
	attrs    radius.Attributes // who and where, for a record
	number   sessions.ID       // reserved for its session, 0 if none
	upstream string            // the Acct-Session-Id that servers were told, "" if none
	accepted bool
	granted  radius.Attributes // of its Access-Accept
	// session is the session that began before it was accepted, renews the one whose user it has
	// authenticated again; 0 if there is none.
	session, renews sessions.ID
	queued          bool // in Store.renewals
	// ambiguous says that a start may have been that of this login, or of another one.
	ambiguous bool
	size      int       // octets, as they were when it was kept
	at        time.Time // of its newest request or answer
	links     []link    // in the index; nil if it is not kept any more
	older     *login    // in the order of at
	newer     *login
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
			w.port = cmp.Or(w.port, v)
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

// only returns a copy of the attributes of these types, in order. It leaves out empty ones, which RFC
// 2865 section 5 forbids, and numbers of a wrong length.
func only(attrs radius.Attributes, of *types) radius.Attributes {
	var b strings.Builder
	at := 0
	for t, v := range attrs.All() {
		one := attrs[at : at+2+len(v)]
		at += len(one)
		if v == "" || of[t] == 0 || of[t] != anyLength && int(of[t]) != len(v) {
			continue
		}
		if b.Len() == 0 {
			b.Grow(len(attrs) - at + len(one))
		}
		_, _ = b.WriteString(string(one)) // never fails
	}
	return radius.Attributes(b.String())
}

// newLogin returns a login that keeps no memory of the request.
func newLogin(q *Request) *login {
	attrs := only(q.Attrs, &identifying)
	l := &login{kind: q.Kind, attrs: attrs}
	nas := q.NAS
	nas.Identifier = strings.Clone(nas.Identifier)
	l.who = whoOf(&nas, q.Kind, attrs)
	return l
}

// loginOctets is what a login needs without its texts.
const loginOctets = 1000

// octets returns about how much memory a login needs.
func (l *login) octets() int {
	return loginOctets + len(l.attrs) + len(l.granted) + len(l.upstream) + len(l.nas.Identifier)
}
