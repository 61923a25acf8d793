package throttle

import (
	"io"
	"log/slog"
	"testing"
	"time"
)

// TestPackets: so many lines a second, and the next one has the number of those left out. A clock
// that is set back does not silence it. A log without level debug gets no line.
func TestPackets(t *testing.T) {
	logAt := func(level slog.Level) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: level}))
	}
	debug, info := logAt(slog.LevelDebug), logAt(slog.LevelInfo)
	var p Packets
	for _, tt := range []struct {
		name                       string
		log                        *slog.Logger
		after                      time.Duration
		asked, allowed, suppressed int // suppressed: of the first allowed line
	}{
		{"no level debug", info, 0, 1000, 0, 0},
		{"the first second", debug, 0, PacketsPerSecond - 1, PacketsPerSecond - 1, 0},
		{"its last line", debug, time.Millisecond, 2, 1, 0},
		{"its end", debug, 999 * time.Millisecond, 2, 0, 0},
		{"the next second", debug, time.Second, PacketsPerSecond + 7, PacketsPerSecond, 3},
		{"clock set back", debug, -time.Hour, 1, 1, 7},
		{"still that second", debug, -time.Hour + time.Second - 1, PacketsPerSecond, PacketsPerSecond - 1, 0},
	} {
		allowed, suppressed := 0, 0
		for range tt.asked {
			n, ok := p.Allow(tt.log, noon.Add(tt.after))
			if !ok && n != 0 {
				t.Errorf("%s: %d suppressed of a line that is not allowed", tt.name, n)
			}
			if ok && allowed == 0 {
				suppressed = n
			}
			if ok {
				allowed++
			}
		}
		if allowed != tt.allowed || suppressed != tt.suppressed {
			t.Errorf("%s: %d allowed, %d suppressed, want %d, %d", tt.name, allowed, suppressed, tt.allowed, tt.suppressed)
		}
	}
}
