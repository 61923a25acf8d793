package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"aaasess/internal/radius"
)

// authSecret is the secret of the authentication servers. It differs from that of the NASes.
const authSecret = "upstream"

// authServer is a RADIUS server for Access-Requests. It has no port for accounting.
type authServer struct {
	conn   *net.UDPConn
	answer authAnswer

	mu       sync.Mutex
	requests []radius.Packet
}

// authAnswer decides what a server answers; code 0: nothing.
type authAnswer func(q radius.Packet) (code radius.Code, attrs []byte)

// newAuthServer starts a server that runs until the test ends. It drops a request whose
// Message-Authenticator is not the first attribute, or is wrong.
func newAuthServer(t *testing.T, answer authAnswer) *authServer {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &authServer{conn: conn, answer: answer}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.serve(t)
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-ended
	})
	return s
}

func (s *authServer) serve(t *testing.T) {
	b := make([]byte, radius.MaxPacket)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			return
		}
		q, err := radius.Parse(append([]byte(nil), b[:n]...))
		if err != nil {
			t.Error(err)
			continue
		}
		if signed, _ := q.Signed(q.Authenticator(), authSecret, nil); !signed || radius.Type(q.Attributes()[0]) != radius.MessageAuthenticator {
			t.Errorf("a request without Message-Authenticator in front, or a wrong one: %x", q.Octets())
			continue
		}
		s.mu.Lock()
		s.requests = append(s.requests, q)
		answer := s.answer
		s.mu.Unlock()
		code, attrs := answer(q)
		if code == 0 {
			continue
		}
		out := append(radius.AppendSignedHeader(nil, code, q.Identifier()), attrs...)
		for at, value := range radius.Attributes(q.Attributes()).All() {
			if at == radius.ProxyState {
				out = radius.AppendAttribute(out, radius.ProxyState, value)
			}
		}
		radius.SealResponse(out, q.Authenticator(), authSecret)
		_, _ = s.conn.WriteToUDPAddrPort(out, from)
	}
}

// received returns the requests so far.
func (s *authServer) received() []radius.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]radius.Packet(nil), s.requests...)
}

func (s *authServer) port() string { return portOf(s.conn.LocalAddr().(*net.UDPAddr).AddrPort()) }

// passwordOf returns the User-Password of a request to a server.
func passwordOf(t *testing.T, q radius.Packet) string {
	t.Helper()
	p, err := layeh.Parse(q.Octets(), []byte(authSecret))
	if err != nil {
		t.Error(err)
		return ""
	}
	return rfc2865.UserPassword_GetString(p)
}

// valueOf returns the value of an attribute of a packet, or "".
func valueOf(q radius.Packet, at radius.Type) string {
	value, _ := radius.Attributes(q.Attributes()).Get(at)
	return value
}

// authConfig returns plainConfig with a relay: the list default has these servers, in a group
// called isp.
func authConfig(t *testing.T, servers ...*authServer) string {
	t.Helper()
	text, names := "  authentication: {listen: [\"127.0.0.1:0\"]}\n  servers:\n", []string{}
	for i, s := range servers {
		text += fmt.Sprintf("    - {name: a%d, address: 127.0.0.1, acct-port: %d, auth-port: %s, secret: %s}\n", i, i+1, s.port(), authSecret)
		names = append(names, fmt.Sprintf("a%d", i))
	}
	text += fmt.Sprintf("  groups:\n    - {name: isp, servers: [%s], timeout: 300ms, retransmit: 1, hold-down: 0s}\n", strings.Join(names, ", "))
	return with(t, plainConfig, "accounting:\n  network", text+"authentication:\n  lists: {default: {methods: [group isp]}}\naccounting:\n  network")
}

// authNAS is a NAS that sends Access-Requests from one socket.
type authNAS struct {
	t    *testing.T
	conn *net.UDPConn
	id   byte
}

func newAuthNAS(t *testing.T, to netip.AddrPort) *authNAS {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &authNAS{t: t, conn: conn}
}

// nas returns a NAS of a daemon.
func (l *inProcess) nas() *authNAS {
	l.t.Helper()
	return newAuthNAS(l.t, l.d.authentication.listener.Addr())
}

// request returns an Access-Request with a User-Name, these attributes, and a password unless that
// is "".
func (n *authNAS) request(user, password string, attrs []byte) []byte {
	var auth radius.Authenticator
	_, _ = rand.Read(auth[:]) // never fails
	n.id++
	b := radius.AppendSignedHeader(nil, radius.CodeAccessRequest, n.id)
	b = radius.AppendAttribute(b, radius.UserName, user)
	b = radius.AppendAttribute(b, radius.NASIPAddress, "\x7f\x00\x00\x01")
	if password != "" {
		hidden, err := layeh.NewUserPassword([]byte(password), []byte(nasSecret), auth[:])
		if err != nil {
			n.t.Fatal(err)
		}
		b = radius.AppendAttribute(b, radius.UserPassword, string(hidden))
	}
	b = append(b, attrs...)
	radius.SealRequest(b, auth, nasSecret)
	return b
}

// exchange sends a request, again each second, until it is answered. After wait it returns an error.
func (n *authNAS) exchange(request []byte, wait time.Duration) (radius.Packet, error) {
	b := make([]byte, radius.MaxPacket)
	auth := radius.Authenticator(request[4:radius.HeaderLen])
	for deadline := time.Now().Add(wait); ; {
		if _, err := n.conn.Write(request); err != nil {
			return radius.Packet{}, err
		}
		until := time.Now().Add(time.Second)
		if until.After(deadline) {
			until = deadline
		}
		_ = n.conn.SetReadDeadline(until)
		size, err := n.conn.Read(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(deadline):
			continue
		case err != nil:
			return radius.Packet{}, err
		case b[1] != request[1]: // an answer to an earlier request
			continue
		}
		p, err := radius.Parse(b[:size])
		if err != nil {
			return p, err
		}
		if ok, _ := p.Authentic(auth, nasSecret, nil); !ok {
			return p, errors.New("the answer is not authentic")
		}
		if radius.Type(p.Attributes()[0]) != radius.MessageAuthenticator {
			return p, fmt.Errorf("the answer does not begin with a Message-Authenticator: %x", p.Octets())
		}
		return p, nil
	}
}

// login is exchange for a user with a password.
func (n *authNAS) login(user, password string, wait time.Duration) (radius.Packet, error) {
	return n.exchange(n.request(user, password, nil), wait)
}

// mustLogin sends a request that must get an answer with this code.
func (n *authNAS) must(code radius.Code, request []byte) radius.Packet {
	n.t.Helper()
	p, err := n.exchange(request, limit)
	if err != nil {
		n.t.Fatalf("no answer: %v", err)
	}
	if p.Code() != code {
		n.t.Fatalf("the answer is %v, want %v", p.Code(), code)
	}
	return p
}
