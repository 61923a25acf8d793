package control

import (
	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// List returns the part of the list of live sessions that a query asks for, as /v1/sessions does.
func (s *Server) List(q api.Query) (api.SessionsHead, []api.Session) {
	s.table.RefreshLinks()
	view := s.table.View()
	found := s.find(q.Filter, view)
	out := []api.Session{}
	for _, session := range pageOf(q, found) {
		out = append(out, s.describe(session))
	}
	return api.SessionsHead{Total: view.Len(), Matched: len(found)}, out
}

// Detail returns a live session with its attributes; false: it is not live.
func (s *Server) Detail(id api.ID) (api.SessionDetail, bool) {
	s.table.RefreshLinks()
	session := s.table.View().Get(sessions.ID(id))
	if session == nil {
		return api.SessionDetail{}, false
	}
	return s.detail(session), true
}
