// Command aaasess is the command line of aaasessd. It shows and ends sessions, shows server groups
// and their statistics, has Accounting-On and -Off sent, and manages the spool, all over the
// control socket of the daemon (spec R32, R60 to R63, R70). The command "simulate" plays a NAS.
//
// The command keeps no state and no lock: it prints what the daemon answers.
//
// Text from the network cannot change a terminal: unprintable characters are printed as \xHH or
// \u{H}.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/localclient"
	localreport "aaasess/sessions/local/report"

	"golang.org/x/sys/unix"
)

// The exit codes. "aaasess --help" lists them.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNoDaemon = 3
	exitNoMatch  = 4
	exitDenied   = 5
	exitDamaged  = 6
	exitNotNow   = 7
)

var (
	errUsage       = errors.New("usage error")
	errSessionsRun = errors.New("not all sessions have ended")
	errDamaged     = errors.New("damaged: part of the store could not be read and is lost")

	// The user answered a question with no.
	errNotDisconnected = errors.New("canceled: no session was disconnected")
	errNotCleared      = errors.New("canceled: no session was removed")
	errNotDropped      = errors.New("canceled: no record was dropped")
	errNotRerouted     = errors.New("canceled: the queue was not rerouted")

	// With these the exit code is exitNoMatch.
	errNoMatch      = errors.New("no session matches")
	errNoAccounted  = errors.New("no accounted session matches")
	errNoOnOffGroup = errors.New("no such acct-on-off-group")
	errNoOnOff      = errors.New("no server group sends Accounting-On and Accounting-Off")
	errNotRecorded  = errors.New("no record is made of the event")
	errNoRecord     = errors.New("no set-aside record matches")
	errNoClient     = errors.New("no such client")
	errNoSNMP       = errors.New("the daemon neither has an SNMP responder nor serves snmpd")
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	env := environment{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, terminal: isTerminal(os.Stdin), outTerminal: isTerminal(os.Stdout), errTerminal: isTerminal(os.Stderr), width: terminalWidth(os.Stdout)}
	code := run(ctx, env, os.Args[1:])
	cancel()
	os.Exit(code)
}

// environment is the standard input and output and the environment variables of the process.
type environment struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	terminal bool // in is a terminal, so a command may prompt
	// outTerminal and errTerminal: out and err are terminals.
	outTerminal, errTerminal bool

	width int // columns of the terminal that out is; 0: it is none
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// terminalWidth returns the number of columns of a terminal; 0 if f is none, or does not tell it.
func terminalWidth(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// run carries out a command line and returns its exit code.
func run(ctx context.Context, env environment, args []string) int {
	root, started := newRoot(env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if !*started && !errors.Is(err, errUsage) { // cobra rejected the flags or arguments
		err = fmt.Errorf("%w: %w", errUsage, err)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = errors.New("interrupted")
	}
	printError(env.err, err)
	return exitCode(err)
}

func printError(w io.Writer, err error) {
	for i, line := range strings.Split(strings.TrimSpace(err.Error()), "\n") {
		if i == 0 {
			line = "aaasess: " + line
		}
		fmt.Fprintln(w, printable(strings.ReplaceAll(line, "\t", "  ")))
	}
}

func exitCode(err error) int {
	refused, problem := (*apiclient.ResponseError)(nil), (*localreport.Problem)(nil)
	switch {
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errNotNow):
		return exitNotNow
	case errors.Is(err, apiclient.ErrPermission), errors.Is(err, localclient.ErrPermission), errors.As(err, &problem) && problem.Status == http.StatusForbidden:
		return exitDenied
	case errors.Is(err, apiclient.ErrNoDaemon), errors.Is(err, localclient.ErrNoDaemon):
		return exitNoDaemon
	case errors.Is(err, errDamaged):
		return exitDamaged
	case errors.Is(err, errNoMatch), errors.Is(err, errNoAccounted), errors.Is(err, errNoOnOffGroup), errors.Is(err, errNoOnOff), errors.Is(err, errNoRecord), errors.Is(err, errNoClient), errors.Is(err, errNoSNMP), errors.Is(err, errNotRecorded),
		errors.As(err, &refused) && refused.Code == http.StatusNotFound, errors.As(err, &problem) && problem.Status == http.StatusNotFound:
		return exitNoMatch
	}
	return exitFailed
}
