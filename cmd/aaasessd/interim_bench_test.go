package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/policy"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"
)

// tableForBenchmark returns a table of n sessions over a store on disk, and its router.
func tableForBenchmark(b *testing.B, n int) (*sessions.Table, *accounting.Router) {
	b.Helper()
	st, err := store.Open(b.TempDir(), store.Config{MinFree: -1, Ballast: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() })
	plan, err := policy.New(&policy.Policy{Lists: []policy.List{{Type: policy.Network, Name: policy.Default, Methods: policy.Methods{
		Record: accounting.StartStop, Methods: []accounting.MethodName{accounting.Group("isp")},
	}}}})
	if err != nil {
		b.Fatal(err)
	}
	router := accounting.NewRouter(st, slog.New(slog.DiscardHandler))
	router.SetPolicy(plan.Route)
	table := sessions.New(sessions.Config{}, router)
	done := make(chan error, n)
	for i := range n {
		sid := fmt.Sprintf("%016X", i)
		a := radius.AppendAttribute(nil, radius.UserName, fmt.Sprintf("user%07d@isp.example", i))
		for _, v := range []struct {
			t radius.Type
			v string
		}{
			{radius.AcctSessionID, sid},
			{radius.Class, "0123456789abcdef"},
			{radius.NASIdentifier, "bras-1.isp.example"},
			{radius.CallingStationID, fmt.Sprintf("02-00-00-%06X", i)},
			{radius.FramedIPAddress, "\x0a\x00\x00\x01"},
			{radius.NASPort, "\x00\x00\x00\x01"},
		} {
			a = radius.AppendAttribute(a, v.t, v.v)
		}
		err := table.Apply(sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: sid, Kind: sessions.Network,
			At: time.Now(), Attrs: radius.Attributes(a),
		}, func(err error) { done <- err })
		if err != nil {
			b.Fatal(err)
		}
	}
	for range n {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	return table, router
}

// BenchmarkInterim measures what an interim of ours costs until it is durable, in groups of 128.
func BenchmarkInterim(b *testing.B) {
	const n = 12_800
	table, _ := tableForBenchmark(b, n)
	due := make([]sessions.DueInterim, n)
	for i := range due {
		due[i].ID = sessions.ID(i + 1)
	}
	done := make(chan error, 1)
	records, began := 0, cpuTime(b)
	for at := 0; b.Loop(); at = (at + 128) % n {
		made, err := table.MakeInterims(due[at:at+128], func(err error) { done <- err })
		if err != nil {
			b.Fatal(err)
		}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		records += made
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
	b.ReportMetric(float64(cpuTime(b)-began)/float64(records), "cpu-ns/record")
}

// cpuTime returns how much processor time the process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
