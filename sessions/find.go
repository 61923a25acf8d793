package sessions

import (
	"slices"
	"time"

	"aaasess/internal/radius"
)

// rank says how well a packet fits a session that it matches (R25); the first difference counts.
type rank struct {
	identifiers   int // equal ones
	addr          bool
	station, user bool
	started       Stamp

	conflicts bool // it names another user or station; this is no part of the order
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

// whose compares the user and the station that a packet names with those of a session.
type identityMatch struct {
	sameUser, sameStation   bool // both name it, and it is the same
	otherUser, otherStation bool // both name it, and it is another
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

// mayBe reports whether a packet can be of a session whose NAS it matches: a start must not name another user or station, what
// comes later not both.
func (w identityMatch) allows(t EventType) bool {
	if t == Start {
		return !w.otherUser && !w.otherStation
	}
	return !w.otherUser || !w.otherStation
}

// found is the sessions that an event may be of: the live one that it fits best, and those that are over.
type candidates struct {
	live     *Session
	liveRank rank // of live
	ended    []endedCandidate
}

// candidate is a session that is over and its rank.
type endedCandidate struct {
	*Session
	rank
}

// find looks for the sessions of an event.
func (t *Table) find(ev *Event) (f candidates) {
	var room [16]ID
	for _, id := range t.names.find(&t.nases, ev, room[:0]) {
		s := t.rows.get(id)
		if r, ok := s.rank(ev); ok && (f.live == nil || r.better(f.liveRank)) {
			f.live, f.liveRank = s, r
		}
	}
	f.ended = t.findEnded(ev)
	if f.live == nil && len(f.ended) == 0 && ev.Type != Start {
		t.findRenamed(ev, &f)
	}
	return f
}

// rank is how well an event fits a session; false if it cannot be of it.
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
	for _, n := range s.former {
		if equal, also := ev.matches(n); also {
			r.identifiers, ok = max(r.identifiers, equal), true
		}
	}
	return r, ok
}

// matches compares the NAS of an event with one that a session has or had, of the same client.
func (ev *Event) matches(n *nasNode) (equal int, ok bool) {
	if !ev.sameClient(n.Addr) {
		return 0, false
	}
	return ev.NAS.matches(&n.NAS)
}

// overOf is the remembered sessions that an event may be of, in order of their numbers.
func (t *Table) findEnded(ev *Event) (over []endedCandidate) {
	if len(t.ended.byID) == 0 {
		return nil
	}
	var room [16]ID
	ids := t.ended.names.find(&t.nases, ev, room[:0])
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		s := t.ended.get(id)
		if r, ok := s.rank(ev); ok {
			over = append(over, endedCandidate{s, r})
		}
	}
	return over
}

// renamed finds the session of a NAS that has changed its NAS-Identifier and nothing else since.
func (t *Table) findRenamed(ev *Event, f *candidates) {
	if ev.NAS.Identifier == "" {
		return
	}
	var room [16]ID
	for _, id := range t.names.findByAddr(&t.nases, ev, room[:0]) {
		if s := t.rows.get(id); s.isRenamed(ev) {
			f.live = s
			return
		}
	}
	for _, id := range t.ended.names.findByAddr(&t.nases, ev, room[:0]) {
		if s := t.ended.get(id); s.isRenamed(ev) {
			f.ended = append(f.ended, endedCandidate{Session: s})
		}
	}
}

// isRenamed reports whether an event conflicts with the session in its NAS-Identifier alone, while all else is equal.
func (s *Session) isRenamed(ev *Event) bool {
	is, was := ev.NAS, *s.NAS
	is.Identifier, was.Identifier = "", ""
	_, ok := is.matches(&was)
	return ok && s.NAS.Addr == ev.NAS.Addr && s.hasName(ev.AcctSessionID) &&
		s.Attrs.Same(ev.Attrs, radius.UserName) && s.Attrs.Same(ev.Attrs, radius.CallingStationID)
}

// isCalled reports whether an Acct-Session-Id is the session's, which may be remembered shortened.
func (s *Session) hasName(sid string) bool {
	return s.AcctSessionID == sid || s.State == Ended && s.AcctSessionID == shortened(sid)
}

// slack is how far from the start of its session the moment may be at which a packet says that it began: session time
// is counted from the login, say, and a packet waits in a socket.
const startTolerance = 10 * time.Second

// distance is how far a session's start is from where the times of a packet put it: by the NAS's clock if both have its
// stamps, else by ours. A packet without a session time can be of any session that had begun.
func (s *Session) startDistance(ev *Event) time.Duration {
	later := ev.at.Sub(s.Started)
	if ev.EventStamp != 0 && s.StartStamp != 0 {
		later = time.Duration(int64(ev.EventStamp)-int64(s.StartStamp)) * time.Second
	}
	if ev.Sent&SessionTime != 0 {
		return (later - time.Duration(ev.Usage.SessionTime)*time.Second).Abs()
	}
	return max(0, -later)
}

// pick is the session that an interim or a stop is of: the live one, unless the packet names the user or station of one
// that is over, and another than the live one's, or its times put it into the life of one that had the name before.
func (f *candidates) pick(ev *Event) *Session {
	var best endedCandidate
	for _, c := range f.ended {
		switch {
		case f.live == nil:
		case f.liveRank.conflicts && !c.conflicts && (c.user || c.station):
		case !c.timesFit(f.live, ev):
			continue
		}
		if best.Session == nil || c.fitsBetter(&best, ev) {
			best = c
		}
	}
	if best.Session == nil {
		return f.live
	}
	return best.Session
}

// nearer reports whether a packet is of this session rather than of another, which is over too. A NAS may have moved
// between them, so its address counts only if nothing else tells.
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

// precedes reports whether a packet is of this session, which is over, by its times, and not of the live one that has its
// name now. In doubt it is of the live one, which must not go on for ever.
func (s *Session) timesFit(live *Session, ev *Event) bool {
	timed := ev.Sent&SessionTime != 0
	if ev.EventStamp == 0 || live.StartStamp == 0 || s.EventStamp == 0 {
		return s.timesFitOurClock(live, ev)
	}
	later := time.Duration(int64(ev.EventStamp)-int64(live.StartStamp)) * time.Second
	switch {
	case later >= 0: // only a session time tells, and only in the moment when one has followed the other
		return timed && later <= startTolerance && s.StartStamp != 0 && s.startDistance(ev) <= time.Second && live.startDistance(ev) > 2*time.Second &&
			(!s.Stopped || s.isCopy(ev))
	case s.isCopy(ev):
		return true
	case s.Stopped: // it has said all: this must lie before its stop, or the NAS's clock was set
		return ev.EventStamp <= s.EventStamp && !ev.exceeds(s.Usage) && s.startDistance(ev) <= startTolerance
	case s.isFromLaterSession(ev):
		return false
	case timed:
		return s.startDistance(ev) <= live.startDistance(ev)
	}
	return ev.EventStamp >= s.StartStamp
}

// precedesByOurClock is precedes for packets that the NAS's clock does not tell of.
func (s *Session) timesFitOurClock(live *Session, ev *Event) bool {
	switch {
	case ev.at < live.Started && s.isCopy(ev), ev.Delay > 0 && ev.at < live.Started.Add(time.Second) && s.isCopy(ev): // it is rounded down
		return true
	case s.Stopped:
		return false
	case ev.Sent&SessionTime != 0:
		return s.startDistance(ev) <= startTolerance && live.startDistance(ev) > startTolerance
	}
	return ev.at.Add(time.Second) < live.Started
}
