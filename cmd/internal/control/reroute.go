package control

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// RerouteRequest moves the records of a queue whose method is not configured any more (R60).
type RerouteRequest struct {
	// Queue is where the records wait, as in [Queue]: "group/NAME" or "local".
	Queue string `json:"queue"`
	// List is the accounting type and name of a method list, "network/default". The records go to the
	// queue of its first method, as it is configured now.
	List string `json:"list"`
}

// reroute is POST /v1/spool/reroute. It takes as long as the move takes: it ends early only with the
// client or the Server.
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
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Time{}) // net/http watches for the end of the connection, but not until readTimeout only
	ctx, done := s.untilEnd(r)
	defer done()
	n, err := s.cfg.Accounting.Reroute(ctx, req.Queue, req.List)
	_ = conn.SetWriteDeadline(time.Now().Add(sendTimeout))
	if n > 0 {
		s.cfg.Logger.Info("records of the spool by command", "uid", r.Context().Value(peerKey{}),
			"done", "rerouted", "records", n, "queue", req.Queue, "list", req.List)
	}
	if err != nil {
		if n > 0 {
			err = fmt.Errorf("%w, when %d records were moved", err, n)
		}
		s.refuse(w, refusal(err), err)
		return
	}
	s.answer(w, http.StatusOK, RecordsAnswer{n})
}
