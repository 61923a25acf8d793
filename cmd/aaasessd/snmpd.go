package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// errNoSnmpd is returned when net-snmp's snmpd is not installed.
var errNoSnmpd = errors.New("snmpd is not installed")

// findSnmpd finds the program, also where only root's path has it.
func findSnmpd() (string, error) {
	for _, name := range []string{"snmpd", "/usr/sbin/snmpd"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoSnmpd
}

// privateSnmpd is an snmpd of our own for the embedded default (R73), so that a first look needs
// nobody's configuration. In its folder are our configuration of it, its log, and below that what it
// writes itself, among which is another snmpd.conf.
type privateSnmpd struct {
	program  string
	dir      string // absolute
	listen   string // host:port, UDP
	socket   string // of AgentX, absolute
	logger   *slog.Logger
	min, max time.Duration // bound the wait, which doubles, after one that ended at once
}

const snmpdConf = `# Written by aaasessd, with its embedded default, at each start of snmpd.
agentAddress udp:%s
rocommunity public 127.0.0.1
rwcommunity private 127.0.0.1
master agentx
agentXSocket unix:%s
sysDescr aaasess, embedded default
dontLogTCPWrappersConnects yes
`

const (
	// maxSocketPath is what fits into the sun_path of a Linux unix(7) address, with its final zero.
	maxSocketPath = 107
	// atOnce is how long an snmpd runs at least, of which we do not say that it ended at once.
	atOnce = 10 * time.Second
)

// newPrivateSnmpd checks that the addresses will do and makes the folders.
func newPrivateSnmpd(program, dir, listen, socket string, logger *slog.Logger) (*privateSnmpd, error) {
	probe, err := net.ListenPacket("udp", listen)
	if err != nil {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	_ = probe.Close()
	p := &privateSnmpd{program: program, listen: listen, logger: logger, min: time.Second, max: time.Minute}
	if p.dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	if p.socket, err = filepath.Abs(socket); err != nil {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	if n := len(p.socket); n > maxSocketPath {
		return nil, fmt.Errorf("snmpd: the path of its AgentX socket, %s, has %d octets, at most %d are possible: start in another folder", p.socket, n, maxSocketPath)
	}
	// That of certificates stops the tools from talking about making it.
	if err := os.MkdirAll(filepath.Join(p.persistent(), "cert_indexes"), 0o750); err != nil {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	if err := os.Remove(p.log()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	return p, nil
}

func (p *privateSnmpd) conf() string       { return filepath.Join(p.dir, "master.conf") }
func (p *privateSnmpd) log() string        { return filepath.Join(p.dir, "snmpd.log") }
func (p *privateSnmpd) persistent() string { return filepath.Join(p.dir, "persistent") }

// Run keeps it running until ctx is done.
func (p *privateSnmpd) Run(ctx context.Context) error {
	for wait := p.min; ; {
		began := time.Now()
		err := p.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) >= atOnce {
			wait = p.min
		}
		p.logger.Warn("snmpd has ended, starting it again", "err", err, "said", p.lastLine(), "log", p.log(), "next", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		wait = min(2*wait, p.max)
	}
}

// lastLine is what the log says last.
func (p *privateSnmpd) lastLine() string {
	b, err := os.ReadFile(p.log())
	if err != nil {
		return ""
	}
	b = bytes.TrimSpace(b[max(0, len(b)-1000):])
	return string(b[bytes.LastIndexByte(b, '\n')+1:])
}

// once runs it until it ends.
func (p *privateSnmpd) once(ctx context.Context) error {
	if err := os.WriteFile(p.conf(), fmt.Appendf(nil, snmpdConf, p.listen, p.socket), 0o600); err != nil {
		return err
	}
	if err := os.Remove(p.socket); err != nil && !errors.Is(err, fs.ErrNotExist) { // of one that was killed
		return err
	}
	// Pdeathsig is sent when the thread that forked ends, so that must be as long as snmpd runs.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, p.program, "-f", "-A", "-Lf", p.log(), "-C", "-c", p.conf())
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+p.persistent(), "MIBS=")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	// A terminal's ^C is for us: snmpd is to end after we have taken leave of it. And if we are
	// killed, so is it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	return cmd.Run()
}
