//go:build partners

package stand

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/bench/nasload"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/vendors/microsoft"
)

// withSignature returns a packet of layeh.com/radius with a Message-Authenticator in front. authenticator
// is that of the request.
func withSignature(t *testing.T, p *layeh.Packet, authenticator [16]byte) []byte {
	t.Helper()
	p.Authenticator = authenticator
	p.Attributes = append(layeh.Attributes{{Type: rfc2869.MessageAuthenticator_Type, Attribute: make(layeh.Attribute, 16)}}, p.Attributes...)
	b, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(md5.New, p.Secret)
	mac.Write(b)
	copy(p.Attributes[0].Attribute, mac.Sum(nil))
	if b, err = p.Encode(); err != nil {
		t.Fatal(err)
	}
	return b
}

// checkSignature reports an error unless a request begins with a correct Message-Authenticator.
func checkSignature(t *testing.T, b []byte) {
	t.Helper()
	if b[20] != byte(rfc2869.MessageAuthenticator_Type) || b[21] != 18 {
		t.Fatalf("the first attribute is % x", b[20:22])
	}
	zeroed := bytes.Clone(b)
	clear(zeroed[22:38])
	mac := hmac.New(md5.New, []byte(nasload.SharedSecret))
	mac.Write(zeroed)
	if !hmac.Equal(mac.Sum(nil), b[22:38]) {
		t.Fatalf("wrong Message-Authenticator in % x", b)
	}
}

