package main

import (
	"time"

	"aaasess/accounting"
	"aaasess/accounting/radius"
)

// queueStatus is a queue as "aaasess show status" shows it.
type queueStatus struct {
	Queue      string `json:"queue"`
	Records    uint64 `json:"records"`    // that wait
	Configured bool   `json:"configured"` // else what is in it was for a method that is no longer in the file
	InFlight   int    `json:"inFlight"`
	Delivered  uint64 `json:"delivered"`
	NoResponse uint64 `json:"noResponse"`
	Refused    uint64 `json:"refused"`
	DownSince  string `json:"downSince,omitempty"`
}

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
	d.control.RegisterStatus("queues", func() any { return d.methods.queues() })
	d.control.RegisterStatus("servers", func() any { return d.methods.servers() })
	d.control.RegisterStatus("radius", func() any { return d.listener.Stats() })
	d.control.RegisterStatus("store", func() any {
		accepting := "yes"
		if err := d.store.Accepting(); err != nil {
			accepting = err.Error()
		}
		return map[string]string{"accepting": accepting, "state": d.state}
	})
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

// queues are the store's queues, with what their Deliverers tell.
func (m *methods) queues() []queueStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	byQueue, configured := map[string]accounting.Stats{}, map[string]bool{}
	for name, r := range m.running {
		_, removed := m.removed[name]
		byQueue[name.Queue()], configured[name.Queue()] = r.deliverer.Stats(), !removed
	}
	out := []queueStatus{}
	for _, q := range m.store.Queues() {
		s := byQueue[q.Name]
		st := queueStatus{
			Queue: q.Name, Records: q.Len, Configured: configured[q.Name], InFlight: s.InFlight,
			Delivered: s.Delivered, NoResponse: s.NoResponse, Refused: s.Refused,
		}
		if !s.DownSince.IsZero() {
			st.DownSince = s.DownSince.UTC().Format(time.RFC3339)
		}
		out = append(out, st)
	}
	return out
}

// servers are the statistics of the servers, by group.
func (m *methods) servers() map[string]radius.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]radius.Stats{}
	for name, r := range m.running {
		if g, ok := r.impl.(interface{ Stats() radius.Stats }); ok {
			out[name.Group()] = g.Stats()
		}
	}
	return out
}
