// Command aaasess shows and ends the sessions of a running aaasessd, and shows its
// server groups and its spool, over its control socket (spec R32, R60, R63, R70).
// It keeps nothing and holds no lock: what it prints is what the daemon answers.
//
// What came from the network is printed so that it cannot act on a terminal:
// control and other unprintable characters as \xHH or \u{H}.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"aaasess/cmd/internal/apiclient"

	"golang.org/x/sys/unix"
)

// The exit codes, as help has them.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNoDaemon = 3
	exitNoMatch  = 4
	exitDamaged  = 6
)

var (
	errUsage      = errors.New("wrong usage")
	errRefused    = errors.New("nothing was disconnected")
	errNotDropped = errors.New("nothing was dropped")
	errUnchanged  = errors.New("nothing was changed")
	errRemain     = errors.New("not all sessions are gone")
	errDamaged    = errors.New("damaged: part of the store could not be read and is lost")

	// With these the exit code is exitNoMatch.
	errNoMatch      = errors.New("no session matches")
	errNoOnOffGroup = errors.New("no such acct-on-off-group")
	errNoOnOff      = errors.New("no server group sends Accounting-On and Accounting-Off")
	errNoRecord     = errors.New("no record is set aside that matches")
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	env := environment{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, terminal: isTerminal(os.Stdin)}
	code := run(ctx, env, os.Args[1:])
	cancel()
	os.Exit(code)
}

// environment is what a command meets outside.
type environment struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	terminal bool // in is one: a person can be asked
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// run carries out a command line and returns its exit code.
func run(ctx context.Context, env environment, args []string) int {
	root, began := newRoot(env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if !*began && !errors.Is(err, errUsage) { // cobra found fault with the words of the command
		err = fmt.Errorf("%w: %w", errUsage, err)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = errors.New("interrupted")
	}
	for i, line := range strings.Split(strings.TrimSpace(err.Error()), "\n") {
		if i == 0 {
			line = "aaasess: " + line
		}
		fmt.Fprintln(env.err, printable(strings.ReplaceAll(line, "\t", "  ")))
	}
	return exitCode(err)
}

func exitCode(err error) int {
	refused := (*apiclient.RefusedError)(nil)
	switch {
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, apiclient.ErrNoDaemon):
		return exitNoDaemon
	case errors.Is(err, errDamaged):
		return exitDamaged
	case errors.Is(err, errNoMatch), errors.Is(err, errNoOnOffGroup), errors.Is(err, errNoOnOff), errors.Is(err, errNoRecord),
		errors.As(err, &refused) && refused.Code == 404:
		return exitNoMatch
	}
	return exitFailed
}
