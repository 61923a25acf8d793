package radiusnet

import (
	"encoding/binary"
	"time"
)

// Link is how datagrams come to a server and back. The zero Link brings all at once.
type Link struct {
	// Delay is how long a datagram is on its way, in each direction.
	Delay time.Duration
	// Jitter is by how much more at most, evenly: datagrams overtake each other.
	Jitter time.Duration
	// Loss is the share of datagrams that get lost, in each direction: 0..1.
	Loss float64
	// Duplicate is the share that arrives twice, in each direction: 0..1.
	Duplicate float64
	// Dead is when nothing arrives, in either direction.
	Dead []Interval
}

// Interval is a time, from when the Network was made: From belongs to it, To does not.
type Interval struct {
	From, To time.Duration // To 0: for ever
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

// chance reports whether anything is left to chance.
func (l *Link) chance() bool { return l.Jitter > 0 || l.Loss > 0 || l.Duplicate > 0 }

// fate is after what times the copies of a datagram arrive that is sent now; key is which one it is.
func (l *Link) fate(key uint64, now time.Duration) (delays [2]time.Duration, copies int) {
	delays[0], delays[1] = l.Delay, l.Delay
	switch {
	case l.dead(now):
		return delays, 0
	case !l.chance():
		return delays, 1
	case share(&key) < l.Loss:
		return delays, 0
	}
	copies = 1
	if share(&key) < l.Duplicate {
		copies = 2
	}
	for i := range delays {
		delays[i] += time.Duration(share(&key) * float64(l.Jitter))
	}
	return delays, copies
}

// share is a number from 0 up to but not 1, and the next one from the next key (SplitMix64).
func share(key *uint64) float64 {
	*key += 0x9e3779b97f4a7c15
	return float64(scatter(*key)>>11) / (1 << 53)
}

func scatter(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// mix makes octets part of a key.
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
