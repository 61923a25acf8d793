package systemd

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"aaasess/internal/throttle"
)

// endTime is what the end of the daemon may take besides the Accounting-Offs: the last commit on a
// slow disk.
const endTime = 30 * time.Second

// Service tells the service manager what the daemon does. Without a manager it does nothing.
type Service struct {
	notifier *Notifier // nil: there is no manager
	log      *slog.Logger

	mu        sync.Mutex // guards the following, and the order of messages; held for a second at most
	ready     bool
	reloading bool
	verdict   string
	refused   string // when and why the last reload was refused; ""
	shown     string // the last status that was sent
	line      throttle.Line
}

// NewService returns the Service that tells the manager of a Notifier, which may be nil. Messages
// that cannot be sent are logged.
func NewService(n *Notifier, log *slog.Logger) *Service { return &Service{notifier: n, log: log} }

// Watchdog returns the Watchdog that the manager wants; nil: it wants none.
func (s *Service) Watchdog(probe func() error) *Watchdog {
	if s.notifier.WatchdogTime() == 0 {
		return nil
	}
	return &Watchdog{
		Within: s.notifier.WatchdogTime(), Probe: probe, Failed: s.watchdogFailed,
		Alive: func() error { return s.notifier.Send(alive) },
	}
}

// HasManager reports whether there is a manager.
func (s *Service) HasManager() bool { return s.notifier != nil }

// send sends a message. The caller holds the lock.
func (s *Service) send(lines ...string) {
	if err := s.notifier.Send(lines...); err != nil {
		s.warn(err)
	}
}

// warn logs that the service manager does not get a message. The caller holds the lock.
func (s *Service) warn(err error) {
	if suppressed, ok := s.line.Allow(time.Now()); ok {
		s.log.Warn("message to the service manager not sent", "suppressed", suppressed, "err", err)
	}
}

// status returns the status line. The caller holds the lock.
func (s *Service) status() string {
	s.shown = s.verdict
	if s.refused != "" {
		s.shown += "\n" + s.refused
	}
	return Status(s.shown)
}

// SetReady tells that the daemon serves.
func (s *Service) SetReady(reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready, s.verdict = true, verdictOf(reasons)
	s.send(Ready, s.status())
}

// SetVerdict tells why the daemon is degraded, if that has changed.
func (s *Service) SetVerdict(reasons []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.shown
	s.verdict = verdictOf(reasons)
	if line := s.status(); s.ready && s.shown != was {
		s.send(line)
	}
}

func verdictOf(reasons []string) string {
	if len(reasons) == 0 {
		return "ok"
	}
	return "degraded: " + strings.Join(reasons, "\n")
}

// BeginReload tells that a reload begins. During the start it tells nothing, because the message
// that ends a reload would end the start.
func (s *Service) BeginReload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reloading = s.ready; s.reloading {
		s.send(Reloading()...)
	}
}

// EndReload tells that the reload is over, and err if the configuration was refused.
func (s *Service) EndReload(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = ""
	if err != nil {
		s.refused = fmt.Sprintf("configuration refused at %s: %v", time.Now().UTC().Format(time.RFC3339), err)
	}
	line := s.status()
	if s.reloading {
		s.reloading = false
		s.send(Ready, line)
	}
}

// SetEnding tells that the daemon ends, and that it waits at most this time for Accounting-Offs.
func (s *Service) SetEnding(offs time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = false // no status that follows may hide this one
	lines := []string{Stopping, Status("ending")}
	if offs > 0 {
		lines = []string{
			Stopping, Status(fmt.Sprintf("ending: waits for the answers to Accounting-Off, at most %v", offs)),
			ExtendTimeout(offs + endTime),
		}
	}
	s.send(lines...)
}

// watchdogFailed logs why the manager gets no sign of life.
func (s *Service) watchdogFailed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warn(err)
}
