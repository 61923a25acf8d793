package main

import (
	"fmt"
	"slices"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
)

const accountingIntro = `The requests are Accounting-Requests as an access router sends them: starts of distinct sessions, 14
attributes, 174 octets, from 64 UDP ports on loopback. All contenders get them from the same load
generator (bench/stand/peers/load.c). It has one thread, makes its packets before the clock starts,
and checks the authenticator of every answer. The server behind a relay is the "acknowledger", a small
Go program that answers correctly and stores nothing. Load generator, contender and acknowledger share
all CPUs. A NAS retransmits a request after 3 s and sends it at most 4 times. Peers: %s,
%s.`

var (
	// halfTable ends each table that has a part with requests at fixed times.
	halfTable = []report.Metric{
		{Name: halfRate, Unit: "1/s"},
		{Name: halfP50, Unit: "µs"},
		{Name: halfP99, Unit: "µs"},
		{Name: halfMax, Unit: "µs"},
		{Name: retransmitted, Unit: "1"},
		{Name: neverAnswered, Unit: "1"},
	}
	rateTable = slices.Concat([]report.Metric{
		{Name: answeredRate, Unit: "1/s"},
		{Name: arrivedRate, Unit: "1/s"},
		{Name: serverCPU, Unit: "ms"},
	}, halfTable)
	broadcastTable = []report.Metric{
		{Name: answeredRate, Unit: "1/s"},
		{Name: arrivedRate, Unit: "1/s"},
		{Name: serverCPU, Unit: "ms"},
		{Name: retransmitted, Unit: "1"},
		{Name: neverAnswered, Unit: "1"},
	}
	drainTable = []report.Metric{
		{Name: drained, Unit: "1/s"},
		{Name: drainedSize, Unit: "1"},
		{Name: drainFirst, Unit: "s"},
		{Name: drainDuplicates, Unit: "1"},
	}
	outageTable = []report.Metric{
		{Name: outageSent, Unit: "1"},
		{Name: outageLost, Unit: "1"},
		{Name: outageSlow, Unit: "1"},
		{Name: outageLongest, Unit: "ms"},
		{Name: outageRetransmitted, Unit: "1"},
		{Name: outageArrived, Unit: "1"},
		{Name: outageDuplicates, Unit: "1"},
	}
	restartTable = []report.Metric{
		{Name: restartSNMP, Unit: "s"},
		{Name: restartRADIUS, Unit: "s"},
		{Name: restartCPU, Unit: "s"},
		{Name: restartMemory, Unit: "MiB"},
	}
	memoryTable = []report.Metric{
		{Name: memoryLoaded, Unit: "MiB"},
		{Name: memoryRestarted, Unit: "MiB"},
	}
)

func (a *accountingBench) rateNote() string {
	return fmt.Sprintf(`First %s requests are sent, with %d in flight. Then requests are sent for %v at fixed times, whether or
not answers arrive, at half the rate that "freeradius-detail" reached in the same run.

- aaasessd answers when session, counters and record are on disk (fdatasync). "aaasessd" spools its
  records for a server that never answers (record: start-stop; defaults of the group: timeout 5 s, 3
  retransmissions, window 1024). "aaasessd-none" makes no records (record: none). "aaasessd-relaying"
  delivers its records at the same time.
- FreeRADIUS 3.2 runs with 2 to 8 threads and the system's default receive buffer.
  "freeradius-detail" answers when it has written its detail file (without fsync, its default).
  "freeradius-proxy" answers when the acknowledger has answered, and stores nothing.
- "radsecproxy" (UDP to UDP) also answers when the acknowledger has answered, and stores nothing.
- "acknowledger" is the acknowledger alone.

The CPU time is that of the contender, without the acknowledger behind it.`, report.Count(a.sizes.requests), stand.InFlight, a.sizes.half)
}

func (a *accountingBench) broadcastNote() string {
	return fmt.Sprintf(`%s requests are sent, with %d in flight. aaasessd answers when session, counters and all records are
on disk. "aaasessd" makes one record for each start, for a group of one server. "aaasessd-broadcast"
makes two, one for each of two such groups (broadcast: true). Their servers never answer, so all
records are spooled. The goal is that the broadcast answers at least 0.8 times as many requests a
second. "aaasessd-relaying" and "aaasessd-broadcast-relaying" have one and two acknowledgers as
servers, and deliver at the same time; the rate of delivery counts when all records are at both. To
measure only this: go run ./bench -sections accounting -accounting-parts broadcast.`, report.Count(a.sizes.requests), stand.InFlight)
}

func (a *accountingBench) drainNote() string {
	return fmt.Sprintf(`aaasessd spools %s records while nothing listens at the server's port (connection refused). Then the
acknowledger is started at that port. aaasessd runs with the defaults of its group.

FreeRADIUS writes a detail file of %s records. Then the acknowledger is started, and FreeRADIUS is
restarted as the reader of that file (listen type = detail, load_factor 100), with the acknowledger as
its one home server.`,
		report.Count(a.sizes.backlog), report.Count(a.sizes.reader))
}

func (a *accountingBench) outageNote() string {
	o := a.sizes.outage
	return fmt.Sprintf(`Each contender gets %g requests per second. All contenders run at the same time, once, each with its own
acknowledger. The acknowledger runs for %v, is stopped (SIGSTOP) for %v, and runs again for %v. A NAS
retransmits a request after %v and sends it at most %d times. Arrivals are counted until none has been
seen for %v.

"freeradius-robust" is Debian's robust-proxy-accounting with one home server (response_window 6 s,
status_check = request) and load_factor 10. "freeradius-proxy" is the same without the detail file.
aaasessd runs with the defaults of its group.`,
		o.rate, o.before, o.length, o.after, o.timeout, nasload.Tries, o.idle)
}

func (a *accountingBench) restartNote() string {
	n := report.Count(a.sizes.restart)
	return fmt.Sprintf(`A process writes the state of %s sessions and %s records for a group, and is killed (SIGKILL). In
each run aaasessd starts on that state and is killed at the end. The group's server does not exist.
snmpd is already running. SNMP is ready when casnActiveTableEntries.0 counts all sessions, RADIUS when
the start of a new session is answered.`, n, n)
}

func (a *accountingBench) memoryNote() string {
	return fmt.Sprintf(`A NAS starts %s sessions, with the attributes of this section's requests. When the server has all
records, nothing is sent for %v; then the resident memory of aaasessd is read. aaasessd is stopped
and started again, and after the same time its memory is read once more. The goal is 700 MB (667 MiB)
after the starts. To measure only this: go run ./bench -sections accounting -accounting-parts memory.`,
		report.Count(a.sizes.memory.sessions), a.sizes.memory.quiet)
}
