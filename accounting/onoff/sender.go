package onoff

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Announce sends a record to one server of a group after the other, in the order of the group's access algorithm, to
// each with its normal retransmissions and no back-off, until one answers. It returns at once. done must be called once,
// from any goroutine: with the name of the server that answered and nil, with [accounting.ErrNoResponse] when all had
// their chance, with [accounting.ErrStopped] when the group was stopped before, or with what makes it impossible. It may
// be called before Announce returns.
type Announce func(rec *accounting.Record, done func(server string, err error))

// DefaultRetry is the wait between two rounds of an Accounting-On: "a fixed one minute" (S3).
const DefaultRetry = time.Minute

// maxUntold is how many statuses at most wait to be told by Config.Changed.
const maxUntold = 64

// Config is how Accounting-On/Off is sent for a server group.
type Config struct {
	// Group is the name of the server group, for the log.
	Group string
	// AcctOnOffGroup is the name of the acct-on-off-group that the server group controls, or "".
	AcctOnOffGroup string
	// Blocks is S3's oper-state-change: no record may be sent until an Accounting-On was answered.
	Blocks bool
	// Attributes say who we are: NAS-Identifier, NAS-IP-Address or NAS-IPv6-Address, at least one
	// (RFC 2866 section 4.1), and what servers want to see besides.
	Attributes radius.Attributes
	// Retry is the wait from the end of a round of the Accounting-On, or of one that was broken off,
	// to the next one; 0 means DefaultRetry.
	Retry time.Duration
	// Logger; nil means none.
	Logger *slog.Logger
	// Changed is told every status that is not equal to the one before, by Run, in order, with no lock
	// held, and before the On or Off that it announces is sent: so records can be held in time. It must
	// return soon. If it does not, and more than 64 wait, the oldest are left out. nil means nobody.
	Changed func(Status)
	// NewSessionID makes an Acct-Session-Id that was never used, 1 to 253 octets. It is called for each
	// On and Off that is asked for, from any goroutine; not every one is used. nil means 22 hex
	// digits as in S3, random and the time.
	NewSessionID func() string
}

// Sender sends the Accounting-On and -Off of a server group (R63, S3): On, in rounds that begin a
// minute after nobody answered the one before, until a server answers; Off once. What is asked for
// before Run is sent by Run. The methods may be called from any goroutine.
//
// An On waits for the end of a round that it supersedes: else a server could get the last
// retransmission of an Off after the On, and close the sessions that have begun since. An Off does
// not wait, since who sends it is about to end.
type Sender struct {
	cfg      Config
	announce Announce
	logger   *slog.Logger
	wake     chan struct{} // to Run, coalesced
	ready    chan struct{}

	mu       sync.Mutex // never held over a call of what is not ours
	machine  machine
	unsent   bool                          // the newest round is yet to be announced
	underWay map[uint64]*accounting.Record // by round: what is not over; mostly one
	status   Status
	untold   []Status // at most maxUntold
	off      *offWait // the Off that is being sent
	over     bool     // Run has ended
}

// offWait is what those wait for who asked for an Off.
type offWait struct {
	done chan struct{} // closed when it is over
	err  error         // how; set before
}

