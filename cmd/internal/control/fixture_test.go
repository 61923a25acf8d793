package control_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

var (
	with    = controltest.With
	ack     = controltest.Answer{Outcome: termination.Outcome{Answer: termination.ACK}, Stop: true}
	lateAck = controltest.Answer{Outcome: termination.Outcome{Answer: termination.ACK}}
	nak406  = controltest.Answer{Outcome: termination.Outcome{Answer: termination.NAK, ErrorCause: radius.UnsupportedExtension}}
	nak503  = controltest.Answer{Outcome: termination.Outcome{Answer: termination.NAK, ErrorCause: radius.SessionContextNotFound}}
	silence = controltest.Answer{}
)

// folder returns a folder with a short path: that of a socket has at most 107 octets.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// start starts a daemon. At the end of the test it checks that the socket is removed.
func start(t testing.TB, change func(*control.Config)) (*controltest.Daemon, *apiclient.Client) {
	t.Helper()
	d, err := controltest.Start(folder(t), change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(d.Socket); !os.IsNotExist(err) {
			t.Errorf("the socket is left behind: %v", err)
		}
	})
	return d, apiclient.New(d.Socket, 5*time.Second)
}

func begin(t testing.TB, d *controltest.Daemon, user string, at time.Time, more ...func(*sessions.Event)) {
	t.Helper()
	if err := d.Begin(user, at, more...); err != nil {
		t.Fatal(err)
	}
}

// collect reads a list to its end.
func collect(t testing.TB, list *apiclient.List, err error) []api.Session {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	var out []api.Session
	for s, err := range list.All() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// numbers returns the sessions that match a query: "1 2 of 2".
func numbers(t testing.TB, client *apiclient.Client, q api.Query) string {
	t.Helper()
	list, err := client.Sessions(t.Context(), q)
	var out []string
	for _, s := range collect(t, list, err) {
		out = append(out, fmt.Sprint(s.Number))
	}
	return strings.Join(append(out, "of", fmt.Sprint(list.Matched)), " ")
}

// disconnect ends sessions and returns a line for each: "1 ended ACK/1", with the last outcome and
// the number of attempts (+ for more than one). A * marks sessions that this request started to
// end.
func disconnect(t testing.TB, client *apiclient.Client, req api.DisconnectRequest) []string {
	t.Helper()
	list, err := client.Disconnect(t.Context(), req)
	found := collect(t, list, err)
	if req.Wait == 0 && len(found) != list.Matched {
		t.Errorf("%d sessions, and %d were matched", len(found), list.Matched)
	}
	marked := 0
	var out []string
	for _, s := range found {
		text := fmt.Sprint(s.Number, " ", s.State)
		if s.Marked {
			marked++
			text += "*"
		}
		if req.Wait > 0 && s.Termination != nil {
			attempts := "1"
			if s.Termination.Attempts > 1 {
				attempts = "+"
			}
			text += " " + s.Termination.Last + "/" + attempts
		}
		out = append(out, text)
	}
	if marked != list.Marked {
		t.Errorf("%d sessions are marked, and the head says %d", marked, list.Marked)
	}
	return out
}
