package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"aaasess/accounting"
	"aaasess/internal/freeport"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"
)

// The rows of the table of restarts.
const (
	restartSNMP   = "from exec to the right casnActiveTableEntries.0 through snmpd"
	restartRADIUS = "from exec to the first answer to a NAS"
	restartCPU    = "CPU time until then"
	restartMemory = "memory, at most"
)

// fillCommand as the first argument makes this program write a daemon's state and die of SIGKILL: what is on disk
// then is what a daemon that is killed leaves.
const fillCommand = "fill"

// runFill writes the state of sessions that have started, with a record each for group isp. They are of one NAS, or in
// turn of as many as the last argument says.
func runFill(args []string, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("bench: fill FOLDER SESSIONS NASES")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	nases, err := strconv.Atoi(args[2])
	if err != nil || nases < 1 {
		return fmt.Errorf("bench: fill: %q is not a number of NASes", args[2])
	}
	_, table, err := openTable(args[0])
	if err != nil {
		return err
	}
	if err := fillTable(table, n, nases); err != nil {
		return err
	}
	fmt.Fprintln(out, n)
	return syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// openTable makes a store in a folder and a table on it, each session of which has a record for group isp.
func openTable(folder string) (*store.Store, *sessions.Table, error) {
	st, err := store.Open(folder, store.Config{})
	if err != nil {
		return nil, nil, err
	}
	router := accounting.NewRouter(st, slog.New(slog.DiscardHandler))
	err = router.SetPolicy(&accounting.Policy{Lists: map[sessions.Kind]*accounting.List{
		sessions.Network: {Name: "default", Record: accounting.StartStop, Methods: []accounting.MethodName{accounting.Group("isp")}},
	}})
	if err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	return st, sessions.New(sessions.Config{}, router), nil
}

// fillTable returns when n sessions of so many NASes and their records are durable.
func fillTable(table *sessions.Table, n, nases int) error {
	slots := make(chan struct{}, 4096)
	failed := make(chan error, 1)
	done := func(err error) {
		if err != nil {
			select {
			case failed <- err:
			default:
			}
		}
		<-slots
	}
	for i := range n {
		m := accessRouter
		if nases > 1 {
			m = memberOf(i % nases)
		}
		attrs := radius.Attributes(m.attributes(sessions.Start, i))
		slots <- struct{}{}
		err := table.Apply(sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: m.addr, Local: loopback(), Identifier: m.identifier, IPv4: m.ip},
			Kind: sessions.Network, At: time.Now(), AcctSessionID: attrs.Text(radius.AcctSessionID), Attrs: attrs,
		}, done)
		if err != nil {
			return err
		}
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// measureRestarts starts the daemon on a large state, again and again, and kills it each time.
func (a *accountingBench) measureRestarts(ctx context.Context) (series, error) {
	d := daemon{dir: filepath.Join(a.dir, "restart"), agentx: filepath.Join(a.dir, "restart", "agentx")}
	var err error
	if d.port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	if d.upstream, err = freeport.UDP(); err != nil { // nobody is there
		return nil, err
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(d.dir)
	if err := a.fillState(ctx, filepath.Join(d.dir, "state"), a.sizes.restart, 1); err != nil {
		return nil, err
	}
	master := &stand{host: a.host}
	defer master.Close()
	if master.port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	if err := master.startMaster(ctx, d.dir, d.agentx); err != nil {
		return nil, err
	}
	return interleave(ctx, a.sizes.runs, []string{oursSpooling}, func(ctx context.Context, _ string) (sample, error) {
		return a.measureRestart(ctx, d, master.port)
	})
}

// fillState has a process of its own fill the folder of a store.
func (h host) fillState(ctx context.Context, folder string, n, nases int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var out strings.Builder
	_, err = h.run(ctx, &out, self, fillCommand, folder, strconv.Itoa(n), strconv.Itoa(nases))
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL && strings.TrimSpace(out.String()) == strconv.Itoa(n) {
		return nil
	}
	return fmt.Errorf("bench: fill: %w", err)
}

func (a *accountingBench) measureRestart(ctx context.Context, d daemon, snmpPort uint16) (sample, error) {
	began := time.Now()
	p, err := d.start(ctx, a.host)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	out := sample{}
	g, ctx := errgroup.WithContext(ctx)
	var snmp, radius time.Duration
	g.Go(func() error {
		defer func() { snmp = time.Since(began) }()
		return awaitEntries(ctx, snmpPort, a.sizes.restart, p)
	})
	g.Go(func() error {
		defer func() { radius = time.Since(began) }()
		return awaitAnswer(ctx, d.port, p)
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	cpu, err := p.cpuTime()
	if err != nil {
		return nil, err
	}
	out[restartSNMP], out[restartRADIUS], out[restartCPU] = snmp.Seconds(), radius.Seconds(), cpu.Seconds()
	memory := fieldOf(fmt.Sprintf("/proc/%d/status", p.pid()), "VmHWM", ":")
	kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(memory, " kB"), 64)
	out[restartMemory] = kilobytes / 1024
	return out, err
}

// kill ends a process as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// activeTableEntries is casnActiveTableEntries.0 (CISCO-AAA-SESSION-MIB).
const activeTableEntries = ".1.3.6.1.4.1.9.9.150.1.1.1.0"

// awaitEntries asks snmpd until as many sessions are there; NASes that have asked meanwhile may have added some.
func awaitEntries(ctx context.Context, port uint16, want int, needed *process) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	client := newSNMP(port)
	client.Timeout = time.Second
	if err := client.Connect(); err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for last := any(nil); ; {
		if answer, err := client.Get([]string{activeTableEntries}); err == nil && hasValue(answer) {
			if n, ok := answer.Variables[0].Value.(uint); ok && n >= uint(want) {
				return nil
			}
			last = answer.Variables[0].Value
		}
		if err := needed.ended(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d sessions, snmpd says %v: %w", want, last, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
