package systemd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"aaasess/internal/logtest"
)

// listen returns the socket of a manager that wants no sign of life, and a Notifier for it.
func listen(t *testing.T) (*net.UnixConn, *Notifier) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(variables("NOTIFY_SOCKET", path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		_ = unix.Close(n.fd)
	})
	return conn, n
}

// receive returns the next message.
func receive(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// TestVerdict: a status is sent only if it has changed, and between the start and the end only. A
// reload before the start is over does not end the start.
func TestVerdict(t *testing.T) {
	conn, to := listen(t)
	s := NewService(to, slog.New(slog.DiscardHandler))
	s.SetVerdict([]string{"starting"})
	s.BeginReload()
	s.EndReload(errors.New("first\nsecond"))
	s.SetReady(nil)
	s.SetVerdict(nil)
	s.SetVerdict([]string{"a", "b"})
	s.SetVerdict([]string{"a", "b"})
	s.BeginReload()
	s.EndReload(nil)
	s.SetVerdict(nil)
	s.SetEnding(0)
	s.SetVerdict([]string{"ending"})
	for i, want := range []string{
		`READY=1\nSTATUS=ok; configuration refused at \S+: first; second`,
		`STATUS=degraded: a; b; configuration refused at \S+: first; second`,
		`RELOADING=1\nMONOTONIC_USEC=\d+`, `READY=1\nSTATUS=degraded: a; b`, `STATUS=ok`, `STOPPING=1\nSTATUS=ending`,
	} {
		if got := receive(t, conn); !regexp.MustCompile("^" + want + "$").MatchString(got) {
			t.Errorf("message %d is %q, want %q", i, got, want)
		}
	}
	if err := to.Send("LAST=1"); err != nil || receive(t, conn) != "LAST=1" {
		t.Errorf("a further message, or %v", err)
	}
}

// TestWatchdogCannotSend: an error of the message is in the log. A manager may want no sign of life.
func TestWatchdogCannotSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n, err := New(variables("NOTIFY_SOCKET", "/nowhere/notify", "WATCHDOG_USEC", "60000000"))
		if err != nil {
			t.Fatal(err)
		}
		log := &logtest.Buffer{}
		_ = NewService(n, slog.New(slog.NewTextHandler(log, nil))).Watchdog(func() error { return nil }).Run(ctx)
		if !strings.Contains(log.String(), "WATCHDOG=1") {
			t.Errorf("the log is %q", log)
		}
	})
	none := NewService(nil, slog.New(slog.DiscardHandler))
	if none.HasManager() || none.Watchdog(nil) != nil {
		t.Error("a service without a manager has one, or a watchdog")
	}
}
