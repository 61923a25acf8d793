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
	b = append(b, r.rec.Attrs...)
	b = radius.AppendUint32(b, radius.AcctDelayTime, delay(now.Sub(r.rec.At)))
	return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
}

// delay returns an Acct-Delay-Time (RFC 2866 section 5.2), in seconds.
func delay(since time.Duration) uint32 { return uint32(min(max(0, since/time.Second), math.MaxUint32)) }
