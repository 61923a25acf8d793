package radius

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/sessions"
)

var _ Relay = relayed(nil)

// TestGoldenLogins: the answers to the packets of the RFCs are, octet for octet, those that another
// implementation makes.
func TestGoldenLogins(t *testing.T) {
	const accept = "\x06\x06\x00\x00\x00\x01\x0f\x06\x00\x00\x00\x00\x0e\x06\xc0\xa8\x01\x03"
	for _, tt := range []struct {
		name    string
		signing radius.Signing
		request string
		code    radius.Code // 0: the relay is not asked
		attrs   string
		want    string
	}{
		{"PAP without Message-Authenticator", radius.SigningLegacy, captured.GoldenAccess, radius.CodeAccessAccept, accept, captured.GoldenAccept},
		{"the same, nothing known yet", radius.SigningAuto, captured.GoldenAccess, radius.CodeAccessAccept, accept, captured.GoldenAccept},
		{"through two proxies", radius.SigningRequired, captured.GoldenSignedAccess, radius.CodeAccessChallenge, attr(radius.State, "abcd"), captured.GoldenChallenge},
		{"Status-Server", radius.SigningRequired, captured.GoldenStatus, 0, "", captured.GoldenStatusAccept},
		{"Status-Server to a legacy client", radius.SigningLegacy, captured.GoldenStatus, 0, "", captured.GoldenStatusAccept},
	} {
		t.Run(tt.name, func(t *testing.T) {
			relay := newRelayed()
			client := withSigning(tt.signing)
			client.Secret = captured.GoldenSecret
			l, handle := newIdleAuth(t, relay, client)
			handle(captured.Octets(t, tt.request), noon)
			if tt.code != 0 {
				relay.next(t).Answer(tt.code, []byte(tt.attrs))
			}
			if diff := cmp.Diff([]string{string(captured.Octets(t, tt.want))}, l.queued()); diff != "" {
				t.Error(diff)
			}
			if len(relay) > 0 {
				t.Error("the relay was called too often")
			}
		})
	}
}

