package sessions

import (
	"slices"
	"time"
)

// rank says how well a packet fits a session that it matches (R25); the first difference counts.
type rank struct {
	identifiers   int // equal ones
	addr          bool
	station, user bool
	started       time.Duration
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
type whose struct {
	sameUser, sameStation   bool // both name it, and it is the same
	otherUser, otherStation bool // both name it, and it is another
}

func (s *Session) whose(ev *Event) (w whose) {
	compare := func(t AttributeType) (same, other bool) {
		is, has := ev.Attrs.Get(t)
		was, had := s.Attrs.Get(t)
		if !has || !had {
			return false, false
		}
		return is == was, is != was
	}
	w.sameUser, w.otherUser = compare(UserName)
	w.sameStation, w.otherStation = compare(CallingStationID)
	return w
}

// mayBe reports whether a packet can be of a session whose NAS it matches: a start must not name another user or station, what
// comes later not both.
func (w whose) mayBe(t EventType) bool {
	if t == Start {
		return !w.otherUser && !w.otherStation
	}
	return !w.otherUser || !w.otherStation
}

// found is the sessions that an event may be of: the live one that it fits best, and those that are over.
type found struct {
	live *Session
	best rank // of live
	over []candidate
}

// candidate is a session that is over and its rank.
type candidate struct {
	*Session
	rank
}

// find looks for the sessions of an event.
func (t *Table) find(ev *Event) (f found) {
	var room [16]ID
	for _, id := range t.names.find(&t.nases, ev, room[:0]) {
		s := t.rows.get(id)
		if r, ok := s.rank(ev); ok && (f.live == nil || r.better(f.best)) {
			f.live, f.best = s, r
		}
	}
	if f.live == nil && ev.Type != Start {
		f.live = t.renamed(ev)
	}
	if f.live == nil || ev.Type == Start || !f.live.fits(ev) {
		f.over = t.overOf(ev)
	}
	return f
}

// rank is how well an event fits a session; false if it cannot be of it.
func (s *Session) rank(ev *Event) (r rank, ok bool) {
	if s.AcctSessionID != ev.AcctSessionID && s.AcctSessionID != shortened(ev.AcctSessionID) {
		return r, false
	}
	w := s.whose(ev)
	if !w.mayBe(ev.Type) {
		return r, false
	}
	r = rank{addr: s.NAS.Addr == ev.NAS.Addr, station: w.sameStation, user: w.sameUser, started: s.Started}
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

// overOf is the remembered sessions that an event may be of, best first.
func (t *Table) overOf(ev *Event) (over []candidate) {
	var room [16]ID
	ids := t.endings.names.find(&t.nases, ev, room[:0])
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		s := t.endings.get(id)
		if r, ok := s.rank(ev); ok {
			over = append(over, candidate{s, r})
		}
	}
	slices.SortFunc(over, func(a, b candidate) int {
		if a.rank.better(b.rank) {
			return -1
		}
		return 1
	})
	return over
}

// renamed finds the live session of a NAS that has changed its NAS-Identifier and nothing else since.
func (t *Table) renamed(ev *Event) *Session {
	if ev.NAS.Identifier == "" {
		return nil
	}
	var room [16]ID
	is := ev.NAS
	is.Identifier = ""
	for _, id := range t.names.at(&t.nases, ev, room[:0]) {
		s := t.rows.get(id)
		was := *s.NAS
		was.Identifier = ""
		if _, ok := is.matches(&was); ok && s.NAS.Addr == ev.NAS.Addr && s.AcctSessionID == ev.AcctSessionID &&
			s.Attrs.same(ev.Attrs, UserName) && s.Attrs.same(ev.Attrs, CallingStationID) {
			return s
		}
	}
	return nil
}

// same reports whether two lists have the same first value of a type, or both none.
func (a Attributes) same(b Attributes, t AttributeType) bool {
	x, hasX := a.Get(t)
	y, hasY := b.Get(t)
	return hasX == hasY && x == y
}

// slack is how far from the start of its session the moment may be at which a packet says that it began: session time
// is counted from the login, say, and a packet waits in a socket.
const slack = 10 * time.Second

// fits reports whether a packet can be of the present life of a name, as far as its times tell.
func (s *Session) fits(ev *Event) bool { return s.distance(ev) <= slack }

// unlikely is a distance that nothing is known of.
const unlikely = time.Duration(1<<63 - 1)

// distance is how far a session's start is from where the times of a packet put it: by the NAS's clock if both have its
// stamps, else by ours. A packet without a session time can be of any session that had begun.
func (s *Session) distance(ev *Event) time.Duration {
	timed := ev.Sent&SessionTime != 0
	began, start := ev.at, s.Started
	if ev.EventStamp != 0 && s.StartStamp != 0 {
		began, start = time.Duration(ev.EventStamp)*time.Second, time.Duration(s.StartStamp)*time.Second
	}
	if timed {
		began -= time.Duration(ev.Usage.SessionTime) * time.Second
		return max(began-start, start-began)
	}
	return max(0, start-began)
}

// pick is the session that an interim or a stop is of: the live one, unless the times of the packet put it into the life of
// an earlier session of that name.
func (f *found) pick(ev *Event) *Session {
	least := unlikely
	if f.live != nil {
		if least = f.live.distance(ev); least <= slack {
			return f.live
		}
	}
	best, of := f.live, f.best
	for _, c := range f.over {
		if ev.hasTime() && c.isCopy(ev) {
			return c.Session
		}
		d := c.distance(ev)
		if best == nil || c.rank.as(of) && d < least && (best != f.live || c.Session.outlived(best, ev)) {
			best, of, least = c.Session, c.rank, d
		}
	}
	return best
}

// as reports whether a rank is no worse, whatever was newer.
func (r rank) as(other rank) bool {
	r.started, other.started = 0, 0
	return !other.better(r)
}

// outlived reports whether the times of a packet can tell that it is of this session, which is over, and not of the live one
// of its name: they must be told by one clock, and what has had its stop says nothing more that has no session time.
func (s *Session) outlived(live *Session, ev *Event) bool {
	byStamp := ev.EventStamp != 0 && live.StartStamp != 0
	return byStamp == (ev.EventStamp != 0 && s.StartStamp != 0) && (ev.Sent&SessionTime != 0 || !s.Stopped)
}
