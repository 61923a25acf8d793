package admission

import (
	"net/netip"
	"testing"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestWrongPort: a NAS-Port of a wrong length is not kept. Rounds with one are of one login.
func TestWrongPort(t *testing.T) {
	s := newStand(t, Config{IncludeInAccessReq: true})
	q := loginAt(nas1, "bob", radius.NASPort, "abc")
	if first, again := s.Ask(q).SessionID, s.Ask(q).SessionID; first != again || s.Stats().Waiting != 1 {
		t.Errorf("servers were told %q and %q, %d logins", first, again, s.Stats().Waiting)
	}
}

// TestJoin: which login a session belongs to that begins. Each login of a case was accepted with its
// number as Class, in order.
func TestJoin(t *testing.T) {
	const station, port, portID, sid = radius.CallingStationID, radius.NASPort, radius.NASPortID, radius.AcctSessionID
	moved := nas1
	moved.Addr = netip.MustParseAddr("192.0.2.9")
	other := nas1
	other.Identifier = "other"
	same := func(netip.Addr) bool { return true }
	tests := []struct {
		name   string
		logins []*Request
		nas    sessions.NAS
		sid    string
		user   string
		more   []any
		want   string // Class
	}{
		{"by the Acct-Session-Id", []*Request{loginAt(nas1, "bob", sid, "a"), loginAt(nas1, "bob", sid, "b")}, nas1, "a", "bob", nil, "0"},
		{"by the Acct-Session-Id, no User-Name", []*Request{loginAt(nas1, "bob", sid, "a")}, nas1, "a", "", nil, "0"},
		{"the Acct-Session-Id of another user", []*Request{loginAt(nas1, "bob", sid, "a")}, nas1, "a", "carol", nil, ""},
		{"the Acct-Session-Id of another name of the same station", []*Request{loginAt(nas1, "outer", sid, "a", station, "s")}, nas1, "a", "inner", []any{station, "s"}, "0"},
		{"another Acct-Session-Id", []*Request{loginAt(nas1, "bob", sid, "a", station, "s")}, nas1, "b", "bob", []any{station, "s"}, ""},
		{"by station", []*Request{loginAt(nas1, "bob", station, "s"), loginAt(nas1, "bob", station, "t")}, nas1, "x", "bob", []any{station, "s", port, 7}, "0"},
		{"by station, the newest", []*Request{loginAt(nas1, "bob", station, "s", port, 1), loginAt(nas1, "bob", station, "s", port, 2)}, nas1, "x", "bob", []any{station, "s"}, "1"},
		{"the station of another user", []*Request{loginAt(nas1, "bob", station, "s")}, nas1, "x", "carol", []any{station, "s"}, ""},
		{"by port", []*Request{loginAt(nas1, "bob", port, 1), loginAt(nas1, "bob", port, 2)}, nas1, "x", "bob", []any{port, 1}, "0"},
		{"the port, another station", []*Request{loginAt(nas1, "bob", port, 1, station, "s")}, nas1, "x", "bob", []any{port, 1, station, "t"}, ""},
		{"by port id", []*Request{loginAt(nas1, "bob", portID, "p"), loginAt(nas1, "bob", portID, "q")}, nas1, "x", "bob", []any{portID, "p"}, "0"},
		{"by user", []*Request{loginAt(nas1, "carol"), loginAt(nas1, "bob")}, nas1, "x", "bob", []any{port, 1}, "1"},
		{"by user, two of the same name", []*Request{loginAt(nas1, "bob", portID, "p"), loginAt(nas1, "bob", portID, "q")}, nas1, "x", "bob", nil, ""},
		{"by user, two of the same name without a line", []*Request{loginAt(nas1, "bob"), loginAt(nas1, "bob")}, nas1, "x", "bob", nil, ""},
		{"by user, the other is at another port", []*Request{loginAt(nas1, "bob", port, 1), loginAt(nas1, "bob", portID, "q")}, nas1, "x", "bob", []any{port, 2}, "1"},
		{"no user", []*Request{loginAt(nas1, "bob", port, 1)}, nas1, "x", "", []any{port, 1}, ""},
		{"another NAS", []*Request{loginAt(nas2, "bob", sid, "a", station, "s")}, nas1, "a", "bob", []any{station, "s"}, ""},
		{"the NAS at another address of another client", []*Request{loginAt(moved, "bob", sid, "a")}, nas1, "a", "bob", nil, ""},
		{"another NAS at the same address", []*Request{loginAt(other, "bob", sid, "a")}, nas1, "a", "bob", nil, ""},
		{"a login at two NASes", []*Request{loginAt(nas1, "bob", station, "s"), loginAt(nas2, "bob", station, "s")}, nas1, "x", "bob", []any{station, "s"}, "0"},
		{"the same login twice", []*Request{loginAt(nas1, "bob", station, "s"), loginAt(nas1, "bob", station, "s")}, nas1, "x", "bob", []any{station, "s"}, "1"},
		{"a call is no user", []*Request{preauth(nas1, sid, "a", port, 1)}, nas1, "a", "5550100", []any{port, 1}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStand(t, Config{})
			for i, q := range test.logins {
				s.accept(q, radius.Class, string(rune('0'+i)))
			}
			got := s.start(test.nas, test.sid, test.user, test.more...)
			if class := got.Granted().Text(radius.Class); class != test.want {
				t.Errorf("the session got Class %q, want %q", class, test.want)
			}
			if got.Name() != got.ID.String() {
				t.Errorf("the session has number %s and name %q", got.ID, got.Name())
			}
		})
	}
	t.Run("by user, two of the same name that were granted the same", func(t *testing.T) {
		s := newStand(t, Config{})
		for range 2 {
			s.accept(loginAt(nas1, "bob"), radius.Class, "same")
		}
		for _, id := range []string{"x", "y"} {
			if got := s.start(nas1, id, "bob").Granted().Text(radius.Class); got != "same" {
				t.Errorf("session %s has Class %q", id, got)
			}
		}
	})
	t.Run("the NAS at another address of the same client", func(t *testing.T) {
		s := newStand(t, Config{})
		s.accept(loginAt(moved, "bob", sid, "a"), radius.Class, "0")
		ev := sessions.Event{Type: sessions.Start, NAS: nas1, SameClient: same, Kind: sessions.Network, AcctSessionID: "a", Attrs: attrs(radius.UserName, "bob", sid, "a")}
		if err := s.table.Apply(ev, nil); err != nil {
			t.Fatal(err)
		}
		s.settle()
		if got := s.table.View().Get(1).Granted().Text(radius.Class); got != "0" {
			t.Errorf("Class %q", got)
		}
	})
}

