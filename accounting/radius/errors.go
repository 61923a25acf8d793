package radius

import (
	"errors"
	"fmt"

	"aaasess/accounting"
)

// What Send may answer, besides nil and [accounting.ErrNoResponse].
var (
	// ErrUnsendable is returned when no server can be sent the record: its attributes are damaged, or
	// too long for a packet of 4096 octets.
	ErrUnsendable = errors.New("radius: record does not fit in a packet")
	// ErrStopped is returned when the group ended before an answer came.
	ErrStopped = fmt.Errorf("radius: group ended: %w", accounting.ErrStopped)
	// ErrOverflow is returned when Send is called for more records than Window at once. It wraps
	// [accounting.ErrStopped]: nothing was sent, the record is to be tried again.
	ErrOverflow = fmt.Errorf("radius: more records than the window: %w", accounting.ErrStopped)
)
