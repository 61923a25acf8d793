package main

import (
	"time"

	"aaasess/accounting/methods"
	acctradius "aaasess/accounting/radius"
	"aaasess/agent/agentx"
	"aaasess/internal/radius/client"
)

// agentxStatus is the status of the connection to the master agent.
type agentxStatus struct {
	State     string        `json:"state"`            // connected or disconnected
	Reason    agentx.Reason `json:"reason,omitempty"` // why it is disconnected
	Since     time.Time     `json:"since"`            // of the state
	Connects  uint64        `json:"connects"`
	Malformed uint64        `json:"malformed"`
	Error     string        `json:"error,omitempty"` // of the last attempt, while disconnected
}

func newAgentXStatus(s agentx.Stats) agentxStatus {
	out := agentxStatus{State: "connected", Reason: s.Reason, Since: s.Since.UTC(), Connects: s.Connects, Malformed: s.Malformed}
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
	d.control.RegisterStatus("queues", func() any { return spoolQueues(d.methods) })
	d.control.RegisterStatus("records", func() any { return d.router.Stats() })
	d.control.RegisterStatus("servers", func() any { return serverStats(d.methods) })
	d.control.RegisterStatus("radius", func() any { return d.listener.Stats() })
	d.control.RegisterStatus("limits", func() any { return d.limits() })
	d.control.RegisterStatus("store", func() any {
		accepting := "yes"
		if err := d.store.Accepting(); err != nil {
			accepting = err.Error()
		}
		return map[string]string{"accepting": accepting, "state": d.state}
	})
	if d.snmp != nil {
		d.control.RegisterStatus("snmp", d.snmp.status)
	}
	if d.subagent != nil {
		d.control.RegisterStatus("agentx", func() any { return newAgentXStatus(d.subagent.Stats()) })
	}
}

// serverStats returns the statistics of the servers, by group.
func serverStats(set *methods.Set) map[string]client.Stats {
	out := map[string]client.Stats{}
	for _, s := range set.Statuses() {
		if g, ok := acctradius.StatusOf(s.Spec, s.Method); ok {
			out[g.Spec.Group] = g.Stats
		}
	}
	return out
}
