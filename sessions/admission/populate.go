package admission

import (
	"strings"

	"aaasess/sessions"
)

// populate makes a row of an accepted login, under the number that its session will have.
func (s *Store) populate(h handle) {
	s.mu.Lock()
	if s.entryOf(h) == nil {
		s.mu.Unlock()
		return
	}
	l := s.login(h.ref)
	s.mu.Unlock()
	id, reserved := l.number, sessions.ID(0)
	if id == 0 {
		if reserved = s.reserveFor(&l.nas, l.sid); reserved == 0 {
			return // no number is durable: the row appears with the start
		}
	}
	s.mu.Lock()
	e := s.entryOf(h)
	if e == nil || e.number != id {
		s.mu.Unlock() // a session has begun with it, it was forgotten, or another Accept was quicker
		s.release([]sessions.ID{reserved})
		return
	}
	if id == 0 {
		id, e.number = reserved, reserved
	}
	l = s.login(h.ref)
	s.mu.Unlock()
	nas := l.nas
	row := &sessions.Session{
		ID: id, Kind: l.kind, NAS: &nas, Attrs: only(l.attrs, &identifying),
		Admission: &sessions.Admission{Granted: grantOf(&l), Upstream: strings.Clone(unlessNumber(l.upstream, id))},
	}
	s.table.SetUp(row) // if the session has begun meanwhile, the number is not reserved
}

// reserveFor reserves the number of a session: with [Config.SyncWithClient] the one that the NAS's id
// ends in, if it is free.
func (s *Store) reserveFor(nas *sessions.NAS, sid string) sessions.ID {
	if cfg := s.config.Load(); cfg.SyncWithClient {
		if n := numberIn(nas, sid); n != 0 && s.table.ReserveThis(n) {
			return n
		}
	}
	id, _ := s.table.Reserve()
	return id
}
