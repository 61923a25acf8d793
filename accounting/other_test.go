package accounting

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
)

const start, interim, stop, other = sessions.Start, sessions.Interim, sessions.Stop, sessions.Other

// otherNotice is a packet with a status type that concerns no row, of session id or, with 0, of no
// session, with the NAS's own Acct-Session-Id.
func otherNotice(t testing.TB, id sessions.ID, sid string, packet string) sessions.Notice {
	t.Helper()
	a := octets(t, packet)
	s := &sessions.Session{
		ID: id, Kind: sessions.Network, NAS: &sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, Attrs: attrs(radius.AcctSessionID, sid) + a,
	}
	return sessions.Notice{Type: other, Session: s, Attrs: a, At: time.Unix(5, 0)}
}

// A record without a session keeps the NAS's Acct-Status-Type and Acct-Session-Id (R27). If it does
// not identify the NAS, it gets an attribute that does.
func TestComposeOther(t *testing.T) {
	live := otherNotice(t, 13, "S1", "2806 00000009 2c04 5331")
	live.Session.Attrs = octets(t, "2c04 5331 2003 62 0103 61 1903 31 4d03 31")
	tests := []struct {
		name   string
		notice sessions.Notice
		want   []string
	}{
		{
			"of no session: the NAS's id", otherNotice(t, 0, "S1", "2c04 5331 2806 00000009 4006 00000003"),
			[]string{"Acct-Session-Id = S1", "Acct-Status-Type = Tunnel-Start", "Tunnel-Type = L2TP", "NAS-IP-Address = 192.0.2.1", stampOf5},
		},
		{
			"it says who it is, and when", otherNotice(t, 0, "S1", "2806 ffffffff 2c04 5331 2003 62 3706 00000001"),
			[]string{"Acct-Status-Type = 4294967295", "Acct-Session-Id = S1", "NAS-Identifier = b", "Event-Timestamp = 1970-01-01T00:00:01Z"},
		},
		{
			"of a live session: our id, and of what the session has only the NAS", live,
			[]string{"Acct-Status-Type = Tunnel-Start", "Acct-Session-Id = 0000000D", "NAS-Identifier = b", stampOf5},
		},
		{
			"twice the id and status: the first counts", otherNotice(t, 0, "S1", "2806 0000000f 2c04 5331 2806 00000001 2c04 5332 2003 62"),
			[]string{"Acct-Status-Type = Failed", "Acct-Session-Id = S1", "NAS-Identifier = b", stampOf5},
		},
		{
			"an empty id: what the session is called", otherNotice(t, 0, "S1", "2806 0000000f 2c02 2003 62"),
			[]string{"Acct-Status-Type = Failed", "NAS-Identifier = b", "Acct-Session-Id = S1", stampOf5},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := Compose(nil, &tt.notice)
			if diff := cmp.Diff(tt.want, show(got)); diff != "" {
				t.Errorf("want (-) and record (+):\n%s", diff)
			}
		})
	}
}

const stampOf5 = "Event-Timestamp = 1970-01-01T00:00:05Z"

// An Other uses the route of its session. If it has no session, or one of another kind without a
// route, it uses the network list (R27). Stop-only lists omit it.
func TestRouterOther(t *testing.T) {
	network, exec := sessions.Network, sessions.Exec
	old := func(record RecordType) *Route {
		return &Route{List: "x/old", Record: record, Methods: []MethodName{Group("old"), Group("next")}}
	}
	tests := []struct {
		name  string
		id    sessions.ID
		kind  sessions.Kind
		route *Route
		list  RecordType // of the network list
		want  string     // the queue, "" for none
	}{
		{"of no session", 0, network, nil, StartStop, "group/net"},
		{"of no session, stops only", 0, network, nil, StopOnly, ""},
		{"of no session, no list", 0, network, nil, None, ""},
		{"of a session that is over", 0, network, old(StartStop), None, "group/old"},
		{"of one that is over, and had stops only", 0, network, old(StopOnly), StartStop, "group/old"},
		{"start-stop", 13, network, old(StartStop), StartStop, "group/old"},
		{"start-stop, the list was removed", 13, network, old(StartStop), None, "group/old"},
		{"stop-only", 13, network, old(StopOnly), StartStop, ""},
		{"nowhere", 13, network, nil, StartStop, ""},
		{"another kind, start-stop", 13, exec, old(StartStop), None, "group/old"},
		{"another kind, stop-only", 13, exec, old(StopOnly), StartStop, "group/old"},
		{"another kind, stop-only as network", 13, exec, old(StopOnly), StopOnly, ""},
		{"another kind, nowhere", 13, exec, nil, StartStop, "group/net"},
		{"another kind, nowhere, no list", 13, exec, nil, None, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := openStore(t, store.NewDisk())
			today := routes{}
			if tt.list != None {
				today[network] = &Route{List: "network/default", Record: tt.list, Methods: []MethodName{Group("net")}}
			}
			r := newRouter(t, s, today)
			n := otherNotice(t, tt.id, "S1", "2806 0000004d 2c04 5331")
			n.Session.Kind = tt.kind
			if tt.route != nil {
				n.Session.Route = sessions.NewRoute(tt.route.Text())
			}
			done := make(chan error, 1)
			r.Commit(sessions.Change{Notices: []sessions.Notice{n}}, func(err error) { done <- err })
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, q := range s.Queues() {
				got += q.Name
				rec := records(t, s, q.Name)[0]
				if rec.Type != other || rec.Number() != tt.id || tt.id == 0 && (rec.Session != placeholderID(n.Session) || rec.SessionName() != "S1") || rec.TypeName() != "77" {
					t.Errorf("stored as type %d of %s", rec.Type, rec.Session)
				}
			}
			if got != tt.want {
				t.Errorf("in queue %q, want %q", got, tt.want)
			}
		})
	}
}

