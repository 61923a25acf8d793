package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/sessions"

	"github.com/charmbracelet/x/ansi"
)

// openTop runs the live table against a daemon, and waits until it shows sessions.
func openTop(t *testing.T, socket string, args ...string) *terminal {
	t.Helper()
	term := openTerminal(t, 80, 24, []string{"AAASESS_SOCKET=" + socket}, append([]string{"top", "--interval", "100ms"}, args...)...)
	term.shows("q quit")
	return term
}

// row returns the first line of a screen that has a text.
func row(screen, text string) string {
	for line := range strings.Lines(screen) {
		if strings.Contains(line, text) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func TestTop(t *testing.T) {
	d := daemon(t)
	term := openTerminal(t, 80, 24, []string{"AAASESS_SOCKET=" + d.Socket}, "top", "--interval", "100ms")
	term.shows("1-5 of 5 sessions, by octets", "00000001  alice          10.0.0.1", "nas-2", "q quit")

	if err := d.Begin("erin", time.Now()); err != nil {
		t.Fatal(err)
	}
	term.shows("1-6 of 6 sessions", "erin") // without a key

	term.keys("s")
	term.shows("by output")
	term.keys("s")
	term.shows("by started")
	term.keys("r")
	screen := term.shows("by started, reversed")
	if lines := strings.Split(screen, "\n"); len(lines) != 24 {
		t.Errorf("%d lines", len(lines))
	}
	term.keys("/")
	term.shows("filter:", "enter apply")
	term.keys("usr=bob\r")
	term.shows(`unknown parameter "usr"`)
	term.keys("\x15user=bob nas=nas-2\r")
	term.shows("nas=nas-2 user=bob", "1-1 of 1 session matched, 6 live")
	term.hides("alice")

	term.keys("\r")
	term.shows("session 00000003", "rate in:", "NAS session id", "esc list")
	term.keys("\x1b")
	term.shows("1-1 of 1 session matched")

	term.keys("d")
	term.shows("Disconnect session 00000003 of user bob at NAS nas-2? [y/n]")
	term.keys("n")
	term.shows("canceled: no session was disconnected", "00000003  bob")
	term.keys("dy")
	screen = term.shows("00000003  bob  ", "0 sessions matched, 5 live")
	// The NAS may have answered, or the session have ended, before the daemon answers.
	if !strings.Contains(screen, "being disconnected") && !strings.Contains(screen, "bob  ended") {
		t.Error(screen)
	}
	term.keys("/\x15\r")
	term.shows("1-5 of 5 sessions, by", "no filter")

	term.keys("\x1a") // no shell could continue it, so this does nothing
	term.resize(130, 12)
	term.shows("OUT PKT/s", "IDLE")
	term.resize(40, 10)
	term.hides("OUT PKT/s")
	term.shows("1-5 of 5 sess")

	term.keys("q")
	if code := term.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if after := term.modes(); after != term.before {
		t.Errorf("the modes of the terminal are %+v, were %+v", after, term.before)
	}
	term.wait("the terminal as it was", func(screen string) bool {
		return strings.TrimSpace(screen) == "" && !term.screen.IsAltScreen() && !term.screen.CursorHidden()
	})
}

// TestTopHostileNames: the name of a user cannot change the terminal, nor move the columns.
func TestTopHostileNames(t *testing.T) {
	d := daemon(t)
	for _, user := range []string{"evil\x1b]0;title\x07\x1b[2J\r\n", "e\u0301\u202eva", "名前", "👩\u200d👩\ufe0f", "\u0301x", "bob at NAS nas-9? y"} {
		if err := d.Begin(user, time.Now(), func(ev *sessions.Event) { ev.NAS.Identifier = "nas-7" }); err != nil {
			t.Fatal(err)
		}
	}
	term := openTop(t, d.Socket, "--nas", "nas-7", "--sort", "id")
	screen := term.shows("1-6 of 6", `evil\x1b]0;t…`, `e\u{301}\u{2…`, "名前", `\u{301}x`)
	rows := 0
	for line := range strings.Lines(screen) {
		if before, _, ok := strings.Cut(line, "nas-7   "); ok && strings.HasPrefix(line, "0000") {
			rows++
			if ansi.StringWidth(before) != 8+2+13+2+15+2 {
				t.Errorf("the NAS is in column %d of %q", ansi.StringWidth(before), line)
			}
		}
	}
	if rows != 6 {
		t.Errorf("%d rows:\n%s", rows, screen)
	}
	term.keys("\r")
	term.shows(`evil\x1b]0;title\x07\x1b[2J\x0d\x0a`)
	term.keys("d")
	term.shows(`of user evil\x1b]0;title\x07\x1b[2J\x0d\x0a at NAS nas-7? [y/n]`)
	term.keys("n\rGd")
	term.shows(`of user "bob at NAS nas-9? y" at NAS nas-7? [y/n]`)
	term.keys("nq")
	term.end()
	for _, bad := range []string{"\x1b]0;", "\u0301", "\u202e", "\u200d", "\ufe0f"} {
		if strings.Contains(term.written(), bad) {
			t.Errorf("%q is written as it is", bad)
		}
	}
}

// TestTopDaemonAway: the table waits for the daemon, before it has started and after it has ended.
func TestTopDaemonAway(t *testing.T) {
	dir, err := os.MkdirTemp("", "top")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	term := openTop(t, filepath.Join(dir, "control.sock"))
	term.shows("the socket does not exist; asking again every 100ms")
	for _, user := range []string{"first", "second"} {
		d, err := controltest.Start(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Begin(user, time.Now()); err != nil {
			t.Error(err)
		}
		term.shows("1-1 of 1 session", user)
		term.hides("asking again")
		if err := d.Stop(); err != nil {
			t.Fatal(err)
		}
		term.shows("no daemon at", "asking again every 100ms", user)
	}
	term.keys("q")
	if code := term.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestTopEndless: a list that never ends is an error, and costs no memory.
func TestTopEndless(t *testing.T) {
	dir, err := os.MkdirTemp("", "top")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "control.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	const last = 100_000
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.WriteString(w, `{"total":1,"matched":1,"sessions":[`)
		for i := 0; i < last && err == nil; i++ {
			_, err = io.WriteString(w, `{"id":"00000001","number":1},`)
		}
		_, _ = io.WriteString(w, `{"id":"00000001","number":1}]}`)
	})}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	page, err := topAsk(t.Context(), apiclient.New(socket, 0)).list(api.Query{Limit: 72})
	if !errors.Is(err, apiclient.ErrInvalid) || len(page.rows) > 0 {
		t.Errorf("%d rows, %v", len(page.rows), err)
	}
}

// TestTopSignal: a signal ends it as a q does, but the exit code tells.
func TestTopSignal(t *testing.T) {
	d := daemon(t)
	term := openTerminal(t, 80, 24, []string{"AAASESS_SOCKET=" + d.Socket}, "top")
	term.shows("5 sessions")
	if err := term.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := term.end(); code != exitFailed || term.modes() != term.before {
		t.Errorf("exit code %d, modes %+v, were %+v", code, term.modes(), term.before)
	}
	term.wait("the terminal as it was", func(string) bool { return !term.screen.IsAltScreen() && !term.screen.CursorHidden() })
	term.shows("interrupted")
}

// TestTopSuspend: a shell gets the terminal at Ctrl-Z, and can continue the table.
func TestTopSuspend(t *testing.T) {
	d := daemon(t)
	term := openShell(t, []string{"AAASESS_SOCKET=" + d.Socket, "TOP=" + program(t)})
	term.keys("$TOP top --interval 100ms\r")
	term.shows("1-5 of 5 sessions")
	term.keys("\x1a")
	term.prompts()
	if err := d.Begin("erin", time.Now()); err != nil {
		t.Fatal(err)
	}
	term.keys("fg\r")
	term.shows("1-6 of 6 sessions", "erin", "q quit")
	term.keys("q")
	term.prompts()
	term.keys("exit 7\r")
	if code := term.end(); code != 7 {
		t.Errorf("exit code %d", code)
	}
}

// TestTopColors: a session that does not end has a color, but not with NO_COLOR.
func TestTopColors(t *testing.T) {
	d := daemon(t)
	if got := command(t, d.Socket, "", "disconnect", "00000004"); got.code != 0 {
		t.Fatal(got)
	}
	for name, env := range map[string][]string{"colors": nil, "none": {"NO_COLOR=1"}} {
		term := openTerminal(t, 80, 24, append(env, "AAASESS_SOCKET="+d.Socket), "top", "--sort", "id")
		term.shows("5 sessions", "carol")
		term.wait("terminating or stuck", func(screen string) bool {
			return strings.Contains(screen, "terminating") || strings.Contains(screen, "stuck")
		})
		term.keys("q")
		term.end()
		colored := strings.Contains(term.written(), styleRed[1:]) || strings.Contains(term.written(), styleYellow[1:])
		if colored != (name == "colors") || !strings.Contains(term.written(), "\x1b[7m") {
			t.Errorf("%s: %q", name, term.written())
		}
	}
}

// TestTopDumb: a terminal that cannot move its cursor gets lines only.
func TestTopDumb(t *testing.T) {
	d := daemon(t)
	term := openTerminal(t, 80, 24, []string{"AAASESS_SOCKET=" + d.Socket, "TERM=dumb"}, "top", "--interval", "100ms")
	term.shows("1-5 of 5 sessions, by octets", "00000005  dave")
	if err := d.Begin("erin", time.Now()); err != nil {
		t.Fatal(err)
	}
	term.shows("1-6 of 6 sessions", "00000006  erin")
	term.keys("\x03")
	if code := term.end(); code != 0 || strings.Contains(strings.ReplaceAll(term.written(), "^C", ""), "\x1b") {
		t.Errorf("exit code %d, %q", code, term.written())
	}
}

// TestTopUsage: without a terminal it names the command that needs none.
func TestTopUsage(t *testing.T) {
	for args, want := range map[string]string{
		"top":                  `top needs a terminal: see "aaasess show sessions"`,
		"top --json":           `see "aaasess show sessions --json"`,
		"top --interval 99ms":  "want 100ms to 1h",
		"top --interval 2h":    "want 100ms to 1h",
		"top --sort size":      `cannot sort by "size"`,
		"top --address 10.0.0": "address",
		"top alice":            "unknown command",
	} {
		got := command(t, "/nonexistent", "y", strings.Fields(args)...)
		if got.code != exitUsage || got.out != "" || !strings.Contains(got.err, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}
