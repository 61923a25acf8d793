package sessions

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultRemember is how long a [Table] remembers an ended session by default.
const DefaultRemember = time.Hour

// Config has the settings of a [Table].
type Config struct {
	// Remember is how long an ended session is remembered, for its late packets; 0 means an hour.
	Remember time.Duration
	// RememberMax is how many ended sessions are remembered at most. If there are more, the oldest
	// are forgotten early. 0 means a million.
	RememberMax int
	// Now reads the host's clock, which may step; nil means time.Now.
	Now func() time.Time
	// Elapsed returns the time since a fixed moment, without steps. nil means Now's monotonic
	// reading.
	Elapsed func() time.Duration
	// Boot identifies the boot of the host, if it is known.
	Boot Boot
	// Max is how many rows the table may have; 0 means no limit. A start or interim that would make
	// one more is refused with ErrMax. More rows that Load finds stay.
	Max int
	// MemoryShort reports whether memory is too short for another row; such a start or interim is
	// refused with ErrMemory. It is called under the table's lock, so it must be quick. nil means
	// never.
	MemoryShort func() bool
	// Refused is called after each refusal with ErrMax or ErrMemory, from the goroutine of Apply; it
	// may be nil.
	Refused func(error)
	// Superseded is called after each start that has ended another session because of [Event.Unique],
	// from the goroutine of Apply; it may be nil.
	Superseded func(Supersession)
}

// Table is the live session table. It is safe for concurrent use.
type Table struct {
	journal Journal
	clock   clock
	limits  limits

	superseded func(Supersession) // Config.Superseded

	mu         sync.Mutex // guards decisions; never held over I/O
	rows       rows
	calls      calls
	groups     rows // live sessions of kind VRRS
	setups     setups
	nases      nases
	names      nameIndex
	remembered endedSessions
	closings   closings
	counters   Counters
	last       ID
	onEnd      func(ID) (durable func(cause uint32)) // see OnEnd
	// To call when the ends of the next commit are durable.
	endReports []func()
	// How many Disconnects of a marked session can still be undone.
	undoable     map[ID]int
	lastMark     Stamp // when Disconnect marked a session
	dirty        bool  // rows differ from view
	routes       routes
	nesting      nesting
	oneOffs      oneOffs
	links        *links
	numbers      numbers
	hearing      hearing
	unique       unique
	free         func(ID) bool // isFree, made once
	granted      lineIndex     // the live sessions with attributes of an Access-Accept
	admissions   Admissions    // nil if authentication does not go through us
	unrouted     []ID          // loaded without a route: Run stores them again
	lastCounters *Counters     // as of the newest commit
	spare        Change        // empty; see newChange

	durableCounters atomic.Pointer[Counters] // as of the newest durable commit
	view            atomic.Pointer[View]
	outdated        atomic.Bool // a batch has become durable since view was made
	batches         uint64      // that have become durable; owned by afterBatch
	ready           chan struct{}
}

// New returns an empty table that commits its changes to the journal.
func New(cfg Config, journal Journal) *Table {
	t := &Table{
		journal: journal, clock: newClock(&cfg),
		limits: limits{max: cfg.Max, memoryShort: cfg.MemoryShort, refused: cfg.Refused}, superseded: cfg.Superseded,
		names: newNameIndex(0), nases: newNASes(), undoable: map[ID]int{},
		remembered: endedSessions{
			keepFor: cmp.Or(cfg.Remember, DefaultRemember), max: cmp.Or(cfg.RememberMax, 1_000_000),
			byID: map[ID]endedSession{}, names: newNameIndex(0),
		},
		closings:     closings{wake: make(chan struct{}, 1)},
		rows:         rows{epoch: 1},
		setups:       setups{rows{epoch: 1}},
		groups:       rows{epoch: 1},
		calls:        calls{rows: rows{epoch: 1}, lines: lineIndex{}, users: lineIndex{}},
		routes:       newRoutes(),
		nesting:      newNesting(),
		numbers:      numbers{reserved: map[ID]struct{}{}},
		granted:      lineIndex{},
		links:        newLinks(),
		lastCounters: &Counters{},
		ready:        make(chan struct{}),
	}
	t.remembered.routes, t.free = &t.routes, t.isFree
	t.durableCounters.Store(t.lastCounters)
	t.view.Store(t.snapshot())
	journal.AfterBatch(t.afterBatch)
	return t
}

