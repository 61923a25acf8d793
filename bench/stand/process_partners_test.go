//go:build partners

package stand

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/bench/nasload"
)

// TestPause: a process does not answer while it is stopped, and answers afterwards.
func TestPause(t *testing.T) {
	h := Host{CPUs: "0", Dir: t.TempDir()}
	a, err := StartAcknowledger(t.Context(), h, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.stop()
	paused := make(chan error, 1)
	go func() { paused <- a.Pause(t.Context(), 0, 300*time.Millisecond) }()
	awaitState(t, a.Process, "T (stopped)")
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(nasload.Loopback(), a.port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	began := time.Now()
	if err := conn.SetDeadline(began.Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	exchange(t, conn, nasload.AppendRequest(nil, 1, nasload.StartAttributes(1)))
	if err := <-paused; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("answered after %v, while it was stopped", took)
	}
	// A measurement that ends early does not leave it stopped.
	ctx, cancel := context.WithCancel(t.Context())
	go func() { paused <- a.Pause(ctx, 0, time.Hour) }()
	awaitState(t, a.Process, "T (stopped)")
	cancel()
	if err := <-paused; err == nil {
		t.Error("no error, although its context was done")
	}
	exchange(t, conn, nasload.AppendRequest(nil, 2, nasload.StartAttributes(2)))
}

// awaitState waits until the kernel reports the state of a process.
func awaitState(t *testing.T, p *Process, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if FieldOf(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid), "State", ":") == want {
			return
		}
	}
	t.Fatalf("%s does not get to state %s", p.name, want)
}

func TestProcessIsPinnedAndEnds(t *testing.T) {
	h := Host{CPUs: "0", Dir: t.TempDir()}
	for _, tt := range []struct{ name, script string }{
		{"at once", "while :; do :; done"},
		{"deaf to SIGTERM", "trap '' TERM; while :; do :; done"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // one ignores SIGTERM until stopLimit
			p, err := h.start(t.Context(), "/bin/sh", "-c", tt.script)
			if err != nil {
				t.Fatal(err)
			}
			awaitCPU(t, p, 20*time.Millisecond)
			if got := FieldOf(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid), "Cpus_allowed_list", ":"); got != "0" {
				t.Errorf("allowed on CPUs %s, want 0", got)
			}
			p.stop()
			if err := syscall.Kill(p.cmd.Process.Pid, 0); err != syscall.ESRCH {
				t.Errorf("process after stop: %v, want %v", err, syscall.ESRCH)
			}
			if p.Ended() == nil {
				t.Error("stopped but not ended")
			}
		})
	}
}

// awaitCPU waits until the process has used that much CPU time, so that it surely runs.
func awaitCPU(t *testing.T, p *Process, want time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		got, err := p.CPUTime()
		if err != nil {
			t.Fatal(err)
		}
		if got >= want {
			return
		}
	}
	t.Fatalf("%s did not use %v of CPU", p.name, want)
}

func TestRunReportsFailure(t *testing.T) {
	h := Host{CPUs: "0", Dir: t.TempDir()}
	_, err := h.Run(t.Context(), io.Discard, "/bin/sh", "-c", "echo no such table >&2; exit 4")
	if err == nil || !strings.Contains(err.Error(), "sh: exit status 4: no such table") {
		t.Errorf("error %v", err)
	}
}
