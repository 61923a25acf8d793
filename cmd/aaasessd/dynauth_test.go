package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions/radius/radiustest"
)

// dynAuthConfig returns a configuration that accounts to r0, which may end and change sessions, and
// whose NAS takes requests at this one. It waits for the NAS as long as a busy host needs.
func dynAuthConfig(t *testing.T, server *upstream, nas *radiustest.NAS) string {
	t.Helper()
	text := with(t, relayConfig(t, "isp", server), "3799", portOf(nas.AddrPort()), nasTimeout, "timeout: 10s, retransmit: 0}}\nstore")
	return with(t, text, "  servers:\n", "  dynamic-authorization: {listen: [\"127.0.0.1:0\"], servers: [{server: r0}]}\n  servers:\n")
}

// nasTimeout is the part of plainConfig that says how long Disconnect-Requests wait.
const nasTimeout = "timeout: 100ms, retransmit: 0}}\nstore"

// changing is a server that sends Disconnect-Requests and CoA-Requests from one socket.
type changing struct {
	t    *testing.T
	conn *net.UDPConn
	id   byte
}

// changes returns a server of a daemon, which sends from 127.0.0.1.
func (l *inProcess) changes() *changing { return l.changesFrom("127.0.0.1") }

// changesFrom returns a server of a daemon, which sends from an address.
func (l *inProcess) changesFrom(addr string) *changing {
	l.t.Helper()
	from := netip.AddrPortFrom(netip.MustParseAddr(addr), 0)
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(from), net.UDPAddrFromAddrPort(l.d.dynAuth.listener.Addr()))
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = conn.Close() })
	return &changing{t: l.t, conn: conn}
}

// request encodes a request of the server.
func (c *changing) request(code radius.Code, attrs ...[]byte) []byte {
	c.id++
	b := radius.AppendHeader(nil, code, c.id)
	for _, a := range attrs {
		b = append(b, a...)
	}
	radius.Seal(b, 0, radius.Authenticator{}, authSecret)
	return b
}

// send sends a request and returns its answer. It returns an error if there is none in wait, or if it
// is not authentic.
func (c *changing) send(request []byte, wait time.Duration) (p radius.Packet, err error) {
	c.t.Helper()
	if _, err := c.conn.Write(request); err != nil {
		return p, err
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(wait))
	b := make([]byte, radius.MaxPacket)
	n, err := c.conn.Read(b)
	if err != nil {
		return p, err
	}
	if p, err = radius.Parse(b[:n]); err != nil {
		return p, err
	}
	if ok, _ := p.Authentic(radius.Authenticator(request[4:radius.HeaderLen]), authSecret, nil); !ok || p.Identifier() != request[1] {
		return p, errors.New("not authentic")
	}
	if radius.Type(p.Attributes()[0]) != radius.MessageAuthenticator {
		return p, errors.New("no Message-Authenticator in front")
	}
	return p, nil
}

// must sends a request whose answer must have a code and, if it is a NAK, an Error-Cause.
func (c *changing) must(code radius.Code, cause radius.ErrorCause, request []byte) radius.Packet {
	c.t.Helper()
	p, err := c.send(request, limit)
	if err != nil {
		c.t.Fatalf("want %v: %v", code, err)
	}
	got, _ := radius.Attributes(p.Attributes()).Uint32(radius.ErrorCauseType)
	if p.Code() != code || radius.ErrorCause(got) != cause {
		c.t.Fatalf("the answer is %v %d, want %v %d", p.Code(), got, code, cause)
	}
	return p
}

func text(t radius.Type, value string) []byte { return radius.AppendAttribute(nil, t, value) }

