package main

import (
	"context"
	"fmt"

	"aaasess/bench/report"
	"aaasess/bench/snmpclient"
	"aaasess/bench/stand"
)

// serverTable is a table that the section on servers walks.
type serverTable struct {
	name    string
	subtree string
	columns int // instances of a row
}

// serverTables are the tables of servers beside the one of sessions.
var serverTables = []serverTable{
	{"casnActiveTable", "1.3.6.1.4.1.9.9.150.1.1.3", snmpclient.ColumnCount},
	{"casConfigTable", "1.3.6.1.4.1.9.10.56.1.1.2", 6},
	{"casStatisticsTable", "1.3.6.1.4.1.9.10.56.1.2.1", 21}, // RADIUS has no casAuthor columns
	{"radiusAccServerExtTable", "1.3.6.1.2.1.67.2.2.1.1.4", 14},
	{"radiusAuthServerExtTable", "1.3.6.1.2.1.67.1.2.1.1.4", 16},
}

const (
	walkTable   = "walk (snmpbulkwalk -Cr50)"
	serversRows = 20_000
)

const serversIntro = `Our responder serves the tables of servers and of sessions. Each has 20,000 rows, which is more than
anyone has servers: it shows what a cell costs. One table is walked at a time, one column a request. The
goal is the rate of casnActiveTable.`

// runServers measures walks of the tables of servers, in turn with a walk of casnActiveTable.
func runServers(ctx context.Context, b *bench) (report.Section, error) {
	text := report.Section{Title: "SNMP walks of the tables of servers", Intro: serversIntro}
	programs, err := stand.BuildResponders(ctx, b.host.Dir, []string{stand.PeerOurs})
	if err != nil {
		return text, err
	}
	rows := serversRows
	if len(b.config.sizes) > 0 {
		rows = min(rows, b.config.sizes[0]*2) // -quick
	}
	c := report.Comparison{Title: rowsName(rows), Metrics: walkMetrics(walkTable)}
	byName := map[string]serverTable{}
	for _, t := range serverTables {
		byName[t.name] = t
		c.Contenders = append(c.Contenders, t.name)
		if t.name != c.Contenders[0] {
			c.Pairs = append(c.Pairs, report.Pair{Num: t.name, Den: c.Contenders[0]})
		}
	}
	c.Series, err = report.Interleave(ctx, b.config.runs, c.Contenders, func(ctx context.Context, name string) (report.Sample, error) {
		t := byName[name]
		return b.measureResponder(ctx, b.host, stand.PeerOurs, programs[stand.PeerOurs], rows, func(ctx context.Context, s *stand.Stand, out report.Sample) error {
			fmt.Fprintf(b.progress, "  %s\n", t.name)
			return measureRate(ctx, s, out, walkTable, rows*t.columns, func(ctx context.Context) (snmpclient.Measurement, error) {
				return s.BulkwalkOf(ctx, t.subtree, "-v2c", "-c", "public")
			})
		})
	})
	text.Comparisons = []report.Comparison{c}
	return text, err
}
