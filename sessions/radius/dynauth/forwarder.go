package dynauth

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/throttle"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/termination"
)

// The limits of a Forwarder.
const (
	maxRequests = 20_000 // in all
	maxAtNAS    = 12_000 // for one NAS, including those that wait for their turn
	window      = 128    // under way at one NAS; identifiers are left for our own requests
	// maxWait limits how long a request is kept. It has time for all transmissions of two requests
	// with the default settings.
	maxWait = 30 * time.Second
)

// Config configures a Forwarder.
type Config struct {
	Table *sessions.Table
	// Forward sends a request to the NAS of a session: [dae.Disconnector.Forward].
	Forward func(ctx context.Context, s *sessions.Session, f dae.Forwarded) dae.Reply
	// MayChange reports whether a server may change and end a session.
	MayChange func(server string, s *sessions.Session) bool
	// StopWait is how long to wait after an ACK to a Disconnect-Request for the stop of the NAS; 0
	// means [termination.DefaultStopWait].
	StopWait time.Duration
	// RetryMin is the wait before a stop is made again that the store has refused; 0 means
	// [termination.DefaultRetryMin].
	RetryMin time.Duration
	// Log receives messages for operators; nil discards them.
	Log *slog.Logger
}

// Forwarder forwards Disconnect-Requests and CoA-Requests of servers to the NASes. It implements
// [nasradius.Changer]. Its methods may be called from any goroutine.
type Forwarder struct {
	cfg                   Config
	log                   *slog.Logger
	searches              searches
	counters              counters
	refusedLines          throttle.Lines[refusedLine] // of the log
	requests              sync.WaitGroup
	ready                 chan struct{}
	maxRequests, maxAtNAS int           // the constants, except in tests
	maxWait               time.Duration // as well

	mu       sync.Mutex
	ctx      context.Context // of the requests; ends with Run
	stop     context.CancelFunc
	inFlight int
	nases    map[netip.Addr]*queue
	stops    map[sessions.ID]*expectedStop
}

// queue has the requests for one NAS.
type queue struct {
	requests int
	window   chan struct{}
}

// refusedLine identifies a line of the log about a refusal. No server hides another, and no reason
// another one of the same server.
type refusedLine struct {
	server string
	cause  radius.ErrorCause
}

// Reasons to leave a request unanswered.
var (
	errStopping = errors.New("the daemon is stopping")
	errSilent   = errors.New("the NAS did not answer")
)

// New creates a Forwarder.
func New(cfg Config) *Forwarder {
	cfg.StopWait = cmp.Or(cfg.StopWait, termination.DefaultStopWait)
	cfg.RetryMin = cmp.Or(cfg.RetryMin, termination.DefaultRetryMin)
	f := &Forwarder{
		cfg: cfg, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)), ready: make(chan struct{}),
		maxRequests: maxRequests, maxAtNAS: maxAtNAS, maxWait: maxWait, nases: map[netip.Addr]*queue{}, stops: map[sessions.ID]*expectedStop{},
	}
	f.ctx, f.stop = context.WithCancel(context.Background())
	return f
}

// String names the Forwarder for a log.
func (f *Forwarder) String() string { return "radius dynamic authorization forwarder" }

// Ready is closed when Run has begun.
func (f *Forwarder) Ready() <-chan struct{} { return f.ready }

// Run returns when ctx has ended and no request is under way any more. Requests that come later are
// dropped. It returns nil. Call it once.
func (f *Forwarder) Run(ctx context.Context) error {
	close(f.ready)
	<-ctx.Done()
	f.mu.Lock()
	f.stop()
	for _, e := range f.stops {
		e.timer.Stop()
	}
	clear(f.stops)
	f.mu.Unlock()
	f.requests.Wait()
	return nil
}

// Change forwards a request to the NAS of its session.
func (f *Forwarder) Change(q *nasradius.ChangeRequest) {
	f.counters[counterOf(q.Packet.Code())].Add(1)
	f.mu.Lock()
	stopping, full := f.ctx.Err() != nil, f.inFlight == f.maxRequests
	if !stopping && !full {
		f.inFlight++
		f.requests.Add(1) // before Wait, because the context has not ended
	}
	f.mu.Unlock()
	switch {
	case stopping:
		q.Drop(errStopping)
	case full:
		f.refuse(q, nil, radius.ResourcesUnavailable)
	default:
		go f.serve(q)
	}
}

func (f *Forwarder) serve(q *nasradius.ChangeRequest) {
	defer func() {
		f.mu.Lock()
		f.inFlight--
		f.mu.Unlock()
		f.requests.Done()
	}()
	ctx, cancel := context.WithTimeout(f.ctx, f.maxWait)
	defer cancel()
	wants := parse(q.Packet.Attributes(), q.Local)
	s, cause := f.find(&wants)
	switch {
	case s == nil:
		f.refuse(q, nil, cause)
	case !f.cfg.MayChange(q.ServerName, s):
		f.refuse(q, s, radius.AdministrativelyProhibited)
	default:
		f.ask(ctx, q, s, wants.rest)
	}
}

