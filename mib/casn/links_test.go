package casn

import (
	"testing"

	"aaasess/mib"
	"aaasess/sessions"
)

// TestIdleTimeIsCurrent: a GET of casnIdleTime reads the interfaces if the session has one, and only then.
func TestIdleTimeIsCurrent(t *testing.T) {
	f := newFixture(t)
	reads := 0
	f.table.SetRefresher(func() { reads++ })
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a", Attrs: user("alice", 1), IfIndex: 7, Link: &sessions.Link{Host: 1}})
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "b", Attrs: user("bob", 2)})
	var v mib.Value
	for id, want := range map[sessions.ID]int{1: 1, 2: 0} {
		reads = 0
		s := f.table.View().Get(id)
		idleTime(f.table)(s, &v)
		if reads != want {
			t.Errorf("session %v: the interfaces are read %d times, want %d", id, reads, want)
		}
	}
}