// Clock returns the time on the table's clock, which never steps. [Session.IdleTime] takes it.
func (t *Table) Clock() Stamp { return t.clock.now() }

// Date converts a time of a session to the host's clock.
func (t *Table) Date(at Stamp) time.Time { return t.clock.date(at) }

// Apply decides what an event does, and commits the result to the journal. After an error the event
// has changed nothing, and the NAS must not be answered. Otherwise done is called as
// [Journal.Commit] describes. If the error of done is nil, the NAS can be answered.
func (t *Table) Apply(ev Event, done func(error)) error {
	err := t.commitEvent(&ev, done)
	t.limits.report(err)
	t.reportSuperseded(&ev)
	return err
}

// commitEvent decides and commits under the table's lock. Apply reports the error afterwards, without
// the lock.
func (t *Table) commitEvent(ev *Event, done func(error)) error {
	ev.fromVRRS()
	switch ev.Type {
	case Start, Stop, Interim, Other:
		if ev.AcctSessionID == "" || ev.Kind < Network || ev.Kind > VRRS || ev.Kind == VRRS && !ev.isOfGroup() {
			return ErrEvent
		}
	case On, Off:
	default:
		return ErrEvent
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		t.hearing.Refused()
		return fmt.Errorf("sessions: %w", err)
	}
	ev.at, ev.now = t.clock.fromHost(ev.At)
	ev.heard = t.hearing.Now()
	c := t.newChange()
	switch ev.Type {
	case On, Off:
		t.closeNAS(&c, ev)
	case Other:
		t.recordOther(&c, ev)
	default:
		ev.fingerprint = fingerprintOf(ev)
		if err := t.apply(&c, ev); err != nil {
			if len(c.State) > 0 {
				t.commit(c, nil) // sessions that a closing has ended stay ended
			}
			return err
		}
	}
	t.commit(c, done)
	return nil
}

// apply decides an event of a session and makes the change.
func (t *Table) apply(c *Change, ev *Event) error {
	f := t.find(ev)
	for f.live != nil && t.closings.anyCovers(f.live) {
		// A closing has ended it; only Run has not come to it yet.
		t.end(c, f.live, nil, 0, CauseNASReboot)
		f = t.find(ev)
	}
	do, s := decide(&f, ev)
	if err := ev.permit(s); err != nil {
		return err
	}
	switch do {
	case duplicate:
		ev.tell(s, true)
	case begin, replace:
		return t.begin(c, do, s, ev)
	case update:
		typ, before := s.noticeType(ev), s.User()
		s = t.updateNAS(updated(s, ev), ev)
		t.put(c, s)
		attrs := s.recorded(typ, ev.Attrs)
		if typ == Interim && s.HasLink() {
			t.encodeInto(c, s) // the interface may have counted on since put, and the record has that
		}
		c.Notices = append(c.Notices, Notice{Type: typ, Session: s, Attrs: attrs, At: ev.At, Lasted: ev.lasted(s), SecondStart: typ != ev.Type, BringsUser: before == "" && s.User() != ""})
		ev.tell(s, false)
	case finish:
		c.Patient = t.isBetweenMarks(s)
		ev.tell(t.end(c, s, ev, 0, 0), false)
	case recordLate:
		t.recordLate(c, s, ev)
	case revive:
		if err := t.limits.admit(t.rowsOf(ev.Kind).n); err != nil {
			return err
		}
		t.releaseStops(c, s.ID) // before what shows that they were not the last ones
		s = t.updateNAS(revived(s, ev), ev)
		t.put(c, s)
		t.forget(s.ID) // after put, or its NAS nodes would be released
		t.markHighWater()
		c.Notices = append(c.Notices, Notice{Type: ev.Type, Session: s, Attrs: s.recorded(ev.Type, ev.Attrs), At: ev.At, Lasted: ev.lasted(s)})
		ev.tell(s, false)
	}
	return nil
}

