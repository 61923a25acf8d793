package radius

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// DefaultProfile is what identifies a session in a Disconnect-Request unless a client has its own
// list: hostapd, strongSwan and FreeRADIUS know all of these. (hostapd answers NAK 401 to NAS-Port,
// NAS-Port-Id, Class and Framed-IP-Address; other NASes want one of them: see ladder.)
func DefaultProfile() []string {
	return []string{
		"User-Name", "NAS-IP-Address", "NAS-IPv6-Address", "NAS-Identifier", "Calling-Station-Id", "Acct-Session-Id",
		"Event-Timestamp", "Message-Authenticator",
	}
}

// minimalProfile is for a NAS that does not know an attribute of another one.
var minimalProfile = profile{radius.AcctSessionID, radius.UserName}

// fullProfile is what identifies NAS and session by RFC 5176 section 3. Vendor-Specific, which is in that
// list too, is left out: what a NAS reports in it are mostly counters and settings, and no RFC says which
// of them identify. Class is not in the list: it belongs to the server, and hostapd refuses it.
var fullProfile = profile{
	radius.UserName, radius.NASIPAddress, radius.NASIPv6Address, radius.NASIdentifier, radius.NASPort,
	radius.NASPortType, radius.NASPortID, radius.FramedIPAddress, radius.CalledStationID,
	radius.CallingStationID, radius.AcctSessionID, radius.AcctMultiSessionID, chargeableUserIdentity,
	framedInterfaceID, framedIPv6Prefix,
}

const (
	chargeableUserIdentity radius.Type = 89 // RFC 4372
	framedInterfaceID      radius.Type = 96 // RFC 3162
	framedIPv6Prefix       radius.Type = 97 // RFC 3162
)

var errTooLong = errors.New("radius: disconnect attributes do not fit into a packet")

// profile is the types of the attributes that identify a session, in order.
type profile []radius.Type

// newProfile turns attribute names into a profile; none is DefaultProfile.
func newProfile(names []string) (profile, error) {
	if len(names) == 0 {
		names = DefaultProfile()
	}
	p := make(profile, 0, len(names))
	for _, name := range names {
		t, ok := radius.AttributeNames[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("disconnect attribute %q: no session has such an attribute", name)
		case t == radius.AcctStatusType || t == radius.AcctDelayTime:
			return nil, fmt.Errorf("disconnect attribute %q: says nothing of a session", name)
		case slices.Contains(p, t):
			return nil, fmt.Errorf("disconnect attribute %q: given twice", name)
		}
		p = append(p, t)
	}
	return p, nil
}

// with is p, and behind it those of Event-Timestamp and Message-Authenticator that are in q.
func (p profile) with(q profile) profile {
	p = slices.Clip(p)
	for _, t := range [...]radius.Type{radius.EventTimestamp, radius.MessageAuthenticator} {
		if slices.Contains(q, t) {
			p = append(p, t)
		}
	}
	return p
}

// without is p less one type.
func (p profile) without(t radius.Type) profile {
	return slices.DeleteFunc(slices.Clone(p), func(u radius.Type) bool { return u == t })
}

// tells reports whether p tells of a session all that q does.
func (p profile) tells(q profile, s *sessions.Session) bool {
	for _, t := range q {
		if t == radius.EventTimestamp || t == radius.MessageAuthenticator || slices.Contains(p, t) {
			continue
		}
		for range valuesOf(s, t) {
			return false
		}
	}
	return true
}

// valuesOf yields what is known of a session under an attribute type. An address that stands for none
// (RFC 2865 section 5.8) identifies nothing.
func valuesOf(s *sessions.Session, t radius.Type) iter.Seq[string] {
	return func(yield func(string) bool) {
		switch t {
		case radius.UserName:
			_ = s.User == "" || yield(s.User)
			return
		case radius.AcctSessionID:
			_ = s.AcctSessionID == "" || yield(s.AcctSessionID)
			return
		}
		for at, value := range s.Attrs.All() {
			if at == t && !(t == radius.FramedIPAddress && isNoAddress(value)) && !yield(value) {
				return
			}
		}
	}
}

func isNoAddress(value string) bool {
	return value == "\x00\x00\x00\x00" || value == "\xff\xff\xff\xff" || value == "\xff\xff\xff\xfe"
}

// disconnectRequest makes a Disconnect-Request (RFC 5176 section 2.3) for a session.
func (p profile) disconnectRequest(identifier byte, s *sessions.Session, now time.Time, secret radius.Secret) ([]byte, error) {
	b := radius.AppendHeader(make([]byte, 0, 512), radius.CodeDisconnectRequest, identifier)
	signedAt := 0
	for _, t := range p {
		switch t {
		case radius.MessageAuthenticator:
			b = radius.AppendMessageAuthenticator(b)
			signedAt = len(b) - radius.AuthLen
		case radius.EventTimestamp:
			b = radius.AppendUint32(b, t, uint32(now.Unix()))
		default:
			for value := range valuesOf(s, t) {
				b = radius.AppendAttribute(b, t, value)
			}
		}
	}
	if len(b) > radius.MaxPacket {
		return nil, errTooLong
	}
	radius.Seal(b, signedAt, radius.Authenticator{}, secret)
	return b, nil
}

// errorCause is the Error-Cause (RFC 5176 section 3.5) in the attributes of a Disconnect-NAK, or 0.
func errorCause(attrs []byte) sessions.ErrorCause {
	const typeErrorCause = 101
	cause, _ := radius.Attributes(attrs).Uint32(typeErrorCause)
	return sessions.ErrorCause(cause)
}
