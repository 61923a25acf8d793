package acctcontrol

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aaasess/accounting"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	acctradius "aaasess/accounting/radius"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
)

// ServerGroups implements control.Accounting.
func (c *Accounting) ServerGroups() []api.ServerGroup {
	out := []api.ServerGroup{}
	for _, s := range c.cfg.Methods.Statuses() {
		if g, ok := acctradius.StatusOf(s.Spec, s.Method); ok && s.Configured {
			out = append(out, serverGroup(s, g))
		}
	}
	return out
}

func serverGroup(s methods.Status, g acctradius.GroupStatus) api.ServerGroup {
	spec := g.Spec
	out := api.ServerGroup{
		Name: spec.Group, Description: spec.Description, AcctOnOff: acctOnOff(s, spec),
		AccessAlgorithm: spec.Algorithm.String(), BatchSize: spec.BatchSize, HoldDown: api.InSeconds(spec.HoldDown),
		Window: spec.Window, DrainRate: spec.DrainRate, LastManagementChange: s.Since.UTC(), Waiting: &s.Waiting,
	}
	if spec.Source.IsValid() {
		out.SourceAddress = spec.Source.String()
	}
	if dc := spec.DeadCriteria; dc.Tries > 0 {
		out.DeadCriteria = &api.DeadCriteria{Time: api.InSeconds(dc.Time), Tries: dc.Tries}
	}
	for i, server := range spec.Servers {
		out.Servers = append(out.Servers, groupServer(i, server, g.Stats.Servers[i]))
	}
	return out
}

// groupServer returns a server with its statistics.
func groupServer(i int, s client.Member, st servers.Stats) api.GroupServer {
	out := api.GroupServer{
		Index: i + 1, Name: s.Name, Address: s.Host, AccountingPort: s.Port, OperState: operState(st.State),
		Timeout: api.InSeconds(s.Schedule.Timeout), Retransmit: s.Schedule.Retransmit,
	}
	if s.Schedule.BackoffRetry > 0 {
		out.Backoff = &api.Backoff{MaxDelay: api.InSeconds(s.Schedule.MaxDelay), Retry: s.Schedule.BackoffRetry}
	}
	if st.Addr.IsValid() { // else the host name is not resolved yet
		out.Address = st.Addr.Addr().String()
	}
	out.Statistics = api.ServerStatistics{
		Requests: st.Requests, Retransmissions: st.Retransmissions, Responses: st.Responses, Timeouts: st.Timeouts,
		MalformedResponses: st.MalformedResponses, BadAuthenticators: st.BadAuthenticators,
		Unexpected: st.UnknownTypes + st.PacketsDropped, PendingRequests: uint64(max(0, st.PendingRequests)),
		RoundTripTime: api.InSeconds(st.RoundTripTime), AverageResponseTime: api.InSeconds(st.AverageResponseTime),
		Successes: st.Successes, Failures: st.Failures,
		StateSince: st.StateSince.UTC(), PreviousStateDuration: api.InSeconds(st.PreviousState),
		TotalDeadTime: api.InSeconds(st.TotalDeadTime), DeadCount: st.DeadCount,
	}
	if !st.DownUntil.IsZero() {
		out.Statistics.DownUntil = st.DownUntil.UTC()
	}
	return out
}

// Servers returns the status of the servers, by group.
func Servers(set *methods.Set) map[string]api.ServerStatus {
	out := map[string]api.ServerStatus{}
	for _, s := range set.Statuses() {
		g, ok := acctradius.StatusOf(s.Spec, s.Method)
		if !ok {
			continue
		}
		status := api.ServerStatus{InvalidServerAddresses: g.Stats.InvalidServerAddresses}
		for i, server := range g.Spec.Servers {
			status.Servers = append(status.Servers, groupServer(i, server, g.Stats.Servers[i]))
		}
		out[g.Spec.Group] = status
	}
	return out
}

// operState returns the name of a server's state in the API.
func operState(s servers.State) string {
	switch s {
	case servers.Up:
		return "up"
	case servers.Dead:
		return "down"
	}
	return "unknown"
}

// acctOnOff returns the state of Accounting-On and -Off of a group.
func acctOnOff(s methods.Status, spec *acctradius.Spec) api.AcctOnOff {
	out := api.AcctOnOff{State: api.StateUnknown, MonitorGroup: spec.MonitorGroup, After: string(s.After), Enabled: spec.MonitorGroup != "" || s.After != ""}
	if a := spec.AcctOnOff; a != nil {
		out.Enabled, out.OperStateChange, out.Group = true, a.Blocks, a.Controls
	}
	if s.Monitored != nil {
		out.Blocked = s.Monitored.Blocked
	}
	if own := s.OnOff; own != nil {
		out.Blocked = own.Blocked
		out.State, out.SessionID, out.Server = api.AcctState(own.State.String()), own.SessionID, own.Server
		out.LastStateChange = own.Changed.UTC()
		if own.Trigger != onoff.TriggerNone {
			out.Trigger = own.Trigger.String()
		}
	}
	return out
}

// OnOffGroups implements control.Accounting.
func (c *Accounting) OnOffGroups() []api.OnOffGroup {
	out := []api.OnOffGroup{}
	for _, g := range c.cfg.Methods.OnOffGroups() {
		og := api.OnOffGroup{Name: g.Name, Description: g.Description, Controlling: []string{}, Monitoring: slices.Clone(g.Monitors)}
		if g.Controller != "" {
			og.Controlling = append(og.Controlling, g.Controller)
		}
		out = append(out, og)
	}
	return out
}

// Perform implements control.Accounting.
func (c *Accounting) Perform(_ context.Context, req api.PerformRequest) error {
	err := c.cfg.Methods.Perform(accounting.Group(req.Group), req.Action == api.AcctOn, req.Force, req.AcctTerminateCause)
	switch {
	case errors.Is(err, methods.ErrNoMethod):
		return fmt.Errorf("server group %q: %w", req.Group, control.ErrNoGroup)
	case errors.Is(err, methods.ErrNoOnOff):
		return fmt.Errorf("server group %q: %w", req.Group, control.ErrNoAcctOnOff)
	case errors.Is(err, onoff.ErrAcknowledged):
		return fmt.Errorf("server group %q: %w", req.Group, control.ErrAcknowledged)
	}
	return err
}