// ask asks the NAS when it is the turn of this request, and answers the server.
func (f *Forwarder) ask(ctx context.Context, q *nasradius.ChangeRequest, s *sessions.Session, attrs []byte) {
	nas := f.enter(s.NAS.Addr)
	if nas == nil {
		f.refuse(q, s, radius.ResourcesUnavailable)
		return
	}
	defer f.leave(s.NAS.Addr, nas)
	select {
	case nas.window <- struct{}{}:
	case <-ctx.Done():
		f.giveUp(q, s)
		return
	}
	reply := f.cfg.Forward(ctx, s, dae.Forwarded{
		Code: q.Packet.Code(), Attrs: attrs, Secret: q.Secret, Authenticator: q.Packet.Authenticator(),
		Ended: func() bool { return f.current(s) == nil },
	})
	<-nas.window
	// With attributes of the server in the request, a 503 does not prove that the NAS has lost the
	// session: some NASes identify sessions by one of them, such as a Vendor-Specific (RFC 5176 section 3).
	reply.Inconclusive = reply.Inconclusive || len(attrs) > 0
	f.settle(q, s, reply)
}

// giveUp ends a request whose context has ended. At the end of the daemon it gets no answer: a NAK would
// be final, and its server can send it to the next daemon.
func (f *Forwarder) giveUp(q *nasradius.ChangeRequest, s *sessions.Session) {
	if f.ctx.Err() != nil {
		q.Drop(errStopping)
		return
	}
	f.refuse(q, s, radius.ResourcesUnavailable)
}

// enter enters a request for a NAS; nil means that too many wait for it.
func (f *Forwarder) enter(addr netip.Addr) *queue {
	f.mu.Lock()
	defer f.mu.Unlock()
	nas := f.nases[addr]
	if nas == nil {
		nas = &queue{window: make(chan struct{}, window)}
		f.nases[addr] = nas
	}
	if nas.requests == f.maxAtNAS {
		return nil
	}
	nas.requests++
	return nas
}

func (f *Forwarder) leave(addr netip.Addr, nas *queue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if nas.requests--; nas.requests == 0 {
		delete(f.nases, addr)
	}
}

// settle answers a server, and does what follows for the session.
func (f *Forwarder) settle(q *nasradius.ChangeRequest, s *sessions.Session, reply dae.Reply) {
	out := reply.Outcome
	var malformedValue *radius.MalformedError
	switch {
	case out.Answer != termination.NoAnswer:
		f.answer(q, s, reply)
	case out.Err == nil || errors.Is(out.Err, termination.ErrPortUnreachable) || errors.Is(out.Err, termination.ErrNoAnswer):
		f.counters[silent].Add(1)
		q.Drop(errSilent)
	case errors.Is(out.Err, termination.ErrSessionEnded):
		f.refuse(q, s, radius.SessionContextNotFound)
	case errors.As(out.Err, &malformedValue):
		f.refuse(q, s, radius.InvalidAttributeValue)
	case errors.Is(out.Err, context.DeadlineExceeded), errors.Is(out.Err, context.Canceled):
		f.giveUp(q, s)
	default:
		f.refuse(q, s, radius.RequestNotRoutable)
	}
}

// answer passes the answer of a NAS on.
func (f *Forwarder) answer(q *nasradius.ChangeRequest, s *sessions.Session, reply dae.Reply) {
	out, ends := reply.Outcome, q.Packet.Code() == radius.CodeDisconnectRequest
	ack := out.Answer == termination.ACK
	f.logOf(q, s).Info("dynamic authorization: NAS has answered", "outcome", out.String())
	switch {
	case ack && ends:
		f.expectStop(s)
	case ends && out.ErrorCause == radius.SessionContextNotFound && !out.Inconclusive:
		f.lost(s)
	}
	what := naks
	if ack {
		what = acks
	}
	f.counters[what].Add(1)
	q.Answer(ack, forServer(reply, s))
}

// forServer returns the attributes of a NAS's answer for the server, which knows the session by
// another Acct-Session-Id. The Error-Cause is that of the conclusion: a NAS may have been asked several
// times.
func forServer(reply dae.Reply, s *sessions.Session) (attrs []byte) {
	cause := reply.ErrorCause
	for rest := reply.Attrs; len(rest) > 0; rest = rest[rest[1]:] {
		switch t := radius.Type(rest[0]); {
		case t == radius.AcctSessionID:
			attrs = radius.AppendAttribute(attrs, t, s.Name())
		case t == radius.ErrorCauseType && cause != 0:
			attrs = radius.AppendUint32(attrs, t, uint32(cause))
			cause = 0
		default:
			attrs = append(attrs, rest[:rest[1]]...)
		}
	}
	if cause != 0 {
		attrs = radius.AppendUint32(attrs, radius.ErrorCauseType, uint32(cause))
	}
	return attrs
}

// refuse answers with a NAK of our own. s is the session, or nil.
func (f *Forwarder) refuse(q *nasradius.ChangeRequest, s *sessions.Session, cause radius.ErrorCause) {
	f.counters[refusalOf(cause)].Add(1)
	if v := f.refusedLines.Allow(refusedLine{q.ServerName, cause}, time.Now()); v.Write {
		f.logOf(q, s).Warn("dynamic authorization: request refused", "err", cause.String(), "suppressed", v.Suppressed)
	}
	q.Answer(false, radius.AppendUint32(nil, radius.ErrorCauseType, uint32(cause)))
}

// logOf returns a logger whose lines name the server, and the session if there is one.
func (f *Forwarder) logOf(q *nasradius.ChangeRequest, s *sessions.Session) *slog.Logger {
	log := f.log.With("server", q.ServerName, "code", q.Packet.Code().String())
	if s == nil {
		return log
	}
	return log.With("session", s.ID.String(), "user", s.User(), "nas", s.NAS.String())
}
