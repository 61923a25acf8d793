package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"aaasess/cmd/internal/api"
)

// A [TestNotification] returns these errors, wrapped; the answer is 404. Any other error means that
// nothing can be sent now (503).
var (
	// ErrNoTarget is returned if no target of notifications has the name.
	ErrNoTarget = errors.New("no such target of notifications")
	// ErrNoTargets is returned if no target of notifications and no master agent is configured.
	ErrNoTargets = errors.New("no target of notifications is configured, and no master agent")
)

// TestNotification sends a test notification to the target with a name, or to all targets and the
// master agent if the name is "". The channel has each outcome as soon as it is known, and is closed
// after the last one. When ctx is done, the outcome of the others is
// [api.NotificationWaiting]. The caller need not receive all outcomes.
type TestNotification func(ctx context.Context, target string) (<-chan api.NotificationOutcome, error)

// testNotification is POST /v1/notifications/test. It writes each outcome when it is known.
func (s *Server) testNotification(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	var req api.TestNotificationRequest
	if err := decodeBody(r.Body, &req); err != nil && !errors.Is(err, io.EOF) { // the body may be empty
		s.writeBodyError(w, err)
		return
	}
	if req.Wait < 0 || req.Wait > api.InSeconds(api.MaxWait) {
		s.writeError(w, http.StatusBadRequest, fmt.Errorf("body: wait: want 0 to %v seconds", api.MaxWait.Seconds()))
		return
	}
	if s.cfg.TestNotification == nil {
		s.writeError(w, http.StatusNotFound, ErrNoTargets)
		return
	}
	ctx, done := s.untilEnd(r)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(req.Wait.Duration(), api.DefaultNotificationWait))
	defer cancel()
	outcomes, err := s.cfg.TestNotification(ctx, req.Target)
	switch {
	case errors.Is(err, ErrNoTarget), errors.Is(err, ErrNoTargets):
		s.writeError(w, http.StatusNotFound, err)
		return
	case err != nil:
		s.writeError(w, http.StatusServiceUnavailable, err)
		return
	}
	s.cfg.Logger.Info("test notification by command", "uid", r.Context().Value(peerKey{}), "target", req.Target)
	s.writeOutcomes(w, outcomes)
}

func (s *Server) writeOutcomes(w http.ResponseWriter, outcomes <-chan api.NotificationOutcome) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // net/http goes on reading to notice a closed connection
	w.Header().Set("Content-Type", "application/jsonl")
	if control.Flush() != nil { // the client waits for the first octets
		return
	}
	for o := range outcomes {
		o.Error = api.ValidText(o.Error)
		b, err := json.Marshal(o)
		_ = control.SetWriteDeadline(time.Now().Add(sendTimeout))
		if err == nil {
			_, err = w.Write(append(b, '\n'))
		}
		if err != nil || control.Flush() != nil {
			return // the client has gone
		}
	}
	_ = control.SetWriteDeadline(time.Now().Add(sendTimeout)) // for the end of the answer
}
