package stand

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Pause waits for after, stops the process with SIGSTOP, and continues it after length. It always
// continues it, even if ctx is done.
func (p *Process) Pause(ctx context.Context, after, length time.Duration) error {
	wait := func(d time.Duration) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(d):
			return nil
		}
	}
	if err := wait(after); err != nil {
		return err
	}
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	err := wait(length)
	if on := p.cmd.Process.Signal(syscall.SIGCONT); err == nil {
		err = on
	}
	return err
}

// stopLimit is the time between SIGTERM and SIGKILL.
const stopLimit = 5 * time.Second

// Host is common to all processes of a measurement: the CPUs to which they are pinned, the
// temporary folder and the environment.
type Host struct {
	CPUs string   // a list in the format of taskset, such as "0" or "0-1"
	Dir  string   // the folder of all files
	Env  []string // in addition to this process's environment
}

// Process is a running program. It belongs to the goroutine that started it.
type Process struct {
	name    string
	cmd     *exec.Cmd
	logPath string
	began   time.Time
	done    chan struct{} // closed when it has ended
	err     error         // of Wait; read only after done is closed
}

// command returns a command that runs name with taskset, which executes it with the same process
// id. The program dies when this process dies, even of SIGKILL.
func (h Host) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", h.CPUs, name}, args...)...)
	cmd.Env = append(os.Environ(), h.Env...)
	cmd.Dir = h.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = stopLimit
	return cmd
}

// start runs a program in the background. Its output goes to a log file.
func (h Host) start(ctx context.Context, name string, args ...string) (*Process, error) {
	base := filepath.Base(name)
	log, err := os.CreateTemp(h.Dir, base+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own descriptor

	cmd := h.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", base, err)
	}
	p := &Process{name: base, cmd: cmd, logPath: log.Name(), began: time.Now(), done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID returns its process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// stop ends the process by its id: SIGTERM, then SIGKILL after stopLimit.
func (p *Process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
	select {
	case <-p.done:
		return
	case <-time.After(stopLimit):
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Ended returns nil while the process runs, then an error with the end of its log.
func (p *Process) Ended() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s ended (%v): %s", p.name, p.err, tail(p.logPath))
	default:
		return nil
	}
}

// CPUTime returns the CPU time that all threads of the process have used so far.
func (p *Process) CPUTime() (time.Duration, error) {
	// The clock id of a process is its inverted id, and 2 for the scheduler's clock; see
	// clock_getcpuclockid(3).
	const schedulerClock = 2
	var ts unix.Timespec
	id := int32(^p.cmd.Process.Pid<<3 | schedulerClock)
	if err := unix.ClockGettime(id, &ts); err != nil {
		return 0, fmt.Errorf("cpu time of %s: %w", p.name, err)
	}
	return time.Duration(ts.Nano()), nil
}

// usage is the time that a program used from start to end.
type usage struct {
	wall, cpu time.Duration
}

// Run runs a program to its end and writes its standard output to out.
func (h Host) Run(ctx context.Context, out io.Writer, name string, args ...string) (usage, error) {
	var stderr strings.Builder
	cmd := h.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = out, &stderr

	begin := time.Now()
	err := cmd.Run()
	wall := time.Since(begin)
	if ctx.Err() != nil {
		err = errors.Join(err, context.Cause(ctx))
	}
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, strings.TrimSpace(stderr.String()))
	}
	return usage{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

// tail returns the end of a log, for an error.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	const limit = 500
	if len(b) > limit {
		b = b[len(b)-limit:]
	}
	return strings.TrimSpace(string(b))
}

// Kill ends the process with SIGKILL, and returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}
