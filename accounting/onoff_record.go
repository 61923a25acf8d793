package accounting

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"

	"aaasess/sessions"
)

// authenticRADIUS is a value of Acct-Authentic (RFC 2866 section 5.6).
const authenticRADIUS = 1

// onOffSize is the most that onOffRecord adds to the attributes that are configured.
const onOffSize = 3*6 + 2 + 253 + 6

// record is what is sent in the present state, SendAcctOn or SendAcctOff: the same in all its rounds,
// its time too, so that a server that closes what began before an Accounting-On leaves sessions
// alone that began while it was away. Acct-Delay-Time tells how old it is. The order of the
// attributes is hostapd's. who are those that say who the NAS is.
func (m onOff) record(who sessions.Attributes) *Record {
	rec := &Record{Type: AccountingOn, At: m.at}
	if m.state == SendAcctOff {
		rec.Type = AccountingOff
	}
	b := make([]byte, 0, len(who)+onOffSize)
	b = sessions.AppendUint32(b, sessions.AcctStatusType, uint32(rec.Type))
	b = sessions.AppendUint32(b, sessions.AcctAuthentic, authenticRADIUS)
	b = append(b, who...)
	b = sessions.AppendAttribute(b, sessions.AcctSessionID, m.sessionID)
	if at := m.at.Unix(); at > 0 {
		b = sessions.AppendUint32(b, sessions.EventTimestamp, uint32(at))
	}
	if rec.Type == AccountingOff {
		b = sessions.AppendUint32(b, sessions.AcctTerminateCause, m.cause)
	}
	rec.Attrs = sessions.Attributes(b)
	return rec
}

// checkIdentity is nil if an Accounting-Request may have these attributes beside those of record: RFC
// 2866 section 4.1, with RFC 3162 for IPv6. Its error wraps ErrOnOff.
func checkIdentity(who sessions.Attributes) error {
	if !who.Valid() {
		return fmt.Errorf("%w: the attributes are damaged", ErrOnOff)
	}
	if len(who) > maxAttributes-onOffSize {
		return fmt.Errorf("%w: %d octets of attributes, at most %d", ErrOnOff, len(who), maxAttributes-onOffSize)
	}
	identified := false
	for t := range who.All() {
		switch t {
		case sessions.AcctStatusType, sessions.AcctDelayTime, sessions.AcctSessionID, sessions.AcctAuthentic,
			sessions.AcctTerminateCause, sessions.EventTimestamp:
			return fmt.Errorf("%w: %s cannot be set", ErrOnOff, AttributeName(t))
		}
		if limits[t] == notAllowed {
			return fmt.Errorf("%w: %s cannot be set", ErrOnOff, AttributeName(t))
		}
		identified = identified || namesNAS(t)
	}
	if !identified {
		return fmt.Errorf("%w: neither NAS-Identifier nor NAS-IP-Address nor NAS-IPv6-Address", ErrOnOff)
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
