package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/cmd/internal/api"
	"aaasess/mib/casn"
	"aaasess/sessions/radius/radiustest"
)

// responderConfig is plainConfig with a responder and a target for traps.
func responderConfig(t *testing.T, traps int) string {
	return with(t, plainConfig, "snmp: {session-mib-disconnect: true}", fmt.Sprintf(`snmp:
  session-mib-disconnect: true
  responder:
    listen: ["127.0.0.1:0"]
    system: {contact: ops}
    groups: [{name: watchers, read: all}, {name: operators, write: sessions, level: authNoPriv}]
    communities: [{community: public, from: [127.0.0.0/8], group: watchers}]
    users:
      - {name: noc, group: operators, auth: {protocol: SHA-256, password: authentication}, priv: {protocol: AES-128, password: privacy of it}}
      - {name: desk, group: operators, auth: {protocol: SHA, password: authentication}}
  notifications: [{name: here, address: "127.0.0.1:%d", version: v2c, community: traps}]`, traps))
}

// manager is a gosnmp client of the daemon's responder.
func (l *inProcess) manager(change func(*gosnmp.GoSNMP)) *gosnmp.GoSNMP {
	l.t.Helper()
	addr := l.d.snmp.responder.Addrs()[0]
	g := &gosnmp.GoSNMP{
		Target: addr.Addr().String(), Port: addr.Port(), Version: gosnmp.Version2c, Community: "public",
		Timeout: limit, MaxOids: gosnmp.MaxOids,
	}
	if change != nil {
		change(g)
	}
	if err := g.Connect(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = g.Close() })
	return g
}

// impatient returns a client for requests that are not answered.
func impatient(community string) func(*gosnmp.GoSNMP) {
	return func(g *gosnmp.GoSNMP) { g.Community, g.Timeout, g.Retries = community, 200*time.Millisecond, 0 }
}

// user returns a client for noc with authPriv, or for desk with authNoPriv.
func user(name string) func(*gosnmp.GoSNMP) {
	return func(g *gosnmp.GoSNMP) {
		g.Version, g.SecurityModel, g.MsgFlags = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.AuthNoPriv
		p := &gosnmp.UsmSecurityParameters{UserName: name, AuthenticationProtocol: gosnmp.SHA, AuthenticationPassphrase: "authentication"}
		if name == "noc" {
			g.MsgFlags, p.AuthenticationProtocol = gosnmp.AuthPriv, gosnmp.SHA256
			p.PrivacyProtocol, p.PrivacyPassphrase = gosnmp.AES, "privacy of it"
		}
		g.SecurityParameters = p
	}
}

// traps are the names of the notifications that a receiver on loopback got.
type traps struct {
	mu  sync.Mutex
	got []string
}

func (r *traps) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...)
}

func receiveTraps(t *testing.T) (r *traps, port int) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r = &traps{}
	go func() {
		buf := make([]byte, 2000)
		for {
			n, _, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			p, err := (&gosnmp.GoSNMP{Version: gosnmp.Version2c}).SnmpDecodePacket(buf[:n])
			r.mu.Lock()
			if err != nil || len(p.Variables) < 2 || p.Community != "traps" {
				r.got = append(r.got, fmt.Sprint(p, err))
			} else {
				r.got = append(r.got, fmt.Sprint(p.Variables[1].Value))
			}
			r.mu.Unlock()
		}
	}()
	return r, conn.LocalAddr().(*net.UDPAddr).Port
}

const (
	coldStart             = ".1.3.6.1.6.3.1.1.5.1"
	authenticationFailure = ".1.3.6.1.6.3.1.1.5.5"
)