// TestUpstreamDisconnect: a server ends a session by the Acct-Session-Id of its records. The NAS gets
// its own, and no Proxy-State; the server gets its Proxy-States back. The stop keeps the cause of the
// NAS, and casnDisconnectedSessions does not count it.
func TestUpstreamDisconnect(t *testing.T) {
	server, nas := listen(t, "127.0.0.1:0"), radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	l := launch(t, with(t, dynAuthConfig(t, server, nas), "stop-wait: 100ms", "stop-wait: 100s"), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	c := l.changes()
	proxied := append(text(radius.ProxyState, "one"), text(radius.ProxyState, "\x00two")...)
	request := c.request(radius.CodeDisconnectRequest, text(radius.AcctSessionID, "00000001"), proxied, text(radius.UserName, "alice"))
	first := c.must(radius.CodeDisconnectACK, 0, request)
	if got := string(first.Attributes()[radius.SignatureLen:]); got != string(proxied) {
		t.Errorf("the answer has %q, want the Proxy-States", got)
	}
	again := c.must(radius.CodeDisconnectACK, 0, request)
	if string(again.Octets()) != string(first.Octets()) {
		t.Errorf("the copy gets %x, the request got %x", again.Octets(), first.Octets())
	}
	asked := nas.Next()
	if id := asked.Packet.Get(44); string(id) != "S1" || asked.Packet.Get(33) != nil || nas.Waiting() != 0 {
		t.Errorf("the NAS is asked for %q, with Proxy-State %q; %d more requests", id, asked.Packet.Get(33), nas.Waiting())
	}
	l.mustAccount(packet(acctStop, "S1", "alice", func(p *layeh.Packet) error {
		p.Add(49, layeh.NewInteger(1)) // User-Request
		return nil
	}))
	eventually(t, "the stop is at the server", func() bool { return slices.Contains(server.all(), "Stop 00000001") })
	server.mu.Lock()
	cause := server.cause
	server.mu.Unlock()
	if cause != 1 {
		t.Errorf("Acct-Terminate-Cause %d", cause)
	}
	status, err := l.client().Status(t.Context())
	if err != nil || status.Disconnected != 0 {
		t.Errorf("disconnected %d, %v", status.Disconnected, err)
	}
	if got := l.d.dynAuth.status(); got.Listener.ACKs != 2 || got.Listener.Duplicates != 1 || got.Relay.Disconnects != 1 || got.Relay.ACKs != 1 {
		t.Errorf("counted %+v", got)
	}
	if string(status.Sections[api.DynAuthSection]) == "" {
		t.Error("the status has no section")
	}
}

// TestUpstreamRefused: what the daemon refuses itself, and what the NAS refuses.
func TestUpstreamRefused(t *testing.T) {
	server, nas := listen(t, "127.0.0.1:0"), radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.NAK(401))
	base := dynAuthConfig(t, server, nas)
	l := launch(t, base, environment{})
	address := func(p *layeh.Packet) error { return rfc2865.FramedIPAddress_Set(p, net.IPv4(10, 0, 0, 1)) }
	l.mustAccount(packet(acctStart, "S1", "alice", address), packet(acctStart, "S2", "alice"))
	eventually(t, "both are in the view", func() bool { return l.d.table.View().Len() == 2 })
	c := l.changes()
	name := text(radius.AcctSessionID, "00000001")
	for _, tt := range []struct {
		name  string
		cause radius.ErrorCause
		attrs [][]byte
	}{
		{"no such number", 503, [][]byte{text(radius.AcctSessionID, "0000000F")}},
		{"the name at the NAS", 503, [][]byte{text(radius.AcctSessionID, "S1")}},
		{"another user", 503, [][]byte{name, text(radius.UserName, "bob")}},
		{"another NAS", 403, [][]byte{name, text(radius.NASIPAddress, "\xc0\x00\x02\x09")}},
		{"nothing", 402, nil},
		{"only the NAS", 402, [][]byte{text(radius.NASIPAddress, "\x7f\x00\x00\x01")}},
		{"two sessions of the user", 508, [][]byte{text(radius.UserName, "alice")}},
		{"by user and address; the NAS refuses", 401, [][]byte{text(radius.UserName, "alice"), text(radius.FramedIPAddress, "\x0a\x00\x00\x01")}},
		{"Filter-Id", 401, [][]byte{name, text(11, "slow")}},
		{"half a Tunnel-Password", 407, [][]byte{name, text(radius.TunnelPassword, "\x01")}},
	} {
		c.must(radius.CodeCoANAK, tt.cause, c.request(radius.CodeCoARequest, tt.attrs...))
		c.must(radius.CodeDisconnectNAK, tt.cause, c.request(radius.CodeDisconnectRequest, tt.attrs...))
	}

	l.reload(strings.Replace(base, "methods: [group isp]", "methods: [local]", 1), "configuration loaded")
	l.mustAccount(packet(acctStart, "S3", "carol"))
	c.must(radius.CodeDisconnectNAK, 501, c.request(radius.CodeDisconnectRequest, text(radius.AcctSessionID, "00000003")))
	l.reload(strings.NewReplacer("methods: [group isp]", "methods: [local]", "{server: r0}", "{server: r0, all-sessions: true}").Replace(base), "configuration loaded")
	c.must(radius.CodeDisconnectNAK, 401, c.request(radius.CodeDisconnectRequest, text(radius.AcctSessionID, "00000003")))
	l.reload(with(t, base, "127.0.0.0/8", "127.9.0.0/16"), "configuration loaded")
	c.must(radius.CodeDisconnectNAK, 502, c.request(radius.CodeDisconnectRequest, name))
	l.reload(with(t, base, "disconnect: {port", "disconnect: {profile: none, port"), "configuration loaded")
	asked := nas.Waiting()
	c.must(radius.CodeDisconnectNAK, 502, c.request(radius.CodeDisconnectRequest, name))
	c.must(radius.CodeCoANAK, 502, c.request(radius.CodeCoARequest, name, text(11, "slow")))
	if nas.Waiting() != asked || l.d.table.View().Len() != 3 {
		t.Errorf("a NAS with profile none is asked, or a session has ended: %d live", l.d.table.View().Len())
	}
}

