package sessions

import "time"

// Stamp is a moment on the clock of a [Table], in nanoseconds since 1970. When the table is new,
// its clock agrees with the host's clock. It never steps, not even over a restart. So Stamps of one
// table can be compared with < and max, even if the host's clock is set meanwhile. 0 means that the
// moment is not known or has not come.
//
// Stamp is not a [time.Time], because that is a moment on the host's clock, which may step.
// [Table.Date] converts a Stamp to one. A Stamp also needs 8 octets instead of 24 and has no
// pointer, which counts for a million sessions. An Event-Timestamp is not a Stamp: it is a moment
// on the NAS's clock.
type Stamp int64

// stampOf converts a moment to a Stamp, for a clock that agrees with the host's.
func stampOf(t time.Time) Stamp { return Stamp(t.UnixNano()) }

// stampOfSeconds returns the Stamp of n seconds since 1970.
func stampOfSeconds(n uint32) Stamp { return Stamp(n) * Stamp(time.Second) }

// Add returns the moment that is d later, or earlier if d is negative.
func (s Stamp) Add(d time.Duration) Stamp { return s + Stamp(d) }

// Sub returns how much later s is than earlier. It is negative if s is before earlier.
func (s Stamp) Sub(earlier Stamp) time.Duration { return time.Duration(s - earlier) }

// IsZero reports whether the moment is not known or has not come.
func (s Stamp) IsZero() bool { return s == 0 }

// seconds returns whole seconds since 1970, as a fingerprint keeps them.
func (s Stamp) seconds() uint32 { return uint32(s / Stamp(time.Second)) }
