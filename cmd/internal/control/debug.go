package control

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"

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
	topic := isTopic[filter.Topic]
	stream(s, w, r, s.cfg.Log, func(l *logtap.Line) bool { return topic(l.Message) && matchLine(&filter, l) }, debugLine)
}

// debugLine returns the JSON form of a line of the log, or of a number of lines that were left out.
func debugLine(l *logtap.Line, leftOut uint64) any {
	if l == nil {
		return api.DebugLine{LeftOut: leftOut}
	}
	entry := &api.DebugEntry{Time: l.Time.UTC(), Level: l.Level.String(), Message: l.Message, Attributes: []api.Attribute{}}
	for _, a := range l.Attrs {
		entry.Attributes = append(entry.Attributes, api.Attribute{Name: a.Key, Value: api.ValidText(a.Value.Resolve().String())})
	}
	return api.DebugLine{DebugEntry: entry}
}
