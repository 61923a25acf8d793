package control

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// explain is GET /v1/explain/{name}: a session ID or the name of a record.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	ctx, cancel := s.untilEnd(r)
	defer cancel()
	text := r.PathValue("name")
	var out api.Explanation
	name, err := api.ParseRecordName(text)
	if err == nil {
		var id sessions.ID
		if out, id, err = s.cfg.Accounting.ExplainRecord(ctx, name); err == nil {
			s.explainedSession(&out, s.live(id))
		}
	} else {
		id, idErr := api.ParseID(text)
		if idErr != nil {
			s.writeError(w, http.StatusBadRequest, fmt.Errorf("%w: %q is neither a session ID, such as 0000000D, nor the name of a record, such as group/isp:812", api.ErrQuery, text))
			return
		}
		live := s.live(sessions.ID(id))
		if out, err = s.cfg.Accounting.Explain(ctx, sessions.ID(id), live); err == nil {
			s.explainedSession(&out, live)
		}
		if until, waits := s.table.StopWaits(sessions.ID(id)); waits && (err == nil || errors.Is(err, ErrNothingToExplain)) {
			if err != nil {
				out, err = api.Explanation{Methods: []api.ExplainedMethod{}, Records: []api.ExplainedRecord{}, Complete: true}, nil
			}
			until = until.UTC().Truncate(time.Millisecond)
			out.StopWaits = &until
		}
	}
	if err != nil {
		s.writeError(w, statusCode(err), err)
		return
	}
	for i := range out.Records {
		r := &out.Records[i]
		r.Session, r.List, r.Reason = api.ValidText(r.Session), api.ValidText(r.List), api.ValidText(r.Reason)
	}
	s.writeJSON(w, http.StatusOK, out)
}

// live returns a live session or call, or nil.
func (s *Server) live(id sessions.ID) *sessions.Session {
	return cmp.Or(s.table.View().Get(id), s.table.Call(id))
}

// explainedSession adds a live session to an explanation.
func (s *Server) explainedSession(out *api.Explanation, live *sessions.Session) {
	if live != nil {
		session := s.describe(live)
		out.Session = &session
		if granted := live.Granted(); granted != "" {
			out.Granted = s.printed(granted)
		}
	}
}
