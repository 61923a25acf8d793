package accounting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"aaasess/sessions"
)

// Announcer sends Accounting-On and -Off to the servers of a group.
type Announcer interface {
	// Announce sends a record to one server after the other, in the order of the group's access
	// algorithm, to each with its normal retransmissions and no back-off, until one answers. It returns
	// at once. done must be called once, from any goroutine: with the name of the server that
	// answered and nil, with [ErrNoResponse] when all had their chance, with [ErrStopped] when the
	// group was stopped before, or with what makes it impossible. It may be called before Announce returns.
	Announce(rec *Record, done func(server string, err error))
}

// DefaultOnOffRetry is the wait between two rounds of an Accounting-On: "a fixed one minute" (S3).
const DefaultOnOffRetry = time.Minute

// maxUntold is how many statuses at most wait to be told by OnOffConfig.Changed.
const maxUntold = 64

// OnOffConfig is how Accounting-On/Off is sent for a server group.
type OnOffConfig struct {
	// Group is the name of the server group, for the log.
	Group string
	// AcctOnOffGroup is the name of the acct-on-off-group that the server group controls, or "".
	AcctOnOffGroup string
	// Blocks is S3's oper-state-change: no record may be sent until an Accounting-On was answered.
	Blocks bool
	// Attributes say who we are: NAS-Identifier, NAS-IP-Address or NAS-IPv6-Address, at least one
	// (RFC 2866 section 4.1), and what servers want to see besides.
	Attributes sessions.Attributes
	// Retry is the wait from the end of a round of the Accounting-On, or of one that was broken off,
	// to the next one; 0 means DefaultOnOffRetry.
	Retry time.Duration
	// Logger; nil means none.
	Logger *slog.Logger
	// Changed is told every status that is not equal to the one before, by Run, in order, with no lock
	// held, and before the On or Off that it announces is sent: so records can be held in time. It must
	// return soon. If it does not, and more than 64 wait, the oldest are left out. nil means nobody.
	Changed func(OnOffStatus)
	// NewSessionID makes an Acct-Session-Id that was never used, 1 to 253 octets. It is called for each
	// On and Off that is asked for, from any goroutine; not every one is used. nil means 22 hex
	// digits as in S3, random and the time.
	NewSessionID func() string
}

// OnOff sends the Accounting-On and -Off of a server group (R63, S3): On, in rounds that begin a
// minute after nobody answered the one before, until a server answers; Off once. What is asked for
// before Run is sent by Run. The methods may be called from any goroutine.
//
// An On waits for the end of a round that it supersedes: else a server could get the last
// retransmission of an Off after the On, and close the sessions that have begun since. An Off does
// not wait, since who sends it is about to end.
type OnOff struct {
	cfg    OnOffConfig
	logger *slog.Logger
	wake   chan struct{} // to Run, coalesced

	mu        sync.Mutex // never held over a call of what is not ours
	announcer Announcer
	machine   onOff
	unsent    bool               // the newest round is yet to be handed to the announcer
	underWay  map[uint64]*Record // by round: what announcers have not reported of; mostly one
	status    OnOffStatus
	untold    []OnOffStatus // at most maxUntold
	off       *offWait      // the Off that is being sent
	over      bool          // Run has ended
}

// offWait is what those wait for who asked for an Off.
type offWait struct {
	done chan struct{} // closed when it is over
	err  error         // how; set before
}

