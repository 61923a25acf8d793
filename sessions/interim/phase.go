package interim

import (
	"math/bits"
	"time"

	"aaasess/sessions"
)

// nextDue returns the first moment at or after from that has the phase of a session. Phases follow
// from ids by multiplicative hashing with the golden ratio (Knuth, The Art of Computer Programming,
// volume 3, section 6.4): the phases of any ids in a row divide the period almost evenly.
func nextDue(id sessions.ID, period time.Duration, from sessions.Stamp) sessions.Stamp {
	const golden = 2654435769 // 2^32 divided by the golden ratio
	hash := uint64(uint32(id)*golden) << 32
	phase, _ := bits.Mul64(hash, uint64(period)) // period * hash / 2^64
	wait := (time.Duration(phase) - time.Duration(from)) % period
	if wait < 0 {
		wait += period
	}
	return from.Add(wait)
}
