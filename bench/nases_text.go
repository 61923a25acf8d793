package main

import (
	"fmt"

	"aaasess/bench/report"
)

const nasesIntro = `This section measures how the Accounting-On of one NAS, or of many, affects another NAS. Each NAS has its
own NAS-Identifier, NAS-IP-Address and source address, and all match one client entry. The daemon
starts on the state that a killed process has left. It spools its records, because the group's server
does not exist. NASes and daemon share all CPUs. A NAS retransmits a request after 3 s and sends it at
most 4 times. Latencies count from the time at which a request was due.`

var (
	onsTable = []report.Metric{
		{Name: onsSent, Unit: "1"},
		{Name: onsAnswered, Unit: "1"},
		{Name: onsRetransmitted, Unit: "1"},
		{Name: onsP50, Unit: "ms"},
		{Name: onsLast, Unit: "s"},
		{Name: onsRows, Unit: "1"},
		{Name: onsGone, Unit: "s"},
		{Name: onsCPU, Unit: "s"},
		{Name: onsOneStop, Unit: "1"},
		{Name: onsOtherStops, Unit: "1"},
	}
	latencyTable = []report.Metric{
		{Name: otherRequests, Unit: "1"},
		{Name: otherNever, Unit: "1"},
		{Name: otherRetransmitted, Unit: "1"},
		{Name: otherP50, Unit: "ms"},
		{Name: otherP99, Unit: "ms"},
		{Name: otherMax, Unit: "ms"},
	}
	flapTable = append(latencyTable[:len(latencyTable):len(latencyTable)], report.Metric{Name: flapsSent, Unit: "1"}, report.Metric{Name: flapsAnswered, Unit: "1"})
)

func onsTitle(s nasesSizes) string {
	return fmt.Sprintf("Accounting-On of %s NASes at once", report.Count(s.nases))
}

func (n *nasesBench) onsNote() string {
	return fmt.Sprintf(`The %s sessions are spread evenly over the NASes. The daemon answers an On when it has stored durably
that the NAS is closed; the stops follow in the background. When the last row is gone the daemon is
killed (SIGKILL), and the stop records in its store are counted.`,
		report.Count(n.sizes.rows))
}

func (n *nasesBench) meanwhileNote() string {
	return fmt.Sprintf(`Another NAS sends %g requests per second, starts and interims in turn, at fixed times whether or not
answers arrive. It is measured for %v before the Accounting-Ons, then until the last of them is
answered, and until the last row of these NASes is gone.`, n.sizes.rate, n.sizes.quiet)
}

func (n *nasesBench) flapNote() string {
	return fmt.Sprintf(`There are %s sessions of %s NASes. One more NAS flaps: it sends a start and an Accounting-On %d times
per second. The other NAS sends %d requests, %d per second, starts and interims in turn: first while no
NAS flaps, then while that one does.`,
		report.Count(n.sizes.flapRows), report.Count(n.sizes.nases), flapRate, n.sizes.requests, besideFlaps)
}
