package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
	acctradius "aaasess/accounting/radius"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/control"
)

// serverGroups are the groups that are configured, with what is known of them.
func (m *methods) serverGroups() []control.ServerGroup {
	waiting := m.waiting()
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []control.ServerGroup{}
	for name, r := range m.running {
		g, ok := r.spec.(config.Group)
		if _, removed := m.removed[name]; !ok || removed {
			continue
		}
		n := waiting[name.Queue()]
		sg := control.ServerGroup{
			Name: g.Name, Description: g.Description, AcctOnOff: m.acctOnOff(r, g),
			AccessAlgorithm: g.AccessAlgorithm, HoldDown: control.InSeconds(g.HoldDown),
			Window: g.Window, DrainRate: float64(g.DrainRate), LastManagementChange: r.loaded.UTC(), Waiting: &n,
		}
		if g.SourceAddress.IsValid() {
			sg.SourceAddress = g.SourceAddress.String()
		}
		if dc := g.DeadCriteria; dc.Tries > 0 {
			sg.DeadCriteria = &control.DeadCriteria{Time: control.InSeconds(dc.Time), Tries: dc.Tries}
		}
		var stats acctradius.Stats
		if s, ok := r.impl.(interface{ Stats() acctradius.Stats }); ok {
			stats = s.Stats()
		}
		for i, s := range g.Servers {
			sg.Servers = append(sg.Servers, groupServer(i, s, stats.Servers))
		}
		out = append(out, sg)
	}
	return out
}

// groupServer is a server with its statistics: the ones that have its name, if it was found yet.
func groupServer(i int, s config.Server, stats []acctradius.ServerStats) control.GroupServer {
	out := control.GroupServer{
		Index: i + 1, Name: s.Name, Address: s.Host, AccountingPort: s.Port, OperState: "unknown",
		Timeout: control.InSeconds(s.Timeout), Retransmit: s.Retransmit,
	}
	if s.Backoff.Retry > 0 {
		out.Backoff = &control.Backoff{MaxDelay: control.InSeconds(s.Backoff.MaxDelay), Retry: s.Backoff.Retry}
	}
	at := slices.IndexFunc(stats, func(st acctradius.ServerStats) bool { return st.Name == s.Name })
	if at < 0 {
		return out
	}
	st := stats[at]
	out.Address = st.Addr.Addr().String()
	switch st.State {
	case acctradius.Up:
		out.OperState = "up"
	case acctradius.Dead:
		out.OperState = "down"
	}
	out.Statistics = control.ServerStatistics{
		Requests: st.Requests, Retransmissions: st.Retransmissions, Responses: st.Responses, Timeouts: st.Timeouts,
		MalformedResponses: st.MalformedResponses, BadAuthenticators: st.BadAuthenticators,
		Unexpected: st.UnknownTypes + st.PacketsDropped, PendingRequests: uint64(max(0, st.PendingRequests)),
		RoundTripTime: control.InSeconds(st.RoundTripTime), AverageResponseTime: control.InSeconds(st.AverageResponseTime),
		Successes: st.Successes, Failures: st.Failures,
		StateSince: st.StateSince.UTC(), PreviousStateDuration: control.InSeconds(st.PreviousState),
		TotalDeadTime: control.InSeconds(st.TotalDeadTime), DeadCount: st.DeadCount,
	}
	if !st.DownUntil.IsZero() {
		out.Statistics.DownUntil = st.DownUntil.UTC()
	}
	return out
}

// acctOnOff is what a group does with Accounting-On and -Off. The caller holds the lock.
func (m *methods) acctOnOff(r *method, g config.Group) control.AcctOnOff {
	out := control.AcctOnOff{State: control.Unknown}
	if g.AcctOnOff == nil {
		return out
	}
	out.Enabled = true
	out.OperStateChange, out.Group, out.MonitorGroup = g.AcctOnOff.OperStateChange, g.AcctOnOff.Group, g.AcctOnOff.MonitorGroup
	of := r
	if out.MonitorGroup != "" {
		of = m.controller(out.MonitorGroup)
	}
	if of == nil || of.onOff == nil {
		return out
	}
	s := of.onOff.Status()
	out.Blocked = s.Blocked
	if of == r {
		out.State, out.SessionID, out.Server = control.AcctState(s.State.String()), s.SessionID, s.Server
		out.LastStateChange = s.Changed.UTC()
		if s.Trigger != onoff.TriggerNone {
			out.Trigger = s.Trigger.String()
		}
	}
	return out
}

