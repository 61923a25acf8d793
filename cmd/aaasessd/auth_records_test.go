package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"

	"github.com/google/go-cmp/cmp"
)

// fileRecord is a line of the method local, as far as these tests look at it.
type fileRecord struct {
	Type, Session, NASSession string
	Number                    uint32
	Attributes                map[string]any
}

// fileRecords returns the records of a file that the method local has written.
func (l *inProcess) fileRecords(name string) (all []fileRecord) {
	l.t.Helper()
	b, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		l.t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var r fileRecord
		if err := json.Unmarshal(line, &r); err != nil {
			l.t.Fatalf("%v: %s", err, line)
		}
		all = append(all, r)
	}
	return all
}

// granting is a server that accepts everybody as bob@isp, with two Classes and an address.
func granting(t *testing.T) *authServer {
	return newAuthServer(t, func(radius.Packet) (radius.Code, []byte) {
		b := radius.AppendAttribute(nil, radius.UserName, "bob@isp")
		b = radius.AppendAttribute(b, radius.Class, "\x00\xff1")
		b = radius.AppendAttribute(b, radius.Class, "2")
		b = radius.AppendAttribute(b, radius.ChargeableUserIdentity, "z")
		b = radius.AppendUint32(b, radius.AcctInterimInterval, 600)
		return radius.CodeAccessAccept, radius.AppendAttribute(b, radius.FramedIPAddress, "\x0a\x00\x00\x63")
	})
}

// TestGrantedRecords: all records of a session have what the Access-Accept of its user has granted, and
// the Acct-Session-Id that its Access-Request had, by each setting of attribute 44. The stop of the
// second session is made by the daemon.
func TestGrantedRecords(t *testing.T) {
	for _, tt := range []struct {
		name, attribute44 string
		first, second     string // Acct-Session-Ids
		asked             bool   // whether the Access-Request has it
	}{
		{"no attribute 44", "{}", "00000001", "00000002", false},
		{"include-in-access-req", "{include-in-access-req: true}", "00000001", "00000002", true},
		{"extend-with-addr", "{include-in-access-req: true, extend-with-addr: true}", "7F00000100000001", "7F00000100000002", true},
		{"sync-with-client", "{include-in-access-req: true, sync-with-client: true}", "nas-0000000D", "nas-0000000E", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := granting(t)
			text := with(t, authConfig(t, s), "  authentication: {listen", "  attribute-44: "+tt.attribute44+"\n  authentication: {listen")
			l := launch(t, text, environment{})
			n := l.nas()
			for i, id := range []string{"nas-0000000D", "nas-0000000E"} {
				n.must(radius.CodeAccessAccept, n.request("anonymous", "secret", radius.AppendAttribute(nil, radius.AcctSessionID, id)))
				if list, err := l.client().Logins(t.Context(), 5); err != nil || len(list.Logins) != 1 || list.Logins[0].User != "bob@isp" {
					t.Errorf("the logins that wait are %+v, %v", list, err)
				}
				l.mustAccount(packet(acctStart, id, "anonymous"), packet(acctInterim, id, "anonymous"))
				if i == 0 {
					l.checkGranted(tt.first)
					l.mustAccount(packet(acctStop, id, "anonymous"))
				}
			}
			l.clear("bob@isp")
			want, got := []string{}, []string{} // sorted: only the records of one session have an order
			for _, id := range []string{tt.first, tt.second} {
				want = append(want, "Interim-Update "+id, "Start "+id, "Stop "+id)
			}
			slices.Sort(want)
			eventually(t, "the records arrive", func() bool {
				got = slices.Sorted(slices.Values(l.records("records.jsonl")))
				return slices.Equal(got, want)
			}, &got)
			for _, r := range l.fileRecords("records.jsonl") {
				got := map[string]any{}
				for _, name := range []string{"User-Name", "Class", "Chargeable-User-Identity", "Framed-IP-Address", "Acct-Session-Id"} {
					got[name] = r.Attributes[name]
				}
				want := map[string]any{
					"User-Name": "bob@isp", "Class": []any{"0x00ff31", "0x32"}, "Chargeable-User-Identity": "0x7a", "Framed-IP-Address": "10.0.0.99",
					"Acct-Session-Id": r.Session,
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s %s: want (-) and got (+):\n%s", r.Type, r.Session, diff)
				}
			}
			for i, q := range s.received() {
				id := []string{tt.first, tt.second}[i]
				if got := valueOf(q, radius.AcctSessionID); (got == id) != tt.asked {
					t.Errorf("Access-Request %d has the Acct-Session-Id %q", i+1, got)
				}
			}
		})
	}
}

