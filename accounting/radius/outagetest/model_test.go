package outagetest

import (
	"slices"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"

	"aaasess/internal/retry"
	"aaasess/internal/servers"

	"aaasess/internal/radius/client"

	"pgregory.net/rapid"
)

// plan is one run of the model: everything that rapid draws.
type plan struct {
	seed   uint64
	fair   bool         // servers are good or dead, nothing in between
	groups [2]groupPlan // at the start
	events []event
}

// groupPlan is the configuration of a group.
type groupPlan struct {
	servers   []serverPlan
	algorithm client.Algorithm
	criteria  servers.DeadCriteria
	holdDown  time.Duration
	window    int
}

type serverPlan struct {
	host     int
	schedule retry.Schedule
}

// method returns how records are delivered to a group. Rounds is one for a long back-off, as in the
// daemon, except where the test must show that a record is not set aside if it met only dead
// servers.
func (g groupPlan) method(fair bool) accounting.MethodConfig {
	c := accounting.MethodConfig{}
	if !fair && !slices.ContainsFunc(g.servers, func(s serverPlan) bool { return s.schedule.BackoffRetry < 12 }) {
		c.Rounds = 1
	}
	return c
}

// patience returns how long a record of a session of its own may take when all servers are good,
// but there are poison records that they never answer. A poison record may be the probe. Every
// other transmission of its schedule is another record, which may be poison too.
func (g groupPlan) patience(poison int) time.Duration {
	const retryMax = time.Minute
	longest, normal := time.Duration(0), time.Duration(0)
	for _, s := range g.servers {
		normal += s.schedule.Timeout * time.Duration(max(0, s.schedule.Retransmit)+1)
		if s.schedule.BackoffRetry > 0 {
			longest = max(longest, s.schedule.MaxDelay)
		}
	}
	return time.Duration(1+poison)*2*(longest+normal) + 2*retryMax + max(0, g.holdDown)
}

type eventKind string

// Kinds of events.
const (
	addRecord    eventKind = "record" // the next record of a line's session
	addPoison    eventKind = "poison" // a record that no server ever answers
	setStyle     eventKind = "style"
	setHold      eventKind = "hold"
	setMethod    eventKind = "method" // adds or replaces a group
	removeMethod eventKind = "no method"
	restart      eventKind = "restart"
	powerCut     eventKind = "power cut"
)

type event struct {
	kind   eventKind
	line   int  // of a record; further records are of the next lines
	count  int  // how many records
	last   bool // the records are stops, if there was a start
	method int  // of the other events
	host   int  // hostsPerMethod: all hosts
	style  int
	hold   delivery.Hold
	group  groupPlan
	wait   time.Duration // wait after the event
}

// modelLines is how many sessions exist at once; line i has route modelRoutes[i%3].
const modelLines = 9

// modelRoutes are the routes of sessions, as indexes of their methods. The beats have routes of one
// method.
var modelRoutes = [3][]int{{0, 1}, {0}, {1, 0}}

// maxPoison is the most records that no server ever answers.
const maxPoison = 3

// kinds has each kind of event as often as it should occur.
var kinds = []eventKind{
	addRecord, addRecord, addRecord, addRecord, addRecord, addRecord, addRecord, addRecord, addRecord,
	setStyle, setStyle, setStyle, setStyle, setHold, setMethod, setMethod, removeMethod, restart,
	powerCut, addPoison,
}

func drawEvent(rt *rapid.T) event {
	e := event{
		kind: rapid.SampledFrom(kinds).Draw(rt, "kind"),
		wait: rapid.SampledFrom([]time.Duration{0, 2 * time.Millisecond, time.Second, 5 * time.Second, 17 * time.Second, time.Minute, 3 * time.Minute}).Draw(rt, "wait"),
	}
	switch e.kind {
	case addRecord, addPoison:
		e.line = rapid.IntRange(0, modelLines-1).Draw(rt, "line")
		e.count = rapid.SampledFrom([]int{1, 4, 20}).Draw(rt, "count")
		e.last = rapid.IntRange(0, 2).Draw(rt, "last") == 1
		return e
	case restart, powerCut:
		return e
	}
	e.method = rapid.IntRange(0, 1).Draw(rt, "method")
	switch e.kind {
	case setStyle:
		e.host = hostsPerMethod - rapid.IntRange(0, hostsPerMethod).Draw(rt, "host")
		e.style = rapid.IntRange(0, len(styles)-1).Draw(rt, "style")
	case setHold:
		e.hold = delivery.Hold(rapid.IntRange(0, 2).Draw(rt, "hold"))
	case setMethod:
		e.group = drawGroup(rt)
	}
	return e
}

func drawGroup(rt *rapid.T) groupPlan {
	g := groupPlan{
		algorithm: client.Algorithm(rapid.IntRange(0, 1).Draw(rt, "algorithm")),
		holdDown:  rapid.SampledFrom([]time.Duration{30 * time.Second, -1, time.Second, 5 * time.Minute}).Draw(rt, "holdDown"),
		window:    rapid.SampledFrom([]int{8, 1, 2, 600}).Draw(rt, "window"),
	}
	if rapid.Bool().Draw(rt, "criteria") {
		g.criteria = servers.DeadCriteria{
			Time:  time.Duration(rapid.IntRange(0, 20).Draw(rt, "time")) * time.Second,
			Tries: rapid.IntRange(1, 6).Draw(rt, "tries"),
		}
	}
	hosts := rapid.Permutation([]int{0, 1, 2, 3}).Draw(rt, "hosts")
	for _, h := range hosts[:rapid.IntRange(1, hostsPerMethod).Draw(rt, "servers")] {
		g.servers = append(g.servers, serverPlan{h, drawSchedule(rt)})
	}
	return g
}

func drawSchedule(rt *rapid.T) retry.Schedule {
	s := retry.Schedule{
		Timeout:    time.Duration(rapid.IntRange(1, 5).Draw(rt, "timeout")) * time.Second,
		Retransmit: rapid.SampledFrom([]int{3, -1, 1, 2}).Draw(rt, "retransmit"),
	}
	if s.BackoffRetry = rapid.SampledFrom([]int{0, 0, 1, 4, 12}).Draw(rt, "backoffRetry"); s.BackoffRetry > 0 {
		s.MaxDelay = time.Duration(rapid.IntRange(1, 120).Draw(rt, "maxDelay")) * time.Second
	}
	return s
}

// Servers do anything; the process restarts, loses power, loses a group or gets another one.
// Everything that must arrive does, where it should, in the order of its session over all servers.
// A record that is never answered is set aside and delays no other.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := plan{
			seed:   rapid.Uint64().Draw(rt, "seed"),
			fair:   rapid.Bool().Draw(rt, "fair"),
			groups: [2]groupPlan{drawGroup(rt), drawGroup(rt)},
		}
		// With one slice, few plans would be long.
		some := rapid.SliceOfN(rapid.Custom(drawEvent), 1, 12)
		p.events = slices.Concat(rapid.SliceOfN(some, 1, 8).Draw(rt, "events")...)
		for _, fault := range runModel(t, p) {
			rt.Error(fault)
		}
	})
}
