// Package logtap shows lines of the log to people while they are written, also those of level debug
// when the log has none (R70: "debug radius" and "debug snmp" of the command line).
//
// A [Handler] stands before the handler of the log. While somebody listens, it is enabled for every
// level, and offers each line to the listeners; the log gets the lines of its own level only. A
// [Listener] selects before its bounded queue. Of a full queue, new lines are left out and counted, so
// a slow reader delays nobody. While nobody listens, a line costs one load of an atomic pointer.
//
// Lines about single packets are limited in the log (package throttle). A listener gets all of them:
// those beyond the limit have throttle.OnlyWatched as their "suppressed", and do not reach the log.
package logtap

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/throttle"
)

// QueueSize is how many lines wait for a Listener at most.
const QueueSize = 1024

// Line is a line of the log.
type Line struct {
	Time    time.Time
	Level   slog.Level
	Message string
	Attrs   []slog.Attr // without "suppressed"

	// LeftOut is how many lines before this one the queue had no room for.
	LeftOut uint64
}

// Filter selects lines. Topic selects by the constant text, and Match by the whole line. They are
// called by whoever logs, so they must not wait.
type Filter struct {
	Topic func(message string) bool
	Match func(*Line) bool
}

// Tap passes lines to Listeners. The zero Tap is ready. Its methods may be called from any goroutine.
type Tap struct {
	listeners atomic.Pointer[[]*Listener] // nil: none; the slice never changes
	mu        sync.Mutex                  // guards changes of listeners
}

// Listener receives lines. It must be closed.
type Listener struct {
	tap     *Tap
	filter  Filter
	queue   chan Line
	leftOut atomic.Uint64 // lines since the last one in the queue
}

// Listen returns a new Listener for the lines that a filter selects.
func (t *Tap) Listen(f Filter) *Listener {
	l := &Listener{tap: t, filter: f, queue: make(chan Line, QueueSize)}
	t.mu.Lock()
	defer t.mu.Unlock()
	list := append(slices.Clone(t.list()), l)
	t.listeners.Store(&list)
	return l
}

func (t *Tap) list() []*Listener {
	if list := t.listeners.Load(); list != nil {
		return *list
	}
	return nil
}

// Lines returns the queue. It is never closed.
func (l *Listener) Lines() <-chan Line { return l.queue }

// LeftOut returns how many lines were left out since the last one that was queued, and forgets them.
func (l *Listener) LeftOut() uint64 { return l.leftOut.Swap(0) }

// Close ends the Listener. Lines that are queued already can still be read.
func (l *Listener) Close() {
	t := l.tap
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(t.list()), func(o *Listener) bool { return o == l })
	if len(list) == 0 {
		t.listeners.Store(nil)
		return
	}
	t.listeners.Store(&list)
}

// add queues a line, or counts it if there is no room.
func (l *Listener) add(line Line) {
	line.LeftOut = l.LeftOut()
	select {
	case l.queue <- line:
	default:
		l.leftOut.Add(line.LeftOut + 1)
	}
}

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
func (h *Handler) Watched() bool { return h.tap.listeners.Load() != nil }

// Logs reports whether the log itself has lines of a level (see throttle.Packets).
func (h *Handler) Logs(level slog.Level) bool { return h.next.Enabled(context.Background(), level) }

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Watched() || h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	onlyWatched := false
	if list := h.tap.list(); list != nil {
		onlyWatched = h.offer(list, &r)
	}
	if onlyWatched || !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// offer passes a line to the Listeners that want it. It reports whether the line is for them only.
func (h *Handler) offer(list []*Listener, r *slog.Record) (onlyWatched bool) {
	line := Line{Time: r.Time, Level: r.Level, Message: r.Message, Attrs: slices.Clone(h.attrs)}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "suppressed" {
			onlyWatched = a.Value.Kind() == slog.KindInt64 && a.Value.Int64() == throttle.OnlyWatched
			return true
		}
		line.Attrs = append(line.Attrs, a)
		return true
	})
	for _, l := range list {
		if l.filter.Topic(line.Message) && l.filter.Match(&line) {
			l.add(line)
		}
	}
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
