package radius

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
)

// isSendable reports whether a record fits into a packet.
func isSendable(rec *accounting.Record) bool {
	return len(rec.Attrs) <= accounting.MaxAttributes && rec.Attrs.Valid()
}

// additions are the attributes that a group adds to each record.
type additions struct {
	nasSession    radius.ID // for the record's NASSession; zero: none
	userID        radius.ID // for the user's name without a realm; zero: none
	resyncMark    radius.ID // for resyncMark, in records of a resync; zero: none
	nasIdentifier bool      // whether a record without NAS-Identifier gets one
}

// Append appends an Accounting-Request (RFC 2866 section 4.1) to b, which must be empty. It has the
// record's attributes, Acct-Delay-Time, and the attributes that the group adds after it.
func (r *request) Append(b []byte, identifier byte, secret radius.Secret, now time.Time) ([]byte, radius.Authenticator) {
	b = radius.AppendHeader(b, radius.CodeAccountingRequest, identifier)
	b = r.appendAttributes(b)
	b = radius.AppendUint32(b, radius.AcctDelayTime, delay(now.Sub(r.rec.At)))
	b = r.appendUserID(b)
	b = r.appendNASIdentifier(b)
	b = r.appendResyncMark(b)
	return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
}

// appendAttributes appends the record's attributes, and the NAS's own Acct-Session-Id if the group
// has an attribute for it. That attribute replaces those of its type that the NAS sent, because RFC
// 2866 allows only one; a vendor's attribute is added to the others. If there is no room for it, it
// is left out. It is also left out if the Acct-Session-Id of the session is the NAS's own (R55,
// "attribute 44 sync-with-client").
func (r *request) appendAttributes(b []byte) []byte {
	to := r.adds.nasSession
	if to == (radius.ID{}) || r.rec.NASSession == "" || r.rec.Number() != 0 && r.rec.SessionName() == r.rec.NASSession {
		return append(b, r.rec.Attrs...)
	}
	start := len(b)
	for t, value := range r.rec.Attrs.All() {
		if t != to.Type || t == radius.VendorSpecific {
			b = radius.AppendAttribute(b, t, value)
		}
	}
	b = radius.AppendID(b, to, r.rec.NASSession)
	if len(b)-start > accounting.MaxAttributes {
		b = append(b[:start], r.rec.Attrs...)
	}
	return b
}

// appendUserID appends the user's name up to its first @, as Merit's server did in the examples of
// S1 and S2. A record that has the attribute already stays as it is.
func (r *request) appendUserID(b []byte) []byte {
	to := r.adds.userID
	if to == (radius.ID{}) {
		return b
	}
	user, _, _ := strings.Cut(r.rec.Attrs.Text(radius.UserName), "@")
	if user == "" {
		return b
	}
	for range to.Values(r.rec.Attrs) {
		return b
	}
	return cutToPacket(radius.AppendID(b, to, user), len(b))
}

// appendNASIdentifier appends a NAS-Identifier with the NAS's address, if the record has none.
func (r *request) appendNASIdentifier(b []byte) []byte {
	if !r.adds.nasIdentifier {
		return b
	}
	if _, has := r.rec.Attrs.Get(radius.NASIdentifier); has {
		return b
	}
	for _, t := range []radius.Type{radius.NASIPAddress, radius.NASIPv6Address} {
		octets, _ := r.rec.Attrs.Get(t)
		if addr, ok := netip.AddrFromSlice([]byte(octets)); ok && !addr.IsUnspecified() {
			return cutToPacket(radius.AppendAttribute(b, radius.NASIdentifier, addr.Unmap().String()), len(b))
		}
	}
	return b
}

// resyncMark is the text by which servers know the records of a resync (R65).
const resyncMark = "resync"

// appendResyncMark marks a record of a resync. An attribute of the IETF that the record has already
// stays as it is, because most may occur only once.
func (r *request) appendResyncMark(b []byte) []byte {
	to := r.adds.resyncMark
	if !r.rec.Resync || to == (radius.ID{}) {
		return b
	}
	if _, has := r.rec.Attrs.Get(to.Type); has && to.Type != radius.VendorSpecific {
		return b
	}
	return cutToPacket(radius.AppendID(b, to, resyncMark), len(b))
}

// cutToPacket returns b without what follows before, if a packet has no room for that.
func cutToPacket(b []byte, before int) []byte {
	if len(b) > radius.MaxPacket {
		return b[:before]
	}
	return b
}

// delay returns an Acct-Delay-Time (RFC 2866 section 5.2), in seconds.
func delay(since time.Duration) uint32 { return uint32(min(max(0, since/time.Second), math.MaxUint32)) }
