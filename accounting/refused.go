package accounting

import (
	"encoding/binary"
	"fmt"
	"time"
)

// RefusedQueue is the store's queue of records that are set aside: a method refused them for good,
// they are damaged, or they were not answered while others were. No method reads it. Operators do
// ([Spool]).
const RefusedQueue = "refused"

// Refused is a record that was set aside: refused, damaged, or never answered.
type Refused struct {
	From   string    // the queue that it was in
	At     time.Time // when it was set aside
	Reason string    // the error of the method, or what is damaged; at most 65535 octets
	Data   []byte    // the record as it was stored, for ParseRecord unless it is damaged
}

const refusedVersion = 1

// AppendRefused appends the octets of a refused record to b.
func AppendRefused(b []byte, r *Refused) []byte {
	b = append(b, refusedVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.UnixNano()))
	b = appendName(b, r.From)
	reason := r.Reason[:min(len(r.Reason), 1<<16-1)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(reason)))
	return append(append(b, reason...), r.Data...)
}

// ParseRefused parses what AppendRefused wrote. Its errors wrap [ErrRecord].
func ParseRefused(b []byte) (*Refused, error) {
	d := newDecoder(string(b))
	if v := d.Octet(); v != refusedVersion && d.OK() {
		return nil, fmt.Errorf("%w: refused record has unknown version %d", ErrRecord, v)
	}
	r := &Refused{At: time.Unix(0, int64(d.Uint64())), From: d.name()}
	r.Reason = d.Octets(uint64(d.Uint16()))
	if !d.OK() {
		return nil, fmt.Errorf("%w: refused record ends early, after %d octets", ErrRecord, len(b))
	}
	r.Data = []byte(d.Rest())
	return r, nil
}
