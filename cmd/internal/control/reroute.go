package control

import (
	"errors"
	"net/http"
)

// RerouteRequest has the records of a queue whose method is not configured any more go by a method list
// (R60): those that wait, and those that come to it later. It holds until the method is configured again.
type RerouteRequest struct {
	// Queue is where the records wait, as in [Queue]: "group/NAME" or "local". They stay there, and so
	// those of a session stay in order.
	Queue string `json:"queue"`
	// List is the accounting type and name of a method list, "network/default". The records go to its
	// methods, those that it has when they are sent, behind the methods of their own lists.
	List string `json:"list"`
}

// reroute is POST /v1/spool/reroute.
func (s *Server) reroute(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	var req RerouteRequest
	err := decodeBody(r.Body, &req)
	if err == nil && (req.Queue == "" || req.List == "") {
		err = errors.New("body: want queue and list")
	}
	if err != nil {
		s.refuseBody(w, err)
		return
	}
	n, err := s.cfg.Accounting.Reroute(req.Queue, req.List)
	if err != nil {
		s.refuse(w, refusal(err), err)
		return
	}
	s.cfg.Logger.Info("records of a queue go by another list, by command", "uid", r.Context().Value(peerKey{}),
		"queue", req.Queue, "list", req.List, "records", n)
	s.answer(w, http.StatusOK, RecordsAnswer{n})
}
