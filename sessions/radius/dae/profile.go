package dae

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

// profile is an ordered list of attributes that identify a session.
type profile []attribute

// attribute is one entry of a profile.
type attribute struct {
	radius.ID
	literal string // a configured value; "" means the session's own value
}

// fromSession makes a profile whose values all come from the session.
func fromSession(types ...radius.Type) profile {
	p := make(profile, len(types))
	for i, t := range types {
		p[i].Type = t
	}
	return p
}

// minimalProfile is for a NAS that rejects an attribute of the larger profiles.
var minimalProfile = fromSession(radius.AcctSessionID, radius.UserName)

// fullProfile has the attributes that identify NAS and session by RFC 5176 section 3, and NAS-Port-Type,
// which is not in that list but goes with NAS-Port. It omits Vendor-Specific, which is in the list:
// NASes mostly report counters and settings in it, and no RFC says which of them identify a session.
// Class is not in the list; it belongs to the server, and hostapd rejects it.
var fullProfile = fromSession(
	radius.UserName, radius.NASIPAddress, radius.NASIPv6Address, radius.NASIdentifier, radius.NASPort,
	radius.NASPortType, radius.NASPortID, radius.FramedIPAddress, radius.CalledStationID,
	radius.CallingStationID, radius.AcctSessionID, radius.AcctMultiSessionID, radius.ChargeableUserIdentity,
	radius.FramedInterfaceID, radius.FramedIPv6Prefix,
)

var errTooLong = errors.New("disconnect attributes do not fit into one RADIUS packet (4096 octets)")

// CheckAttributes returns an error if entries cannot be the DisconnectAttributes of a client with
// dictionary d. The error wraps the cause.
func CheckAttributes(d *radius.Dictionary, entries []string) error {
	_, err := newProfile(d, entries)
	return err
}

// newProfile converts a list of entries into a profile.
func newProfile(d *radius.Dictionary, entries []string) (profile, error) {
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

// parseAttribute parses an entry: a name, or a name and a value as in "Service-Type = Login-User".
// A value in double quotes may contain Go escapes.
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
			return a, errors.New("cannot have a value: it is computed")
		}
		return a, nil
	case radius.ProxyState:
		return a, errors.New("does not identify a session")
	}
	if isLiteral {
		if strings.HasPrefix(text, `"`) {
			if text, err = strconv.Unquote(text); err != nil {
				return a, errors.New("its value is not a valid quoted string")
			}
		}
		_, a.literal, err = d.Parse(name, text)
		return a, err
	}
	switch {
	case a.Type == radius.AcctStatusType || a.Type == radius.AcctDelayTime:
		return a, errors.New("does not identify a session")
	case d.InAccounting(a.Type) == radius.Never:
		return a, errors.New("never occurs in accounting requests")
	}
	return a, nil
}

// expand returns fullProfile for a client with profile p. Configured values of p replace those of
// the session.
func (p profile) expand() profile {
	full := slices.Clone(fullProfile)
	for _, a := range p {
		if a.literal != "" {
			full = append(full.without(a.ID), a)
		}
	}
	return full.with(p)
}

// with returns p, followed by Event-Timestamp and Message-Authenticator if q has them.
func (p profile) with(q profile) profile {
	p = slices.Clip(p)
	for _, a := range fromSession(radius.EventTimestamp, radius.MessageAuthenticator) {
		if q.has(a.Type) {
			p = append(p, a)
		}
	}
	return p
}

// has reports whether p contains the session's own attribute of type t.
func (p profile) has(t radius.Type) bool {
	return slices.Contains(p, attribute{ID: radius.ID{Type: t}})
}

// without returns p without the session's own attribute id.
func (p profile) without(id radius.ID) profile {
	return slices.DeleteFunc(slices.Clone(p), func(a attribute) bool { return a == attribute{ID: id} })
}

// covers reports whether p carries everything about s that q carries.
func (p profile) covers(q profile, s *sessions.Session) bool {
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

// values yields the configured value, or the session's values. It skips what identifies nothing at the
// NAS: the Framed-IP-Address values that mean "no address" (RFC 2865 section 5.8), and an
// Acct-Multi-Session-Id that the NAS has not sent.
func (a attribute) values(s *sessions.Session) iter.Seq[string] {
	return func(yield func(string) bool) {
		switch {
		case a.literal != "":
			yield(a.literal)
			return
		case a.Type == radius.UserName:
			// Session.User may be that of the Access-Accept.
			user := s.Attrs.Text(radius.UserName)
			_ = user == "" || yield(user)
			return
		case a.Type == radius.AcctSessionID:
			_ = s.AcctSessionID() == "" || yield(s.AcctSessionID())
			return
		}
		for value := range a.ID.Values(s.Attrs) {
			none := a.Type == radius.FramedIPAddress && radius.IsUnassigned(value) ||
				a.Type == radius.AcctMultiSessionID && sessions.IsMadeCallID(value)
			if !none && !yield(value) {
				return
			}
		}
	}
}

// append appends the attributes that identify a session to a request (RFC 5176 section 3). signedAt is
// as for [radius.Seal].
func (p profile) append(b []byte, s *sessions.Session, now time.Time) (_ []byte, signedAt int) {
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
	return b, signedAt
}

// errorCause returns the Error-Cause (RFC 5176 section 3.5) of a Disconnect-NAK, or 0.
func errorCause(attrs []byte) radius.ErrorCause {
	cause, _ := radius.Attributes(attrs).Uint32(radius.ErrorCauseType)
	return radius.ErrorCause(cause)
}
