package termination_test

import (
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

var nas1 = sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "nas-1"}

// fixture is a table over a journal in memory.
type fixture struct {
	*sessions.Table
	journal *sessionstest.Journal
	now     time.Time
}

// send applies an event that happened this many seconds after f.now, and waits until it could be
// answered.
func (f *fixture) send(t testing.TB, typ sessions.EventType, sid string, after int, more ...func(*sessions.Event)) {
	t.Helper()
	ev := sessions.Event{
		Type: typ, NAS: nas1, AcctSessionID: sid, Kind: sessions.Network, At: f.now.Add(time.Duration(after) * time.Second),
		Attrs: radius.Attributes(radius.AppendAttribute(radius.AppendAttribute(nil, radius.UserName, "user-"+sid), radius.AcctSessionID, sid)),
	}
	for _, m := range more {
		m(&ev)
	}
	sessionstest.Await(t, func(done func(error)) error { return f.Apply(ev, done) })
}

// accountingOn sends an Accounting-On of a NAS.
func (f *fixture) accountingOn(t testing.TB, nas sessions.NAS) {
	t.Helper()
	sessionstest.Await(t, func(done func(error)) error {
		return f.Apply(sessions.Event{Type: sessions.On, NAS: nas, At: f.now}, done)
	})
}
