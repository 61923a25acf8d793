package cli

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/human"
	"aaasess/cmd/internal/localclient"

	localreport "aaasess/sessions/local/report"
)

// The exit codes. "aaasess --help" lists them.
const (
	ExitDone     = 0
	ExitFailed   = 1
	ExitUsage    = 2
	ExitNoDaemon = 3
	exitNoMatch  = 4
	exitDenied   = 5
	ExitDamaged  = 6
	exitNotNow   = 7
)

// The errors of commands that have a meaning of their own: an exit code, or a text that is the same
// everywhere.
var (
	ErrUsage       = errors.New("usage error")
	ErrSessionsRun = errors.New("not all sessions have ended")
	ErrNotNow      = errors.New("try again") // the daemon may accept it later
	ErrDamaged     = errors.New("damaged: part of the store could not be read and is lost")

	// The user answered a question with no.
	ErrNotDisconnected = errors.New("canceled: no session was disconnected")
	ErrNotCleared      = errors.New("canceled: no session was removed")
	ErrNotDropped      = errors.New("canceled: no record was dropped")
	ErrNotRerouted     = errors.New("canceled: the queue was not rerouted")

	// With these the exit code is 4.
	ErrNoMatch      = errors.New("no session matches")
	ErrNoAccounted  = errors.New("no accounted session matches")
	ErrNoOnOffGroup = errors.New("no such acct-on-off-group")
	ErrNoOnOff      = errors.New("no server group sends Accounting-On and Accounting-Off")
	ErrNotRecorded  = errors.New("no record is made of the event")
	ErrNoRecord     = errors.New("no set-aside record matches")
	ErrNoClient     = errors.New("no such client")
	ErrNoSNMP       = errors.New("the daemon neither has an SNMP responder nor serves snmpd")
)

// PrintError prints an error for a person: no text in it can control a terminal.
func PrintError(w io.Writer, err error) {
	for i, line := range strings.Split(strings.TrimSpace(err.Error()), "\n") {
		if i == 0 {
			line = "aaasess: " + line
		}
		fmt.Fprintln(w, human.Printable(strings.ReplaceAll(line, "\t", "  ")))
	}
}

// ExitCode returns the exit code of a command that ended with an error.
func ExitCode(err error) int {
	refused, problem := (*apiclient.ResponseError)(nil), (*localreport.Problem)(nil)
	switch {
	case errors.Is(err, ErrUsage):
		return ExitUsage
	case errors.Is(err, ErrNotNow):
		return exitNotNow
	case errors.Is(err, apiclient.ErrPermission), errors.Is(err, localclient.ErrPermission), errors.As(err, &problem) && problem.Status == http.StatusForbidden:
		return exitDenied
	case errors.Is(err, apiclient.ErrNoDaemon), errors.Is(err, localclient.ErrNoDaemon):
		return ExitNoDaemon
	case errors.Is(err, ErrDamaged):
		return ExitDamaged
	case errors.Is(err, ErrNoMatch), errors.Is(err, ErrNoAccounted), errors.Is(err, ErrNoOnOffGroup), errors.Is(err, ErrNoOnOff), errors.Is(err, ErrNoRecord), errors.Is(err, ErrNoClient), errors.Is(err, ErrNoSNMP), errors.Is(err, ErrNotRecorded),
		errors.As(err, &refused) && refused.Code == http.StatusNotFound, errors.As(err, &problem) && problem.Status == http.StatusNotFound:
		return exitNoMatch
	}
	return ExitFailed
}
