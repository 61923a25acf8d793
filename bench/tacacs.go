package main

import (
	"context"
	"fmt"

	"aaasess/bench/report"
	"aaasess/bench/stand"
	"aaasess/bench/tacacsload"
)

var tacacsRelays = []string{stand.OursRelaying, stand.OursTACACS}

// tacacsRate is the metric of the senders.
const tacacsRate = "records acknowledged"

var (
	tacacsTable      = []report.Metric{{Name: tacacsRate, Unit: "1/s"}}
	tacacsRelayTable = []report.Metric{
		{Name: answeredRate, Unit: "1/s"},
		{Name: arrivedRate, Unit: "1/s"},
		{Name: serverCPU, Unit: "ms"},
	}
)

const tacacsIntro = `The server is an acknowledger for TACACS+ (RFC 8907): a small Go program that answers SUCCESS on any
number of connections and stores nothing. All processes share all CPUs. To measure only this: go run
./bench -sections tacacs.`

func tacacsSendNote(records int) string {
	return fmt.Sprintf(`Each contender sends %s START records of 8 arguments, with %d waiting for an answer, to a server that was
started for it. "aaasess" is the client of this project (internal/tacacs/client), with
single-connection. "tacplus" is 16 clients of github.com/nwaples/tacplus v0.0.3 with a connection
each, kept for all records (Mux). "canned packets" are encoded before the clock starts, written
without looking at the answers, and counted when the server has answered all: the limit of the server,
whose client costs nothing. The goals are that one connection of ours is at least as fast as "tacplus",
and that four reach the limit. A client that shares two processors with the server reaches half of the
limit at most: it encodes, obfuscates (MD5), sends and receives what the server decodes and answers. By
a profile of both, obfuscation is 29%% of their CPU time and system calls are 24%%.`,
		report.Count(records), tacacsload.InFlight)
}

func tacacsRelayNote(requests int) string {
	return fmt.Sprintf(`The daemon gets %s Accounting-Requests as in the section Accounting, with %d in flight, and delivers
their records at the same time: "aaasessd-relaying" to a RADIUS acknowledger, "aaasessd-tacacs" to
that for TACACS+, with the defaults of its group and single-connection. The goal is that it delivers
at least 0.6 times as many a second.`, report.Count(requests), stand.InFlight)
}

// runTACACS measures sending to a TACACS+ server, and relaying to one.
func runTACACS(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{Title: "TACACS+", Unpinned: true, Intro: tacacsIntro}
	a, err := b.openAccounting(ctx)
	if err != nil {
		return text, err
	}
	n := a.sizes.requests
	sent, err := report.Interleave(ctx, b.config.runs, tacacsload.Contenders, func(ctx context.Context, who string) (report.Sample, error) {
		fmt.Fprintf(b.progress, "tacacs: %s\n", who)
		return measureTACACS(ctx, a.Host, who, n)
	})
	if err != nil {
		return text, err
	}
	relayed, err := report.Interleave(ctx, b.config.runs, tacacsRelays, func(ctx context.Context, who string) (report.Sample, error) {
		fmt.Fprintf(b.progress, "tacacs: %s\n", who)
		return a.measureBroadcast(ctx, who)
	})
	text.Comparisons = []report.Comparison{{
		Title: "Records to one server", Contenders: tacacsload.Contenders, Series: sent, Note: tacacsSendNote(n), Metrics: tacacsTable,
		Pairs: []report.Pair{{Num: tacacsload.One, Den: tacacsload.Tacplus}, {Num: tacacsload.Four, Den: tacacsload.Canned}},
	}, {
		Title: "Relaying to TACACS+", Contenders: tacacsRelays, Series: relayed, Note: tacacsRelayNote(n), Metrics: tacacsRelayTable,
		Pairs: []report.Pair{{Num: stand.OursTACACS, Den: stand.OursRelaying}},
	}}
	return text, err
}

// measureTACACS sends n records to a new server.
func measureTACACS(ctx context.Context, h stand.Host, who string, n int) (report.Sample, error) {
	server, err := stand.StartTACACS(ctx, h)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	took, err := tacacsload.Send(ctx, who, server.Addr(), n)
	if err != nil {
		return nil, err
	}
	got, err := server.Await(ctx, int64(n), arriveIdle)
	if err == nil && got.Distinct < int64(n) {
		err = fmt.Errorf("%d of %d records arrived", got.Distinct, n)
	}
	return report.Sample{tacacsRate: float64(n) / took.Seconds()}, err
}