// NewOnOff makes an OnOff for the servers of an Announcer, which must not be nil. Nothing is sent
// until it is asked for. An error wraps [ErrOnOff].
func NewOnOff(cfg OnOffConfig, a Announcer) (*OnOff, error) {
	if err := checkIdentity(cfg.Attributes); err != nil {
		return nil, fmt.Errorf("group %s: %w", cfg.Group, err)
	}
	if cfg.Retry <= 0 {
		cfg.Retry = DefaultOnOffRetry
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Changed == nil {
		cfg.Changed = func(OnOffStatus) {}
	}
	if cfg.NewSessionID == nil {
		cfg.NewSessionID = newSessionID
	}
	o := &OnOff{
		cfg: cfg, logger: cfg.Logger.With("group", cfg.Group), wake: make(chan struct{}, 1),
		announcer: a, underWay: map[uint64]*Record{}, machine: onOff{retry: cfg.Retry, changed: time.Now()},
	}
	o.status = o.statusNow()
	return o, nil
}

// String says what Run does, for logs.
func (o *OnOff) String() string { return "acct-on-off " + o.cfg.Group }

// Status is the status now. Until an On is answered it is blocked, if the config says so.
func (o *OnOff) Status() OnOffStatus {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.status
}

// On has an Accounting-On sent, unless one was answered. If one is waiting for its next round, that
// begins now.
func (o *OnOff) On(trigger Trigger) {
	// That it was answered is as good as sending it.
	_ = o.apply(onOffEvent{kind: evOn, trigger: trigger, id: o.cfg.NewSessionID()})
}

// Off has an Accounting-Off sent and waits until it is answered, which is nil; nobody answered:
// [ErrNoResponse]; an On took its place: [ErrSuperseded]; Run has ended: [ErrStopped]; or ctx is
// done: its error, and the Off goes on. If one was answered before, that is nil at once; if one is
// being sent, it is waited for. It ends the rounds of an On. cause is its Acct-Terminate-Cause; 0
// means the trigger's. To have it sent at the end of the daemon, call Off before Run's context ends.
func (o *OnOff) Off(ctx context.Context, trigger Trigger, cause uint32) error {
	id := o.cfg.NewSessionID()
	o.mu.Lock()
	err := o.advance(onOffEvent{kind: evOff, trigger: trigger, cause: cause, id: id})
	wait := o.off
	o.mu.Unlock()
	if errors.Is(err, ErrAcknowledged) {
		return nil
	}
	if err != nil {
		return err
	}
	o.poke()
	select {
	case <-wait.done:
		return wait.err
	case <-ctx.Done():
		return fmt.Errorf("accounting: group %s: Accounting-Off: %w", o.cfg.Group, ctx.Err())
	}
}

// Perform is S3's "tools perform aaa acct-on" and "acct-off": it has an On, or else an Off, sent, and
// does not wait for it. What was answered is sent again only with force, else the error is
// [ErrAcknowledged]; after the end of Run it is [ErrStopped]. Without force, what is being sent goes
// on. A forced On begins a new On/Off sequence. cause is the Acct-Terminate-Cause of an Off,
// 1..4294967295; 0 means Admin-Reboot.
func (o *OnOff) Perform(on, force bool, cause uint32) error {
	ev := onOffEvent{trigger: TriggerPerform, cause: cause, id: o.cfg.NewSessionID()}
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
	return o.apply(ev)
}

// SetAnnouncer replaces the servers. An On or Off that is being sent, or an On that waits for its next
// round, is sent to the new ones at once; what the old ones say of it does not count. An On that was
// answered stays so.
func (o *OnOff) SetAnnouncer(a Announcer) {
	o.mu.Lock()
	o.announcer = a
	_ = o.advance(onOffEvent{kind: evRenewed}) // it is never refused
	o.mu.Unlock()
	o.poke()
}

// apply lets an event happen.
func (o *OnOff) apply(ev onOffEvent) error {
	o.mu.Lock()
	err := o.advance(ev)
	o.mu.Unlock()
	o.poke()
	return err
}

// advance is apply with the lock held, and without telling Run.
func (o *OnOff) advance(ev onOffEvent) error {
	if o.over {
		return ErrStopped
	}
	m, effects := stepOnOff(o.machine, ev, time.Now())
	o.machine = m
	o.unsent = o.unsent || effects.send
	if s := o.statusNow(); s != o.status {
		o.status = s
		if len(o.untold) == maxUntold {
			o.untold = append(o.untold[:0], o.untold[1:]...)
		}
		o.untold = append(o.untold, s)
	}
	switch {
	case m.state == SendAcctOff && o.off == nil:
		o.off = &offWait{done: make(chan struct{})}
	case m.state == AcctOff:
		o.offEnds(nil)
	case m.state == OffNoResp:
		o.offEnds(ErrNoResponse)
	case m.state != SendAcctOff:
		o.offEnds(ErrSuperseded)
	}
	return effects.err
}

func (o *OnOff) offEnds(err error) {
	if o.off != nil {
		o.off.err = err
		close(o.off.done)
		o.off = nil
	}
}

// statusNow is the status of the machine, with the lock held.
func (o *OnOff) statusNow() OnOffStatus {
	m := &o.machine
	return OnOffStatus{
		State: m.state, SessionID: m.sessionID, Changed: m.changed, Trigger: m.trigger,
		AcctOnOffGroup: o.cfg.AcctOnOffGroup, Server: m.server, Block: m.block(o.cfg.Blocks),
	}
}

func (o *OnOff) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Run sends what is asked for until ctx is done; it returns nil. It is called once.
func (o *OnOff) Run(ctx context.Context) error {
	defer o.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		o.tell()
		next := o.send()
		var due <-chan time.Time
		if !next.IsZero() {
			timer.Reset(time.Until(next))
			due = timer.C
		}
		select {
		case <-ctx.Done():
		case <-o.wake:
		case <-due:
			_ = o.apply(onOffEvent{kind: evElapsed}) // it is never refused
		}
	}
	return nil
}

