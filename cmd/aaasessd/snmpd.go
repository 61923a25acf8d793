package main

import (
	"context"
	"errors"
	"fmt"
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

// privateSnmpd is an snmpd of our own for the embedded default (R73), so that a first look needs
// nobody's configuration: its files and its AgentX socket are in a folder of ours.
type privateSnmpd struct {
	program string
	dir     string // absolute
	listen  string // host:port, UDP
	socket  string // of AgentX, absolute
	logger  *slog.Logger
}

const snmpdConf = `# Written at each start of aaasessd with its embedded default.
agentAddress udp:%s
rocommunity public 127.0.0.1
rwcommunity private 127.0.0.1
master agentx
agentXSocket unix:%s
sysDescr aaasess, embedded default
`

// newPrivateSnmpd finds the program, checks that the address is free and writes the configuration.
func newPrivateSnmpd(dir, listen, socket string, logger *slog.Logger) (*privateSnmpd, error) {
	program, err := exec.LookPath("snmpd")
	if err != nil {
		program = "/usr/sbin/snmpd" // not in everyone's PATH
		if _, err := os.Stat(program); err != nil {
			return nil, errNoSnmpd
		}
	}
	probe, err := net.ListenPacket("udp", listen)
	if err != nil {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	_ = probe.Close()
	p := &privateSnmpd{program: program, listen: listen, logger: logger}
	if p.dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	if p.socket, err = filepath.Abs(socket); err != nil {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	// The folder for persistent data stops the tools from talking about making it.
	if err := os.MkdirAll(filepath.Join(p.dir, "cert_indexes"), 0o750); err != nil {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	if err := os.WriteFile(p.conf(), fmt.Appendf(nil, snmpdConf, listen, p.socket), 0o600); err != nil {
		return nil, fmt.Errorf("snmpd: %w", err)
	}
	return p, nil
}

func (p *privateSnmpd) conf() string { return filepath.Join(p.dir, "snmpd.conf") }

// Run keeps it running until ctx is done.
func (p *privateSnmpd) Run(ctx context.Context) error {
	for {
		_ = os.Remove(p.socket) // of one that was killed
		began := time.Now()
		err := p.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		p.logger.Warn("snmpd has ended, starting it again", "err", err, "log", p.log())
		if time.Since(began) < time.Second {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return nil
			}
		}
	}
}

func (p *privateSnmpd) log() string { return filepath.Join(p.dir, "snmpd.log") }

func (p *privateSnmpd) once(ctx context.Context) error {
	// Pdeathsig is sent when the thread that forked ends, so that must be as long as snmpd runs.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, p.program, "-f", "-Lf", p.log(), "-C", "-c", p.conf())
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+p.dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	// A terminal's ^C is for us: snmpd is to end after we have taken leave of it. And if we are
	// killed, so is it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	return cmd.Run()
}
