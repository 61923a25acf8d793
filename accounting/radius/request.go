package radius

import (
	"math"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
)

// isSendable reports whether a record fits into a packet.
func isSendable(rec *accounting.Record) bool {
	return len(rec.Attrs) <= accounting.MaxAttributes && rec.Attrs.Valid()
}

// Append appends an Accounting-Request (RFC 2866 section 4.1) to b, which must be empty. It has the
// record's attributes and, last, Acct-Delay-Time.
func (r *request) Append(b []byte, identifier byte, secret radius.Secret, now time.Time) ([]byte, radius.Authenticator) {
	b = radius.AppendHeader(b, radius.CodeAccountingRequest, identifier)
	b = r.appendAttributes(b)
	b = radius.AppendUint32(b, radius.AcctDelayTime, delay(now.Sub(r.rec.At)))
	return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
}

// appendAttributes appends the record's attributes, and the NAS's own Acct-Session-Id if the group
// has an attribute for it. That attribute replaces those of its type that the NAS sent, because RFC
// 2866 allows only one; a vendor's attribute is added to the others. If there is no room for it, it
// is left out.
func (r *request) appendAttributes(b []byte) []byte {
	if r.nasSession == (radius.ID{}) || r.rec.NASSession == "" {
		return append(b, r.rec.Attrs...)
	}
	start := len(b)
	for t, value := range r.rec.Attrs.All() {
		if t != r.nasSession.Type || t == radius.VendorSpecific {
			b = radius.AppendAttribute(b, t, value)
		}
	}
	b = radius.AppendID(b, r.nasSession, r.rec.NASSession)
	if len(b)-start > accounting.MaxAttributes {
		b = append(b[:start], r.rec.Attrs...)
	}
	return b
}

// delay returns an Acct-Delay-Time (RFC 2866 section 5.2), in seconds.
func delay(since time.Duration) uint32 { return uint32(min(max(0, since/time.Second), math.MaxUint32)) }
