package dae

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/rfc3576"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/termination"
)

// serverSecret is the secret of the server in these tests.
const serverSecret = "of the server"

// forwardTo returns a Disconnector whose NAS at 127.0.0.2 answers requests at once with what answer
// returns; nil: not.
func forwardTo(t *testing.T, answer func(p *layeh.Packet) *layeh.Packet) *Disconnector {
	t.Helper()
	var d *Disconnector
	d, err := newDisconnector(Config{Clients: []nasradius.Client{local()}, Retransmissions: -1}, func(b []byte, _ netip.Addr, to netip.AddrPort) error {
		p, err := layeh.Parse(b, []byte(captured.Secret))
		if err != nil || !layeh.IsAuthenticRequest(b, []byte(captured.Secret)) {
			t.Errorf("the NAS gets %x: %v", b, err)
			return nil
		}
		if p = answer(p); p != nil {
			out, err := p.Encode()
			if err != nil {
				t.Error(err)
			}
			d.receive(out, to, noon)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// nak answers a request with a NAK.
func nak(p *layeh.Packet, cause rfc3576.ErrorCause) *layeh.Packet {
	out := p.Response(p.Code + 2)
	_ = rfc3576.ErrorCause_Set(out, cause)
	return out
}

// TestForwardEncrypts: a Tunnel-Password of the server reaches the NAS, encrypted with the secret of
// the NAS, and one in the answer reaches the server. In requests the authenticator is zeros.
func TestForwardEncrypts(t *testing.T) {
	var zeros [16]byte
	d := forwardTo(t, func(p *layeh.Packet) *layeh.Packet {
		plain, salt, err := layeh.TunnelPassword(p.Get(rfc2868.TunnelPassword_Type)[1:], []byte(captured.Secret), zeros[:])
		if err != nil || string(plain) != "to the NAS" || p.Code != layeh.CodeCoARequest {
			t.Errorf("the NAS gets %q by a %v: %v", plain, p.Code, err)
		}
		out := p.Response(layeh.CodeCoAACK)
		hidden, err := layeh.NewTunnelPassword([]byte("to the server"), salt, []byte(captured.Secret), p.Authenticator[:])
		if err != nil {
			t.Error(err)
		}
		out.Add(rfc2868.TunnelPassword_Type, append([]byte{1}, hidden...))
		out.Add(33, layeh.Attribute("proxy"))
		return out
	})
	hidden, err := layeh.NewTunnelPassword([]byte("to the NAS"), []byte{0x80, 1}, []byte(serverSecret), zeros[:])
	if err != nil {
		t.Fatal(err)
	}
	asked := radius.Authenticator{1, 2, 3}
	reply := d.Forward(t.Context(), hostapdSession("127.0.0.2"), Forwarded{
		Code: radius.CodeCoARequest, Attrs: radius.AppendAttribute(nil, radius.TunnelPassword, "\x01"+string(hidden)), Secret: serverSecret, Authenticator: asked,
	})
	value, _ := radius.Attributes(reply.Attrs).Get(radius.TunnelPassword)
	if reply.Answer != termination.ACK || len(value) < 3 {
		t.Fatalf("reply %+v", reply)
	}
	if plain, _, err := layeh.TunnelPassword([]byte(value[1:]), []byte(serverSecret), asked[:]); err != nil || string(plain) != "to the server" {
		t.Errorf("the server gets %q: %v", plain, err)
	}
	if len(reply.Attrs) != 2+len(value) {
		t.Errorf("the server gets the attributes %q", reply.Attrs)
	}
}

// TestForwardOwn is the request that a NAS gets for a Disconnect-Request of a server without further
// attributes: that of our own.
func TestForwardOwn(t *testing.T) {
	var got, want []string
	record := func(into *[]string) *Disconnector {
		return forwardTo(t, func(p *layeh.Packet) *layeh.Packet {
			p.Del(55) // Event-Timestamp
			p.Del(80)
			text := p.Code.String()
			for _, a := range p.Attributes {
				text += " " + string(a.Attribute)
			}
			*into = append(*into, text)
			return p.Response(p.Code + 1)
		})
	}
	record(&want).Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2")))
	record(&got).Forward(t.Context(), hostapdSession("127.0.0.2"), Forwarded{Code: radius.CodeDisconnectRequest, Secret: serverSecret})
	if len(got) != 1 || strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestForwardRefusals: the outcome that a server gets if the NAS refuses requests, or if nothing is
// sent.
func TestForwardRefusals(t *testing.T) {
	filter := radius.AppendAttribute(nil, 11, "slow")
	for _, tt := range []struct {
		name    string
		addr    string
		attrs   []byte
		answers []rfc3576.ErrorCause // 0: silence
		want    string
		asked   int
	}{
		{"refused twice", "127.0.0.2", filter, []rfc3576.ErrorCause{401, 401}, "NAK 401 (Unsupported-Attribute)", 2},
		{"refused, then silent as hostapd", "127.0.0.2", filter, []rfc3576.ErrorCause{401, 0, 0}, "NAK 401 (Unsupported-Attribute)", 2},
		{"silent", "127.0.0.2", nil, []rfc3576.ErrorCause{0, 0}, "no answer", 2},
		{"no client", "192.0.2.1", nil, nil, "not sent: dae: no configured client has the address of the NAS: 192.0.2.1", 0},
		{"half a password", "127.0.0.2", radius.AppendAttribute(nil, radius.TunnelPassword, "\x01"), nil, "not sent: ", 0},
		{"too long", "127.0.0.2", []byte(strings.Repeat(string(radius.AppendAttribute(nil, 11, strings.Repeat("x", 253))), 16)), nil, "not sent: ", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				d := forwardTo(t, func(p *layeh.Packet) *layeh.Packet {
					asked++
					if asked > len(tt.answers) || tt.answers[asked-1] == 0 {
						return nil
					}
					return nak(p, tt.answers[asked-1])
				})
				got := d.Forward(context.Background(), hostapdSession(tt.addr), Forwarded{Code: radius.CodeCoARequest, Attrs: tt.attrs, Secret: serverSecret})
				if !strings.HasPrefix(got.String(), tt.want) || asked != tt.asked {
					t.Errorf("%v after %d requests, want %s after %d", got, asked, tt.want, tt.asked)
				}
			})
		})
	}
}

// TestForwardInconclusive: a 503 does not say that the NAS has lost the session, if the NAS ignores the
// request with all attributes that follows it.
func TestForwardInconclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		d := forwardTo(t, func(p *layeh.Packet) *layeh.Packet {
			if asked++; asked > 1 {
				return nil
			}
			return nak(p, rfc3576.ErrorCause_Value_SessionContextNotFound)
		})
		got := d.Forward(t.Context(), hostapdSession("127.0.0.2"), Forwarded{Code: radius.CodeDisconnectRequest, Secret: serverSecret})
		if got.ErrorCause != radius.SessionContextNotFound || !got.Inconclusive || asked < 2 {
			t.Errorf("%+v after %d requests", got.Outcome, asked)
		}
	})
}

