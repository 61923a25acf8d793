package onoff

import (
	"cmp"
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

// Announce sends a record to one server of a group after the other, in the order of the group's
// access algorithm, until one answers. Each server gets its normal retransmissions and no back-off.
// Announce returns at once. It calls done exactly once, from any goroutine, possibly before it
// returns: with the name of the server that answered and nil; with [accounting.ErrNoResponse] when
// no server answered, or [accounting.ErrNotAccepted] when none has accepted it; with [accounting.ErrStopped] when the group was stopped; or with the error
// that makes sending impossible.
type Announce func(rec *accounting.Record, done func(server string, err error))

// DefaultRetry is the wait between two rounds of an Accounting-On: "a fixed one minute" (S3).
const DefaultRetry = time.Minute

// maxPendingChanges is the most statuses that wait for Config.Changed.
const maxPendingChanges = 64

// Config sets how Accounting-On/Off is sent for a server group.
type Config struct {
	// Group is the name of the server group, for the log.
	Group string
	// AcctOnOffGroup is the name of the acct-on-off-group that the server group controls, or "".
	AcctOnOffGroup string
	// Blocks is S3's oper-state-change: no record may be sent until an Accounting-On was answered.
	Blocks bool
	// Attributes identify this NAS: NAS-Identifier, NAS-IP-Address or NAS-IPv6-Address, at least
	// one (RFC 2866 section 4.1). Other attributes that the servers want may follow.
	Attributes radius.Attributes
	// Retry is the wait from the end of a round of the Accounting-On, or of a stopped round, to the
	// next round; 0 means DefaultRetry.
	Retry time.Duration
	// Logger gets the log; nil means no log.
	Logger *slog.Logger
	// Changed is called for every status that differs from the one before. Run calls it, in order,
	// without a lock, and before it sends the On or Off of that status, so that records can be held
	// in time. It must return soon. If more than 64 statuses wait, the oldest are left out. nil
	// means no calls.
	Changed func(Status)
	// NewSessionID returns an Acct-Session-Id that was never used, 1 to 253 octets. It is called
	// for each requested On and Off, from any goroutine. Not every id is used. nil means 22 hex
	// digits as in S3, random and the time.
	NewSessionID func() string
}

// Sender sends the Accounting-On and -Off of a server group (R63, S3). The On is repeated until a
// server answers, a minute after each round without an answer. The Off is sent once. Requests from
// before Run are sent by Run. The methods may be called from any goroutine.
//
// An On waits until the round that it supersedes has ended. Otherwise a server could get the last
// retransmission of an Off after the On, and close the sessions that have begun since. An Off does
// not wait, because its sender is about to end.
type Sender struct {
	cfg      Config
	announce Announce
	logger   *slog.Logger
	wake     chan struct{} // to Run, coalesced
	ready    chan struct{}

	mu             sync.Mutex // never held over calls out of this package
	machine        machine
	mustSend       bool                          // the newest round was not announced yet
	logged         announcement                  // the newest On or Off that was logged as being sent
	inFlight       map[uint64]*accounting.Record // by round, those in flight; mostly one
	status         Status
	takenOver      Status      // by TakeOver; it was logged before
	pendingChanges []Status    // at most maxPendingChanges
	pendingOff     *pendingOff // the Off that is being sent
	ended          bool        // Run has ended
}

// pendingOff is what the callers of Off wait for.
type pendingOff struct {
	done chan struct{} // closed when it is over
	err  error         // the result; set before done is closed
}

// announcement identifies an On or Off with all of its rounds.
type announcement struct {
	state   State
	askedAt time.Time
}

// New returns a Sender for the servers that announce reaches. Nothing is sent until it is
// requested. An error wraps [ErrConfig].
func New(cfg Config, announce Announce) (*Sender, error) {
	if err := checkIdentity(cfg.Attributes); err != nil {
		return nil, fmt.Errorf("group %s: %w", cfg.Group, err)
	}
	cfg.Retry = cmp.Or(max(0, cfg.Retry), DefaultRetry)
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Changed == nil {
		cfg.Changed = func(Status) {}
	}
	if cfg.NewSessionID == nil {
		cfg.NewSessionID = newSessionID
	}
	s := &Sender{
		cfg: cfg, announce: announce, logger: cfg.Logger.With("group", cfg.Group), wake: make(chan struct{}, 1), ready: make(chan struct{}),
		inFlight: map[uint64]*accounting.Record{}, machine: machine{retry: cfg.Retry, changed: time.Now()},
	}
	s.status = s.statusNow()
	return s, nil
}

// String describes the task for logs.
func (s *Sender) String() string { return "acct-on-off " + s.cfg.Group }

// Ready is closed when Run sends what is requested.
func (s *Sender) Ready() <-chan struct{} { return s.ready }

// Status returns the present status. Until an On is answered, the group is blocked if the config
// says so.
func (s *Sender) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// On requests an Accounting-On, unless one was answered already. If one waits for its next round,
// that round begins now.
func (s *Sender) On(trigger Trigger) {
	// An On that was answered already is as good as a new one.
	_ = s.apply(event{kind: evOn, trigger: trigger, id: s.cfg.NewSessionID()})
}

// Continue continues where an earlier process ended, if nothing was requested yet: the servers know
// that accounting is on, and sessions live on. Nothing is sent, and nothing is blocked. Nobody knows
// the id of the earlier On, so an Off has a new one.
func (s *Sender) Continue() {
	s.continueFrom(event{trigger: TriggerRedundancy, id: s.cfg.NewSessionID(), state: On})
}

// TakeOver continues where another Sender is, if nothing was requested yet. It does nothing if that
// one is still sending its On, or has not begun: request an On then. An Off in flight counts as
// unanswered. Call it before Run.
func (s *Sender) TakeOver(st Status) {
	ev := event{trigger: st.Trigger, id: st.SessionID, server: st.Server, state: st.State}
	switch st.State {
	case Unknown, SendAcctOn:
		return
	case SendAcctOff:
		ev.state = OffNoResp
	}
	s.continueFrom(ev)
	s.mu.Lock()
	s.takenOver = s.status
	s.mu.Unlock()
}

// continueFrom applies an evContinue.
func (s *Sender) continueFrom(ev event) {
	ev.kind = evContinue
	_ = s.apply(ev) // never refused before Run ends
}

// Off requests an Accounting-Off and waits until it is answered. It returns nil after an answer,
// also after an earlier one; [accounting.ErrNoResponse] if no server answered; [ErrSuperseded] if
// an On replaced it; [accounting.ErrStopped] if Run has ended; or the error of ctx, and then the
// Off continues. If an Off is being sent, Off waits for that one. It ends the rounds of an On.
// cause is the Acct-Terminate-Cause; 0 means the trigger's. To send it at the end of the daemon,
// call Off before Run's context ends.
func (s *Sender) Off(ctx context.Context, trigger Trigger, cause uint32) error {
	id := s.cfg.NewSessionID()
	s.mu.Lock()
	err := s.advance(event{kind: evOff, trigger: trigger, cause: cause, id: id})
	wait := s.pendingOff
	s.mu.Unlock()
	if errors.Is(err, ErrAcknowledged) {
		return nil
	}
	if err != nil {
		return err
	}
	s.wakeRun()
	select {
	case <-wait.done:
		return wait.err
	case <-ctx.Done():
		return fmt.Errorf("onoff: group %s: Accounting-Off: %w", s.cfg.Group, ctx.Err())
	}
}

// Perform is S3's "tools perform aaa acct-on" and "acct-off": it requests an On, or else an Off,
// and does not wait for it. One that was answered is sent again only with force; otherwise the
// error is [ErrAcknowledged]. After the end of Run the error is [accounting.ErrStopped]. Without
// force, an On or Off that is being sent continues. A forced On begins a new On/Off sequence. cause
// is the Acct-Terminate-Cause of an Off, 1..4294967295; 0 means Admin-Reboot.
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

// apply applies an event and wakes Run.
func (s *Sender) apply(ev event) error {
	s.mu.Lock()
	err := s.advance(ev)
	s.mu.Unlock()
	s.wakeRun()
	return err
}

// advance applies an event. The caller holds the lock.
func (s *Sender) advance(ev event) error {
	if s.ended {
		return accounting.ErrStopped
	}
	m, effects := step(s.machine, ev, time.Now())
	s.machine = m
	s.mustSend = s.mustSend || effects.send
	if st := s.statusNow(); st != s.status {
		s.status = st
		if len(s.pendingChanges) == maxPendingChanges {
			s.pendingChanges = append(s.pendingChanges[:0], s.pendingChanges[1:]...)
		}
		s.pendingChanges = append(s.pendingChanges, st)
	}
	switch {
	case m.state == SendAcctOff && s.pendingOff == nil:
		s.pendingOff = &pendingOff{done: make(chan struct{})}
	case m.state == Off:
		s.finishOff(nil)
	case m.state == OffNoResp:
		s.finishOff(accounting.ErrNoResponse)
	case m.state != SendAcctOff:
		s.finishOff(ErrSuperseded)
	}
	return effects.err
}

func (s *Sender) finishOff(err error) {
	if s.pendingOff != nil {
		s.pendingOff.err = err
		close(s.pendingOff.done)
		s.pendingOff = nil
	}
}

// statusNow returns the status of the machine. The caller holds the lock.
func (s *Sender) statusNow() Status {
	m := &s.machine
	return Status{
		State: m.state, SessionID: m.sessionID, Changed: m.changed, Trigger: m.trigger,
		AcctOnOffGroup: s.cfg.AcctOnOffGroup, Server: m.server, Block: m.block(s.cfg.Blocks),
	}
}

func (s *Sender) wakeRun() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends what is requested until ctx is done, then returns nil. It is called once.
func (s *Sender) Run(ctx context.Context) error {
	defer s.end()
	close(s.ready)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		s.callChanged()
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
			_ = s.apply(event{kind: evElapsed}) // never refused
		}
	}
	return nil
}

