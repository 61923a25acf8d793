package client

import (
	"sync"
	"sync/atomic"

	"aaasess/internal/radius"
)

// kept is the octets of a request that is retransmitted as it is. The exchange and each goroutine
// that repeats them have a reference; with the last one, the memory is used again.
type kept struct {
	octets []byte
	refs   atomic.Int32
	pool   *sync.Pool
}

// keptPools has memory for two sizes of packets: most Access-Requests are small, but a window of
// many requests must not take 4096 octets for each.
type keptPools struct{ small, large sync.Pool }

const smallPacket = 512

// keep returns a copy of b, with the reference of its exchange.
func (pools *keptPools) keep(b []byte) *kept {
	pool, size := &pools.small, smallPacket
	if len(b) > smallPacket {
		pool, size = &pools.large, radius.MaxPacket
	}
	k, _ := pool.Get().(*kept)
	if k == nil {
		k = &kept{octets: make([]byte, 0, size), pool: pool}
	}
	k.octets = append(k.octets[:0], b...)
	k.refs.Store(1)
	return k
}

// acquire adds a reference. nil is allowed, and returned.
func (k *kept) acquire() *kept {
	if k != nil {
		k.refs.Add(1)
	}
	return k
}

// release ends a reference; nil is allowed.
func (k *kept) release() {
	if k != nil && k.refs.Add(-1) == 0 {
		k.pool.Put(k)
	}
}