// placeholderGolden is placeholderID of 192.0.2.1 and S1, unchanged since version 1 of a record.
const placeholderGolden sessions.ID = 0xa6f7a050

// Stored records contain the placeholder, so it must not change.
func TestLaneOf(t *testing.T) {
	addr, s1 := netip.MustParseAddr("192.0.2.1"), attrs(radius.AcctSessionID, "S1")
	tests := []struct {
		s    sessions.Session
		want sessions.ID
	}{
		{sessions.Session{NAS: &sessions.NAS{Addr: addr}, Attrs: s1}, placeholderGolden},
		{sessions.Session{NAS: &sessions.NAS{Addr: addr, Identifier: "192.0.2.1"}, Attrs: s1}, placeholderGolden},
		{sessions.Session{NAS: &sessions.NAS{IPv4: addr}, Attrs: s1}, placeholderGolden},
	}
	for _, tt := range tests {
		if got := placeholderID(&tt.s); got != tt.want {
			t.Errorf("%v %q: %s, want %s", tt.s.NAS, tt.s.AcctSessionID(), got, tt.want)
		}
	}
	for _, s := range []sessions.Session{{Attrs: s1}, {NAS: &sessions.NAS{Addr: addr}, Attrs: attrs(radius.AcctSessionID, "S2")}, {NAS: &sessions.NAS{Addr: addr, Identifier: "b"}, Attrs: s1}} {
		if placeholderID(&s) == placeholderGolden {
			t.Errorf("%v %q: the same lane", s.NAS, s.AcctSessionID())
		}
	}
}

// A record of type Other is stored as version 1 with type 255. Unknown types are still refused.
func TestRecordOther(t *testing.T) {
	for typ := range sessions.EventType(255) {
		b := AppendRecord(nil, &Record{Type: typ})
		if _, err := ParseRecord(b); (err == nil) != (typ >= start && typ <= interim || typ == 65 || typ == 67) || err != nil && !errors.Is(err, ErrRecord) {
			t.Errorf("type %d: %v", typ, err)
		}
	}
	want := &Record{Session: 7, Type: other, Kind: sessions.Network, At: time.Unix(5, 6), List: "network/default", Attrs: octets(t, "2806 00000009 2c03 31")}
	b := AppendRecord(nil, want)
	got, err := ParseRecord(b)
	if err != nil || b[0] != 1 || b[1] != 255 {
		t.Fatalf("% x: %v", b[:2], err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if h, ok := PeekRecord(b); h.Type != other || h.Session != 7 || !ok {
		t.Errorf("peeked at as %d of %s, %t", h.Type, h.Session, ok)
	}
	for name, rec := range map[string]*Record{
		"Start": {Type: start}, "Interim-Update": {Type: interim}, "Other": {Type: other},
		"Tunnel-Link-Reject": {Type: other, Attrs: octets(t, "2806 0000000e")}, "16": {Type: other, Attrs: octets(t, "2806 00000010")},
	} {
		if rec.TypeName() != name {
			t.Errorf("%s, want %s", rec.TypeName(), name)
		}
	}
}
