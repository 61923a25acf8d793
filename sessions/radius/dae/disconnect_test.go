package dae

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/termination"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"aaasess/internal/radius/captured"
)

var _ termination.Disconnector = (*Disconnector)(nil)

// hostapdSession returns a session as the table stores it.
func hostapdSession(addr string) *sessions.Session {
	attrs := radius.AppendAttribute(nil, radius.UserName, "alice")
	attrs = radius.AppendUint32(attrs, radius.NASIPAddress, 0x7f000001)
	attrs = radius.AppendAttribute(attrs, radius.NASIdentifier, "hostapd-wired-1")
	attrs = radius.AppendAttribute(attrs, radius.CallingStationID, "02-00-00-00-00-02")
	attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, "8D5C1B9A0F3E7746")
	attrs = radius.AppendAttribute(attrs, radius.Class, "one")
	attrs = radius.AppendAttribute(attrs, radius.Class, "two")
	attrs = radius.AppendUint32(attrs, radius.NASPort, 7)
	return &sessions.Session{
		ID: 13, Kind: sessions.Network, NAS: &sessions.NAS{Addr: netip.MustParseAddr(addr), Identifier: "hostapd-wired-1"},
		Attrs: radius.Attributes(attrs),
	}
}

// testTimeout is short because a NAS in a test may not answer.
const testTimeout = 50 * time.Millisecond

// firstAttempt returns the first attempt to end a session.
func firstAttempt(s *sessions.Session) *termination.Attempt { return &termination.Attempt{Session: s} }

// clientWithoutTimestamp returns a client whose requests have no Event-Timestamp, so an attempt
// without an answer sends one request only.
func clientWithoutTimestamp() nasradius.Client {
	c := local()
	c.DisconnectAttributes = []string{"Acct-Session-Id", "Message-Authenticator"}
	return c
}

// startDisconnector runs a Disconnector on a real socket until the test ends. It sends to a fake
// NAS at 127.0.0.2.
func startDisconnector(t *testing.T, cfg Config, h radiustest.Handler) (*Disconnector, *radiustest.NAS, *radiustest.Log) {
	t.Helper()
	nas := radiustest.Listen(t, "127.0.0.2:0", string(captured.Secret), h)
	log := &radiustest.Log{}
	cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	if cfg.Clients == nil {
		cfg.Clients = []nasradius.Client{local()}
	}
	for i := range cfg.Clients {
		cfg.Clients[i].DisconnectPort = nas.AddrPort().Port()
	}
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	radiustest.Run(t, d.Run)
	return d, nas, log
}

