package ending

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

var (
	// ErrNoProcess is returned if there is no process with a number.
	ErrNoProcess = errors.New("ending: no such process")
	// ErrHidden is returned if there is a process with a number, but this process may not see it in
	// /proc: with hidepid= of proc(5), or ProtectProc= of systemd.
	ErrHidden = errors.New("it is hidden from the daemon in /proc")
)

// ticksBits is how many bits of a start are clock ticks: more than 300 years.
const ticksBits = 40

// ProcessStart returns when a process began: the clock ticks since the host started, and in the upper
// bits a hash of the boot. After a reboot another process may have the same number and ticks.
func ProcessStart(pid int32) (uint64, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return 0, fmt.Errorf("ending: %w", err)
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH):
		if fd, err := unix.PidfdOpen(int(pid), 0); err == nil {
			_ = unix.Close(fd)
			return 0, fmt.Errorf("process %d: %w", pid, ErrHidden)
		}
		return 0, fmt.Errorf("%w: %d", ErrNoProcess, pid)
	case err != nil:
		return 0, fmt.Errorf("ending: %w", err)
	}
	start, ok := parseStart(b)
	if !ok {
		return 0, fmt.Errorf("ending: /proc/%d/stat has no start time", pid)
	}
	return withBoot(start, boot), nil
}

// withBoot adds a boot to clock ticks.
func withBoot(ticks uint64, boot []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(boot) // never fails
	return h.Sum64()>>ticksBits<<ticksBits | Ticks(ticks)
}

// Ticks returns the clock ticks of a start, as /proc/PID/stat has them.
func Ticks(start uint64) uint64 { return start & (1<<ticksBits - 1) }

// ProcessOwner returns the user of a process.
func ProcessOwner(pid int32) (uint32, error) {
	var stat unix.Stat_t
	if err := unix.Stat(fmt.Sprintf("/proc/%d", pid), &stat); err != nil {
		return 0, fmt.Errorf("%w: %d: %w", ErrNoProcess, pid, err)
	}
	return stat.Uid, nil
}

// parseStart returns field 22 of /proc/PID/stat, starttime (proc(5)). Field 2 is the name of the
// program in parentheses; it may have any octets, also blanks and parentheses.
func parseStart(stat []byte) (uint64, bool) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, false
	}
	fields := bytes.Fields(stat[end+1:]) // from field 3
	if len(fields) < 20 {
		return 0, false
	}
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	return start, err == nil && start != 0
}

// endProcess sends a signal to the process of a session, and waits until it has ended.
func (d *Disconnector) endProcess(ctx context.Context, how *sessions.Ending) termination.Outcome {
	pid, signal := how.PID, signalName(how.Signal)
	process, err := openProcess(how)
	switch {
	case errors.Is(err, ErrNoProcess):
		return gone("process %d has ended", pid)
	case errors.Is(err, ErrHidden):
		return refused(radius.AdministrativelyProhibited, "%w", err)
	case err != nil:
		return termination.Outcome{Err: err}
	}
	defer func() { _ = process.Close() }() // nothing was written
	switch err := sendSignal(process, unix.Signal(how.Signal)); {
	case errors.Is(err, unix.ESRCH):
		return gone("process %d has ended", pid)
	case errors.Is(err, unix.EPERM):
		return refused(radius.AdministrativelyProhibited, "%s to process %d: %w", signal, pid, err)
	case err != nil:
		return termination.Outcome{Err: fmt.Errorf("ending: %s to process %d: %w", signal, pid, err)}
	}
	ended, err := awaitEnd(ctx, process, d.processWait)
	switch {
	case err != nil:
		return termination.Outcome{Err: fmt.Errorf("ending: process %d: %w", pid, err)}
	case ended || errors.Is(context.Cause(ctx), termination.ErrSessionEnded): // the signal has done it
		return termination.Outcome{Answer: termination.ACK}
	case ctx.Err() != nil:
		return termination.Outcome{Err: context.Cause(ctx)}
	}
	return silent("process %d has not ended %v after %s", pid, d.processWait, signal)
}

// openProcess returns a pidfd of a process. The number may belong to another process by now: the start
// time is read when the pidfd already holds whichever process it is.
func openProcess(how *sessions.Ending) (*os.File, error) {
	fd, err := unix.PidfdOpen(int(how.PID), unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil, fmt.Errorf("%w: %d", ErrNoProcess, how.PID)
	}
	if err != nil {
		return nil, fmt.Errorf("ending: process %d: %w", how.PID, os.NewSyscallError("pidfd_open", err))
	}
	process := os.NewFile(uintptr(fd), "process "+strconv.Itoa(int(how.PID)))
	start, err := ProcessStart(how.PID)
	if err == nil && start != how.ProcessStart {
		err = fmt.Errorf("%w: %d is another process now", ErrNoProcess, how.PID)
	}
	if err != nil {
		_ = process.Close()
		return nil, err
	}
	return process, nil
}

// sendSignal sends a signal to the process of a pidfd.
func sendSignal(process *os.File, signal unix.Signal) error {
	conn, err := process.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := conn.Control(func(fd uintptr) { sent = unix.PidfdSendSignal(int(fd), signal, nil, 0) }); err != nil {
		return err
	}
	return sent
}

// awaitEnd waits until the process of a pidfd has ended, for a time at most.
func awaitEnd(ctx context.Context, process *os.File, wait time.Duration) (ended bool, err error) {
	conn, err := process.SyscallConn()
	if err != nil {
		return false, err
	}
	if err := process.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return false, err
	}
	defer context.AfterFunc(ctx, func() { _ = process.SetReadDeadline(time.Unix(1, 0)) })()
	// A pidfd is readable when its process has ended.
	err = conn.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		ended = err == nil && n == 1
		return ended
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return ended, err
}

// signals are the signals that may end a session.
var signals = [...]unix.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGKILL, unix.SIGUSR1, unix.SIGUSR2}

// SignalNumber returns the number of a signal by its name, with or without "SIG": TERM, HUP, INT, QUIT,
// KILL, USR1 or USR2. "" stands for TERM.
func SignalNumber(name string) (uint8, bool) {
	if name == "" {
		return uint8(unix.SIGTERM), true
	}
	for _, s := range signals {
		if full := unix.SignalName(s); name == full || name == strings.TrimPrefix(full, "SIG") {
			return uint8(s), true
		}
	}
	return 0, false
}

func signalName(number uint8) string {
	if name := unix.SignalName(unix.Signal(number)); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", number)
}
