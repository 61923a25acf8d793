package agentx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

const (
	// inputSize is the initial size of the input buffer, which grows up to one PDU.
	inputSize = 16 << 10
	// flushAt is how many octets of answers may collect before they are written, even if more PDUs
	// of the same read wait.
	flushAt = 64 << 10
	// keepSize is the largest buffer for answers that is reused.
	keepSize = 256 << 10
)

// loop is one connection to the master: one goroutine reads, answers and writes. To have something
// written, others (Notify, the end of the context) wake it by making its read time out.
type loop struct {
	sub *Subagent
	m   *machine
	s   *stream
	up  func(sessionID uint32) // called once, when all subtrees are registered

	in           []byte // in[:have] was read and not handled yet
	have         int
	out          []byte
	unwritten    unwritten
	isUp         bool
	traffic      bool      // there were requests since the last tick
	lastReceived time.Time // time of the last PDU, as far as known

	lastNotify uint64
	notifying  map[uint64]*notification // written and not answered
}

func newLoop(sub *Subagent, conn net.Conn, up func(uint32)) *loop {
	open := Open{ID: []uint32(sub.cfg.ID), Description: sub.cfg.Description}
	m := newMachine(sub.tree, open, sub.order)
	m.by = mib.Requester{Name: "agentx", Address: sub.cfg.Network + ":" + sub.cfg.Address}
	return &loop{
		sub: sub, m: m, s: newStream(conn), up: up,
		in: make([]byte, inputSize), notifying: map[uint64]*notification{},
		lastReceived: time.Now(),
	}
}

// run serves the connection until its session ends. The caller closes the connection.
func (l *loop) run(ctx context.Context) (err error) {
	defer l.m.end()
	defer func() { l.abandon(err) }()
	l.out = l.m.start(l.out, l.lastReceived)
	if err := l.s.conn.SetReadDeadline(l.deadline()); err != nil {
		return err
	}
	l.sub.attach(l.s.conn)
	defer l.sub.attach(nil)
	defer context.AfterFunc(ctx, l.sub.wake)()
	for {
		if err := l.flush(); err != nil {
			return err
		}
		n, err := l.s.read(l.in[l.have:])
		switch {
		case err == nil:
			l.have += n
			l.unwritten.arrived = time.Now()
			err = l.received(ctx, n)
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = l.tick(ctx)
		}
		if err != nil {
			return l.closeSession(ctx, err)
		}
	}
}

// received handles all complete PDUs.
func (l *loop) received(ctx context.Context, n int) error {
	l.sub.counters.octets.Add(uint64(n))
	used := 0
	for {
		h, size, err := nextPDU(l.in[used:l.have])
		if err != nil {
			return err
		}
		if size == 0 {
			l.keep(used)
			return nil
		}
		if err := l.handle(ctx, h, l.in[used:used+size]); err != nil {
			return err
		}
		used += size
	}
}

// nextPDU parses the header of the first PDU in b. size is 0 while the PDU is incomplete.
func nextPDU(b []byte) (h Header, size int, err error) {
	if len(b) < HeaderSize {
		return h, 0, nil
	}
	if h, err = ParseHeader(b); err != nil {
		return h, 0, err
	}
	if size = HeaderSize + int(h.PayloadLength); len(b) < size {
		size = 0
	}
	return h, size, nil
}

func (l *loop) handle(ctx context.Context, h Header, b []byte) (err error) {
	l.sub.counters.count(h.Type)
	if h.Type != pdu.TypeResponse {
		l.traffic = true
		before := len(l.out)
		l.out, err = l.m.handle(h, b, l.out, time.Time{})
		l.answered(&h, l.out[before:])
		if l.m.setFailed != nil {
			l.sub.logSetFailed(l.m.setFailed)
			l.m.setFailed = nil
		}
		if l.m.setRefused != nil {
			l.sub.logRefusedSet(l.m.setRefused)
			l.m.setRefused = nil
		}
	} else {
		l.lastReceived = time.Now()
		if l.out, err = l.m.handle(h, b, l.out, l.lastReceived); err == nil {
			err = l.responded(ctx)
		}
	}
	if err == nil && len(l.out) >= flushAt {
		err = l.flush()
	}
	return err
}

func (l *loop) responded(ctx context.Context) error {
	l.deliver()
	if err := l.m.capsRefused; err != nil {
		l.m.capsRefused = nil
		l.sub.logCapsRefused(err)
	}
	if !l.isUp && l.m.established() {
		l.isUp = true
		l.up(l.m.sessionID)
	}
	if l.canNotify() {
		return l.tick(ctx)
	}
	return nil
}

// keep moves unhandled octets to the front and provides room behind them. The buffer grows with the
// received octets, not with the length in a header.
func (l *loop) keep(used int) {
	l.have = copy(l.in, l.in[used:l.have])
	switch {
	case l.have == len(l.in):
		l.in = append(l.in, make([]byte, len(l.in))...)
	case l.have == 0 && len(l.in) > keepSize:
		l.in = make([]byte, inputSize)
	}
}

// tick checks everything after a read has timed out, by a wake-up or by its deadline. Only tick
// sets the deadline again, and it checks for work after that. So a wake-up between the two is not
// lost.
func (l *loop) tick(ctx context.Context) error {
	now := time.Now()
	if l.traffic {
		l.lastReceived, l.traffic = now, false
	}
	if l.m.giveUpCaps(now.Add(-l.sub.cfg.Timeout)) {
		l.sub.logCapsRefused(fmt.Errorf("AddAgentCaps: %w within %s", ErrNoAnswer, l.sub.cfg.Timeout))
	}
	if l.isUp && now.Sub(l.lastReceived) >= l.sub.pingAfter {
		l.lastReceived = now
		l.out = l.m.ping(l.out, now)
	}
	for again := true; again; again = l.canNotify() {
		if l.isUp {
			l.sendQueued(now)
		}
		if err := l.s.conn.SetReadDeadline(l.deadline()); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if at, waiting := l.m.oldest(); waiting && now.Sub(at) >= l.sub.cfg.Timeout {
		return fmt.Errorf("%w within %s", ErrNoAnswer, l.sub.cfg.Timeout)
	}
	return nil
}

func (l *loop) deadline() time.Time {
	next := l.lastReceived.Add(l.sub.pingAfter)
	if at, waiting := l.m.oldest(); waiting && at.Add(l.sub.cfg.Timeout).Before(next) {
		next = at.Add(l.sub.cfg.Timeout)
	}
	return next
}

func (l *loop) flush() error {
	if len(l.out) == 0 {
		return nil
	}
	err := l.s.write(l.out, l.sub.cfg.Timeout)
	if err == nil {
		l.written()
	}
	if l.out = l.out[:0]; cap(l.out) > keepSize {
		l.out = nil
	}
	return err
}

// closeSession sends a Close if the master can still receive it, and returns the error of the
// connection.
func (l *loop) closeSession(ctx context.Context, err error) error {
	reason := pdu.ReasonOther
	_, isRefused := errors.AsType[*RefusedError](err)
	switch {
	case ctx.Err() != nil:
		reason = pdu.ReasonShutdown
	case isRefused: // what is registered must go at once
	case errors.Is(err, ErrMalformed):
		reason = pdu.ReasonParseError
	case errors.Is(err, ErrProtocol):
		reason = pdu.ReasonProtocolError
	case errors.Is(err, ErrNoAnswer):
		reason = pdu.ReasonTimeouts
	default: // the master is gone or has closed the session
		return err
	}
	l.out = l.m.close(l.out, reason)
	_ = l.flush() // ignore errors: the connection is closed next
	return err
}
