package acctcontrol

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"aaasess/accounting"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	acctradius "aaasess/accounting/radius"
	accttacacs "aaasess/accounting/tacacs"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// ServerGroups implements control.Accounting.
func (c *Accounting) ServerGroups() []api.ServerGroup {
	out := []api.ServerGroup{}
	for _, s := range c.cfg.Methods.Statuses() {
		if g, ok := serverGroup(s); ok && s.Configured {
			out = append(out, g)
		}
	}
	return c.addManaged(c.addAuthentication(out))
}

// serverGroup returns the group of a method. It returns false for a method that is none.
func serverGroup(s methods.Status) (api.ServerGroup, bool) {
	if g, ok := acctradius.StatusOf(s.Spec, s.Method); ok {
		return radiusGroup(s, g), true
	}
	if g, ok := accttacacs.StatusOf(s.Spec, s.Method); ok {
		return tacacsGroup(s, g), true
	}
	return api.ServerGroup{}, false
}

func radiusGroup(s methods.Status, g acctradius.GroupStatus) api.ServerGroup {
	spec := g.Spec
	out := api.ServerGroup{
		Name: spec.Group, Protocol: api.RADIUS, Description: spec.Description, AcctOnOff: acctOnOff(s, spec.MonitorGroup),
		SourceAddress: address(spec.Source), AccessAlgorithm: spec.Algorithm.String(), BatchSize: spec.BatchSize,
		HoldDown: api.InSeconds(spec.HoldDown), DeadCriteria: deadCriteria(spec.DeadCriteria),
		Window: spec.Window, DrainRate: spec.DrainRate, LastManagementChange: s.Since.UTC(), Waiting: &s.Waiting,
	}
	for i, m := range spec.Servers {
		server := groupServer(i, m.Host, m.Port, m.Schedule, &g.Stats.Servers[i])
		server.Test = serverTest(&m.Test)
		out.Servers = append(out.Servers, server)
	}
	return out
}

func tacacsGroup(s methods.Status, g accttacacs.GroupStatus) api.ServerGroup {
	spec := g.Spec
	out := api.ServerGroup{
		Name: spec.Group, Protocol: api.TACACS, Description: spec.Description, AcctOnOff: acctOnOff(s, ""),
		SourceAddress: address(spec.Source), AccessAlgorithm: "direct",
		HoldDown: api.InSeconds(spec.HoldDown), DeadCriteria: deadCriteria(spec.DeadCriteria),
		Window: spec.Window, DrainRate: spec.DrainRate, LastManagementChange: s.Since.UTC(), Waiting: &s.Waiting,
	}
	for i, m := range spec.Servers {
		st := &g.Stats.Servers[i]
		server := groupServer(i, m.Host, m.Port, m.Schedule, &st.Stats)
		server.TACACS = &api.TACACSServer{
			SingleConnection: m.SingleConnection, Agreed: st.SingleConnection, MaxConnections: m.Connections, Watchdog: "plain",
			Connections: st.Connections, Opened: st.Opened, Failed: st.SendErrors, Errors: st.Errors, Follows: st.Follows,
		}
		if m.WatchdogStart {
			server.TACACS.Watchdog = "with-start"
		}
		out.Servers = append(out.Servers, server)
	}
	return out
}

// address returns an address as text, "" if there is none.
func address(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func deadCriteria(c servers.DeadCriteria) *api.DeadCriteria {
	if c.Tries == 0 {
		return nil
	}
	return &api.DeadCriteria{Time: api.InSeconds(c.Time), Tries: c.Tries}
}

// groupServer returns a server with its statistics.
func groupServer(i int, host string, port uint16, s retry.Schedule, st *servers.Stats) api.GroupServer {
	out := api.GroupServer{
		Index: i + 1, Name: st.Name, Address: host, AccountingPort: port, OperState: operState(st.State),
		Timeout: api.InSeconds(s.Timeout), Retransmit: s.Retransmit,
	}
	if s.BackoffRetry > 0 {
		out.Backoff = &api.Backoff{MaxDelay: api.InSeconds(s.MaxDelay), Retry: s.BackoffRetry}
	}
	if st.Addr.IsValid() { // else the host name is not resolved yet
		out.Address = st.Addr.Addr().String()
	}
	out.Statistics, out.State = serverStatistics(st), serverState(&st.Server)
	return out
}

// serverState returns the state of a server as a whole, nil if it is unknown.
func serverState(l *servers.Lifetime) *api.ServerState {
	if l.Since.IsZero() {
		return nil
	}
	out := &api.ServerState{
		OperState: "up", Since: l.Since.UTC(), PreviousDuration: api.InSeconds(l.Previous), TotalDeadTime: api.InSeconds(l.TotalDead), DeadCount: l.Deaths,
	}
	if l.Dead {
		out.OperState = "down"
	}
	return out
}

// Servers returns the status of the servers, by group.
func Servers(set *methods.Set) map[string]api.ServerStatus {
	out := map[string]api.ServerStatus{}
	for _, s := range set.Statuses() {
		g, ok := serverGroup(s)
		if !ok {
			continue
		}
		status := api.ServerStatus{Servers: g.Servers}
		if r, ok := acctradius.StatusOf(s.Spec, s.Method); ok {
			status.InvalidServerAddresses = r.Stats.InvalidServerAddresses
		}
		out[g.Name] = status
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

// acctOnOff returns the state of Accounting-On and -Off of a group. monitors is the acct-on-off-group
// that it monitors.
func acctOnOff(s methods.Status, monitors string) api.AcctOnOff {
	out := api.AcctOnOff{State: api.StateUnknown, MonitorGroup: monitors, After: string(s.After), Enabled: monitors != "" || s.After != ""}
	if a := s.Spec.OnOff(); a != nil {
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
