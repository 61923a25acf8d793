package snmp

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// run serves the fixture on loopback until the test ends.
func (f *fixture) run() {
	f.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	f.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	})
}

// client returns a gosnmp client connected to the responder's first address.
func (f *fixture) client(change func(*gosnmp.GoSNMP)) *gosnmp.GoSNMP {
	f.t.Helper()
	addr := f.Addrs()[0]
	g := &gosnmp.GoSNMP{
		Target: addr.Addr().String(), Port: addr.Port(), Version: gosnmp.Version2c, Community: "public",
		Timeout: 5 * time.Second, MaxOids: gosnmp.MaxOids,
	}
	if change != nil {
		change(g)
	}
	if err := g.Connect(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = g.Close() })
	return g
}

// as configures a gosnmp client as the user noc, helpdesk or guest.
func as(user string) func(*gosnmp.GoSNMP) {
	return func(g *gosnmp.GoSNMP) {
		g.Version, g.SecurityModel = gosnmp.Version3, gosnmp.UserSecurityModel
		p := &gosnmp.UsmSecurityParameters{UserName: user}
		g.SecurityParameters = p
		switch user {
		case "noc":
			g.MsgFlags = gosnmp.AuthPriv
			p.AuthenticationProtocol, p.AuthenticationPassphrase = gosnmp.SHA256, authPassword
			p.PrivacyProtocol, p.PrivacyPassphrase = gosnmp.AES, privPassword
		case "helpdesk":
			g.MsgFlags = gosnmp.AuthNoPriv
			p.AuthenticationProtocol, p.AuthenticationPassphrase = gosnmp.SHA, authPassword
		}
	}
}

// onLoopback returns a fixture that serves a free port of each of these addresses.
func onLoopback(t *testing.T, addrs ...string) *fixture {
	f := newFixture(t, func(c *Config) {
		for _, a := range addrs {
			c.Listen = append(c.Listen, parseAddr(t, a))
		}
	})
	f.run()
	return f
}

// TestUsers: the answers that each of three users gets from gosnmp's requests.
func TestUsers(t *testing.T) {
	f := onLoopback(t, "127.0.0.1:0")
	number, text := testNumber.Append(0).String(), testText.Append(0).String()
	tests := []struct {
		user, get, walk string
		set             gosnmp.SNMPError
	}{
		{"noc", "1.0=7, 3.0=hello", "1.0=7", gosnmp.NoError},
		{"helpdesk", "1.0=42, 3.0=hello", "1.0=42", gosnmp.AuthorizationError},
		{"guest", "1.0=NoSuchObject, 3.0=hello", "3.0=hello", gosnmp.AuthorizationError},
	}
	for _, tt := range tests {
		t.Run(tt.user, func(t *testing.T) {
			g := f.client(as(tt.user))
			answer, err := g.Get([]string{number, text})
			if err != nil {
				t.Fatal(err)
			}
			if got := show(answer); got != tt.get {
				t.Errorf("get: %s, want %s", got, tt.get)
			}
			if answer, err = g.GetNext([]string{testRoot.String()}); err != nil || show(answer) != tt.walk {
				t.Errorf("get next: %s, %v, want %s", show(answer), err, tt.walk)
			}
			if answer, err = g.Set([]gosnmp.SnmpPDU{{Name: number, Type: gosnmp.Integer, Value: 42}}); err != nil || answer.Error != tt.set {
				t.Errorf("set: %s, %v", show(answer), err)
			}
		})
	}
	if f.numbers.number.Load() != 42 || f.numbers.cleanup.Load() != 1 {
		t.Errorf("the number is %d, set %d times", f.numbers.number.Load(), f.numbers.cleanup.Load())
	}
}