// controller is the method whose Accounting-On an acct-on-off-group waits for; nil if it does not run.
func (m *methods) controller(onOffGroup string) *method {
	for _, g := range m.onOff.groups {
		if g.Name == onOffGroup && g.Controller != "" {
			return m.running[accounting.Group(g.Controller)]
		}
	}
	return nil
}

// onOffGroups are the groups of acct-on-off.
func (m *methods) onOffGroups() []control.OnOffGroup {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []control.OnOffGroup{}
	for _, g := range m.onOff.groups {
		og := control.OnOffGroup{Name: g.Name, Description: m.onOff.descriptions[g.Name], Controlling: []string{}, Monitoring: slices.Clone(g.Monitors)}
		if g.Controller != "" {
			og.Controlling = append(og.Controlling, g.Controller)
		}
		out = append(out, og)
	}
	return out
}

// perform has an Accounting-On or -Off of a group sent, as control.Accounting says.
func (m *methods) perform(req control.PerformRequest) error {
	name := accounting.Group(req.Group)
	m.mu.Lock()
	r := m.running[name]
	_, removed := m.removed[name]
	var onOff *onoff.Sender
	if r != nil {
		onOff = r.onOff
	}
	m.mu.Unlock()
	switch {
	case r == nil || removed:
		return fmt.Errorf("%w: %s", control.ErrNoGroup, req.Group)
	case onOff == nil:
		return fmt.Errorf("%s: %w", req.Group, control.ErrNoAcctOnOff)
	}
	err := onOff.Perform(req.Action == control.AcctOn, req.Force, req.AcctTerminateCause)
	if errors.Is(err, onoff.ErrAcknowledged) {
		return fmt.Errorf("%s: %w", req.Group, control.ErrAcknowledged)
	}
	return err
}

// delivers reports whether somebody delivers a record that is in a queue and has these methods besides.
func (m *methods) delivers(queue string, next []accounting.MethodName) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := append([]accounting.MethodName{accounting.MethodOf(queue)}, next...)
	return slices.ContainsFunc(append(all, m.routes[m.rerouted[queue]]...), func(name accounting.MethodName) bool {
		return m.running[name] != nil
	})
}

// waiting is how many records each queue has.
func (m *methods) waiting() map[string]uint64 {
	n := map[string]uint64{}
	for _, q := range m.store.Queues() {
		n[q.Name] = q.Len
	}
	return n
}

// spoolQueues are the queues of the methods that are configured, and of others that have records.
func (m *methods) spoolQueues() []control.Queue {
	waiting := m.waiting()
	m.mu.Lock()
	defer m.mu.Unlock()
	queues := map[string]control.Queue{}
	for name := range m.running {
		_, removed := m.removed[name]
		queues[name.Queue()] = m.spoolQueue(name, !removed)
	}
	for queue, n := range waiting {
		if _, runs := queues[queue]; !runs && n > 0 && queue != accounting.RefusedQueue {
			queues[queue] = m.spoolQueue(accounting.MethodOf(queue), false)
		}
	}
	out := slices.Collect(maps.Values(queues))
	slices.SortFunc(out, func(a, b control.Queue) int { return cmp.Compare(a.Queue, b.Queue) })
	return out
}

var holds = map[delivery.Hold]control.Hold{
	delivery.Open: control.HoldOpen, delivery.Held: control.HoldHeld, delivery.Away: control.HoldAway,
}

// spoolQueue is how a method and its queue are. The caller holds the lock.
func (m *methods) spoolQueue(name accounting.MethodName, configured bool) control.Queue {
	q, s := m.delivery.Queue(name.Queue()), m.delivery.Method(name)
	return control.Queue{
		Queue: q.Queue, Configured: configured, Lost: q.Lost, Rerouted: m.rerouted[q.Queue],
		Records: q.Pending, Oldest: q.Oldest.UTC(), InFlight: s.InFlight,
		Delivered: s.Delivered, Elsewhere: q.Elsewhere, Superseded: q.Superseded, SetAside: q.Refused + q.SetAside, Refused: q.Refused,
		NoResponse: s.NoResponse, DownSince: s.DownSince.UTC(), NextProbe: s.NextProbe.UTC(), Hold: holds[s.Hold], Draining: s.Draining,
	}
}
