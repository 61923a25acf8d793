package store

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"aaasess/internal/shortage"
	"aaasess/internal/throttle"
)

// shortagePause is how long an open waits before it is tried again.
const shortagePause = 100 * time.Millisecond

// opener lets opens wait while file descriptors are short. The engine would treat the error as
// fatal, and the daemon would end, although the shortage may be over in a moment. Commits wait
// meanwhile, and NASes retransmit.
type opener struct {
	log     *slog.Logger
	line    throttle.Line
	waiting atomic.Bool // whether opens wait; while the store is opened and after Close they do not
}

// open calls fn until it returns something else than a shortage.
func (s *opener) open(fn func() (vfs.File, error)) (vfs.File, error) {
	for {
		f, err := fn()
		if err == nil || !shortage.IsOfDescriptors(err) || !s.waiting.Load() {
			return f, err
		}
		if suppressed, ok := s.line.Allow(time.Now()); ok {
			s.log.Error("store waits for a file descriptor; new events are not answered meanwhile", "suppressed", suppressed, "err", err)
		}
		time.Sleep(shortagePause)
	}
}
