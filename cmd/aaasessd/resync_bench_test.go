package main

import (
	"slices"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/sessions"
)

// BenchmarkResync measures what a record of a resync costs until it is durable, in parts of 128 of
// which eight are under way, and how long a part has the table's lock.
func BenchmarkResync(b *testing.B) {
	const n, size, underWay = 128_000, 128, 8
	for name, typ := range map[string]sessions.EventType{"starts": sessions.Start, "interims": sessions.Interim} {
		b.Run(name, func(b *testing.B) {
			table, router := tableForBenchmark(b, n)
			method, done := accounting.Group("isp"), make(chan error, underWay)
			next, pending := sessions.ID(1), 0
			var locked []time.Duration
			before, began := table.Clock(), cpuTime(b)
			for b.Loop() {
				for ; pending == underWay; pending-- {
					if err := <-done; err != nil {
						b.Fatal(err)
					}
				}
				at := time.Now()
				err := table.Resync(&sessions.Resync{
					Method: string(method), From: next, Before: before, Rows: 1024, Notices: size,
					Type: func(s *sessions.Session) sessions.EventType { t, _ := router.Resync(s, method, typ); return t },
					State: func(id sessions.ID) sessions.Put {
						next = max(1, id)
						return sessions.Put{Key: []byte("ygroup isp"), Value: make([]byte, 91)}
					},
				}, func(err error) { done <- err })
				if err != nil {
					b.Fatal(err)
				}
				locked = append(locked, time.Since(at))
				pending++
			}
			for ; pending > 0; pending-- {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			records := float64(len(locked) * size)
			slices.Sort(locked)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/records, "ns/record")
			b.ReportMetric(float64(cpuTime(b)-began)/records, "cpu-ns/record")
			b.ReportMetric(float64(locked[len(locked)/2].Nanoseconds()), "locked-p50-ns")
			b.ReportMetric(float64(locked[len(locked)*99/100].Nanoseconds()), "locked-p99-ns")
		})
	}
}
