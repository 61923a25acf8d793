//go:build partners

package link

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/internal/partner"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// BenchmarkRefresh measures a refresh of the counters of real interfaces, each of a session. The CPU
// time, of which most is the kernel's, is also given for 20,000 interfaces.
func BenchmarkRefresh(b *testing.B) {
	const n = 2000
	ns := partner.NewNamespace(b)
	var commands strings.Builder
	for i := range n / 2 {
		fmt.Fprintf(&commands, "link add a%d type veth peer name b%d\n", i, i)
	}
	ns.Run("sh", "-c", "echo \"$1\" | ip -batch -", "sh", commands.String())
	h := &host{Namespace: ns}
	j := sessionstest.NewJournal()
	defer j.Close()
	table := sessions.New(sessions.Config{}, j)
	r := New(Config{Host: 1, Dial: h.dial, Logger: slog.New(slog.DiscardHandler)}, table)
	for i := range n {
		name, sid := fmt.Sprintf("%c%d", 'a'+i%2, i/2), fmt.Sprint(i)
		of, err := r.Lookup(name)
		if err != nil {
			b.Fatal(err)
		}
		err = table.Apply(sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(),
			Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, sid)), IfIndex: of.Index, Link: of.Link,
		}, nil)
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := r.readCounters(); err != nil {
		b.Fatal(err)
	}
	before, refreshes := cpuTime(b), 0
	b.ReportAllocs()
	for b.Loop() {
		if err := r.readCounters(); err != nil {
			b.Fatal(err)
		}
		refreshes++
	}
	each := (cpuTime(b) - before) / time.Duration(refreshes)
	b.ReportMetric(float64(each.Microseconds())/1000*20_000/n, "cpu-ms/20000")
}

// cpuTime returns the CPU time of this process.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLookup measures how long a report waits for its interface.
func BenchmarkLookup(b *testing.B) {
	h := &host{Namespace: partner.NewNamespace(b)}
	r := New(Config{Host: 1, Dial: h.dial, Logger: slog.New(slog.DiscardHandler)}, sessions.New(sessions.Config{}, sessionstest.NewJournal()))
	for b.Loop() {
		if _, err := r.Lookup("lo"); err != nil {
			b.Fatal(err)
		}
	}
}
