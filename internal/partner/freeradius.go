package partner

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// FreeRADIUSOptions says how a FreeRADIUS differs from the usual one.
type FreeRADIUSOptions struct {
	// Secret is what its clients share with it, "testing123" if empty. Printable, without ' and \.
	Secret string
}

// FreeRADIUSProc is FreeRADIUS as accounting server for clients on loopback. It writes each request
// to a detail file and answers.
type FreeRADIUSProc struct {
	Addr   string // host:port where it takes accounting
	Secret string

	t      testing.TB
	path   string
	dir    string
	paused bool

	cmd  *exec.Cmd     // nil while it does not run
	done chan struct{} // closed when cmd has ended and was waited for

	mu  sync.Mutex
	log strings.Builder
}

// FreeRADIUS starts one, and gives it when it serves. It ends with the test. Its log becomes part of
// the test's if that fails.
func FreeRADIUS(t testing.TB, opts FreeRADIUSOptions) *FreeRADIUSProc {
	t.Helper()
	p := &FreeRADIUSProc{t: t, path: lookPath(t, "freeradius"), dir: t.TempDir(), Secret: opts.Secret}
	if p.Secret == "" {
		p.Secret = "testing123"
	}
	if strings.ContainsAny(p.Secret, "'\\\n") {
		t.Fatalf("partner: freeradius: its configuration cannot hold the secret %q", p.Secret)
	}
	port := FreeUDPPort(t)
	p.Addr = fmt.Sprintf("127.0.0.1:%d", port)
	conf := fmt.Sprintf(freeRADIUSConf, p.dir, p.Secret, port)
	if err := os.WriteFile(filepath.Join(p.dir, "radiusd.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("freeradius said:\n%s", p.Log())
		}
	})
	p.Start()
	return p
}

// freeRADIUSConf is a whole configuration of FreeRADIUS 3.2: %[1]s is the folder of all its files,
// %[2]s the secret, %[3]d the port.
const freeRADIUSConf = `prefix = /usr
logdir = %[1]s
raddbdir = %[1]s
radacctdir = %[1]s
run_dir = %[1]s
libdir = /usr/lib/freeradius
name = radiusd
pidfile = %[1]s/radiusd.pid
max_request_time = 30
cleanup_delay = 0
max_requests = 65536
hostname_lookups = no
log {
	destination = stdout
}
security {
	max_attributes = 0
	allow_vulnerable_openssl = yes
}
thread pool {
	start_servers = 2
	max_servers = 4
	min_spare_servers = 1
	max_spare_servers = 4
	max_requests_per_server = 0
	max_queue_size = 65536
}
client loopback {
	ipaddr = 127.0.0.0/8
	secret = '%[2]s'
	require_message_authenticator = no
}
modules {
	detail {
		filename = %[1]s/detail
		permissions = 0600
		locking = no
	}
}
server default {
	listen {
		type = acct
		ipaddr = 127.0.0.1
		port = %[3]d
	}
	accounting {
		detail
	}
}
`

// Log is what it has printed so far.
func (p *FreeRADIUSProc) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Detail is the accounting requests that it has taken, in the order in which it wrote them.
func (p *FreeRADIUSProc) Detail() []DetailRecord {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, "detail"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		p.t.Fatal(err)
	}
	records, err := parseDetail(string(b))
	if err != nil {
		p.t.Fatal(err)
	}
	return records
}

// Start starts it again after Stop or Kill, with the same address and the same detail file, and
// returns when it serves.
func (p *FreeRADIUSProc) Start() {
	p.t.Helper()
	if p.cmd != nil {
		p.t.Fatal("partner: freeradius: runs already")
	}
	cmd := exec.Command(p.path, "-f", "-l", "stdout", "-d", p.dir, "-n", "radiusd")
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	// Should the test die without its clean-up, the kernel ends freeradius.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("partner: freeradius: %v", err)
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
		p.t.Fatalf("partner: freeradius ended at once:\n%s", p.Log())
	case <-time.After(startTimeout):
		p.t.Fatalf("partner: freeradius does not serve after %s:\n%s", startTimeout, p.Log())
	}
}

// follow keeps the log up to its end, and tells when it says that freeradius is up.
func (p *FreeRADIUSProc) follow(out io.Reader, serving chan<- struct{}) {
	for sc := bufio.NewScanner(out); sc.Scan(); {
		line := sc.Text()
		p.mu.Lock()
		p.log.WriteString(line + "\n")
		p.mu.Unlock()
		if serving != nil && strings.Contains(line, "Ready to process requests") {
			close(serving)
			serving = nil
		}
	}
}

// Stop ends it as an init system does, with SIGTERM. It does nothing if it does not run.
func (p *FreeRADIUSProc) Stop() { p.end(syscall.SIGTERM) }

// Kill ends it without warning, with SIGKILL. It does nothing if it does not run.
func (p *FreeRADIUSProc) Kill() { p.end(syscall.SIGKILL) }

// Restart is Stop and Start.
func (p *FreeRADIUSProc) Restart() {
	p.t.Helper()
	p.Stop()
	p.Start()
}

// Pause stops it where it is, with SIGSTOP: requests queue in its socket until Resume.
func (p *FreeRADIUSProc) Pause() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	p.paused = true
}

// Resume lets it go on after Pause.
func (p *FreeRADIUSProc) Resume() {
	p.t.Helper()
	p.signal(syscall.SIGCONT)
	p.paused = false
}

func (p *FreeRADIUSProc) signal(sig syscall.Signal) {
	p.t.Helper()
	if p.cmd == nil {
		p.t.Fatal("partner: freeradius: does not run")
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("partner: freeradius: %v", err)
	}
}

func (p *FreeRADIUSProc) end(sig syscall.Signal) {
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
