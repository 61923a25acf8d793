package admission

import (
	"cmp"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Login is a user whom a server has accepted, and whose accounting has not started.
type Login struct {
	Kind     sessions.Kind // Resource for a call
	NAS      sessions.NAS
	User     string            // the User-Name of the Access-Accept, else that of the request
	Attrs    radius.Attributes // of the request: who and where
	Granted  radius.Attributes // of the Access-Accept; see [sessions.Admission]
	ID       sessions.ID       // the number that is reserved for its session; 0: none
	Upstream string            // the Acct-Session-Id in its Access-Request; "": none
	Accepted time.Time
	Until    time.Time // when it is forgotten if no accounting starts
}

// Logins returns the newest logins, newest first, at most limit of them.
func (s *Store) Logins(limit int) (list []Login) {
	cfg := s.config.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := cfg.Now()
	for r := s.newest; r != 0 && len(list) < limit; r = s.kept.at(r).older {
		if l := s.login(r); l.accepted && l.session == 0 && l.renews == 0 {
			at := now.Add(l.at - now.Sub(s.made))
			list = append(list, Login{
				Kind: l.kind, NAS: l.nas, User: cmp.Or(l.granted.Text(radius.UserName), l.user), Attrs: l.attrs, Granted: l.granted,
				ID: l.number, Upstream: l.upstream, Accepted: at, Until: at.Add(cfg.StartWait),
			})
		}
	}
	return list
}