// TestUpstreamRights: a server may end and change what its groups account, by the list that the session
// has begun with, and everything if it is allowed.
func TestUpstreamRights(t *testing.T) {
	first, second := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.2:0")
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	base := with(t, dynAuthConfig(t, first, nas), "{server: r0}", "{server: r0}, {server: r1}",
		"  groups:\n", fmt.Sprintf("    - {name: r1, address: 127.0.0.2, port: %s, secret: upstream}\n  groups:\n    - {name: other, servers: [r1]}\n", portOf(second.addrPort())))
	l := launch(t, base, environment{})
	servers := map[string]*changing{"r0": l.changes(), "r1": l.changesFrom("127.0.0.2")}
	may := func(when, server string, number int, want bool) {
		t.Helper()
		c := servers[server]
		p, err := c.send(c.request(radius.CodeCoARequest, text(radius.AcctSessionID, fmt.Sprintf("%08X", number))), limit)
		if err != nil {
			t.Fatalf("%s: %s: session %d: %v", when, server, number, err)
		}
		cause, _ := radius.Attributes(p.Attributes()).Uint32(radius.ErrorCauseType)
		if isACK := p.Code() == radius.CodeCoAACK; isACK != want || !want && radius.ErrorCause(cause) != radius.AdministrativelyProhibited {
			t.Errorf("%s: %s: session %d: %v, Error-Cause %d", when, server, number, p.Code(), cause)
		}
	}
	l.mustAccount(packet(acctStart, "S1", "alice"))
	may("at first", "r0", 1, true)
	may("at first", "r1", 1, false)
	l.reload(with(t, base, "methods: [group isp]", "methods: [group other]"), "configuration loaded")
	l.mustAccount(packet(acctStart, "S2", "bob"))
	for number := 1; number <= 2; number++ {
		may("with another list", "r0", number, number == 1)
		may("with another list", "r1", number, number == 2)
	}
	l.reload(with(t, base, "methods: [group isp]", "methods: [group isp, group other]"), "configuration loaded")
	l.mustAccount(packet(acctStart, "S3", "carol"))
	may("with both groups", "r0", 3, true)
	may("with both groups", "r1", 3, true)
	may("with both groups", "r1", 1, false)
	l.reload(with(t, base, "{server: r1}", "{server: r1, all-sessions: true}"), "configuration loaded")
	may("all are allowed", "r1", 1, true)
	may("all are allowed", "r0", 2, false)
	l.reload(with(t, base, "{server: r0}, {server: r1}", "{server: r0}"), "configuration loaded")
	c := servers["r1"]
	if p, err := c.send(c.request(radius.CodeCoARequest, text(radius.AcctSessionID, "00000001")), 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a server that was removed gets %v %v", p, err)
	}
	eventually(t, "it is counted as unknown", func() bool { return l.d.dynAuth.status().Listener.UnknownClients == 1 })
}

// TestUpstreamStop: if the NAS sends an ACK and no stop, the daemon makes the stop; at once after a
// 503.
func TestUpstreamStop(t *testing.T) {
	for name, nasSays := range map[string]radiustest.Handler{"ACK": radiustest.ACK, "503": radiustest.NAK(503)} {
		t.Run(name, func(t *testing.T) {
			server, nas := listen(t, "127.0.0.1:0"), radiustest.Listen(t, "127.0.0.1:0", nasSecret, nasSays)
			l := launch(t, dynAuthConfig(t, server, nas), environment{})
			l.mustAccount(packet(acctStart, "S1", "alice"))
			c := l.changes()
			if _, err := c.send(c.request(radius.CodeDisconnectRequest, text(radius.AcctSessionID, "00000001")), limit); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the stop is at the server", func() bool { return slices.Contains(server.all(), "Stop 00000001") })
			if n := l.d.dynAuth.status().Relay.Stops; n != 1 {
				t.Errorf("%d stops made", n)
			}
		})
	}
}