// TestAccessRequest: what the relay learns of a request, and that the octets are its own.
func TestAccessRequest(t *testing.T) {
	call := num(radius.ServiceType, radius.CallCheck)
	for _, tt := range []struct {
		name  string
		attrs []string
		kind  sessions.Kind // of the client
		nas   sessions.NAS
		want  sessions.Kind
	}{
		{
			"a user",
			[]string{attr(radius.NASIdentifier, "bras1"), num(radius.NASIPAddress, 0xc0000201), num(radius.ServiceType, 2)},
			0,
			sessions.NAS{Identifier: "bras1", IPv4: netip.MustParseAddr("192.0.2.1")},
			sessions.Network,
		},
		{"of an IPv6 NAS", []string{attr(radius.NASIPv6Address, "\xfe\x80"+strings.Repeat("\x00", 13)+"\x01")}, 0, sessions.NAS{IPv6: netip.MustParseAddr("fe80::1")}, sessions.Network},
		{"attributes of a wrong length", []string{attr(radius.NASIPv6Address, "\xfe"), attr(radius.NASIPAddress, "\x01"), attr(radius.ServiceType, "6")}, 0, sessions.NAS{}, sessions.Network},
		{"an administrator", []string{num(radius.ServiceType, 6)}, 0, sessions.NAS{}, sessions.Exec},
		{"of a client whose users log in", nil, sessions.Exec, sessions.NAS{}, sessions.Exec},
		{"of such a client, but a network user", []string{num(radius.ServiceType, 2)}, sessions.Exec, sessions.NAS{}, sessions.Network},
		{"a call", []string{call, num(radius.NASPortType, 2)}, 0, sessions.NAS{}, sessions.Resource},
		{"a device, by its MAC address", []string{call, num(radius.NASPortType, 15)}, 0, sessions.NAS{}, sessions.Network},
	} {
		t.Run(tt.name, func(t *testing.T) {
			relay := newRelayed()
			client := local()
			client.Kind = tt.kind
			_, handle := newIdleAuth(t, relay, client)
			b := access(7, append(tt.attrs, attr(radius.State, "s"))...)
			want := bytes.Clone(b)
			handle(b, noon)
			clear(b) // the reader's buffer is used again
			q := relay.next(t)
			tt.nas.Addr, tt.nas.Local = here, here
			if diff := cmp.Diff(tt.nas, q.NAS, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
			if q.Kind != tt.want || q.ClientName != "local" || q.Secret != captured.Secret || q.Received != noon || q.From != netip.MustParseAddrPort("127.0.0.1:9") {
				t.Errorf("%+v", q)
			}
			if !q.SameClient(here) || q.SameClient(source) {
				t.Error("the request does not know its client's addresses")
			}
			if !bytes.Equal(q.Packet.Octets(), want) {
				t.Errorf("octets %x, want %x", q.Packet.Octets(), want)
			}
		})
	}
}

// TestLogin: an EAP login of two rounds and a rejected one through sockets. Answers leave from the
// address that the request was sent to.
func TestLogin(t *testing.T) {
	relay := newRelayed()
	l := startAuth(t, relay, "0.0.0.0:0", local())
	n := l.dial(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), l.Addr().Port()))
	state := attr(radius.ProxyState, "p")
	first := access(1, attr(radius.EAPMessage, "one"), state)
	n.send(first)
	q := relay.next(t)
	if q.NAS.Local != netip.MustParseAddr("127.0.0.2") {
		t.Errorf("sent to %v", q.NAS.Local)
	}
	q.Answer(radius.CodeAccessChallenge, []byte(attr(radius.State, "s")))
	challenge := n.receiveCode(first, radius.CodeAccessChallenge)
	if got := string(challenge.Attributes()[radius.SignatureLen:]); got != attr(radius.State, "s")+state {
		t.Errorf("attributes %x", got)
	}
	if radius.Type(challenge.Attributes()[0]) != radius.MessageAuthenticator {
		t.Error("Message-Authenticator is not first")
	}
	second := access(2, attr(radius.EAPMessage, "two"), attr(radius.State, "s"))
	n.send(second)
	relay.next(t).Answer(radius.CodeAccessAccept, nil)
	n.receiveCode(second, radius.CodeAccessAccept)
	third := access(3, attr(radius.UserName, "mallory"))
	n.send(third)
	relay.next(t).Answer(radius.CodeAccessReject, nil)
	n.receiveCode(third, radius.CodeAccessReject)
	n.send(first)
	if again := n.receiveCode(first, radius.CodeAccessChallenge); !bytes.Equal(again.Octets(), challenge.Octets()) {
		t.Errorf("another answer the second time: %x, %x", challenge.Octets(), again.Octets())
	}
	fence := statusRequest(9)
	n.send(fence)
	n.receiveCode(fence, radius.CodeAccessAccept)
	l.stop()
	want := AuthCounters{Requests: 5, Responses: 5, Accepts: 1, Rejects: 1, Challenges: 2, Duplicates: 1, StatusServers: 1}
	stats := l.Stats()
	if age := time.Since(stats.Clients[0].LastAnswered); age < 0 || age > time.Hour {
		t.Errorf("the last answer was %v ago", age)
	}
	if diff := cmp.Diff(AuthStats{want, []AuthClientCounters{{"local", "127.0.0.0/8", stats.Clients[0].LastAnswered, want}}}, stats); diff != "" {
		t.Error(diff)
	}
	if log := l.log.String(); log != "" {
		t.Errorf("the log: %s", log)
	}
}

// TestSigningOfClients: which requests reach the relay, one after the other.
func TestSigningOfClients(t *testing.T) {
	user, eap, state := attr(radius.UserName, "nemo"), attr(radius.EAPMessage, "x"), attr(radius.ProxyState, "p")
	wrong := access(9, user)
	wrong[radius.FirstSigned] ^= 1
	type step struct {
		name     string
		datagram []byte
		relayed  bool
		log      string
	}
	signed := step{"signed", access(1, user), true, ""}
	signedEAP := step{"EAP, signed", access(2, eap), true, ""}
	forged := step{"forged", wrong, false, "check the shared secret"}
	bareEAP := step{"EAP, not signed", unsignedAccess(3, eap), false, "EAP-Message without Message-Authenticator"}
	bare := func(identifier byte, relayed bool, log string) step {
		return step{"not signed", unsignedAccess(identifier, user), relayed, log}
	}
	proxied := func(identifier byte, relayed bool, log string) step {
		return step{"through a proxy, not signed", unsignedAccess(identifier, user, state), relayed, log}
	}
	for _, tt := range []struct {
		signing radius.Signing
		steps   []step
	}{
		{radius.SigningRequired, []step{bare(10, false, "to auto or legacy"), proxied(11, false, "to auto or legacy"), bareEAP, forged, signed, signedEAP}},
		{radius.SigningAuto, []step{
			forged, bare(10, true, ""), proxied(11, false, "Proxy-State without Message-Authenticator"), bareEAP, signedEAP,
			bare(12, true, ""), // of EAP every NAS signs: nothing is learned
			signed, bare(13, false, "has sent them before"), proxied(14, false, "has sent them before"),
		}},
		{radius.SigningLegacy, []step{bare(10, true, ""), proxied(11, true, ""), bareEAP, forged, signed, bare(12, true, ""), proxied(13, true, "")}},
	} {
		t.Run(tt.signing.String(), func(t *testing.T) {
			relay := newRelayed()
			l, handle := newIdleAuth(t, relay, withSigning(tt.signing))
			for i, s := range tt.steps {
				logged := len(l.log.String())
				handle(s.datagram, noon.Add(time.Duration(i)*time.Hour))
				if got := len(relay) == 1; got != s.relayed {
					t.Errorf("step %d, %s: relayed %v", i, s.name, got)
				}
				if line := l.log.String()[logged:]; !strings.Contains(line, s.log) || (s.log == "") != (line == "") {
					t.Errorf("step %d, %s: the log: %s", i, s.name, line)
				}
				for len(relay) > 0 {
					(<-relay).Answer(radius.CodeAccessAccept, nil)
				}
			}
		})
	}
}

