package accounting

import (
	"encoding/binary"
	"fmt"
	"time"
)

// SetAsideQueue is the store's queue of records that are set aside: a method refused them for good,
// they are damaged, or they were not answered while others were. No method reads it; operators do
// ([Spool]). The name on disk tells only the first of these reasons.
const SetAsideQueue = "refused"

// SetAsideEntry is an entry of [SetAsideQueue]: a record that a method refused, that is damaged, or
// that was not answered.
type SetAsideEntry struct {
	From   string    // the queue that it was in
	At     time.Time // when it was set aside
	Reason string    // the error of the method, or what is damaged; at most 65535 octets
	Data   []byte    // the record as it was stored, for ParseRecord unless it is damaged
}

const setAsideVersion = 1

// AppendSetAsideEntry appends the octets of an entry to b.
func AppendSetAsideEntry(b []byte, e *SetAsideEntry) []byte {
	b = append(b, setAsideVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixNano()))
	b = appendName(b, e.From)
	reason := e.Reason[:min(len(e.Reason), 1<<16-1)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(reason)))
	return append(append(b, reason...), e.Data...)
}

// ParseSetAsideEntry parses what AppendSetAsideEntry wrote. Its errors wrap [ErrRecord].
func ParseSetAsideEntry(b []byte) (*SetAsideEntry, error) {
	d := newDecoder(string(b))
	if v := d.Octet(); v != setAsideVersion && d.OK() {
		return nil, fmt.Errorf("%w: entry of a record set aside has unknown version %d", ErrRecord, v)
	}
	e := &SetAsideEntry{At: time.Unix(0, int64(d.Uint64())), From: d.name()}
	e.Reason = d.Octets(uint64(d.Uint16()))
	if !d.OK() {
		return nil, fmt.Errorf("%w: entry of a record set aside ends early, after %d octets", ErrRecord, len(b))
	}
	e.Data = []byte(d.Rest())
	return e, nil
}
