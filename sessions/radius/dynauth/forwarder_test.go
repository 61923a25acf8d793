package dynauth

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/termination"
)

var here = netip.MustParseAddr("192.0.2.254")

// named is an Admissions that gives every session the name that its NAS has for it (sync-with-client).
type named struct{}

func (named) Idle() bool { return false }

func (named) Admit(ev sessions.Event, s, _ *sessions.Session, _ func(sessions.ID) bool) (sessions.ID, *sessions.Admission) {
	return s.ID, &sessions.Admission{Upstream: ev.AcctSessionID, Granted: radius.Attributes(attr(radius.UserName, s.User()+"@isp"))}
}

func (named) Upstream(*sessions.NAS, radius.Attributes, sessions.ID) string { return "" }

// newTable returns a table over a journal in memory.
func newTable(t *testing.T) *sessions.Table {
	t.Helper()
	journal := sessionstest.NewJournal()
	t.Cleanup(journal.Close)
	return sessions.New(sessions.Config{}, journal)
}

func attr(t radius.Type, value string) string {
	return string(radius.AppendAttribute(nil, t, value))
}

// send applies an event of a NAS with the address 192.0.2.n.
func send(t *testing.T, table *sessions.Table, typ sessions.EventType, n byte, sid, user string, more ...string) {
	t.Helper()
	attrs := attr(radius.UserName, user) + attr(radius.AcctSessionID, sid)
	for _, a := range more {
		attrs += a
	}
	ev := sessions.Event{
		Type: typ, NAS: sessions.NAS{Addr: netip.AddrFrom4([4]byte{192, 0, 2, n}), Identifier: "nas-" + string('0'+n)},
		AcctSessionID: sid, Kind: sessions.Network, At: time.Now(), Attrs: radius.Attributes(attrs),
	}
	sessionstest.Await(t, func(done func(error)) error { return table.Apply(ev, done) })
}

// TestFind: which session a request is about.
func TestFind(t *testing.T) {
	table := newTable(t)
	station := attr(radius.CallingStationID, "02-00")
	send(t, table, sessions.Start, 1, "A", "alice", station, attr(radius.FramedIPAddress, "\x0a\x00\x00\x01"))
	send(t, table, sessions.Start, 2, "B", "alice", station)
	table.SetAdmissions(named{})
	send(t, table, sessions.Start, 1, "00000009", "bob")
	send(t, table, sessions.Start, 2, "00000009", "carol")
	send(t, table, sessions.Start, 1, "x-00000005", "dave")
	r := New(Config{Table: table})
	address := func(n byte) string { return attr(radius.NASIPAddress, string([]byte{192, 0, 2, n})) }
	for _, tt := range []struct {
		name  string
		attrs []string
		id    sessions.ID
		cause radius.ErrorCause
	}{
		{"number", []string{attr(radius.AcctSessionID, "00000001")}, 1, 0},
		{"number and all else", []string{attr(radius.AcctSessionID, "00000001"), attr(radius.UserName, "alice"), station, address(1), attr(radius.NASIdentifier, "nas-1")}, 1, 0},
		{"NAS-IP-Address is ours", []string{attr(radius.AcctSessionID, "00000001"), address(254)}, 1, 0},
		{"lower case", []string{attr(radius.AcctSessionID, "0000000a")}, 0, radius.SessionContextNotFound},
		{"another NAS", []string{attr(radius.AcctSessionID, "00000001"), address(2)}, 0, radius.NASIdentificationMismatch},
		{"half an address", []string{attr(radius.AcctSessionID, "00000001"), attr(radius.NASIPAddress, "x")}, 0, radius.NASIdentificationMismatch},
		{"another NAS-Identifier", []string{attr(radius.AcctSessionID, "00000001"), attr(radius.NASIdentifier, "192.0.2.1")}, 0, radius.NASIdentificationMismatch},
		{"another station", []string{attr(radius.AcctSessionID, "00000001"), attr(radius.CallingStationID, "02-01")}, 0, radius.SessionContextNotFound},
		{"station of two", []string{station}, 0, radius.MultipleSessions},
		{"station of two and NAS", []string{station, attr(radius.NASIdentifier, "nas-2")}, 2, 0},
		{"address", []string{attr(radius.FramedIPAddress, "\x0a\x00\x00\x01")}, 1, 0},
		{"name of two", []string{attr(radius.AcctSessionID, "00000009")}, 0, radius.MultipleSessions},
		{"name of two and NAS", []string{attr(radius.AcctSessionID, "00000009"), address(2)}, 4, 0},
		{"name of two and user", []string{attr(radius.AcctSessionID, "00000009"), attr(radius.UserName, "bob")}, 3, 0},
		{"name of two and granted user", []string{attr(radius.AcctSessionID, "00000009"), attr(radius.UserName, "bob@isp")}, 3, 0},
		{"name that ends with another number", []string{attr(radius.AcctSessionID, "x-00000005")}, 5, 0},
		{"number of a session with another name", []string{attr(radius.AcctSessionID, "00000003")}, 0, radius.SessionContextNotFound},
		{"two numbers", []string{attr(radius.AcctSessionID, "00000002"), attr(radius.AcctSessionID, "00000001")}, 0, radius.InvalidRequest},
		{"empty number", []string{attr(radius.AcctSessionID, ""), attr(radius.UserName, "bob")}, 0, radius.InvalidRequest},
		{"no session", []string{address(1), attr(radius.ProxyState, "x"), attr(radius.VendorSpecific, "x")}, 0, radius.MissingAttribute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var attrs []byte
			for _, a := range tt.attrs {
				attrs = append(attrs, a...)
			}
			q := parse(attrs, here)
			var got sessions.ID
			s, cause := r.find(&q)
			if s != nil {
				got = s.ID
			}
			if got != tt.id || cause != tt.cause {
				t.Errorf("session %d, cause %v; want %d, %v", got, cause, tt.id, tt.cause)
			}
		})
	}
}

