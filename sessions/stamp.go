package sessions

import "time"

// Stamp is a moment on the clock of a [Table], in nanoseconds since 1970. That clock agrees with the host's when the table
// is new. It never steps and goes on across restarts, so Stamps of one table compare with < and max, whatever becomes of the
// host's clock meanwhile. 0 means that the moment is not known, or has not come.
//
// It is no [time.Time], because that would be a moment by the host's clock, which may step; [Table.Date] makes one of a
// Stamp. It also takes 8 octets in place of 24, and has no pointer, for a million sessions. An Event-Timestamp is
// no Stamp either: it is on the NAS's clock.
type Stamp int64

// stampOf is the Stamp of a moment for a clock that agrees with the host's.
func stampOf(t time.Time) Stamp { return Stamp(t.UnixNano()) }

// stampOfSeconds is the Stamp of a number of seconds since 1970 on the table's clock.
func stampOfSeconds(n uint32) Stamp { return Stamp(n) * Stamp(time.Second) }

// Add is the moment that is d later, or earlier if d is negative.
func (s Stamp) Add(d time.Duration) Stamp { return s + Stamp(d) }

// Sub is how much later s is than earlier; negative if it is before it.
func (s Stamp) Sub(earlier Stamp) time.Duration { return time.Duration(s - earlier) }

// IsZero reports whether the moment is not known, or has not come.
func (s Stamp) IsZero() bool { return s == 0 }

// seconds is the whole seconds since 1970, the form in which a print keeps a moment.
func (s Stamp) seconds() uint32 { return uint32(s / Stamp(time.Second)) }
