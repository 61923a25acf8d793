package sessions

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a [Table] needs to know.
type Config struct {
	// Remember is how long a session that is over is remembered, to tell copies of its packets; 0 means an hour.
	Remember time.Duration
	// RememberMax is how many of them at most; beyond, the oldest are forgotten earlier. 0 means a million.
	RememberMax int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Table is the live session table. All methods may be called by any number of goroutines.
type Table struct {
	journal Journal
	now     func() time.Time

	mu       sync.Mutex // for decisions only: never held over I/O
	rows     rows
	byName   map[name]ID
	nases    map[NAS]*sharedNAS
	endings  endings
	counters Counters
	last     ID
	onEnd    func(ID)   // told of each row that ends, under mu; may be nil
	claims   map[ID]int // how many Disconnects that can still be undone have marked a session, or met it marked
	dirty    bool       // rows or counters differ from the published view

	view atomic.Pointer[View]
}

// name is what a NAS calls a session. The text is part of the session's attributes.
type name struct {
	nas *NAS
	sid string
}

// sharedNAS is the one value that all live sessions of a NAS share, kept as long as there are any.
type sharedNAS struct {
	NAS
	live int
}

// New makes an empty table whose changes go to the journal.
func New(cfg Config, journal Journal) *Table {
	t := &Table{
		journal: journal, now: cfg.Now,
		byName: map[name]ID{}, nases: map[NAS]*sharedNAS{}, claims: map[ID]int{},
		endings: endings{
			keep: cmp.Or(cfg.Remember, time.Hour), max: cmp.Or(cfg.RememberMax, 1_000_000),
			seed: maphash.MakeSeed(), known: map[uint64]ending{},
		},
		rows: rows{epoch: 1},
	}
	if t.now == nil {
		t.now = time.Now
	}
	t.view.Store(&View{})
	journal.AfterBatch(t.publish)
	return t
}

// View is the table as last published: with all that was decided when the newest durable batch of
// commits had been written. So it has all that is durable, and may be ahead of the disk by the
// decisions whose commits are in the batches after that one. A kill before they are written loses
// them, counters and all, and a reader may have seen them; but no NAS was answered for them, so it
// sends them again, and no SET or command was either.
func (t *Table) View() *View { return t.view.Load() }

// publish makes what has been decided visible. It runs once for a batch of commits.
func (t *Table) publish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dirty {
		t.dirty = false
		t.view.Store(&View{Counters: t.counters, root: t.rows.freeze(), n: t.rows.n})
	}
}

