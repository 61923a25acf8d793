package admission

import (
	"cmp"
	"strings"
	"time"

	"aaasess/sessions"
)

// Idle implements [sessions.Admissions].
func (s *Store) Idle() bool { return s.idle.Load() }

// Admit implements [sessions.Admissions]. A session that begins takes what its login has: the number that
// was reserved, the Acct-Session-Id that servers were told, and what it was granted. A login that was
// accepted is then forgotten.
func (s *Store) Admit(ev sessions.Event, session, call *sessions.Session, free func(sessions.ID) bool) (sessions.ID, *sessions.Admission) {
	var a sessions.Admission
	id := session.ID
	w := whoOf(&ev.NAS, ev.Kind, ev.Attrs)
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ambiguous := s.find(&ev, &w)
	if r != 0 {
		l := s.login(r)
		id, a.Upstream, a.Granted = cmp.Or(l.number, id), l.upstream, grantOf(&l)
	}
	cfg := s.config.Load()
	if cfg.SyncWithClient && id == session.ID && session.Kind != sessions.Resource {
		if n := numberIn(&ev.NAS, ev.AcctSessionID); n != id && free(n) {
			id = n
		}
	}
	switch {
	case a.Upstream != "":
		a.Upstream = strings.Clone(unlessNumber(a.Upstream, id))
	case call != nil && cfg.ExtendWithAddr && !cfg.SyncWithClient:
		a.Upstream = call.Name()
	default:
		a.Upstream = cfg.upstream(&ev.NAS, ev.AcctSessionID, id)
	}
	switch {
	case ambiguous:
		s.stats.Ambiguous++
	case r == 0:
		s.noteBeginning(&w, id)
	case s.kept.at(r).accepted:
		s.drop(r)
		s.stats.Joined++
	default:
		e := s.kept.at(r)
		e.session, e.number = id, 0
	}
	if a == (sessions.Admission{}) {
		return id, nil
	}
	return id, &sessions.Admission{Granted: a.Granted, Upstream: a.Upstream}
}

// beginning is a session that began without a login. The Accept of its user may be processed after its
// start.
type beginning struct {
	who
	id sessions.ID // 0 if it has got its Accept
	at time.Time
}

func (s *Store) noteBeginning(w *who, id sessions.ID) {
	if !s.hasAccepted() {
		return // authentication does not go through us, or has not yet
	}
	s.begun[s.nextBegun] = beginning{who: *w, id: id, at: s.config.Load().Now()}
	s.nextBegun = (s.nextBegun + 1) % len(s.begun)
}

// beganBefore returns the session that began after the request of a login and before its Accept, or 0.
func (s *Store) beganBefore(l *who, q *Request) (id sessions.ID) {
	if newest := &s.begun[(s.nextBegun+len(s.begun)-1)%len(s.begun)]; newest.at.Before(q.At) {
		return 0 // mostly
	}
	ev := sessions.Event{NAS: q.NAS, SameClient: q.SameClient}
	for a := bySession; a < byUser && id == 0; a++ {
		for i := range s.begun {
			b := &s.begun[i]
			if b.id != 0 && !b.at.Before(q.At) && ev.IsFromClient(b.nas.Addr) && l.has(a) && l.matches(&b.who, a) {
				id, b.id = b.id, 0
				break
			}
		}
	}
	return id
}
