package sessions

import (
	"slices"
	"time"

	"aaasess/internal/radius"
)

// rank says how well a packet fits a session (R25). The first difference decides.
type rank struct {
	identifiers   int // how many are equal
	addr          bool
	station, user bool
	started       Stamp

	conflicts bool // the packet names another user or station; not part of the order
}

func (r rank) better(than rank) bool {
	switch {
	case r.identifiers != than.identifiers:
		return r.identifiers > than.identifiers
	case r.addr != than.addr:
		return r.addr
	case r.station != than.station:
		return r.station
	case r.user != than.user:
		return r.user
	}
	return r.started > than.started
}

// identityMatch compares the user and the station of a packet with those of a session.
type identityMatch struct {
	sameUser, sameStation   bool // both have it, and it is equal
	otherUser, otherStation bool // both have it, and it differs
}

func (s *Session) matchIdentity(ev *Event) (w identityMatch) {
	compare := func(t radius.Type) (same, other bool) {
		is, has := ev.Attrs.Get(t)
		was, had := s.Attrs.Get(t)
		if !has || !had {
			return false, false
		}
		return is == was, is != was
	}
	w.sameUser, w.otherUser = compare(radius.UserName)
	w.sameStation, w.otherStation = compare(radius.CallingStationID)
	return w
}

// allows reports whether a packet can belong to a session whose NAS it matches. A start must not
// name another user or station. Any other packet must not name both another user and another
// station.
func (m identityMatch) allows(t EventType) bool {
	if t == Start {
		return !m.otherUser && !m.otherStation
	}
	return !m.otherUser || !m.otherStation
}

// candidates are the sessions that an event may belong to. live fits best of the live ones.
type candidates struct {
	live     *Session
	liveRank rank // of live
	ended    []endedCandidate
}

// endedCandidate is an ended session and its rank.
type endedCandidate struct {
	*Session
	rank
}

// find returns the sessions that an event may belong to. They are calls, or none is. If the event
// belongs to none of its kind, but to one of the other, and may be about it, its kind changes.
func (t *Table) find(ev *Event) candidates {
	var all [classes]candidates
	var room [16]ID
	for _, id := range t.names.find(&t.nases, ev, sidHash(ev.AcctSessionID), room[:0]) {
		s := t.live(id)
		f := &all[s.Kind.class()]
		if r, ok := s.rank(ev); ok && (f.live == nil || r.better(f.liveRank)) {
			f.live, f.liveRank = s, r
		}
	}
	t.findEnded(ev, &all)
	f := &all[ev.Kind.class()]
	if f.isEmpty() && ev.Type != Start {
		t.findRenamed(ev, f)
	}
	users, calls := &all[Network.class()], &all[Resource.class()]
	switch {
	case !f.isEmpty() || ev.Type == Start:
	case !calls.isEmpty() && ev.mayBeOfCall():
		ev.Kind, f = Resource, calls
	case ev.Kind == Resource && users.live != nil && users.live.hasCallCheck():
		ev.Kind, f = users.live.Kind, users
	}
	return *f
}

func (cs *candidates) isEmpty() bool { return cs.live == nil && len(cs.ended) == 0 }

// rank returns how well an event fits a session. ok is false if it cannot belong to the session.
func (s *Session) rank(ev *Event) (r rank, ok bool) {
	if !s.hasName(ev.AcctSessionID) {
		return r, false
	}
	w := s.matchIdentity(ev)
	if !w.allows(ev.Type) {
		return r, false
	}
	r = rank{
		addr: s.NAS.Addr == ev.NAS.Addr, station: w.sameStation, user: w.sameUser, started: s.Started,
		conflicts: w.otherUser || w.otherStation,
	}
	r.identifiers, ok = ev.matches(s.node)
	for _, n := range s.formerNodes() {
		if equal, also := ev.matches(n); also {
			r.identifiers, ok = max(r.identifiers, equal), true
		}
	}
	return r, ok
}

// matches compares the NAS of an event with one that a session has or had, of the same client.
func (ev *Event) matches(n *nasNode) (equal int, ok bool) {
	if !ev.IsFromClient(n.Addr) {
		return 0, false
	}
	return ev.NAS.Matches(&n.NAS)
}

// findEnded adds the remembered sessions that an event may belong to, in order of their ids.
func (t *Table) findEnded(ev *Event, all *[classes]candidates) {
	if len(t.remembered.byID) == 0 {
		return
	}
	var room [16]ID
	ids := t.remembered.names.find(&t.nases, ev, sidHash(ev.AcctSessionID), room[:0])
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		s := t.remembered.get(id)
		if r, ok := s.rank(ev); ok {
			f := &all[s.Kind.class()]
			f.ended = append(f.ended, endedCandidate{s, r})
		}
	}
}

// findRenamed finds the sessions of a NAS that has changed its NAS-Identifier and nothing else.
func (t *Table) findRenamed(ev *Event, f *candidates) {
	if ev.NAS.Identifier == "" {
		return
	}
	var room [16]ID
	for _, id := range t.names.findByAddr(&t.nases, ev, room[:0]) {
		if s := t.live(id); s.isRenamed(ev) {
			f.live = s
			return
		}
	}
	for _, id := range t.remembered.names.findByAddr(&t.nases, ev, room[:0]) {
		if s := t.remembered.get(id); s.isRenamed(ev) {
			f.ended = append(f.ended, endedCandidate{Session: s})
		}
	}
}

