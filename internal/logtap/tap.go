// Package logtap shows lines of the log to people while they are written, also those of level debug
// when the log has none (R70: "debug radius" and "debug snmp" of the command line).
//
// A [Handler] stands before the handler of the log. While somebody listens, it is enabled for every
// level, and offers each line to the listeners (package taps); the log gets the lines of its own level
// only.
//
// Lines about single packets are limited in the log (package throttle). A listener gets all of them:
// those beyond the limit have throttle.OnlyWatched as their "suppressed", and do not reach the log.
package logtap

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"aaasess/internal/taps"
	"aaasess/internal/throttle"
)

// Line is a line of the log.
type Line struct {
	Time    time.Time
	Level   slog.Level
	Message string
	Attrs   []slog.Attr // without "suppressed"
}

// Tap passes lines to Listeners.
type Tap = taps.Tap[Line]

// Listener receives lines.
type Listener = taps.Listener[Line]

// Handler passes lines to a Tap and to the handler of the log.
type Handler struct {
	tap   *Tap
	next  slog.Handler
	attrs []slog.Attr // of WithAttrs
}

// NewHandler returns a Handler with a Tap of its own.
func NewHandler(next slog.Handler) *Handler { return &Handler{tap: &Tap{}, next: next} }

// TapOf returns the Tap of a logger, or nil if its handler is no Handler.
func TapOf(log *slog.Logger) *Tap {
	if h, ok := log.Handler().(*Handler); ok {
		return h.tap
	}
	return nil
}

// Watched reports whether somebody listens (see throttle.Packets).
func (h *Handler) Watched() bool { return h.tap.Listened() }

// Logs reports whether the log itself has lines of a level (see throttle.Packets).
func (h *Handler) Logs(level slog.Level) bool { return h.next.Enabled(context.Background(), level) }

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Watched() || h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	onlyWatched := false
	if h.Watched() {
		onlyWatched = h.offer(&r)
	}
	if onlyWatched || !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// offer passes a line to the Listeners that want it. It reports whether the line is for them only.
func (h *Handler) offer(r *slog.Record) (onlyWatched bool) {
	line := Line{Time: r.Time, Level: r.Level, Message: r.Message, Attrs: slices.Clone(h.attrs)}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "suppressed" {
			onlyWatched = a.Value.Kind() == slog.KindInt64 && a.Value.Int64() == throttle.OnlyWatched
			return true
		}
		line.Attrs = append(line.Attrs, a)
		return true
	})
	h.tap.Offer(&line)
	return onlyWatched
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.tap, h.next.WithAttrs(attrs), append(slices.Clip(h.attrs), attrs...)}
}

// WithGroup implements slog.Handler. The lines of a Tap have no groups.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.tap, h.next.WithGroup(name), h.attrs}
}
