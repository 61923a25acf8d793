package unixsocket

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// endTimeout is how long Serve waits for the requests that are open when it ends.
const endTimeout = time.Second

// Serve answers requests until ctx is done, and then removes the socket. stop is called when it begins
// to end: it makes answers end that would go on. The answers of clients that do not read are cut off.
func (s *Socket) Serve(ctx context.Context, srv *http.Server, stop func()) error {
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(s) }()
	select {
	case err := <-failed:
		stop()
		return errors.Join(err, s.Remove())
	case <-ctx.Done():
		stop()
		err := s.Remove()
		over, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		if srv.Shutdown(over) != nil {
			_ = srv.Close()
		}
		<-failed
		return err
	}
}
