package main

import (
	"context"
	"log/slog"
	"syscall"
	"time"

	"aaasess/internal/shortage"
	"aaasess/internal/throttle"
)

// shortageHandler adds a line to a log whose errors say that file descriptors are short: it names
// the limit and what to do, once a minute for the whole daemon. The parts of the daemon log their
// own errors and try again.
type shortageHandler struct {
	slog.Handler
	line *throttle.Line
}

func newShortageHandler(h slog.Handler) slog.Handler {
	return shortageHandler{h, &throttle.Line{}}
}

// WithAttrs implements slog.Handler.
func (h shortageHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return shortageHandler{h.Handler.WithAttrs(attrs), h.line}
}

// WithGroup implements slog.Handler.
func (h shortageHandler) WithGroup(name string) slog.Handler {
	return shortageHandler{h.Handler.WithGroup(name), h.line}
}

// Handle implements slog.Handler.
func (h shortageHandler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	short := false
	r.Attrs(func(a slog.Attr) bool {
		e, ok := a.Value.Any().(error)
		short = ok && shortage.IsOfDescriptors(e)
		return !short
	})
	if !short {
		return err
	}
	suppressed, ok := h.line.Allow(time.Now())
	if !ok {
		return err
	}
	var limit syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) // 0 if it fails, which it never does
	slog.New(h.Handler).Error("file descriptors are short: raise the limit of this process (LimitNOFILE= of the systemd unit, or ulimit -n), or fs.file-max if the whole system is short; meanwhile what needs one is tried again",
		"limit", limit.Cur, "suppressed", suppressed)
	return err
}