// loginServer answers each request with what answer returns, on a port.
func loginServer(t *testing.T, answer func(request []byte, p *layeh.Packet) []byte) uint16 {
	t.Helper()
	conn, err := nasload.ListenLoopback(0)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		conn.Close()
		wg.Wait()
	})
	wg.Go(func() {
		b := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			p, err := layeh.Parse(b[:n], []byte(nasload.SharedSecret))
			if err != nil {
				t.Errorf("a request that layeh.com/radius refuses: %v", err)
				return
			}
			if a := answer(b[:n], p); a != nil {
				_, _ = conn.WriteToUDPAddrPort(a, from)
			}
		}
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// acceptOf returns the Access-Accept of the accepter for user i, without what EAP adds.
func acceptOf(request *layeh.Packet, i int) *layeh.Packet {
	a := request.Response(layeh.CodeAccessAccept)
	a.Add(rfc2865.Class_Type, layeh.Attribute(fmt.Sprintf("class-%010d", i)))
	return a
}

// TestLoginsRequests checks the load generator's requests with another codec: signature, name, password,
// State. It also spoils answers, which the load generator must find.
func TestLoginsRequests(t *testing.T) {
	h := loginsHost(t)
	one := Load{First: 4711, Count: 1, InFlight: 1, Timeout: 200 * time.Millisecond, Tries: 1}
	for _, tt := range []struct {
		name   string
		answer func(p *layeh.Packet) *layeh.Packet
		spoil  func(b []byte)
		bad    bool
	}{
		{name: "right", answer: func(p *layeh.Packet) *layeh.Packet { return acceptOf(p, 4711) }},
		{name: "of another user", answer: func(p *layeh.Packet) *layeh.Packet { return acceptOf(p, 4712) }, bad: true},
		{name: "rejected", answer: func(p *layeh.Packet) *layeh.Packet { return p.Response(layeh.CodeAccessReject) }, bad: true},
		{
			name: "wrong authenticator", answer: func(p *layeh.Packet) *layeh.Packet { return acceptOf(p, 4711) },
			spoil: func(b []byte) { b[4] ^= 1 }, bad: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			port := loginServer(t, func(b []byte, p *layeh.Packet) []byte {
				checkSignature(t, b)
				if got := rfc2865.UserName_GetString(p); got != nasload.UserName(4711) {
					t.Errorf("user %q", got)
				}
				if got := rfc2865.UserPassword_GetString(p); got != fmt.Sprintf("secret-%08x", 4711) {
					t.Errorf("password %q", got)
				}
				if len(b) != 150 {
					t.Errorf("%d octets, see docs/benchmarks.md", len(b))
				}
				a := withSignature(t, tt.answer(p), p.Authenticator)
				if tt.spoil != nil {
					tt.spoil(a)
				}
				return a
			})
			got, err := h.SendLogins(t.Context(), PAP, port, one)
			if tt.bad {
				if err == nil || !strings.Contains(err.Error(), "1 wrong answers") {
					t.Errorf("%+v, %v, want a wrong answer", got, err)
				}
				return
			}
			if err != nil || got.Answered != 1 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestAccepterAnswers checks the accepter's answers with another codec, and that it counts wrong
// requests.
func TestAccepterAnswers(t *testing.T) {
	h := loginsHost(t)
	a, err := startAccepter(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer a.stop()
	conn, err := net.Dial("udp4", fmt.Sprintf("127.0.0.1:%d", a.port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func(p *layeh.Packet) *layeh.Packet {
		t.Helper()
		if _, err := conn.Write(withSignature(t, p, p.Authenticator)); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		b := make([]byte, 4096)
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		request := layeh.Packet{Code: p.Code, Identifier: p.Identifier, Authenticator: p.Authenticator, Secret: p.Secret}
		sealed, _ := request.Encode()
		if !layeh.IsAuthenticResponse(b[:n], sealed, p.Secret) {
			t.Fatalf("wrong Response Authenticator in % x", b[:n])
		}
		answer, err := layeh.Parse(b[:n], p.Secret)
		if err != nil {
			t.Fatal(err)
		}
		answer.Authenticator = p.Authenticator // which decrypts keys
		return answer
	}
	request := func(password string) *layeh.Packet {
		p := layeh.New(layeh.CodeAccessRequest, []byte(nasload.SharedSecret))
		_ = rfc2865.UserName_SetString(p, nasload.UserName(7))
		if password != "" {
			_ = rfc2865.UserPassword_SetString(p, password)
		}
		p.Add(rfc2865.ProxyState_Type, layeh.Attribute("one"))
		p.Add(rfc2865.ProxyState_Type, layeh.Attribute("two"))
		return p
	}

	got := ask(request("secret-00000007"))
	states, _ := rfc2865.ProxyState_GetStrings(got)
	if got.Code != layeh.CodeAccessAccept || rfc2865.Class_GetString(got) != "class-0000000007" || strings.Join(states, " ") != "one two" {
		t.Errorf("%v, Class %q, Proxy-State %q", got.Code, rfc2865.Class_GetString(got), states)
	}
	if got := ask(request("secret-00000008")); got.Code != layeh.CodeAccessReject {
		t.Errorf("a wrong password: %v", got.Code)
	}

	eap := func(round int, octets int, state []byte) *layeh.Packet {
		p := request("")
		message := make([]byte, octets)
		copy(message, []byte{2, byte(round), 0, byte(octets), 26})
		p.Add(rfc2869.EAPMessage_Type, message)
		if state != nil {
			p.Add(rfc2865.State_Type, state)
		}
		return p
	}
	first := ask(eap(0, 28, nil))
	second := ask(eap(1, 82, rfc2865.State_Get(first)))
	third := ask(eap(2, 6, rfc2865.State_Get(second)))
	if first.Code != layeh.CodeAccessChallenge || second.Code != layeh.CodeAccessChallenge || third.Code != layeh.CodeAccessAccept {
		t.Fatalf("%v, %v, %v", first.Code, second.Code, third.Code)
	}
	receive, send := microsoft.MSMPPERecvKey_Get(third, third), microsoft.MSMPPESendKey_Get(third, third)
	if len(receive) != 32 || len(send) != 32 || bytes.Equal(receive, send) {
		t.Errorf("keys % x and % x", receive, send)
	}
	if got := ask(eap(2, 6, rfc2865.State_Get(first))); got.Code != layeh.CodeAccessReject {
		t.Errorf("a round left out: %v", got.Code)
	}
	counts, err := a.counts()
	if err != nil || counts.Requests < 6 || counts.Wrong != 2 {
		t.Errorf("%+v, %v, want 2 wrong", counts, err)
	}
}

// TestFlood: nobody answers it, and the accepter counts its requests as wrong.
func TestFlood(t *testing.T) {
	h := loginsHost(t)
	a, err := startAccepter(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer a.stop()
	flood, end := context.WithTimeout(t.Context(), time.Second)
	defer end()
	rate, err := h.Flood(flood, a.port, 2000)
	if err != nil || rate < 500 {
		t.Errorf("%v requests a second, %v", rate, err)
	}
	if counts, err := a.counts(); err != nil || counts.Wrong < 100 {
		t.Errorf("%+v, %v", counts, err)
	}
}

// TestLoginsEndEarly: when ctx is done the result is of what was sent until then.
func TestLoginsEndEarly(t *testing.T) {
	h := loginsHost(t)
	port := loginServer(t, func([]byte, *layeh.Packet) []byte { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	got, err := h.SendLogins(ctx, EAP, port, Load{Count: 1000, InFlight: 3, Timeout: time.Minute, Tries: 1})
	if err != nil || got.Sent != 3 || got.Answered != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
