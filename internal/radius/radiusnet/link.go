package radiusnet

import (
	"encoding/binary"
	"time"
)

// Link describes the connection to a server, in both directions. The zero Link delivers everything
// at once.
type Link struct {
	// Delay is the time that a datagram takes, in each direction.
	Delay time.Duration
	// Jitter is the maximum additional delay, uniformly distributed: datagrams overtake each other.
	Jitter time.Duration
	// Loss is the fraction of datagrams that are lost, in each direction: 0..1.
	Loss float64
	// Duplicate is the fraction that arrives twice, in each direction: 0..1.
	Duplicate float64
	// Dead are the intervals in which nothing arrives, in either direction.
	Dead []Interval
}

// Interval is a time interval, relative to the creation of the Network. It includes From and
// excludes To.
type Interval struct {
	From, To time.Duration // To 0 means forever
}

// dead reports whether nothing arrives now.
func (l *Link) dead(now time.Duration) bool {
	for _, i := range l.Dead {
		if now >= i.From && (now < i.To || i.To == 0) {
			return true
		}
	}
	return false
}

// isRandom reports whether the link has a random behaviour.
func (l *Link) isRandom() bool { return l.Jitter > 0 || l.Loss > 0 || l.Duplicate > 0 }

// deliveries returns the delays after which the copies of a datagram arrive that is sent now. key
// identifies the datagram.
func (l *Link) deliveries(key uint64, now time.Duration) (delays [2]time.Duration, copies int) {
	delays[0], delays[1] = l.Delay, l.Delay
	switch {
	case l.dead(now):
		return delays, 0
	case !l.isRandom():
		return delays, 1
	case random(&key) < l.Loss:
		return delays, 0
	}
	copies = 1
	if random(&key) < l.Duplicate {
		copies = 2
	}
	for i := range delays {
		delays[i] += time.Duration(random(&key) * float64(l.Jitter))
	}
	return delays, copies
}

// random returns a number from 0 up to but not including 1, and advances the key (SplitMix64).
func random(key *uint64) float64 {
	*key += 0x9e3779b97f4a7c15
	return float64(scatter(*key)>>11) / (1 << 53)
}

func scatter(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// mix adds octets to a key.
func mix(key uint64, b []byte) uint64 {
	for ; len(b) >= 8; b = b[8:] {
		key = scatter(key ^ binary.LittleEndian.Uint64(b))
	}
	last := uint64(len(b) + 1)
	for _, o := range b {
		last = last<<8 | uint64(o)
	}
	return scatter(key ^ last)
}
