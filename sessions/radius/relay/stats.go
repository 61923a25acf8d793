package relay

import (
	"slices"
	"strings"
)

// counter is an index of Relay.counters.
type counter uint8

const (
	requests counter = iota
	accepts
	rejects
	challenges
	noList
	blocked
	noResponse
	busy
	unusable
	looped
	badAnswers
	stopped
	unknownStates
	lateRecords
	counterCount
)

// groupCounter is an index of groupCounters.counters.
type groupCounter uint8

const (
	groupRequests groupCounter = iota
	groupAnswers
	groupSilent
	groupBlocked
	groupSkipped
	groupBusy
	groupCounterCount
)

func (r *Relay) count(what counter) { r.counters[what].Add(1) }

func (m *groupCounters) count(what groupCounter) { m.counters[what].Add(1) }

// Stats are the statistics of a Relay. Each of its Requests is in flight, or counts in exactly one of
// the fields from Accepts to Stopped.
type Stats struct {
	Requests uint64 // from NASes, without copies

	Accepts    uint64 // answered with Access-Accept
	Rejects    uint64 // answered with Access-Reject
	Challenges uint64 // answered with Access-Challenge
	NoList     uint64 // dropped: the client has no list
	Blocked    uint64 // dropped: all groups that could take them were blocked (R63)
	NoResponse uint64 // dropped: no server answered
	Busy       uint64 // dropped: too many requests were in flight
	Unusable   uint64 // dropped: they could not be rewritten
	Looped     uint64 // dropped: they came from this relay
	BadAnswers uint64 // dropped: the answer could not be rewritten
	Stopped    uint64 // dropped: the relay was stopping, or a reload removed their group

	UnknownStates uint64 // requests with a State whose server was not known
	LateRecords   uint64 // Rejects that did not wait any longer for their stop record

	InFlight int // requests that wait for their answer now
	Octets   int // of these requests
	States   int // State attributes whose server is known now

	Groups []GroupStats // in the order of their names
}

// GroupStats are the statistics of a group as a method of lists.
type GroupStats struct {
	Name     string
	InFlight int    // requests that the group has now
	Requests uint64 // sent to the group
	Answers  uint64 // answered by it
	Silent   uint64 // to which no server of the group responded
	Blocked  uint64 // not sent to it because it was blocked
	Skipped  uint64 // not sent to it because all its servers were dead and the list has another group
	Busy     uint64 // not sent to it because too many were in flight
}

// Stats returns a copy of the statistics.
func (r *Relay) Stats() Stats {
	n := func(what counter) uint64 { return r.counters[what].Load() }
	s := Stats{
		Requests: n(requests), Accepts: n(accepts), Rejects: n(rejects), Challenges: n(challenges), NoList: n(noList),
		Blocked: n(blocked), NoResponse: n(noResponse), Busy: n(busy), Unusable: n(unusable), Looped: n(looped),
		BadAnswers: n(badAnswers), Stopped: n(stopped), UnknownStates: n(unknownStates), LateRecords: n(lateRecords),
		InFlight: int(r.inFlight.Load()), Octets: int(r.octets.Load()), States: r.conversations.len(),
	}
	for _, m := range r.routes.Load().methods {
		s.Groups = append(s.Groups, GroupStats{
			Name: m.name, InFlight: int(m.inFlight.Load()), Requests: m.counters[groupRequests].Load(), Answers: m.counters[groupAnswers].Load(),
			Silent: m.counters[groupSilent].Load(), Blocked: m.counters[groupBlocked].Load(), Skipped: m.counters[groupSkipped].Load(), Busy: m.counters[groupBusy].Load(),
		})
	}
	slices.SortFunc(s.Groups, func(a, b GroupStats) int { return strings.Compare(a.Name, b.Name) })
	return s
}
