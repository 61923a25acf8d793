package radius

import "errors"

// ErrCommand is returned for the record of a command, which may come from the queue of a removed group
// of TACACS+ servers: "The Cisco implementation of RADIUS does not support command accounting" (S1).
var ErrCommand = errors.New("radius: RADIUS has no command accounting")

// ErrUnsendable is returned when a record cannot be sent to any server: its attributes are
// malformed, or too long for a packet of 4096 octets.
var ErrUnsendable = errors.New("radius: record does not fit into a packet")
