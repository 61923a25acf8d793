package sessions

import (
	"cmp"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions/silence"
)

// step is what an event does to a session.
type step uint8

const (
	duplicate  step = iota // the event is a copy: nothing changes
	begin                  // the event begins a session; if the event is a stop, the session also ends
	update                 // the live session continues
	finish                 // the live session ends
	replace                // a new session has the name of the live one, which ends: its stop was lost
	recordLate             // the session has ended and stays ended; the event is recorded
	revive                 // the session had ended in the table, but is alive
)

// retransmitWithin limits how long after the start of a session another start with a new
// Event-Timestamp can belong to it.
const retransmitWithin = 30 * time.Second

// maxStartError limits the error of a start time that was computed from a session time: a NAS may
// count the session time from a moment after the start.
const maxStartError = 10 * time.Minute

// reviveAfter is how long after the end of a session an interim without comparable session time,
// counters or Event-Timestamp must happen to revive it: the stop may have overtaken an earlier one.
const reviveAfter = time.Minute

// startAfterInterim limits how long after the computed start of a session, which we know only from
// later packets, a start without an Event-Timestamp and a delay can belong to it.
const startAfterInterim = time.Minute

// decide is the life cycle of a session. It chooses the session that an event belongs to, and says
// what the event does to it. If the step is begin, there is no session. The host's clock does not
// count: timestamps and session times of the NAS are compared with each other, and everything else
// is compared by the table's clock, which never steps. In doubt an event is recorded.
func decide(f *candidates, ev *Event) (step, *Session) {
	if ev.Type == Start {
		return decideStart(f, ev)
	}
	s := f.pick(ev)
	live := s != nil && s.State != Ended
	switch {
	case s == nil:
		return begin, nil
	case s.isCopy(ev):
		return duplicate, s
	case live && s.isFromLaterSession(ev):
		return replace, s
	case f.live == nil && s.isFromLaterSession(ev):
		return begin, nil
	case live && ev.Type == Stop:
		return finish, s
	case live:
		return update, s
	case ev.Type == Interim && (f.live == nil || f.liveRank.conflicts) && s.isLaterThanEnd(ev):
		// No live session of the same user and station has its name.
		return revive, s
	}
	return recordLate, s
}

// noticeType returns how an event is recorded: a second start of a session is an interim, but groups of
// routers have none.
func (s *Session) noticeType(ev *Event) EventType {
	if ev.Type == Start && s.StartSeen && s.Kind != VRRS {
		return Interim
	}
	return ev.Type
}

// isFromLaterSession reports whether an interim or stop belongs to a later session (R25): the
// session time and the counters fell, and it began after the newest Event-Timestamp that we have.
func (s *Session) isFromLaterSession(ev *Event) bool {
	late := ev.Delay > 0 && ev.at <= s.LastEvent // it happened before the newest event that we have
	if ev.EventTimestamp == 0 || s.EventTimestamp == 0 || late || !ev.fellFrom(s.Usage) {
		return false
	}
	return int64(ev.EventTimestamp)-int64(ev.Usage.SessionTime) > int64(s.EventTimestamp)
}

// isLaterThanEnd reports whether an interim is later than the end of the session (R24).
func (s *Session) isLaterThanEnd(ev *Event) bool {
	const counters = WholeUsage &^ SessionTime
	switch {
	case ev.exceeds(s.Usage):
		return true
	case ev.Sent&SessionTime != 0 && s.Counted&SessionTime != 0, ev.Sent&counters != 0 && s.Counted&counters != 0 && ev.Sent&SessionTime == 0:
		return false
	case ev.EventTimestamp != 0 && s.EventTimestamp != 0:
		return ev.EventTimestamp > s.EventTimestamp
	}
	return ev.at > s.toldUntil().Add(reviveAfter)
}

// decideStart is decide for a start.
func decideStart(f *candidates, ev *Event) (step, *Session) {
	if s := f.live; s != nil {
		switch {
		case s.isCopy(ev):
			return duplicate, s
		case s.isOwnStart(ev):
			return update, s
		}
	}
	for _, c := range f.ended {
		if c.mayBeOwnStart(ev) && c.isCopy(ev) {
			return duplicate, c.Session
		}
	}
	for _, c := range f.ended { // only now: a copy may also fit the session that had its name before
		if c.mayBeOwnStart(ev) && c.isOwnLateStart(ev) {
			return recordLate, c.Session
		}
	}
	if f.live != nil {
		return replace, f.live
	}
	return begin, nil
}

