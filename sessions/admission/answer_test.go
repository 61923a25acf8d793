package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// run runs the Store until the test ends.
func (s *stand) run() {
	ctx, cancel := context.WithCancel(context.Background())
	store, done := s.Store, make(chan error)
	go func() { done <- store.Run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
}

// class returns the Class that a live session was granted.
func (s *stand) class(id sessions.ID) string {
	s.settle()
	return s.table.View().Get(id).Granted().Text(radius.Class)
}

// timed runs a test with simulated time.
func timed(t *testing.T, cfg Config, test func(*stand)) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, cfg)
		test(s)
	})
}

func TestReauthentication(t *testing.T) {
	timed(t, Config{}, func(s *stand) {
		s.run()
		q := loginAt(nas1, "bob", radius.AcctSessionID, "a", radius.CallingStationID, "s")
		s.accept(q, radius.Class, "1", radius.UserName, "bob@isp")
		row := s.start(nas1, "a", "bob", radius.CallingStationID, "s")
		s.accept(q, radius.Class, "2", radius.UserName, "bob@isp2")
		if got := s.class(row.ID); got != "2" {
			t.Errorf("Class %q", got)
		}
		if user := s.table.View().Get(row.ID).User(); user != "bob@isp2" {
			t.Errorf("user %q", user)
		}
		s.restart()
		if got := s.class(row.ID); got != "2" {
			t.Errorf("after a restart: Class %q", got)
		}
		s.run()
		s.accept(q, radius.SessionTimeout, 60, radius.ChargeableUserIdentity, "cui")
		s.accept(q, radius.Class, "3", radius.Class, "4")
		s.settle()
		if got, want := show(s.table.View().Get(row.ID).Granted()), `1="bob@isp2" 89="cui" 25="3" 25="4"`; got != want {
			t.Errorf("granted %s, want %s", got, want)
		}
		time.Sleep(DefaultStartWait)
		synctest.Wait()
		if got := s.records(); got != nil || s.Stats().Waiting != 0 {
			t.Errorf("records %q, %+v", got, s.Stats())
		}
	})
}

// TestAcceptDoesNotWait: a slow disk delays no user, and what was granted is durable in the end.
func TestAcceptDoesNotWait(t *testing.T) {
	s := newStand(t, Config{})
	q := loginAt(nas1, "bob", radius.AcctSessionID, "a")
	s.accept(q, radius.Class, "1")
	row := s.start(nas1, "a", "bob")
	s.journal.Hold(true)
	s.Accept(q, attrs(radius.Class, "2"))
	s.journal.Hold(false)
	s.restart()
	if got := s.class(row.ID); got != "2" {
		t.Errorf("after a restart: Class %q", got)
	}
}

// TestEchoedClass: a NAS sends the Class of the Accept in its accounting. After a re-authentication the
// session has the new one, and not what the NAS sent of the old one. Another Class of the NAS stays.
func TestEchoedClass(t *testing.T) {
	for sent, want := range map[string]string{"1": "", "own": `25="own"`} {
		s := newStand(t, Config{})
		q := loginAt(nas1, "bob", radius.AcctSessionID, "a")
		s.accept(q, radius.Class, "1")
		row := s.start(nas1, "a", "bob", radius.Class, sent)
		s.accept(q, radius.Class, "1") // nothing new
		s.settle()
		if got := s.table.View().Get(row.ID).Attrs; got != row.Attrs {
			t.Errorf("%s: %s", sent, show(got))
		}
		s.accept(q, radius.Class, "2")
		s.settle()
		is := s.table.View().Get(row.ID)
		if got := show(is.Attrs); got != strings.TrimSpace(`1="bob" 44="a" `+want) || is.Granted().Text(radius.Class) != "2" {
			t.Errorf("%s: %s, granted %s", sent, got, show(is.Granted()))
		}
	}
}

