package sessions

import (
	"cmp"
	"time"

	"aaasess/internal/radius"
)

// step is what an event does.
type step uint8

const (
	repeat  step = iota // nothing: we have it already
	begin               // a session comes to be; if it is heard of only by its stop it is over at once
	update              // the live session goes on
	finish              // it is over
	replace             // the NAS uses the name of the live session for another one: that one is over, its stop was lost
	note                // it is of a session that is over, and is recorded; that stays over
	revive              // a session that we thought over lives
)

// restart is how long after its start another start without a time of its own can be of the same session.
const restart = 30 * time.Second

// countedFrom is how long after its start at most the session time of a session is taken to be counted from.
const countedFrom = 10 * time.Minute

// livesOn is how long after its end an interim that tells nothing of session time, counters or NAS's clock must have
// happened to prove that the session lives: less may be a packet overtaken by the stop.
const livesOn = time.Minute

// decide is the life cycle: which session an event is of, and what it does to it. There is none
// if the step is begin. Nothing hangs on the host's clock: the NAS's stamps and session times are compared with each
// other, and what must be compared with us is by the table's clock, which does not step. In doubt an event is recorded.
func decide(f *found, ev *Event) (step, *Session) {
	if ev.Type == Start {
		return decideStart(f, ev)
	}
	s := f.pick(ev)
	live := s != nil && s.State != Ended
	switch {
	case s == nil:
		return begin, nil
	case s.isCopy(ev):
		return repeat, s
	case live && s.isOtherLife(ev):
		return replace, s
	case f.live == nil && s.isOtherLife(ev):
		return begin, nil
	case live && ev.Type == Stop:
		return finish, s
	case live:
		return update, s
	case ev.Type == Interim && (f.live == nil || f.best.other) && s.livesOn(ev):
		return revive, s // unless another session has followed it
	}
	return note, s
}

// noticeOf is what an event of the session is recorded as: a start that we have had is news of the session.
func (s *Session) noticeOf(ev *Event) EventType {
	if ev.Type == Start && s.StartSeen {
		return Interim
	}
	return ev.Type
}

// isOtherLife reports whether an interim or stop is of a session that began after all that we have of this one: its
// session time and its counters fell, and by the NAS's clock it began later (R25).
func (s *Session) isOtherLife(ev *Event) bool {
	late := ev.Delay > 0 && ev.at <= s.Heard // it was made before what we have heard last
	if ev.EventStamp == 0 || s.EventStamp == 0 || late || !ev.fellFrom(s.Usage) {
		return false
	}
	return int64(ev.EventStamp)-int64(ev.Usage.SessionTime) > int64(s.EventStamp)
}

// livesOn reports whether an interim is later than the end of the session (R24).
func (s *Session) livesOn(ev *Event) bool {
	const counters = WholeUsage &^ SessionTime
	switch {
	case ev.exceeds(s.Usage):
		return true
	case ev.Sent&SessionTime != 0 && s.Counted&SessionTime != 0, ev.Sent&counters != 0 && s.Counted&counters != 0 && ev.Sent&SessionTime == 0:
		return false
	case ev.EventStamp != 0 && s.EventStamp != 0:
		return ev.EventStamp > s.EventStamp
	}
	return ev.at > s.Heard.Add(livesOn)
}

// decideStart is decide for a start.
func decideStart(f *found, ev *Event) (step, *Session) {
	if s := f.live; s != nil {
		switch {
		case s.isCopy(ev):
			return repeat, s
		case s.startsAgain(ev):
			return update, s
		}
	}
	for _, c := range f.over {
		if c.mayHaveBegun(ev) && c.isCopy(ev) {
			return repeat, c.Session
		}
	}
	for _, c := range f.over { // only now: a copy may fit the session that had its name before, too
		if c.mayHaveBegun(ev) && c.startedLate(ev) {
			return note, c.Session
		}
	}
	if f.live != nil {
		return replace, f.live
	}
	return begin, nil
}

