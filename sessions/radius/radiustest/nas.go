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

// nextTimeout is how long Next and WaitFor wait before the test fails.
const nextTimeout = 10 * time.Second

// Request is a Disconnect-Request that reached a NAS.
type Request struct {
	From   netip.AddrPort
	Data   []byte
	Packet *layeh.Packet
}

// Handler returns the datagram that answers a Disconnect-Request; nil means no answer. It runs on
// the NAS's goroutine.
type Handler func(Request) []byte

// NAS is a fake access server that receives Disconnect-Requests.
type NAS struct {
	tb       testing.TB
	secret   []byte
	conn     *net.UDPConn
	received chan Request

	mu      sync.Mutex
	handler Handler
	dropped int
}

// Listen starts a NAS at an address such as "127.0.0.2:0"; it ends with the test. Like a real NAS
// it drops requests with a wrong Request Authenticator or Message-Authenticator, see Dropped.
func Listen(tb testing.TB, addr, secret string, h Handler) *NAS {
	tb.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		tb.Fatal(err)
	}
	n := &NAS{tb: tb, secret: []byte(secret), conn: conn, received: make(chan Request, 4096), handler: h}
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

// Close ends the NAS before its test ends. Its port is closed then.
func (n *NAS) Close() { _ = n.conn.Close() }

// AddrPort returns the address of the NAS.
func (n *NAS) AddrPort() netip.AddrPort { return n.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Handle sets the Handler for later requests.
func (n *NAS) Handle(h Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.handler = h
}

// Dropped returns how many requests were not authentic.
func (n *NAS) Dropped() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dropped
}

// Next returns the next request, including retransmissions. The test fails if none arrives within
// ten seconds.
func (n *NAS) Next() Request {
	n.tb.Helper()
	select {
	case r := <-n.received:
		return r
	case <-time.After(nextTimeout):
		n.tb.Fatal("no Disconnect-Request came")
		return Request{}
	}
}

// Waiting returns how many received requests Next has not returned yet.
func (n *NAS) Waiting() int { return len(n.received) }

// Send sends any datagram: a late answer, a second answer, garbage.
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
		ok := err == nil && layeh.IsAuthenticRequest(r.Data, n.secret) && hasValidMessageAuthenticator(r)
		if !ok {
			n.dropped++
		}
		n.mu.Unlock()
		if !ok {
			continue
		}
		select {
		case n.received <- r:
		default: // the test does not read them
		}
		if answer := h(r); answer != nil {
			_, _ = n.conn.WriteToUDPAddrPort(answer, from)
		}
	}
}

// hasValidMessageAuthenticator checks the Message-Authenticator of a request, if it has one.
func hasValidMessageAuthenticator(r Request) bool {
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

// ACK is a Handler that answers with a Disconnect-ACK, or a CoA-ACK to a CoA-Request.
func ACK(r Request) []byte { return encode(r.Packet.Response(r.Packet.Code + 1)) }

// NAK returns a Handler that answers with a Disconnect-NAK, or a CoA-NAK, with this Error-Cause, or without one if
// cause is 0.
func NAK(cause uint32) Handler {
	return func(r Request) []byte {
		p := r.Packet.Response(r.Packet.Code + 2)
		if cause != 0 {
			_ = rfc3576.ErrorCause_Set(p, rfc3576.ErrorCause(cause))
		}
		return encode(p)
	}
}

// Silence is a Handler that does not answer.
func Silence(Request) []byte { return nil }

// WrongAuthenticator is a Handler that answers with an ACK made without the right secret.
func WrongAuthenticator(r Request) []byte {
	b := ACK(r)
	b[4] ^= 1
	return b
}

// Nth returns a Handler that answers the first request with the first handler and so on; the last
// handler answers all further requests. With Silence first, the NAS answers only the
// retransmission.
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
		panic(err) // a Handler of this package built the packet
	}
	return b
}
