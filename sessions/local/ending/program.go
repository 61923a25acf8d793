package ending

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

var (
	// ErrNoRequest is returned by [Disconnector.Answer] if the source has no such request: it was
	// answered, its time is over, or its session has ended.
	ErrNoRequest = errors.New("ending: no such request, or it is over")
	// ErrTooMany is returned by [Disconnector.Subscribe] if a user has too many subscribers of a source.
	ErrTooMany = errors.New("ending: too many programs of this source and user listen")
)

const (
	// maxSubscribers is how many programs of one source and user may listen. A source is no one's own, so
	// the programs of another user do not count.
	maxSubscribers = 16
	// programLinger is how long an answer is awaited after the session has ended. The stop waits for the
	// outcome too, a little longer (package termination).
	programLinger = 80 * time.Millisecond
)

// Request asks a program to end a session that it has reported.
type Request struct {
	ID      string
	Session *sessions.Session
	// Until is when the answer is no longer awaited.
	Until time.Time
}

// Subscriber is a program that ends the sessions of a source. It must be closed.
type Subscriber struct {
	of     *programs
	source string
	uid    uint32
	queue  chan Request
}

// Requests returns the requests. Requests whose time is over may be among them. It is never closed.
func (s *Subscriber) Requests() <-chan Request { return s.queue }

// Close ends the Subscriber.
func (s *Subscriber) Close() {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	delete(s.of.subscribers[s.source], s)
	if len(s.of.subscribers[s.source]) == 0 {
		delete(s.of.subscribers, s.source)
	}
}

// programs are the programs that listen, and the requests that wait for their answers.
type programs struct {
	mu          sync.Mutex
	subscribers map[string]map[*Subscriber]bool // by source
	waiting     map[string]*waitingRequest      // by ID
}

type waitingRequest struct {
	Request
	source string
	answer chan termination.Outcome // room for one
}

func (p *programs) init() {
	p.subscribers, p.waiting = map[string]map[*Subscriber]bool{}, map[string]*waitingRequest{}
}

// subscriberQueue is how many requests wait for a subscriber. Package termination asks for fewer
// sessions of one NAS at the same time, so only a subscriber that does not read has a full queue.
const subscriberQueue = 64

// Subscribe returns a new Subscriber of a user for the sessions of a source. It gets the requests that wait for
// an answer already.
func (d *Disconnector) Subscribe(source string, uid uint32) (*Subscriber, error) {
	p := &d.programs
	p.mu.Lock()
	defer p.mu.Unlock()
	own := 0
	for s := range p.subscribers[source] {
		if s.uid == uid {
			own++
		}
	}
	if own >= maxSubscribers {
		return nil, ErrTooMany
	}
	s := &Subscriber{of: p, source: source, uid: uid, queue: make(chan Request, subscriberQueue)}
	for _, r := range p.waiting {
		if r.source == source {
			s.offer(r.Request)
		}
	}
	if p.subscribers[source] == nil {
		p.subscribers[source] = map[*Subscriber]bool{}
	}
	p.subscribers[source][s] = true
	return s, nil
}

// offer queues a request if there is room.
func (s *Subscriber) offer(r Request) bool {
	select {
	case s.queue <- r:
		return true
	default:
		return false
	}
}

// Answer answers a request. source is that of the program. The first answer counts.
func (d *Disconnector) Answer(source, id string, out termination.Outcome) error {
	p := &d.programs
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.waiting[id]
	if r == nil || r.source != source {
		return ErrNoRequest
	}
	delete(p.waiting, id)
	r.answer <- out
	return nil
}

// Pending returns the session of a request that waits for its answer, nil if there is none.
func (d *Disconnector) Pending(source, id string) *sessions.Session {
	p := &d.programs
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.waiting[id]; r != nil && r.source == source {
		return r.Session
	}
	return nil
}

// ask gives a request to all programs that listen for its source.
func (p *programs) ask(r *waitingRequest) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.subscribers[r.source]) == 0 {
		return fmt.Errorf("no program of source %q listens for requests to end sessions", r.source)
	}
	taken := false
	for s := range p.subscribers[r.source] {
		taken = s.offer(r.Request) || taken
	}
	if !taken {
		return fmt.Errorf("no program of source %q reads requests to end sessions", r.source)
	}
	p.waiting[r.ID] = r
	return nil
}

func (p *programs) forget(r *waitingRequest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, r.ID)
}

// askProgram asks the program that reported a session to end it.
func (d *Disconnector) askProgram(ctx context.Context, s *sessions.Session) termination.Outcome {
	source, _ := splitName(s)
	r := &waitingRequest{
		Request: Request{ID: rand.Text(), Session: s, Until: time.Now().Add(d.programWait)},
		source:  source, answer: make(chan termination.Outcome, 1),
	}
	if err := d.programs.ask(r); err != nil {
		return termination.Outcome{Err: err}
	}
	defer d.programs.forget(r)
	timer := time.NewTimer(d.programWait)
	defer timer.Stop()
	select {
	case out := <-r.answer:
		return out
	case <-timer.C:
		return silent("the program of source %q has not answered in %v", source, d.programWait)
	case <-ctx.Done():
	}
	if errors.Is(context.Cause(ctx), termination.ErrSessionEnded) {
		timer.Reset(programLinger)
		select {
		case out := <-r.answer:
			return out
		case <-timer.C:
		}
	}
	return termination.Outcome{Err: context.Cause(ctx)}
}

// The results that a program gives.
const (
	ResultACK  = "ack"  // the session ends
	ResultNAK  = "nak"  // it does not
	ResultGone = "gone" // there is no such session
)

// ParseResult returns the outcome for what a program has answered. reason is for people; it may be "".
func ParseResult(result, reason string) (termination.Outcome, error) {
	if reason == "" {
		reason = "the program has given no reason"
	}
	switch result {
	case ResultACK:
		return termination.Outcome{Answer: termination.ACK}, nil
	case ResultNAK:
		return refused(0, "%s", oneLine(reason)), nil
	case ResultGone:
		return refused(radius.SessionContextNotFound, "%s", oneLine(reason)), nil
	}
	return termination.Outcome{}, fmt.Errorf("%q is not one of %s, %s, %s", result, ResultACK, ResultNAK, ResultGone)
}
