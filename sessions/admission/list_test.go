package admission

import (
	"slices"
	"testing"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestLogins: users who were accepted are listed until their accounting starts. Logins that are not
// accepted yet, rejected ones, and those of a user who authenticates again are not.
func TestLogins(t *testing.T) {
	s := newStand(t, Config{IncludeInAccessReq: true})
	s.accept(loginAt(nas1, "live", radius.CallingStationID, "aa"), radius.Class, "1")
	s.start(nas1, "1", "live", radius.CallingStationID, "aa")
	asked := s.Ask(loginAt(nas1, "asks", radius.CallingStationID, "bb"))
	for _, user := range []string{"first", "second", "third"} {
		q := loginAt(nas1, user, radius.CallingStationID, user)
		s.Ask(q)
		s.accept(q, radius.UserName, user+"@isp")
	}
	refused := loginAt(nas1, "refused", radius.CallingStationID, "cc")
	s.Ask(refused)
	s.reject(refused)
	again := loginAt(nas1, "live", radius.CallingStationID, "aa")
	s.Ask(again)
	s.accept(again)
	s.start(nas1, "2", "second", radius.CallingStationID, "second")
	users := func(list []Login) (out []string) {
		for _, l := range list {
			out = append(out, l.User)
		}
		return out
	}
	if got := users(s.Logins(10)); !slices.Equal(got, []string{"third@isp", "first@isp"}) {
		t.Errorf("logins %q", got)
	}
	if got := users(s.Logins(1)); !slices.Equal(got, []string{"third@isp"}) {
		t.Errorf("the newest are %q", got)
	}
	l := s.Logins(1)[0]
	if l.ID == 0 || l.Upstream != l.ID.String() || l.ID.String() == asked.SessionID || l.Kind != sessions.Network || l.Until.Sub(l.Accepted) != DefaultStartWait {
		t.Errorf("the newest login is %+v", l)
	}
}
