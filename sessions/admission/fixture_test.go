package admission

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/attrtest"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

var (
	nas1 = sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "nas-1"}
	nas2 = sessions.NAS{Addr: netip.MustParseAddr("192.0.2.2"), Identifier: "nas-2", IPv4: netip.MustParseAddr("10.0.0.2")}
)

// stand is a Store and its table over a journal in memory.
type stand struct {
	*Store
	t       testing.TB
	cfg     Config
	table   *sessions.Table
	journal *sessionstest.Journal
}

func newStand(t testing.TB, cfg Config) *stand {
	s := &stand{t: t, cfg: cfg, journal: sessionstest.NewJournal()}
	s.journal.RouteBy(func(s *sessions.Session) string { return "route" })
	t.Cleanup(s.journal.Close)
	s.table = sessions.New(sessions.Config{Now: cfg.Now}, s.journal)
	s.Store = New(cfg, s.table)
	s.settle()
	return s
}

// now is the host's clock.
func (s *stand) now() time.Time {
	if s.cfg.Now != nil {
		return s.cfg.Now()
	}
	return time.Now()
}

// restart replaces the table by one that is loaded from what is durable.
func (s *stand) restart() {
	s.t.Helper()
	s.settle()
	s.table = sessions.New(sessions.Config{Now: s.cfg.Now}, s.journal)
	if err := s.table.Load(s.journal.Load); err != nil {
		s.t.Fatal(err)
	}
	s.Store = New(s.cfg, s.table)
	s.settle()
}

// settle waits until everything committed so far is durable.
func (s *stand) settle() {
	s.t.Helper()
	sessionstest.Await(s.t, func(done func(error)) error { s.journal.Commit(sessions.Change{}, done); return nil })
}

// attrs is [attrtest.Attributes].
func attrs(pairs ...any) radius.Attributes { return attrtest.Attributes(pairs...) }

// loginAt returns an Access-Request of a user; pairs are as for attrs.
func loginAt(nas sessions.NAS, user string, pairs ...any) *Request {
	q := &Request{NAS: nas, Kind: sessions.Network, At: time.Now(), Attrs: attrs(pairs...)}
	if user != "" {
		q.Attrs = attrs(radius.UserName, user) + q.Attrs
	}
	return q
}

// preauth returns the Access-Request of a call.
func preauth(nas sessions.NAS, pairs ...any) *Request {
	return &Request{NAS: nas, Kind: sessions.Resource, At: time.Now(), Attrs: attrs(radius.UserName, "5550100", radius.ServiceType, int(radius.CallCheck)) + attrs(pairs...)}
}

func (s *stand) accept(q *Request, pairs ...any) {
	s.t.Helper()
	s.Accept(q, attrs(pairs...))
	s.settle()
}

func (s *stand) reject(q *Request) {
	s.t.Helper()
	sessionstest.Await(s.t, func(done func(error)) error {
		s.Reject(q, func() { done(nil) })
		return nil
	})
}

// event sends an event of a session to the table, and returns its state.
func (s *stand) event(typ sessions.EventType, kind sessions.Kind, nas sessions.NAS, sid, user string, pairs ...any) *sessions.Session {
	s.t.Helper()
	ev := sessions.Event{Type: typ, NAS: nas, Kind: kind, AcctSessionID: sid, At: s.now(), Attrs: attrs(radius.AcctSessionID, sid)}
	if user != "" {
		ev.Attrs = attrs(radius.UserName, user) + ev.Attrs
	}
	ev.Attrs += attrs(pairs...)
	sessionstest.Await(s.t, func(done func(error)) error { return s.table.Apply(ev, done) })
	all := s.journal.Notices()
	return all[len(all)-1].Session
}

func (s *stand) start(nas sessions.NAS, sid, user string, pairs ...any) *sessions.Session {
	s.t.Helper()
	return s.event(sessions.Start, sessions.Network, nas, sid, user, pairs...)
}

// records lists the records of events without a session.
func (s *stand) records() (out []string) {
	s.t.Helper()
	s.settle()
	for _, n := range s.journal.Notices() {
		if n.Session.Unstarted != 0 {
			out = append(out, fmt.Sprint(n.Session.Unstarted, " ", n.Session.User(), " ", n.Session.Name()))
		}
	}
	return out
}

// show prints attributes for a comparison.
func show(a radius.Attributes) string {
	var out []string
	for t, v := range a.All() {
		switch {
		case t == radius.FramedIPAddress:
			out = append(out, netip.AddrFrom4([4]byte([]byte(v))).String())
		case len(v) == 4:
			out = append(out, fmt.Sprint(t, "=", binary.BigEndian.Uint32([]byte(v))))
		default:
			out = append(out, fmt.Sprintf("%d=%q", t, v))
		}
	}
	return strings.Join(out, " ")
}
