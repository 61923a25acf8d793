package notify

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestLinkSameAddrs resolves an address again, with real sockets: while nothing has changed the
// socket stays, because answers may be on their way to it.
func TestLinkSameAddrs(t *testing.T) {
	listen := func() string {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn.LocalAddr().String()
	}
	at := listen()
	life, end := context.WithCancel(t.Context())
	l := newLink(life, func(ctx context.Context, source netip.Addr, _ string) (net.Conn, error) {
		return dialUDP(nil)(ctx, source, at)
	}, netip.Addr{}, "name:162")
	defer func() {
		end()
		l.close()
	}()
	now := epoch
	look := func() net.Conn {
		t.Helper()
		l.ensure(now, false)
		d := <-l.dialed
		if err := l.setConn(d, now); err != nil {
			t.Fatal(err)
		}
		return d.conn
	}
	first := look()
	if l.conn != first {
		t.Fatal("the first socket was not taken")
	}
	now = now.Add(maxAge)
	second := look()
	if l.conn != first {
		t.Error("another socket with the same address was taken")
	}
	if _, err := second.Write(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the second socket is open: %v", err)
	}
	l.ensure(now.Add(maxAge-1), false)
	if l.dialing {
		t.Error("looked up too soon")
	}
	now = now.Add(maxUnansweredAge)
	l.ensure(now, true)
	if !l.dialing {
		t.Fatal("not looked up, though something was lost")
	}
	if err := l.setConn(<-l.dialed, now); err != nil || l.conn != first {
		t.Errorf("error %v, or another socket", err)
	}
	at = listen()
	now = now.Add(maxAge)
	if third := look(); l.conn != third || l.conn.RemoteAddr().String() != at {
		t.Error("the socket does not lead to the new address")
	}
	if _, err := first.Write(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the first socket is open: %v", err)
	}
}

// TestLinkPostpone: opening sockets fails.
func TestLinkPostpone(t *testing.T) {
	no := errors.New("no")
	l := newLink(t.Context(), func(context.Context, netip.Addr, string) (net.Conn, error) { return nil, no }, netip.Addr{}, "a:162")
	now := epoch
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30, 30, 30} {
		l.ensure(now, false)
		if err := l.setConn(<-l.dialed, now); !errors.Is(err, no) {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
		if got := l.retryAt.Sub(now); got != want*time.Second {
			t.Errorf("attempt %d: again after %s, want %d s", i+1, got, want)
		}
		l.ensure(l.retryAt.Add(-1), true)
		if l.dialing {
			t.Fatalf("attempt %d: again too soon", i+1)
		}
		now = l.retryAt
	}
}