// TestSigningOutlivesReload: that a client signs is known after a reload, and belongs to its prefix.
func TestSigningOutlivesReload(t *testing.T) {
	relay := newRelayed()
	l, handle := newIdleAuth(t, relay, withSigning(radius.SigningAuto))
	handle(access(1), noon)
	renamed := withSigning(radius.SigningAuto)
	renamed.Name = "other"
	if err := l.SetClients([]Client{renamed}); err != nil {
		t.Fatal(err)
	}
	handle(unsignedAccess(2), noon)
	narrow := withSigning(radius.SigningAuto)
	narrow.Prefix = prefix("127.0.0.1/32")
	if err := l.SetClients([]Client{renamed, narrow}); err != nil {
		t.Fatal(err)
	}
	handle(unsignedAccess(3), noon)
	if relay.next(t).Packet.Identifier() != 1 || relay.next(t).Packet.Identifier() != 3 || len(relay) > 0 {
		t.Error("another request reached the relay")
	}
}

// TestAccessDropped: none of these datagrams is answered or reaches the relay. All are counted, and
// logged once a minute.
func TestAccessDropped(t *testing.T) {
	elsewhere := local()
	elsewhere.Prefix = prefix("192.0.2.0/24")
	wrong := access(1)
	wrong[radius.FirstSigned+15] ^= 1
	tampered := access(1, attr(radius.UserName, "nemo"))
	tampered[len(tampered)-1] ^= 1
	twice := withLength(append(access(1), access(1)[radius.HeaderLen:]...), radius.HeaderLen+2*radius.SignatureLen)
	short := access(1)
	short[radius.HeaderLen+1] = 17
	unsignedStatus := statusRequest(1)[:radius.HeaderLen]
	wrongStatus := statusRequest(1)
	wrongStatus[len(wrongStatus)-1] ^= 1
	for _, tt := range []struct {
		name     string
		datagram []byte
		client   Client
		want     AuthCounters // after three datagrams
		log      string
	}{
		{"wrong secret", access(1), Client{Name: "local", Prefix: prefix("127.0.0.1/32"), Secret: "other"}, AuthCounters{BadAuthenticators: 3}, "check the shared secret"},
		{"wrong Message-Authenticator", wrong, local(), AuthCounters{BadAuthenticators: 3}, "check the shared secret"},
		{"the same of a legacy client", wrong, withSigning(radius.SigningLegacy), AuthCounters{BadAuthenticators: 3}, "check the shared secret"},
		{"changed on the way", tampered, local(), AuthCounters{BadAuthenticators: 3}, "check the shared secret"},
		{"no Message-Authenticator", captured.Packet(t, "access/radclient-pap.hex"), local(), AuthCounters{Unsigned: 3}, "no Message-Authenticator: if the NAS"},
		{"two Message-Authenticators", twice, local(), AuthCounters{Malformed: 3}, "does not occur once with 16 octets"},
		{"a short Message-Authenticator", short, local(), AuthCounters{Malformed: 3}, "Message-Authenticator: does not occur once"},
		{"not a client", access(1), elsewhere, AuthCounters{UnknownClients: 3}, "unknown client"},
		{"empty", nil, local(), AuthCounters{Malformed: 3}, "shorter than 20 octets"},
		{"truncated", access(1)[:25], local(), AuthCounters{Malformed: 3}, "shorter than its Length field"},
		{"4097 octets", sized(4097), local(), AuthCounters{Malformed: 3}, "Length field is not 20..4096"},
		{"Accounting-Request", start(1, "a"), local(), AuthCounters{Malformed: 3}, "neither an Access-Request nor"},
		{"Access-Accept", rawPacket(radius.CodeAccessAccept, ""), local(), AuthCounters{Malformed: 3}, "neither an Access-Request nor"},
		{"Status-Server without Message-Authenticator", withLength(unsignedStatus, 20), withSigning(radius.SigningLegacy), AuthCounters{BadAuthenticators: 3}, "Status-Server without Message-Authenticator"},
		{"Status-Server with a wrong one", wrongStatus, local(), AuthCounters{BadAuthenticators: 3}, "check the shared secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			relay := newRelayed()
			l, handle := newIdleAuth(t, relay, tt.client)
			l.dropThrice(handle, tt.datagram, "access request dropped", tt.log)
			tt.want.Requests = 3
			if diff := cmp.Diff(tt.want, l.Stats().AuthCounters); diff != "" {
				t.Error(diff)
			}
			if len(relay) > 0 || l.queued() != nil {
				t.Error("relayed or answered")
			}
		})
	}
}

