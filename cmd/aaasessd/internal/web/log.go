package web

import (
	"context"
	"log/slog"

	"aaasess/internal/throttle"
)

// quiet passes on what the toolkit and net/http warn of, at most one line a minute: anybody who can
// connect can cause these lines, for example by a TLS handshake that fails.
type quiet struct {
	slog.Handler
	line *throttle.Line
}

// Enabled implements slog.Handler.
func (h quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h quiet) Handle(ctx context.Context, r slog.Record) error {
	suppressed, ok := h.line.Allow(r.Time)
	if !ok {
		return nil
	}
	r.AddAttrs(slog.Int("suppressed", suppressed))
	return h.Handler.Handle(ctx, r)
}