// TestBadUsers: each request with wrong credentials is rejected and counted by the right counter.
func TestBadUsers(t *testing.T) {
	tests := []struct {
		name   string
		change func(*gosnmp.GoSNMP, *gosnmp.UsmSecurityParameters)
		count  func(Stats) uint64
	}{
		{"wrong password", func(_ *gosnmp.GoSNMP, p *gosnmp.UsmSecurityParameters) { p.AuthenticationPassphrase = "another one" }, func(s Stats) uint64 { return s.USM.WrongDigests }},
		{"wrong protocol", func(_ *gosnmp.GoSNMP, p *gosnmp.UsmSecurityParameters) { p.AuthenticationProtocol = gosnmp.SHA512 }, func(s Stats) uint64 { return s.USM.WrongDigests }},
		{"wrong privacy password", func(_ *gosnmp.GoSNMP, p *gosnmp.UsmSecurityParameters) { p.PrivacyPassphrase = "another one" }, func(s Stats) uint64 { return s.InASNParseErrs + s.USM.DecryptionErrors }},
		{"unknown user", func(_ *gosnmp.GoSNMP, p *gosnmp.UsmSecurityParameters) { p.UserName = "nobody" }, func(s Stats) uint64 { return s.USM.UnknownUserNames }},
		{"no authentication", func(g *gosnmp.GoSNMP, p *gosnmp.UsmSecurityParameters) {
			g.MsgFlags, p.AuthenticationProtocol, p.PrivacyProtocol = gosnmp.NoAuthNoPriv, gosnmp.NoAuth, gosnmp.NoPriv
		}, func(s Stats) uint64 { return s.OutGetResponses }}, // authorizationError: the level has no access entry
		{"privacy that a user has not", func(_ *gosnmp.GoSNMP, p *gosnmp.UsmSecurityParameters) {
			p.UserName, p.AuthenticationProtocol = "helpdesk", gosnmp.SHA
		}, func(s Stats) uint64 { return s.USM.UnsupportedSecLevels }},
		{"another context", func(g *gosnmp.GoSNMP, _ *gosnmp.UsmSecurityParameters) { g.ContextName = "other" }, func(s Stats) uint64 { return s.UnknownContexts }},
		{"another context engine", func(g *gosnmp.GoSNMP, _ *gosnmp.UsmSecurityParameters) {
			g.ContextEngineID = "\x80\x00\x00\x00\x01other"
		}, func(s Stats) uint64 { return s.UnknownPDUHandlers }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := onLoopback(t, "127.0.0.1:0")
			g := f.client(func(g *gosnmp.GoSNMP) {
				as("noc")(g)
				tt.change(g, g.SecurityParameters.(*gosnmp.UsmSecurityParameters))
				g.Timeout, g.Retries = 300*time.Millisecond, 0
			})
			before := f.Stats()
			answer, err := g.Set([]gosnmp.SnmpPDU{{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: 42}})
			if err == nil && answer.Error == gosnmp.NoError && answer.PDUType == gosnmp.GetResponse {
				t.Errorf("the SET was answered with %s", show(answer))
			}
			if f.numbers.number.Load() != 7 {
				t.Error("the SET was carried out")
			}
			if tt.count(f.Stats()) <= tt.count(before) {
				t.Errorf("not counted: %+v", f.Stats())
			}
		})
	}
}

// TestSockets: IPv4 and IPv6, one address and all, several clients at once.
func TestSockets(t *testing.T) {
	f := onLoopback(t, "127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0")
	targets := []string{"127.0.0.1", "::1", "127.0.0.2", "::1"}
	done := make(chan error)
	for i, addr := range f.Addrs() {
		for range 2 {
			g := f.client(func(g *gosnmp.GoSNMP) { g.Target, g.Port = targets[i], addr.Port() })
			go func() {
				rows := 0
				err := g.BulkWalk(testEntry.Append(1).String(), func(v gosnmp.SnmpPDU) error { rows++; return nil })
				if err == nil && rows != 1000 {
					t.Errorf("%v: %d rows", addr, rows)
				}
				done <- err
			}()
		}
	}
	for range 2 * len(f.Addrs()) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestAddressInUse: the error of New names the address.
func TestAddressInUse(t *testing.T) {
	f := onLoopback(t, "127.0.0.1:0")
	addr := f.Addrs()[0]
	_, err := New(Config{Listen: f.Addrs(), Engine: f.cfg.Engine, USM: f.cfg.USM}, testPolicy(t), f.numbers.module())
	if err == nil || !strings.Contains(err.Error(), addr.String()) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("error %v, want one that names %v", err, addr)
	}
}

