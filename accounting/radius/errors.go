package radius

import "errors"

// ErrUnsendable is returned when a record cannot be sent to any server: its attributes are
// malformed, or too long for a packet of 4096 octets.
var ErrUnsendable = errors.New("radius: record does not fit into a packet")
