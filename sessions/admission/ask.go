package admission

import (
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Upstream is what a relayed Access-Request carries in place of the NAS's own attributes.
type Upstream struct {
	// SessionID is the Acct-Session-Id, "" if it stays as the NAS has sent it.
	SessionID string
	// Class are the Class attributes of the call's preauthentication, to be added (R56).
	Class []string
}

// Ask is called for each Access-Request before it is relayed. All rounds of a login get the same.
func (s *Store) Ask(q *Request) (u Upstream) {
	cfg := s.config.Load()
	if q.Kind == sessions.Resource {
		s.calls.Store(true)
	} else if !cfg.IncludeInAccessReq && !cfg.SyncWithClient && !s.calls.Load() {
		return u
	}
	w := whoOf(&q.NAS, q.Kind, q.Attrs)
	call := s.callOf(q, &w)
	for t, v := range call.granted.All() {
		if t == radius.Class && !q.Attrs.Has(t, v) {
			u.Class = append(u.Class, v)
		}
	}
	switch {
	case cfg.SyncWithClient: // of a request without Acct-Session-Id nobody knows what the NAS will send
		if name := cfg.name(&q.NAS, w.sid, 0); w.sid != "" && name != w.sid {
			u.SessionID = name
		}
	case cfg.IncludeInAccessReq:
		u.SessionID = s.number(q, &w, cfg, call.name)
	}
	return u
}

// callInfo is what is known of the call that a user logs in in.
type callInfo struct {
	name    string // its Acct-Session-Id upstream, "" if there is no call or no server was told one
	granted radius.Attributes
}

// callOf returns what is known of the call on the line of a user's request: from its
// preauthentication, or if its resource accounting has begun, from the table.
func (s *Store) callOf(q *Request, w *who) (c callInfo) {
	if w.call || !s.calls.Load() {
		return c
	}
	ev, line := q.event(w), *w
	line.call = true
	s.mu.Lock()
	if r, _ := s.find(&ev, &line); r != 0 {
		l := s.login(r)
		c = callInfo{l.upstream, l.granted}
		if cfg := s.config.Load(); c.name == "" && cfg.SyncWithClient && l.sid != "" {
			c.name = cfg.name(&l.nas, l.sid, 0)
		}
		s.mu.Unlock()
		return c
	}
	s.mu.Unlock()
	if call := s.table.CallOnLine(ev); call != nil {
		c = callInfo{call.Name(), call.Granted()}
	}
	return c
}

// number returns the Acct-Session-Id upstream of the session that a login may begin. The session gets
// its number, or in a call with [Config.ExtendWithAddr] the name of the call (S0: "the new session-id
// is sent in preauthentication requests and resource accounting requests", and the user's requests
// include it). A login of a live session has that session's.
func (s *Store) number(q *Request, w *who, cfg *Config, call string) string {
	s.mu.Lock()
	if r := s.same(w); r != 0 {
		if name := s.login(r).upstream; name != "" {
			s.touch(r, s.clock())
			s.mu.Unlock()
			return name
		}
	}
	s.mu.Unlock()
	if w.sid != "" {
		if live := s.table.Named(q.event(w)); live != nil && w.isOf(live) {
			return live.Name()
		}
	}
	var id sessions.ID
	name := call
	if !cfg.ExtendWithAddr || call == "" {
		var ok bool
		if id, ok = s.table.Reserve(); !ok {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.stats.Unnumbered++
			return ""
		}
		name = cfg.name(&q.NAS, "", id)
	}
	s.mu.Lock()
	unused := s.tell(q, w, id, &name)
	s.mu.Unlock()
	s.release(unused)
	return name
}

// tell notes what servers are told of a login. If another round of it was quicker, name becomes what
// they were told already. tell returns the numbers that nothing needs any more.
func (s *Store) tell(q *Request, w *who, id sessions.ID, name *string) (unused []sessions.ID) {
	r, l := s.loginOf(q, w)
	switch {
	case l.upstream != "":
		*name = l.upstream
		return []sessions.ID{id}
	case l.number != 0: // that of its row
		if unused = []sessions.ID{id}; id != 0 {
			*name = s.config.Load().name(&l.nas, "", l.number)
		}
		id = l.number
	}
	l.number, l.upstream = id, *name
	s.keep(r, &l)
	return append(unused, s.forgetSurplus()...)
}

// isOf reports whether a request is of the user of a live session with its Acct-Session-Id: a NAS that
// has restarted may use the id for another user.
func (w *who) isOf(live *sessions.Session) bool {
	user, station := live.Attrs.Text(radius.UserName), live.Attrs.Text(radius.CallingStationID)
	return w.call || user == "" || w.isUser(user) || live.User() == w.user || station != "" && station == w.station
}
