package partner

import (
	"bufio"
	"cmp"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 5 * time.Second
)

// process is a foreign program that a test starts and stops. All programs of this package are one.
type process struct {
	t     testing.TB
	name  string
	path  string
	args  []string
	env   []string               // in addition to the test's environment
	ready func(line string) bool // reports whether an output line says that the program serves
	limit time.Duration          // until it serves; 0: startTimeout

	cmd    *exec.Cmd     // nil while it does not run
	done   chan struct{} // closed after cmd has ended and Wait has returned
	paused bool

	mu  sync.Mutex
	log strings.Builder
}

// inside makes another command run the program, which must become it.
func (p *process) inside(command []string) {
	p.t.Helper()
	if len(command) == 0 {
		return
	}
	args := append(append(command[1:len(command):len(command)], p.path), p.args...)
	p.path, p.args = lookPath(p.t, command[0]), args
}

// begin starts the program for the first time. It ends with the test. If the test fails, its log is
// added to the test's.
func (p *process) begin() {
	p.t.Helper()
	p.t.Cleanup(func() {
		p.Kill()
		if p.t.Failed() {
			p.t.Logf("output of %s:\n%s", p.name, p.Log())
		}
	})
	p.Start()
}

// Log returns its output so far.
func (p *process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Pid returns its process id. It must be running.
func (p *process) Pid() int { return p.cmd.Process.Pid }

// Start starts it again after Stop or Kill, with the same addresses and files, and returns when it
// serves.
func (p *process) Start() {
	p.t.Helper()
	if p.cmd != nil {
		p.t.Fatalf("partner: %s: is already running", p.name)
	}
	cmd := exec.Command(p.path, p.args...)
	cmd.Env = append(append(os.Environ(), "LC_ALL=C"), p.env...)
	// If the test dies without its clean-up, the kernel kills the program.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("partner: %s: %v", p.name, err)
	}
	serving, done := make(chan struct{}), make(chan struct{})
	p.cmd, p.done, p.paused = cmd, done, false
	go func() {
		defer close(done)
		p.follow(out, serving)
		_ = cmd.Wait() // ignore the exit status: usually it was our signal
	}()
	select {
	case <-serving:
	case <-done:
		p.t.Fatalf("partner: %s ended at once:\n%s", p.name, p.Log())
	case <-time.After(cmp.Or(p.limit, startTimeout)):
		p.t.Fatalf("partner: %s does not serve in time:\n%s", p.name, p.Log())
	}
}

// follow reads the output until its end, and closes serving when the program is ready.
func (p *process) follow(out io.Reader, serving chan<- struct{}) {
	for sc := bufio.NewScanner(out); sc.Scan(); {
		line := sc.Text()
		p.mu.Lock()
		p.log.WriteString(line + "\n")
		p.mu.Unlock()
		if serving != nil && p.ready(line) {
			close(serving)
			serving = nil
		}
	}
}

// Stop ends it with SIGTERM, as an init system does. It does nothing if it does not run.
func (p *process) Stop() { p.end(syscall.SIGTERM) }

// Kill ends it and the processes that it started with SIGKILL. It does nothing if it does not run.
func (p *process) Kill() { p.end(syscall.SIGKILL) }

// Restart is Stop and Start.
func (p *process) Restart() {
	p.t.Helper()
	p.Stop()
	p.Start()
}

// Pause suspends it with SIGSTOP: requests queue in its socket until Resume.
func (p *process) Pause() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	p.paused = true
}

// Resume continues it after Pause.
func (p *process) Resume() {
	p.t.Helper()
	p.signal(syscall.SIGCONT)
	p.paused = false
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if p.cmd == nil {
		p.t.Fatalf("partner: %s: is not running", p.name)
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("partner: %s: %v", p.name, err)
	}
}

func (p *process) end(sig syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(sig) // it may have ended already
	if sig == syscall.SIGKILL {
		p.killGroup()
	}
	if p.paused {
		_ = p.cmd.Process.Signal(syscall.SIGCONT) // otherwise it does not react to SIGTERM
	}
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		p.killGroup()
		<-p.done
	}
	p.cmd = nil
}

// killGroup kills it and the processes that it started, which may hold its output open.
func (p *process) killGroup() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }
