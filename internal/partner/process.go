package partner

import (
	"bufio"
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
	startTimeout = 10 * time.Second
	stopTimeout  = 5 * time.Second
)

// process is a foreign program that runs as long as a test wants it to, what an Snmpd and a
// FreeRADIUS have in common.
type process struct {
	t     testing.TB
	name  string
	path  string
	args  []string
	env   []string               // besides the test's own
	ready func(line string) bool // says of a line that it prints whether it serves now

	cmd    *exec.Cmd     // nil while it does not run
	done   chan struct{} // closed when cmd has ended and was waited for
	paused bool

	mu  sync.Mutex
	log strings.Builder
}

// begin starts it for the first time, and has it end with the test. Its log becomes part of the
// test's if that fails.
func (p *process) begin() {
	p.t.Helper()
	p.t.Cleanup(func() {
		p.Kill()
		if p.t.Failed() {
			p.t.Logf("%s said:\n%s", p.name, p.Log())
		}
	})
	p.Start()
}

// Log is what it has printed so far.
func (p *process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Pid is its process id. It must be running.
func (p *process) Pid() int { return p.cmd.Process.Pid }

// Start starts it again after Stop or Kill, with the same addresses and files, and returns when it
// serves.
func (p *process) Start() {
	p.t.Helper()
	if p.cmd != nil {
		p.t.Fatalf("partner: %s: runs already", p.name)
	}
	cmd := exec.Command(p.path, p.args...)
	cmd.Env = append(append(os.Environ(), "LC_ALL=C"), p.env...)
	// Should the test die without its clean-up, the kernel ends the program.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
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
		_ = cmd.Wait() // how it ended is of no interest: mostly by our signal
	}()
	select {
	case <-serving:
	case <-done:
		p.t.Fatalf("partner: %s ended at once:\n%s", p.name, p.Log())
	case <-time.After(startTimeout):
		p.t.Fatalf("partner: %s does not serve after %s:\n%s", p.name, startTimeout, p.Log())
	}
}

// follow keeps the log up to its end, and tells when it says that the program is up.
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

// Stop ends it as an init system does, with SIGTERM. It does nothing if it does not run.
func (p *process) Stop() { p.end(syscall.SIGTERM) }

// Kill ends it without warning, with SIGKILL. It does nothing if it does not run.
func (p *process) Kill() { p.end(syscall.SIGKILL) }

// Restart is Stop and Start.
func (p *process) Restart() {
	p.t.Helper()
	p.Stop()
	p.Start()
}

// Pause stops it where it is, with SIGSTOP: requests queue in its socket until Resume.
func (p *process) Pause() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	p.paused = true
}

// Resume lets it go on after Pause.
func (p *process) Resume() {
	p.t.Helper()
	p.signal(syscall.SIGCONT)
	p.paused = false
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if p.cmd == nil {
		p.t.Fatalf("partner: %s: does not run", p.name)
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
	if p.paused {
		_ = p.cmd.Process.Signal(syscall.SIGCONT) // else it would not heed SIGTERM
	}
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	p.cmd = nil
}