// startsAgain reports whether a start is that of a live session, and not of a later one with its name (R25).
func (s *Session) startsAgain(ev *Event) bool {
	stamped := ev.EventStamp != 0 && s.EventStamp != 0
	switch {
	case s.StartSeen && stamped && s.StartStamp != 0:
		return s.hasStart(ev) || s.stampedAnew(ev)
	case s.StartSeen:
		delayed := ev.Delay > 0 && ev.at.Sub(s.Started).Abs() <= slack
		return (delayed || s.prints[startPrint].within(ev, copyWithin)) && s.onlyLearns(ev)
	case ev.Delay > 0 && ev.at <= s.Heard: // before what we have heard of it, whatever its NAS's clock has become
		return true
	case stamped && ev.EventStamp > s.EventStamp:
		return false
	case stamped && s.StartStamp != 0: // told by a session time, which may be counted from some time after the start
		return max(ev.EventStamp, s.StartStamp)-min(ev.EventStamp, s.StartStamp) <= uint32(countedFrom/time.Second)
	case stamped:
		return true
	}
	return ev.at <= s.Started.Add(livesOn)
}

// stampedAnew reports whether the stamp of a start is that of its own transmission: it came soon after the other,
// by the NAS's clock as by ours, and differs in nothing else, or brings the address besides.
func (s *Session) stampedAnew(ev *Event) bool {
	later := int64(ev.EventStamp) - int64(s.StartStamp)
	was := s.prints[startPrint]
	if !was.within(ev, restart) || later < 0 || later > int64(restart/time.Second)+1 {
		return false
	}
	return !ev.HasDelay && was.all-stampPrint(s.StartStamp) == ev.print.all-stampPrint(ev.EventStamp) ||
		s.learnsAddress(ev) && s.onlyLearns(ev)
}

// hasStart reports whether a start is the one that we have: by its Event-Timestamp, or by that less its Acct-Delay-Time, since
// some NASes make a new stamp for each transmission. Of such a NAS the stamps go on as the time does, which must be so once
// more than starts is known of the session: another life may have such a stamp by chance.
func (s *Session) hasStart(ev *Event) bool {
	if ev.EventStamp == s.StartStamp {
		return true
	}
	heard := stampOfSeconds(s.prints[startPrint].at)
	if ev.Delay == 0 || heard.IsZero() {
		return false
	}
	near := func(a, b int64, by int64) bool { return a-b <= by && b-a <= by }
	began, start := int64(ev.EventStamp)-int64(ev.Delay), int64(s.StartStamp)
	delay := int64(max(0, heard.Sub(s.Started)) / time.Second) // of the start that we have
	return (near(began, start, 1) || near(began, start-delay, 1)) &&
		(s.startsOnly() || near(int64(ev.EventStamp)-start, int64(ev.now.Sub(heard)/time.Second), 1))
}

// startsOnly reports whether nothing but starts was heard of a session whose NAS has a clock.
func (s *Session) startsOnly() bool {
	for _, p := range s.prints[stopPrint:] {
		if p.sum != 0 && p.at == 0 {
			return false
		}
	}
	return s.prints[stopPrint].sum == 0
}

// onlyLearns reports whether a start differs from the session in nothing but its stamp and an address that was not known.
func (s *Session) onlyLearns(ev *Event) bool {
	for t, v := range ev.Attrs.All() {
		if isPassing(t) || s.Attrs.Has(t, v) {
			continue
		}
		if _, had := s.Attrs.Get(t); had && !(t == radius.FramedIPAddress && s.learnsAddress(ev)) {
			return false
		}
	}
	return true
}

// learnsAddress reports whether a packet has the address that a session has not yet.
func (s *Session) learnsAddress(ev *Event) bool {
	is, has := ev.Attrs.Get(radius.FramedIPAddress)
	was, had := s.Attrs.Get(radius.FramedIPAddress)
	return has && !isProvisional(is) && (!had || isProvisional(was))
}

// mayHaveBegun reports whether a start may be of a session that is over: it happened before the end. The stamp
// tells as much, but a NAS without a clock that has restarted gives the same stamps once more.
func (s *Session) mayHaveBegun(ev *Event) bool {
	switch {
	case s.Restarted:
		return ev.at <= s.LastTraffic
	case s.node != nil && s.node.restarted > s.LastTraffic:
		return ev.at <= s.node.restarted
	}
	return ev.at <= s.Heard || ev.EventStamp != 0
}

