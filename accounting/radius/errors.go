package radius

import "errors"

// ErrUnsendable is returned when no server can be sent the record: its attributes are damaged, or too long for a packet
// of 4096 octets.
var ErrUnsendable = errors.New("radius: record does not fit in a packet")
