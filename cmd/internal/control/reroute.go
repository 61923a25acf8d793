package control

import (
	"errors"
	"net/http"

	"aaasess/cmd/internal/api"
)

// reroute is POST /v1/spool/reroute.
func (s *Server) reroute(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	var req api.RerouteRequest
	err := decodeBody(r.Body, &req)
	if err == nil && (req.Queue == "" || req.List == "") {
		err = errors.New("body: want queue and list")
	}
	if err != nil {
		s.writeBodyError(w, err)
		return
	}
	n, err := s.cfg.Accounting.Reroute(req.Queue, req.List)
	if err != nil {
		s.writeError(w, statusCode(err), err)
		return
	}
	s.cfg.Logger.Info("queue rerouted by command", "uid", r.Context().Value(peerKey{}),
		"queue", req.Queue, "list", req.List, "records", n)
	s.writeJSON(w, http.StatusOK, api.RecordsAnswer{Records: n})
}
