package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/logtap"
)

// errNoDebug answers a request for lines of the log if nobody can watch it.
var errNoDebug = errors.New("the log of this daemon cannot be watched")

// isTopic reports whether a line of the log belongs to a topic, by its constant text.
var isTopic = map[string]func(message string) bool{
	"radius": func(m string) bool {
		return strings.HasPrefix(m, "RADIUS ") || strings.HasPrefix(m, "disconnect:") || strings.HasPrefix(m, "accounting request") ||
			strings.HasPrefix(m, "access request") || strings.HasPrefix(m, "dynamic authorization request")
	},
	"tacacs": func(m string) bool { return strings.HasPrefix(m, "TACACS+ ") },
	"snmp": func(m string) bool {
		return strings.HasPrefix(m, "snmp: ") || strings.HasPrefix(m, "agentx: ") || strings.HasPrefix(m, "notify: ") || strings.HasSuffix(m, " by SNMP")
	},
}

// aliases are the keys of the log that a key of a filter selects by.
var aliases = map[string][]string{"from": {"from", "address"}, "session": {"session", "nas_session"}, "user": {"user", "by"}}

// matchLine reports whether a line has all the values of a filter.
func matchLine(f *api.DebugFilter, l *logtap.Line) bool {
	for key, want := range f.Values {
		names := aliases[key]
		if names == nil {
			names = []string{key}
		}
		found := false
		for _, a := range l.Attrs {
			for _, name := range names {
				if a.Key != name {
					continue
				}
				text := a.Value.String()
				found = found || text == want || key == "from" && f.From.IsValid() && f.From.Contains(addressOf(text))
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// addressOf returns the address in an address, or an address with a port; the zero Addr if text is none.
func addressOf(text string) netip.Addr {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap()
	}
	a, _ := netip.ParseAddr(text)
	return a.Unmap()
}

// streamDebug is GET /v1/debug.
func (s *Server) streamDebug(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Log == nil {
		s.writeError(w, http.StatusNotFound, errNoDebug)
		return
	}
	var filter api.DebugFilter
	values, err := parseURL(r)
	if err == nil {
		filter, err = api.ParseDebugFilter(values)
	}
	if err != nil {
		s.writeError(w, http.StatusBadRequest, err)
		return
	}
	select {
	case s.listeners <- struct{}{}:
		defer func() { <-s.listeners }()
	default:
		s.writeError(w, http.StatusServiceUnavailable, fmt.Errorf("more than %d commands show events or the log at the same time", api.MaxListeners))
		return
	}
	listener := s.cfg.Log.Listen(logtap.Filter{Topic: isTopic[filter.Topic], Match: func(l *logtap.Line) bool { return matchLine(&filter, l) }})
	defer listener.Close()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // net/http goes on reading to notice a closed connection
	_ = control.SetWriteDeadline(time.Time{})
	w.Header().Set("Content-Type", "application/jsonl")
	out := &eventWriter{s: s, Writer: bufio.NewWriterSize(w, 64<<10), control: control}
	if out.flush() == nil { // the client waits for the first octets
		out.runLines(r, listener)
	}
}

// runLines writes lines of the log until the client has gone or the daemon ends.
func (w *eventWriter) runLines(r *http.Request, l *logtap.Listener) {
	tick := time.NewTicker(eventPause)
	defer tick.Stop()
	for {
		select {
		case line := <-l.Lines():
			if w.logLine(&line) != nil {
				return
			}
			continue
		case <-tick.C:
		case <-w.s.ending:
			_ = w.flush()
			return
		case <-r.Context().Done():
			return
		}
		if n := l.LeftOut(); n > 0 && len(l.Lines()) == 0 {
			if w.write(api.DebugLine{LeftOut: n}) != nil {
				return
			}
		}
		if w.flush() != nil {
			return
		}
	}
}

func (w *eventWriter) logLine(l *logtap.Line) error {
	if l.LeftOut > 0 {
		if err := w.write(api.DebugLine{LeftOut: l.LeftOut}); err != nil {
			return err
		}
	}
	entry := &api.DebugEntry{Time: l.Time.UTC(), Level: l.Level.String(), Message: l.Message, Attributes: []api.Attribute{}}
	for _, a := range l.Attrs {
		entry.Attributes = append(entry.Attributes, api.Attribute{Name: a.Key, Value: api.ValidText(a.Value.Resolve().String())})
	}
	return w.write(api.DebugLine{DebugEntry: entry})
}

func (w *eventWriter) write(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
