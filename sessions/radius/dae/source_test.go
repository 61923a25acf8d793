package dae

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/termination"

	"aaasess/internal/radius"

	"aaasess/internal/radius/captured"
)

// TestDisconnectSourceFollowsAccounting: a listener serves several local addresses. A NAS gets its
// Disconnect-Request from the one that it sends its accounting to.
func TestDisconnectSourceFollowsAccounting(t *testing.T) {
	tests := []struct{ listen, to, nas string }{
		{"0.0.0.0:0", "127.0.0.3", "127.0.0.2"},
		{"0.0.0.0:0", "127.0.0.4", "127.0.0.2"},
		{"127.0.0.5:0", "127.0.0.5", "127.0.0.2"},
		{"[::]:0", "::1", "::1"},
	}
	for _, tt := range tests {
		t.Run(tt.listen+" "+tt.to, func(t *testing.T) {
			nas := radiustest.Listen(t, netip.AddrPortFrom(netip.MustParseAddr(tt.nas), 0).String(), string(captured.Secret), radiustest.ACK)
			c := nasradius.Client{Prefix: netip.PrefixFrom(netip.MustParseAddr(tt.nas), netip.MustParseAddr(tt.nas).BitLen()), Secret: captured.Secret, DisconnectPort: nas.AddrPort().Port()}
			if tt.nas != "::1" {
				c.Prefix = prefix("127.0.0.0/8")
			}
			events := make(sink, 1)
			l := startListener(t, events, tt.listen, c)
			err := account(t.Context(), tt.nas, tt.to, l.Addr().Port(), 1, num(radius.AcctStatusType, 1), attr(radius.AcctSessionID, "a"))
			if err != nil {
				t.Fatal(err)
			}
			local := (<-events).NAS.Local
			if local != netip.MustParseAddr(tt.to) {
				t.Fatalf("the NAS sends to %v, it says here", local)
			}
			d, _, _ := startDisconnector(t, Config{}, radiustest.Silence)
			if err := d.SetClients([]nasradius.Client{c}); err != nil {
				t.Fatal(err)
			}
			s := hostapdSession(tt.nas)
			s.NAS.Local = local
			if out := d.Disconnect(t.Context(), firstAttempt(s)); out.Answer != termination.ACK {
				t.Errorf("outcome %v", out)
			}
			if from := nas.Next().From.Addr(); from != local {
				t.Errorf("the request came from %v, want %v", from, local)
			}
		})
	}
}

// TestSourceAddress: the configured address has priority over the one that the NAS sends to. If it
// is not local, the system chooses. An address of the other family is not tried.
func TestSourceAddress(t *testing.T) {
	v4 := func(text string) netip.Addr { return netip.MustParseAddr(text) }
	tests := []struct {
		name              string
		configured, local netip.Addr
		want              string
		logged            bool
	}{
		{"configured", v4("127.0.0.7"), v4("127.0.0.8"), "127.0.0.7", false},
		{"the NAS's", netip.Addr{}, v4("127.0.0.8"), "127.0.0.8", false},
		{"neither", netip.Addr{}, netip.Addr{}, "127.0.0.1", false},
		{"no longer this host's", netip.Addr{}, v4("192.0.2.77"), "127.0.0.1", true},
		{"configured, not this host's", v4("192.0.2.77"), v4("127.0.0.8"), "127.0.0.1", true},
		{"IPv6 accounting, IPv4 requests", netip.Addr{}, v4("::1"), "127.0.0.1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := local()
			c.DisconnectSource = tt.configured
			d, nas, log := startDisconnector(t, Config{Clients: []nasradius.Client{c}}, radiustest.ACK)
			s := hostapdSession("127.0.0.2")
			s.NAS.Local = tt.local
			for range 3 {
				if out := d.Disconnect(t.Context(), firstAttempt(s)); out.Answer != termination.ACK {
					t.Fatalf("outcome %v", out)
				}
				if from := nas.Next().From.Addr().String(); from != tt.want && !(tt.want == "127.0.0.1" && from == "127.0.0.2") {
					t.Errorf("the request came from %v, want %v", from, tt.want)
				}
			}
			lines := strings.Count(log.String(), "the system chooses one")
			if want := map[bool]int{true: 1}[tt.logged]; lines != want {
				t.Errorf("%d lines in the log, want %d: %s", lines, want, log)
			}
		})
	}
}