func TestDisconnectAnswers(t *testing.T) {
	tests := []struct {
		name    string
		handler radiustest.Handler
		want    termination.Outcome
	}{
		{"ACK", radiustest.ACK, termination.Outcome{Answer: termination.ACK}},
		{"NAK 503", radiustest.NAK(503), termination.Outcome{Answer: termination.NAK, ErrorCause: radius.SessionContextNotFound}},
		{"NAK 406", radiustest.NAK(406), termination.Outcome{Answer: termination.NAK, ErrorCause: radius.UnsupportedExtension}},
		{"NAK without Error-Cause", radiustest.NAK(0), termination.Outcome{Answer: termination.NAK}},
		{"NAK 401 to all that is asked", radiustest.NAK(401), termination.Outcome{Answer: termination.NAK, ErrorCause: radius.UnsupportedAttribute}},
		{"NAK 401, then ACK", radiustest.Nth(radiustest.NAK(401), radiustest.ACK), termination.Outcome{Answer: termination.ACK}},
		{"silence", radiustest.Silence, termination.Outcome{}},
		{"wrong authenticator", radiustest.WrongAuthenticator, termination.Outcome{}},
		{"wrong authenticator, then ACK", radiustest.Nth(radiustest.WrongAuthenticator, radiustest.ACK), termination.Outcome{Answer: termination.ACK}},
		{"only the retransmission is heard", radiustest.Nth(radiustest.Silence, radiustest.ACK), termination.Outcome{Answer: termination.ACK}},
		{"garbage, then ACK", radiustest.Nth(func(radiustest.Request) []byte { return []byte("hello") }, radiustest.ACK), termination.Outcome{Answer: termination.ACK}},
		{"another code, then ACK", radiustest.Nth(func(r radiustest.Request) []byte {
			b := radiustest.ACK(r)
			b[0] = 44
			return b
		}, radiustest.ACK), termination.Outcome{Answer: termination.ACK}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _, _ := startDisconnector(t, Config{Timeout: 50 * time.Millisecond}, tt.handler)
			got := d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2")))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDisconnectByGrantedName: hostapd knows a user only by the name of the newest Accept. A NAS that does
// not have the session by that name either has lost it.
func TestDisconnectByGrantedName(t *testing.T) {
	const granted = "alice@isp"
	knows := func(name string) radiustest.Handler {
		return func(r radiustest.Request) []byte {
			if rfc2865.UserName_GetString(r.Packet) == name && rfc2866.AcctSessionID_GetString(r.Packet) != "" {
				return radiustest.ACK(r)
			}
			return radiustest.NAK(503)(r)
		}
	}
	lost := termination.Outcome{Answer: termination.NAK, ErrorCause: radius.SessionContextNotFound}
	for _, tt := range []struct {
		knows, granted string
		want           termination.Outcome
	}{
		{"alice", granted, termination.Outcome{Answer: termination.ACK}},
		{granted, granted, termination.Outcome{Answer: termination.ACK}},
		{"bob", granted, lost},
		{"bob", "alice", lost},
		{"bob", "", lost},
	} {
		d, _, log := startDisconnector(t, Config{Timeout: time.Second}, knows(tt.knows))
		s := hostapdSession("127.0.0.2")
		if tt.granted != "" {
			s.Admission = &sessions.Admission{Granted: radius.Attributes(radius.AppendAttribute(nil, radius.UserName, tt.granted))}
		}
		if diff := cmp.Diff(tt.want, d.Disconnect(t.Context(), firstAttempt(s))); diff != "" {
			t.Errorf("NAS knows %q, granted %q:\n%s", tt.knows, tt.granted, diff)
		}
		asked := strings.Contains(log.String(), "with the granted name")
		if want := tt.knows != "alice" && tt.granted == granted; asked != want {
			t.Errorf("NAS knows %q, granted %q: asked by the granted name: %v", tt.knows, tt.granted, asked)
		}
	}
}

func TestStats(t *testing.T) {
	d, nas, log := startDisconnector(t, Config{Clients: []nasradius.Client{clientWithoutTimestamp()}, Timeout: testTimeout, Retransmissions: 1},
		radiustest.Nth(radiustest.ACK, radiustest.NAK(506), radiustest.Silence, radiustest.WrongAuthenticator, radiustest.ACK))
	for range 3 {
		d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2")))
	}
	for range 4 {
		nas.Next()
	}
	d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2")))
	late := nas.Next()
	nas.Send(late.From, radiustest.ACK(late))
	nas.Send(late.From, []byte("junk"))
	radiustest.WaitFor(t, func() bool { s := d.Stats(); return s.Unexpected == 1 && s.Malformed == 1 })
	want := Stats{Requests: 4, Retransmissions: 1, ACKs: 2, NAKs: 1, Unanswered: 1, BadAuthenticators: 1, Unexpected: 1, Malformed: 1}
	if diff := cmp.Diff(want, d.Stats()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log.String(), "disconnect: answer dropped") {
		t.Errorf("the wrong authenticator is not in the log: %s", log)
	}
}

// TestAnswerFromElsewhere: an answer from another address or port is ignored, even with the right
// authenticator, to requests of our own and to those of servers.
func TestAnswerFromElsewhere(t *testing.T) {
	for name, addr := range map[string]string{"another address": "127.0.0.3:0", "another port": "127.0.0.2:0"} {
		t.Run(name, func(t *testing.T) {
			thief := radiustest.Listen(t, addr, string(captured.Secret), radiustest.Silence)
			d, nas, _ := startDisconnector(t, Config{Clients: []nasradius.Client{clientWithoutTimestamp()}, Timeout: testTimeout, Retransmissions: -1}, radiustest.Silence)
			nas.Handle(func(r radiustest.Request) []byte {
				thief.Send(r.From, radiustest.ACK(r))
				return nil
			})
			if out := d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2"))); out.Answer != termination.NoAnswer {
				t.Errorf("outcome %v", out)
			}
			out := d.Forward(t.Context(), hostapdSession("127.0.0.2"), Forwarded{Code: radius.CodeCoARequest, Secret: serverSecret})
			if out.Answer != termination.NoAnswer || out.Err != nil || len(out.Attrs) > 0 {
				t.Errorf("forwarded: %+v", out)
			}
			if got := d.Stats(); got.Unexpected != 2 || got.Unanswered != 2 {
				t.Errorf("%+v, want 2 unexpected answers", got)
			}
		})
	}
}

func TestDisconnectAddr(t *testing.T) {
	c := local()
	c.Prefix, c.DisconnectAddr = prefix("192.0.2.0/24"), netip.MustParseAddr("127.0.0.2")
	d, nas, _ := startDisconnector(t, Config{Clients: []nasradius.Client{c}}, radiustest.ACK)
	if out := d.Disconnect(t.Context(), firstAttempt(hostapdSession("192.0.2.1"))); out.Answer != termination.ACK {
		t.Errorf("outcome %v", out)
	}
	nas.Next()
}

func TestDisconnectIPv6(t *testing.T) {
	nas := radiustest.Listen(t, "[::1]:0", string(captured.Secret), radiustest.ACK)
	c := nasradius.Client{Prefix: prefix("::1/128"), Secret: captured.Secret, DisconnectPort: nas.AddrPort().Port()}
	d, _, _ := startDisconnector(t, Config{}, radiustest.Silence)
	if err := d.SetClients([]nasradius.Client{c}); err != nil {
		t.Fatal(err)
	}
	if out := d.Disconnect(t.Context(), firstAttempt(hostapdSession("::1"))); out.Answer != termination.ACK {
		t.Errorf("outcome %v", out)
	}
}

func TestDisconnectCannotBeSent(t *testing.T) {
	d, nas, _ := startDisconnector(t, Config{}, radiustest.ACK)
	if out := d.Disconnect(t.Context(), firstAttempt(hostapdSession("192.0.2.1"))); !errors.Is(out.Err, ErrNoClient) || out.Answer != termination.NoAnswer {
		t.Errorf("outcome %v, want %v", out, ErrNoClient)
	}
	if err := d.SetClients(nil); err != nil {
		t.Fatal(err)
	}
	if out := d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2"))); !errors.Is(out.Err, ErrNoClient) {
		t.Errorf("outcome %v after the client was removed", out)
	}
	if nas.Waiting() != 0 {
		t.Error("something was sent")
	}
	if err := d.SetClients([]nasradius.Client{{}}); err == nil {
		t.Error("a client without anything was taken")
	}
}

// TestManyAtOnce: each of many requests gets its own answer.
func TestManyAtOnce(t *testing.T) {
	// The fake NAS has a small buffer: some requests are lost and retransmitted.
	d, _, _ := startDisconnector(t, Config{Timeout: 100 * time.Millisecond, Retransmissions: 100}, func(r radiustest.Request) []byte {
		if strings.HasSuffix(rfc2866.AcctSessionID_GetString(r.Packet), "1") {
			return radiustest.NAK(503)(r)
		}
		if rfc2865.UserName_GetString(r.Packet) != "alice" {
			return nil
		}
		return radiustest.ACK(r)
	})
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			s := hostapdSession("127.0.0.2")
			s.Attrs = radius.Attributes(attr(radius.AcctSessionID, fmt.Sprint(i))) + s.Attrs
			want := termination.Outcome{Answer: termination.ACK}
			if i%10 == 1 {
				want = termination.Outcome{Answer: termination.NAK, ErrorCause: 503}
			}
			if got := d.Disconnect(t.Context(), firstAttempt(s)); got != want {
				t.Errorf("session %d: %v, want %v", i, got, want)
			}
		})
	}
	all.Wait()
}

