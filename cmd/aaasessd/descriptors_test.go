package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aaasess/cmd/internal/apiclient"
	"aaasess/sessions/radius/radiustest"
)

// TestShortageHandler: an error of a shortage has one line more, also for a logger with attributes
// and for a look-up that lost its cause. Other errors have none.
func TestShortageHandler(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(newShortageHandler(slog.NewTextHandler(&b, nil)))
	log.Warn("other", "err", errors.New("file not found"), "reason", "too many open files")
	if strings.Contains(b.String(), "short") {
		t.Errorf("a line about another error: %s", b.String())
	}
	for _, err := range []error{
		&os.PathError{Op: "open", Path: "x", Err: syscall.EMFILE},
		fmt.Errorf("accept: %w", syscall.ENFILE),
		&net.DNSError{Err: "dial udp 127.0.0.1:53: socket: too many open files", Name: "r1.example.net"},
	} {
		b.Reset()
		log := slog.New(newShortageHandler(slog.NewTextHandler(&b, nil))).With("server", "r1").WithGroup("g")
		log.Warn("failed", "err", err)
		log.Warn("failed", "err", err)
		if n := strings.Count(b.String(), "file descriptors are short"); n != 1 || !strings.Contains(b.String(), "limit=") {
			t.Errorf("%v: %d lines: %s", err, n, b.String())
		}
	}
}

// TestFewDescriptors: while no file descriptor is left, the daemon answers NASes, says once what is
// wrong, and neither ends nor spins. Afterwards everything works again.
func TestFewDescriptors(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	dir := t.TempDir()
	file := filepath.Join(dir, "aaasess.yaml")
	text := groupConfig(t, "isp", "localhost:"+portOf(server.addrPort()))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out lines
	cmd := process(t, dir, &out, "--config", file)
	eventually(t, "it is ready", func() bool { return strings.Contains(out.String(), "msg=ready") })
	_, addr, _ := strings.Cut(out.String(), "accounting=[")
	addr, _, _ = strings.Cut(addr, "]")
	setLimit := func(n uint64) {
		t.Helper()
		if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: 4096}, nil); err != nil {
			t.Fatal(err)
		}
	}
	setLimit(3) // all new ones are above
	var commands []chan error
	for range 5 {
		done := make(chan error, 1)
		commands = append(commands, done)
		go func() {
			_, err := apiclient.New(filepath.Join(dir, "ctl.sock"), limit).Status(t.Context())
			done <- err
		}()
	}
	if _, err := radiustest.Account(t.Context(), netip.AddrPort{}, netip.MustParseAddrPort(addr), packet(acctStart, "S1", "alice")); err != nil {
		t.Errorf("a NAS is not answered: %v", err)
	}
	eventually(t, "the accept fails", func() bool { return strings.Contains(out.String(), "cannot accept a connection") })
	eventually(t, "the dial fails", func() bool { return strings.Contains(out.String(), "server=r0") })
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reload fails", func() bool { return strings.Contains(out.String(), "configuration not loaded") })
	used, logged := cpuTicks(t, cmd.Process.Pid), strings.Count(out.String(), "\n")
	time.Sleep(time.Second)
	if n := cpuTicks(t, cmd.Process.Pid) - used; n > 50 { // of 100
		t.Errorf("it used %d%% of a processor", n)
	}
	if n := strings.Count(out.String(), "\n") - logged; n > 10 {
		t.Errorf("it logged %d lines in a second", n)
	}
	if n := strings.Count(out.String(), "file descriptors are short"); n != 1 || !strings.Contains(out.String(), "limit=3") {
		t.Errorf("%d lines name the limit", n)
	}
	setLimit(4096)
	for _, done := range commands {
		if err := <-done; err != nil {
			t.Errorf("a command: %v", err)
		}
	}
	eventually(t, "the record is delivered", func() bool { return server.asked.Load() > 0 })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// cpuTicks returns the processor time of a process in hundredths of a second (proc(5), stat).
func cpuTicks(t *testing.T, pid int) (ticks int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return ticks
}
