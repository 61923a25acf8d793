package web

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Stream returns a handler for answers that go on: at most n at the same time, others get 503. The context
// of a request is done when its client has gone, the Server ends, or the web configuration does not let its
// client in any more: one who was removed from basic_auth_users sees nothing new, at most admitEvery later.
// There is no limit to the time of an answer, but each Write and Flush must end within the time that other
// answers have as a whole.
func (s *Server) Stream(n int, h http.Handler) http.Handler {
	return Limited(n, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.over, cancel)()
		go s.endUnadmitted(ctx, cancel, r)
		out := &streamed{w, http.NewResponseController(w), s.sending}
		_ = out.control.SetWriteDeadline(time.Time{})
		h.ServeHTTP(out, r.WithContext(ctx))
	}))
}

// admitEvery is how often a stream checks whether its client would still be let in.
const admitEvery = 2 * time.Second

// endUnadmitted ends an answer that goes on when its client is not let in any more. It returns when ctx is
// done.
func (s *Server) endUnadmitted(ctx context.Context, end context.CancelFunc, r *http.Request) {
	tick := time.NewTicker(admitEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !s.admits(r) {
			end()
			return
		}
	}
}

// streamed is an answer whose parts have a time limit each.
type streamed struct {
	http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
}

// Write implements http.ResponseWriter.
func (s *streamed) Write(b []byte) (n int, err error) {
	err = s.timed(func() error {
		n, err = s.ResponseWriter.Write(b)
		return err
	})
	return n, err
}

// FlushError is what an http.ResponseController calls.
func (s *streamed) FlushError() error { return s.timed(s.control.Flush) }

// Unwrap is what an http.ResponseController calls for all else.
func (s *streamed) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// timed calls a function that writes. A limit that stayed would end an HTTP/2 stream that has nothing to
// send.
func (s *streamed) timed(write func() error) error {
	return errors.Join(s.control.SetWriteDeadline(time.Now().Add(s.limit)), write(), s.control.SetWriteDeadline(time.Time{}))
}