// end ends an unanswered Off, with an error for its callers.
func (s *Sender) end() {
	s.mu.Lock()
	s.ended = true
	s.finishOff(accounting.ErrStopped)
	s.mu.Unlock()
	s.callChanged()
}

// callChanged calls Changed for all pending changes.
func (s *Sender) callChanged() {
	for {
		s.mu.Lock()
		changes, takenOver := s.pendingChanges, s.takenOver
		s.pendingChanges = nil
		s.mu.Unlock()
		if len(changes) == 0 {
			return
		}
		for _, st := range changes {
			if st != takenOver {
				s.log(st)
			}
			s.cfg.Changed(st)
		}
	}
}

// send announces the newest round, if it was not announced yet and no changes are pending. It
// returns when the next round begins; zero: no round is awaited.
func (s *Sender) send() (next time.Time) {
	s.mu.Lock()
	if !s.mustSend || len(s.pendingChanges) > 0 { // pending changes have woken Run too
		defer s.mu.Unlock()
		return s.machine.next
	}
	gen, rec := s.machine.gen, s.machine.record(s.cfg.Attributes)
	if rec.Type == sessions.On && s.hasOtherInFlight(rec) {
		defer s.mu.Unlock() // the end of the other round wakes Run
		return time.Time{}
	}
	s.mustSend = false
	s.inFlight[gen] = rec
	current := announcement{s.machine.state, s.machine.askedAt}
	st, first := s.status, s.logged != current
	s.logged = current
	s.mu.Unlock()
	if first { // not before: an On that waits for another round may never be sent
		s.with(st).Info("sending Accounting-On/Off", "operstate", st.Block.String())
	}
	s.announce(rec, func(server string, err error) { s.report(gen, server, err) })
	return time.Time{} // the end of this round wakes Run
}

