package metrics

import (
	"maps"
	"slices"

	"aaasess/sessions"
)

var (
	live       = gauge("sessions", "Live sessions, by kind: network, exec or connection.", "kind")
	logins     = gauge("sessions_set_up", "Rows of logins whose accounting has not started (snmp.session-mib-populate: setup).")
	calls      = gauge("calls", "Live calls (accounting type resource). They are no sessions of the table.")
	groups     = gauge("vrrs_groups", "Groups of routers whose master is known (accounting type vrrs).")
	highWater  = gauge("sessions_high_water", "The most rows that the session table ever had (casnActiveTableHighWaterMark). It survives restarts.")
	started    = counter("sessions_started_total", "Sessions that have begun (casnTotalSessions). It survives restarts.")
	ended      = counter("sessions_disconnected_total", "Sessions that were ended by an operator, a manager or a server (casnDisconnectedSessions). It survives restarts.")
	refused    = counter("sessions_refused_total", "Starts and interims that were not answered because of a limit: max (sessions.max) or memory (GOMEMLIMIT).", "limit")
	stale      = counter("sessions_stale_total", "Sessions that were ended because their NAS has stopped reporting them.")
	superseded = counter("sessions_superseded_total", "Sessions that the start of another one has ended, by the attribute that both have.", "attribute")
	stuck      = gauge("sessions_stuck", "Sessions that were to be ended, and whose NAS does not do it.")
)

func (b *builder) addSessions(s *Sources) {
	if s.Sessions == nil {
		return
	}
	t := s.Sessions()
	for _, kind := range []sessions.Kind{sessions.Network, sessions.Exec, sessions.Connection} {
		b.add(live, float64(t.View.Of(kind)), nil, kind.String())
	}
	b.add(logins, float64(t.View.Entries()-t.View.Len()), nil)
	b.add(calls, float64(t.Calls), nil)
	b.add(groups, float64(t.Groups), nil)
	b.add(highWater, float64(t.View.HighWater), nil)
	b.count(started, t.View.Total, nil)
	b.count(ended, t.View.Disconnected, nil)
	b.count(refused, t.Refusals.Max, nil, "max")
	b.count(refused, t.Refusals.Memory, nil, "memory")
	b.count(stale, t.Stale, nil)
	for _, attribute := range slices.Sorted(maps.Keys(t.Superseded)) {
		b.count(superseded, t.Superseded[attribute], nil, attribute)
	}
	b.add(stuck, float64(t.Stuck), nil)
}