// isRenamed reports whether an event conflicts with the session only in its NAS-Identifier. Source
// address, user and station must be equal.
func (s *Session) isRenamed(ev *Event) bool {
	is, was := ev.NAS, *s.NAS
	is.Identifier, was.Identifier = "", ""
	_, ok := is.Matches(&was)
	return ok && s.Kind.class() == ev.Kind.class() && s.NAS.Addr == ev.NAS.Addr && s.hasName(ev.AcctSessionID) &&
		s.Attrs.Same(ev.Attrs, radius.UserName) && s.Attrs.Same(ev.Attrs, radius.CallingStationID)
}

// hasName reports whether an Acct-Session-Id is the session's, which may be kept in shortened form.
func (s *Session) hasName(sid string) bool {
	name := s.AcctSessionID()
	return name == sid || s.State == Ended && name == shortened(sid)
}

// startTolerance is how far the start time that a packet implies may be from the start of its
// session: a NAS counts from the login, for example, or the packet waits in a socket.
const startTolerance = 10 * time.Second

// startDistance returns how far the start time that a packet implies is from the session's start.
// It uses the NAS's clock if both have Event-Timestamps, else ours. A packet without a session time
// fits every session that had begun: its distance is 0.
func (s *Session) startDistance(ev *Event) time.Duration {
	later := ev.at.Sub(s.Started)
	if ev.EventTimestamp != 0 && s.StartTimestamp != 0 {
		later = time.Duration(int64(ev.EventTimestamp)-int64(s.StartTimestamp)) * time.Second
	}
	if ev.Sent&SessionTime != 0 {
		return (later - time.Duration(ev.Usage.SessionTime)*time.Second).Abs()
	}
	return max(0, -later)
}

// pick returns the session that an interim or stop belongs to. This is the live one, except in two
// cases: the packet names the user or station of an ended session and the live one has another, or
// the times of the packet are within the life of an ended session.
func (cs *candidates) pick(ev *Event) *Session {
	var best endedCandidate
	for _, c := range cs.ended {
		switch {
		case cs.live == nil:
		case cs.liveRank.conflicts && !c.conflicts && (c.user || c.station):
		case !c.timesFit(cs.live, ev):
			continue
		}
		if best.Session == nil || c.fitsBetter(&best, ev) {
			best = c
		}
	}
	if best.Session == nil {
		return cs.live
	}
	return best.Session
}

// fitsBetter reports whether a packet belongs to this ended session rather than to another ended
// one. A NAS may have moved between the two, so its address decides last.
func (c *endedCandidate) fitsBetter(than *endedCandidate, ev *Event) bool {
	if ev.hasTime() && c.isCopy(ev) != than.isCopy(ev) {
		return c.isCopy(ev)
	}
	a, b := c.rank, than.rank
	a.started, b.started, a.addr, b.addr = 0, 0, false, false
	if a.better(b) || b.better(a) {
		return a.better(b)
	}
	if near, far := c.startDistance(ev), than.startDistance(ev); near+time.Second < far || far+time.Second < near {
		return near < far
	}
	return c.rank.better(than.rank)
}

// timesFit reports whether the times of a packet show that it belongs to this ended session, and
// not to the live one with the same name. In doubt the packet belongs to the live one: without its
// stop, that would stay live for ever.
func (s *Session) timesFit(live *Session, ev *Event) bool {
	timed := ev.Sent&SessionTime != 0
	if ev.EventTimestamp == 0 || live.StartTimestamp == 0 || s.EventTimestamp == 0 {
		return s.timesFitOurClock(live, ev)
	}
	later := time.Duration(int64(ev.EventTimestamp)-int64(live.StartTimestamp)) * time.Second
	switch {
	// Only a session time can decide, and only just after the live session has begun.
	case later >= 0:
		return timed && later <= startTolerance && s.StartTimestamp != 0 && s.startDistance(ev) <= time.Second && live.startDistance(ev) > 2*time.Second &&
			(!s.Stopped || s.isCopy(ev))
	case s.isCopy(ev):
		return true
	// The stop was its last packet. This one is from before it, unless the NAS's clock was set.
	case s.Stopped:
		return ev.EventTimestamp <= s.EventTimestamp && !ev.exceeds(s.Usage) && s.startDistance(ev) <= startTolerance
	case s.isFromLaterSession(ev):
		return false
	case timed:
		return s.startDistance(ev) <= live.startDistance(ev)
	}
	return ev.EventTimestamp >= s.StartTimestamp
}

// timesFitOurClock is timesFit for packets and sessions without Event-Timestamps.
func (s *Session) timesFitOurClock(live *Session, ev *Event) bool {
	switch {
	// Acct-Delay-Time is rounded down.
	case ev.at < live.Started && s.isCopy(ev), ev.Delay > 0 && ev.at < live.Started.Add(time.Second) && s.isCopy(ev):
		return true
	case s.Stopped:
		return false
	case ev.Sent&SessionTime != 0:
		return s.startDistance(ev) <= startTolerance && live.startDistance(ev) > startTolerance
	}
	return ev.at.Add(time.Second) < live.Started
}