// New makes a Sender for the servers that announce reaches. Nothing is sent until it is asked for. An error wraps [ErrConfig].
func New(cfg Config, announce Announce) (*Sender, error) {
	if err := checkIdentity(cfg.Attributes); err != nil {
		return nil, fmt.Errorf("group %s: %w", cfg.Group, err)
	}
	if cfg.Retry <= 0 {
		cfg.Retry = DefaultRetry
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Changed == nil {
		cfg.Changed = func(Status) {}
	}
	if cfg.NewSessionID == nil {
		cfg.NewSessionID = newSessionID
	}
	s := &Sender{
		cfg: cfg, announce: announce, logger: cfg.Logger.With("group", cfg.Group), wake: make(chan struct{}, 1), ready: make(chan struct{}),
		underWay: map[uint64]*accounting.Record{}, machine: machine{retry: cfg.Retry, changed: time.Now()},
	}
	s.status = s.statusNow()
	return s, nil
}

// String says what Run does, for logs.
func (s *Sender) String() string { return "acct-on-off " + s.cfg.Group }

// Ready is closed when Run sends what is asked for.
func (s *Sender) Ready() <-chan struct{} { return s.ready }

// Status is the status now. Until an On is answered it is blocked, if the config says so.
func (s *Sender) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// On has an Accounting-On sent, unless one was answered. If one is waiting for its next round, that
// begins now.
func (s *Sender) On(trigger Trigger) {
	// That it was answered is as good as sending it.
	_ = s.apply(event{kind: evOn, trigger: trigger, id: s.cfg.NewSessionID()})
}

// Off has an Accounting-Off sent and waits until it is answered, which is nil; nobody answered:
// [accounting.ErrNoResponse]; an On took its place: [ErrSuperseded]; Run has ended: [accounting.ErrStopped]; or ctx is
// done: its error, and the Off goes on. If one was answered before, that is nil at once; if one is
// being sent, it is waited for. It ends the rounds of an On. cause is its Acct-Terminate-Cause; 0
// means the trigger's. To have it sent at the end of the daemon, call Off before Run's context ends.
func (s *Sender) Off(ctx context.Context, trigger Trigger, cause uint32) error {
	id := s.cfg.NewSessionID()
	s.mu.Lock()
	err := s.advance(event{kind: evOff, trigger: trigger, cause: cause, id: id})
	wait := s.off
	s.mu.Unlock()
	if errors.Is(err, ErrAcknowledged) {
		return nil
	}
	if err != nil {
		return err
	}
	s.poke()
	select {
	case <-wait.done:
		return wait.err
	case <-ctx.Done():
		return fmt.Errorf("onoff: group %s: Accounting-Off: %w", s.cfg.Group, ctx.Err())
	}
}

// Perform is S3's "tools perform aaa acct-on" and "acct-off": it has an On, or else an Off, sent, and
// does not wait for it. What was answered is sent again only with force, else the error is
// [ErrAcknowledged]; after the end of Run it is [accounting.ErrStopped]. Without force, what is being sent goes
// on. A forced On begins a new On/Off sequence. cause is the Acct-Terminate-Cause of an Off,
// 1..4294967295; 0 means Admin-Reboot.
func (s *Sender) Perform(on, force bool, cause uint32) error {
	ev := event{trigger: TriggerPerform, cause: cause, id: s.cfg.NewSessionID()}
	switch {
	case on && force:
		ev.kind = evForceOn
	case on:
		ev.kind = evOn
	case force:
		ev.kind = evForceOff
	default:
		ev.kind = evOff
	}
	return s.apply(ev)
}

// apply lets an event happen.
func (s *Sender) apply(ev event) error {
	s.mu.Lock()
	err := s.advance(ev)
	s.mu.Unlock()
	s.poke()
	return err
}

// advance is apply with the lock held, and without telling Run.
func (s *Sender) advance(ev event) error {
	if s.over {
		return accounting.ErrStopped
	}
	m, effects := step(s.machine, ev, time.Now())
	s.machine = m
	s.unsent = s.unsent || effects.send
	if st := s.statusNow(); st != s.status {
		s.status = st
		if len(s.untold) == maxUntold {
			s.untold = append(s.untold[:0], s.untold[1:]...)
		}
		s.untold = append(s.untold, st)
	}
	switch {
	case m.state == SendAcctOff && s.off == nil:
		s.off = &offWait{done: make(chan struct{})}
	case m.state == Off:
		s.offEnds(nil)
	case m.state == OffNoResp:
		s.offEnds(accounting.ErrNoResponse)
	case m.state != SendAcctOff:
		s.offEnds(ErrSuperseded)
	}
	return effects.err
}

func (s *Sender) offEnds(err error) {
	if s.off != nil {
		s.off.err = err
		close(s.off.done)
		s.off = nil
	}
}

// statusNow is the status of the machine, with the lock held.
func (s *Sender) statusNow() Status {
	m := &s.machine
	return Status{
		State: m.state, SessionID: m.sessionID, Changed: m.changed, Trigger: m.trigger,
		AcctOnOffGroup: s.cfg.AcctOnOffGroup, Server: m.server, Block: m.block(s.cfg.Blocks),
	}
}

func (s *Sender) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends what is asked for until ctx is done; it returns nil. It is called once.
func (s *Sender) Run(ctx context.Context) error {
	defer s.end()
	close(s.ready)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		s.tell()
		next := s.send()
		var due <-chan time.Time
		if !next.IsZero() {
			timer.Reset(time.Until(next))
			due = timer.C
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-due:
			_ = s.apply(event{kind: evElapsed}) // it is never refused
		}
	}
	return nil
}

