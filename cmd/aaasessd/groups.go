package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aaasess/accounting"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	acctradius "aaasess/accounting/radius"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius/client"
)

// ServerGroups are the groups that are configured, with what is known of them.
func (d *commands) ServerGroups() []control.ServerGroup {
	out := []control.ServerGroup{}
	for _, s := range d.methods.Statuses() {
		if g, ok := acctradius.StatusOf(s.Spec, s.Method); ok && s.Configured {
			out = append(out, serverGroup(s, g))
		}
	}
	return out
}

func serverGroup(s methods.Status, g acctradius.GroupStatus) control.ServerGroup {
	spec := g.Spec
	out := control.ServerGroup{
		Name: spec.Group, Description: spec.Description, AcctOnOff: acctOnOff(s, spec),
		AccessAlgorithm: spec.Algorithm.String(), HoldDown: control.InSeconds(spec.HoldDown),
		Window: spec.Window, DrainRate: spec.DrainRate, LastManagementChange: s.Since.UTC(), Waiting: &s.Waiting,
	}
	if spec.Source.IsValid() {
		out.SourceAddress = spec.Source.String()
	}
	if dc := spec.DeadCriteria; dc.Tries > 0 {
		out.DeadCriteria = &control.DeadCriteria{Time: control.InSeconds(dc.Time), Tries: dc.Tries}
	}
	for i, server := range spec.Servers {
		out.Servers = append(out.Servers, groupServer(i, server, g.Stats.Servers[i]))
	}
	return out
}

// groupServer is a server with its statistics.
func groupServer(i int, s client.Member, st client.ServerStats) control.GroupServer {
	out := control.GroupServer{
		Index: i + 1, Name: s.Name, Address: s.Host, AccountingPort: s.Port, OperState: "unknown",
		Timeout: control.InSeconds(s.Schedule.Timeout), Retransmit: s.Schedule.Retransmit,
	}
	if s.Schedule.BackoffRetry > 0 {
		out.Backoff = &control.Backoff{MaxDelay: control.InSeconds(s.Schedule.MaxDelay), Retry: s.Schedule.BackoffRetry}
	}
	if st.Addr.IsValid() { // a name that is not known yet stands for itself
		out.Address = st.Addr.Addr().String()
	}
	switch st.State {
	case client.Up:
		out.OperState = "up"
	case client.Dead:
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

// acctOnOff is what a group does with Accounting-On and -Off.
func acctOnOff(s methods.Status, spec *acctradius.Spec) control.AcctOnOff {
	out := control.AcctOnOff{State: control.Unknown, MonitorGroup: spec.MonitorGroup, Enabled: spec.MonitorGroup != ""}
	if a := spec.AcctOnOff; a != nil {
		out.Enabled, out.OperStateChange, out.Group = true, a.Blocks, a.Controls
	}
	if s.Monitored != nil {
		out.Blocked = s.Monitored.Blocked
	}
	if own := s.OnOff; own != nil {
		out.Blocked = own.Blocked
		out.State, out.SessionID, out.Server = control.AcctState(own.State.String()), own.SessionID, own.Server
		out.LastStateChange = own.Changed.UTC()
		if own.Trigger != onoff.TriggerNone {
			out.Trigger = own.Trigger.String()
		}
	}
	return out
}

// OnOffGroups are the groups of acct-on-off.
func (d *commands) OnOffGroups() []control.OnOffGroup {
	out := []control.OnOffGroup{}
	for _, g := range d.methods.OnOffGroups() {
		og := control.OnOffGroup{Name: g.Name, Description: g.Description, Controlling: []string{}, Monitoring: slices.Clone(g.Monitors)}
		if g.Controller != "" {
			og.Controlling = append(og.Controlling, g.Controller)
		}
		out = append(out, og)
	}
	return out
}

// Perform has an Accounting-On or -Off of a group sent.
func (d *commands) Perform(_ context.Context, req control.PerformRequest) error {
	err := d.methods.Perform(accounting.Group(req.Group), req.Action == control.AcctOn, req.Force, req.AcctTerminateCause)
	switch {
	case errors.Is(err, methods.ErrNoMethod):
		return fmt.Errorf("%w: %s", control.ErrNoGroup, req.Group)
	case errors.Is(err, methods.ErrNoOnOff):
		return fmt.Errorf("%s: %w", req.Group, control.ErrNoAcctOnOff)
	case errors.Is(err, onoff.ErrAcknowledged):
		return fmt.Errorf("%s: %w", req.Group, control.ErrAcknowledged)
	}
	return err
}
