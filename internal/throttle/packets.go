package throttle

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// PacketsPerSecond is the most lines of one kind about single packets in a second.
const PacketsPerSecond = 200

// Packets limits one kind of line about single packets, of level debug, to [PacketsPerSecond] lines
// in each second. It must not be copied after first use.
type Packets struct {
	mu         sync.Mutex
	second     time.Time // when the present second began
	written    int       // in the present second
	suppressed int       // since the last line
}

// OnlyWatched is what [Packets.Allow] returns instead of a number for a line that is not for the log, but
// for somebody who watches it.
const OnlyWatched = -1

// watched is a slog.Handler that may have readers besides the log (package logtap).
type watched interface {
	Watched() bool        // somebody reads the lines of every level
	Logs(slog.Level) bool // the log has lines of this level
}

// Allow reports whether a line may be written to a log now. It may not if the log has no lines of
// level debug; such a line does not count as suppressed. If a line may be written, suppressed is
// the number of lines suppressed since the previous one. While somebody watches the log, a line that may
// not be written to it is allowed too, with suppressed [OnlyWatched].
func (p *Packets) Allow(log *slog.Logger, now time.Time) (suppressed int, ok bool) {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return 0, false
	}
	w, isWatched := log.Handler().(watched)
	isWatched = isWatched && w.Watched()
	if isWatched && !w.Logs(slog.LevelDebug) {
		return OnlyWatched, true
	}
	if suppressed, ok = p.allow(now); !ok && isWatched {
		return OnlyWatched, true
	}
	return suppressed, ok
}

// allow counts a line.
func (p *Packets) allow(now time.Time) (suppressed int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since := now.Sub(p.second); since < 0 || since >= time.Second {
		p.second, p.written = now, 0
	}
	if p.written >= PacketsPerSecond {
		p.suppressed++
		return 0, false
	}
	p.written++
	suppressed, p.suppressed = p.suppressed, 0
	return suppressed, true
}