// TestSlowSet: SETs that wait for the disk delay no other request; one too many is dropped and
// counted.
func TestSlowSet(t *testing.T) {
	f := onLoopback(t, "127.0.0.1:0")
	conn, err := net.Dial("udp", f.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	set := marshal(t, request(t, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: 14}))
	const tooMany = 5
	for range setters + setQueue + tooMany {
		if _, err := conn.Write(set); err != nil {
			t.Fatal(err)
		}
		// Send each request after the answer to the previous one, so that the kernel drops none.
		if _, err := f.client(nil).Get([]string{testText.Append(0).String()}); err != nil {
			t.Fatalf("a GET beside SETs: %v", err)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); f.Stats().OverSets != tooMany; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) { // a helper may still work on the last ones
			t.Fatalf("%d SETs dropped, want %d", f.Stats().OverSets, tooMany)
		}
	}
	close(f.numbers.release)
	buf := make([]byte, 1000)
	for i := range setters + setQueue {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("answer %d: %v", i+1, err)
		}
		// On a busy host the first ones may have waited too long.
		if got := show(decode(t, buf[:n])); got != "1.0=14" && (i >= setters || got != "UndoFailed 0 1.0=14" && got != "CommitFailed 1 1.0=14") {
			t.Errorf("answered %s", got)
		}
	}
}

// TestHangingSet: SETs whose commit hangs are answered, and keep their setters until they are undone.
func TestHangingSet(t *testing.T) {
	f := onLoopback(t, "127.0.0.1:0")
	conn, err := net.Dial("udp", f.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	set := func(n int) {
		t.Helper()
		b := marshal(t, request(t, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: n}))
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	answer := func(want string) {
		t.Helper()
		buf := make([]byte, 1000)
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if got := show(decode(t, buf[:n])); got != want {
			t.Errorf("answered %s, want %s", got, want)
		}
	}
	for range setters {
		set(14)
	}
	for range setters {
		answer("UndoFailed 0 1.0=14")
	}
	set(7)
	_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1000)); err == nil {
		t.Errorf("an answer of %d octets before the undo", n)
	}
	close(f.numbers.release)
	answer("1.0=7")
}