// TestParse: what is passed on.
func TestParse(t *testing.T) {
	rest := attr(11, "slow") + attr(radius.VendorSpecific, "x") + attr(radius.Class, "c") + attr(radius.State, "s")
	q := parse([]byte(attr(radius.MessageAuthenticator, "x")+attr(radius.ProxyState, "p")+attr(radius.EventTimestamp, "abcd")+
		attr(radius.UserName, "u")+attr(radius.NASPortType, "abcd")+attr(radius.NASIPAddress, "\xc0\x00\x02\xfe")+rest), here)
	if string(q.rest) != rest || len(q.session) != 2 || len(q.nas) != 0 || q.name != "" {
		t.Errorf("%+v", q)
	}
}

// FuzzParse: everything but what identifies sessions and NASes is passed on, and nothing else.
func FuzzParse(f *testing.F) {
	f.Add([]byte(attr(radius.UserName, "u") + attr(radius.Class, "c") + attr(radius.NASIPAddress, "x")))
	f.Fuzz(func(t *testing.T, attrs []byte) {
		if !radius.Attributes(attrs).Valid() {
			t.Skip()
		}
		q := parse(attrs, here)
		if !radius.Attributes(q.rest).Valid() || len(q.rest) > len(attrs) {
			t.Errorf("passed on: %x", q.rest)
		}
		if again := parse(q.rest, here); string(again.rest) != string(q.rest) || again.name != "" || len(again.session)+len(again.nas) > 0 {
			t.Errorf("passed on: %x", q.rest)
		}
	})
}

// ackAll is a Forward of a NAS that sends an ACK.
func ackAll(context.Context, *sessions.Session, dae.Forwarded) dae.Reply {
	return dae.Reply{Outcome: termination.Outcome{Answer: termination.ACK}}
}

// TestStop: after an ACK the stop is made when the wait is over, unless the session has ended or its NAS
// has reported it; a store that refuses it is asked again.
func TestStop(t *testing.T) {
	for _, tt := range []struct {
		name  string
		then  func(t *testing.T, table *sessions.Table, journal *sessionstest.Journal)
		live  int
		stops uint64
	}{
		{"nothing comes", func(*testing.T, *sessions.Table, *sessionstest.Journal) {}, 0, 1},
		{"a stop comes", func(t *testing.T, table *sessions.Table, _ *sessionstest.Journal) {
			send(t, table, sessions.Stop, 1, "A", "alice")
		}, 0, 0},
		{"an interim comes", func(t *testing.T, table *sessions.Table, _ *sessionstest.Journal) {
			send(t, table, sessions.Interim, 1, "A", "alice")
		}, 1, 0},
		{"the store refuses", func(_ *testing.T, _ *sessions.Table, journal *sessionstest.Journal) {
			journal.Refuse(context.Canceled)
			time.AfterFunc(33*time.Second, func() { journal.Refuse(nil) })
		}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal := sessionstest.NewJournal()
				defer journal.Close()
				table := sessions.New(sessions.Config{}, journal)
				send(t, table, sessions.Start, 1, "A", "alice")
				r := New(Config{Table: table, Forward: ackAll})
				time.Sleep(time.Second)
				r.expectStop(table.Row(1))
				time.Sleep(time.Second)
				tt.then(t, table, journal)
				if r.Stats().Waiting != 1 {
					t.Errorf("%+v", r.Stats())
				}
				time.Sleep(time.Minute)
				live := 0
				if table.Row(1) != nil {
					live = 1
				}
				if got := r.Stats(); live != tt.live || got.Stops != tt.stops || got.Waiting != 0 {
					t.Errorf("%d live, %+v", live, got)
				}
			})
		})
	}
}

