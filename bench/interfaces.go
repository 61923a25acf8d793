package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"aaasess/bench/report"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/local/link"
	"aaasess/sessions/sessionstest"
)

// interfacesSizes configures the section on network interfaces.
type interfacesSizes struct {
	runs       int
	interfaces int
}

// interfacesFlags adds the section's flags. Call the returned function after the flags are parsed.
func interfacesFlags(flags *flag.FlagSet) func(quick bool) (interfacesSizes, error) {
	var s interfacesSizes
	flags.IntVar(&s.runs, "interfaces-runs", 5, "`runs` of the section on network interfaces")
	flags.IntVar(&s.interfaces, "interfaces", 20_000, "`interfaces`, each of a session")
	return func(quick bool) (interfacesSizes, error) {
		if quick {
			s.runs, s.interfaces = 1, 200
		}
		if s.runs < 1 || s.interfaces < 2 || s.interfaces > 100_000 || s.interfaces%2 != 0 {
			return s, errors.New("bench: the section interfaces needs 2 to 100000 interfaces, an even number")
		}
		return s, nil
	}
}

// The contender and the metrics of the section.
const (
	refreshOfAll   = "refresh"
	refreshCPU     = "CPU time of a refresh"
	refreshTime    = "time until the counters are current"
	refreshCounted = "sessions whose counters are current then"
)

var interfacesTable = []report.Metric{{Name: refreshCPU, Unit: "ms"}, {Name: refreshTime, Unit: "ms"}, {Name: refreshCounted, Unit: "1"}}

const interfacesIntro = `This section measures a refresh of the counters of network interfaces, each of which is a session's own.
The interfaces are veths in a network namespace that the section makes, so it needs root. The CPU time
is that of this process and of the kernel in it.`

func interfacesNote() string {
	return `A walk, the timer and interims share a refresh, of which there is at most one a second. The goal is
under 100 ms of CPU time for 20,000 interfaces.`
}

func interfacesTitle(s interfacesSizes) string {
	return report.Count(s.interfaces) + " interfaces"
}

// runInterfaces measures refreshes of the counters of interfaces.
func runInterfaces(ctx context.Context, b *bench) (report.Section, error) {
	sizes := b.config.interfaces
	text := report.Section{Title: "Network interfaces", Intro: interfacesIntro, Unpinned: true, Runs: sizes.runs}
	fmt.Fprintf(b.progress, "interfaces: making %s\n", report.Count(sizes.interfaces))
	ns, err := namespaceWith(ctx, sizes.interfaces)
	if err != nil {
		return text, err
	}
	defer ns.Close()
	journal := sessionstest.NewJournal()
	defer journal.Close()
	table := sessions.New(sessions.Config{}, journal)
	reader := link.New(link.Config{Host: 1, Logger: slog.New(slog.DiscardHandler), Dial: func(groups uint32) (*netlink.Conn, error) {
		return netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Groups: groups, NetNS: int(ns.Fd()), MessageBufferSize: 1 << 15})
	}}, table)
	reading, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(reading) }()
	defer func() { stop(); <-ended }()
	if err := beginOn(table, reader, sizes.interfaces); err != nil {
		return text, err
	}
	series := report.Series{}
	for run := range sizes.runs {
		fmt.Fprintf(b.progress, "interfaces: run %d of %d\n", run+1, sizes.runs)
		sample, err := measureRefresh(ctx, table)
		if err != nil {
			return text, err
		}
		series[refreshOfAll] = append(series[refreshOfAll], sample)
	}
	text.Comparisons = []report.Comparison{{
		Title: interfacesTitle(sizes), Note: interfacesNote(), Contenders: []string{refreshOfAll}, Series: series, Metrics: interfacesTable,
	}}
	return text, nil
}

// measureRefresh measures a refresh after the last one has grown old.
func measureRefresh(ctx context.Context, table *sessions.Table) (report.Sample, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(1100 * time.Millisecond):
	}
	before, err := ownCPUTime()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	table.RefreshLinks()
	took := time.Since(began)
	after, err := ownCPUTime()
	if err != nil {
		return nil, err
	}
	counted := 0
	for s := range table.View().All() {
		if _, known := s.Used(); known&sessions.InputOctets != 0 {
			counted++
		}
	}
	return report.Sample{
		refreshCPU: float64((after - before).Microseconds()) / 1000, refreshTime: float64(took.Microseconds()) / 1000, refreshCounted: float64(counted),
	}, nil
}

func ownCPUTime() (time.Duration, error) {
	var u unix.Rusage
	err := unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

// namespaceWith makes a network namespace with n veths, which ends when the file is closed.
func namespaceWith(ctx context.Context, n int) (ns *os.File, err error) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("bench: a network namespace: %w", err)
			return
		}
		if ns, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			done <- err
			return
		}
		var commands strings.Builder
		for i := range n / 2 {
			fmt.Fprintf(&commands, "link add a%d type veth peer name b%d\n", i, i)
		}
		ip := exec.CommandContext(ctx, "ip", "-batch", "-")
		ip.Stdin = strings.NewReader(commands.String())
		if out, err := ip.CombinedOutput(); err != nil {
			done <- fmt.Errorf("bench: ip: %w: %s", err, out)
			return
		}
		done <- nil
	}()
	if err := <-done; err != nil {
		if ns != nil {
			_ = ns.Close()
		}
		return nil, err
	}
	return ns, nil
}

// beginOn begins a session on each interface.
func beginOn(table *sessions.Table, reader *link.Reader, n int) error {
	for i := range n {
		of, err := reader.Lookup(fmt.Sprintf("%c%d", 'a'+i%2, i/2))
		if err != nil {
			return err
		}
		sid := fmt.Sprintf("%016X", i)
		done := make(chan error, 1)
		err = table.Apply(sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(),
			Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, sid)), IfIndex: of.Index, Link: of.Link,
		}, func(err error) { done <- err })
		if err == nil {
			err = <-done
		}
		if err != nil {
			return err
		}
	}
	return nil
}