// FuzzAnswer: no datagram makes the Disconnector panic, and only the right one counts as an answer.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte{41, 0, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	nak := radius.AppendUint32(radius.AppendHeader(nil, radius.CodeDisconnectNAK, 1), radius.ErrorCauseType, 503)
	radius.Seal(nak, 0, radius.Authenticator{}, captured.Secret)
	f.Add(nak)
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := newDisconnector(Config{Clients: []nasradius.Client{local()}}, sendNothing)
		if err != nil {
			t.Fatal(err)
		}
		from := netip.MustParseAddrPort("127.0.0.2:3799")
		id, err := d.peers.acquire(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		flying := &pendingRequest{client: d.clients.Find(from.Addr()), code: radius.CodeDisconnectRequest, answer: make(chan response, 1)}
		d.peers.register(from, id, flying)
		d.receive(data, from, noon)
		if len(flying.answer) > 0 && !layeh.IsAuthenticResponse(data[:int(data[2])<<8|int(data[3])], make([]byte, 20), []byte(captured.Secret)) {
			t.Fatal("taken for an answer")
		}
	})
}

// sendNothing is the sendFunc of a Disconnector that needs no sockets.
func sendNothing([]byte, netip.Addr, netip.AddrPort) error { return nil }

// TestSocketsComeWithClients: without clients there are no sockets, which other hosts could send
// to. The first clients that are set open them, while Run runs.
func TestSocketsComeWithClients(t *testing.T) {
	d, nas, _ := startDisconnector(t, Config{Clients: []nasradius.Client{}}, radiustest.ACK)
	<-d.Ready()
	if n := len(d.openSockets()); n != 0 {
		t.Errorf("%d sockets without clients", n)
	}
	c := local()
	c.DisconnectPort = nas.AddrPort().Port()
	for range 2 {
		if err := d.SetClients([]nasradius.Client{c}); err != nil {
			t.Fatal(err)
		}
		if out := d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2"))); out.Answer != termination.ACK {
			t.Errorf("outcome %+v, want an ACK", out)
		}
		if n := len(d.openSockets()); n != 1 && n != 2 {
			t.Errorf("%d sockets", n)
		}
	}
	idle, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := idle.Run(ctx); err != nil {
		t.Errorf("Run without clients: %v", err)
	}
	if err := idle.SetClients([]nasradius.Client{c}); err != nil || len(idle.openSockets()) != 0 {
		t.Errorf("%d sockets after the end, %v", len(idle.openSockets()), err)
	}
}

func TestDisconnectorErrors(t *testing.T) {
	if _, err := New(Config{Clients: []nasradius.Client{{}}}); err == nil {
		t.Error("a client without anything was taken")
	}
	d, err := New(Config{Clients: []nasradius.Client{local()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Run(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run: %v, want %v", err, net.ErrClosed)
	}
	if out := d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2"))); !errors.Is(out.Err, net.ErrClosed) {
		t.Errorf("outcome %v, want %v", out, net.ErrClosed)
	}
	long := hostapdSession("127.0.0.2")
	long.Attrs += radius.Attributes(strings.Repeat(attr(radius.NASIdentifier, strings.Repeat("x", 253)), 17))
	if out := d.Disconnect(t.Context(), firstAttempt(long)); !errors.Is(out.Err, errTooLong) {
		t.Errorf("outcome %v, want %v", out, errTooLong)
	}
	if got := d.Stats(); got != (Stats{}) {
		t.Errorf("%+v", got)
	}
}