// TestReauthenticationOnLine: without an Acct-Session-Id in the request, a login may be of a live session
// or of a new one.
func TestReauthenticationOnLine(t *testing.T) {
	line := []any{radius.CallingStationID, "s"}
	for _, again := range []bool{false, true} {
		timed(t, Config{}, func(s *stand) {
			s.run()
			s.accept(loginAt(nas1, "bob", line...), radius.Class, "1")
			old := s.start(nas1, "a", "bob", line...)
			s.accept(loginAt(nas1, "bob", line...), radius.Class, "2")
			if got := s.class(old.ID); got != "1" {
				t.Errorf("at once: Class %q", got)
			}
			want := "2"
			if again {
				is := s.start(nas1, "b", "bob", line...)
				if want = "1"; s.class(is.ID) != "2" {
					t.Errorf("the new session has Class %q", s.class(is.ID))
				}
			}
			time.Sleep(renewAfter)
			synctest.Wait()
			if got := s.class(old.ID); got != want {
				t.Errorf("new session %v: Class %q, want %q", again, got, want)
			}
			time.Sleep(DefaultStartWait)
			if got := s.records(); got != nil {
				t.Errorf("records %q", got)
			}
		})
	}
}

// TestStartBeforeAccept: the start of a session overtakes the Accept of its user.
func TestStartBeforeAccept(t *testing.T) {
	for name, line := range map[string][]any{
		"Acct-Session-Id": {radius.AcctSessionID, "a"}, "station": {radius.CallingStationID, "s"}, "port": {radius.NASPort, 3}, "port id": {radius.NASPortID, "p"},
	} {
		for _, asked := range []bool{false, true} {
			timed(t, Config{IncludeInAccessReq: asked}, func(s *stand) {
				s.run()
				s.accept(loginAt(nas1, "first"), radius.Class, "0") // authentication is in use
				q := loginAt(nas1, "bob", line...)
				told := s.Ask(q).SessionID
				row := s.start(nas1, "a", "bob", line...)
				if asked && told != row.Name() {
					t.Errorf("%s: servers were told %q, the session is %q", name, told, row.Name())
				}
				time.Sleep(time.Second)
				s.accept(q, radius.Class, "1")
				if got := s.class(row.ID); got != "1" {
					t.Errorf("%s: Class %q", name, got)
				}
				if got := s.Stats().Waiting; got != 1 {
					t.Errorf("%s: %d logins are kept", name, got)
				}
			})
		}
	}
}

// TestStartBeforeRequest: a session that began before the request was not begun by its Accept.
func TestStartBeforeRequest(t *testing.T) {
	timed(t, Config{}, func(s *stand) {
		s.accept(loginAt(nas1, "first"))
		old := s.start(nas1, "a", "bob", radius.NASPort, 1)
		time.Sleep(time.Second)
		q := loginAt(nas1, "bob", radius.NASPort, 1)
		s.start(nas1, "c", "carol") // something begins after the request
		s.accept(q, radius.Class, "1")
		if got := s.class(old.ID); got != "" {
			t.Errorf("the session that began before has Class %q", got)
		}
		if is := s.start(nas1, "b", "bob", radius.NASPort, 1); is.Granted() == "" {
			t.Error("the session that began after has no Class")
		}
	})
}

// TestOtherSessionBeforeAccept: the Acct-Session-Id of the request tells that another session has begun.
func TestOtherSessionBeforeAccept(t *testing.T) {
	s := newStand(t, Config{})
	s.accept(loginAt(nas1, "first"))
	q := loginAt(nas1, "bob", radius.NASPort, 1, radius.AcctSessionID, "b")
	other := s.start(nas1, "a", "bob", radius.NASPort, 1)
	s.accept(q, radius.Class, "1")
	if got := s.class(other.ID); got != "" {
		t.Errorf("Class %q", got)
	}
}

// TestCallIsNoUser: the session of a user does not get the Accept of a call, however late it comes.
func TestCallIsNoUser(t *testing.T) {
	s := newStand(t, Config{})
	s.accept(loginAt(nas1, "first"))
	q := preauth(nas1, radius.NASPort, 1)
	is := s.start(nas1, "a", "bob", radius.NASPort, 1)
	s.accept(q, radius.Class, "call")
	if got := s.class(is.ID); got != "" {
		t.Errorf("Class %q", got)
	}
}

