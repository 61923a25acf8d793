package partner

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"aaasess/internal/freeport"
)

// Run runs a short command and returns its output. If the command fails or exceeds the time limit,
// the test fails.
func Run(t testing.TB, timeout time.Duration, name string, args ...string) (stdout string) {
	t.Helper()
	stdout, err := Try(t, timeout, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return stdout
}

// Try is [Run] for a command that may fail: the error contains its standard error. A missing
// program, or one that exceeds the time limit, still fails the test.
func Try(t testing.TB, timeout time.Duration, name string, args ...string) (stdout string, err error) {
	t.Helper()
	path := lookPath(t, name)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "MIBS=", "SNMPCONFPATH="+t.TempDir(), "LC_ALL=C")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("partner: %s: not done within %s, printed:\n%s%s", name, timeout, out.String(), errs.String())
	}
	if err != nil {
		err = fmt.Errorf("partner: %s %s: %w: %s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.String(), err
}

// lookPath finds a program, even if only root's path has it.
func lookPath(t testing.TB, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Fatalf("partner: %s is not installed; make test installs what is missing", name)
	return ""
}

// FreeUDPPort returns a port of 127.0.0.1 that nothing uses, outside the system's range.
func FreeUDPPort(t testing.TB) int {
	t.Helper()
	return freePort(t, freeport.UDP)
}

// FreeTCPPort returns a port of 127.0.0.1 that nothing uses, outside the system's range.
func FreeTCPPort(t testing.TB) int {
	t.Helper()
	return freePort(t, freeport.TCP)
}

func freePort(t testing.TB, find func() (uint16, error)) int {
	t.Helper()
	port, err := find()
	if err != nil {
		t.Fatal(err)
	}
	return int(port)
}
