package main

import "fmt"

const nasesIntro = `What the Accounting-On of one NAS, or of many, costs another NAS. All NASes have a NAS-Identifier, a NAS-IP-Address and a source address
of their own; all are of one client entry. The daemon is started on a state that a killed process has left. It spools its records: nobody is at
the group's server. NASes and daemon share all CPUs. A request is sent again after 3 s, 4 times in all. Times are from the moment at which
a request was due.`

var (
	onsTable = []metric{
		{onsSent, "1"},
		{onsAnswered, "1"},
		{onsAgain, "1"},
		{onsP50, "ms"},
		{onsLast, "s"},
		{onsRows, "1"},
		{onsGone, "s"},
		{onsCPU, "s"},
		{onsOne, "1"},
		{onsOther, "1"},
	}
	latencyTable = []metric{
		{otherRequests, "1"},
		{otherNever, "1"},
		{otherAgain, "1"},
		{otherP50, "ms"},
		{otherP99, "ms"},
		{otherMax, "ms"},
	}
	flapTable = append(latencyTable[:len(latencyTable):len(latencyTable)], metric{flapsSent, "1"}, metric{flapsAnswered, "1"})
)

func onsTitle(s nasesSizes) string {
	return fmt.Sprintf("Accounting-On of %s NASes at once", count(s.nases))
}

func (n *nasesBench) onsNote() string {
	return oneLine(fmt.Sprintf(`%s sessions, as many of each NAS. An On is answered when a mark is durable that says that the NAS is closed; the stops
follow in the background. Stop records are counted in the store, after the daemon was killed (SIGKILL) when the last row had gone.`,
		count(n.sizes.rows)))
}

func (n *nasesBench) meanwhileNote() string {
	return oneLine(fmt.Sprintf(`%g requests a second of one more NAS, a start and an interim in turn, sent at fixed times whatever the answers do: for
%v before the Accounting-Ons, then until the last of them is answered, and until the last row of these NASes is gone.`, n.sizes.rate, n.sizes.quiet))
}

func (n *nasesBench) flapNote() string {
	return oneLine(fmt.Sprintf(`%s sessions of %s NASes. One more NAS sends a start and an Accounting-On %d times a second; another sends %d requests, %d
a second, a start and an interim in turn: first alone, then while that one flaps.`,
		count(n.sizes.flapRows), count(n.sizes.nases), flapRate, n.sizes.requests, besideFlaps))
}
