package throttle

import (
	"sync"
	"time"
)

// Burst limits frequent lines, such as one for each packet, to PerSecond lines in each second. It must not be copied after first use.
type Burst struct {
	// PerSecond is the most lines in a second; it must be positive and not change after first use.
	PerSecond int

	mu         sync.Mutex
	second     time.Time // when the present second began
	written    int       // in the present second
	suppressed int       // since the last line
}

// Allow reports whether a line may be written now. If so, suppressed is the number of lines
// suppressed since the previous one.
func (b *Burst) Allow(now time.Time) (suppressed int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if since := now.Sub(b.second); since < 0 || since >= time.Second {
		b.second, b.written = now, 0
	}
	if b.written >= b.PerSecond {
		b.suppressed++
		return 0, false
	}
	b.written++
	suppressed, b.suppressed = b.suppressed, 0
	return suppressed, true
}
