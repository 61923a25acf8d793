package main

import (
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

// The headings under which the figures of the goals are.
const (
	agentXTitle    = "SNMP walks through snmpd (AgentX)"
	responderTitle = "SNMP without a master: our responder next to snmpd and to a canned responder"
	latencyTitle   = "Latency at half load"
)

// goals are what the summary of the page compares with its figures.
var goals = joinGoals(latencyGoals("300,000"), latencyGoals("1,000,000"), acceptanceGoals, snmpGoals)

func joinGoals(parts ...[]report.Goal) (all []report.Goal) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// ratio returns the head of the column with the ratios of two contenders.
func ratio(num, den string) string { return num + " / " + den }

func latencyGoals(sessions string) []report.Goal {
	toDetail := ratio(stand.OursSpooling, stand.PeerDetail)
	return []report.Goal{
		{
			Text:    "p99 at half load with " + sessions + " live sessions, " + toDetail,
			Section: latencyTitle, Table: sessions + " live sessions", Metric: halfP99 + ", µs", Column: toDetail, Most: 1, Every: true,
		},
		{
			Text:    "longest answer at half load with " + sessions + " live sessions, " + toDetail,
			Section: latencyTitle, Table: sessions + " live sessions", Metric: halfMax + ", µs", Column: toDetail, Most: 2, Every: true,
		},
	}
}

var acceptanceGoals = []report.Goal{
	{
		Text:    "answers with delivery at the same time, " + ratio(stand.OursRelaying, stand.PeerRadsec),
		Section: "Accounting", Table: "Requests answered", Metric: arrivedRate + ", 1/s", Column: ratio(stand.OursRelaying, stand.PeerRadsec), Least: 1.1,
	},
	{
		Text:    "their CPU time, " + ratio(stand.OursRelaying, stand.PeerRadsec),
		Section: "Accounting", Table: "Requests answered", Metric: serverCPU + ", ms", Column: ratio(stand.OursRelaying, stand.PeerRadsec), Most: 1,
	},
	{
		Text:    "CPU time of durable answers, " + ratio(stand.OursSpooling, stand.PeerAcknowledger),
		Section: "Accounting", Table: "Requests answered", Metric: serverCPU + ", ms", Column: ratio(stand.OursSpooling, stand.PeerAcknowledger), Most: 2,
	},
	{
		Text:    "durable starts, " + ratio(sessionStarts, storeAlone),
		Section: "Durable starts", Table: "Rate of commits", Metric: "commits, 1/s", Column: ratio(sessionStarts, storeAlone), Least: 0.85,
	},
	{
		Text:    "peak memory while 1,000,000 sessions are loaded, MiB",
		Section: "Accounting", Table: "Restart after kill -9", Metric: restartMemory + ", MiB", Column: stand.OursSpooling, Most: 450,
	},
	{
		Text:    "memory after 1,000,000 starts, MiB",
		Section: "Accounting", Table: "Memory", Metric: memoryLoaded + ", MiB", Column: stand.OursRelaying, Most: 667,
	},
}

var snmpGoals = []report.Goal{
	fourWalkers(stand.PeerInSNMPD, 1.2),
	fourWalkers(stand.PeerCannedUDP, 0.85),
	{
		// The CPU time of a cell may be 1.5 times as long.
		Text:    "cells of a walk of one column by CPU time of the responder, " + ratio(stand.PeerOurs, stand.PeerCannedUDP),
		Section: responderTitle, Table: "100,000 rows", Metric: perServerCPU(walkOne) + ", cells/CPU s", Column: ratio(stand.PeerOurs, stand.PeerCannedUDP), Least: 0.67,
	},
	{
		// It may be twice as long.
		Text:    "cells of a walk of seven columns by CPU time of the responder, " + ratio(stand.PeerOurs, stand.PeerCannedUDP),
		Section: responderTitle, Table: "100,000 rows", Metric: perServerCPU(walkAll) + ", cells/CPU s", Column: ratio(stand.PeerOurs, stand.PeerCannedUDP), Least: 0.5,
	},
	getThroughSNMPD(getOne, "libnetsnmp"),
	getThroughSNMPD(getGo, "gosnmp"),
}

func fourWalkers(than string, least float64) report.Goal {
	column := ratio(stand.PeerOurs+"-4", than+"-4")
	return report.Goal{
		Text:    "cells of four walkers, " + column,
		Section: responderTitle, Table: "4 clients at once, 100,000 rows", Metric: walkTogether + ", cells/s", Column: column, Least: least,
	}
}

func getThroughSNMPD(metric, client string) report.Goal {
	column := ratio(stand.PeerOurs, stand.PeerCanned)
	return report.Goal{
		Text:    "GET through snmpd with the " + client + " client, " + column,
		Section: agentXTitle, Table: "100,000 rows", Metric: metric + ", µs", Column: column, Most: 1.05,
	}
}
