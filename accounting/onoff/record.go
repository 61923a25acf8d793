package onoff

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"layeh.com/radius/rfc2866"
)

// recordSize is the most that record adds to the attributes that are configured.
const recordSize = 3*6 + 2 + 253 + 6

// record is what is sent in the present state, SendAcctOn or SendAcctOff: the same in all its rounds,
// its time too, so that a server that closes what began before an Accounting-On leaves sessions
// alone that began while it was away. Acct-Delay-Time tells how old it is. The order of the
// attributes is hostapd's. who are those that say who the NAS is.
func (m machine) record(who radius.Attributes) *accounting.Record {
	rec := &accounting.Record{Type: sessions.On, At: m.at}
	if m.state == SendAcctOff {
		rec.Type = sessions.Off
	}
	b := make([]byte, 0, len(who)+recordSize)
	b = radius.AppendUint32(b, radius.AcctStatusType, uint32(rec.Type))
	b = radius.AppendUint32(b, radius.AcctAuthentic, uint32(rfc2866.AcctAuthentic_Value_RADIUS))
	b = append(b, who...)
	b = radius.AppendAttribute(b, radius.AcctSessionID, m.sessionID)
	if at := m.at.Unix(); at > 0 {
		b = radius.AppendUint32(b, radius.EventTimestamp, uint32(at))
	}
	if rec.Type == sessions.Off {
		b = radius.AppendUint32(b, radius.AcctTerminateCause, m.cause)
	}
	rec.Attrs = radius.Attributes(b)
	return rec
}

// checkIdentity is nil if an Accounting-Request may have these attributes beside those of record: RFC
// 2866 section 4.1, with RFC 3162 for IPv6. Its error wraps ErrConfig.
func checkIdentity(who radius.Attributes) error {
	if !who.Valid() {
		return fmt.Errorf("%w: the attributes are damaged", ErrConfig)
	}
	if len(who) > accounting.MaxAttributes-recordSize {
		return fmt.Errorf("%w: %d octets of attributes, at most %d", ErrConfig, len(who), accounting.MaxAttributes-recordSize)
	}
	identified := false
	for t := range who.All() {
		switch t {
		case radius.AcctStatusType, radius.AcctDelayTime, radius.AcctSessionID, radius.AcctAuthentic,
			radius.AcctTerminateCause, radius.EventTimestamp:
			return fmt.Errorf("%w: %s cannot be set", ErrConfig, radius.Standard().Name(t))
		}
		if radius.Standard().InAccounting(t) == radius.Never {
			return fmt.Errorf("%w: %s cannot be set", ErrConfig, radius.Standard().Name(t))
		}
		identified = identified || accounting.IdentifiesNAS(t)
	}
	if !identified {
		return fmt.Errorf("%w: neither NAS-Identifier nor NAS-IP-Address nor NAS-IPv6-Address", ErrConfig)
	}
	return nil
}

// newSessionID makes an id that no other one is equal to, also of another process: 22 hex digits as
// in S3, of which the last eight are the time in seconds and the others random.
func newSessionID() string {
	var b [11]byte
	_, _ = rand.Read(b[:7]) // it never fails
	binary.BigEndian.PutUint32(b[7:], uint32(time.Now().Unix()))
	return fmt.Sprintf("%X", b)
}