// begin makes the session that an event begins. A live session that it replaces ends first.
func (t *Table) begin(c *Change, do step, replaced *Session, ev *Event) error {
	old := t.supersededBy(ev, replaced)
	for _, o := range old {
		if err := ev.permit(o.Session); err != nil {
			return err
		}
	}
	if do == begin && ev.Type != Stop && len(old) == 0 {
		if err := t.limits.admit(t.rowsOf(ev.Kind).n); err != nil {
			return err
		}
	}
	id, err := t.nextID()
	if err != nil {
		return err
	}
	for _, o := range old {
		t.end(c, o.Session, nil, 0, CauseLostCarrier)
	}
	if do == replace {
		t.end(c, replaced, nil, 0, CauseLostCarrier)
	}
	node := t.nases.nodeOf(ev.NAS)
	s := newSession(id, &node.NAS, ev)
	s.node = node
	if t.admit(s, ev); s.ID == id {
		t.last = id
	}
	ev.supersedes(old, s.ID)
	s.Route = t.routes.findOrAdd(t.journal.Route(s))
	t.nest(s, ev)
	if !t.withdraw(s.ID) && ev.Kind.isRow() { // else it has been counted
		t.counters.Total++
	}
	t.join(c, s, ev)
	if ev.Type == Stop {
		ev.tell(t.end(c, s, ev, 0, 0), false)
		return nil
	}
	t.put(c, s)
	t.markHighWater()
	ev.tell(s, false)
	c.Notices = append(c.Notices, Notice{Type: ev.Type, Session: s, Attrs: ev.Attrs, At: ev.At})
	return nil
}

// recordLate records an event of an ended session, which stays ended.
func (t *Table) recordLate(c *Change, s *Session, ev *Event) {
	cause := uint32(0)
	if ev.Type == Stop && !s.Acked().IsZero() {
		cause = CauseAdminReset
	}
	after := updated(s, ev)
	after.Stopped = s.Stopped || ev.Type == Stop
	after.LastEvent, after.LastTraffic = s.LastEvent, s.LastTraffic // the time of the end stays
	t.remember(c, t.updateNAS(after, ev), ev.AcctSessionID)
	ev.tell(after, false)
	typ := s.noticeType(ev)
	n := Notice{Type: typ, Session: after, Attrs: ev.Attrs, At: ev.At, Cause: cause, AfterEnd: true, SecondStart: typ != ev.Type}
	if n.Type == Stop {
		t.recordStop(c, n)
	} else {
		c.Notices = append(c.Notices, n)
	}
}

// recordOther records an event of another type. The record has the number of the live session with
// its Acct-Session-Id, or else the NAS's own id (R27).
func (t *Table) recordOther(c *Change, ev *Event) {
	f := t.find(ev)
	s := f.live
	if s == nil {
		nas := ev.NAS
		s = newSession(0, &nas, ev)
		if len(f.ended) > 0 {
			best := f.ended[0]
			for _, o := range f.ended[1:] {
				if o.better(best.rank) {
					best = o
				}
			}
			s.Route = best.Route
		}
	}
	c.Notices = append(c.Notices, Notice{Type: Other, Session: s, Attrs: ev.Attrs, At: ev.At})
}

// nextID returns the next free id after the last one.
func (t *Table) nextID() (ID, error) {
	if uint64(t.rows.n)+uint64(t.calls.n)+uint64(t.groups.n)+uint64(len(t.numbers.reserved)) >= 1<<32-1 {
		return 0, ErrFull
	}
	for id := t.last + 1; ; id++ {
		if t.isFree(id) {
			return id, nil
		}
	}
}

// isFree reports whether a number may be given to a session.
func (t *Table) isFree(id ID) bool {
	_, remembered := t.remembered.byID[id]
	_, reserved := t.numbers.reserved[id]
	return id != 0 && !remembered && !reserved && t.live(id) == nil && !t.nesting.needs(id)
}

