package dae

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

var errAuthenticator = errors.New("wrong authenticator or Message-Authenticator: check the shared secret")

// lingerTime is how long an attempt still waits for its answer after its session has ended: a NAS
// may send the stop before the ACK.
const lingerTime = 500 * time.Millisecond

// ask sends one request with its retransmissions, and waits for the answer.
func (d *Disconnector) ask(ctx context.Context, c *client, p profile, s *sessions.Session, m message) response {
	to := netip.AddrPortFrom(cmp.Or(c.DisconnectAddr, s.NAS.Addr), c.DisconnectPort)
	f := &pendingRequest{client: c, nasIdentifier: s.NAS.Identifier, code: m.code, answer: make(chan response, 1)}
	identifier, err := d.peers.acquire(ctx, to)
	if err != nil {
		return noResponse(termination.Outcome{Err: fmt.Errorf("dae: waiting for an identifier: %w", context.Cause(ctx))})
	}
	defer d.peers.release(to, identifier)

	f.began = time.Now()
	b, err := p.request(m, identifier, s, f.began, c.DisconnectSecret)
	if err != nil {
		return noResponse(termination.Outcome{Err: err})
	}
	f.request = radius.Authenticator(b[4:radius.HeaderLen])
	f.authorizeOnly = isAuthorizeOnly(b[radius.HeaderLen:])
	d.peers.register(to, identifier, f)
	return d.transmit(ctx, f, s, m, b, to)
}

// transmit sends a registered request with its retransmissions, and waits for the answer.
func (d *Disconnector) transmit(ctx context.Context, f *pendingRequest, s *sessions.Session, m message, b []byte, to netip.AddrPort) response {
	defer f.settled()
	timer := time.NewTimer(d.cfg.Timeout)
	defer timer.Stop()
	for sent := 0; ; sent++ {
		if m.ended != nil && m.ended() {
			out := noResponse(termination.Outcome{Err: termination.ErrSessionEnded})
			if sent == 0 {
				return out
			}
			return d.counters.answered(f.conclude(out, false))
		}
		if sent > 0 {
			f.sentAt.Store(int64(time.Since(f.began))) // before the answer can come
		}
		switch err := d.sendFor(f.client, s.NAS, b, to); {
		case err == nil:
			d.counters.transmitted(sent > 0)
			f.transmitted(sent > 0)
		case sent == 0:
			return noResponse(termination.Outcome{Err: fmt.Errorf("dae: %w", err)})
		default: // ignore the error: the first one may still be answered
		}
		select {
		case out := <-f.answer:
			return d.counters.answered(out)
		case <-ctx.Done():
			return d.counters.answered(f.linger(ctx))
		case <-timer.C:
			if sent >= d.cfg.Retransmissions {
				return d.counters.answered(f.conclude(response{}, true))
			}
			f.timedOut()
			timer.Reset(d.cfg.Timeout)
		}
	}
}

// sendFor sends a request for a session of a NAS. The source address is the configured one, or else
// the one that the NAS sends to. If it is not local, the system chooses one.
func (d *Disconnector) sendFor(c *client, nas *sessions.NAS, b []byte, to netip.AddrPort) error {
	from := cmp.Or(c.DisconnectSource, nas.Local)
	if from.Is4() != to.Addr().Is4() {
		from = netip.Addr{} // the NAS sends accounting by one IP version and receives requests by the other
	}
	notLocal := d.send(b, from, to)
	if !errors.Is(notLocal, errNotLocal) {
		return notLocal
	}
	err := d.send(b, netip.Addr{}, to)
	if err != nil {
		return err // not because of the source address
	}
	if suppressed, ok := c.logged.sourceNotLocal.Allow(time.Now()); ok {
		d.log.Warn("disconnect: source address is not local, the system chooses one",
			"client", c.Name, "nas", nas.String(), "source", from, "suppressed", suppressed, "err", notLocal)
	}
	return nil
}

// receive processes a datagram from the socket.
func (d *Disconnector) receive(b []byte, from netip.AddrPort, now time.Time) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	var identifier uint8
	if len(b) > 1 {
		identifier = b[1]
	}
	k, known := kindOfAnswer(b)
	f, sender := d.peers.find(from, identifier)
	if !known {
		d.counters.discard(sender, k, unknownType)
		return
	}
	p, err := radius.Parse(b)
	switch {
	case err != nil:
		d.counters.discard(sender, k, malformed)
		return
	case f == nil: // from another source, too late, or a second answer
		d.counters.discard(sender, k, unexpected)
		return
	case !isAnswer(p.Code(), f.code):
		d.counters.discard(sender, k, otherKind)
		return
	}
	if ok, _ := p.Authentic(f.request, f.client.DisconnectSecret, nil); !ok {
		d.counters.discard(sender, k, wrongAuthenticator)
		if suppressed, ok := f.client.logged.badAnswer.Allow(now); ok {
			d.log.Warn("disconnect: answer dropped, check the shared secret", "client", f.client.Name, "from", from,
				"suppressed", suppressed, "err", errAuthenticator)
		}
		return
	}
	got := response{Outcome: termination.Outcome{Answer: termination.ACK}, attrs: slices.Clone(p.Attributes())}
	if p.Code() == f.code+2 {
		got.Outcome = termination.Outcome{Answer: termination.NAK, ErrorCause: errorCause(p.Attributes())}
	}
	if !f.claim() {
		d.counters.discard(sender, k, unexpected) // a retransmission was answered too
		return
	}
	f.counted(&got, now)
	f.deliver(got)
}

// isAnswer reports whether a code is that of an ACK or a NAK to a request: the two codes that follow
// its own (RFC 5176 section 2.3).
func isAnswer(code, request radius.Code) bool { return code == request+1 || code == request+2 }

// unreachable handles a report that a NAS's port is closed. quoted is the part of the request in
// the report. Routers need not quote it (RFC 792); then the report concerns all requests to that
// port.
func (d *Disconnector) unreachable(to netip.AddrPort, quoted []byte) {
	out := noResponse(termination.Outcome{Err: termination.ErrPortUnreachable})
	if len(quoted) < radius.HeaderLen {
		for _, f := range d.peers.inFlight(to) {
			f.end(out)
		}
		return
	}
	if f, _ := d.peers.find(to, quoted[1]); f != nil && f.request == radius.Authenticator(quoted[4:radius.HeaderLen]) {
		f.end(out)
	}
}