// TestSecondACK: a server that asks again and again does not put the stop off, but news of the session
// between two ACKs do. An ACK that comes after the stop waits for nothing.
func TestSecondACK(t *testing.T) {
	for _, tt := range []struct {
		name  string
		news  bool // between the ACKs
		after time.Duration
	}{{"no news", false, 30 * time.Second}, {"an interim comes", true, 50 * time.Second}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal := sessionstest.NewJournal()
				defer journal.Close()
				table := sessions.New(sessions.Config{}, journal)
				send(t, table, sessions.Start, 1, "A", "alice")
				time.Sleep(time.Second)
				f, s, began := New(Config{Table: table, Forward: ackAll, StopWait: 30 * time.Second}), table.Row(1), time.Now()
				f.expectStop(s)
				time.Sleep(10 * time.Second)
				if tt.news {
					send(t, table, sessions.Interim, 1, "A", "alice")
				}
				time.Sleep(10 * time.Second)
				f.expectStop(s)
				time.Sleep(tt.after - time.Since(began) - time.Millisecond)
				if table.Row(1) == nil {
					t.Error("ended too early")
				}
				time.Sleep(2 * time.Millisecond)
				if table.Row(1) != nil || f.Stats().Stops != 1 {
					t.Errorf("not ended: %+v", f.Stats())
				}
				if f.expectStop(s); f.Stats().Waiting != 0 {
					t.Errorf("waits for the stop of an ended session: %+v", f.Stats())
				}
			})
		})
	}
}

// TestLostAtNAS: a 503 of the NAS ends the session, unless attributes were passed on that the NAS may
// have compared, or the NAS could not be asked in another way.
func TestLostAtNAS(t *testing.T) {
	lost := termination.Outcome{Answer: termination.NAK, ErrorCause: radius.SessionContextNotFound}
	inconclusive := lost
	inconclusive.Inconclusive = true
	for _, tt := range []struct {
		name  string
		out   termination.Outcome
		attrs string
		live  bool
	}{
		{"it has lost the session", lost, "", false},
		{"inconclusive", inconclusive, "", true},
		{"an attribute was passed on", lost, attr(radius.VendorSpecific, "\x00\x00\x00\x09\x01\x03x"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := newTable(t)
			send(t, table, sessions.Start, 1, "A", "alice")
			r := New(Config{
				Table: table, MayChange: func(string, *sessions.Session) bool { return true },
				Forward: func(context.Context, *sessions.Session, dae.Forwarded) dae.Reply { return dae.Reply{Outcome: tt.out} },
			})
			s := listen(t, r)
			s.send(tt.attrs)
			if _, cause := s.receive(); cause != radius.SessionContextNotFound {
				t.Errorf("the server gets %v", cause)
			}
			if live := table.Row(1) != nil; live != tt.live {
				t.Errorf("live: %t", live)
			}
		})
	}
}

// TestLostAfterACK: a NAS that has ended a session for one server answers another one with 503 before its
// stop comes. No stop is made for that, unless it was news that the NAS had the session after the ACK.
func TestLostAfterACK(t *testing.T) {
	for _, tt := range []struct {
		name string
		news bool // between the answers
	}{{"no news", false}, {"an interim comes", true}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal := sessionstest.NewJournal()
				defer journal.Close()
				table := sessions.New(sessions.Config{}, journal)
				send(t, table, sessions.Start, 1, "A", "alice")
				time.Sleep(time.Second)
				f, s := New(Config{Table: table, Forward: ackAll, StopWait: 30 * time.Second}), table.Row(1)
				f.expectStop(s)
				time.Sleep(time.Second)
				if tt.news {
					send(t, table, sessions.Interim, 1, "A", "alice")
					time.Sleep(time.Second)
				}
				f.lost(s)
				if ended := table.Row(1) == nil; ended != tt.news {
					t.Errorf("ended: %t", ended)
				}
				time.Sleep(31 * time.Second)
				if table.Row(1) != nil || f.Stats().Stops != 1 {
					t.Errorf("not ended: %+v", f.Stats())
				}
			})
		})
	}
}

// TestEndedMeanwhile: a request whose session has ended while it waited is not passed on: its NAS may
// know sessions only by User-Name.
func TestEndedMeanwhile(t *testing.T) {
	table := newTable(t)
	send(t, table, sessions.Start, 1, "A", "alice")
	r := New(Config{
		Table: table, MayChange: func(string, *sessions.Session) bool { return true },
		Forward: func(_ context.Context, _ *sessions.Session, f dae.Forwarded) dae.Reply {
			if f.Ended() {
				t.Error("ended before the stop")
			}
			send(t, table, sessions.Stop, 1, "A", "alice")
			send(t, table, sessions.Start, 1, "B", "alice")
			if !f.Ended() {
				t.Error("not ended after the stop")
			}
			return dae.Reply{Outcome: termination.Outcome{Err: termination.ErrSessionEnded}}
		},
	})
	s := listen(t, r)
	s.send()
	if _, cause := s.receive(); cause != radius.SessionContextNotFound || r.Stats().Waiting != 0 {
		t.Errorf("the server gets %v; %+v", cause, r.Stats())
	}
}
