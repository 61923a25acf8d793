package accounting

import (
	"time"

	"aaasess/accounting/tap"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Why no record is made of an event, for people.
const (
	noList       = "no list records it"
	stopOnly     = "its list is stop-only"
	stopFailure  = "its list is stop-failure, and the call has not failed"
	nullUsername = "it has no User-Name (suppress-null-username)"
	failuresOff  = "it failed, and send-stop-record has no authentication-failure"
	successesOff = "it ended before its start, and send-stop-record has no authentication-success-remote-server"
	newInfoOff   = "it is a second start, and newinfo is off"
)

// Tap returns the tap that gets each event of [Router.Commit] and what becomes of it (R70).
func (r *Router) Tap() *tap.Tap { return &r.tap }

// offer shows an event to the tap, if anybody listens. to is its route, and branches is the number of
// queues that get a record of it.
func (r *Router) offer(n *sessions.Notice, to *preparedRoute, branches int) {
	if r.tap.Listened() {
		r.show(n, to, branches)
	}
}

func (r *Router) show(n *sessions.Notice, to *preparedRoute, branches int) {
	e := tap.Event{Notice: *n, Seen: time.Now()}
	if to != nil {
		e.List = to.route.List
	}
	switch {
	case branches == 0:
		e.List, e.NotRecorded = r.whyNot(n, to)
	case n.Only != "":
		e.Methods = []string{n.Only}
	case to.route.Broadcast:
		e.Methods, e.Broadcast = to.methods[:branches], true
	default:
		e.Methods = to.methods
	}
	r.tap.Offer(&e)
}

// whyNot returns the list of an event of which no record is made, and the reason.
func (r *Router) whyNot(n *sessions.Notice, to *preparedRoute) (list, reason string) {
	switch {
	case to == nil:
		if list, record, ok := RouteList(n.Session.Route.String()); ok && !record.includes(n) {
			if record == StopFailure {
				return list, stopFailure
			}
			return list, stopOnly
		}
		return "", r.whyNoList(n.Session)
	case to.route.SuppressNullUsername && isNullUsername(n):
		return to.route.List, nullUsername
	}
	return to.route.List, newInfoOff
}

// whyNoList returns why no list records a session. An event without a session ([sessions.OneOff]) may
// lack what one requires.
func (r *Router) whyNoList(s *sessions.Session) string {
	started, named := *s, *s
	started.Unstarted = 0
	named.Attrs = radius.Attributes(radius.AppendAttribute(nil, radius.UserName, "x")) + s.Attrs
	switch {
	case s.Unstarted != 0 && r.Route(&started) != "":
		if s.Unstarted == sessions.AuthenticatedRemotely {
			return successesOff
		}
		return failuresOff
	case (s.Unstarted != 0 || s.Kind == sessions.Command) && s.User() == "" && r.Route(&named) != "":
		return nullUsername
	}
	return noList
}

func methodTexts(list []MethodName) []string {
	out := make([]string, len(list))
	for i, m := range list {
		out[i] = string(m)
	}
	return out
}
