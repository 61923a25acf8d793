package sessions

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a [Table] needs to know.
type Config struct {
	// Remember is how long a session that is over is remembered, to tell what its NAS still says of it; 0 means an hour.
	Remember time.Duration
	// RememberMax is how many of them at most; beyond, the oldest are forgotten earlier. 0 means a million.
	RememberMax int
	// Now is the host's clock, which may step; nil means time.Now.
	Now func() time.Time
	// Elapsed is the time since some moment, which no step of Now touches; nil means the monotonic reading of Now.
	Elapsed func() time.Duration
	// Boot is the boot of the host, if that is known.
	Boot Boot
}

// Table is the live session table. All methods may be called by any number of goroutines.
type Table struct {
	journal Journal
	clock   clock

	mu       sync.Mutex // for decisions only: never held over I/O
	rows     rows
	nases    nases
	names    names
	endings  endings
	closings closings
	counters Counters
	last     ID
	onEnd    func(ID) (durable func(cause uint32)) // see whenEnded
	ended    []func()                              // what to call when the end of rows is durable that the next commit has
	claims   map[ID]int                            // how many Disconnects that can still be undone have marked a session, or met it marked
	dirty    bool                                  // rows differ from the published view
	routes   routes
	old      []ID      // sessions of a store from before routes, to be written anew
	decided  *Counters // counters as of the newest commit

	durable atomic.Pointer[Counters] // as of the newest durable commit
	view    atomic.Pointer[View]
	ready   chan struct{}
}

// New makes an empty table whose changes go to the journal.
func New(cfg Config, journal Journal) *Table {
	t := &Table{
		journal: journal, clock: newClock(&cfg),
		names: newNames(0), nases: newNASes(), claims: map[ID]int{},
		endings: endings{
			keep: cmp.Or(cfg.Remember, time.Hour), max: cmp.Or(cfg.RememberMax, 1_000_000),
			byID: map[ID]ending{}, names: newNames(0),
		},
		closings: closings{wake: make(chan struct{}, 1)},
		rows:     rows{epoch: 1},
		routes:   newRoutes(),
		decided:  &Counters{},
		ready:    make(chan struct{}),
	}
	t.endings.routes = &t.routes
	t.durable.Store(t.decided)
	t.view.Store(t.freeze())
	journal.AfterBatch(t.publish)
	return t
}

// View is the table as last published. Its counters are those of the newest durable commit, so no kill lets what a
// reader has seen fall. Its rows are those that were decided when the newest durable batch of commits had been written.
// So it has all that is durable, and its rows may be ahead of the disk, and of the counters, by the
// decisions whose commits are in the batches after that one. A kill before they are written loses
// them, and a reader may have seen them; but no NAS was answered for them, so it
// sends them again, and no SET or command was either.
func (t *Table) View() *View {
	for {
		v, counters := t.view.Load(), t.durable.Load()
		if v.counted == counters {
			return v
		}
		next := &View{Counters: *counters, counted: counters, root: v.root, n: v.n}
		if t.view.CompareAndSwap(v, next) {
			return next
		}
	}
}

// Clock is the time now on the table's clock, which no step of the host's touches: what [Session.IdleTime] wants.
func (t *Table) Clock() time.Duration { return t.clock.now() }

// Date is the moment by the host's clock of a time of a session.
func (t *Table) Date(at time.Duration) time.Time { return t.clock.date(at) }

// now is the host's clock.
func (t *Table) now() time.Time { return t.clock.wall() }

// publish makes what has been decided visible. It runs once for a batch of commits.
func (t *Table) publish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dirty {
		t.dirty = false
		t.view.Store(t.freeze())
	}
}

// freeze is a view of the rows as they are now.
func (t *Table) freeze() *View {
	counters := t.durable.Load()
	return &View{Counters: *counters, counted: counters, root: t.rows.freeze(), n: t.rows.n}
}

