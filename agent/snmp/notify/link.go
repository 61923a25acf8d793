package notify

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

const (
	dialTimeout = 10 * time.Second // time limit for the name resolution
	firstRedial = time.Second      // pause after the first failure; later pauses double
	maxRedial   = 30 * time.Second
	// An address is resolved again after maxAge, or after maxUnansweredAge if the receiver does not
	// answer.
	maxAge           = time.Minute
	maxUnansweredAge = 5 * time.Second

	maxDatagram = 65535
)

// link is the current socket of a target, if any, and the state for opening the next one. It
// belongs to the target's goroutine. Other goroutines dial and read; they end with ctx, and close
// waits for them.
type link struct {
	ctx     context.Context
	dial    dialFunc
	source  netip.Addr
	address string

	conn     net.Conn // nil means none
	since    time.Time
	refused  bool // the last write reported that an earlier message was refused
	dialing  bool
	failures int
	retryAt  time.Time

	dialed   chan dialed
	received chan received
	running  sync.WaitGroup
}

// dialed is the result of an attempt to open a socket.
type dialed struct {
	conn net.Conn
	err  error
}

// received is a datagram or an error of a socket.
type received struct {
	conn   net.Conn
	octets []byte
	err    error
	ended  bool // nothing more is read from conn
}

func newLink(ctx context.Context, dial dialFunc, source netip.Addr, address string) *link {
	return &link{
		ctx: ctx, dial: dial, source: source, address: address,
		dialed: make(chan dialed, 1), received: make(chan received, maxUnderWay),
	}
}

// ensure opens a socket if there is none. If there is one, and it is old enough, it resolves the
// address again. unanswered says that the receiver did not answer something.
func (l *link) ensure(now time.Time, lost bool) {
	age := maxAge
	if lost {
		age = maxUnansweredAge
	}
	if l.dialing || now.Before(l.retryAt) || l.conn != nil && now.Sub(l.since) < age {
		return
	}
	l.dialing = true
	l.running.Go(func() {
		ctx, cancel := context.WithTimeout(l.ctx, dialTimeout)
		defer cancel()
		conn, err := l.dial(ctx, l.source, l.address)
		l.dialed <- dialed{conn, err} // does not block: there is one attempt at a time
	})
}

// setConn handles the result of an attempt. A new socket with the addresses of the current one does
// not replace it: answers may be on their way to the current one.
func (l *link) setConn(d dialed, now time.Time) error {
	l.dialing = false
	if d.err != nil {
		l.postpone(now)
		return d.err
	}
	l.failures, l.since = 0, now
	if l.conn != nil && sameAddrs(l.conn, d.conn) {
		d.conn.Close()
		return nil
	}
	l.drop()
	l.conn = d.conn
	l.running.Go(func() { l.read(d.conn) })
	return nil
}

// postpone makes ensure wait before the next attempt.
func (l *link) postpone(now time.Time) {
	l.retryAt = now.Add(min(firstRedial<<min(l.failures, 8), maxRedial))
	l.failures++
}

// sameAddrs reports whether two sockets have the same receiver and the same local address.
func sameAddrs(a, b net.Conn) bool {
	from, ok1 := a.LocalAddr().(*net.UDPAddr)
	other, ok2 := b.LocalAddr().(*net.UDPAddr)
	return ok1 && ok2 && from.IP.Equal(other.IP) && a.RemoteAddr().String() == b.RemoteAddr().String()
}

// write sends a datagram. After an error other than syscall.EMSGSIZE there is no socket.
func (l *link) write(b []byte, now time.Time) error {
	_, err := l.conn.Write(b)
	l.refused = errors.Is(err, syscall.ECONNREFUSED)
	if l.refused {
		_, err = l.conn.Write(b) // the error was about the previous datagram, and this one was not sent
	}
	if err == nil || errors.Is(err, syscall.ECONNREFUSED) {
		return nil // again about an earlier datagram
	}
	if !errors.Is(err, syscall.EMSGSIZE) {
		l.drop()
		l.postpone(now)
	}
	return networkError("send", err)
}

func (l *link) drop() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}

// read passes on the datagrams of a socket until it is closed or fails.
func (l *link) read(conn net.Conn) {
	b := make([]byte, maxDatagram)
	for {
		n, err := conn.Read(b)
		r := received{conn: conn}
		if err == nil {
			r.octets = bytes.Clone(b[:n])
		} else {
			r.err = networkError("receive", err)
			r.ended = !errors.Is(err, syscall.ECONNREFUSED)
		}
		select {
		case l.received <- r:
		case <-l.ctx.Done():
			return
		}
		if r.ended {
			return
		}
	}
}

// close closes the socket and waits for the goroutines. ctx must have ended.
func (l *link) close() {
	l.drop()
	l.running.Wait()
	select {
	case d := <-l.dialed:
		if d.conn != nil {
			d.conn.Close()
		}
	default:
	}
}
