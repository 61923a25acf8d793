package sessions

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// links are the interfaces of live sessions.
type links struct {
	n       atomic.Int64 // how many sessions have one
	refresh atomic.Pointer[func()]

	mu     sync.Mutex // after Table.mu, before link.mu
	number uint64     // of the newest refresh
	byKey  map[linkKey][]*link
	lost   map[ID]lostLink // whose interface has disappeared, until their session ends
}

// lostLink is a link whose interface has disappeared, and when that was noticed.
type lostLink struct {
	*link
	noticed Stamp
}

func newLinks() *links { return &links{byKey: map[linkKey][]*link{}, lost: map[ID]lostLink{}} }

// SetRefresher sets the function that RefreshLinks calls.
func (t *Table) SetRefresher(fn func()) { t.links.refresh.Store(&fn) }

// RefreshLinks makes the counters of sessions with an interface of this host current, if there are
// such sessions. It may wait a little. Do not call it while the table is locked.
func (t *Table) RefreshLinks() {
	if t.links.n.Load() == 0 {
		return
	}
	if fn := t.links.refresh.Load(); fn != nil {
		(*fn)()
	}
}

// HasLinks reports whether a live session has an interface of this host.
func (t *Table) HasLinks() bool { return t.links.n.Load() > 0 }

// updateLinks updates the interfaces of live sessions. was is the state of a session before, nil if it
// is new, s its state now, nil if it has ended. It returns the other sessions that have the same
// interface, if they did not know that.
func (t *Table) updateLinks(was, s *Session) (others []ID) {
	var before, now *link
	if was != nil {
		before = was.link()
	}
	if s != nil {
		now = s.link()
	}
	if before == now {
		return nil
	}
	ls := t.links
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if before != nil {
		ls.n.Add(-1)
		ls.remove(before)
	}
	if now != nil {
		now.id = s.ID
		ls.n.Add(1)
		others = ls.add(now)
	}
	return others
}

// remove removes a link, also if it was lost.
func (ls *links) remove(l *link) {
	if ls.lost[l.id].link == l {
		delete(ls.lost, l.id)
	}
	rest := slices.DeleteFunc(ls.byKey[l.key], func(o *link) bool { return o == l })
	if ls.byKey[l.key] = rest; len(rest) == 0 {
		delete(ls.byKey, l.key)
	}
}

// add adds a link. If others have its interface, none of them counts any more.
func (ls *links) add(l *link) (others []ID) {
	all := append(ls.byKey[l.key], l)
	ls.byKey[l.key] = all
	l.mu.Lock()
	l.seen = ls.number
	l.mu.Unlock()
	if len(all) == 1 {
		return nil
	}
	for _, o := range all {
		o.mu.Lock()
		if !o.shared && o != l {
			others = append(others, o.id)
		}
		o.shared = true
		o.mu.Unlock()
	}
	return others
}

// BeginRefresh begins a refresh of the counters. Its number goes to [Table.Refreshed].
func (t *Table) BeginRefresh() uint64 {
	t.links.mu.Lock()
	defer t.links.mu.Unlock()
	t.links.number++
	return t.links.number
}

// Refreshed takes the counters of all interfaces of this host. It returns the interfaces of sessions
// that were not among them; [Table.LinkLost] takes those that have disappeared. Interfaces of another
// boot or network namespace are lost at once.
func (t *Table) Refreshed(number, host uint64, samples []Sample) (missing []uint32) {
	at := t.clock.now()
	ls := t.links
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for i := range samples {
		for _, l := range ls.byKey[linkKey{host, samples[i].IfIndex}] {
			l.mu.Lock()
			if l.seen < number { // else its session began during the refresh, and the sample may be older
				l.seen, l.seenAt = number, at
				l.add(samples[i].Traffic, at)
			}
			l.mu.Unlock()
		}
	}
	for key, all := range ls.byKey {
		switch {
		case key.host != host:
			ls.markLost(key, nil, at)
		case all[0].isUnseen(number):
			missing = append(missing, key.ifIndex)
		}
	}
	return missing
}

// isUnseen reports whether a refresh has not found the interface, though it was there when the refresh
// began.
func (l *link) isUnseen(number uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen < number
}

