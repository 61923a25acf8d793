package client_test

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// pipe is a Conn whose other end is the test.
type pipe struct {
	sent, received chan []byte
	closed         chan struct{}
}

func (c *pipe) Send(b []byte) error {
	c.sent <- append([]byte(nil), b...)
	return nil
}

func (c *pipe) Receive(b []byte) (int, error) {
	select {
	case p := <-c.received:
		return copy(b, p), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *pipe) Close() error {
	close(c.closed)
	return nil
}

// TestMoveWhileAnswerIsChecked: the server's address changes while the authenticator of an answer
// is checked, without the lock. The identifiers are new then, and the answer matches none.
func TestMoveWhileAnswerIsChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var moved, checking atomic.Bool
		conns := make(chan *pipe, 2)
		c := client.New(client.Config{
			Dial: func(netip.Addr, netip.AddrPort, func(netip.Addr) bool) (client.Conn, error) {
				p := &pipe{make(chan []byte, 9), make(chan []byte), make(chan struct{})}
				conns <- p
				return p, nil
			},
			Lookup: func(context.Context, string) ([]netip.Addr, error) {
				if moved.Load() {
					return []netip.Addr{netip.MustParseAddr("192.0.2.2")}, nil
				}
				return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
			},
			LookupTimes: client.LookupTimes{Every: 10 * time.Second},
			Now: func() time.Time {
				if checking.CompareAndSwap(true, false) { // called by the reader between its two accesses to the identifiers
					moved.Store(true)
					time.Sleep(20 * time.Second)
				}
				return time.Now()
			},
		})
		member := to("r.example")
		member.Schedule = retry.Schedule{Timeout: time.Second, Retransmit: -1}
		g, err := c.NewGroup(client.GroupConfig{Members: []client.Member{member}})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = g.Run(context.Background()) }()
		synctest.Wait()
		s := &sent{r: &rig{T: t, began: time.Now()}, ends: make(chan string, 1)}
		g.Send(s, retry.Progress{})
		conn := <-conns
		request := <-conn.sent
		answer := radius.AppendHeader(nil, radius.CodeAccountingResponse, request[1])
		radius.Seal(answer, 0, radius.Authenticator(request[4:radius.HeaderLen]), "s")
		time.Sleep(3 * time.Second)
		s.check(nobody)
		checking.Store(true)
		conn.received <- answer
		time.Sleep(time.Minute)
		if st := g.Stats().Servers[0]; st.PacketsDropped != 1 || st.Successes != 0 || !st.LastResponse.IsZero() {
			t.Errorf("%+v", st)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
}