// TestUpstreamCoA: the NAS gets the attributes of a CoA-Request unchanged, and its answer goes back
// with our Acct-Session-Id.
func TestUpstreamCoA(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, func(r radiustest.Request) []byte {
		p := r.Packet.Response(r.Packet.Code + 1)
		p.Add(44, layeh.Attribute("S1"))
		p.Add(26, layeh.Attribute("\x00\x00\x00\x09\x01\x03x"))
		b, err := p.Encode()
		if err != nil {
			t.Error(err)
		}
		return b
	})
	l := launch(t, dynAuthConfig(t, server, nas), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	c := l.changes()
	answer := c.must(radius.CodeCoAACK, 0, c.request(radius.CodeCoARequest,
		text(radius.AcctSessionID, "00000001"), text(radius.VendorSpecific, "\x00\x00\x00\x09\x01\x05a=b"), text(radius.State, "s"),
		radius.AppendUint32(nil, radius.EventTimestamp, uint32(time.Now().Unix()-290)), text(radius.VendorSpecific, "?")))
	want := string(text(radius.AcctSessionID, "00000001")) + string(text(radius.VendorSpecific, "\x00\x00\x00\x09\x01\x03x"))
	if got := string(answer.Attributes()[radius.SignatureLen:]); got != want {
		t.Errorf("the answer has %q, want %q", got, want)
	}
	got := nas.Next()
	rest := string(text(radius.VendorSpecific, "\x00\x00\x00\x09\x01\x05a=b")) + string(text(radius.State, "s")) + string(text(radius.VendorSpecific, "?"))
	if got.Packet.Code != layeh.CodeCoARequest || !strings.HasSuffix(string(got.Data), rest) || string(got.Packet.Get(44)) != "S1" || len(got.Packet.Attributes) != 8 {
		t.Errorf("the NAS gets %v %q", got.Packet.Code, got.Data)
	}
	if n := l.d.table.View().Len(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// TestUpstreamUnanswered: what gets no answer, and is counted.
func TestUpstreamUnanswered(t *testing.T) {
	server, nas := listen(t, "127.0.0.1:0"), radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.Silence)
	text0 := with(t, dynAuthConfig(t, server, nas), "timeout: 10s, retransmit: 0}}\nstore", "timeout: 1s, retransmit: 0}}\nstore")
	l := launch(t, text0, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	c := l.changes()
	name := text(radius.AcctSessionID, "00000001")
	at := func(off time.Duration) []byte {
		return radius.AppendUint32(nil, radius.EventTimestamp, uint32(time.Now().Add(off).Unix()))
	}
	wrong := c.request(radius.CodeDisconnectRequest, name)
	wrong[4] ^= 1
	other := c.request(radius.CodeStatusServer)
	for _, tt := range []struct {
		name    string
		request []byte
	}{
		{"wrong secret", wrong},
		{"replayed", c.request(radius.CodeDisconnectRequest, name, at(-302*time.Second))},
		{"from the future", c.request(radius.CodeCoARequest, name, at(302*time.Second))},
		{"Status-Server", other},
		{"half", c.request(radius.CodeCoARequest, name)[:29]},
	} {
		if p, err := c.send(tt.request, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v %v", tt.name, p, err)
		}
	}
	silent := c.request(radius.CodeDisconnectRequest, name)
	for range 2 { // the second one is in flight, or a new one
		if p, err := c.send(silent, 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a silent NAS: %v %v", p, err)
		}
	}
	eventually(t, "the daemon has given up", func() bool { return l.d.dynAuth.status().Relay.Silent == 1 })
	got := l.d.dynAuth.status()
	want := api.DynAuthListenerCounters{Requests: 7, BadAuthenticators: 1, Stale: 2, Malformed: 2, Duplicates: 1, Refused: 1}
	if got.Listener.DynAuthListenerCounters != want {
		t.Errorf("counted %+v, want %+v", got.Listener.DynAuthListenerCounters, want)
	}
	l.reload(with(t, text0, "servers: [{server: r0}]", "servers: [{server: r0}], require-event-timestamp: true"), "configuration loaded")
	nas.Handle(radiustest.ACK)
	if p, err := c.send(c.request(radius.CodeDisconnectRequest, name), 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("without Event-Timestamp: %v %v", p, err)
	}
	c.must(radius.CodeDisconnectACK, 0, c.request(radius.CodeDisconnectRequest, name, at(0)))
}

// TestUpstreamThousand: a thousand requests at once are answered by a NAS that has as many sessions.
func TestUpstreamThousand(t *testing.T) {
	const sessions = 1000
	server, nas := listen(t, "127.0.0.1:0"), radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	l := launch(t, with(t, dynAuthConfig(t, server, nas), "stop-wait: 100ms", "stop-wait: 100s"), environment{})
	var starts []*layeh.Packet
	for i := range sessions {
		starts = append(starts, packet(acctStart, fmt.Sprintf("S%d", i), "alice"))
	}
	l.mustAccount(starts...)
	var conns []*changing
	for i := range sessions {
		if i%250 == 0 {
			conns = append(conns, l.changes())
		}
		c := conns[len(conns)-1]
		if _, err := c.conn.Write(c.request(radius.CodeDisconnectRequest, text(radius.AcctSessionID, fmt.Sprintf("%08X", i+1)))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are answered", func() bool {
		got := l.d.dynAuth.status()
		return got.Relay.ACKs == sessions && got.Listener.ACKs == sessions
	})
}
