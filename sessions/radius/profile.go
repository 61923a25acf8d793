package radius

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
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

// profile is the attributes that identify a session, in order.
type profile []attribute

// attribute is one of a profile.
type attribute struct {
	radius.ID
	literal string // its value; "": what the session has
}

// own is a profile of what the session itself has.
func own(types ...radius.Type) profile {
	p := make(profile, len(types))
	for i, t := range types {
		p[i].Type = t
	}
	return p
}

// minimalProfile is for a NAS that does not know an attribute of another one.
var minimalProfile = own(radius.AcctSessionID, radius.UserName)

// fullProfile is what identifies NAS and session by RFC 5176 section 3. Vendor-Specific, which is in that
// list too, is left out: what a NAS reports in it are mostly counters and settings, and no RFC says which
// of them identify. Class is not in the list: it belongs to the server, and hostapd refuses it.
var fullProfile = own(
	radius.UserName, radius.NASIPAddress, radius.NASIPv6Address, radius.NASIdentifier, radius.NASPort,
	radius.NASPortType, radius.NASPortID, radius.FramedIPAddress, radius.CalledStationID,
	radius.CallingStationID, radius.AcctSessionID, radius.AcctMultiSessionID, radius.ChargeableUserIdentity,
	radius.FramedInterfaceID, radius.FramedIPv6Prefix,
)

var errTooLong = errors.New("disconnect attributes do not fit into a packet")

// CheckAttributes is nil if they can be the DisconnectAttributes of a client that names them by a dictionary. Its error
// wraps what is wrong with one of them.
func CheckAttributes(d *radius.Dictionary, entries []string) error {
	_, err := newProfile(d, entries)
	return err
}

// newProfile turns the entries of a list into a profile; none is DefaultProfile.
func newProfile(d *radius.Dictionary, entries []string) (profile, error) {
	if len(entries) == 0 {
		entries = DefaultProfile()
	}
	p := make(profile, 0, len(entries))
	size := radius.HeaderLen
	for _, entry := range entries {
		a, err := parseAttribute(d, entry)
		if err == nil && slices.ContainsFunc(p, func(b attribute) bool {
			return b.ID == a.ID && (b.literal == a.literal || b.literal == "" || a.literal == "")
		}) {
			err = errors.New("given twice")
		}
		if size += 2 + len(a.literal); err == nil && size > radius.MaxPacket {
			err = errTooLong
		}
		if err != nil {
			return nil, fmt.Errorf("disconnect attribute %q: %w", entry, err)
		}
		p = append(p, a)
	}
	return p, nil
}

// parseAttribute reads an entry: a name, or a name and its value, "Service-Type = Login-User". A value in double quotes
// may have the escapes of Go.
func parseAttribute(d *radius.Dictionary, entry string) (a attribute, err error) {
	name, text, isLiteral := strings.Cut(entry, "=")
	name, text = strings.TrimSpace(name), strings.TrimSpace(text)
	def, tag, err := d.Lookup(name)
	if err == nil && tag != 0 && !isLiteral {
		err = errors.New("has a tag but no value")
	}
	if err != nil {
		return a, err
	}
	a.ID = def.ID
	switch a.Type {
	case radius.EventTimestamp, radius.MessageAuthenticator:
		if isLiteral {
			return a, errors.New("takes no value: it is computed")
		}
		return a, nil
	case radius.ProxyState:
		return a, errors.New("says nothing of a session")
	}
	if isLiteral {
		if strings.HasPrefix(text, `"`) {
			if text, err = strconv.Unquote(text); err != nil {
				return a, errors.New("the quotes of its value are wrong")
			}
		}
		_, a.literal, err = d.Parse(name, text)
		return a, err
	}
	switch {
	case a.Type == radius.AcctStatusType || a.Type == radius.AcctDelayTime:
		return a, errors.New("says nothing of a session")
	case d.InAccounting(a.Type) == radius.Never:
		return a, errors.New("no session has such an attribute")
	}
	return a, nil
}

// all is fullProfile for a client whose profile is p: the literals of p take the place of what the session has.
func (p profile) all() profile {
	full := slices.Clone(fullProfile)
	for _, a := range p {
		if a.literal != "" {
			full = append(full.without(a.ID), a)
		}
	}
	return full.with(p)
}

// with is p, and behind it those of Event-Timestamp and Message-Authenticator that are in q.
func (p profile) with(q profile) profile {
	p = slices.Clip(p)
	for _, a := range own(radius.EventTimestamp, radius.MessageAuthenticator) {
		if q.has(a.Type) {
			p = append(p, a)
		}
	}
	return p
}

// has reports whether what the session has of a type is in p.
func (p profile) has(t radius.Type) bool {
	return slices.Contains(p, attribute{ID: radius.ID{Type: t}})
}

// without is p less what the session has under one id.
func (p profile) without(id radius.ID) profile {
	return slices.DeleteFunc(slices.Clone(p), func(a attribute) bool { return a == attribute{ID: id} })
}

// tells reports whether p tells of a session all that q does.
func (p profile) tells(q profile, s *sessions.Session) bool {
	for _, a := range q {
		if a.Type == radius.EventTimestamp || a.Type == radius.MessageAuthenticator || slices.Contains(p, a) {
			continue
		}
		for range a.values(s) {
			return false
		}
	}
	return true
}

// values yields the literal, or what is known of a session. An address that stands for none (RFC 2865 section 5.8)
// identifies nothing.
func (a attribute) values(s *sessions.Session) iter.Seq[string] {
	return func(yield func(string) bool) {
		switch {
		case a.literal != "":
			yield(a.literal)
			return
		case a.Type == radius.UserName:
			_ = s.User == "" || yield(s.User)
			return
		case a.Type == radius.AcctSessionID:
			_ = s.AcctSessionID == "" || yield(s.AcctSessionID)
			return
		}
		for value := range a.ID.Values(s.Attrs) {
			if !(a.Type == radius.FramedIPAddress && isNoAddress(value)) && !yield(value) {
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
	for _, a := range p {
		switch a.Type {
		case radius.MessageAuthenticator:
			b = radius.AppendMessageAuthenticator(b)
			signedAt = len(b) - radius.AuthLen
		case radius.EventTimestamp:
			b = radius.AppendUint32(b, a.Type, uint32(now.Unix()))
		default:
			for value := range a.values(s) {
				b = radius.AppendAttribute(b, a.Type, value)
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
func errorCause(attrs []byte) radius.ErrorCause {
	cause, _ := radius.Attributes(attrs).Uint32(radius.ErrorCauseType)
	return radius.ErrorCause(cause)
}
