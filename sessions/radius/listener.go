package radius

import (
	"fmt"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Port is the UDP port that NASes send accounting to (RFC 2866 section 3).
const Port = 1813

// Sink receives the events that NASes report. [termination.Terminator] implements it, and passes
// events on to the table.
type Sink interface {
	// Apply submits an event. If it returns an error, the event is refused and done is not called.
	// Otherwise done is called exactly once, on any goroutine: with nil when the event is durable,
	// or with the reason why it can never be durable. done does not block.
	Apply(ev sessions.Event, done func(error)) error
	// Accepting returns nil if Apply would accept an event now, else the reason why not. It does
	// not block.
	Accepting() error
}

// Listener receives accounting from NASes. Its methods may be called from any goroutine.
type Listener struct {
	endpoint
	sink Sink
}

// New opens the sockets of a Listener. The sockets queue requests until Run reads them. An error
// names the address or client that caused it.
func New(cfg Config, sink Sink) (*Listener, error) {
	l := &Listener{sink: sink}
	l.service, l.messages = l, messages{"accounting request", "accounting request dropped"}
	l.requests, l.status = []radius.Code{radius.CodeAccountingRequest}, radius.CodeAccountingResponse
	if err := l.open(cfg); err != nil {
		return nil, err
	}
	return l, nil
}

// String names the Listener for a log.
func (l *Listener) String() string { return fmt.Sprint("radius accounting listener ", l.Addrs()) }

// Stats returns a copy of the statistics.
func (l *Listener) Stats() Stats {
	s := Stats{Counters: l.counters.snapshot()}
	l.eachClient(func(c *client, counted *counters) {
		s.Clients = append(s.Clients, ClientCounters{c.Name, c.Prefix.String(), c.stats.lastAnswered(), counted.snapshot()})
	})
	return s
}

func (l *Listener) accepting() error { return l.sink.Accepting() }

// serve processes an Accounting-Request.
func (l *Listener) serve(checked exchange, p radius.Packet, scratch []byte, now time.Time) []byte {
	ok, scratch := p.Authentic(radius.Authenticator{}, checked.client.Secret, scratch)
	if !ok {
		checked.drop(badAuthenticators, now, errAuthenticator)
		return scratch
	}
	req, scratch, err := parseAccounting(p.Attributes(), checked.from.Addr(), now, scratch)
	if err != nil {
		checked.drop(malformed, now, err)
		return scratch
	}
	x := &exchange{}
	*x = checked // only now, so that a request that fails a check costs no memory
	if req.leftOut != nil {
		l.drop(x.client, leftOut, x.from, now, req.leftOut)
	}
	req.event.NAS.Local = x.sentTo
	x.client.complete(&req.event)
	x.user = l.userOf(p)
	x.code, x.proxyState, x.session = radius.CodeAccountingResponse, req.proxyState, req.event.AcctSessionID
	switch x.seen.begin(x.key, req.event.Type == sessions.On || req.event.Type == sessions.Off, now) {
	case inFlight:
		l.count(x.client, duplicates)
		x.trace(outcomeInProgress, nil, now)
	case answered:
		l.count(x.client, duplicates)
		x.answer(outcomeAnsweredAgain, now)
	default:
		l.submit(x, &req)
	}
	return scratch
}

// submit passes a new request to the sink.
func (l *Listener) submit(x *exchange, req *accountingRequest) {
	l.pending.Add(1)
	req.event.SameClient = x.client.owns
	err := l.sink.Apply(req.event, x.reported)
	if err != nil {
		x.reported(err)
	}
}

// reported is the sink's callback: the event is durable, or never will be. It does not block.
func (x *exchange) reported(err error) {
	now := time.Now()
	x.seen.end(x.key, err == nil, now)
	if err == nil {
		x.answeredFirst(now)
		x.answer(outcomeAnswered, now)
	} else {
		x.drop(refused, now, err)
	}
	x.endpoint.pending.Add(-1)
}
