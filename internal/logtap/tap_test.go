package logtap

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/internal/throttle"
)

func all(*Line) bool { return true }

// read returns what a reader prints that empties the queue: "message key=value" and "-2" for two lines
// that are missing, each behind a semicolon.
func read(l *Listener) string {
	var out []string
	missing := func(n uint64) {
		if n > 0 {
			out = append(out, fmt.Sprint("-", n))
		}
	}
	for {
		select {
		case item := <-l.Items():
			missing(item.LeftOut)
			text := item.Value.Message
			for _, a := range item.Value.Attrs {
				text += " " + a.String()
			}
			out = append(out, text)
		default:
			missing(l.LeftOut())
			return strings.Join(out, "; ")
		}
	}
}

func newLog(level slog.Level) (*slog.Logger, *strings.Builder) {
	var out strings.Builder
	return slog.New(NewHandler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))), &out
}

// TestTap: a Listener gets what it wants of every level, and the log only lines of its own level.
func TestTap(t *testing.T) {
	log, out := newLog(slog.LevelInfo)
	tap := TapOf(log)
	if log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("level debug is on, and nobody listens")
	}
	radius := tap.Listen(func(l *Line) bool {
		return l.Message == "radius" && len(l.Attrs) > 0 && l.Attrs[len(l.Attrs)-1].Value.String() == "lab"
	})
	every := tap.Listen(all)
	log.Debug("radius", "client", "lab")
	log.Debug("radius", "client", "other")
	log.Warn("snmp", "client", "lab")
	log.With("a", 1).Info("radius", "client", "lab", "suppressed", 3)
	if got := read(radius); got != "radius client=lab; radius a=1 client=lab" {
		t.Errorf("radius: %s", got)
	}
	if got := read(every); got != "radius client=lab; radius client=other; snmp client=lab; radius a=1 client=lab" {
		t.Errorf("every: %s", got)
	}
	radius.Close()
	radius.Close() // again does nothing
	every.Close()
	log.Debug("radius")
	if log.Enabled(t.Context(), slog.LevelDebug) || read(every) != "" {
		t.Error("nobody listens any more")
	}
	if text := out.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "msg=snmp client=lab") || !strings.Contains(text, "msg=radius a=1 client=lab suppressed=3") {
		t.Errorf("the log: %s", text)
	}
	if TapOf(slog.New(slog.DiscardHandler)) != nil {
		t.Error("a log without a Handler has a Tap")
	}
}

// TestPackets: a Listener gets the lines about packets beyond the limit of the log, and the log does not.
func TestPackets(t *testing.T) {
	const packets = throttle.PacketsPerSecond + 7
	for level, want := range map[slog.Level]int{slog.LevelInfo: 0, slog.LevelDebug: throttle.PacketsPerSecond} {
		log, out := newLog(level)
		listener := TapOf(log).Listen(all)
		var limit throttle.Packets
		now := time.Now()
		for range packets {
			if suppressed, ok := limit.Allow(log, now); ok {
				log.Debug("packet", "suppressed", suppressed)
			}
		}
		if got := strings.Count(read(listener), "packet"); got != packets {
			t.Errorf("%v: %d lines, want %d", level, got, packets)
		}
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("%v: %d lines in the log, want %d", level, got, want)
		}
		listener.Close()
		if suppressed, ok := limit.Allow(log, now.Add(time.Second)); level == slog.LevelDebug && (!ok || suppressed != 7) {
			t.Errorf("%d lines are suppressed, %v", suppressed, ok)
		}
	}
}

// TestConcurrency is for the race detector.
func TestConcurrency(t *testing.T) {
	log := slog.New(NewHandler(slog.DiscardHandler))
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 100 {
				if i%2 == 0 {
					log.With("i", i).Debug("x", "suppressed", 0)
					continue
				}
				l := TapOf(log).Listen(all)
				read(l)
				l.Close()
			}
		})
	}
	group.Wait()
}