// Apply decides an event and hands it to the journal. An error means that nothing was done and the
// NAS is not to be answered. Otherwise done is called as [Journal.Commit] has it: with nil, the NAS
// can be answered.
func (t *Table) Apply(ev Event, done func(error)) error {
	if ev.Type == On || ev.Type == Off {
		return t.CloseNAS(ev.NAS, ev.At, CauseNASReboot, done)
	}
	if ev.AcctSessionID == "" || ev.Type != Start && ev.Type != Interim && ev.Type != Stop {
		return ErrEvent
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	known := t.named(ev.NAS, ev.AcctSessionID)
	var ended ending
	if known == nil {
		ended = t.endings.of(ev.NAS, ev.AcctSessionID)
	}
	var c Change
	if err := t.take(&c, decide(known, ended, &ev), known, &ev); err != nil {
		return err
	}
	t.commit(c, done)
	return nil
}

// take carries out a step.
func (t *Table) take(c *Change, do step, known *Session, ev *Event) error {
	if do == begin || do == pass || do == replace {
		id, err := t.nextID()
		if err != nil {
			return err
		}
		if do == replace {
			t.end(c, known, nil, known.HeardAt(), CauseLostCarrier)
		}
		s := begun(id, &ev.NAS, ev)
		t.last = id
		t.counters.Total++
		if do == pass {
			t.end(c, s, ev, ev.At, 0)
			return nil
		}
		t.put(c, s)
		t.counters.HighWater = max(t.counters.HighWater, uint32(t.rows.n))
		c.Notices = append(c.Notices, Notice{Type: ev.Type, Session: s, Attrs: ev.Attrs, At: ev.At})
		return nil
	}
	switch do {
	case update:
		s := updated(known, ev)
		t.put(c, s)
		c.Notices = append(c.Notices, Notice{Type: ev.Type, Session: s, Attrs: ev.Attrs, At: ev.At})
	case finish:
		t.end(c, known, ev, ev.At, 0)
	}
	return nil
}

// nextID finds the next free number behind the last one.
func (t *Table) nextID() (ID, error) {
	if uint64(t.rows.n) >= 1<<32-1 {
		return 0, ErrFull
	}
	for id := t.last + 1; ; id++ {
		if id != 0 && t.rows.get(id) == nil {
			return id, nil
		}
	}
}

// named finds the live session of that name, or nil.
func (t *Table) named(nas NAS, sid string) *Session {
	shared := t.nases[nas]
	if shared == nil {
		return nil
	}
	return t.rows.get(t.byName[name{&shared.NAS, sid}])
}

// add takes a session into the table that is in no view yet.
func (t *Table) add(s *Session) { t.addAs(s, t.share(*s.NAS)) }

// addAs is add for a session whose NAS has been looked up.
func (t *Table) addAs(s *Session, shared *sharedNAS) {
	shared.live++
	s.NAS = &shared.NAS
	t.rows.put(s)
}

// share finds what is shared by the sessions of a NAS.
func (t *Table) share(nas NAS) *sharedNAS {
	shared := t.nases[nas]
	if shared == nil {
		// The name is part of a packet, which must not stay for its sake.
		nas.Identifier = strings.Clone(nas.Identifier)
		shared = &sharedNAS{NAS: nas}
		t.nases[shared.NAS] = shared
	}
	return shared
}

// drop takes a session out of the table.
func (t *Table) drop(s *Session) {
	t.rows.remove(s.ID)
	delete(t.claims, s.ID)
	if t.onEnd != nil {
		t.onEnd(s.ID)
	}
	delete(t.byName, name{s.NAS, s.AcctSessionID})
	shared := t.nases[*s.NAS]
	if shared.live--; shared.live == 0 {
		delete(t.nases, shared.NAS)
	}
}

// put makes s the present state of its session.
func (t *Table) put(c *Change, s *Session) {
	if t.rows.get(s.ID) == nil {
		t.add(s)
	} else {
		t.rows.put(s)
	}
	// Again even for a known session: the key is part of its attributes, and must not keep old ones alive.
	key := name{s.NAS, s.AcctSessionID}
	delete(t.byName, key)
	t.byName[key] = s.ID
	c.State = append(c.State, Put{Key: sessionKey(s.ID), Value: appendSession(nil, s)})
}

// end makes a session over: with its NAS's stop, or (ev nil) with one of our own. Of a session that the
// operator wanted ended the cause is ours once the NAS has agreed, or if we make the stop; a user who
// quits while nobody answered us keeps what the NAS says (R5).
func (t *Table) end(c *Change, s *Session, ev *Event, at time.Time, cause uint32) {
	over := finished(s, ev, at)
	if s.State == Terminating && (s.Acked || ev == nil) {
		cause = CauseAdminReset
	}
	if t.rows.get(s.ID) != nil {
		t.drop(s)
	}
	t.endings.add(over, unix(t.now()), ev != nil)
	n := Notice{Type: Stop, Session: over, At: at, Cause: cause}
	if ev != nil {
		n.Attrs = ev.Attrs
	}
	c.State = append(c.State, Put{Key: sessionKey(s.ID), Value: appendSession(nil, over)})
	c.Notices = append(c.Notices, n)
}

// commit hands a change to the journal, with the counters and a few of the sessions that need no
// longer be remembered.
func (t *Table) commit(c Change, done func(error)) {
	if len(c.State) > 0 {
		t.dirty = true
		for range 4 {
			id, ok := t.endings.expired(unix(t.now()))
			if !ok {
				break
			}
			if t.rows.get(id) == nil {
				c.State = append(c.State, Put{Key: sessionKey(id)})
			}
		}
		c.State = append(c.State, Put{Key: countersKey, Value: appendCounters(nil, t.last, t.counters)})
	}
	t.journal.Commit(c, done)
}