// isOwnStart reports whether a start belongs to a live session, not to a later one of its name
// (R25).
func (s *Session) isOwnStart(ev *Event) bool {
	bothTimestamped := ev.EventTimestamp != 0 && s.EventTimestamp != 0
	switch {
	case s.StartSeen && bothTimestamped && s.StartTimestamp != 0:
		return s.matchesStart(ev) || s.isRetransmission(ev)
	case s.StartSeen:
		delayed := ev.Delay > 0 && ev.at.Sub(s.Started).Abs() <= startTolerance
		return (delayed || s.fingerprints.start.isWithin(ev, copyWithin)) && s.contradictsNothing(ev)
	// It happened before the newest event that we have, whatever the NAS's clock says now.
	case ev.Delay > 0 && ev.at <= s.LastEvent:
		return true
	case bothTimestamped && ev.EventTimestamp > s.EventTimestamp:
		return false
	// StartTimestamp was computed from a session time.
	case bothTimestamped && s.StartTimestamp != 0:
		return max(ev.EventTimestamp, s.StartTimestamp)-min(ev.EventTimestamp, s.StartTimestamp) <= uint32(maxStartError/time.Second)
	case bothTimestamped:
		return true
	}
	return ev.at <= s.Started.Add(startAfterInterim)
}

// isRetransmission reports whether a start is a retransmission with a new Event-Timestamp. It came
// soon after the first, by the NAS's clock and by ours. Nothing else differs, or it adds the
// address.
func (s *Session) isRetransmission(ev *Event) bool {
	later := int64(ev.EventTimestamp) - int64(s.StartTimestamp)
	was := s.fingerprints.start
	if !was.isWithin(ev, retransmitWithin) || later < 0 || later > int64(retransmitWithin/time.Second)+1 {
		return false
	}
	return !ev.HasDelay && was.attrs-timestampHash(s.StartTimestamp) == ev.fingerprint.attrs-timestampHash(ev.EventTimestamp) ||
		s.addsAddress(ev) && s.contradictsNothing(ev)
}

// matchesStart reports whether a start is the one that we have: its Event-Timestamp is the same, or
// it is the same after Acct-Delay-Time is subtracted. (Some NASes make a new one for each
// transmission.) The timestamps of such a NAS advance with the time. This is checked if we know
// more than starts of the session, because a later session may have a matching one by chance.
func (s *Session) matchesStart(ev *Event) bool {
	if ev.EventTimestamp == s.StartTimestamp {
		return true
	}
	heard := stampOfSeconds(s.fingerprints.start.at)
	if ev.Delay == 0 || heard.IsZero() {
		return false
	}
	near := func(a, b int64, by int64) bool { return a-b <= by && b-a <= by }
	began, start := int64(ev.EventTimestamp)-int64(ev.Delay), int64(s.StartTimestamp)
	delay := int64(max(0, heard.Sub(s.Started)) / time.Second) // of our start
	return (near(began, start, 1) || near(began, start-delay, 1)) &&
		(s.heardOnlyStarts() || near(int64(ev.EventTimestamp)-start, int64(ev.now.Sub(heard)/time.Second), 1))
}

// heardOnlyStarts reports whether we know no stop, and no interim with a time of its own.
func (s *Session) heardOnlyStarts() bool {
	all := s.fingerprints.all()
	for _, p := range all[stopSlot:] {
		if p.sum != 0 && p.at == 0 {
			return false
		}
	}
	return all[stopSlot].sum == 0
}

// contradictsNothing reports whether a start has no value that differs from the session's. A user's
// address in place of a provisional one does not count as a difference, nor does the NAS's id of a
// call in place of one that was made here.
func (s *Session) contradictsNothing(ev *Event) bool {
	for t, v := range ev.Attrs.All() {
		if isPerPacket(t) || s.Attrs.Has(t, v) {
			continue
		}
		was, had := s.Attrs.Get(t)
		expected := t == radius.FramedIPAddress && s.addsAddress(ev) || t == radius.AcctMultiSessionID && IsMadeCallID(was)
		if had && !expected {
			return false
		}
	}
	return true
}

// addsAddress reports whether a packet has the user's address and the session does not have it yet.
func (s *Session) addsAddress(ev *Event) bool {
	is, has := ev.Attrs.Get(radius.FramedIPAddress)
	was, had := s.Attrs.Get(radius.FramedIPAddress)
	return has && !isProvisional(is) && (!had || isProvisional(was))
}

// mayBeOwnStart reports whether a start may belong to an ended session: it happened before the end,
// or it has an Event-Timestamp, which isOwnLateStart compares. If the NAS has restarted, a
// timestamp does not suffice: a NAS without a clock repeats its timestamps after a restart.
func (s *Session) mayBeOwnStart(ev *Event) bool {
	switch {
	case s.NASRestarted:
		return ev.at <= s.LastTraffic
	case s.node != nil && s.node.lastOnOff > s.LastTraffic:
		return ev.at <= s.node.lastOnOff
	}
	return ev.at <= s.LastEvent || ev.EventTimestamp != 0
}

