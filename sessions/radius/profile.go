package radius

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"aaasess/sessions"
)

// DefaultProfile is what identifies a session in a Disconnect-Request unless a client has its own
// list: hostapd, strongSwan and FreeRADIUS know all of these. (hostapd answers NAK 401 to NAS-Port,
// NAS-Port-Id, Class and Framed-IP-Address; other NASes want one of them.)
func DefaultProfile() []string {
	return []string{
		"User-Name", "NAS-IP-Address", "NAS-Identifier", "Calling-Station-Id", "Acct-Session-Id",
		"Event-Timestamp", "Message-Authenticator",
	}
}

// minimalProfile is for a NAS that does not know an attribute of the default one.
var minimalProfile = profile{sessions.AcctSessionID, sessions.UserName}

var errTooLong = errors.New("radius: disconnect attributes do not fit into a packet")

// profile is the types of the attributes that identify a session, in order.
type profile []sessions.AttributeType

// newProfile turns attribute names into a profile; none is DefaultProfile.
func newProfile(names []string) (profile, error) {
	if len(names) == 0 {
		names = DefaultProfile()
	}
	p := make(profile, 0, len(names))
	for _, name := range names {
		t, ok := attributeNames[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("disconnect attribute %q: no session has such an attribute", name)
		case t == sessions.AcctStatusType || t == sessions.AcctDelayTime:
			return nil, fmt.Errorf("disconnect attribute %q: says nothing of a session", name)
		case slices.Contains(p, t):
			return nil, fmt.Errorf("disconnect attribute %q: given twice", name)
		}
		p = append(p, t)
	}
	return p, nil
}

// disconnectRequest makes a Disconnect-Request (RFC 5176 section 2.3) for a session.
func (p profile) disconnectRequest(identifier byte, s *sessions.Session, now time.Time, secret Secret) ([]byte, error) {
	b := beginPacket(make([]byte, 0, 512), codeDisconnectRequest, identifier)
	signedAt := 0
	for _, t := range p {
		switch t {
		case sessions.MessageAuth:
			b = beginMessageAuth(b)
			signedAt = len(b) - authLen
		case sessions.EventTimestamp:
			b = sessions.AppendUint32(b, t, uint32(now.Unix()))
		case sessions.UserName:
			if s.User != "" {
				b = sessions.AppendAttribute(b, t, s.User)
			}
		case sessions.AcctSessionID:
			if s.AcctSessionID != "" {
				b = sessions.AppendAttribute(b, t, s.AcctSessionID)
			}
		default:
			for at, value := range s.Attrs.All() {
				if at == t {
					b = sessions.AppendAttribute(b, t, value)
				}
			}
		}
	}
	if len(b) > maxPacket {
		return nil, errTooLong
	}
	seal(b, signedAt, zeros, secret)
	return b, nil
}

// errorCause is the Error-Cause (RFC 5176 section 3.5) in the attributes of a Disconnect-NAK, or 0.
func errorCause(attrs []byte) sessions.ErrorCause {
	const typeErrorCause = 101
	cause, _ := sessions.Attributes(attrs).Uint32(typeErrorCause)
	return sessions.ErrorCause(cause)
}
