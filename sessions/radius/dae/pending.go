package dae

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions/termination"
)

// pendingRequest is a request that waits for its answer. Its sender owns it; any goroutine may end it.
type pendingRequest struct {
	client        *client
	nasIdentifier string      // of the session
	code          radius.Code // of the request
	request       radius.Authenticator
	authorizeOnly bool
	nas           *nas // its counters; set when it is registered

	began  time.Time    // of the first transmission
	sentAt atomic.Int64 // of the last transmission, in nanoseconds after began
	ended  atomic.Bool
	answer chan response // capacity 1; the only element is sent by the goroutine that has set ended
	waits  bool          // of the sender: the last transmission is counted as pending
}

// claim gives the caller the right to call deliver. It returns false if the request has an outcome.
func (p *pendingRequest) claim() bool { return p.ended.CompareAndSwap(false, true) }

// deliver sets the outcome.
func (p *pendingRequest) deliver(r response) {
	r.request = p.request
	p.answer <- r
}

// end sets the outcome of a request, unless it has one.
func (p *pendingRequest) end(r response) {
	if p.claim() {
		p.deliver(r)
	}
}

// conclude ends the wait of the sender. It returns the outcome if there is one, else r. late means that
// the last transmission has timed out in the second case.
func (p *pendingRequest) conclude(r response, late bool) response {
	if !p.claim() {
		return <-p.answer
	}
	if late {
		p.timedOut()
	}
	return r
}

// messages returns the counters of the request's kind.
func (p *pendingRequest) messages() *messageCounters { return &p.nas.messages[kindOf(p.code)] }

// transmitted counts a transmission. again means that it is a retransmission.
func (p *pendingRequest) transmitted(again bool) {
	m := p.messages()
	switch {
	case again:
		m.retransmissions.Add(1)
	default:
		m.requests.Add(1)
		if p.authorizeOnly {
			m.authorizeOnlyRequests.Add(1)
		}
	}
	p.waits = true
	m.pending.Add(1)
}

// timedOut counts that the last transmission got no answer in time.
func (p *pendingRequest) timedOut() {
	if p.waits {
		p.messages().timeouts.Add(1)
	}
	p.settled()
}

// settled counts that the last transmission waits no more.
func (p *pendingRequest) settled() {
	if p.waits {
		p.waits = false
		p.messages().pending.Add(-1)
	}
}

// counted counts a valid answer.
func (p *pendingRequest) counted(r *response, now time.Time) {
	p.nas.roundTrip.Store(max(1, int64(now.Sub(p.began))-p.sentAt.Load())) // 0 means that there was no answer
	m := p.messages()
	if r.Answer == termination.ACK {
		m.acks.Add(1)
		return
	}
	m.naks.Add(1)
	if isAuthorizeOnly(r.attrs) {
		m.authorizeOnlyNAKs.Add(1)
	}
	if r.ErrorCause == radius.SessionContextNotFound {
		m.noContextNAKs.Add(1)
	}
}

// linger ends the wait for an answer: at once or, if the session has ended, after lingerTime.
func (p *pendingRequest) linger(ctx context.Context) response {
	cause := context.Cause(ctx)
	if !errors.Is(cause, termination.ErrSessionEnded) {
		return p.conclude(response{}, errors.Is(cause, context.DeadlineExceeded))
	}
	timer := time.NewTimer(lingerTime)
	defer timer.Stop()
	select {
	case out := <-p.answer:
		return out
	case <-timer.C:
		return p.conclude(noResponse(termination.Outcome{Err: termination.ErrSessionEnded}), false)
	}
}

// isAuthorizeOnly reports whether attributes have a Service-Type with the value Authorize-Only (RFC
// 5176 section 3.1).
func isAuthorizeOnly(attrs []byte) bool {
	const want = "\x06\x06\x00\x00\x00\x11"
	for ; len(attrs) > 0; attrs = attrs[attrs[1]:] {
		if string(attrs[:attrs[1]]) == want {
			return true
		}
	}
	return false
}
