package admission

import "aaasess/sessions"

// populate makes a row of an accepted login, under the number that its session will have.
func (s *Store) populate(l *login) {
	s.mu.Lock()
	id, sid := l.number, l.sid
	s.mu.Unlock()
	var reserved sessions.ID
	if id == 0 {
		if reserved = s.reserveFor(&l.nas, sid); reserved == 0 {
			return // no number is durable: the row appears with the start
		}
	}
	s.mu.Lock()
	if l.links == nil || l.number != id {
		s.mu.Unlock() // a session has begun with it, it was forgotten, or another Accept was quicker
		s.release([]sessions.ID{reserved})
		return
	}
	if id == 0 {
		id, l.number = reserved, reserved
	}
	nas := l.nas
	row := &sessions.Session{ID: id, Kind: l.kind, NAS: &nas, Attrs: l.attrs, Admission: &sessions.Admission{Granted: l.granted, Upstream: unlessNumber(l.upstream, id)}}
	s.mu.Unlock()
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
