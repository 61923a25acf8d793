package ending

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aaasess/internal/logtest"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// script returns a command that runs a shell script with arguments.
func script(t *testing.T, text string, args ...string) *Command {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := &Command{Name: "script", Timeout: limit, NotFound: DefaultNotFound}
	for _, a := range append([]string{file}, args...) {
		c.Args = append(c.Args, argument(t, a))
	}
	return c
}

// withCommand returns a Disconnector with one command.
func withCommand(c *Command, log io.Writer) *Disconnector {
	return New(Config{Means: Means{Commands: map[string]*Command{c.Name: c}}, Logger: slog.New(slog.NewTextHandler(log, nil))})
}

// TestCommand: the outcome is told by the exit code, and by what the command says.
func TestCommand(t *testing.T) {
	tests := []struct {
		name, script string
		notFound     int
		want, output string
	}{
		{"done", "echo it is over", 3, "ACK", "it is over"},
		{"not found", "echo no such tty; exit 3", 3, `NAK 503 (Session-Context-Not-Found): command "script": exit status 3: no such tty`, "no such tty"},
		{"another code for not found", "exit 1", 1, `NAK 503 (Session-Context-Not-Found): command "script": exit status 1`, ""},
		{"refused", "echo busy >&2; echo more; exit 1", 3, `NAK: command "script": exit status 1: busy`, "busy more"},
		{"killed", "kill -9 $$", 3, `NAK: command "script": signal: killed`, ""},
		{"not UTF-8", `printf 'a\377b\033c\n'; exit 1`, 3, `NAK: command "script": exit status 1: a b c`, "a b c"},
		{"no folder, no input, no environment", `pwd; cat; echo $HOME$USER$LANG`, 3, "ACK", "/ C.UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("HOME", "/root")
			var log logtest.Buffer
			c := script(t, tt.script)
			c.NotFound = tt.notFound
			how := &sessions.Ending{Command: "script"}
			got := withCommand(c, &log).Disconnect(t.Context(), sessionOf(t, "sshd/1", "alice", how), how)
			if got.String() != tt.want {
				t.Errorf("outcome %q", got)
			}
			output := tt.output
			if strings.Contains(output, " ") || output == "" {
				output = strconv.Quote(output)
			}
			if log.Count("command has ended") != 1 || log.Count("command=script") != 1 || log.Count("output="+output+"\n") != 1 {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

// TestCommandArguments: a command gets its arguments as they are, one for one.
func TestCommandArguments(t *testing.T) {
	file := filepath.Join(t.TempDir(), "arguments")
	how := &sessions.Ending{Command: "script", PID: int32(os.Getpid())}
	var err error
	if how.ProcessStart, err = ProcessStart(how.PID); err != nil {
		t.Fatal(err)
	}
	c := script(t, `for a; do printf '<%s>' "$a"; done >`+file, "{user}", "--pid={pid}", "", "{calling-station}")
	s := sessionOf(t, "sshd/1", "a b; touch $(id) 'x'", how, radius.CallingStationID, "192.0.2.1")
	wantOutcome(t, withCommand(c, io.Discard).Disconnect(t.Context(), s, how), "ACK")
	got, err := os.ReadFile(file)
	if want := fmt.Sprintf("<a b; touch $(id) 'x'><--pid=%d><><192.0.2.1>", how.PID); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	how.ProcessStart++
	wantOutcome(t, withCommand(c, io.Discard).Disconnect(t.Context(), s, how), "NAK 503 (Session-Context-Not-Found): process")
}

// TestCommandCannot: a session that a command cannot end is told before it is tried.
func TestCommandCannot(t *testing.T) {
	how := &sessions.Ending{Command: "script"}
	d := withCommand(script(t, "exit 0", "{user}"), io.Discard)
	for name, tt := range map[string]struct {
		s    *sessions.Session
		how  *sessions.Ending
		want string
	}{
		"an option":  {sessionOf(t, "sshd/1", "-x", how), how, `command "script": {user} is "-x": the command could take it for an option: nothing can end the session`},
		"no command": {sessionOf(t, "sshd/1", "alice", how), &sessions.Ending{Command: "other"}, `no command is called "other": nothing can end the session`},
		"no server":  {sessionOf(t, "sshd/1", "alice", how), &sessions.Ending{OpenVPN: "other"}, `no OpenVPN server is called "other": nothing can end the session`},
		"nothing":    {sessionOf(t, "sshd/1", "alice", nil), nil, "the program that reported it has not said how it is ended: nothing can end the session"},
	} {
		err := d.CanEnd(tt.s, tt.how)
		if !errors.Is(err, termination.ErrNoMeans) || err.Error() != tt.want {
			t.Errorf("%s: %v", name, err)
		}
		wantOutcome(t, d.Disconnect(t.Context(), tt.s, tt.how), "not sent: "+tt.want)
	}
	d.SetMeans(Means{OpenVPN: map[string]*OpenVPN{"other": NewOpenVPN(OpenVPNConfig{})}})
	if err := d.CanEnd(sessionOf(t, "openvpn/1", "alice", nil), &sessions.Ending{OpenVPN: "other"}); err != nil {
		t.Error(err)
	}
	missing := &Command{Name: "script", Timeout: limit, Args: []Argument{argument(t, "/nonexistent/program")}}
	wantOutcome(t, withCommand(missing, io.Discard).Disconnect(t.Context(), sessionOf(t, "sshd/1", "alice", how), how),
		`not sent: command "script": fork/exec /nonexistent/program: no such file or directory`)
}

// TestCommandTimeout: when its time is over, a command is killed with the processes that it has started.
func TestCommandTimeout(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	c := script(t, "sleep 1000 & echo $! >"+file+".new; mv "+file+".new "+file+"; wait")
	c.Timeout = 300 * time.Millisecond
	how := &sessions.Ending{Command: "script"}
	s := sessionOf(t, "sshd/1", "alice", how)
	var child []byte
	// On a busy machine the script may not have come far in its time.
	for deadline := time.Now().Add(limit); child == nil; c.Timeout *= 2 {
		wantOutcome(t, withCommand(c, io.Discard).Disconnect(t.Context(), s, how), `no answer: command "script" has not ended in `+c.Timeout.String())
		child, _ = os.ReadFile(file)
		if time.Now().After(deadline) {
			t.Fatal("the script has not written its file")
		}
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(child)))
	if err != nil {
		t.Fatal(err)
	}
	awaitGone(t, pid)
}

// awaitGone waits until a process has ended.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	process := os.NewFile(uintptr(fd), "process")
	defer process.Close()
	if ended, err := awaitEnd(t.Context(), process, limit); !ended || err != nil {
		t.Errorf("process %d lives: %v", pid, err)
	}
}

// TestCommandEnds: when the session has ended, the command has done its work and goes on. When the
// daemon ends, the command is killed.
func TestCommandEnds(t *testing.T) {
	for cause, want := range map[error]string{
		termination.ErrSessionEnded: "ACK",
		errors.New("the daemon"):    "not sent: the daemon",
	} {
		t.Run(want, func(t *testing.T) {
			dir := t.TempDir()
			fifo, file := filepath.Join(dir, "fifo"), filepath.Join(dir, "done")
			for _, name := range []string{fifo, file} {
				if err := unix.Mkfifo(name, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var log logtest.Buffer
			c := script(t, "echo ready >"+fifo+"; read go <"+fifo+"; echo $go >"+file)
			ctx, cancel := context.WithCancelCause(t.Context())
			how := &sessions.Ending{Command: "script"}
			s := sessionOf(t, "sshd/1", "alice", how)
			outcome := make(chan termination.Outcome)
			go func() { outcome <- withCommand(c, &log).Disconnect(ctx, s, how) }()
			if ready, err := os.ReadFile(fifo); err != nil || string(ready) != "ready\n" {
				t.Fatalf("%q, %v", ready, err)
			}
			cancel(cause)
			wantOutcome(t, <-outcome, want)
			if want != "ACK" {
				if log.Count("command has ended") != 1 {
					t.Error("the command has not been killed")
				}
				return
			}
			if err := os.WriteFile(fifo, []byte("go\n"), 0); err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(file); err != nil || string(b) != "go\n" {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
}

// TestCommandUser: a command runs as its user, without groups of ours.
func TestCommandUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may run a program as another user")
	}
	var log logtest.Buffer
	c := &Command{Name: "id", Timeout: limit, User: &User{UID: 65534, GID: 65534}}
	for _, a := range []string{"/bin/sh", "-c", "id -u; id -G"} {
		c.Args = append(c.Args, argument(t, a))
	}
	how := &sessions.Ending{Command: "id"}
	wantOutcome(t, withCommand(c, &log).Disconnect(t.Context(), sessionOf(t, "sshd/1", "alice", how), how), "ACK")
	if log.Count(`output="65534 65534"`) != 1 {
		t.Error(log.String())
	}
}

// TestCommandOutput: of a long output the beginning is kept, and processes that a command leaves behind do not
// delay its outcome by more than a moment.
func TestCommandOutput(t *testing.T) {
	var log logtest.Buffer
	c := script(t, "yes 0123456789 | head -c 1000000; exec sleep 3 2>&1 &")
	how := &sessions.Ending{Command: "script"}
	wantOutcome(t, withCommand(c, &log).Disconnect(t.Context(), sessionOf(t, "sshd/1", "alice", how), how), "ACK")
	if n := log.Count("0123456789"); n < maxOutput/11-1 || n > maxOutput/11+1 {
		t.Errorf("%d lines of output", n)
	}
}
