package admission

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

func TestName(t *testing.T) {
	v4 := sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), IPv4: netip.MustParseAddr("10.0.0.2")}
	source := sessions.NAS{Addr: netip.MustParseAddr("::ffff:192.0.2.1")}
	v6 := sessions.NAS{Addr: netip.MustParseAddr("2001:db8::1")}
	sync, extend := Config{SyncWithClient: true}, Config{ExtendWithAddr: true}
	both := Config{SyncWithClient: true, ExtendWithAddr: true}
	long := strings.Repeat("x", 246)
	tests := []struct {
		name string
		cfg  Config
		nas  sessions.NAS
		sid  string
		want string
	}{
		{"neither", Config{}, v4, "abc", "0000002A"},
		{"the NAS's own", sync, v4, "abc", "abc"},
		{"the NAS has sent none", sync, v4, "", "aaasess-0000002A"},
		{"address and number", extend, v4, "abc", "0A0000020000002A"},
		{"the source address", extend, source, "abc", "C00002010000002A"},
		{"no IPv4 address", extend, v6, "abc", "0000002A"},
		{"address and the NAS's own", both, v4, "abc", "0A000002abc"},
		{"the NAS has put it there", both, v4, "0a000002abc", "0a000002abc"},
		{"only the address", both, v4, "0A000002", "0A0000020A000002"},
		{"too long", both, v4, long, long},
		{"just not too long", both, v4, long[1:], "0A000002" + long[1:]},
	}
	for _, test := range tests {
		if got := test.cfg.name(&test.nas, test.sid, 42); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestNumberIn(t *testing.T) {
	for sid, want := range map[string]sessions.ID{
		"0000002A": 42, "2a": 42, "session-2A": 42, "FFFFFFFF": 1<<32 - 1, "x0": 0, "": 0, "x": 0, "2Ax": 0,
		"0A0000020000002A": 42, "0a0000022A": 42, "0A0000030000002A": 0, "123456789": 0, "é2A": 42,
	} {
		if got := numberIn(&nas2, sid); got != want {
			t.Errorf("%q: %d, want %d", sid, got, want)
		}
	}
}

// TestIncludeInAccessReq: servers are told the Acct-Session-Id at the login, and the session or the stop
// record of the failed login has it. All rounds of a login get the same.
func TestIncludeInAccessReq(t *testing.T) {
	s := newStand(t, Config{IncludeInAccessReq: true})
	bob, carol := loginAt(nas1, "bob", radius.NASPort, 1), loginAt(nas2, "carol", radius.NASPort, 1, radius.AcctSessionID, "own")
	for range 3 {
		if got := s.Ask(bob).SessionID; got != "00000001" {
			t.Fatalf("bob: %q", got)
		}
		if got := s.Ask(carol).SessionID; got != "00000002" {
			t.Fatalf("carol: %q", got)
		}
	}
	s.accept(bob)
	s.accept(carol, radius.Class, "1")
	if got := s.start(nas1, "x", "dave"); got.ID != 3 {
		t.Errorf("another session has number %d", got.ID)
	}
	is := s.start(nas2, "own", "carol", radius.NASPort, 1)
	if is.ID != 2 || is.Name() != "00000002" || is.Granted() == "" {
		t.Errorf("carol's session: %d, %q, %s", is.ID, is.Name(), show(is.Granted()))
	}
	s.reject(bob)
	if got := s.Ask(bob).SessionID; got != "00000004" {
		t.Errorf("bob again: %q", got)
	}
	s.reject(bob)
	if diff := cmp.Diff([]string{"1 bob 00000001", "1 bob 00000004"}, s.records()); diff != "" {
		t.Error(diff)
	}
	// A re-authentication tells the session's own.
	if got := s.Ask(carol).SessionID; got != "00000002" {
		t.Errorf("carol again: %q", got)
	}
	// The id of a live session, but another user: it was used again.
	if got := s.Ask(loginAt(nas2, "erin", radius.NASPort, 1, radius.AcctSessionID, "own")).SessionID; got != "00000005" {
		t.Errorf("erin: %q", got)
	}
	if v := s.table.View(); v.Len() != 2 || v.Total != 2 || v.HighWater != 2 {
		t.Errorf("%d rows, %+v", v.Len(), v.Counters)
	}
}

// TestNumbersAfterRestart: no session gets a number that a server was told before.
func TestNumbersAfterRestart(t *testing.T) {
	s := newStand(t, Config{IncludeInAccessReq: true})
	told := map[string]bool{}
	for restarts := range 3 {
		for i := range 20_000 { // more than a block
			name := s.Ask(loginAt(nas1, "bob", radius.NASPort, i)).SessionID
			if name == "" {
				s.settle() // the next block was not durable yet
				continue
			}
			if told[name] {
				t.Fatalf("%q again", name)
			}
			told[name] = true
		}
		if n := s.Stats().Unnumbered; n > 100 {
			t.Errorf("%d requests had no number", n)
		}
		s.restart()
		if is := s.start(nas1, fmt.Sprint("x", restarts), "carol"); told[is.Name()] {
			t.Fatalf("a session has %q", is.Name())
		} else {
			told[is.Name()] = true
		}
	}
}

// TestSyncWithClient: the NAS's own Acct-Session-Id goes upstream, and its number becomes that of the
// session if it is free.
func TestSyncWithClient(t *testing.T) {
	s := newStand(t, Config{SyncWithClient: true, IncludeInAccessReq: true})
	if got := s.Ask(loginAt(nas1, "bob", radius.AcctSessionID, "0000002A")); got.SessionID != "" {
		t.Errorf("Ask: %q", got)
	}
	// What a NAS that sends none will call the session, nobody knows.
	if got := s.Ask(loginAt(nas1, "carol", radius.NASPort, 9)).SessionID; got != "" {
		t.Errorf("a NAS that sends none: %q", got)
	}
	s.accept(loginAt(nas1, "carol", radius.NASPort, 9), radius.Class, "carol's")
	check := func(is *sessions.Session, id sessions.ID, name string) {
		t.Helper()
		if is.ID != id || is.Name() != name {
			t.Errorf("%s: number %d, name %q, want %d and %q", is.AcctSessionID(), is.ID, is.Name(), id, name)
		}
	}
	check(s.start(nas1, "0000002A", "bob"), 42, "0000002A")
	check(s.start(nas2, "0000002A", "bob"), 1, "0000002A")
	check(s.start(nas1, "port-2b", "bob"), 43, "port-2b")
	check(s.start(nas1, "00000001", "dave"), 2, "00000001") // taken
	carol := s.start(nas1, "own", "carol", radius.NASPort, 9)
	if check(carol, 3, "own"); carol.Granted() != attrs(radius.Class, "carol's") {
		t.Errorf("carol was granted %s", show(carol.Granted()))
	}
	check(s.start(nas1, "0", "erin"), 4, "0")
	check(s.event(sessions.Start, sessions.Resource, nas1, "0000002F", ""), 5, "0000002F") // no row
	check(s.start(nas1, "0000002F", "frank"), 47, "0000002F")
	s.event(sessions.Stop, sessions.Network, nas1, "0000002F", "frank")
	check(s.start(nas2, "0000002F", "frank"), 6, "0000002F") // remembered
	s.reject(loginAt(nas1, "grace", radius.AcctSessionID, "theirs"))
	s.reject(loginAt(nas1, "heidi")) // a NAS that counts from 1 may call a session 00000008
	if diff := cmp.Diff([]string{"1 grace theirs", "1 heidi aaasess-00000008"}, s.records()); diff != "" {
		t.Error(diff)
	}
	s.restart()
	check(s.table.View().Get(43), 43, "port-2b")
	check(s.event(sessions.Stop, sessions.Network, nas1, "port-2b", "bob"), 43, "port-2b")
	check(s.event(sessions.Interim, sessions.Network, nas1, "port-2b", "bob", radius.NASPort, 1), 43, "port-2b")
}

// TestRejectOfLiveSession: the user of a live session fails to authenticate again. Servers must not take
// the record of that for the session's stop.
func TestRejectOfLiveSession(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		want []string
	}{
		{"sync", Config{SyncWithClient: true}, []string{"1 bob aaasess-00000001", "1 eve aaasess-00000002", "1 bob 0000002A"}},
		{"sync and extend", Config{SyncWithClient: true, ExtendWithAddr: true}, []string{"1 bob C0000201aaasess-00000001", "1 eve C0000201aaasess-00000002", "1 bob 0A0000020000002A"}},
		{"include", Config{IncludeInAccessReq: true}, []string{"1 bob 00000002", "1 eve 00000003", "1 bob 00000004"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStand(t, tt.cfg)
			s.start(nas1, "0000002A", "bob")
			for _, q := range []*Request{
				loginAt(nas1, "bob", radius.AcctSessionID, "0000002A"),
				loginAt(nas1, "eve", radius.AcctSessionID, "0000002A"),
				loginAt(nas2, "bob", radius.AcctSessionID, "0000002A"), // another session
			} {
				s.Ask(q)
				s.reject(q)
			}
			if diff := cmp.Diff(tt.want, s.records()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRejectAfterStop: nor for a second stop of a session that has just ended.
func TestRejectAfterStop(t *testing.T) {
	s := newStand(t, Config{SyncWithClient: true})
	s.start(nas1, "0000002A", "bob")
	s.event(sessions.Stop, sessions.Network, nas1, "0000002A", "bob")
	s.event(sessions.Start, sessions.Resource, nas1, "call", "")
	s.reject(loginAt(nas1, "bob", radius.AcctSessionID, "0000002A"))
	s.reject(loginAt(nas1, "bob", radius.AcctSessionID, "call")) // a call has its users' id (S0)
	if diff := cmp.Diff([]string{"1 bob aaasess-00000002", "1 bob call"}, s.records()); diff != "" {
		t.Error(diff)
	}
}

// TestExtendWithAddr: two NASes with the same ids are told apart upstream.
func TestExtendWithAddr(t *testing.T) {
	for _, sync := range []bool{false, true} {
		s := newStand(t, Config{ExtendWithAddr: true, SyncWithClient: sync, IncludeInAccessReq: true})
		names := map[string]bool{}
		for _, nas := range []sessions.NAS{nas1, nas2} {
			q := loginAt(nas, "bob", radius.AcctSessionID, "00000007")
			told := s.Ask(q).SessionID
			s.accept(q, radius.Class, "1")
			is := s.start(nas, "00000007", "bob")
			if told == "" || is.Name() != told || !strings.HasPrefix(told, addressDigits(&nas)) || names[told] || is.Granted() == "" {
				t.Errorf("sync %v: told %q, the session is %q", sync, told, is.Name())
			}
			if rest, _ := withoutAddress(&nas, told); sync && rest != "00000007" || !sync && rest != is.ID.String() {
				t.Errorf("sync %v: %q of number %d", sync, told, is.ID)
			}
			names[told] = true
		}
		s.reject(loginAt(nas2, "carol"))
		if got := s.records(); len(got) != 1 || !strings.HasPrefix(got[0], "1 carol 0A000002") {
			t.Errorf("sync %v: %q", sync, got)
		}
		// Without a login.
		if is := s.start(nas2, "00000008", "dave"); !strings.HasPrefix(is.Name(), "0A000002") {
			t.Errorf("sync %v: %q", sync, is.Name())
		}
	}
}

// TestNextCall: a call on the line of one whose stop was lost has a name of its own.
func TestNextCall(t *testing.T) {
	s := newStand(t, Config{ExtendWithAddr: true})
	first := s.event(sessions.Start, sessions.Resource, nas2, "1", "", radius.NASPort, 7)
	next := s.event(sessions.Start, sessions.Resource, nas2, "2", "", radius.NASPort, 7)
	if first.Name() == next.Name() {
		t.Errorf("both have %q", next.Name())
	}
}

// TestCall is the life of a call of S0: its preauthentication, its resource accounting, the user's login
// and the user's accounting have one Acct-Session-Id. The Class of the preauthentication goes to the
// resource records and the user's Access-Request, that of the user's Accept to the user's records.
func TestCall(t *testing.T) {
	line := []any{radius.NASPort, 7, radius.NASPortType, 2}
	for name, cfg := range map[string]Config{
		"nothing": {}, "numbers": {IncludeInAccessReq: true},
		"extended": {IncludeInAccessReq: true, ExtendWithAddr: true}, "synced": {SyncWithClient: true, ExtendWithAddr: true, IncludeInAccessReq: true},
	} {
		for _, order := range []string{"call first", "user first", "restart"} {
			t.Run(name+", "+order, func(t *testing.T) {
				s := newStand(t, cfg)
				sid := func(pairs ...any) []any {
					return append(append([]any{radius.AcctSessionID, "00000009"}, line...), pairs...)
				}
				check := preauth(nas2, sid()...)
				told := s.Ask(check)
				s.accept(check, radius.Class, "call", radius.Class, "more")
				var call *sessions.Session
				begin := func() {
					call = s.event(sessions.Start, sessions.Resource, nas2, "00000009", "", line...)
				}
				if order != "user first" {
					begin()
				}
				if order == "restart" {
					s.restart()
				}
				q := loginAt(nas2, "bob", line...)
				user := s.Ask(q)
				if diff := cmp.Diff([]string{"call", "more"}, user.Class); diff != "" {
					t.Errorf("the user's request: %s", diff)
				}
				if echo := s.Ask(loginAt(nas2, "carol", append(line, radius.Class, "call")...)); !cmp.Equal(echo.Class, []string{"more"}) {
					t.Errorf("of a NAS that sends it: %q", echo.Class)
				}
				s.accept(q, radius.Class, "user")
				if order == "user first" {
					begin()
				}
				is := s.start(nas2, "00000009", "bob", line...)
				if is.Granted().Text(radius.Class) != "user" || call.Granted().Text(radius.Class) != "call" {
					t.Errorf("user %s, call %s", show(is.Granted()), show(call.Granted()))
				}
				if cfg.IncludeInAccessReq && told.SessionID != call.Name() {
					t.Errorf("preauthentication %q, call %q", told.SessionID, call.Name())
				}
				if cfg.ExtendWithAddr && (call.Name() != is.Name() || user.SessionID != "" && user.SessionID != is.Name()) {
					t.Errorf("call %q, user's request %q, user %q", call.Name(), user.SessionID, is.Name())
				}
				if !cfg.ExtendWithAddr && cfg.IncludeInAccessReq && user.SessionID != is.Name() {
					t.Errorf("user's request %q, user %q", user.SessionID, is.Name())
				}
			})
		}
	}
}
