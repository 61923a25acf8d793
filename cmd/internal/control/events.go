package control

import (
	"bufio"
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

// eventPause is the time between two reads of a queue of events. Together with the size of the queue
// it limits what a stream costs: about 10,000 events a second are described and written.
const eventPause = 100 * time.Millisecond

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
	select {
	case s.listeners <- struct{}{}:
		defer func() { <-s.listeners }()
	default:
		s.writeError(w, http.StatusServiceUnavailable, fmt.Errorf("more than %d commands show accountable events at the same time", api.MaxListeners))
		return
	}
	method := api.GroupMethod(filter.Group)
	listener := s.cfg.Events.Listen(func(e *tap.Event) bool {
		return (filter.Group == "" || slices.Contains(e.Methods, method)) && s.match(&filter.Filter, e.Session)
	})
	defer listener.Close()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // net/http goes on reading to notice a closed connection
	_ = control.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "application/jsonl")
	out := &eventWriter{s: s, Writer: bufio.NewWriterSize(w, 64<<10), control: control}
	if out.flush() == nil { // the client waits for the first octets
		out.run(r, listener)
	}
}

// isGroup reports whether a group is configured, or has sessions or records left.
func (s *Server) isGroup(name string) bool {
	return slices.ContainsFunc(s.cfg.Accounting.ServerGroups(), func(g api.ServerGroup) bool { return g.Name == name }) ||
		slices.ContainsFunc(s.cfg.Accounting.Spool().Queues, func(q api.Queue) bool { return q.Queue == api.GroupQueue(name) })
}

// eventWriter writes events as lines of JSON.
type eventWriter struct {
	s *Server
	*bufio.Writer
	control *http.ResponseController
}

// run writes events until the client has gone or the daemon ends. The events that are queued at the
// end of the daemon are written too.
func (w *eventWriter) run(r *http.Request, l *tap.Listener) {
	for ending := false; !ending; {
		select {
		case e := <-l.Events():
			if w.event(&e) != nil {
				return
			}
		case <-w.s.ending:
			ending = true
		case <-r.Context().Done():
			return
		}
		if w.drain(l) != nil {
			return
		}
		select {
		case <-time.After(eventPause):
		case <-w.s.ending:
		case <-r.Context().Done():
			return
		}
	}
}

// drain writes what is in the queue, but not more than it can hold: others may fill it meanwhile.
func (w *eventWriter) drain(l *tap.Listener) error {
	for range tap.QueueSize {
		select {
		case e := <-l.Events():
			if err := w.event(&e); err != nil {
				return err
			}
			continue
		default:
		}
		if err := w.leftOut(l.LeftOut()); err != nil {
			return err
		}
		break
	}
	return w.flush()
}

// event writes an event, and before it how many are missing.
func (w *eventWriter) event(e *tap.Event) error {
	if err := w.leftOut(e.LeftOut); err != nil {
		return err
	}
	return w.line(api.EventLine{AccountableEvent: w.s.describeEvent(e)})
}

func (w *eventWriter) leftOut(n uint64) error {
	if n == 0 {
		return nil
	}
	return w.line(api.EventLine{LeftOut: n})
}

func (w *eventWriter) line(l api.EventLine) error { return w.write(l) }

// flush sends what has been written.
func (w *eventWriter) flush() error {
	if err := w.Flush(); err != nil {
		return err
	}
	return w.control.Flush()
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
