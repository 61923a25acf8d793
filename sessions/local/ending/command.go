package ending

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// DefaultNotFound is the exit code that says that there is no such session.
const DefaultNotFound = 3

// Command is a command that ends sessions. It runs without a shell, in the folder /, with an
// environment of PATH and LANG only, and in a process group of its own.
type Command struct {
	Name string
	// Args are the program, an absolute path, and its arguments.
	Args []Argument
	// User runs the command, without supplementary groups; nil means the user of this process. Another
	// user than that needs CAP_SETUID, CAP_SETGID and CAP_KILL.
	User *User
	// Timeout is when the process group is killed.
	Timeout time.Duration
	// NotFound is the exit code that says that there is no such session.
	NotFound int
}

// User is a user and its group.
type User struct{ UID, GID uint32 }

const (
	// maxOutput is how much of the output of a command is read into the log.
	maxOutput = 4096
	// pipeWait is how long the output of processes is awaited that a command has left behind.
	pipeWait = time.Second
)

// arguments returns the arguments for a session.
func (c *Command) arguments(s *sessions.Session, how *sessions.Ending) ([]string, error) {
	args := make([]string, 0, len(c.Args))
	for _, a := range c.Args {
		text, err := a.expand(s, how)
		if err != nil {
			return nil, err
		}
		args = append(args, text)
	}
	return args, nil
}

// usesProcess reports whether an argument has the process of the session.
func (c *Command) usesProcess() bool {
	for _, a := range c.Args {
		for _, p := range a.pieces {
			if p.field != nil && p.field.name == "pid" {
				return true
			}
		}
	}
	return false
}

// runCommand runs a command and waits for its end. When the session has ended meanwhile, the command
// has done its work, and may go on until its time is over.
func (d *Disconnector) runCommand(ctx context.Context, c *Command, how *sessions.Ending, s *sessions.Session) termination.Outcome {
	if c.usesProcess() {
		// The number may belong to another process by now.
		start, err := ProcessStart(how.PID)
		switch {
		case errors.Is(err, ErrNoProcess), err == nil && start != how.ProcessStart:
			return gone("process %d has ended", how.PID)
		case errors.Is(err, ErrHidden):
			return refused(radius.AdministrativelyProhibited, "%w", err)
		case err != nil:
			return termination.Outcome{Err: err}
		}
	}
	args, err := c.arguments(s, how)
	if err != nil {
		return termination.Outcome{Err: err}
	}
	running, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Timeout)
	result := make(chan termination.Outcome, 1)
	go func() {
		defer cancel()
		out := c.run(running, args)
		d.log.Info("disconnect: command has ended", "session", s.ID.String(), "user", s.User(), "command", c.Name, "outcome", out.String(), "output", out.output)
		result <- out.Outcome
	}()
	select {
	case out := <-result:
		return out
	case <-ctx.Done():
	}
	if errors.Is(context.Cause(ctx), termination.ErrSessionEnded) {
		return termination.Outcome{Answer: termination.ACK}
	}
	cancel()
	<-result
	return termination.Outcome{Err: context.Cause(ctx)}
}

// commandOutcome is what a command did, and what it wrote.
type commandOutcome struct {
	termination.Outcome
	output string
}

// run runs the command until it ends or ctx does.
func (c *Command) run(ctx context.Context, args []string) commandOutcome {
	var out output
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the program is the operator's
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.User != nil && (os.Geteuid() == 0 || int(c.User.UID) != os.Geteuid()) {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.User.UID, Gid: c.User.GID}
	}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = pipeWait
	if err := cmd.Start(); err != nil {
		return commandOutcome{Outcome: termination.Outcome{Err: fmt.Errorf("command %q: %w", c.Name, err)}}
	}
	err := cmd.Wait()
	return commandOutcome{c.outcome(ctx, err, out.firstLine()), out.String()}
}

// outcome returns the outcome of a command that has ended with an error or nil. line is its first line
// of output.
func (c *Command) outcome(ctx context.Context, err error, line string) termination.Outcome {
	var exit *exec.ExitError
	said := ""
	if line != "" {
		said = ": " + line
	}
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it has left processes behind
		return termination.Outcome{Answer: termination.ACK}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return silent("command %q has not ended in %v", c.Name, c.Timeout)
	case !errors.As(err, &exit):
		return termination.Outcome{Err: fmt.Errorf("command %q: %w", c.Name, err)}
	case exit.ExitCode() == c.NotFound:
		return gone("command %q: %w%s", c.Name, err, said)
	}
	return refused(0, "command %q: %w%s", c.Name, err, said)
}

// output keeps the beginning of what is written to it.
type output struct{ b []byte }

func (o *output) Write(b []byte) (int, error) {
	o.b = append(o.b, b[:min(len(b), maxOutput-len(o.b))]...)
	return len(b), nil
}

// String returns the output as text in one line.
func (o *output) String() string { return oneLine(string(o.b)) }

// firstLine returns the first line, for an outcome.
func (o *output) firstLine() string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(o.b)), "\n")
	const most = 200
	if len(line) > most {
		line = line[:most]
	}
	return oneLine(line)
}

// oneLine replaces what is no text: octets that are not UTF-8, and control characters.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(strings.ToValidUTF8(text, " ")))
}
