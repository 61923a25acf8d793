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

// SystemList is the list of all Accounting-Ons and -Offs.
const SystemList = "system/default"

// recordSize is the most octets that record adds to the configured attributes.
const recordSize = 3*6 + 2 + 253 + 6

// record returns what is sent in the state SendAcctOn or SendAcctOff. It is the same in all rounds,
// including its time: a server that closes the sessions that began before an Accounting-On must not
// close those that began while it was down. Acct-Delay-Time tells the age of the record. The order
// of the attributes is hostapd's. identity are the attributes that identify the NAS.
func (m machine) record(identity radius.Attributes) *accounting.Record {
	rec := &accounting.Record{Type: sessions.On, At: m.askedAt, List: SystemList, Reason: m.trigger.reason()}
	if m.state == SendAcctOff {
		rec.Type = sessions.Off
	}
	b := make([]byte, 0, len(identity)+recordSize)
	b = radius.AppendUint32(b, radius.AcctStatusType, uint32(rec.Type))
	b = radius.AppendUint32(b, radius.AcctAuthentic, uint32(rfc2866.AcctAuthentic_Value_RADIUS))
	b = append(b, identity...)
	b = radius.AppendAttribute(b, radius.AcctSessionID, m.sessionID)
	if at := m.askedAt.Unix(); at > 0 {
		b = radius.AppendUint32(b, radius.EventTimestamp, uint32(at))
	}
	if rec.Type == sessions.Off {
		b = radius.AppendUint32(b, radius.AcctTerminateCause, m.cause)
	}
	rec.Attrs = radius.Attributes(b)
	return rec
}

// checkIdentity returns nil if an Accounting-Request may have these attributes besides those of
// record: RFC 2866 section 4.1, with RFC 3162 for IPv6. Its error wraps ErrConfig.
func checkIdentity(identity radius.Attributes) error {
	if !identity.Valid() {
		return fmt.Errorf("%w: the attributes are malformed", ErrConfig)
	}
	if len(identity) > accounting.MaxAttributes-recordSize {
		return fmt.Errorf("%w: %d octets of attributes, at most %d", ErrConfig, len(identity), accounting.MaxAttributes-recordSize)
	}
	identified := false
	for t := range identity.All() {
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
		return fmt.Errorf("%w: one of NAS-Identifier, NAS-IP-Address and NAS-IPv6-Address is required", ErrConfig)
	}
	return nil
}

// newSessionID returns an id that no process has used before: 22 hex digits as in S3. The last
// eight digits are the time in seconds, the others are random.
func newSessionID() string {
	var b [11]byte
	_, _ = rand.Read(b[:7]) // never fails
	binary.BigEndian.PutUint32(b[7:], uint32(time.Now().Unix()))
	return fmt.Sprintf("%X", b)
}
