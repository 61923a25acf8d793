package radiustest_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
)

// acceptingSink is a Sink whose events are durable at once.
type acceptingSink struct{}

func (acceptingSink) Apply(_ sessions.Event, done func(error)) error {
	done(nil)
	return nil
}

func (acceptingSink) Accepting() error { return nil }

// TestAccount sends a start to a Listener: with the right secret it is answered.
func TestAccount(t *testing.T) {
	l, err := nasradius.New(nasradius.Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Clients:   []nasradius.Client{{Prefix: netip.MustParsePrefix("127.0.0.2/32"), Secret: "s"}},
	}, acceptingSink{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	start := func(ctx context.Context, secret string) (*layeh.Packet, error) {
		p := layeh.New(layeh.CodeAccountingRequest, []byte(secret))
		_ = rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType_Value_Start)
		_ = rfc2866.AcctSessionID_SetString(p, "a")
		_ = rfc2865.ProxyState_SetString(p, "state")
		return radiustest.Account(ctx, netip.MustParseAddrPort("127.0.0.2:0"), l.Addr(), p)
	}
	p, err := start(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	if p.Code != layeh.CodeAccountingResponse || rfc2865.ProxyState_GetString(p) != "state" {
		t.Errorf("code %v, Proxy-State %q", p.Code, rfc2865.ProxyState_GetString(p))
	}
	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	if _, err := start(short, "wrong"); err == nil {
		t.Error("answered in spite of a wrong secret")
	}
}

// TestNASDropsUnauthentic: like a real NAS it does not answer a request with a wrong secret or a
// wrong Message-Authenticator.
func TestNASDropsUnauthentic(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", "s", radiustest.ACK)
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(nas.AddrPort()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := func(secret string, signature []byte) []byte {
		p := layeh.New(layeh.CodeDisconnectRequest, []byte(secret))
		if signature != nil {
			_ = rfc2869.MessageAuthenticator_Set(p, signature)
		}
		b, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := request("s", nil)
	for _, b := range [][]byte{[]byte("junk"), request("wrong", nil), request("s", make([]byte, 16)), good} {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if got := nas.Next(); string(got.Data) != string(good) {
		t.Errorf("%x was taken", got.Data)
	}
	if got := nas.Dropped(); got != 3 {
		t.Errorf("%d dropped, want 3", got)
	}
	b := make([]byte, 100)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if !layeh.IsAuthenticResponse(b[:n], good, []byte("s")) || layeh.Code(b[0]) != layeh.CodeDisconnectACK {
		t.Errorf("answer %x", b[:n])
	}
}