// TestGranted: what a session keeps of an Access-Accept, and what its row shows of it.
func TestGranted(t *testing.T) {
	s := newStand(t, Config{})
	q := loginAt(nas1, "bob", radius.NASPort, 1)
	s.accept(q, radius.ReplyMessage, "hello", radius.UserName, "bob@isp", radius.Class, "one\x00\xff", radius.Class, "", radius.Class, "two",
		radius.ChargeableUserIdentity, "cui", radius.SessionTimeout, 3600, radius.IdleTimeout, "short", radius.AcctInterimInterval, 600,
		radius.FramedIPAddress, 0x0a000005, radius.TunnelPassword, "secret")
	row := s.start(nas1, "x", "bob", radius.NASPort, 1)
	const want = `1="bob@isp" 25="one\x00\xff" 25="two" 89="cui" 27=3600 85=600 10.0.0.5`
	if got := show(row.Granted()); got != want {
		t.Errorf("granted\n%s, want\n%s", got, want)
	}
	if row.User() != "bob@isp" || row.IPv4 != 0x0a000005 || row.Attrs.Text(radius.UserName) != "bob" {
		t.Errorf("user %q, address %x, attributes %s", row.User(), row.IPv4, show(row.Attrs))
	}
	row = s.event(sessions.Interim, sessions.Network, nas1, "x", "bob", radius.NASPort, 1, radius.FramedIPAddress, 0x0a000006)
	if row.User() != "bob@isp" || row.IPv4 != 0x0a000006 {
		t.Errorf("after an address of the NAS: user %q, address %x", row.User(), row.IPv4)
	}
	s.restart()
	if row = s.table.View().Get(1); show(row.Granted()) != want || row.User() != "bob@isp" {
		t.Errorf("after a restart: %s, user %q", show(row.Granted()), row.User())
	}
	over := s.event(sessions.Stop, sessions.Network, nas1, "x", "bob", radius.NASPort, 1)
	if show(over.Granted()) != want {
		t.Errorf("the stop has %s", show(over.Granted()))
	}
	late := s.event(sessions.Interim, sessions.Network, nas1, "x", "bob", radius.AcctSessionTime, 1)
	if got := show(late.Granted()); got != `1="bob@isp" 25="one\x00\xff" 25="two" 89="cui"` {
		t.Errorf("a late packet has %s", got)
	}
}