// hasOtherInFlight reports whether another record than rec is in flight. The caller holds the lock.
func (s *Sender) hasOtherInFlight(rec *accounting.Record) bool {
	for _, other := range s.inFlight {
		if other.Attrs != rec.Attrs {
			return true
		}
	}
	return false
}

// report handles the end of a round.
func (s *Sender) report(gen uint64, server string, err error) {
	s.mu.Lock()
	delete(s.inFlight, gen)
	s.mu.Unlock()
	ev := event{gen: gen, server: server}
	switch {
	case err == nil:
		ev.kind = evAnswered
	case errors.Is(err, accounting.ErrNoResponse):
		ev.kind, ev.refused = evUnanswered, errors.Is(err, accounting.ErrNotAccepted)
	case errors.Is(err, accounting.ErrStopped):
		ev.kind = evStopped
	default:
		ev.kind = evFailed
		s.logger.Error("Accounting-On/Off cannot be sent", "err", err)
	}
	_ = s.apply(ev) // never refused
}

// log logs a new status, unless it only says that something is to be sent: send logs that.
func (s *Sender) log(st Status) {
	switch log := s.with(st); {
	case st.Trigger == TriggerRedundancy && st.State == On:
		log.Info("Accounting-On not sent: sessions go on over the restart")
	case st.State == On || st.State == Off:
		log.Info("Accounting-On/Off answered", "server", st.Server)
	case st.State == OffNoResp:
		log.Warn("no server answered the Accounting-Off")
	case st.NoResponse:
		log.Warn("no server answers the Accounting-On; it is repeated", "every", s.cfg.Retry, "operstate", st.Block.String())
	}
}

// with returns a logger that adds a status.
func (s *Sender) with(st Status) *slog.Logger {
	return s.logger.With("state", st.State.String(), "trigger", st.Trigger.String(), "session", st.SessionID)
}