// put makes s the present state of its session.
func (t *Table) put(c *Change, s *Session) {
	rows := t.rowsOf(s.Kind)
	was := rows.get(s.ID)
	if was == nil && s.Route != nil {
		s.Route.live++
	}
	t.updateIndex(was, s)
	t.updateLines(was, s)
	others := t.updateIndexes(was, s)
	rows.put(s)
	t.encodeInto(c, s)
	for _, id := range others {
		t.encodeInto(c, t.live(id))
	}
}

// removeRow removes a live session from the table. Its nodes stay: the ended session needs them.
func (t *Table) removeRow(s *Session) {
	for _, n := range s.nodes() {
		t.unregister(n, s)
	}
	if s.node.reportsCalls && s.Kind != VRRS {
		t.linesOf(s.Kind).remove(s)
	}
	t.updateIndexes(s, nil)
	t.rowsOf(s.Kind).remove(s.ID)
	if s.Route != nil {
		s.Route.live--
	}
	delete(t.undoable, s.ID)
}

// end ends a session, with the NAS's stop or, if ev is nil, with our own. Ours has the time of the
// session's newest record, or notBefore if that is later. If an operator asked for the end, and the
// NAS has sent an ACK or we make the stop, the cause is Admin-Reset (R5). It returns the session after
// its end.
func (t *Table) end(c *Change, s *Session, ev *Event, notBefore Stamp, cause uint32) *Session {
	n := Notice{Type: Stop, Cause: cause}
	before := s.nodes()
	after := ended(s, ev, notBefore, t.clock.now())
	if s.State == Terminating && (ev == nil || !s.Acked().IsZero()) {
		n.Cause = CauseAdminReset
		after.setAcked(cmp.Or(s.Acked(), after.LastEvent))
	}
	after.NASRestarted = cause == CauseNASReboot
	isLive := t.live(s.ID) != nil
	if isLive {
		t.removeRow(s)
	}
	if ev != nil {
		n.Attrs, n.At, n.Lasted = ev.Attrs, ev.At, ev.lasted(after)
		if s.HasLink() {
			n.Attrs = replaceUsage(ev.Attrs, &after.Usage, after.Counted)
		}
		t.updateNAS(after, ev)
	} else {
		n.At, n.Lasted = t.clock.date(after.toldUntil()), max(0, after.toldUntil().Sub(after.Started))
	}
	if isLive {
		t.reportEnd(s, &n)
	}
	n.Session = after
	t.remember(c, after, after.AcctSessionID())
	t.release(before)
	t.recordStop(c, n)
	return after
}

func (t *Table) release(nodes []*nasNode) {
	for _, n := range nodes {
		t.nases.release(n)
	}
}

// remember keeps an ended session, and replaces what was remembered of it.
func (t *Table) remember(c *Change, s *Session, sid string) {
	data := appendEnded(make([]byte, 0, maxEnded+64), s)
	before := t.remembered.byID[s.ID].nodes
	t.remembered.add(s, sid, string(data))
	t.release(before)
	if id := t.remembered.surplus(s, sid); id != 0 {
		t.forget(id)
		c.State = append(c.State, Put{Key: sessionKey(id)})
	}
	c.State = append(c.State, Put{Key: sessionKey(s.ID), Value: data})
}

// forget removes a session from the remembered ones.
func (t *Table) forget(id ID) { t.release(t.remembered.remove(id)) }

// whenDurable returns the done of a commit. Before it calls the caller's, it shows the counters to
// readers and notes which routes and numbers are durable. Most commits change none of them.
func (t *Table) whenDurable(routes []*Route, done func(error)) func(error) {
	if *t.lastCounters != t.counters {
		counters := t.counters
		t.lastCounters = &counters
	}
	counters, numbers := t.lastCounters, t.numbers.until
	if len(routes) == 0 && t.durableCounters.Load() == counters && ID(t.numbers.durable.Load()) == numbers {
		return done
	}
	return func(err error) {
		if err == nil {
			t.durableCounters.Store(counters)
			t.numbers.durable.Store(uint32(numbers))
			for _, r := range routes {
				r.stored.Store(true)
			}
		}
		if done != nil {
			done(err)
		}
	}
}
