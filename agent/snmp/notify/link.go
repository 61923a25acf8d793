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
	dialTimeout = 10 * time.Second // for resolving a name
	firstRedial = time.Second      // pause after the first failure; it doubles
	maxRedial   = 30 * time.Second
	// An address is looked up again after that long, sooner if the receiver does not answer.
	maxAge     = time.Minute
	maxLostAge = 5 * time.Second

	maxDatagram = 65535
)

// link is the socket of a target, if there is one, and the way to the next. It belongs to the target's
// goroutine; dialing and reading are done by goroutines that end with life, and are waited for by close.
type link struct {
	life    context.Context
	dial    dialFunc
	source  netip.Addr
	address string

	conn     net.Conn // nil: none
	since    time.Time
	refused  bool // the last write was told that an earlier message was refused
	dialing  bool
	failures int
	retryAt  time.Time

	dialed   chan dialed
	received chan received
	running  sync.WaitGroup
}

// dialed is the end of an attempt to open a socket.
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

func newLink(life context.Context, dial dialFunc, source netip.Addr, address string) *link {
	return &link{
		life: life, dial: dial, source: source, address: address,
		dialed: make(chan dialed, 1), received: make(chan received, maxUnderWay),
	}
}

// ensure opens a socket if there is none, or looks whether the one there still is right, when it is
// time for that. lost tells that the receiver left something unanswered.
func (l *link) ensure(now time.Time, lost bool) {
	age := maxAge
	if lost {
		age = maxLostAge
	}
	if l.dialing || now.Before(l.retryAt) || l.conn != nil && now.Sub(l.since) < age {
		return
	}
	l.dialing = true
	l.running.Go(func() {
		ctx, cancel := context.WithTimeout(l.life, dialTimeout)
		defer cancel()
		conn, err := l.dial(ctx, l.source, l.address)
		l.dialed <- dialed{conn, err} // room for the one that there is
	})
}

// take takes the end of an attempt. A socket that leads from and to where the present one does takes
// not its place: answers are still on their way to that.
func (l *link) take(d dialed, now time.Time) error {
	l.dialing = false
	if d.err != nil {
		l.postpone(now)
		return d.err
	}
	l.failures, l.since = 0, now
	if l.conn != nil && sameWay(l.conn, d.conn) {
		d.conn.Close()
		return nil
	}
	l.drop()
	l.conn = d.conn
	l.running.Go(func() { l.read(d.conn) })
	return nil
}

// postpone keeps ensure from trying for a while.
func (l *link) postpone(now time.Time) {
	l.retryAt = now.Add(min(firstRedial<<min(l.failures, 8), maxRedial))
	l.failures++
}

// sameWay reports whether two sockets have the same receiver, and the same address of ours.
func sameWay(a, b net.Conn) bool {
	from, ok1 := a.LocalAddr().(*net.UDPAddr)
	other, ok2 := b.LocalAddr().(*net.UDPAddr)
	return ok1 && ok2 && from.IP.Equal(other.IP) && a.RemoteAddr().String() == b.RemoteAddr().String()
}

// write sends a datagram. After an error other than syscall.EMSGSIZE there is no socket any more.
func (l *link) write(b []byte, now time.Time) error {
	_, err := l.conn.Write(b)
	l.refused = errors.Is(err, syscall.ECONNREFUSED)
	if l.refused {
		_, err = l.conn.Write(b) // that was about the datagram before; this one was not sent
	}
	if err == nil || errors.Is(err, syscall.ECONNREFUSED) {
		return nil // again about another
	}
	if !errors.Is(err, syscall.EMSGSIZE) {
		l.drop()
		l.postpone(now)
	}
	return plain("send", err)
}

// drop closes the socket.
func (l *link) drop() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}

// read passes on what comes in at a socket until that is closed or fails.
func (l *link) read(conn net.Conn) {
	b := make([]byte, maxDatagram)
	for {
		n, err := conn.Read(b)
		r := received{conn: conn}
		if err == nil {
			r.octets = bytes.Clone(b[:n])
		} else {
			r.err = plain("receive", err)
			r.ended = !errors.Is(err, syscall.ECONNREFUSED)
		}
		select {
		case l.received <- r:
		case <-l.life.Done():
			return
		}
		if r.ended {
			return
		}
	}
}

// close closes the socket and waits for the goroutines. life must have ended.
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