// sized returns an Access-Request of n octets, with a right Message-Authenticator if the length is
// allowed.
func sized(n int) []byte {
	rest := n - radius.HeaderLen - radius.SignatureLen
	var attrs []string
	for ; rest > 255+2; rest -= 255 {
		attrs = append(attrs, attr(radius.VendorSpecific, strings.Repeat("v", 253)))
	}
	if rest > 255 {
		attrs = append(attrs, attr(radius.VendorSpecific, ""))
		rest -= 2
	}
	return access(1, append(attrs, attr(radius.VendorSpecific, strings.Repeat("v", rest-2)))...)
}

// TestAccessSizes: large packets and many Proxy-States are relayed whole, and the Proxy-States come
// back.
func TestAccessSizes(t *testing.T) {
	long := attr(radius.ProxyState, strings.Repeat("p", 200))
	fifty := strings.Repeat(attr(radius.ProxyState, strings.Repeat("q", 70)), 50)
	for _, tt := range []struct {
		name     string
		datagram []byte
		states   string
	}{
		{"4096 octets", sized(4096), ""},
		{"4096 octets and padding", append(sized(4096), 0), ""},
		{"padding", append(access(1, attr(radius.UserName, "nemo")), make([]byte, 300)...), ""},
		{"a Proxy-State of 200 octets", access(1, long, attr(radius.UserName, "nemo")), long},
		{"an empty Proxy-State", access(1, attr(radius.ProxyState, "")), attr(radius.ProxyState, "")},
		{"fifty Proxy-States", access(1, fifty), fifty},
		{"twenty of 200 octets", access(1, strings.Repeat(long, 20)), strings.Repeat(long, 20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			relay := newRelayed()
			l := startAuth(t, relay, "127.0.0.1:0", local())
			n := l.dial(l.Addr())
			n.send(tt.datagram)
			q := relay.next(t)
			if want := tt.datagram[:len(q.Packet.Octets())]; !bytes.Equal(q.Packet.Octets(), want) {
				t.Error("the relay got other octets")
			}
			q.Answer(radius.CodeAccessAccept, nil)
			if p := n.receiveCode(tt.datagram, radius.CodeAccessAccept); string(p.Attributes()[radius.SignatureLen:]) != tt.states {
				t.Errorf("attributes %x", p.Attributes())
			}
		})
	}
}

// TestLongAnswer: an answer of 4096 octets is sent, a longer one is not. Its request is new when it
// comes again.
func TestLongAnswer(t *testing.T) {
	relay := newRelayed()
	l, handle := newIdleAuth(t, relay, local())
	state := attr(radius.ProxyState, strings.Repeat("p", 200))
	fits := make([]byte, radius.MaxPacket-radius.HeaderLen-radius.SignatureLen-len(state))
	one := access(1, state)
	handle(one, noon)
	relay.next(t).Answer(radius.CodeAccessAccept, append(fits, 0))
	if got := l.queued(); got != nil {
		t.Errorf("answered: %x", got)
	}
	if log := l.log.String(); !strings.Contains(log, "longer than 4096 octets") {
		t.Errorf("the log: %s", log)
	}
	handle(one, noon)
	relay.next(t).Answer(radius.CodeAccessAccept, fits)
	if got := l.queued(); len(got) != 1 || len(got[0]) != radius.MaxPacket {
		t.Errorf("answers: %x", got)
	}
	want := AuthCounters{Requests: 2, Dropped: 1}
	if diff := cmp.Diff(want, l.Stats().AuthCounters); diff != "" {
		t.Error(diff)
	}
}
