package admission

import (
	"cmp"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Admit implements [sessions.Admissions]. It finds the login of a session that begins.
func (s *Store) Admit(ev *sessions.Event, is, call *sessions.Session, free func(sessions.ID) bool) (sessions.ID, *sessions.Admission) {
	if s.idle.Load() {
		return is.ID, nil
	}
	cfg := s.config.Load()
	var a sessions.Admission
	var id sessions.ID
	id, a.Upstream, a.Granted = s.join(ev, is.ID)
	if n := numberIn(&ev.NAS, ev.AcctSessionID); id == is.ID && cfg.SyncWithClient && is.Kind != sessions.Resource && n != id && free(n) {
		id = n
	}
	switch {
	case a.Upstream != "":
	case call != nil && cfg.ExtendWithAddr && !cfg.SyncWithClient:
		a.Upstream = call.Name()
	default:
		a.Upstream = cfg.name(&ev.NAS, ev.AcctSessionID, id)
	}
	a.Upstream = unlessNumber(a.Upstream, id)
	if a == (sessions.Admission{}) {
		return id, nil
	}
	return id, &a
}

// join gives a session that begins what its login has: the number that was reserved, else next; the
// Acct-Session-Id that servers were told; and what it was granted. A login that was accepted is then
// forgotten.
func (s *Store) join(ev *sessions.Event, next sessions.ID) (id sessions.ID, upstream string, granted radius.Attributes) {
	w := whoOf(&ev.NAS, ev.Kind, ev.Attrs)
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ambiguous := s.find(ev, &w)
	switch {
	case ambiguous:
		s.stats.Ambiguous++
	case l == nil && s.hasAccepted():
		s.noteBeginning(&w, next)
	}
	if l == nil {
		return next, "", ""
	}
	id, upstream, granted = cmp.Or(l.number, next), l.upstream, l.granted
	if l.accepted {
		s.drop(l)
		s.stats.Joined++
	} else {
		l.session, l.number = id, 0
	}
	return id, upstream, granted
}

// beginning is a session that began without a login. The Accept of its user may be processed after its
// start.
type beginning struct {
	who
	id sessions.ID // 0 if it has got its Accept
	at time.Time
}

func (s *Store) noteBeginning(w *who, id sessions.ID) {
	s.begun[s.nextBegun] = beginning{who: *w, id: id, at: s.config.Load().Now()}
	s.nextBegun = (s.nextBegun + 1) % len(s.begun)
}

// beganBefore returns the session that began after the request of a login and before its Accept, or 0.
func (s *Store) beganBefore(l *login, q *Request) (id sessions.ID) {
	ev := sessions.Event{NAS: q.NAS, SameClient: q.SameClient}
	for a := bySession; a < byUser && id == 0; a++ {
		for i := range s.begun {
			b := &s.begun[i]
			if b.id != 0 && !b.at.Before(q.At) && ev.IsFromClient(b.nas.Addr) && l.has(a) && l.matches(&b.who, a) {
				id, *b = b.id, beginning{}
				break
			}
		}
	}
	return id
}
