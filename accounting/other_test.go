package accounting

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
)

const other = sessions.Other

// otherNotice is a packet of a status type that concerns no row: of session id, or (0) of none, with the NAS's own id.
func otherNotice(t testing.TB, id sessions.ID, sid string, packet string) sessions.Notice {
	t.Helper()
	a := octets(t, packet)
	s := &sessions.Session{
		ID: id, Kind: sessions.Network, NAS: &sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: sid, Attrs: a,
	}
	return sessions.Notice{Type: other, Session: s, Attrs: a, At: time.Unix(5, 0)}
}

// A record without a row keeps the NAS's Acct-Status-Type and id (R27), and gets which NAS it is, if it does not say.
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
			[]string{"Acct-Session-Id = S1", "Acct-Status-Type = Tunnel-Start", "Tunnel-Type = 0x00000003", "NAS-IP-Address = 192.0.2.1", stampOf5},
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

// It goes by the network list, whatever the session is; lists of stops leave it out.
func TestRouterOther(t *testing.T) {
	lists := func(network RecordType) *Policy {
		return &Policy{Lists: map[sessions.Kind]*List{
			sessions.Network: {Name: "default", Record: network, Methods: []MethodName{Group("net")}},
			sessions.Exec:    {Name: "default", Record: StartStop, Methods: []MethodName{Group("exec")}},
		}}
	}
	exec := otherNotice(t, 13, "S1", "2806 0000000c 2c04 5331")
	exec.Session.Kind = sessions.Exec
	none := otherNotice(t, 0, "S1", "2806 0000000a 2c04 5331")
	for network, want := range map[RecordType][]string{
		StartStop: {"0000000D 13 Tunnel-Link-Start", "S1 0 Tunnel-Stop", "S1 0 77"}, StopOnly: nil, None: nil,
	} {
		s, p := openStore(t, store.NewDisk()), lists(network)
		r := newRouter(t, s, p)
		unknown := otherNotice(t, 0, "S1", "2806 0000004d 2c04 5331")
		committed(t, r, sessions.Change{Notices: []sessions.Notice{exec, none, unknown}})
		var got []string
		for _, rec := range records(t, s, "group/net") {
			got = append(got, fmt.Sprintf("%s %d %s", rec.SessionName(), rec.Number(), rec.TypeName()))
			if rec.Type != other || rec.Number() == 0 && rec.Session != laneOf(none.Session) {
				t.Errorf("stored as type %d of %s", rec.Type, rec.Session)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want (-) and got (+):\n%s", network, diff)
		}
		if all := len(s.Queues()); want != nil && all != 1 || want == nil && all != 0 {
			t.Errorf("%s: %d queues", network, all)
		}
		if l := p.For(&exec); (l != nil) != (network == StartStop) {
			t.Errorf("%s: list %v", network, l)
		}
	}
}

// laneGolden is laneOf 192.0.2.1 and S1, since version 1 of a record.
const laneGolden sessions.ID = 0xa6f7a050

// What stands for the number is in stored records, so it stays the same.
func TestLaneOf(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	tests := []struct {
		s    sessions.Session
		want sessions.ID
	}{
		{sessions.Session{NAS: &sessions.NAS{Addr: addr}, AcctSessionID: "S1"}, laneGolden},
		{sessions.Session{NAS: &sessions.NAS{Addr: addr, Identifier: "192.0.2.1"}, AcctSessionID: "S1"}, laneGolden},
		{sessions.Session{NAS: &sessions.NAS{IPv4: addr}, AcctSessionID: "S1"}, laneGolden},
	}
	for _, tt := range tests {
		if got := laneOf(&tt.s); got != tt.want {
			t.Errorf("%v %q: %s, want %s", tt.s.NAS, tt.s.AcctSessionID, got, tt.want)
		}
	}
	for _, s := range []sessions.Session{{AcctSessionID: "S1"}, {NAS: &sessions.NAS{Addr: addr}, AcctSessionID: "S2"}, {NAS: &sessions.NAS{Addr: addr, Identifier: "b"}, AcctSessionID: "S1"}} {
		if laneOf(&s) == laneGolden {
			t.Errorf("%v %q: the same lane", s.NAS, s.AcctSessionID)
		}
	}
}

// A record of type Other is stored as version 1 with type 255; types that no record has are refused still.
func TestRecordOther(t *testing.T) {
	for typ := range sessions.EventType(255) {
		b := AppendRecord(nil, &Record{Type: typ})
		if _, err := ParseRecord(b); (err == nil) != (typ >= start && typ <= interim) || err != nil && !errors.Is(err, ErrRecord) {
			t.Errorf("type %d: %v", typ, err)
		}
	}
	want := &Record{Session: 7, Type: other, At: time.Unix(5, 6), List: "network/default", Attrs: octets(t, "2806 00000009 2c03 31")}
	b := AppendRecord(nil, want)
	got, err := ParseRecord(b)
	if err != nil || b[0] != 1 || b[1] != 255 {
		t.Fatalf("% x: %v", b[:2], err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if typ, id, _, ok := PeekRecord(b); typ != other || id != 7 || !ok {
		t.Errorf("peeked at as %d of %s, %t", typ, id, ok)
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
