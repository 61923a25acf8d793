package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"

	"aaasess/cmd/internal/api"
)

// showStatus is GET /v1/status.
func (s *Server) showStatus(w http.ResponseWriter, r *http.Request) {
	if s.noParameters(w, r) {
		s.writeJSON(w, http.StatusOK, s.Status())
	}
}

// Status returns the status of the daemon. The sections are those that RegisterStatus has added.
func (s *Server) Status() api.Status {
	s.mu.Lock()
	sections := maps.Clone(s.sections)
	s.mu.Unlock()
	view := s.table.View()
	status := api.Status{
		Verdict: api.VerdictOK, Reasons: []string{}, Version: s.cfg.Version, Started: s.started.UTC().Truncate(time.Second), Entries: view.Entries(),
		Calls: s.table.Calls(), HighWaterMark: view.HighWater, Total: view.Total, Disconnected: view.Disconnected,
		Sections: map[string]json.RawMessage{},
	}
	if s.cfg.Reasons != nil {
		for _, reason := range s.cfg.Reasons() {
			status.Verdict, status.Reasons = api.VerdictDegraded, append(status.Reasons, api.ValidText(reason))
		}
	}
	for name, fn := range sections {
		b, err := json.Marshal(fn())
		if err != nil { // one invalid section must not hide the others
			b, _ = json.Marshal(api.Problem{Error: err.Error()})
		}
		status.Sections[name] = b
	}
	return status
}

// parseURL returns the parameters of a request. r.URL.Query would ignore errors.
func parseURL(r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", api.ErrQuery, err)
	}
	return values, nil
}