// Apply decides an event and hands it to the journal. An error means that nothing was done and the
// NAS is not to be answered. Otherwise done is called as [Journal.Commit] has it: with nil, the NAS
// can be answered.
func (t *Table) Apply(ev Event, done func(error)) error {
	switch ev.Type {
	case Start, Stop, Interim, Other:
		if ev.AcctSessionID == "" {
			return ErrEvent
		}
	case On, Off:
	default:
		return ErrEvent
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	ev.at, ev.now = t.clock.of(ev.At)
	c := Change{State: make([]Put, 0, 3), Notices: make([]Notice, 0, 1)}
	switch ev.Type {
	case On, Off:
		t.closeNAS(&c, &ev)
	case Other:
		t.passOn(&c, &ev)
	default:
		ev.print = printOf(&ev)
		if err := t.apply(&c, &ev); err != nil {
			if len(c.State) > 0 {
				t.commit(c, nil) // what a closing has ended stays ended
			}
			return err
		}
	}
	t.commit(c, done)
	return nil
}

// apply decides an event of a session and carries it out.
func (t *Table) apply(c *Change, ev *Event) error {
	f := t.find(ev)
	for f.live != nil && t.closings.cover(f.live) {
		// It ended before, only its turn has not come.
		t.end(c, f.live, nil, f.live.Heard, CauseNASReboot)
		f = t.find(ev)
	}
	do, s := decide(&f, ev)
	switch do {
	case begin, replace:
		return t.begin(c, do, s, ev)
	case update:
		typ := s.noticeOf(ev)
		s = t.moved(updated(s, ev), ev)
		t.put(c, s)
		c.Notices = append(c.Notices, Notice{Type: typ, Session: s, Attrs: ev.Attrs, At: ev.At})
	case finish:
		t.end(c, s, ev, ev.at, 0)
	case note:
		t.note(c, s, ev)
	case revive:
		s = t.moved(revived(s, ev), ev)
		t.put(c, s)
		t.forget(s.ID) // after it has its NASes, which would be gone else
		t.counters.HighWater = max(t.counters.HighWater, uint32(t.rows.n))
		c.Notices = append(c.Notices, Notice{Type: ev.Type, Session: s, Attrs: ev.Attrs, At: ev.At})
	}
	return nil
}

// begin makes the session of an event that begins one; before it, the one whose name it takes ends.
func (t *Table) begin(c *Change, do step, replaced *Session, ev *Event) error {
	id, err := t.nextID()
	if err != nil {
		return err
	}
	if do == replace {
		t.end(c, replaced, nil, replaced.Heard, CauseLostCarrier)
	}
	node := t.nases.share(ev.NAS)
	s := begun(id, &node.NAS, ev)
	s.node = node
	s.Route = t.routes.of(t.journal.Route(s))
	t.last = id
	t.counters.Total++
	if ev.Type == Stop {
		t.end(c, s, ev, ev.at, 0)
		return nil
	}
	t.put(c, s)
	t.counters.HighWater = max(t.counters.HighWater, uint32(t.rows.n))
	c.Notices = append(c.Notices, Notice{Type: ev.Type, Session: s, Attrs: ev.Attrs, At: ev.At})
	return nil
}

// moved gives a session the NAS value that an event has told: the identifiers that the event has not stay.
func (t *Table) moved(s *Session, ev *Event) *Session {
	is := s.node.with(&ev.NAS)
	if is == s.node.NAS {
		return s
	}
	node := t.nases.share(is)
	former := make([]*nasNode, 0, len(s.former)+1)
	for _, n := range append(s.former[:len(s.former):len(s.former)], s.node) {
		if n != node {
			former = append(former, n)
		}
	}
	s.former = former[max(0, len(former)-maxFormer):]
	s.node, s.NAS = node, &node.NAS
	return s
}

// maxFormer is how many NAS values that its packets have had before are kept with a session.
const maxFormer = 7

// note records what is said of a session that is over, and stays so.
func (t *Table) note(c *Change, s *Session, ev *Event) {
	cause := uint32(0)
	if ev.Type == Stop && s.Acked != 0 {
		cause = CauseAdminReset
	}
	over := updated(s, ev)
	over.Stopped = s.Stopped || ev.Type == Stop
	over.Heard, over.Data = s.Heard, s.Data // when it ended
	t.remember(c, t.moved(over, ev), ev.AcctSessionID)
	c.Notices = append(c.Notices, Notice{Type: s.noticeOf(ev), Session: over, Attrs: ev.Attrs, At: ev.At, Cause: cause})
}

// passOn records an event of another type: by the number of the live session that has its Acct-Session-Id, or by the
// NAS's own (R27).
func (t *Table) passOn(c *Change, ev *Event) {
	f := t.find(ev)
	s := f.live
	if s == nil {
		nas := ev.NAS
		s = begun(0, &nas, ev)
		if len(f.over) > 0 {
			best := f.over[0]
			for _, o := range f.over[1:] {
				if o.better(best.rank) {
					best = o
				}
			}
			s.Route = best.Route
		}
	}
	c.Notices = append(c.Notices, Notice{Type: Other, Session: s, Attrs: ev.Attrs, At: ev.At})
}

// nextID finds the next free number behind the last one.
func (t *Table) nextID() (ID, error) {
	if uint64(t.rows.n) >= 1<<32-1 {
		return 0, ErrFull
	}
	for id := t.last + 1; ; id++ {
		if _, over := t.endings.byID[id]; id != 0 && !over && t.rows.get(id) == nil {
			return id, nil
		}
	}
}

// nodes is all NAS values that a session has had, the present one first.
func (s *Session) nodes() []*nasNode { return append([]*nasNode{s.node}, s.former...) }

// join adds a session to those of a NAS.
func (t *Table) join(n *nasNode, s *Session) {
	if len(n.ids) > 2*n.live+16 {
		n.ids = slices.DeleteFunc(n.ids, func(id ID) bool { return !t.isAt(id, n) })
		slices.Sort(n.ids)
		n.ids = slices.Compact(n.ids)
	}
	n.live++
	n.ids = append(n.ids, s.ID)
	t.names.add(n, hashOf(s.AcctSessionID), s.ID)
}

// leave undoes join; a later join tidies up.
func (t *Table) leave(n *nasNode, s *Session) {
	t.names.drop(n, hashOf(s.AcctSessionID), s.ID)
	if n.live--; n.live == 0 {
		n.ids = nil
	}
}

// isAt reports whether a live session is registered at a node.
func (t *Table) isAt(id ID, n *nasNode) bool {
	s := t.rows.get(id)
	return s != nil && (s.node == n || slices.Contains(s.former, n))
}

// put makes s the present state of its session.
func (t *Table) put(c *Change, s *Session) {
	was := t.rows.get(s.ID)
	if was == nil && s.Route != nil {
		s.Route.live++
	}
	t.index(was, s)
	t.rows.put(s)
	c.State = append(c.State, Put{Key: sessionKey(s.ID), Value: s.encode()})
}

// index has a session found by its name, and among those of its NASes, as it is now; was is how it was before, nil if it is new.
func (t *Table) index(was, s *Session) {
	var before []*nasNode
	switch {
	case was == nil:
	case was.node == s.node:
		return
	default:
		before = was.nodes()
	}
	now := s.nodes()
	for _, n := range now {
		if !slices.Contains(before, n) {
			t.join(n, s)
		}
	}
	for _, n := range before {
		if !slices.Contains(now, n) {
			t.leave(n, s)
			t.nases.release(n)
		}
	}
}

// drop takes a session out of the table. Its nodes stay, for its ending.
func (t *Table) drop(s *Session) {
	for _, n := range s.nodes() {
		t.leave(n, s)
	}
	t.rows.remove(s.ID)
	if s.Route != nil {
		s.Route.live--
	}
	delete(t.claims, s.ID)
}

// end makes a session over: with its NAS's stop, or (ev nil) with one of our own. What the operator asked for is the cause
// of the end if the NAS has agreed, or if we make the stop (R5).
func (t *Table) end(c *Change, s *Session, ev *Event, at time.Duration, cause uint32) {
	now := t.clock.now()
	n := Notice{Type: Stop, At: t.clock.date(at), Cause: cause}
	before := s.nodes()
	over := finished(s, ev, at, now)
	if s.State == Terminating && (ev == nil || s.Acked != 0) {
		n.Cause, over.Acked = CauseAdminReset, cmp.Or(s.Acked, at)
	}
	over.Restarted = cause == CauseNASReboot
	live := t.rows.get(s.ID) != nil
	if live {
		t.drop(s)
	}
	if ev != nil {
		n.Attrs, n.At = ev.Attrs, ev.At
		t.moved(over, ev)
	} else {
		n.Lasted = max(0, at-over.Started)
	}
	if live {
		t.tellEnd(s, &n)
	}
	n.Session = over
	t.remember(c, over, over.AcctSessionID)
	t.release(before)
	c.Notices = append(c.Notices, n)
}

func (t *Table) release(nodes []*nasNode) {
	for _, n := range nodes {
		t.nases.release(n)
	}
}

// remember keeps a session that is over, in place of what was remembered of it.
func (t *Table) remember(c *Change, s *Session, sid string) {
	data := appendEnded(make([]byte, 0, maxEnded+64), s)
	before := t.endings.byID[s.ID].nodes
	t.endings.add(s, sid, string(data))
	t.release(before)
	if id := t.endings.surplus(s, sid); id != 0 {
		t.forget(id)
		c.State = append(c.State, Put{Key: sessionKey(id)})
	}
	c.State = append(c.State, Put{Key: sessionKey(s.ID), Value: data})
}

// forget no longer remembers a session.
func (t *Table) forget(id ID) { t.release(t.endings.remove(id)) }

// commit hands a change to the journal, with the counters and a few of the sessions that need no
// longer be remembered.
func (t *Table) commit(c Change, done func(error)) {
	if len(c.State) > 0 {
		t.dirty = true
		for range max(4, len(c.State)) {
			id := t.endings.expired(t.clock.now())
			if id == 0 {
				break
			}
			t.forget(id)
			c.State = append(c.State, Put{Key: sessionKey(id)})
		}
		c.State = append(c.State, Put{Key: countersKey, Value: appendCounters(make([]byte, 0, 64), t.last, t.counters, t.clock.anchor())})
		done = t.whenGone(done)
		done = t.whenDurable(t.routes.save(&c), done)
	}
	t.journal.Commit(c, done)
}

// whenDurable is the done of a commit: before the caller's, it shows the counters of the commit to readers and notes which
// routes have become durable. Most commits change neither.
func (t *Table) whenDurable(routes []*Route, done func(error)) func(error) {
	if *t.decided != t.counters {
		counters := t.counters
		t.decided = &counters
	}
	counters := t.decided
	if len(routes) == 0 && t.durable.Load() == counters {
		return done
	}
	return func(err error) {
		if err == nil {
			t.durable.Store(counters)
			for _, r := range routes {
				r.stored.Store(true)
			}
		}
		if done != nil {
			done(err)
		}
	}
}