// TestBadMessages: each invalid message is counted and not answered, and the next request is
// answered.
func TestBadMessages(t *testing.T) {
	get := request(t, "public", gosnmp.GetRequest, names(testText.Append(0))...)
	good := marshal(t, get)
	kind := func(k gosnmp.PDUType) []byte {
		p := *get
		p.PDUType = k
		return marshal(t, &p)
	}
	version := func(v gosnmp.SnmpVersion) []byte {
		p := *get
		p.Version = v
		return marshal(t, &p)
	}
	other := version(gosnmp.Version2c)
	other[4] = 9
	tests := []struct {
		name  string
		in    []byte
		count func(Stats) uint64
	}{
		{"no octet", nil, func(s Stats) uint64 { return s.InASNParseErrs }},
		{"garbage", []byte("garbage"), func(s Stats) uint64 { return s.InASNParseErrs }},
		{"one octet behind it", append(append([]byte(nil), good...), 0), func(s Stats) uint64 { return s.InASNParseErrs }},
		{"larger than UDP", make([]byte, maxDatagram+1), func(s Stats) uint64 { return s.InASNParseErrs }},
		{"version 1", version(gosnmp.Version1), func(s Stats) uint64 { return s.InBadVersions }},
		{"version 10", other, func(s Stats) uint64 { return s.InBadVersions }},
		{"a response", kind(gosnmp.GetResponse), func(s Stats) uint64 { return s.UnknownPDUHandlers }},
		{"an inform", kind(gosnmp.InformRequest), func(s Stats) uint64 { return s.UnknownPDUHandlers }},
		{"a trap", kind(gosnmp.SNMPv2Trap), func(s Stats) uint64 { return s.UnknownPDUHandlers }},
		{"a report", kind(gosnmp.Report), func(s Stats) uint64 { return s.UnknownPDUHandlers }},
		{"privacy without authentication", privacyAlone(t, true), func(s Stats) uint64 { return s.InvalidMsgs }},
		{"privacy without authentication, plain", privacyAlone(t, false), func(s Stats) uint64 { return s.InvalidMsgs }},
		{"unknown community", marshal(t, request(t, "secret", gosnmp.GetRequest)), func(s Stats) uint64 { return s.InBadCommunityNames }},
		{"empty community", marshal(t, request(t, "", gosnmp.GetRequest)), func(s Stats) uint64 { return s.InBadCommunityNames }},
	}
	f := newFixture(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := f.Stats()
			if out := f.exchange(manager, tt.in); out != nil {
				t.Errorf("answered %x", out)
			}
			after := f.Stats()
			if got := tt.count(after) - tt.count(before); got != 1 {
				t.Errorf("counted %d times", got)
			}
			if got := problems(after) - problems(before); got != 1 {
				t.Errorf("%d problems counted", got)
			}
			if out := f.exchange(manager, good); out == nil {
				t.Error("the next request is not answered")
			}
		})
	}
	for i := range good {
		if out := f.exchange(manager, good[:i]); out != nil {
			t.Errorf("cut off after %d octets: answered %x", i, out)
		}
	}
}

// problems returns how many messages were dropped unread.
func problems(s Stats) uint64 {
	return s.InASNParseErrs + s.InBadVersions + s.UnknownPDUHandlers + s.InBadCommunityNames + s.InvalidMsgs + s.UnknownSecurityModels
}

// privacyAlone returns a GET with the flag of privacy but without that of authentication. Its
// msgData is an OCTET STRING, as an encryptedPDU is, or a plain scopedPDU.
func privacyAlone(t testing.TB, encrypted bool) []byte {
	t.Helper()
	var f wire.Frame
	f.Reset()
	f.AppendVarbind(&mib.Varbind{Name: testText.Append(0), Value: mib.Value{Type: mib.Null}})
	f.ClosePDU(wire.GetRequest, 4711, 0, 0)
	f.CloseScoped(nil, nil)
	if encrypted {
		f.CloseOctets()
	}
	f.CloseV3(&wire.HeaderV3{ID: 4712, MaxSize: 65507, Flags: wire.FlagReportable | wire.FlagPriv, Model: wire.ModelUSM},
		&wire.SecurityParameters{UserName: []byte("guest"), PrivacyParameters: make([]byte, 8)})
	return append([]byte(nil), f.Bytes()...)
}

// TestUnknownSource: a community is valid only from its sources; AuthenticationFailure is called
// for others.
func TestUnknownSource(t *testing.T) {
	var told int
	f := newFixture(t, func(c *Config) {
		c.AuthenticationFailure = func(from netip.AddrPort) {
			if from == unknownSource {
				told++
			}
		}
	})
	in := marshal(t, request(t, "public", gosnmp.GetRequest, names(testText.Append(0))...))
	if out := f.exchange(unknownSource, in); out != nil {
		t.Errorf("answered %x", out)
	}
	if f.Stats().InBadCommunityNames != 1 || told != 1 {
		t.Errorf("counted %d, AuthenticationFailure called %d times", f.Stats().InBadCommunityNames, told)
	}
}

