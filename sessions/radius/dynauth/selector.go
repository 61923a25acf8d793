package dynauth

import (
	"net/netip"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// selector is what a request says of its session and of its NAS.
type selector struct {
	name    string      // Acct-Session-Id, "" if there is none
	session []attribute // other attributes that identify the session
	nas     []attribute
	rest    []byte // what is passed on
	invalid bool   // there are several Acct-Session-Ids, or an empty one
}

type attribute struct {
	radius.Type
	value string
}

// parse reads the attributes of a request. local is the address that it was sent to: a
// NAS-IP-Address or NAS-IPv6-Address with it means us, and not a NAS.
func parse(attrs []byte, local netip.Addr) (q selector) {
	for rest := attrs; len(rest) > 0; rest = rest[rest[1]:] {
		attr := rest[:rest[1]]
		t := radius.Type(attr[0])
		switch t {
		case radius.MessageAuthenticator, radius.ProxyState, radius.EventTimestamp:
		case radius.NASIPAddress, radius.NASIPv6Address, radius.NASIdentifier:
			if addr, ok := netip.AddrFromSlice(attr[2:]); t == radius.NASIdentifier || !ok || addr != local.WithZone("") {
				q.nas = append(q.nas, attribute{t, string(attr[2:])})
			}
		case radius.AcctSessionID:
			q.invalid = q.invalid || len(attr) == 2 || q.name != ""
			q.name = string(attr[2:])
		default:
			if identifies(t) {
				q.session = append(q.session, attribute{t, string(attr[2:])})
			} else {
				q.rest = append(q.rest, attr...)
			}
		}
	}
	return q
}

// identifies reports whether an attribute identifies a session (RFC 5176 section 3). A
// Vendor-Specific does so at some NASes; it is passed on. NAS-Port-Type is not in that list, but goes
// with NAS-Port.
func identifies(t radius.Type) bool {
	switch t {
	case radius.UserName, radius.NASPort, radius.NASPortType, radius.NASPortID, radius.FramedIPAddress,
		radius.CalledStationID, radius.CallingStationID, radius.AcctMultiSessionID,
		radius.ChargeableUserIdentity, radius.FramedInterfaceID, radius.FramedIPv6Prefix:
		return true
	}
	return false
}

// matches reports whether the records of a session have all attributes that identify it.
func (q *selector) matches(s *sessions.Session) bool {
	for _, a := range q.session {
		if a.Type == radius.UserName && a.value == s.User() {
			continue
		}
		if !s.Attrs.Has(a.Type, a.value) && !s.Granted().Has(a.Type, a.value) {
			return false
		}
	}
	return true
}

// matchesNAS reports whether a session has the NAS that the request names. A NAS that does not call
// itself anything has the address of its packets in records.
func (q *selector) matchesNAS(s *sessions.Session) bool {
	for _, a := range q.nas {
		switch a.Type {
		case radius.NASIdentifier:
			if a.value != s.NAS.Identifier && (s.NAS.Identifier != "" || a.value != s.NAS.Addr.String()) {
				return false
			}
		default:
			addr, ok := netip.AddrFromSlice([]byte(a.value))
			if !ok || addr != s.NAS.IPv4 && addr != s.NAS.IPv6 && addr != s.NAS.Addr.WithZone("") {
				return false
			}
		}
	}
	return true
}
