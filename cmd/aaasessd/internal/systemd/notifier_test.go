package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// variables returns a getenv.
func variables(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

func TestSend(t *testing.T) {
	for name, path := range map[string]string{
		"a path":             filepath.Join(t.TempDir(), "notify"),
		"an abstract socket": fmt.Sprintf("@aaasess-test-%d", os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			n, err := New(variables("NOTIFY_SOCKET", path))
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(n.fd)
			for _, lines := range [][]string{{Ready, Status("ok")}, {alive}} {
				if err := n.Send(lines...); err != nil {
					t.Fatal(err)
				}
				b := make([]byte, 4096)
				size, err := conn.Read(b)
				if want := strings.Join(lines, "\n"); err != nil || string(b[:size]) != want {
					t.Errorf("%q, %v, want %q", b[:size], err, want)
				}
			}
		})
	}
}

// TestManagerRestarts: messages arrive again when the socket is there again.
func TestManagerRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	n, err := New(variables("NOTIFY_SOCKET", path))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(n.fd)
	for range 2 {
		if err := n.Send(Ready); !errors.Is(err, syscall.ENOENT) || !strings.Contains(err.Error(), Ready) {
			t.Errorf("without a manager: %v", err)
		}
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Send(Ready); err != nil {
			t.Error(err)
		}
		conn.Close()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestManagerDoesNotRead: a manager that does not read its socket does not block the daemon.
func TestManagerDoesNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n, err := New(variables("NOTIFY_SOCKET", path))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(n.fd)
	for range 100_000 { // far more than net.unix.max_dgram_qlen
		if err = n.Send(alive); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("%v, want EAGAIN", err)
	}
}

func TestNoManager(t *testing.T) {
	n, err := New(variables("WATCHDOG_USEC", "1000000"))
	if err != nil || n != nil || n.WatchdogTime() != 0 || n.Send(Ready) != nil {
		t.Errorf("%v, %v", n, err)
	}
}

func TestWatchdogTime(t *testing.T) {
	self := strconv.Itoa(os.Getpid())
	for name, tt := range map[string]struct {
		usec, pid string
		want      time.Duration
		err       bool
	}{
		"none":               {"", "", 0, false},
		"for any process":    {"1500000", "", 1500 * time.Millisecond, false},
		"for this process":   {"180000000", self, 3 * time.Minute, false},
		"for another one":    {"180000000", self + "0", 0, false},
		"zero":               {"0", "", 0, true},
		"not a number":       {"3min", "", 0, true},
		"too long":           {"9223372036854775807", "", 0, true},
		"another one's text": {"3min", self + "0", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := New(variables("NOTIFY_SOCKET", "/nowhere", "WATCHDOG_USEC", tt.usec, "WATCHDOG_PID", tt.pid))
			if n == nil || (err != nil) != tt.err || n.WatchdogTime() != tt.want {
				t.Errorf("%v, %v, want %v", n.WatchdogTime(), err, tt.want)
			}
		})
	}
	if n, err := New(variables("NOTIFY_SOCKET", "vsock:2:1234", "WATCHDOG_USEC", "1000000")); err == nil || n.WatchdogTime() != 0 || n.Send(Ready) != nil {
		t.Errorf("a socket of another kind: %v, %v", n, err)
	}
}

func TestLines(t *testing.T) {
	for name, tt := range map[string]struct{ got, want string }{
		"one line":      {Status("ok"), "STATUS=ok"},
		"several lines": {Status("degraded: a\nb\n"), "STATUS=degraded: a; b"},
		"not UTF-8":     {Status("user \xff"), "STATUS=user ?"},
		"too long":      {Status(strings.Repeat("x", maxStatus+1)), "STATUS=" + strings.Repeat("x", maxStatus) + " ..."},
		"extension":     {ExtendTimeout(90 * time.Second), "EXTEND_TIMEOUT_USEC=90000000"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", name, tt.got, tt.want)
		}
	}
	lines := Reloading()
	var before int64
	if _, err := fmt.Sscanf(lines[1], "MONOTONIC_USEC=%d", &before); err != nil || lines[0] != "RELOADING=1" {
		t.Errorf("%q, %v", lines, err)
	}
	var uptime float64 // CLOCK_BOOTTIME, at least the monotonic clock
	b, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(b), &uptime); err != nil || before <= 0 || float64(before) > (uptime+1)*1e6 {
		t.Errorf("MONOTONIC_USEC is %d, the host is up for %v s", before, uptime)
	}
}

// TestStatusIsALine: systemd takes a status only if it is UTF-8, and the text has no further line.
func TestStatusIsALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOfN(rapid.Byte(), 0, 2*maxStatus).Draw(t, "text"))
		line := Status(text)
		if !utf8.ValidString(line) || strings.Contains(line, "\n") || len(line) > maxStatus+16 {
			t.Fatalf("%q", line)
		}
	})
}

// TestSendTogether: any goroutine may send. The race detector watches.
func TestSendTogether(t *testing.T) {
	conn, n := listen(t)
	var senders sync.WaitGroup
	for _, line := range []string{alive, Ready, Stopping} {
		senders.Go(func() {
			if err := n.Send(line); err != nil {
				t.Error(err)
			}
		})
	}
	senders.Wait()
	got := []string{receive(t, conn), receive(t, conn), receive(t, conn)}
	slices.Sort(got)
	if want := []string{Ready, Stopping, alive}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
