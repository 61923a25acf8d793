package main

import (
	"time"

	"aaasess/accounting/methods"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius/client"
)

// agentxStatus is the status of the connection to the master agent.
type agentxStatus struct {
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"`
	Connects  uint64    `json:"connects"`
	Malformed uint64    `json:"malformed"`
	Error     string    `json:"error,omitempty"`
}

// registerStatus adds the status of each part to /v1/status.
func (d *daemon) registerStatus() {
	d.control.RegisterStatus("queues", func() any { return spoolQueues(d.methods) })
	d.control.RegisterStatus("records", func() any { return d.router.Stats() })
	d.control.RegisterStatus("servers", func() any { return serverStats(d.methods) })
	d.control.RegisterStatus("radius", func() any { return d.listener.Stats() })
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
		d.control.RegisterStatus("agentx", func() any {
			s := d.subagent.Stats()
			out := agentxStatus{Connected: s.Connected, Since: s.Since, Connects: s.Connects, Malformed: s.Malformed}
			if s.LastError != nil && !s.Connected {
				out.Error = s.LastError.Error()
			}
			return out
		})
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