// TestIDUsedAgain: a NAS uses the Acct-Session-Id of a live session for the login of another user.
func TestIDUsedAgain(t *testing.T) {
	s := newStand(t, Config{})
	alice := s.start(nas1, "a", "alice")
	s.accept(loginAt(nas1, "bob", radius.AcctSessionID, "a"), radius.Class, "bob")
	if got := s.class(alice.ID); got != "" {
		t.Errorf("alice has Class %q", got)
	}
	if is := s.start(nas1, "a", "bob"); is.Granted().Text(radius.Class) != "bob" {
		t.Errorf("bob has %s", show(is.Granted()))
	}
}

// TestLoginAfterRenewal: a login that was of a live session may be of a new one the next time.
func TestLoginAfterRenewal(t *testing.T) {
	timed(t, Config{}, func(s *stand) {
		s.run()
		q := loginAt(nas1, "bob", radius.NASPort, 1)
		s.accept(q, radius.Class, "1")
		s.start(nas1, "a", "bob", radius.NASPort, 1)
		for range 3 {
			s.accept(q, radius.Class, "2")
		}
		s.mu.Lock()
		if n := len(s.renewals); n != 1 {
			t.Errorf("it waits %d times", n)
		}
		s.mu.Unlock()
		s.event(sessions.Stop, sessions.Network, nas1, "a", "bob", radius.NASPort, 1)
		s.accept(q, radius.Class, "3")
		time.Sleep(DefaultStartWait)
		synctest.Wait()
		if diff := cmp.Diff([]string{"2 bob 00000002"}, s.records()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestStartsBeforeAccepts: several starts overtake their Accepts, which come in any order.
func TestStartsBeforeAccepts(t *testing.T) {
	timed(t, Config{}, func(s *stand) {
		s.accept(loginAt(nas1, "first"))
		var requests []*Request
		var rows []*sessions.Session
		for i := range 3 {
			requests = append(requests, loginAt(nas1, "bob", radius.NASPort, i))
			rows = append(rows, s.start(nas1, fmt.Sprint("s", i), "bob", radius.NASPort, i))
		}
		for _, i := range []int{2, 0, 1} {
			s.accept(requests[i], radius.Class, fmt.Sprint(i))
		}
		for i, row := range rows {
			if got := s.class(row.ID); got != fmt.Sprint(i) {
				t.Errorf("session %d has Class %q", i, got)
			}
		}
	})
}

func TestReject(t *testing.T) {
	s := newStand(t, Config{})
	s.reject(loginAt(nas1, "bob", radius.NASPort, 5, radius.CallingStationID, "s", radius.ReplyMessage, "x", radius.FramedIPAddress, 1))
	q := loginAt(nas2, "carol", radius.NASPortID, "tty1")
	q.Kind = sessions.Exec
	s.reject(q)
	s.reject(preauth(nas1, radius.NASPort, 1)) // no user
	if diff := cmp.Diff([]string{"1 bob 00000001", "1 carol 00000002"}, s.records()); diff != "" {
		t.Error(diff)
	}
	n := s.journal.Notices()[0]
	if n.Type != sessions.Stop || n.Session.Kind != sessions.Network || *n.Session.NAS != nas1 {
		t.Errorf("%+v", n)
	}
	want := attrs(radius.UserName, "bob", radius.NASPort, 5, radius.CallingStationID, "s", radius.AcctStatusType, 2, radius.AcctSessionTime, 0, radius.AcctTerminateCause, 17)
	if n.Attrs != want {
		t.Errorf("the record has %s", show(n.Attrs))
	}
	if v := s.table.View(); v.Len() != 0 || v.Total != 0 {
		t.Errorf("%d rows, %+v", v.Len(), v.Counters)
	}
	// R64: if the table accepts nothing, the NAS gets its answer.
	s.journal.Refuse(errors.New("full"))
	s.reject(loginAt(nas1, "dave"))
	s.accept(loginAt(nas1, "erin"))
	if got := s.Stats(); got.Rejected != 4 || got.Waiting != 1 {
		t.Errorf("%+v", got)
	}
}

func TestExpiry(t *testing.T) {
	timed(t, Config{StartWait: time.Minute}, func(s *stand) {
		s.run()
		s.accept(loginAt(nas1, "bob", radius.NASPort, 1), radius.Class, "1", radius.UserName, "bob@isp")
		s.accept(preauth(nas1, radius.NASPort, 2), radius.Class, "2")
		s.accept(loginAt(nas1, "carol"), radius.Class, "1")
		s.accept(loginAt(nas1, "carol"), radius.Class, "2")
		time.Sleep(time.Minute - 1)
		s.accept(loginAt(nas1, "dave"))
		s.start(nas1, "x", "carol") // one of two
		synctest.Wait()
		if got := s.Stats(); got.Waiting != 5 || got.Ambiguous != 1 {
			t.Errorf("%+v", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := s.Stats(); got.Waiting != 1 || got.Expired != 2 {
			t.Errorf("%+v", got)
		}
		if diff := cmp.Diff([]string{"2 bob@isp 00000002"}, s.records()); diff != "" {
			t.Error(diff)
		}
		all := s.journal.Notices()
		n := all[len(all)-1]
		if cause, _ := n.Attrs.Uint32(radius.AcctTerminateCause); cause != 15 || n.Session.Granted().Text(radius.Class) != "1" {
			t.Errorf("cause %d, granted %s", cause, show(n.Session.Granted()))
		}
		if got := s.start(nas1, "y", "bob", radius.NASPort, 1); got.Granted() != "" {
			t.Errorf("a start after the wait got %s", show(got.Granted()))
		}
	})
}

// TestBounds: the oldest logins are forgotten, and the numbers and octets of the rest are what is told.
func TestBounds(t *testing.T) {
	check := func(t *testing.T, s *stand, forgotten uint64) {
		t.Helper()
		s.mu.Lock()
		defer s.mu.Unlock()
		n, octets, links := 0, 0, 0
		for r := s.oldest; r != 0; r = s.kept.at(r).newer {
			n++
			octets += s.octetsOf(r)
			links += s.index.count(s.kept.at(r).links)
		}
		if n > 0 {
			octets += nasOctets(&nas1)
		}
		chained := 0
		for _, is := range s.chains {
			for ; is != 0; is = s.links.at(is).older {
				chained++
			}
		}
		if n != s.n || octets != s.octets || links != chained || s.stats.Forgotten != forgotten {
			t.Errorf("%d logins of %d octets and %d links; the store has %d of %d and %d, %d forgotten", n, octets, links, s.n, s.octets, chained, s.stats.Forgotten)
		}
	}
	s := newStand(t, Config{Max: 3, IncludeInAccessReq: true})
	for _, user := range []string{"a", "b", "a", "c", "d"} { // a is asked again, so b is the oldest
		s.Ask(loginAt(nas1, user, radius.NASPort, 1))
	}
	check(t, s, 1)
	s.accept(loginAt(nas1, "e", radius.NASPort, 1), radius.Class, "1", radius.UserName, "other")
	check(t, s, 2)
	var left []string
	for r := s.oldest; r != 0; r = s.kept.at(r).newer {
		left = append(left, s.whoIs(r).user)
	}
	if !slices.Equal(left, []string{"c", "d", "e"}) {
		t.Errorf("left are %q", left)
	}
	s.SetConfig(Config{MaxOctets: nasOctets(&nas1) + 2*s.octetsOf(s.oldest), IncludeInAccessReq: true})
	check(t, s, 4)
	s.SetConfig(Config{Max: 1, MaxOctets: 1})
	check(t, s, 5)
}
