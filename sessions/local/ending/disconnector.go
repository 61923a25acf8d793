package ending

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// The defaults of a [Config].
const (
	DefaultProcessWait = 5 * time.Second
	DefaultProgramWait = 10 * time.Second
)

// Config configures a [Disconnector].
type Config struct {
	Means
	// ProcessWait is how long a process may take to end after its signal. 0 means 5 s.
	ProcessWait time.Duration
	// ProgramWait is how long a program may take to answer a [Request]. 0 means 10 s.
	ProgramWait time.Duration
	// Logger receives the log; nil discards it.
	Logger *slog.Logger
}

// Means are the commands and OpenVPN servers by their names.
type Means struct {
	Commands map[string]*Command
	OpenVPN  map[string]*OpenVPN
}

// Disconnector ends sessions. Its methods may be called from any goroutine.
type Disconnector struct {
	processWait, programWait time.Duration
	log                      *slog.Logger
	means                    atomic.Pointer[Means]
	programs                 programs
}

// New returns a Disconnector.
func New(cfg Config) *Disconnector {
	d := &Disconnector{
		processWait: cmp.Or(cfg.ProcessWait, DefaultProcessWait), programWait: cmp.Or(cfg.ProgramWait, DefaultProgramWait),
		log: cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
	}
	d.programs.init()
	d.SetMeans(cfg.Means)
	return d
}

// SetMeans replaces the commands and OpenVPN servers. Attempts under way go on with those that they
// have.
func (d *Disconnector) SetMeans(m Means) { d.means.Store(&m) }

// Disconnect makes one attempt to end a session, see [termination.Disconnector]. how says how; it is
// that of the session, or of its NAS.
func (d *Disconnector) Disconnect(ctx context.Context, s *sessions.Session, how *sessions.Ending) termination.Outcome {
	if err := d.CanEnd(s, how); err != nil {
		return termination.Outcome{Err: err}
	}
	means := d.means.Load()
	switch {
	case how.Signal != 0:
		return d.endProcess(ctx, how)
	case how.Command != "":
		return d.runCommand(ctx, means.Commands[how.Command], how, s)
	case how.OpenVPN != "":
		return means.OpenVPN[how.OpenVPN].disconnect(ctx, s)
	}
	return d.askProgram(ctx, s)
}

// CanEnd returns why a session cannot be ended, or nil. The error wraps [termination.ErrNoMeans].
func (d *Disconnector) CanEnd(s *sessions.Session, how *sessions.Ending) error {
	if how == nil || !how.IsValid() {
		return fmt.Errorf("the program that reported it has not said how it is ended: %w", termination.ErrNoMeans)
	}
	means := d.means.Load()
	switch {
	case how.Command != "":
		c := means.Commands[how.Command]
		if c == nil {
			return fmt.Errorf("no command is called %q: %w", how.Command, termination.ErrNoMeans)
		}
		if _, err := c.arguments(s, how); err != nil {
			return fmt.Errorf("command %q: %w: %w", how.Command, err, termination.ErrNoMeans)
		}
	case how.OpenVPN != "" && means.OpenVPN[how.OpenVPN] == nil:
		return fmt.Errorf("no OpenVPN server is called %q: %w", how.OpenVPN, termination.ErrNoMeans)
	}
	return nil
}

// Knows reports whether the command or the OpenVPN server that an ending names is configured.
func (d *Disconnector) Knows(how *sessions.Ending) bool {
	means := d.means.Load()
	return (how.Command == "" || means.Commands[how.Command] != nil) && (how.OpenVPN == "" || means.OpenVPN[how.OpenVPN] != nil)
}

// gone is the outcome for a session that is not there. why says how that is known.
func gone(why string, args ...any) termination.Outcome {
	return refused(radius.SessionContextNotFound, why, args...)
}

// refused is the outcome when a session will not be ended.
func refused(cause radius.ErrorCause, why string, args ...any) termination.Outcome {
	return termination.Outcome{Answer: termination.NAK, ErrorCause: cause, Err: fmt.Errorf(why, args...)}
}

// silent is the outcome when nothing has answered in time.
func silent(what string, args ...any) termination.Outcome {
	return termination.Outcome{Err: fmt.Errorf("%w: %s", termination.ErrNoAnswer, fmt.Sprintf(what, args...))}
}
