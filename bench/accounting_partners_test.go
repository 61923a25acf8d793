//go:build partners

package main

import (
	"io"
	"testing"

	"aaasess/bench/stand"
)

// TestAccountingQuick runs the section with -quick, and checks that every contender has its
// figures.
func TestAccountingQuick(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{CPUs: c.cpus, Dir: t.TempDir()}, progress: io.Discard}
	text, err := runAccounting(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(text.Comparisons) != len(accountingParts) || text.Runs != 1 {
		t.Fatalf("%d comparisons of %d runs", len(text.Comparisons), text.Runs)
	}
	positive := func(i int, metrics []string, contenders ...string) {
		t.Helper()
		for _, m := range metrics {
			for _, who := range contenders {
				if v := text.Comparisons[i].Series.Values(who, m); len(v) != 1 || v[0] <= 0 {
					t.Errorf("%s, %s, %s: %v", text.Comparisons[i].Title, who, m, v)
				}
			}
		}
	}
	positive(0, []string{answeredRate, serverCPU, halfRate, halfP50, halfP99, halfMax}, rateContenders...)
	positive(0, []string{arrivedRate}, stand.PeerProxy, stand.OursRelaying, stand.PeerRadsec)
	positive(1, []string{answeredRate, serverCPU}, broadcastContenders...)
	positive(1, []string{arrivedRate}, stand.OursRelaying, stand.OursBroadcastRelaying)
	positive(2, []string{drained, drainedSize}, drainContenders...)
	positive(2, []string{drainFirst}, stand.OursSpooling)
	positive(3, []string{outageSent, outageLongest, outageArrived}, outageContenders...)
	positive(4, []string{restartSNMP, restartRADIUS, restartCPU, restartMemory}, stand.OursSpooling)
	positive(5, []string{memoryLoaded, memoryRestarted}, stand.OursRelaying)
	if t.Failed() {
		return
	}
	outages := text.Comparisons[3].Series
	ours, proxy := outages[stand.OursRelaying][0], outages[stand.PeerProxy][0]
	if ours[outageLost] != 0 || ours[outageArrived] != ours[outageSent] {
		t.Errorf("outage: aaasessd has %v", ours)
	}
	// The outage was long enough: a proxy that waits for its server made NASes retransmit.
	if proxy[outageRetransmitted] == 0 {
		t.Error("the proxy answered everything at once, although its server was stopped")
	}
}