// end gives up what is not answered. Whoever asked for it is told.
func (s *Sender) end() {
	s.mu.Lock()
	s.over = true
	s.offEnds(accounting.ErrStopped)
	s.mu.Unlock()
	s.tell()
}

// tell calls Changed for what it does not know yet.
func (s *Sender) tell() {
	for {
		s.mu.Lock()
		untold := s.untold
		s.untold = nil
		s.mu.Unlock()
		if len(untold) == 0 {
			return
		}
		for _, st := range untold {
			s.log(st)
			s.cfg.Changed(st)
		}
	}
}

// send announces the newest round, if that is yet to be done and all that came before
// is told. It returns when the next round begins, zero: none is awaited.
func (s *Sender) send() (next time.Time) {
	s.mu.Lock()
	if !s.unsent || len(s.untold) > 0 { // then there is a wake, too
		defer s.mu.Unlock()
		return s.machine.next
	}
	gen, rec := s.machine.gen, s.machine.record(s.cfg.Attributes)
	if rec.Type == sessions.On && s.supersedes(rec) {
		defer s.mu.Unlock() // the end of the other one wakes
		return time.Time{}
	}
	s.unsent = false
	s.underWay[gen] = rec
	s.mu.Unlock()
	s.announce(rec, func(server string, err error) { s.report(gen, server, err) })
	return time.Time{} // if it is over already there is a wake
}

// supersedes reports whether something else than rec is under way. The lock is held.
func (s *Sender) supersedes(rec *accounting.Record) bool {
	for _, other := range s.underWay {
		if other.Attrs != rec.Attrs {
			return true
		}
	}
	return false
}

// report is how a round ended.
func (s *Sender) report(gen uint64, server string, err error) {
	s.mu.Lock()
	delete(s.underWay, gen)
	s.mu.Unlock()
	ev := event{gen: gen, server: server}
	switch {
	case err == nil:
		ev.kind = evAnswered
	case errors.Is(err, accounting.ErrNoResponse):
		ev.kind = evUnanswered
	case errors.Is(err, accounting.ErrStopped):
		ev.kind = evStopped
	default:
		ev.kind = evFailed
		s.logger.Error("Accounting-On/Off cannot be sent", "err", err)
	}
	_ = s.apply(ev) // it is never refused
}

// log says what an operator wants to know of a new status.
func (s *Sender) log(st Status) {
	log := s.logger.With("state", st.State.String(), "trigger", st.Trigger.String(), "session", st.SessionID)
	switch {
	case st.State == On || st.State == Off:
		log.Info("Accounting-On/Off answered", "server", st.Server)
	case st.State == OffNoResp:
		log.Warn("nobody answered the Accounting-Off")
	case st.NoResponse:
		log.Warn("nobody answers the Accounting-On, it is repeated", "every", s.cfg.Retry, "operstate", st.Block.String())
	default:
		log.Info("sending Accounting-On/Off", "operstate", st.Block.String())
	}
}
