package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"aaasess/cmd/aaasessd/internal/crash"
	"aaasess/sessions"
)

// crashNAS is a NAS as hostapd is one: it sends each record until it is answered, each time with a
// new identifier and the Acct-Delay-Time of that moment, and all else the same.
type crashNAS struct {
	name    string
	conn    *net.UDPConn
	daemon  netip.AddrPort
	history *crashHistory
	closing *atomic.Bool // no new sessions

	mu      sync.Mutex
	next    byte // identifier
	waiting [256]*crashRequest
}

// crashRequest is a transmission that waits for its answer.
type crashRequest struct {
	data     []byte
	record   crash.Record
	answered chan struct{} // shared by all transmissions of a record
}

// crashSession is a session at its NAS. Only the goroutine that runs it touches it.
type crashSession struct {
	nas   *crashNAS
	rng   *rand.Rand
	id    string // Acct-Session-Id
	began time.Time
	sent  int // records

	gaveUp bool // the newest record, which may or may not be known to the daemon
}

func newCrashNAS(t *testing.T, i int, daemon netip.AddrPort, h *crashHistory, closing *atomic.Bool) *crashNAS {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 1, 0, byte(i+1))})
	if err != nil {
		t.Fatal(err)
	}
	return &crashNAS{name: fmt.Sprintf("nas%02d", i), conn: conn, daemon: daemon, history: h, closing: closing}
}

// hear takes answers until the socket is closed.
func (n *crashNAS) hear() {
	b := make([]byte, radius.MaxPacketLength)
	for {
		size, from, err := n.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || size < 20 || from != n.daemon {
			n.history.count("strange datagrams to NASes")
			continue
		}
		n.mu.Lock()
		w := n.waiting[b[1]]
		n.mu.Unlock()
		if w == nil || !radius.IsAuthenticResponse(b[:size], w.data, []byte(nasSecret)) {
			n.history.count("answers that came too late") // its identifier is in use again
			continue
		}
		select {
		case <-w.answered: // before, to another transmission
			n.history.count("answers again")
		default:
			n.history.record(crash.Answered, w.record)
			close(w.answered)
		}
	}
}

// line is one user port of the NAS: it has session after session, until the NAS closes.
func (n *crashNAS) line(ctx context.Context, rng *rand.Rand, port int) {
	for i := 0; !n.closing.Load(); i++ {
		s := &crashSession{nas: n, rng: rng, id: fmt.Sprintf("%s-%d-%04d", n.name, port, i), began: time.Now()}
		if !s.run(ctx) {
			return
		}
	}
}

// run lets a session begin, go on and end. At closing it may stay open. It reports false if ctx is done.
func (s *crashSession) run(ctx context.Context) bool {
	if !s.report(ctx, sessions.Start) {
		return false
	}
	for range s.rng.IntN(6) {
		if !pause(ctx, s.between(5, 150)) || !s.report(ctx, sessions.Interim) {
			return false
		}
	}
	staysOpen := s.rng.IntN(2) == 0
	if !pause(ctx, s.between(5, 250)) || s.nas.closing.Load() && staysOpen && !s.gaveUp {
		return ctx.Err() == nil
	}
	return s.report(ctx, sessions.Stop)
}

// between is a random number of milliseconds.
func (s *crashSession) between(lo, hi int) time.Duration {
	return time.Duration(lo+s.rng.IntN(hi-lo)) * time.Millisecond
}

// report sends a record until it is answered. An interim may be given up, since the next record tells
// as much.
func (s *crashSession) report(ctx context.Context, kind sessions.EventType) bool {
	happened, answered := time.Now(), make(chan struct{})
	r := crash.Record{Session: s.id, Type: kind, Nth: s.sent}
	s.sent++
	s.gaveUp = false
	givesUp := 0
	if kind == sessions.Interim && s.rng.IntN(4) == 0 {
		givesUp = 2
	}
	s.nas.history.record(crash.Sent, r)
	for try := 1; ; try++ {
		data := s.nas.transmit(s, r, happened, answered)
		if s.rng.IntN(20) == 0 { // the network makes a copy
			_, _ = s.nas.conn.WriteToUDPAddrPort(data, s.nas.daemon)
		}
		again := time.NewTimer(s.between(40, 300))
		select {
		case <-answered:
			again.Stop()
			return true
		case <-ctx.Done():
			again.Stop()
			return false
		case <-again.C:
		}
		if try == givesUp {
			s.gaveUp = true
			s.nas.history.count("interims given up")
			return true
		}
		s.nas.history.count("retransmissions of NASes")
	}
}

// transmit sends a record once.
func (n *crashNAS) transmit(s *crashSession, r crash.Record, happened time.Time, answered chan struct{}) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := s.packet(r, happened)
	p.Identifier = n.next
	n.next++
	data, err := p.Encode()
	if err != nil {
		panic(err) // it is made of what fits
	}
	n.waiting[p.Identifier] = &crashRequest{data: data, record: r, answered: answered}
	_, _ = n.conn.WriteToUDPAddrPort(data, n.daemon) // lost, if it fails
	return data
}

// octetsOf tells the records of a session apart by their counters, where there are any.
const octetsOf = 1000

func (s *crashSession) packet(r crash.Record, happened time.Time) *radius.Packet {
	p := radius.New(radius.CodeAccountingRequest, []byte(nasSecret))
	err := errors.Join(
		rfc2866.AcctStatusType_Set(p, rfc2866.AcctStatusType(r.Type)),
		rfc2866.AcctSessionID_SetString(p, s.id),
		rfc2865.UserName_SetString(p, s.id),
		rfc2865.NASIdentifier_SetString(p, s.nas.name),
		rfc2869.EventTimestamp_Set(p, happened),
		rfc2866.AcctDelayTime_Set(p, rfc2866.AcctDelayTime(time.Since(happened)/time.Second)),
	)
	if r.Type != sessions.Start {
		err = errors.Join(err,
			rfc2866.AcctSessionTime_Set(p, rfc2866.AcctSessionTime(happened.Sub(s.began)/time.Second)),
			rfc2866.AcctInputOctets_Set(p, rfc2866.AcctInputOctets(r.Nth*octetsOf)))
	}
	if r.Type == sessions.Stop {
		err = errors.Join(err, rfc2866.AcctTerminateCause_Set(p, rfc2866.AcctTerminateCause_Value_UserRequest))
	}
	if err != nil {
		panic(err)
	}
	return p
}

// pause waits; it reports false if ctx is done first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
