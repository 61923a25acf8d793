package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aaasess/bench/report"
	"aaasess/bench/stand"
	"aaasess/internal/freeport"

	"golang.org/x/sync/errgroup"
)

// The metrics of the table of restarts.
const (
	restartSNMP   = "time from exec to the correct casnActiveTableEntries.0 through snmpd"
	restartRADIUS = "time from exec to the first answer to a NAS"
	restartCPU    = "CPU time until both"
	restartMemory = "peak memory"
)

// measureRestarts starts the daemon on a large state in each run, and kills it at the end.
func (a *accountingBench) measureRestarts(ctx context.Context) (report.Series, error) {
	d := stand.Daemon{Dir: filepath.Join(a.Dir, "restart"), AgentX: filepath.Join(a.Dir, "restart", "agentx")}
	var err error
	if d.Port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	if d.Upstream, err = freeport.UDP(); err != nil { // nothing listens there
		return nil, err
	}
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(d.Dir)
	if err := a.FillState(ctx, filepath.Join(d.Dir, "state"), a.sizes.restart, 1); err != nil {
		return nil, err
	}
	master := &stand.Stand{Host: a.Host}
	defer master.Close()
	if master.Port, err = freeport.UDP(); err != nil {
		return nil, err
	}
	if err := master.StartMaster(ctx, d.Dir, d.AgentX); err != nil {
		return nil, err
	}
	return report.Interleave(ctx, a.sizes.runs, []string{stand.OursSpooling}, func(ctx context.Context, _ string) (report.Sample, error) {
		return a.measureRestart(ctx, d, master.Port)
	})
}

func (a *accountingBench) measureRestart(ctx context.Context, d stand.Daemon, snmpPort uint16) (report.Sample, error) {
	began := time.Now()
	p, err := d.Start(ctx, a.Host)
	if err != nil {
		return nil, err
	}
	defer p.Kill()
	out := report.Sample{}
	g, ctx := errgroup.WithContext(ctx)
	var snmp, radius time.Duration
	g.Go(func() error {
		defer func() { snmp = time.Since(began) }()
		return stand.AwaitEntries(ctx, snmpPort, a.sizes.restart, p)
	})
	g.Go(func() error {
		defer func() { radius = time.Since(began) }()
		return stand.AwaitAnswer(ctx, d.Port, p)
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	cpu, err := p.CPUTime()
	if err != nil {
		return nil, err
	}
	out[restartSNMP], out[restartRADIUS], out[restartCPU] = snmp.Seconds(), radius.Seconds(), cpu.Seconds()
	memory := stand.FieldOf(fmt.Sprintf("/proc/%d/status", p.PID()), "VmHWM", ":")
	kilobytes, err := strconv.ParseFloat(strings.TrimSuffix(memory, " kB"), 64)
	out[restartMemory] = kilobytes / 1024
	return out, err
}
