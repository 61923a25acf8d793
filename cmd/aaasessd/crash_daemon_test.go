package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

// crashDaemon is the daemon over all its lives. Each life is a process; all have the same state and
// port.
type crashDaemon struct {
	t       *testing.T
	dir     string
	addr    netip.AddrPort
	client  *apiclient.Client
	history *crashHistory

	older   string // the program of a version before, which runs in place of the present one; "": none
	life    *crashLife
	before  *crashLife // the previous life
	startUp time.Duration
}

// crashLife is one process of the daemon.
type crashLife struct {
	cmd   *exec.Cmd
	log   lines
	began time.Time
	ended chan error // receives the result of Wait
}

// crashAddress returns an address that no other program has: it is unique to this process, and its
// port is below the ephemeral ports, so that no other socket gets it while the daemon is down.
func crashAddress(t *testing.T) netip.AddrPort {
	t.Helper()
	pid := os.Getpid()
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, byte(64 + pid>>16&63), byte(pid >> 8), byte(pid)}), 11813)
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	return addr
}

func newCrashDaemon(t *testing.T, h *crashHistory) *crashDaemon {
	t.Helper()
	d := &crashDaemon{t: t, dir: t.TempDir(), addr: crashAddress(t), history: h, startUp: 200 * time.Millisecond}
	d.client = apiclient.New(filepath.Join(d.dir, "ctl.sock"), limit)
	t.Cleanup(func() {
		if d.life != nil {
			_ = d.life.cmd.Process.Kill()
			<-d.life.ended
		}
	})
	return d
}

// configure replaces the configuration file atomically, because the daemon may be reading it.
func (d *crashDaemon) configure(text string) {
	d.t.Helper()
	file := filepath.Join(d.dir, "aaasess.yaml")
	if err := errors.Join(os.WriteFile(file+".new", []byte(text), 0o600), os.Rename(file+".new", file)); err != nil {
		d.t.Fatal(err)
	}
}

// reload sends SIGHUP to a running daemon. It does not wait.
func (d *crashDaemon) reload() {
	_ = d.life.cmd.Process.Signal(syscall.SIGHUP)
	d.history.count("reloads")
}

// start starts a life. It does not wait until it is ready.
func (d *crashDaemon) start() {
	d.t.Helper()
	l := &crashLife{cmd: exec.Command(cmp.Or(d.older, os.Args[0]), "--config", "aaasess.yaml"), began: time.Now(), ended: make(chan error, 1)}
	l.cmd.Dir, l.cmd.Stdout, l.cmd.Stderr = d.dir, &l.log, &l.log
	l.cmd.Env = append(os.Environ(), "AAASESSD_UNDER_TEST=1")
	if err := l.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.life = l
	go func() { l.ended <- l.cmd.Wait() }()
}

// kill ends a life with SIGKILL. If the daemon has ended by itself, that is a violation.
func (d *crashDaemon) kill() {
	l := d.life
	select {
	case err := <-l.ended:
		d.fail("it ended by itself: %v", err)
	default:
		_ = l.cmd.Process.Kill()
		<-l.ended
	}
	d.checkReloads(l)
	d.life, d.before = nil, l
	d.history.add(crashtest.Observation{Kind: crashtest.Killed})
	d.history.count("kills")
}

// stop pauses the process. Packets from NASes wait in its socket, or are lost there.
func (d *crashDaemon) stop() {
	_ = d.life.cmd.Process.Signal(syscall.SIGSTOP)
	d.history.count("pauses")
}

// resume continues a paused process.
func (d *crashDaemon) resume() { _ = d.life.cmd.Process.Signal(syscall.SIGCONT) }

// end ends a life with SIGTERM.
func (d *crashDaemon) end() {
	l := d.life
	_ = l.cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-l.ended:
		if err != nil {
			d.fail("SIGTERM ended it with an error: %v", err)
		}
		d.checkReloads(l)
		d.life, d.before = nil, l
	case <-time.After(limit):
		d.fail("SIGTERM does not end it")
	}
}

// checkReloads checks that an ended life has loaded every configuration: none has a fault.
func (d *crashDaemon) checkReloads(l *crashLife) {
	if strings.Contains(l.log.String(), "configuration not loaded") {
		d.fail("it did not load its configuration")
	}
}

func (d *crashDaemon) fail(format string, args ...any) {
	d.history.add(crashtest.Observation{Kind: crashtest.Failed, Text: fmt.Sprintf(format, args...)})
}

// awaitUp waits until the daemon answers on its control socket.
func (d *crashDaemon) awaitUp() bool {
	for deadline := time.Now().Add(limit); ; {
		_, err := d.client.Status(d.t.Context())
		if err == nil {
			d.startUp = time.Since(d.life.began)
			return true
		}
		select {
		case ended := <-d.life.ended:
			d.life.ended <- ended // for a later caller
			d.fail("it ended by itself: %v", ended)
			return false
		default:
		}
		if time.Now().After(deadline) {
			d.fail("it is not up within %v: %v", limit, err)
			return false
		}
		pause(d.t.Context(), 5*time.Millisecond)
	}
}

// ask requests the table and the counters, and adds them to the history.
func (d *crashDaemon) ask() {
	d.history.add(crashtest.Observation{Kind: crashtest.Queried})
	reported, err := d.query(d.t.Context())
	if err != nil {
		d.fail("it does not return its table: %v", err)
		return
	}
	d.history.add(reported)
}

func (d *crashDaemon) query(ctx context.Context) (crashtest.Observation, error) {
	o := crashtest.Observation{Kind: crashtest.Reported}
	list, err := d.client.Sessions(ctx, api.Query{})
	if err != nil {
		return o, err
	}
	defer list.Close()
	for s, err := range list.All() {
		if err != nil {
			return o, err
		}
		o.Rows = append(o.Rows, crashtest.Row{Name: s.AcctSessionID, Number: s.Number})
	}
	if len(o.Rows) != list.Total {
		return o, fmt.Errorf("%d sessions where %d are said to be", len(o.Rows), list.Total)
	}
	status, err := d.client.Status(ctx)
	if err != nil {
		return o, err
	}
	o.Total, o.HighWater = status.Total, uint64(status.HighWaterMark)
	return o, nil
}

// logSetAside logs the records that are set aside, because they do not arrive.
func (d *crashDaemon) logSetAside() {
	const some = 10
	list, err := d.client.SetAside(d.t.Context(), 0, some)
	if err != nil {
		d.fail("it does not list set-aside records: %v", err)
		return
	}
	for _, r := range list.Records {
		d.t.Logf("set aside: %s of %s (%s) from %s: %s", r.Type, r.Session, r.User, r.From, r.Reason)
	}
}

// logs returns the logs of the last lives.
func (d *crashDaemon) logs() string {
	out := ""
	for _, l := range []*crashLife{d.before, d.life} {
		if l != nil {
			out += fmt.Sprintf("the log of process %d:\n%s", l.cmd.Process.Pid, l.log.String())
		}
	}
	return out
}