// TestDisconnectSecret: requests and answers use the DisconnectSecret.
func TestDisconnectSecret(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.2:0", "another secret", radiustest.ACK)
	c := local()
	c.DisconnectSecret, c.DisconnectPort = "another secret", nas.AddrPort().Port()
	d, _, _ := startDisconnector(t, Config{}, radiustest.Silence)
	if err := d.SetClients([]nasradius.Client{c}); err != nil {
		t.Fatal(err)
	}
	if out := d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2"))); out.Answer != termination.ACK || nas.Dropped() != 0 {
		t.Errorf("outcome %v, %d dropped", out, nas.Dropped())
	}
}

// TestClosedPort: the NAS's port is closed. The attempt ends at once and does not count as silence.
// Requests to other NASes are not affected.
func TestClosedPort(t *testing.T) {
	for _, addr := range []string{"127.0.0.2", "::1"} {
		t.Run(addr, func(t *testing.T) {
			gone := radiustest.Listen(t, netip.AddrPortFrom(netip.MustParseAddr(addr), 0).String(), string(captured.Secret), radiustest.Silence)
			port := gone.AddrPort().Port()
			gone.Close()
			slow := radiustest.Listen(t, "127.0.0.9:0", string(captured.Secret), func(r radiustest.Request) []byte {
				time.Sleep(10 * time.Millisecond)
				return radiustest.ACK(r)
			})
			d, _, _ := startDisconnector(t, Config{}, radiustest.Silence)
			a := netip.MustParseAddr(addr)
			if err := d.SetClients([]nasradius.Client{
				{Prefix: netip.PrefixFrom(a, a.BitLen()), Secret: captured.Secret, DisconnectPort: port},
				{Prefix: prefix("127.0.0.9/32"), Secret: captured.Secret, DisconnectPort: slow.AddrPort().Port()},
			}); err != nil {
				t.Fatal(err)
			}
			other := make(chan termination.Outcome, 50)
			for range cap(other) {
				go func() { other <- d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.9"))) }()
				began := time.Now()
				out := d.Disconnect(t.Context(), firstAttempt(hostapdSession(addr)))
				if !errors.Is(out.Err, termination.ErrPortUnreachable) || out.String() != "port unreachable" || time.Since(began) > 2*time.Second {
					t.Fatalf("outcome %v after %v", out, time.Since(began))
				}
			}
			for range cap(other) {
				if out := <-other; out.Answer != termination.ACK {
					t.Fatalf("another NAS: %v", out)
				}
			}
		})
	}
}

// TestNothingSentAfterSessionEnd: after its session has ended an attempt sends nothing more, but
// still receives the ACK that was on its way.
func TestNothingSentAfterSessionEnd(t *testing.T) {
	d, nas, _ := startDisconnector(t, Config{Timeout: testTimeout}, radiustest.Silence)
	ctx, end := context.WithCancelCause(t.Context())
	ended := make(chan termination.Outcome, 1)
	disconnect := func() { go func() { ended <- d.Disconnect(ctx, firstAttempt(hostapdSession("127.0.0.2"))) }() }
	disconnect()
	nas.Next()
	end(termination.ErrSessionEnded)
	if out := <-ended; !errors.Is(out.Err, termination.ErrSessionEnded) {
		t.Errorf("outcome %v", out)
	}
	if nas.Waiting() > 0 {
		t.Error("the request was sent again")
	}

	ctx, end = context.WithCancelCause(t.Context())
	disconnect()
	request := nas.Next()
	end(termination.ErrSessionEnded)
	nas.Send(request.From, radiustest.ACK(request))
	if out := <-ended; out.Answer != termination.ACK {
		t.Errorf("outcome %v", out)
	}
}

// TestICMPWithoutQuote: a router may quote nothing of our request. Then the report ends all
// requests to that port.
func TestICMPWithoutQuote(t *testing.T) {
	d, nas, _ := startDisconnector(t, Config{}, radiustest.Silence)
	ended := make(chan termination.Outcome, 2)
	for range cap(ended) {
		go func() { ended <- d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2"))) }()
		nas.Next()
	}
	d.unreachable(netip.MustParseAddrPort("127.0.0.3:3799"), nil)
	d.unreachable(nas.AddrPort(), make([]byte, radius.HeaderLen)) // quotes another request
	if len(ended) > 0 {
		t.Error("the report about another request ended this one")
	}
	d.unreachable(nas.AddrPort(), nil)
	for range cap(ended) {
		if out := <-ended; !errors.Is(out.Err, termination.ErrPortUnreachable) {
			t.Errorf("outcome %v", out)
		}
	}
}

// TestEndedAtOnce: Run returns nil if its context has ended before, and Close may be called after it.
func TestEndedAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 { // in one of two orders
		d, err := New(Config{Clients: []nasradius.Client{local()}})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.Run(ctx), d.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
