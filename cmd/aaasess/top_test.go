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

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/aaasess/internal/top"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/sessions"

	"github.com/charmbracelet/x/ansi"
)

// openTop runs the live table against a daemon, and waits until it shows sessions.
func openTop(t *testing.T, socket string, args ...string) *terminal {
	t.Helper()
	tty := openTerminal(t, 80, 24, []string{"AAASESS_SOCKET=" + socket}, append([]string{"top", "--interval", "100ms"}, args...)...)
	tty.shows("q quit")
	return tty
}

func TestTop(t *testing.T) {
	d := daemon(t)
	tty := openTerminal(t, 80, 24, []string{"AAASESS_SOCKET=" + d.Socket}, "top", "--interval", "100ms")
	tty.shows("1-5 of 5 sessions, by octets", "00000001  alice          10.0.0.1", "nas-2", "q quit")

	if err := d.Begin("erin", time.Now()); err != nil {
		t.Fatal(err)
	}
	tty.shows("1-6 of 6 sessions", "erin") // without a key

	tty.keys("s")
	tty.shows("by output")
	tty.keys("s")
	tty.shows("by started")
	tty.keys("r")
	screen := tty.shows("by started, reversed")
	if lines := strings.Split(screen, "\n"); len(lines) != 24 {
		t.Errorf("%d lines", len(lines))
	}
	tty.keys("/")
	tty.shows("filter:", "enter apply")
	tty.keys("usr=bob\r")
	tty.shows(`unknown parameter "usr"`)
	tty.keys("\x15user=bob nas=nas-2\r")
	tty.shows("nas=nas-2 user=bob", "1-1 of 1 session matched, 6 live")
	tty.hides("alice")

	tty.keys("\r")
	tty.shows("session 00000003", "rate in:", "NAS session id", "esc list")
	tty.keys("\x1b")
	tty.shows("1-1 of 1 session matched")

	tty.keys("d")
	tty.shows("Disconnect session 00000003 of user bob at NAS nas-2? [y/n]")
	tty.keys("n")
	tty.shows("canceled: no session was disconnected", "00000003  bob")
	tty.keys("dy")
	screen = tty.shows("00000003  bob  ", "0 sessions matched, 5 live")
	// The NAS may have answered, or the session have ended, before the daemon answers.
	if !strings.Contains(screen, "being disconnected") && !strings.Contains(screen, "bob  ended") {
		t.Error(screen)
	}
	tty.keys("/\x15\r")
	tty.shows("1-5 of 5 sessions, by", "no filter")

	tty.keys("\x1a") // no shell could continue it, so this does nothing
	tty.resize(130, 12)
	tty.shows("OUT PKT/s", "IDLE")
	tty.resize(40, 10)
	tty.hides("OUT PKT/s")
	tty.shows("1-5 of 5 sess")

	tty.keys("q")
	if code := tty.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if after := tty.modes(); after != tty.before {
		t.Errorf("the modes of the terminal are %+v, were %+v", after, tty.before)
	}
	tty.wait("the terminal as it was", func(screen string) bool {
		return strings.TrimSpace(screen) == "" && !tty.screen.IsAltScreen() && !tty.screen.CursorHidden()
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
	tty := openTop(t, d.Socket, "--nas", "nas-7", "--sort", "id")
	screen := tty.shows("1-6 of 6", `evil\x1b]0;t…`, `e\u{301}\u{2…`, "名前", `\u{301}x`)
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
	tty.keys("\r")
	tty.shows(`evil\x1b]0;title\x07\x1b[2J\x0d\x0a`)
	tty.keys("d")
	tty.shows(`of user evil\x1b]0;title\x07\x1b[2J\x0d\x0a at NAS nas-7? [y/n]`)
	tty.keys("n\rGd")
	tty.shows(`of user "bob at NAS nas-9? y" at NAS nas-7? [y/n]`)
	tty.keys("nq")
	tty.end()
	for _, bad := range []string{"\x1b]0;", "\u0301", "\u202e", "\u200d", "\ufe0f"} {
		if strings.Contains(tty.written(), bad) {
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
	tty := openTop(t, filepath.Join(dir, "control.sock"))
	tty.shows("the socket does not exist; asking again every 100ms")
	for _, user := range []string{"first", "second"} {
		d, err := controltest.Start(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Begin(user, time.Now()); err != nil {
			t.Error(err)
		}
		tty.shows("1-1 of 1 session", user)
		tty.hides("asking again")
		if err := d.Stop(); err != nil {
			t.Fatal(err)
		}
		tty.shows("no daemon at", "asking again every 100ms", user)
	}
	tty.keys("q")
	if code := tty.end(); code != 0 {
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
	page, err := top.Ask(t.Context(), apiclient.New(socket, 0)).List(api.Query{Limit: 72})
	if !errors.Is(err, apiclient.ErrInvalid) || len(page.Rows) > 0 {
		t.Errorf("%d rows, %v", len(page.Rows), err)
	}
}

// TestTopSignal: a signal ends it as a q does, but the exit code tells.
func TestTopSignal(t *testing.T) {
	d := daemon(t)
	tty := openTerminal(t, 80, 24, []string{"AAASESS_SOCKET=" + d.Socket}, "top")
	tty.shows("5 sessions")
	if err := tty.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := tty.end(); code != cli.ExitFailed || tty.modes() != tty.before {
		t.Errorf("exit code %d, modes %+v, were %+v", code, tty.modes(), tty.before)
	}
	tty.wait("the terminal as it was", func(string) bool { return !tty.screen.IsAltScreen() && !tty.screen.CursorHidden() })
	tty.shows("interrupted")
}

// TestTopSuspend: a shell gets the terminal at Ctrl-Z, and can continue the table.
func TestTopSuspend(t *testing.T) {
	d := daemon(t)
	tty := openShell(t, []string{"AAASESS_SOCKET=" + d.Socket, "TOP=" + program(t)})
	tty.keys("$TOP top --interval 100ms\r")
	tty.shows("1-5 of 5 sessions")
	tty.keys("\x1a")
	tty.prompts()
	if err := d.Begin("erin", time.Now()); err != nil {
		t.Fatal(err)
	}
	tty.keys("fg\r")
	tty.shows("1-6 of 6 sessions", "erin", "q quit")
	tty.keys("q")
	tty.prompts()
	tty.keys("exit 7\r")
	if code := tty.end(); code != 7 {
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
		tty := openTerminal(t, 80, 24, append(env, "AAASESS_SOCKET="+d.Socket), "top", "--sort", "id")
		tty.shows("5 sessions", "carol")
		tty.wait("terminating or stuck", func(screen string) bool {
			return strings.Contains(screen, "terminating") || strings.Contains(screen, "stuck")
		})
		tty.keys("q")
		tty.end()
		colored := strings.Contains(tty.written(), term.StyleRed[1:]) || strings.Contains(tty.written(), term.StyleYellow[1:])
		if colored != (name == "colors") || !strings.Contains(tty.written(), "\x1b[7m") {
			t.Errorf("%s: %q", name, tty.written())
		}
	}
}

// TestTopDumb: a terminal that cannot move its cursor gets lines only.
func TestTopDumb(t *testing.T) {
	d := daemon(t)
	tty := openTerminal(t, 80, 24, []string{"AAASESS_SOCKET=" + d.Socket, "TERM=dumb"}, "top", "--interval", "100ms")
	tty.shows("1-5 of 5 sessions, by octets", "00000005  dave")
	if err := d.Begin("erin", time.Now()); err != nil {
		t.Fatal(err)
	}
	tty.shows("1-6 of 6 sessions", "00000006  erin")
	tty.keys("\x03")
	if code := tty.end(); code != 0 || strings.Contains(strings.ReplaceAll(tty.written(), "^C", ""), "\x1b") {
		t.Errorf("exit code %d, %q", code, tty.written())
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
		if got.code != cli.ExitUsage || got.out != "" || !strings.Contains(got.err, want) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}
