package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

const accountingIntro = `Accounting-Requests as an access router sends them: starts of distinct sessions, 14 attributes, 174 octets, from 64
ports of loopback. One load generator for all (peers/load.c: one thread; its packets are made before the clock starts) checks the authenticator of
every answer. Load, contender and the server behind it share all CPUs. That server, the "acknowledger", is a small
program in Go that answers rightly and keeps nothing. NASes send a request again after 3 s, 4 times in all. Peers:
%s, %s.`

var (
	rateTable = []metric{
		{answeredRate, "1/s"},
		{arrivedRate, "1/s"},
		{serverCPU, "ms"},
		{halfRate, "1/s"},
		{halfP50, "µs"},
		{halfP99, "µs"},
		{halfMax, "µs"},
		{sentAgain, "1"},
		{neverCame, "1"},
	}
	drainTable = []metric{
		{drained, "1/s"},
		{drainedSize, "1"},
		{drainFirst, "s"},
		{drainTwice, "1"},
	}
	outageTable = []metric{
		{outageSent, "1"},
		{outageLost, "1"},
		{outageSlow, "1"},
		{outageLongest, "ms"},
		{outageAgain, "1"},
		{outageArrived, "1"},
		{outageTwice, "1"},
	}
	restartTable = []metric{
		{restartSNMP, "s"},
		{restartRADIUS, "s"},
		{restartCPU, "s"},
		{restartMemory, "MiB"},
	}
)

// count writes a number as the tables do.
func count(n int) string { return groupThousands(strconv.Itoa(n)) }

// versionOf is what a peer says of itself, from a word on to the end of the line or a comma.
func versionOf(ctx context.Context, name, word string) string {
	program, err := system(name)
	if err != nil {
		return name
	}
	said, _ := exec.CommandContext(ctx, program, "-v").CombinedOutput() // some exit with 1 then
	return versionIn(string(said), name, word)
}

func versionIn(said, name, word string) string {
	_, rest, found := strings.Cut(said, word)
	if !found {
		return name
	}
	version, _, _ := strings.Cut(rest, "\n")
	version, _, _ = strings.Cut(version, ",")
	return word + version
}

func (a *accountingBench) rateNote() string {
	return oneLine(fmt.Sprintf(`%s requests, %d in flight, then %v of half the load that FreeRADIUS reached with its detail file in the same
run, sent at fixed times whatever the answers do. aaasessd answers when session, counters and record are on
disk (fdatasync): "aaasessd" spools its records for a server that never answers (start-stop; group defaults: timeout 5 s, 3
retransmissions, window 1024), "aaasessd-none" makes no records (record: none), "aaasessd-relaying" delivers them at the same time. FreeRADIUS 3.2
with 2 to 8 threads and the system's receive buffer: "freeradius-detail" answers when it has written its detail file (no fsync, as is its
default), "freeradius-proxy" when the acknowledger has answered it, as does "radsecproxy" (UDP to UDP); neither stores anything. "acknowledger" is
that server alone. CPU time is of the contender, not of what stands behind it.`, count(a.sizes.requests), inFlight, a.sizes.half))
}

func (a *accountingBench) drainNote() string {
	return oneLine(fmt.Sprintf(`aaasessd has taken %s records while there was no server at the port (connection refused), then the acknowledger
is started there; defaults of the group. FreeRADIUS has written a detail file of %s records, is ended and started again as the reader of that file
(listen type = detail, load_factor 100, one home server: the acknowledger), which runs already.`,
		count(a.sizes.backlog), count(a.sizes.reader)))
}

func (a *accountingBench) outageNote() string {
	o := a.sizes.outage
	return oneLine(fmt.Sprintf(`%g requests a second to each contender, all at the same time, each with an acknowledger of its own, once: it runs
for %v, is stopped (SIGSTOP) for %v, runs again for %v. A request is sent again after %v, %d times in all. What arrives is counted until nothing
has for %v. "freeradius-robust" is Debian's robust-proxy-accounting with one home server (response_window 6 s, status_check = request), and
load_factor 10; "freeradius-proxy" the same without detail file. aaasessd: defaults of the group.`,
		o.rate, o.before, o.length, o.after, o.timeout, nasTries, o.idle))
}

func (a *accountingBench) restartNote() string {
	n := count(a.sizes.restart)
	return oneLine(fmt.Sprintf(`A process that wrote the state of %s sessions and %s records for a group was killed (SIGKILL), then aaasessd is started
on that state, and killed in turn; nobody is at the group's server. snmpd runs already. SNMP answers when
casnActiveTableEntries.0 has the number of all sessions, RADIUS when a new session's start is answered.`, n, n))
}

// oneLine joins the lines of a paragraph.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