// startedLate reports whether a start is that of a session that is over: it was late, or has come again.
func (s *Session) startedLate(ev *Event) bool {
	stamped := ev.EventStamp != 0 && s.EventStamp != 0
	switch {
	case s.StartSeen && stamped && s.StartStamp != 0:
		return s.hasStart(ev)
	case s.StartSeen:
		return ev.Delay > 0 && ev.at <= s.Heard
	case ev.Delay > 0 && ev.at <= s.Heard: // before what we have heard of it, whatever its NAS's clock has become
		return true
	case stamped && ev.EventStamp > s.EventStamp:
		return false
	case stamped && s.StartStamp != 0:
		return max(ev.EventStamp, s.StartStamp)-min(ev.EventStamp, s.StartStamp) <= uint32(slack/time.Second)
	case stamped:
		return true
	}
	return ev.at <= s.Heard
}

// begun is the session that an event starts, of a NAS that stays (the event does not).
func begun(id ID, nas *NAS, ev *Event) *Session {
	used, _ := Usage{}.after(ev)
	s := &Session{
		ID: id, Kind: ev.Kind, State: Active, StartSeen: ev.Type == Start, NAS: nas,
		IfIndex: ev.IfIndex, PortIfIndex: ev.PortIfIndex, EventStamp: ev.EventStamp,
		Started: ev.at.Add(-time.Duration(used.SessionTime) * time.Second),
		Heard:   ev.at, LastTraffic: ev.at, Usage: used, Counted: ev.Sent,
	}
	switch {
	case s.StartSeen:
		s.StartStamp = ev.EventStamp
	case ev.Sent&SessionTime != 0:
		s.StartStamp = ev.EventStamp - min(ev.EventStamp, used.SessionTime)
	}
	s.prints.take(ev)
	s.setAttrs(lasting(ev.Attrs))
	return s
}

// updated is the session after an event that it has survived.
func updated(s *Session, ev *Event) *Session {
	n := *s
	n.hear(ev)
	return &n
}

// finished is the session after its stop: as the NAS reports it, or (ev nil) as we make it.
func finished(s *Session, ev *Event, at, now Stamp) *Session {
	n := *s
	if ev != nil {
		n.hear(ev)
		n.Stopped = true
	}
	n.State, n.Heard, n.LastTraffic = Ended, at, now
	return &n
}

// revived is a session that was over and lives.
func revived(s *Session, ev *Event) *Session {
	n := *s
	n.State, n.Stopped, n.Acked, n.Restarted = Active, false, 0, false
	n.Revived = ev.now
	n.hear(ev)
	return &n
}

// hear takes over what every event brings. A late start adds only what is not known.
func (s *Session) hear(ev *Event) {
	late := ev.Type == Start && ev.at < s.Heard
	merged := merge(s.Attrs, ev, late || ev.Type == Start && s.StartSeen && ev.EventStamp < s.EventStamp)
	if ev.Type == Start && !s.StartSeen {
		s.StartSeen = true
		s.Started = min(s.Started, ev.at)
		s.StartStamp = cmp.Or(ev.EventStamp, s.StartStamp)
		if tellsKind(s.Attrs, ev.Attrs) {
			s.Kind = ev.Kind
		}
	}
	if merged != s.Attrs {
		s.setAttrs(merged)
	}
	s.prints.take(ev)
	s.Heard = max(s.Heard, ev.at)
	s.EventStamp = max(s.EventStamp, ev.EventStamp)
	if ev.IfIndex != 0 && (!late || s.IfIndex == 0) {
		s.IfIndex = ev.IfIndex
	}
	if ev.PortIfIndex != 0 && (!late || s.PortIfIndex == 0) {
		s.PortIfIndex = ev.PortIfIndex
	}
	if ev.Type == Start {
		return // at its start a session has used nothing, whatever came before it
	}
	used, flown := s.Usage.after(ev)
	if flown {
		s.LastTraffic = max(s.LastTraffic, ev.at)
	}
	s.Usage = used
	s.Counted |= ev.Sent
}
