package client_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// echo is a Conn whose server answers each Accounting-Request at once.
type echo struct {
	answers chan []byte
	closed  chan struct{}
	out     [2][]byte
	n       int
}

func (c *echo) Send(b []byte) error {
	c.n++
	out := &c.out[c.n%2] // the reader may still have the other one
	*out = radius.AppendHeader((*out)[:0], radius.CodeAccountingResponse, b[1])
	radius.Seal(*out, 0, radius.Authenticator(b[4:20]), "s")
	c.answers <- *out
	return nil
}

func (c *echo) Receive(b []byte) (int, error) {
	select {
	case p := <-c.answers:
		return copy(b, p), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *echo) Close() error {
	close(c.closed)
	return nil
}

// benchRecord is an Accounting-Request of a common size.
type benchRecord struct {
	attrs []byte
	done  chan error
}

func (r *benchRecord) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	b = append(radius.AppendHeader(b, radius.CodeAccountingRequest, identifier), r.attrs...)
	return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
}

func (r *benchRecord) Answers(code radius.Code) bool { return code == radius.CodeAccountingResponse }

func (r *benchRecord) Session() string { return "" }

func (r *benchRecord) User() string { return "" }

func (r *benchRecord) Done(_ client.Answer, err error) { r.done <- err }

// BenchmarkRecord is the path of one record through the client, without a network: choice of the server,
// identifier, packet, answer, and what is counted on the way.
func BenchmarkRecord(b *testing.B) {
	c := client.New(client.Config{Dial: func(netip.Addr, netip.AddrPort, func(netip.Addr) bool) (client.Conn, error) {
		return &echo{answers: make(chan []byte, 1), closed: make(chan struct{})}, nil
	}})
	m := client.Member{Identity: client.Identity{Host: "192.0.2.1", Port: 1813, Secret: "s"}}
	g, err := c.NewGroup(client.GroupConfig{Members: []client.Member{m}})
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = g.Run(b.Context()) }()
	defer g.Close()
	<-g.Ready()
	r := &benchRecord{attrs: radius.AppendAttribute(nil, radius.UserName, "alice"), done: make(chan error, 1)}
	b.ReportAllocs()
	for b.Loop() {
		g.Send(r, retry.Progress{})
		if err := <-r.done; err != nil {
			b.Fatal(err)
		}
	}
	if n := g.Stats().Servers[0].Successes; n == 0 {
		b.Fatal("nothing was counted")
	}
}
