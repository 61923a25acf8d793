package ending

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// startProcess starts a shell script that writes a line when it is ready. It is killed at the end of the test,
// with everything in its process group.
func startProcess(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
			_ = cmd.Wait()
		}
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// endingOf returns the Ending of a process.
func endingOf(t *testing.T, cmd *exec.Cmd, signal unix.Signal) *sessions.Ending {
	t.Helper()
	start, err := ProcessStart(int32(cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return &sessions.Ending{PID: int32(cmd.Process.Pid), ProcessStart: start, Signal: uint8(signal)}
}

const (
	waits   = "echo ready; exec sleep 1000"
	ignores = "trap '' TERM; echo ready; while :; do sleep 1000; done"
)

// TestSignal: the process of the session ends by the signal, or it is told why not.
func TestSignal(t *testing.T) {
	tests := []struct {
		name, script string
		signal       unix.Signal
		change       func(e *sessions.Ending)
		want         string
		lives        bool
	}{
		{"TERM", waits, unix.SIGTERM, nil, "ACK", false},
		{"HUP", waits, unix.SIGHUP, nil, "ACK", false},
		{"KILL", ignores, unix.SIGKILL, nil, "ACK", false},
		{"ignored", ignores, unix.SIGTERM, nil, "no answer: process PID has not ended 50ms after SIGTERM", true},
		{"the host has restarted", waits, unix.SIGTERM, func(e *sessions.Ending) {
			e.ProcessStart = withBoot(e.ProcessStart, []byte("of an earlier boot"))
		}, "NAK 503 (Session-Context-Not-Found): process PID has ended", true},
		{"another process has its number", waits, unix.SIGTERM, func(e *sessions.Ending) { e.ProcessStart-- }, "NAK 503 (Session-Context-Not-Found): process PID has ended", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := startProcess(t, tt.script)
			how := endingOf(t, cmd, tt.signal)
			if tt.change != nil {
				tt.change(how)
			}
			wait := limit
			if tt.lives {
				wait = 50 * time.Millisecond
			}
			got := New(Config{ProcessWait: wait}).Disconnect(t.Context(), sessionOf(t, "sshd/1", "alice", how), how)
			wantOutcome(t, got, strings.ReplaceAll(tt.want, "PID", fmt.Sprint(cmd.Process.Pid)))
			if lives := syscall.Kill(cmd.Process.Pid, 0) == nil && !isZombie(t, cmd.Process.Pid); lives != tt.lives {
				t.Errorf("the process lives: %v", lives)
			}
		})
	}
}

// limit is long enough for a busy machine.
const limit = 20 * time.Second

func isZombie(t *testing.T, pid int) bool {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(b), ") Z ")
}

// TestSignalToEnded: a process that has ended is not there any more.
func TestSignalToEnded(t *testing.T) {
	cmd := startProcess(t, "echo ready")
	how := endingOf(t, cmd, unix.SIGTERM) // it may be a zombie by now
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	got := New(Config{}).Disconnect(t.Context(), sessionOf(t, "sshd/1", "alice", how), how)
	wantOutcome(t, got, "NAK 503 (Session-Context-Not-Found): process")
	if _, err := ProcessStart(int32(cmd.Process.Pid)); !errors.Is(err, ErrNoProcess) {
		t.Error(err)
	}
}

// TestSignalNotPermitted: a daemon without rights says so. The test gives up those of one thread, which
// ends with its goroutine.
func TestSignalNotPermitted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has rights to give up")
	}
	cmd := startProcess(t, waits)
	how := endingOf(t, cmd, unix.SIGTERM)
	s := sessionOf(t, "sshd/1", "alice", how)
	outcomes := make(chan termination.Outcome)
	go func() {
		runtime.LockOSThread()
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 65534, 65534, 65534); errno != 0 {
			outcomes <- termination.Outcome{Err: errno}
			return
		}
		outcomes <- New(Config{}).Disconnect(t.Context(), s, how)
	}()
	wantOutcome(t, <-outcomes, fmt.Sprintf("NAK 501 (Administratively-Prohibited): SIGTERM to process %d: operation not permitted", cmd.Process.Pid))
}

// TestSignalToHidden: a process that the daemon may not see in /proc is not taken for one that has ended:
// its session would be closed.
func TestSignalToHidden(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may mount /proc")
	}
	cmd := startProcess(t, waits)
	how := endingOf(t, cmd, unix.SIGTERM)
	s := sessionOf(t, "sshd/1", "alice", how)
	outcomes := make(chan termination.Outcome)
	go func() {
		runtime.LockOSThread() // until the end of the goroutine, and so of the thread
		if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
			outcomes <- termination.Outcome{Err: errno}
			return
		}
		err := errors.Join(unix.Unshare(unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("proc", "/proc", "proc", 0, "hidepid=2"))
		if err == nil {
			for _, call := range [...]uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID} { // members of group 0 see all
				if _, _, errno := unix.RawSyscall(call, 65534, 65534, 65534); errno != 0 {
					err = errno
				}
			}
		}
		if err != nil {
			outcomes <- termination.Outcome{Err: err}
			return
		}
		outcomes <- New(Config{}).Disconnect(t.Context(), s, how)
	}()
	wantOutcome(t, <-outcomes, fmt.Sprintf("NAK 501 (Administratively-Prohibited): process %d: it is hidden from the daemon in /proc", cmd.Process.Pid))
}

// TestSignalEnds: the attempt ends with its context. If the session has ended after the signal, the
// signal has done it.
func TestSignalEnds(t *testing.T) {
	for cause, want := range map[error]string{
		termination.ErrSessionEnded: "ACK",
		errors.New("the daemon"):    "not sent: the daemon",
	} {
		cmd := startProcess(t, ignores)
		how := endingOf(t, cmd, unix.SIGTERM)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		wantOutcome(t, New(Config{ProcessWait: limit}).Disconnect(ctx, sessionOf(t, "sshd/1", "alice", how), how), want)
	}
}

// TestParseStart: the name of the program may have any octets.
func TestParseStart(t *testing.T) {
	const rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"
	for text, want := range map[string]uint64{
		"1 (a)" + rest:              4711,
		"1 (a) (b c) 1 2 3)" + rest: 4711,
		"1 (a) S 1 2":               0,
		"1 a" + rest:                0,
		"":                          0,
	} {
		if got, ok := parseStart([]byte(text)); ok != (want != 0) || ok && got != want {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
	if a, b := withBoot(4711, []byte("a")), withBoot(4711, []byte("b")); a == b || Ticks(a) != 4711 || Ticks(b) != 4711 {
		t.Errorf("of two boots: %x, %x", a, b)
	}
	own, err := ProcessStart(int32(os.Getpid()))
	if err != nil || own == 0 {
		t.Errorf("of this process: %d, %v", own, err)
	}
}

// FuzzParseStart: no text makes it fail.
func FuzzParseStart(f *testing.F) {
	f.Add([]byte("1 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"))
	f.Add([]byte(")"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if start, ok := parseStart(b); ok && start == 0 {
			t.Error("0 is no start")
		}
	})
}

func TestSignalNames(t *testing.T) {
	for name, want := range map[string]uint8{"": 15, "TERM": 15, "SIGTERM": 15, "KILL": 9, "USR2": 12, "STOP": 0, "term": 0, "SIG": 0, "9": 0} {
		if got, ok := SignalNumber(name); got != want || ok != (want != 0) {
			t.Errorf("%q: %d, %v", name, got, ok)
		}
	}
}