// clear ends the sessions of a user: the daemon makes their stops.
func (l *inProcess) clear(user string) {
	l.t.Helper()
	list, err := l.client().Clear(l.t.Context(), api.DisconnectRequest{Filter: map[string]string{"user": user}}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	_ = list.Close()
}

// checkGranted checks what the control socket shows of the only live session.
func (l *inProcess) checkGranted(upstream string) {
	l.t.Helper()
	list, err := l.client().Sessions(l.t.Context(), api.Query{})
	if err != nil {
		l.t.Fatal(err)
	}
	defer list.Close()
	for s, err := range list.All() {
		if err != nil {
			l.t.Fatal(err)
		}
		id := s.ID
		if s.Upstream != "" {
			id = s.Upstream
		}
		if s.User != "bob@isp" || s.UserFrom != api.FromAccept || s.NASUser != "anonymous" || s.Address != "10.0.0.99" || s.AddressFrom != api.FromAccept || id != upstream {
			l.t.Errorf("the session is shown as %+v", s)
		}
		if e := l.explain(s.ID); len(e.Granted) != 6 || e.Granted[0] != (api.Attribute{Name: "User-Name", Value: "bob@isp"}) {
			l.t.Errorf("the explanation says that it was granted %v", e.Granted)
		}
	}
	status, err := l.client().Status(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	var a api.AuthenticationStatus
	if err := json.Unmarshal(status.Sections[api.AuthenticationSection], &a); err != nil {
		l.t.Fatal(err)
	}
	if a.Relay.Requests != 1 || a.Relay.Accepts != 1 || a.Listener.Accepts != 1 || a.Logins.Joined != 1 {
		l.t.Errorf("the status is %+v", a)
	}
	g := l.group("isp")
	if auth := g.Servers[0].Authentication; !g.RelaysLogins || auth == nil || auth.Requests != 1 || auth.Accepts != 1 || auth.Successes != 1 {
		l.t.Errorf("the group is %+v", g)
	}
}

// TestGrantedInterims: attribute 85 of the Access-Accept says how often the daemon makes interims, also
// if no interims are configured.
func TestGrantedInterims(t *testing.T) {
	s := newAuthServer(t, func(q radius.Packet) (radius.Code, []byte) {
		if valueOf(q, radius.UserName) == "quiet" {
			return radius.CodeAccessAccept, nil
		}
		return radius.CodeAccessAccept, radius.AppendUint32(nil, radius.AcctInterimInterval, 1)
	})
	l := launch(t, with(t, authConfig(t, s), "  network: {default", "  update: {minimum: 1s}\n  network: {default"), environment{})
	n := l.nas()
	for _, user := range []string{"quiet", "alice"} {
		n.must(radius.CodeAccessAccept, n.request(user, "secret", nil))
		l.mustAccount(packet(acctStart, "S-"+user, user))
	}
	var got []string
	eventually(t, "two interims of alice arrive, and none of the other", func() bool {
		got = slices.Sorted(slices.Values(l.records("records.jsonl")))
		return slices.Equal(got, []string{"Interim-Update 00000002", "Interim-Update 00000002", "Start 00000001", "Start 00000002"})
	}, &got)
}
