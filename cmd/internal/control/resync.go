package control

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"aaasess/cmd/internal/api"
)

// showResync is GET /v1/server-groups/{name}/resync.
func (s *Server) showResync(w http.ResponseWriter, r *http.Request) {
	if s.noParameters(w, r) {
		resync, err := s.cfg.Accounting.Resync(r.PathValue("name"))
		s.writeResync(w, resync, err)
	}
}

// beginResync is POST /v1/server-groups/{name}/resync/begin.
func (s *Server) beginResync(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	var req api.ResyncRequest
	err := decodeBody(r.Body, &req)
	switch {
	case errors.Is(err, io.EOF): // the body may be empty
		err = nil
	case err != nil:
	case req.Type != "" && req.Type != api.ResyncInterim && req.Type != api.ResyncStart:
		err = fmt.Errorf("body: type %q: want %s or %s", req.Type, api.ResyncInterim, api.ResyncStart)
	case req.Rate < 0 || req.Rate > api.MaxResyncRate:
		err = fmt.Errorf("body: rate %d: want 1 to %d", req.Rate, api.MaxResyncRate)
	}
	if err != nil {
		s.writeBodyError(w, err)
		return
	}
	resync, err := s.cfg.Accounting.BeginResync(r.PathValue("name"), req)
	if err == nil {
		s.cfg.Logger.Info("resync begun by command", "uid", r.Context().Value(peerKey{}),
			"group", resync.Group, "type", resync.Type, "rate", resync.Rate, "sessions", resync.Total)
	}
	s.writeResync(w, resync, err)
}

// cancelResync is POST /v1/server-groups/{name}/resync/cancel.
func (s *Server) cancelResync(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	ctx, done := s.untilEnd(r)
	defer done()
	resync, err := s.cfg.Accounting.CancelResync(ctx, r.PathValue("name"))
	if err == nil {
		s.cfg.Logger.Info("resync canceled by command", "uid", r.Context().Value(peerKey{}), "group", resync.Group)
	}
	s.writeResync(w, resync, err)
}

func (s *Server) writeResync(w http.ResponseWriter, resync api.Resync, err error) {
	if err != nil {
		s.writeError(w, statusCode(err), err)
		return
	}
	s.writeJSON(w, http.StatusOK, resync)
}