// isOwnLateStart reports whether a start belongs to an ended session: it arrived late, or again.
func (s *Session) isOwnLateStart(ev *Event) bool {
	bothTimestamped := ev.EventTimestamp != 0 && s.EventTimestamp != 0
	switch {
	case s.StartSeen && bothTimestamped && s.StartTimestamp != 0:
		return s.matchesStart(ev)
	case s.StartSeen:
		return ev.Delay > 0 && ev.at <= s.LastEvent
	// It happened before the newest event that we have, whatever the NAS's clock says now.
	case ev.Delay > 0 && ev.at <= s.LastEvent:
		return true
	case bothTimestamped && ev.EventTimestamp > s.EventTimestamp:
		return false
	case bothTimestamped && s.StartTimestamp != 0:
		return max(ev.EventTimestamp, s.StartTimestamp)-min(ev.EventTimestamp, s.StartTimestamp) <= uint32(startTolerance/time.Second)
	case bothTimestamped:
		return true
	}
	return ev.at <= s.LastEvent
}

// newSession returns the session that an event begins. It keeps nas, but no memory of the event.
func newSession(id ID, nas *NAS, ev *Event) *Session {
	used, _ := Usage{}.updatedBy(ev)
	s := &Session{
		ID: id, Kind: ev.Kind, State: Active, StartSeen: ev.Type == Start, NAS: nas,
		EventTimestamp: ev.EventTimestamp,
		Started:        ev.at.Add(-time.Duration(used.SessionTime) * time.Second),
		LastEvent:      ev.at, LastTraffic: ev.at, Silence: silence.Begun(ev.heard), Usage: used, Counted: ev.Sent,
	}
	switch {
	case s.StartSeen:
		s.StartTimestamp = ev.EventTimestamp
	case ev.Sent&SessionTime != 0:
		s.StartTimestamp = ev.EventTimestamp - min(ev.EventTimestamp, used.SessionTime)
	}
	s.fingerprints.add(ev)
	s.setIfIndexes(ev.IfIndex, ev.PortIfIndex)
	s.setEnd(ev.End)
	s.takeLink(ev)
	s.setAttrs(sessionAttrs(ev.Attrs))
	return s
}

// updated returns the session after an event that does not end it.
func updated(s *Session, ev *Event) *Session {
	n := *s
	n.applyEvent(ev)
	if s.State != Ended {
		n.Silence = s.Silence.Hear(ev.heard, ev.Type == Interim)
	}
	return &n
}

// ended returns the session after its end: with the NAS's stop, or with our own if ev is nil. Ours is
// not earlier than notBefore and the newest event of the NAS.
func ended(s *Session, ev *Event, notBefore, now Stamp) *Session {
	n := *s
	if ev != nil {
		n.applyEvent(ev)
		n.LastEvent, n.Stopped = ev.at, true
	} else {
		n.LastEvent = max(n.LastEvent, notBefore)
	}
	n.dropLink()
	n.State, n.LastTraffic = Ended, now
	return &n
}

// revived returns an ended session as live again.
func revived(s *Session, ev *Event) *Session {
	n := *s
	n.State, n.Stopped, n.NASRestarted = Active, false, false
	n.setRare(func(r *rare) { r.acked, r.revived = 0, ev.now })
	n.applyEvent(ev)
	n.Silence = silence.Begun(ev.heard)
	return &n
}

// applyEvent adds to the session what an event says. A late start only adds what was not known.
func (s *Session) applyEvent(ev *Event) {
	late := ev.Type == Start && ev.at < s.LastEvent
	merged := merge(s.Attrs, ev, late || ev.Type == Start && s.StartSeen && ev.EventTimestamp < s.EventTimestamp)
	if ev.Type == Start && !s.StartSeen {
		s.StartSeen = true
		s.Started = min(s.Started, ev.at)
		s.StartTimestamp = cmp.Or(ev.EventTimestamp, s.StartTimestamp)
		if namesKind(s.Attrs, ev.Attrs) {
			s.Kind = ev.Kind
		}
	}
	if merged != s.Attrs {
		s.setAttrs(merged)
	}
	s.fingerprints.add(ev)
	s.LastEvent = max(s.LastEvent, ev.at)
	s.EventTimestamp = max(s.EventTimestamp, ev.EventTimestamp)
	if ev.IfIndex != 0 && (!late || s.IfIndex() == 0) {
		s.setIfIndexes(ev.IfIndex, s.PortIfIndex())
		s.takeLink(ev)
	}
	if ev.PortIfIndex != 0 && (!late || s.PortIfIndex() == 0) {
		s.setIfIndexes(s.IfIndex(), ev.PortIfIndex)
	}
	if ev.End != nil && (!late || s.End() == nil) {
		s.setEnd(ev.End)
	}
	if ev.Type == Start {
		return // a start reports no usage, whatever arrived before it
	}
	used, flowed := s.Usage.updatedBy(ev)
	if l := s.link(); flowed && (l == nil || !l.counts()) {
		s.LastTraffic = max(s.LastTraffic, ev.at)
	}
	if lasted := ev.lasted(s); lasted > 0 {
		used.SessionTime = max(used.SessionTime, uint32(min(lasted/time.Second, 1<<32-1)))
	}
	s.Usage = used
	s.Counted |= ev.Sent
}
