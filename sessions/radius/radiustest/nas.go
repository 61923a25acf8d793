package radiustest

import (
	"crypto/hmac"
	"crypto/md5"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"
)

// patience is how long Next waits before the test fails.
const patience = 10 * time.Second

// Request is a Disconnect-Request that reached a NAS.
type Request struct {
	From   netip.AddrPort
	Data   []byte
	Packet *layeh.Packet
}

// Handler answers a Disconnect-Request with a datagram; nil is silence. It runs on the NAS's
// goroutine.
type Handler func(Request) []byte

// NAS is a fake access server that hears Disconnect-Requests.
type NAS struct {
	tb     testing.TB
	secret []byte
	conn   *net.UDPConn
	heard  chan Request

	mu      sync.Mutex
	handler Handler
	unheard int
}

// Listen starts a NAS at an address such as "127.0.0.2:0"; it ends with the test. As real ones do
// it drops requests with a wrong Request Authenticator or Message-Authenticator: see Dropped.
func Listen(tb testing.TB, addr, secret string, h Handler) *NAS {
	tb.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		tb.Fatal(err)
	}
	n := &NAS{tb: tb, secret: []byte(secret), conn: conn, heard: make(chan Request, 4096), handler: h}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.serve()
	}()
	tb.Cleanup(func() {
		_ = conn.Close()
		<-ended
	})
	return n
}

// Close ends the NAS before its test does: nobody listens at its port any more.
func (n *NAS) Close() { _ = n.conn.Close() }

// AddrPort is where the NAS listens.
func (n *NAS) AddrPort() netip.AddrPort { return n.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Handle changes how the next requests are answered.
func (n *NAS) Handle(h Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.handler = h
}

// Dropped is how many requests were not authentic.
func (n *NAS) Dropped() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.unheard
}

// Next is the next request, retransmissions included; the test fails if there is none for ten
// seconds.
func (n *NAS) Next() Request {
	n.tb.Helper()
	select {
	case r := <-n.heard:
		return r
	case <-time.After(patience):
		n.tb.Fatal("no Disconnect-Request came")
		return Request{}
	}
}

// Waiting is how many requests came that Next has not given out yet.
func (n *NAS) Waiting() int { return len(n.heard) }

// Send sends a datagram of any sort: an answer that comes late, a second one, garbage.
func (n *NAS) Send(to netip.AddrPort, data []byte) {
	n.tb.Helper()
	if _, err := n.conn.WriteToUDPAddrPort(data, to); err != nil {
		n.tb.Error(err)
	}
}

func (n *NAS) serve() {
	b := make([]byte, layeh.MaxPacketLength+1)
	for {
		size, from, err := n.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		r := Request{From: from, Data: append([]byte(nil), b[:size]...)}
		r.Packet, err = layeh.Parse(r.Data, n.secret)
		n.mu.Lock()
		h := n.handler
		ok := err == nil && layeh.IsAuthenticRequest(r.Data, n.secret) && signatureFits(r)
		if !ok {
			n.unheard++
		}
		n.mu.Unlock()
		if !ok {
			continue
		}
		select {
		case n.heard <- r:
		default: // nobody looks at them
		}
		if answer := h(r); answer != nil {
			_, _ = n.conn.WriteToUDPAddrPort(answer, from)
		}
	}
}

// signatureFits checks the Message-Authenticator of a request, if it has one.
func signatureFits(r Request) bool {
	given, err := rfc2869.MessageAuthenticator_Lookup(r.Packet)
	if err != nil {
		return true
	}
	p := &layeh.Packet{Code: r.Packet.Code, Identifier: r.Packet.Identifier}
	for _, avp := range r.Packet.Attributes {
		if avp.Type == rfc2869.MessageAuthenticator_Type {
			p.Add(avp.Type, make([]byte, md5.Size))
		} else {
			p.Add(avp.Type, avp.Attribute)
		}
	}
	b, err := p.MarshalBinary() // with an authenticator of zeros
	if err != nil {
		return false
	}
	h := hmac.New(md5.New, r.Packet.Secret)
	h.Write(b)
	return hmac.Equal(h.Sum(nil), given)
}

// ACK is a Handler: Disconnect-ACK.
func ACK(r Request) []byte { return encode(r.Packet.Response(layeh.CodeDisconnectACK)) }

// NAK makes a Handler: Disconnect-NAK with this Error-Cause, without one if it is 0.
func NAK(cause uint32) Handler {
	return func(r Request) []byte {
		p := r.Packet.Response(layeh.CodeDisconnectNAK)
		if cause != 0 {
			_ = rfc3576.ErrorCause_Set(p, rfc3576.ErrorCause(cause))
		}
		return encode(p)
	}
}

// Silence is a Handler: no answer.
func Silence(Request) []byte { return nil }

// WrongAuthenticator is a Handler: an ACK of somebody who does not know the secret.
func WrongAuthenticator(r Request) []byte {
	b := ACK(r)
	b[4] ^= 1
	return b
}

// Nth makes a Handler that answers the first request with the first Handler and so on; the last
// one stays. With Silence in front it is the NAS that hears only a retransmission.
func Nth(handlers ...Handler) Handler {
	at := 0
	return func(r Request) []byte {
		h := handlers[min(at, len(handlers)-1)]
		at++
		return h(r)
	}
}

func encode(p *layeh.Packet) []byte {
	b, err := p.Encode()
	if err != nil {
		panic(err) // a Handler of this package made it
	}
	return b
}
