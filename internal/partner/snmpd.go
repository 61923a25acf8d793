package partner

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// ReadCommunity may read everything at an Snmpd.
	ReadCommunity = "public"
	// WriteCommunity may read and write everything at an Snmpd.
	WriteCommunity = "private"

	startTimeout = 10 * time.Second
	stopTimeout  = 5 * time.Second
)

// SnmpdOptions says how an Snmpd differs from the usual one.
type SnmpdOptions struct {
	// AgentXNetwork is "unix" (if empty, too) or "tcp".
	AgentXNetwork string
	// Config is further lines of snmpd.conf.
	Config []string
}

// SnmpdProc is net-snmp's snmpd as AgentX master.
type SnmpdProc struct {
	Addr          string // host:port where it speaks SNMP
	AgentXNetwork string // for agentx.Config
	AgentXAddress string // likewise

	t     testing.TB
	path  string
	dir   string
	state string // its own files: there it writes a snmpd.conf, too

	cmd  *exec.Cmd     // nil while it does not run
	done chan struct{} // closed when cmd has ended and was waited for

	mu  sync.Mutex
	log strings.Builder
}

// Snmpd starts an snmpd that is its own master agent, and gives it when it serves. It ends with the
// test. Its log becomes part of the test's if that fails.
func Snmpd(t testing.TB, opts SnmpdOptions) *SnmpdProc {
	t.Helper()
	p := &SnmpdProc{t: t, path: lookPath(t, "snmpd"), dir: t.TempDir(), state: t.TempDir(), AgentXNetwork: opts.AgentXNetwork}
	p.Addr = fmt.Sprintf("127.0.0.1:%d", FreeUDPPort(t))
	var socket string
	switch opts.AgentXNetwork {
	case "", "unix":
		p.AgentXNetwork, p.AgentXAddress = "unix", filepath.Join(p.dir, "agentx")
		socket = p.AgentXAddress
		if len(socket) > 100 { // sockaddr_un holds 108 octets
			t.Fatalf("partner: snmpd: path of the socket is too long, shorten the test's name: %s", socket)
		}
	case "tcp":
		p.AgentXAddress = fmt.Sprintf("127.0.0.1:%d", FreeTCPPort(t))
		socket = "tcp:" + p.AgentXAddress
	default:
		t.Fatalf("partner: snmpd: no AgentX over %q", opts.AgentXNetwork)
	}
	if strings.Contains(p.dir, ",") { // snmpd would read a list of files
		t.Fatalf("partner: snmpd: a comma in the name of the test: %s", p.dir)
	}
	conf := append([]string{
		"agentAddress udp:" + p.Addr,
		"rocommunity " + ReadCommunity + " 127.0.0.1",
		"rwcommunity " + WriteCommunity + " 127.0.0.1",
		"master agentx",
		"agentXSocket " + socket,
		"agentXPerms 0700 0700",
	}, opts.Config...)
	if err := os.WriteFile(p.conf(), []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("snmpd said:\n%s", p.Log())
		}
	})
	p.Start()
	return p
}

func (p *SnmpdProc) conf() string { return filepath.Join(p.dir, "snmpd.conf") }

// Log is what it has printed so far.
func (p *SnmpdProc) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Pid is its process id. It must be running.
func (p *SnmpdProc) Pid() int { return p.cmd.Process.Pid }

// Start starts it again after Stop or Kill, with the same addresses, and returns when it serves.
func (p *SnmpdProc) Start() {
	p.t.Helper()
	if p.cmd != nil {
		p.t.Fatal("partner: snmpd: runs already")
	}
	// Without smux, which would take its one fixed port.
	cmd := exec.Command(p.path, "-f", "-Lo", "-I", "-smux", "-C", "-c", p.conf())
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+p.state, "SNMPCONFPATH="+p.dir, "MIBS=", "LC_ALL=C")
	// Should the test die without its clean-up, the kernel ends snmpd.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("partner: snmpd: %v", err)
	}
	serving, done := make(chan struct{}), make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() {
		defer close(done)
		p.follow(out, serving)
		_ = cmd.Wait() // how it ended is of no interest: mostly by our signal
	}()
	select {
	case <-serving:
	case <-done:
		p.t.Fatalf("partner: snmpd ended at once:\n%s", p.Log())
	case <-time.After(startTimeout):
		p.t.Fatalf("partner: snmpd does not serve after %s:\n%s", startTimeout, p.Log())
	}
}

// follow keeps the log up to its end, and tells when it says that snmpd is up.
func (p *SnmpdProc) follow(out io.Reader, serving chan<- struct{}) {
	for sc := bufio.NewScanner(out); sc.Scan(); {
		line := sc.Text()
		p.mu.Lock()
		p.log.WriteString(line + "\n")
		p.mu.Unlock()
		// Printed when all sockets are open, just before its main loop.
		if serving != nil && strings.HasPrefix(line, "NET-SNMP version") {
			close(serving)
			serving = nil
		}
	}
}

// Stop ends it as an init system does, with SIGTERM. It does nothing if it does not run.
func (p *SnmpdProc) Stop() { p.end(syscall.SIGTERM) }

// Kill ends it without warning, with SIGKILL. It does nothing if it does not run.
func (p *SnmpdProc) Kill() { p.end(syscall.SIGKILL) }

// Restart is Stop and Start.
func (p *SnmpdProc) Restart() {
	p.t.Helper()
	p.Stop()
	p.Start()
}

func (p *SnmpdProc) end(sig syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(sig) // it may have ended already
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	p.cmd = nil
}

// Walk runs snmpwalk below an OID and gives its lines, numeric names and all (-On).
func (p *SnmpdProc) Walk(t testing.TB, oid string) []string {
	t.Helper()
	out := Run(t, time.Minute, "snmpwalk", "-v2c", "-c", ReadCommunity, "-On", "-t", "3", "-r", "2", p.Addr, oid)
	return strings.Split(strings.TrimSpace(out), "\n")
}