// TestLimits: a source above its limit is dropped, another source is not, in each version of SNMP.
func TestLimits(t *testing.T) {
	neighbour := parseAddr(t, "192.0.2.7:161")
	for _, version := range []string{"v1", "v2c", "guest"} {
		f := newV1Fixture(t)
		size := len(f.exchange(manager, f.rightRequests()[version]))
		tests := []struct {
			name   string
			limits Limits
			want   int
			count  func(Stats) uint64
		}{
			{"requests", Limits{Requests: 10}, 10, func(s Stats) uint64 { return s.OverRequests }},
			{"response octets", Limits{ResponseOctets: 1000}, MaxMessageSize / size, func(s Stats) uint64 { return s.OverResponseOctets }},
			{"total response octets", Limits{TotalResponseOctets: 1000}, MaxMessageSize / size, func(s Stats) uint64 { return s.OverTotalResponseOctets }},
		}
		for _, tt := range tests {
			t.Run(version+" "+tt.name, func(t *testing.T) {
				f := newV1Fixture(t, func(c *Config) { c.Limits = tt.limits })
				get := f.rightRequests()[version]
				sent, got := 2*tt.want, 0
				for range sent {
					if f.at(0, manager, get) != nil {
						got++
					}
				}
				if got != tt.want || tt.count(f.Stats()) != uint64(sent-got) {
					t.Errorf("%d of %d answered, %d counted", got, sent, tt.count(f.Stats()))
				}
				if answered := f.at(0, neighbour, get) != nil; answered != (tt.limits.TotalResponseOctets == 0) {
					t.Errorf("another source is answered: %t", answered)
				}
				f.SetLimits(Limits{})
				if f.at(0, manager, get) == nil {
					t.Error("no answer without limits")
				}
			})
		}
	}
}

// TestReportLimit: discovery is answered with reports, up to the limit.
func TestReportLimit(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Limits = Limits{Failures: 5} })
	discovery := discoveryMessage(t)
	got := 0
	for range 20 {
		if out := f.exchange(manager, discovery); out != nil {
			got++
		}
	}
	if got < 5 || got > 6 || f.Stats().OverFailures != uint64(20-got) || f.Stats().USM.UnknownEngineIDs != 20 {
		t.Errorf("%d reports, %+v", got, f.Stats())
	}
}

// TestDiscovery: the report has our engine id, boots and time, and the msgID of the request.
func TestDiscovery(t *testing.T) {
	f := newFixture(t)
	out := f.exchange(manager, discoveryMessage(t))
	var m wire.Message
	var p wire.SecurityParameters
	var s wire.ScopedPDU
	var pdu wire.PDU
	for _, err := range []error{m.Parse(out), p.Parse(m.SecurityParameters), s.Parse(m.Data, false), pdu.Parse(s.PDU)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if m.ID != 4712 || m.Flags != 0 || string(p.EngineID) != string(f.cfg.Engine.ID()) || p.Boots != 1 {
		t.Errorf("msgID %d, flags %d, engine %x, boots %d", m.ID, m.Flags, p.EngineID, p.Boots)
	}
	if pdu.Type != wire.Report || pdu.RequestID != 4711 || len(pdu.Varbinds) != 1 || pdu.Varbinds[0].Name.Compare(mib.MustOID("1.3.6.1.6.3.15.1.1.4.0")) != 0 || pdu.Varbinds[0].Value.Num != 1 {
		t.Errorf("PDU %+v", pdu)
	}
}

// discoveryMessage is the first message of a manager (RFC 3414 section 4), with request-id 4711 and
// msgID 4712.
func discoveryMessage(t testing.TB) []byte {
	t.Helper()
	var f wire.Frame
	f.Reset()
	f.ClosePDU(wire.GetRequest, 4711, 0, 0)
	f.CloseScoped(nil, nil)
	f.CloseV3(&wire.HeaderV3{ID: 4712, MaxSize: 65507, Flags: wire.FlagReportable, Model: wire.ModelUSM}, &wire.SecurityParameters{})
	return append([]byte(nil), f.Bytes()...)
}
