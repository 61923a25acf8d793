package accounting

import (
	"slices"

	"aaasess/sessions"
)

// LeftOut says why a resync leaves a session out.
type LeftOut uint8

// The reasons. Included is none.
const (
	Included     LeftOut = iota
	Elsewhere            // its records do not go to the method
	StopOnlyList         // its list is stop-only
	Fallback             // the method gets its records only if other methods do not answer
	NullUsername         // no records are made of it while it has no User-Name
)

// Resync decides whether a resync of a method includes a live session, and with which record.
// wanted is Start or Interim. A method to which the session's list sends no interims gets a start.
//
// If the method is not the first of a list without broadcast, the session is left out: its records
// wait in the queue of the first method, so a record in another queue could arrive after the stop.
func (r *Router) Resync(s *sessions.Session, m MethodName, wanted sessions.EventType) (sessions.EventType, LeftOut) {
	n := sessions.Notice{Type: wanted, Session: s, Only: string(m)}
	to := r.ownRoute(s)
	if to == nil || !slices.Contains(to.route.Methods, m) {
		return 0, Elsewhere
	}
	switch route := to.route; {
	case !route.Record.includes(&n):
		return 0, StopOnlyList
	case len(to.branchesFor(&n)) == 0:
		return 0, Fallback
	case route.SuppressNullUsername && isNullUsername(&n):
		return 0, NullUsername
	case route.InterimsToFirst && m != route.Methods[0]:
		return sessions.Start, Included
	}
	return wanted, Included
}

// branchesFor returns the branches that a notice's record goes to.
func (p *preparedRoute) branchesFor(n *sessions.Notice) []branch {
	switch {
	case n.Only != "":
		queue := MethodName(n.Only).Queue()
		i := slices.IndexFunc(p.alone, func(b branch) bool { return b.queue == queue })
		if i < 0 {
			return nil
		}
		return p.alone[i : i+1]
	case n.Type == sessions.Interim && p.route.InterimsToFirst:
		return p.branches[:1]
	}
	return p.branches
}

// alone returns the branches of records to one method only. Such a record waits for its method: no
// other one takes it.
func (r *Route) alone() []branch {
	methods := r.Methods
	if !r.Broadcast {
		methods = methods[:1]
	}
	all := make([]branch, len(methods))
	for i, m := range methods {
		all[i] = branch{m.Queue(), appendRoute(nil, r.List, nil)}
	}
	return all
}