// TestForwardEnded: nothing is sent any more when the session has ended: no request, no transmission of
// it again, none with other attributes.
func TestForwardEnded(t *testing.T) {
	for sends := range 3 {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			d := forwardTo(t, func(*layeh.Packet) *layeh.Packet { asked++; return nil })
			d.cfg.Retransmissions = 1 // so that the third request has other attributes
			got := d.Forward(t.Context(), hostapdSession("127.0.0.2"), Forwarded{
				Code: radius.CodeDisconnectRequest, Secret: serverSecret, Ended: func() bool { return asked == sends },
			})
			if !errors.Is(got.Err, termination.ErrSessionEnded) || asked != sends {
				t.Errorf("%v after %d requests, want %d", got, asked, sends)
			}
		})
	}
}

// FuzzForwarded: no attributes of a server make the Disconnector panic, and what reaches the NAS ends with
// as many octets.
func FuzzForwarded(f *testing.F) {
	f.Add([]byte(radius.AppendAttribute(nil, radius.TunnelPassword, "\x01\x80\x01aaaaaaaaaaaaaaaa")), []byte(radius.AppendUint32(nil, radius.ErrorCauseType, 401)), true)
	f.Add([]byte(radius.AppendAttribute(nil, radius.VendorSpecific, "\x00\x00\x01\x37\x10\x14\x80\x01aaaaaaaaaaaaaaaa")), []byte(nil), false)
	f.Fuzz(func(t *testing.T, attrs, answer []byte, ack bool) {
		if !radius.Attributes(attrs).Valid() || !radius.Attributes(answer).Valid() || len(attrs) > 3000 || len(answer) > 4000 {
			t.Skip()
		}
		var d *Disconnector
		sent := 0
		d, err := newDisconnector(Config{Clients: []nasradius.Client{local()}, Timeout: time.Millisecond, Retransmissions: -1}, func(b []byte, _ netip.Addr, to netip.AddrPort) error {
			sent = len(b)
			code := radius.CodeCoANAK
			if ack {
				code = radius.CodeCoAACK
			}
			out := append(radius.AppendHeader(nil, code, b[1]), answer...)
			radius.Seal(out, 0, radius.Authenticator(b[4:radius.HeaderLen]), captured.Secret)
			d.receive(out, to, noon)
			if len(b) < len(attrs) {
				t.Errorf("the NAS gets %x for %x", b, attrs)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, signed := radius.Attributes(answer).Get(radius.MessageAuthenticator); signed {
			t.Skip() // it would be wrong, and the answer dropped
		}
		got := d.Forward(t.Context(), hostapdSession("127.0.0.2"), Forwarded{Code: radius.CodeCoARequest, Attrs: attrs, Secret: serverSecret})
		if (got.Answer == termination.ACK) != (ack && sent > 0) || !radius.Attributes(got.Attrs).Valid() {
			t.Errorf("reply %+v", got)
		}
	})
}