// TestResponder: managers read the table without a master agent, and authorized ones SET. It also
// covers reloads and restarts.
func TestResponder(t *testing.T) {
	received, port := receiveTraps(t)
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	text := with(t, responderConfig(t, port), "3799", portOf(nas.AddrPort()))
	l := launch(t, text, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	userID, disconnect := casn.Root.Append(1, 3, 1, 2, 1).String(), casn.Root.Append(1, 3, 1, 5, 1).String()
	contact := ".1.3.6.1.2.1.1.4.0"
	get := func(g *gosnmp.GoSNMP, oid string) string {
		t.Helper()
		answer, err := g.Get([]string{oid})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s", answer.Variables[0].Value)
	}
	if got := get(l.manager(nil), userID); got != "alice" {
		t.Errorf("casnUserId is %s", got)
	}
	eventually(t, "coldStart is sent", func() bool { return strings.Join(received.names(), " ") == coldStart })

	set := func(g *gosnmp.GoSNMP) gosnmp.SNMPError {
		t.Helper()
		answer, err := g.Set([]gosnmp.SnmpPDU{{Name: disconnect, Type: gosnmp.Integer, Value: 1}})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Error
	}
	for name, g := range map[string]*gosnmp.GoSNMP{"a community": l.manager(nil), "a user without privacy": l.manager(user("desk"))} {
		if got := set(g); got != gosnmp.AuthorizationError {
			t.Errorf("a SET by %s: %v", name, got)
		}
	}
	noc := l.manager(user("noc"))
	if got := set(noc); got != gosnmp.NoError {
		t.Errorf("a SET with authPriv: %v", got)
	}
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Stop 00000001")

	if _, err := l.manager(impatient("secret")).Get([]string{userID}); err == nil {
		t.Error("an unknown community is answered")
	}
	eventually(t, "authenticationFailure is sent", func() bool { return strings.Join(received.names(), " ") == coldStart+" "+authenticationFailure })

	boots := engineBoots(t, noc)
	l.reload(with(t, text, "community: public", "community: secret", "contact: ops", "contact: others", "password: privacy of it", "password: other privacy"), "configuration loaded")
	if got := get(l.manager(func(g *gosnmp.GoSNMP) { g.Community = "secret" }), contact); got != "others" {
		t.Errorf("sysContact after the reload: %s", got)
	}
	if _, err := l.manager(impatient("public")).Get([]string{userID}); err == nil {
		t.Error("the community of before is answered")
	}
	l.reload(with(t, text, "127.0.0.1:0\"]\n    system", "127.0.0.1:1\"]\n    system"), "a restart is needed to change snmp.responder.listen")
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	l.configure(text)
	l.start(environment{})
	if got := engineBoots(t, l.manager(user("noc"))); got != boots+1 {
		t.Errorf("snmpEngineBoots is %d after a restart, %d before", got, boots)
	}
}

func engineBoots(t *testing.T, g *gosnmp.GoSNMP) int {
	t.Helper()
	answer, err := g.Get([]string{".1.3.6.1.6.3.10.2.1.2.0"})
	if err != nil {
		t.Fatal(err)
	}
	n, ok := answer.Variables[0].Value.(int)
	if !ok {
		t.Fatalf("snmpEngineBoots is %v", answer.Variables[0].Value)
	}
	return n
}

// TestAuthenticationFailures: many failures cause one notification a second, and none if they are
// disabled.
func TestAuthenticationFailures(t *testing.T) {
	received, port := receiveTraps(t)
	text := responderConfig(t, port)
	l := launch(t, with(t, text, "    system:", "    authentication-failure: false\n    system:"), environment{})
	unknown := l.manager(impatient("secret"))
	request, err := unknown.SnmpEncodePacket(gosnmp.GetRequest, []gosnmp.SnmpPDU{{Name: coldStart, Type: gosnmp.Null}}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() { // without waiting for an answer
		if _, err := unknown.Conn.Write(request); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	eventually(t, "it is counted", func() bool { return l.d.snmp.responder.Stats().InBadCommunityNames == 1 })
	l.reload(text, "configuration loaded")
	begin := time.Now()
	for range 20 {
		ask()
	}
	eventually(t, "all are counted", func() bool { return l.d.snmp.responder.Stats().InBadCommunityNames == 21 })
	eventually(t, "one is sent", func() bool { return len(received.names()) >= 2 })
	seconds := int(time.Since(begin)/time.Second) + 2 // including the first and the last, which are not full
	if got := received.names(); len(got) > 1+seconds {
		t.Errorf("in %d seconds: %q", seconds, got)
	}
}

// TestSNMPSettings: the values that a manager SETs in SNMPv2-MIB take effect at once and outlive a
// restart. Objects that the configuration gives a value are notWritable.
func TestSNMPSettings(t *testing.T) {
	const name, location, contact, enable = ".1.3.6.1.2.1.1.5.0", ".1.3.6.1.2.1.1.6.0", ".1.3.6.1.2.1.1.4.0", ".1.3.6.1.2.1.11.30.0"
	received, port := receiveTraps(t)
	text := with(t, responderConfig(t, port), "{name: operators, write: sessions", "{name: operators, read: all, write: all")
	l := launch(t, text, environment{})
	values := func() string {
		t.Helper()
		answer, err := l.manager(user("noc")).Get([]string{contact, name, location, enable})
		if err != nil {
			t.Fatal(err)
		}
		v := answer.Variables
		return fmt.Sprintf("%s, %s, %s, %d", v[0].Value, v[1].Value, v[2].Value, v[3].Value)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := values(), "ops, "+host+", , 1"; got != want {
		t.Errorf("at first %s, want %s", got, want)
	}
	set := func(who string, want gosnmp.SNMPError, vbs ...gosnmp.SnmpPDU) {
		t.Helper()
		answer, err := l.manager(user(who)).Set(vbs)
		if err != nil || answer.Error != want {
			t.Errorf("a SET by %s: %+v, %v, want %v", who, answer, err, want)
		}
	}
	of := func(oid, value string) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: oid, Type: gosnmp.OctetString, Value: value}
	}
	off := gosnmp.SnmpPDU{Name: enable, Type: gosnmp.Integer, Value: 2}
	set("desk", gosnmp.AuthorizationError, of(location, "lost"))
	set("noc", gosnmp.NotWritable, of(location, "lost"), of(contact, "me"))
	set("noc", gosnmp.NoError, of(location, "rack 7"), of(name, "other"), off)
	if got, want := values(), "ops, other, rack 7, 2"; got != want {
		t.Errorf("after the SET %s, want %s", got, want)
	}
	eventually(t, "the log has it", func() bool {
		return strings.Contains(l.log.String(), "object=sysLocation now=\"rack 7\" by=noc from=127.0.0.1:")
	})
	if _, err := l.manager(impatient("secret")).Get([]string{name}); err == nil {
		t.Error("an unknown community is answered")
	}
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	l.start(environment{})
	if got, want := values(), "ops, other, rack 7, 2"; got != want {
		t.Errorf("after a restart %s, want %s", got, want)
	}
	eventually(t, "coldStart is sent twice", func() bool { return strings.Join(received.names(), " ") == coldStart+" "+coldStart })

	given := with(t, text, "{contact: ops}", "{location: rack 8}", "    system:", "    authentication-failure: true\n    system:")
	l.reload(given, "configuration loaded")
	if got, want := values(), ", other, rack 8, 1"; got != want {
		t.Errorf("after the reload %s, want %s", got, want)
	}
	set("noc", gosnmp.NotWritable, of(location, "lost"))
	set("noc", gosnmp.NotWritable, off)
	set("noc", gosnmp.NoError, of(contact, "me"))
	if got, want := values(), "me, other, rack 8, 1"; got != want {
		t.Errorf("at the end %s, want %s", got, want)
	}
}

// TestSNMPStatus: show status has the rejected messages, and why notifications did not arrive.
func TestSNMPStatus(t *testing.T) {
	text := with(t, responderConfig(t, 9), "name: here, address: \"127.0.0.1:9\", version: v2c", "name: here, address: none.invalid, version: v2c")
	l := launch(t, text, environment{})
	if _, err := l.manager(impatient("secret")).Get([]string{coldStart}); err == nil {
		t.Fatal("an unknown community is answered")
	}
	var got api.SNMPStatus
	var section json.RawMessage
	eventually(t, "the status tells of both", func() bool {
		status, err := l.client().Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(status.Sections[api.SNMPSection], &got); err != nil {
			t.Fatal(err)
		}
		section = status.Sections[api.SNMPSection]
		return len(got.Problems) == 1 && got.Refused.InBadCommunityNames == 1 && len(got.Notifications) == 1 && strings.Contains(got.Notifications[0].Error, "none.invalid")
	}, &got)
	if got.Boots != 1 || len(got.Listen) != 1 || got.EngineID != hex.EncodeToString(l.d.snmp.usm.Engine().ID()) {
		t.Errorf("%+v", got)
	}
	want := api.SNMPStatus{
		Users:       []api.SNMPUser{{Name: "noc", Auth: "SHA-256", Priv: "AES-128", Group: "operators"}, {Name: "desk", Auth: "SHA", Group: "operators"}},
		Communities: []api.SNMPCommunity{{SecurityName: "watchers", Group: "watchers", Versions: []string{"v2c"}, From: []string{"127.0.0.0/8"}}},
		Problems:    []api.SNMPProblem{{What: "message dropped, unknown community, source address or version", Detail: "known false, version v2c"}},
	}
	if p := &got.Problems[0]; time.Since(p.At) > time.Hour || !strings.HasPrefix(p.From, "127.0.0.1:") {
		t.Errorf("%+v", p)
	}
	got.Problems[0].At, got.Problems[0].From = time.Time{}, ""
	if diff := cmp.Diff(want, api.SNMPStatus{Users: got.Users, Communities: got.Communities, Problems: got.Problems}); diff != "" {
		t.Error(diff)
	}
	for _, secret := range []string{"public", "authentication\"", "privacy of it", "traps"} {
		if strings.Contains(string(section), secret) {
			t.Errorf("the status has the secret %s: %s", secret, section)
		}
	}
	eventually(t, "the log tells of it", func() bool { return strings.Contains(l.log.String(), "unknown community, source address or version") })
	if strings.Contains(l.log.String(), "secret") {
		t.Error("the log has the community")
	}
}

// TestEngineWarnings: the log warns of boots that managers will reject.
func TestEngineWarnings(t *testing.T) {
	tests := []struct {
		name, file, id, want string
	}{
		{"the first start with a random id", "", "", ""},
		{"a given id, and no file", "", "8000000001020304", "starts at 1"},
		{"a given id with its file", "engineID 8000000001020304\nboots 7\n", "8000000001020304", ""},
		{"boots at their end", "engineID 8000000001020304\nboots 2147483646\n", "8000000001020304", "has reached its maximum"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log lines
			file := filepath.Join(t.TempDir(), engineFile)
			if tt.file != "" {
				if err := os.WriteFile(file, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			id, err := hex.DecodeString(tt.id)
			if err != nil {
				t.Fatal(err)
			}
			if len(id) == 0 {
				id = nil
			}
			d := &daemon{log: slog.New(slog.NewTextHandler(&log, nil))}
			if _, err := d.openEngine(file, id); err != nil {
				t.Fatal(err)
			}
			if got := log.String(); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("log %q, want %q", got, tt.want)
			}
		})
	}
}
