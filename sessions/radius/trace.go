package radius

import (
	"context"
	"log/slog"
	"time"

	"aaasess/internal/radius"
)

// What became of a request, for the log.
const (
	outcomeAnswered      = "answered"
	outcomeAnsweredAgain = "duplicate, answered again"
	outcomeInProgress    = "duplicate of a request in flight"
	outcomeSuperseded    = "answer not sent, the NAS has reused the identifier"
	outcomeDropped       = "dropped"
	outcomeNotSent       = "answer not sent, too many wait"
)

// drop counts and logs a request that is not answered.
func (x *exchange) drop(what counter, now time.Time, why error) {
	x.endpoint.drop(x.client, what, x.from, now, why)
	x.trace(outcomeDropped, why, now)
}

// userOf returns the User-Name of a request for trace; "" if it logs nothing.
func (e *endpoint) userOf(p radius.Packet) string {
	if !e.log.Enabled(context.Background(), slog.LevelDebug) {
		return ""
	}
	return radius.Attributes(p.Attributes()).Text(radius.UserName)
}

// trace logs what became of a request, at level debug.
func (x *exchange) trace(outcome string, why error, now time.Time) {
	e := x.endpoint
	suppressed, ok := e.traced.Allow(e.log, now)
	if !ok {
		return
	}
	name := ""
	if x.client != nil {
		name = x.client.Name
	}
	args := []any{"client", name, "from", x.from, "outcome", outcome, "suppressed", suppressed}
	if x.request != 0 {
		args = append(args, []any{"code", x.request.String(), "id", x.key.identifier, "nas_session", x.session}...)
	}
	if x.user != "" {
		args = append(args, "user", x.user)
	}
	if why != nil {
		args = append(args, "err", why)
	}
	e.log.Debug(e.messages.received, args...)
}
