package termination_test

import (
	"fmt"
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
	await(t, func(done func(error)) error { return f.Apply(ev, done) })
}

// accountingOn sends an Accounting-On of a NAS.
func (f *fixture) accountingOn(t testing.TB, nas sessions.NAS) {
	t.Helper()
	await(t, func(done func(error)) error {
		return f.Apply(sessions.Event{Type: sessions.On, NAS: nas, At: f.now}, done)
	})
}

// await runs call and waits for its done.
func await(t testing.TB, call func(done func(error)) error) {
	t.Helper()
	ch := make(chan error, 1)
	if err := call(func(err error) { ch <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-ch; err != nil {
		t.Fatal(err)
	}
}

// accounted lists the notices: type, session id, cause.
func (f *fixture) accounted() []string {
	var out []string
	for _, n := range f.journal.Notices() {
		s := fmt.Sprintf("%s %d", n.Type, n.Session.ID)
		if n.Cause != 0 {
			s += fmt.Sprintf(" cause %d", n.Cause)
		}
		out = append(out, s)
	}
	return out
}
