package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/systemd"
)

// serviceManager is the socket of a service manager.
type serviceManager struct {
	t    *testing.T
	conn *net.UnixConn
	to   *systemd.Notifier
}

func listenAsManager(t *testing.T) *serviceManager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	to, err := systemd.New(func(name string) string {
		return map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3600000000"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return &serviceManager{t, conn, to}
}

// next returns the next message, with numbers and times as N and T.
func (m *serviceManager) next() string {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		m.t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := m.conn.Read(b)
	if err != nil {
		m.t.Fatal(err)
	}
	text := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllString(string(b[:n]), "T")
	return regexp.MustCompile(`MONOTONIC_USEC=\d+`).ReplaceAllString(text, "MONOTONIC_USEC=N")
}

// expect reads messages. The order of the first two is that of goroutines.
func (m *serviceManager) expect(want ...string) {
	m.t.Helper()
	for _, w := range want {
		if got := m.next(); got != w {
			m.t.Errorf("message %q, want %q", got, w)
		}
	}
}

// skipWatchdog reads the first messages, of which one is the first sign of life, in any order.
func (m *serviceManager) skipWatchdog(other string) {
	m.t.Helper()
	got := map[string]bool{m.next(): true, m.next(): true}
	if !got["WATCHDOG=1"] || !got[other] {
		m.t.Errorf("messages %v, want WATCHDOG=1 and %q", got, other)
	}
}

// TestServiceManager: the manager hears of the start, of reloads, also refused ones, and of the end.
func TestServiceManager(t *testing.T) {
	m := listenAsManager(t)
	l := launch(t, plainConfig, environment{notifier: m.to})
	m.skipWatchdog("READY=1\nSTATUS=ok")
	const reloading = "RELOADING=1\nMONOTONIC_USEC=N"
	l.reload(plainConfig, "configuration loaded")
	m.expect(reloading, "READY=1\nSTATUS=ok")
	l.reload(plainConfig+"sesions: {}\n", "configuration not loaded")
	m.expect(reloading)
	if got := m.next(); !strings.HasPrefix(got, "READY=1\nSTATUS=ok; configuration refused at T: ") || !strings.Contains(got, "sesions") {
		t.Errorf("message %q after a refused reload", got)
	}
	l.reload(plainConfig, "configuration loaded")
	m.expect(reloading, "READY=1\nSTATUS=ok")
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	m.expect("STOPPING=1\nSTATUS=ending")
}

// TestEndWithAccountingOff: the time for the end fits the Off of the group with the longest
// schedule.
func TestEndWithAccountingOff(t *testing.T) {
	one, two, three := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	text := with(t, announcing(t, one, two, three, "one"), "{name: two, servers: [r2]", "{name: two, servers: [r2, r3], retransmit: 2, timeout: 2s")
	m := listenAsManager(t)
	l := launch(t, text, environment{notifier: m.to})
	eventuallyOrder(t, "group two", two, "Accounting-On")
	m.skipWatchdog("READY=1\nSTATUS=ok")
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	m.expect("STOPPING=1\nSTATUS=ending: waits for the answers to Accounting-Off, at most 12s\nEXTEND_TIMEOUT_USEC=42000000")
}

// TestRefusedReloadOpensFile: logrotate(8) renames the accounting file and sends SIGHUP. The daemon
// then writes to a new file, even if the configuration is refused.
func TestRefusedReloadOpensFile(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Start 00000001")
	if err := os.Rename(filepath.Join(l.dir, "records.jsonl"), filepath.Join(l.dir, "records.jsonl.1")); err != nil {
		t.Fatal(err)
	}
	l.reload("state: [\n", "configuration not loaded")
	eventually(t, "the new file is there", func() bool {
		_, err := os.Stat(filepath.Join(l.dir, "records.jsonl"))
		return err == nil
	})
	l.mustAccount(packet(acctStop, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Stop 00000001")
	l.eventuallyRecords("records.jsonl.1", "Start 00000001")
}

// TestFailureIsTheStatus: the error that ended the daemon is its last status.
func TestFailureIsTheStatus(t *testing.T) {
	s := listenAsManager(t)
	out := &lines{}
	if err := run(t.Context(), "/nowhere.yaml", nil, out, out, environment{notifier: s.to}); err == nil {
		t.Fatal("no error")
	}
	if got := s.next(); !strings.HasPrefix(got, "STATUS=failed: ") || !strings.Contains(got, "/nowhere.yaml") {
		t.Errorf("message %q", got)
	}
}

// TestUnmanaged: what the variables of the service manager say and cannot be is logged, and the daemon
// starts nevertheless.
func TestUnmanaged(t *testing.T) {
	notifier, err := systemd.New(func(name string) string {
		return map[string]string{"NOTIFY_SOCKET": "vsock:2:1234"}[name]
	})
	l := launch(t, plainConfig, environment{notifier: notifier, ignored: err})
	if text := l.log.String(); strings.Count(text, "vsock:2:1234") != 1 {
		t.Errorf("the log: %s", text)
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
}
