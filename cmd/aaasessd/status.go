package main

import (
	"fmt"
	"time"

	"aaasess/accounting"
	"aaasess/agent/agentx"
	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/internal/api"
	nasradius "aaasess/sessions/radius"
)

// newAgentXStatus returns the status of the connection to the master agent.
func newAgentXStatus(s agentx.Stats) api.AgentXStatus {
	out := api.AgentXStatus{State: "connected", Reason: string(s.Reason), Since: s.Since.UTC(), Connects: s.Connects, Malformed: s.Malformed}
	if !s.Connected {
		out.State = "disconnected"
		if s.LastError != nil {
			out.Error = s.LastError.Error()
		}
	}
	return out
}

// registerStatus adds the status of each part to /v1/status.
func (d *daemon) registerStatus() {
	d.control.RegisterStatus("queues", func() any { return acctcontrol.Queues(d.methods) })
	d.control.RegisterStatus("records", func() any { return d.router.Stats() })
	d.control.RegisterStatus("interims", func() any { return map[string]uint64{"made": d.interims.Records()} })
	d.control.RegisterStatus(api.StaleSection, func() any { return api.StaleStatus{Ended: d.stale.Ended()} })
	d.control.RegisterStatus(api.SupersededSection, func() any { return d.superseded.status() })
	d.control.RegisterStatus("waiting", func() any { return d.waiting() })
	d.control.RegisterStatus("resyncs", func() any { return acctcontrol.Resyncs(d.resyncs) })
	d.control.RegisterStatus("servers", func() any { return acctcontrol.Servers(d.methods) })
	d.control.RegisterStatus(api.RadiusSection, func() any { return listenerStatus(d.listener.Stats()) })
	if a := d.authentication; a != nil {
		d.control.RegisterStatus(api.AuthenticationSection, func() any {
			return authenticationStatus(a.listener.Stats(), a.relay.Stats(), d.admissions.Stats())
		})
	}
	if a := d.dynAuth; a != nil {
		d.control.RegisterStatus(api.DynAuthSection, func() any { return a.status() })
	}
	d.control.RegisterStatus("limits", func() any { return d.limits() })
	d.control.RegisterStatus("store", func() any {
		accepting := "yes"
		if err := d.store.Accepting(); err != nil {
			accepting = err.Error()
		}
		return map[string]string{"accepting": accepting, "state": d.state}
	})
	if d.snmp != nil {
		d.control.RegisterStatus(api.SNMPSection, func() any { return d.snmp.status() })
	}
	if d.subagent != nil {
		d.control.RegisterStatus(api.AgentXSection, func() any { return newAgentXStatus(d.subagent.Stats()) })
	}
	d.control.RegisterStatus("conditions", func() any { return d.conditions.Stats() })
	if d.snmp != nil || d.subagent != nil {
		d.control.RegisterStatus("stateChanges", func() any { return d.stateChanges.Stats() })
	}
}

// waitingStatus counts the records that wait because the configuration wants it.
type waitingStatus struct {
	Starts int `json:"starts"` // delay-start: for the address of their user
	Stops  int `json:"stops"`  // nested: for the stops of the sessions within theirs
}

func (d *daemon) waiting() waitingStatus {
	out := waitingStatus{Stops: d.table.WaitingStops()}
	for _, q := range d.methods.Queues() {
		out.Starts += q.Withheld
	}
	return out
}

// listenerStatus returns the status of the RADIUS accounting listener.
func listenerStatus(s nasradius.Stats) api.ListenerStatus {
	out := api.ListenerStatus{ListenerCounters: api.ListenerCounters(s.Counters), Clients: []api.ClientStatus{}}
	for _, c := range s.Clients {
		out.Clients = append(out.Clients, api.ClientStatus{Name: c.Name, Address: c.Prefix, LastAnswered: setTime(c.LastAnswered), ListenerCounters: api.ListenerCounters(c.Counters)})
	}
	return out
}

// setTime returns a time in UTC; nil for the zero Time.
func setTime(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC().Truncate(time.Millisecond)
	return &at
}

// reasons returns why the daemon is degraded: what an operator should look at. It is empty if all
// is well.
func (d *daemon) reasons() (out []string) {
	space := d.store.Space()
	switch {
	case space.Accepting != nil:
		out = append(out, "new events are refused: "+space.Accepting.Error())
	case space.Warning:
		out = append(out, "the store is running out of space (show spool)")
	}
	if n := len(d.store.Damage()); n > 0 {
		out = append(out, "a part of the store could not be read (show spool)")
	}
	states, queues := d.conditions.States(), acctcontrol.Queues(d.methods)
	if states.Spool && !space.SizeWarning {
		out = append(out, spoolReason(queues))
	}
	for _, q := range queues {
		blocked, isBlocked := blockedSince(states, q.Queue)
		switch {
		case q.Lost:
			out = append(out, fmt.Sprintf("queue %s: no method of some records is configured; waiting records: %d", q.Queue, q.Records))
		case q.Configured && !q.DownSince.IsZero():
			out = append(out, fmt.Sprintf("queue %s: no server answers since %s; waiting records: %d", q.Queue, q.DownSince.Format(time.RFC3339), q.Records))
		case q.Configured && q.Hold == api.HoldHeld && q.Records > 0:
			out = append(out, fmt.Sprintf("queue %s: held until an Accounting-On is answered; waiting records: %d", q.Queue, q.Records))
		case isBlocked:
			out = append(out, fmt.Sprintf("queue %s: no record leaves it; blocked since %s; waiting records: %d", q.Queue, blocked.UTC().Format(time.RFC3339), q.Records))
		}
	}
	out = append(out, silentGroups(d.authGroups())...)
	if n := accounting.NewSpool(d.store).Len(); n > 0 {
		out = append(out, fmt.Sprintf("set-aside records: %d (spool list)", n))
	}
	if n := d.terminator.Stuck(); n > 0 {
		out = append(out, fmt.Sprintf("sessions that cannot be ended: %d (show sessions --state stuck)", n))
	}
	if d.subagent != nil {
		if s := d.subagent.Stats(); !s.Connected {
			reason := "agentx: not connected to the master agent"
			if s.Reason != "" {
				reason += ": " + string(s.Reason)
			}
			out = append(out, reason)
		}
	}
	return out
}

// spoolReason returns the reason for a spool that is over its threshold.
func spoolReason(queues []api.Queue) string {
	records, oldest := uint64(0), time.Time{}
	for _, q := range queues {
		records += q.Records
		if !q.Oldest.IsZero() && (oldest.IsZero() || q.Oldest.Before(oldest)) {
			oldest = q.Oldest
		}
	}
	out := fmt.Sprintf("the spool is over its threshold; waiting records: %d", records)
	if !oldest.IsZero() {
		out += ", the oldest of " + oldest.Format(time.RFC3339)
	}
	return out + " (show spool)"
}
