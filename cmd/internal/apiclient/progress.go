package apiclient

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"time"

	"aaasess/cmd/internal/api"
)

// progressKey is the key of a context for the function that observes a request.
type progressKey struct{}

// withProgress returns a context for a request: progress gets how far it is.
func withProgress(ctx context.Context, progress func(done, total int)) context.Context {
	if progress == nil {
		return ctx
	}
	return context.WithValue(ctx, progressKey{}, progress)
}

// alive returns the context of a request. Each informational response says that the daemon is at work,
// so the timeout begins again.
func (a *answer) alive(ctx context.Context, timeout time.Duration) context.Context {
	progress, _ := ctx.Value(progressKey{}).(func(done, total int))
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			a.timer.Reset(timeout)
			if progress == nil || code != http.StatusProcessing {
				return nil
			}
			done, err := strconv.Atoi(header.Get(api.HeaderDone))
			if err != nil {
				return nil // of a daemon that says no more than that it is at work
			}
			if total, err := strconv.Atoi(header.Get(api.HeaderTotal)); err == nil {
				progress(done, total)
			}
			return nil
		},
	})
}
