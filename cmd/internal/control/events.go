package control

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"aaasess/accounting/tap"
	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// errNoEvents answers a request for events if there is no tap.
var errNoEvents = errors.New("this daemon has no accountable events")

// streamEvents is GET /v1/accounting/events.
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Events == nil {
		s.writeError(w, http.StatusNotFound, errNoEvents)
		return
	}
	var filter api.EventFilter
	values, err := parseURL(r)
	if err == nil {
		filter, err = api.ParseEventFilter(values)
	}
	if err != nil {
		s.writeError(w, http.StatusBadRequest, err)
		return
	}
	if filter.Group != "" && !s.isGroup(filter.Group) {
		s.writeError(w, http.StatusNotFound, fmt.Errorf("server group %q: %w", filter.Group, ErrNoGroup))
		return
	}
	method := api.GroupMethod(filter.Group)
	stream(s, w, r, s.cfg.Events, func(e *tap.Event) bool {
		return (filter.Group == "" || slices.Contains(e.Methods, method)) && s.match(&filter.Filter, e.Session)
	}, func(e *tap.Event, leftOut uint64) any {
		line := api.EventLine{LeftOut: leftOut}
		if e != nil {
			line.AccountableEvent = s.describeEvent(e)
		}
		return line
	})
}

// isGroup reports whether a group is configured, or has sessions or records left.
func (s *Server) isGroup(name string) bool {
	return slices.ContainsFunc(s.cfg.Accounting.ServerGroups(), func(g api.ServerGroup) bool { return g.Name == name }) ||
		slices.ContainsFunc(s.cfg.Accounting.Spool().Queues, func(q api.Queue) bool { return q.Queue == api.GroupQueue(name) })
}

// describeEvent returns the JSON form of an event.
func (s *Server) describeEvent(e *tap.Event) *api.AccountableEvent {
	out := &api.AccountableEvent{
		Time: e.Seen.UTC().Truncate(time.Millisecond), At: e.At.UTC().Truncate(time.Millisecond),
		Type: s.eventType(&e.Notice), Made: e.Attrs == "", Resync: e.Only != "", Session: s.describeRow(e.Session),
		List: api.ValidText(e.List), Methods: slices.Clone(e.Methods), Broadcast: e.Broadcast, NotRecorded: e.NotRecorded,
	}
	if out.Methods == nil {
		out.Methods = []string{}
	}
	if e.Session.ID == 0 {
		out.ID = ""
	}
	if out.Made {
		out.SessionTime = uint32(min(e.Lasted/time.Second, 1<<32-1))
	}
	if e.Session.Kind == sessions.Command {
		level, text := e.Attrs.Command()
		out.Command = &api.EventCommand{Level: level, Text: api.ValidText(text)}
	}
	if e.Type == sessions.Stop {
		cause, _ := e.Attrs.Uint32(radius.AcctTerminateCause)
		out.TerminateCause = s.valueName(radius.AcctTerminateCause, cmp.Or(e.Cause, cause))
	}
	return out
}

// eventType returns the name of the Acct-Status-Type of an event.
func (s *Server) eventType(n *sessions.Notice) string {
	if status, ok := n.Attrs.Uint32(radius.AcctStatusType); ok && n.Type == sessions.Other {
		return s.valueName(radius.AcctStatusType, status)
	}
	return n.Type.String()
}

// valueName returns the name of a value of an attribute, its number if it has none, or "" for 0.
func (s *Server) valueName(t radius.Type, n uint32) string {
	if n == 0 {
		return ""
	}
	return cmp.Or(api.ValidText(s.cfg.Names().ValueName(t, n)), strconv.FormatUint(uint64(n), 10))
}
