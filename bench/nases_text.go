package main

import (
	"fmt"

	"aaasess/bench/report"
)

const nasesIntro = `What the Accounting-On of one NAS, or of many, costs another NAS. All NASes have a NAS-Identifier, a NAS-IP-Address and a source address
of their own; all are of one client entry. The daemon is started on a state that a killed process has left. It spools its records: nobody is at
the group's server. NASes and daemon share all CPUs. A request is sent again after 3 s, 4 times in all. Times are from the moment at which
a request was due.`

var (
	onsTable = []report.Metric{
		{Name: onsSent, Unit: "1"},
		{Name: onsAnswered, Unit: "1"},
		{Name: onsAgain, Unit: "1"},
		{Name: onsP50, Unit: "ms"},
		{Name: onsLast, Unit: "s"},
		{Name: onsRows, Unit: "1"},
		{Name: onsGone, Unit: "s"},
		{Name: onsCPU, Unit: "s"},
		{Name: onsOne, Unit: "1"},
		{Name: onsOther, Unit: "1"},
	}
	latencyTable = []report.Metric{
		{Name: otherRequests, Unit: "1"},
		{Name: otherNever, Unit: "1"},
		{Name: otherAgain, Unit: "1"},
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
	return report.OneLine(fmt.Sprintf(`%s sessions, as many of each NAS. An On is answered when a mark is durable that says that the NAS is closed; the stops
follow in the background. Stop records are counted in the store, after the daemon was killed (SIGKILL) when the last row had gone.`,
		report.Count(n.sizes.rows)))
}

func (n *nasesBench) meanwhileNote() string {
	return report.OneLine(fmt.Sprintf(`%g requests a second of one more NAS, a start and an interim in turn, sent at fixed times whatever the answers do: for
%v before the Accounting-Ons, then until the last of them is answered, and until the last row of these NASes is gone.`, n.sizes.rate, n.sizes.quiet))
}

func (n *nasesBench) flapNote() string {
	return report.OneLine(fmt.Sprintf(`%s sessions of %s NASes. One more NAS sends a start and an Accounting-On %d times a second; another sends %d requests, %d
a second, a start and an interim in turn: first alone, then while that one flaps.`,
		report.Count(n.sizes.flapRows), report.Count(n.sizes.nases), flapRate, n.sizes.requests, besideFlaps))
}
