//go:build partners

package agentx_test

import (
	"testing"
	"time"

	"aaasess/agent/agentx"
	"aaasess/internal/partner"
)

// BenchmarkSnmpd walks a table of 10,000 rows through snmpd: one column with snmpbulkwalk, which is
// one cell for each round trip between snmpd and us, and seven columns with gosnmp. To use one
// processor only, run it under taskset: snmpd and the tools inherit that.
func BenchmarkSnmpd(b *testing.B) {
	const rows = 10000
	for _, network := range []string{"unix", "tcp"} {
		s, _, _ := master(b, network, false, rows)
		b.Run(network+"/one column", func(b *testing.B) {
			for b.Loop() {
				out := partner.Run(b, time.Minute, "snmpbulkwalk", "-v2c", "-c", partner.ReadCommunity, "-On", "-Cr50", s.Addr, oid(agentx.FixtureTable, 4))
				if len(out) < 20*rows {
					b.Fatal("the walk is too short")
				}
			}
			b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "cells/s")
		})
		b.Run(network+"/seven columns", func(b *testing.B) {
			c := client(b, s, 10*time.Second)
			for b.Loop() {
				if n := sevenColumns(b, c); n != rows {
					b.Fatalf("%d rows", n)
				}
			}
			b.ReportMetric(float64(7*rows*b.N)/b.Elapsed().Seconds(), "cells/s")
		})
	}
}
