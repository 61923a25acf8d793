package main

import (
	"time"

	acctradius "aaasess/accounting/radius"
)

// agentxStatus is the connection to the master agent.
type agentxStatus struct {
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"`
	Connects  uint64    `json:"connects"`
	Malformed uint64    `json:"malformed"`
	Error     string    `json:"error,omitempty"`
}

// registerStatus tells the control socket what each part says of itself.
func (d *daemon) registerStatus() {
	d.control.RegisterStatus("queues", func() any { return d.methods.spoolQueues() })
	d.control.RegisterStatus("records", func() any { return d.router.Stats() })
	d.control.RegisterStatus("servers", func() any { return d.methods.servers() })
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

// servers are the statistics of the servers, by group.
func (m *methods) servers() map[string]acctradius.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]acctradius.Stats{}
	for name, r := range m.running {
		if g, ok := r.impl.(interface{ Stats() acctradius.Stats }); ok {
			out[name.Group()] = g.Stats()
		}
	}
	return out
}