// LinkLost says that an interface of this host has disappeared, and what it had counted. If last is
// nil, that is not known, and the newest sample counts. [Table.EndLost] ends the sessions.
func (t *Table) LinkLost(host uint64, ifIndex uint32, last *Traffic) {
	at := t.clock.now()
	t.links.mu.Lock()
	defer t.links.mu.Unlock()
	t.links.markLost(linkKey{host, ifIndex}, last, at)
}

// atLeast returns the larger of each counter. An interface that disappears may already have lost some of
// its counters: a veth counts what its peer has sent, and the peer goes first.
func (t Traffic) atLeast(before Traffic) Traffic {
	for i := range t {
		t[i] = max(t[i], before[i])
	}
	return t
}

// markLost is LinkLost at a moment. Without the last counters, the interface disappeared at the newest
// sample or later.
func (ls *links) markLost(key linkKey, last *Traffic, at Stamp) {
	for _, l := range ls.byKey[key] {
		l.mu.Lock()
		if last != nil {
			l.add(last.atLeast(l.counted), at)
			l.seenAt = at
		}
		l.lost, l.lostAt = true, l.seenAt
		l.mu.Unlock()
		ls.lost[l.id] = lostLink{l, at}
	}
	delete(ls.byKey, key)
}

// endLostAtOnce is how many sessions EndLost ends in one commit.
const endLostAtOnce = 128

// NextLost returns in how much time EndLost has sessions to end; 0 if there are none.
func (t *Table) NextLost(grace time.Duration) (next time.Duration) {
	now := t.clock.now()
	t.links.mu.Lock()
	defer t.links.mu.Unlock()
	for _, l := range t.links.lost {
		if after := max(l.noticed.Add(grace).Sub(now), time.Nanosecond); next == 0 || after < next {
			next = after
		}
	}
	return next
}

// EndLost ends sessions whose interface has disappeared at least grace ago: until then the program that
// reported the session may report its stop, which says more. It ends only some at a time. Their stop
// records have the last counters, the time when the interface disappeared or, if that is not known, of the
// last traffic, and the cause Lost-Carrier, or Admin-Reset if an operator is ending the session. EndLost
// returns those that it ended, as they were. After an error it has ended none; otherwise done is called
// when that is durable.
func (t *Table) EndLost(grace time.Duration, done func(error)) (ended []*Session, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.Accepting(); err != nil {
		return nil, err
	}
	c := t.newChange()
	for _, l := range t.links.due(t.clock.now().Add(-grace)) {
		s := t.live(l.id)
		if s == nil || s.link() != l || t.closings.anyCovers(s) {
			continue
		}
		n, until := *s, l.lostAt
		if until.IsZero() {
			until = s.ActiveAt()
		}
		if lasted := max(s.LastEvent, until).Sub(s.Started); lasted > 0 {
			n.Usage.SessionTime = max(n.Usage.SessionTime, uint32(min(lasted/time.Second, 1<<32-1)))
			n.Counted |= SessionTime
		}
		t.end(&c, &n, nil, until, CauseLostCarrier)
		ended = append(ended, s)
	}
	t.commit(c, done)
	return ended, nil
}

// due removes links from the lost ones that were noticed at this moment or before, and returns them: at
// most endLostAtOnce.
func (ls *links) due(before Stamp) (due []*link) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for id, l := range ls.lost {
		if l.noticed <= before && len(due) < endLostAtOnce {
			due = append(due, l.link)
			delete(ls.lost, id)
		}
	}
	return due
}

// SaveTraffic makes the newest samples durable. Otherwise that happens with the next event of each
// session.
func (t *Table) SaveTraffic(done func(error)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.Accepting(); err != nil {
		return err
	}
	c := t.newChange()
	for _, id := range t.links.sessions() {
		if s := t.live(id); s != nil {
			t.encodeInto(&c, s)
		}
	}
	t.commit(c, done)
	return nil
}

// sessions returns the sessions that have an interface.
func (ls *links) sessions() (ids []ID) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, all := range ls.byKey {
		for _, l := range all {
			ids = append(ids, l.id)
		}
	}
	for id := range ls.lost {
		ids = append(ids, id)
	}
	return ids
}