// end gives up what is not answered. Whoever asked for it is told.
func (o *OnOff) end() {
	o.mu.Lock()
	o.over = true
	o.offEnds(ErrStopped)
	o.mu.Unlock()
	o.tell()
}

// tell calls Changed for what it does not know yet.
func (o *OnOff) tell() {
	for {
		o.mu.Lock()
		untold := o.untold
		o.untold = nil
		o.mu.Unlock()
		if len(untold) == 0 {
			return
		}
		for _, s := range untold {
			o.log(s)
			o.cfg.Changed(s)
		}
	}
}

// send hands the newest round to the announcer, if that is yet to be done and all that came before
// is told. It returns when the next round begins, zero: none is awaited.
func (o *OnOff) send() (next time.Time) {
	o.mu.Lock()
	if !o.unsent || len(o.untold) > 0 { // then there is a wake, too
		defer o.mu.Unlock()
		return o.machine.next
	}
	a, gen, rec := o.announcer, o.machine.gen, o.machine.record(o.cfg.Attributes)
	if rec.Type == AccountingOn && o.supersedes(rec) {
		defer o.mu.Unlock() // the end of the other one wakes
		return time.Time{}
	}
	o.unsent = false
	o.underWay[gen] = rec
	o.mu.Unlock()
	a.Announce(rec, func(server string, err error) { o.report(gen, server, err) })
	return time.Time{} // if it is over already there is a wake
}

// supersedes reports whether something else than rec is under way. The same, handed to servers that
// were replaced since, does not matter. The lock is held.
func (o *OnOff) supersedes(rec *Record) bool {
	for _, other := range o.underWay {
		if other.Attrs != rec.Attrs {
			return true
		}
	}
	return false
}

// report is how a round ended.
func (o *OnOff) report(gen uint64, server string, err error) {
	o.mu.Lock()
	delete(o.underWay, gen)
	o.mu.Unlock()
	ev := onOffEvent{gen: gen, server: server}
	switch {
	case err == nil:
		ev.kind = evAnswered
	case errors.Is(err, ErrNoResponse):
		ev.kind = evUnanswered
	case errors.Is(err, ErrStopped):
		ev.kind = evStopped
	default:
		ev.kind = evFailed
		o.logger.Error("Accounting-On/Off cannot be sent", "err", err)
	}
	_ = o.apply(ev) // it is never refused
}

// log says what an operator wants to know of a new status.
func (o *OnOff) log(s OnOffStatus) {
	log := o.logger.With("state", s.State.String(), "trigger", s.Trigger.String(), "session", s.SessionID)
	switch {
	case s.State == AcctOn || s.State == AcctOff:
		log.Info("Accounting-On/Off answered", "server", s.Server)
	case s.State == OffNoResp:
		log.Warn("nobody answered the Accounting-Off")
	case s.NoResponse:
		log.Warn("nobody answers the Accounting-On, it is repeated", "every", o.cfg.Retry, "operstate", s.Block.String())
	default:
		log.Info("sending Accounting-On/Off", "operstate", s.Block.String())
	}
}
