package control

import (
	"context"
	"net/http"

	"aaasess/accounting/tap"
	"aaasess/cmd/internal/api"
)

// Handlers are requests of the control socket for another socket, which decides who may make them. The
// answers are the same but for errors.
type Handlers struct {
	List       http.HandlerFunc // GET /v1/sessions
	Show       http.HandlerFunc // GET PATH/{id}
	Disconnect http.HandlerFunc // POST /v1/sessions/disconnect
}

// Handlers returns the requests for sessions. refuse writes their errors, uid returns who makes them.
func (s *Server) Handlers(refuse func(w http.ResponseWriter, status int, err error), uid func(*http.Request) int) Handlers {
	elsewhere := func(handle http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r = r.WithContext(context.WithValue(r.Context(), peerKey{}, uid(r)))
			r.Body = http.MaxBytesReader(w, r.Body, api.MaxBody)
			handle(refusing{w, refuse}, r)
		}
	}
	return Handlers{List: elsewhere(s.listSessions), Show: elsewhere(s.showSession), Disconnect: elsewhere(s.disconnect)}
}

// refusing is the ResponseWriter of a request whose errors are written in another way.
type refusing struct {
	http.ResponseWriter
	refuse func(w http.ResponseWriter, status int, err error)
}

// Unwrap is for http.ResponseController.
func (r refusing) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// DescribeEvent returns the JSON form of an accountable event.
func (s *Server) DescribeEvent(e *tap.Event) *api.AccountableEvent { return s.describeEvent(e) }
