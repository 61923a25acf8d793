package main

import (
	"fmt"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

const accountingIntro = `Accounting-Requests as an access router sends them: starts of distinct sessions, 14 attributes, 174 octets, from 64
ports of loopback. One load generator for all (peers/load.c: one thread; its packets are made before the clock starts) checks the authenticator of
every answer. Load, contender and the server behind it share all CPUs. That server, the "acknowledger", is a small
program in Go that answers rightly and keeps nothing. NASes send a request again after 3 s, 4 times in all. Peers:
%s, %s.`

var (
	rateTable = []report.Metric{
		{Name: answeredRate, Unit: "1/s"},
		{Name: arrivedRate, Unit: "1/s"},
		{Name: serverCPU, Unit: "ms"},
		{Name: halfRate, Unit: "1/s"},
		{Name: halfP50, Unit: "µs"},
		{Name: halfP99, Unit: "µs"},
		{Name: halfMax, Unit: "µs"},
		{Name: sentAgain, Unit: "1"},
		{Name: neverCame, Unit: "1"},
	}
	drainTable = []report.Metric{
		{Name: drained, Unit: "1/s"},
		{Name: drainedSize, Unit: "1"},
		{Name: drainFirst, Unit: "s"},
		{Name: drainTwice, Unit: "1"},
	}
	outageTable = []report.Metric{
		{Name: outageSent, Unit: "1"},
		{Name: outageLost, Unit: "1"},
		{Name: outageSlow, Unit: "1"},
		{Name: outageLongest, Unit: "ms"},
		{Name: outageAgain, Unit: "1"},
		{Name: outageArrived, Unit: "1"},
		{Name: outageTwice, Unit: "1"},
	}
	restartTable = []report.Metric{
		{Name: restartSNMP, Unit: "s"},
		{Name: restartRADIUS, Unit: "s"},
		{Name: restartCPU, Unit: "s"},
		{Name: restartMemory, Unit: "MiB"},
	}
)

func (a *accountingBench) rateNote() string {
	return report.OneLine(fmt.Sprintf(`%s requests, %d in flight, then %v of half the load that FreeRADIUS reached with its detail file in the same
run, sent at fixed times whatever the answers do. aaasessd answers when session, counters and record are on
disk (fdatasync): "aaasessd" spools its records for a server that never answers (start-stop; group defaults: timeout 5 s, 3
retransmissions, window 1024), "aaasessd-none" makes no records (record: none), "aaasessd-relaying" delivers them at the same time. FreeRADIUS 3.2
with 2 to 8 threads and the system's receive buffer: "freeradius-detail" answers when it has written its detail file (no fsync, as is its
default), "freeradius-proxy" when the acknowledger has answered it, as does "radsecproxy" (UDP to UDP); neither stores anything. "acknowledger" is
that server alone. CPU time is of the contender, not of what stands behind it.`, report.Count(a.sizes.requests), stand.InFlight, a.sizes.half))
}

func (a *accountingBench) drainNote() string {
	return report.OneLine(fmt.Sprintf(`aaasessd has taken %s records while there was no server at the port (connection refused), then the acknowledger
is started there; defaults of the group. FreeRADIUS has written a detail file of %s records, is ended and started again as the reader of that file
(listen type = detail, load_factor 100, one home server: the acknowledger), which runs already.`,
		report.Count(a.sizes.backlog), report.Count(a.sizes.reader)))
}

func (a *accountingBench) outageNote() string {
	o := a.sizes.outage
	return report.OneLine(fmt.Sprintf(`%g requests a second to each contender, all at the same time, each with an acknowledger of its own, once: it runs
for %v, is stopped (SIGSTOP) for %v, runs again for %v. A request is sent again after %v, %d times in all. What arrives is counted until nothing
has for %v. "freeradius-robust" is Debian's robust-proxy-accounting with one home server (response_window 6 s, status_check = request), and
load_factor 10; "freeradius-proxy" the same without detail file. aaasessd: defaults of the group.`,
		o.rate, o.before, o.length, o.after, o.timeout, nasload.Tries, o.idle))
}

func (a *accountingBench) restartNote() string {
	n := report.Count(a.sizes.restart)
	return report.OneLine(fmt.Sprintf(`A process that wrote the state of %s sessions and %s records for a group was killed (SIGKILL), then aaasessd is started
on that state, and killed in turn; nobody is at the group's server. snmpd runs already. SNMP answers when
casnActiveTableEntries.0 has the number of all sessions, RADIUS when a new session's start is answered.`, n, n))
}
