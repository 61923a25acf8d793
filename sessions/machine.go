package sessions

import (
	"strings"
	"time"
)

// step is what an event does to the session that it names.
type step uint8

const (
	repeat  step = iota // nothing: we have it already, or something newer
	begin               // a session comes to be
	update              // the session goes on
	finish              // the session is over
	pass                // a session is heard of only by its stop: it begins and is over
	replace             // the NAS uses the name of a session whose stop was lost for another one
)

// livesOn is how long after its end an interim must have happened to prove that we ended a session
// that lives: less may be a packet overtaken by the stop.
const livesOn = time.Minute

// rounding is how far a moment that a NAS gives in whole seconds (Acct-Delay-Time,
// Acct-Session-Time) may be from another account of the same moment.
const rounding = time.Second

// latitude is how much later than it happened an event may seem, besides rounding: what a request
// waits in our socket, while we start say, no Acct-Delay-Time tells.
const latitude = 10 * time.Second

// decide is the life cycle. known is the live session that the event names, or nil; ended is the last
// one of that name that is over, if known is nil and one is remembered, else zero.
func decide(known *Session, ended ending, ev *Event) step {
	at := unix(ev.At)
	if known == nil {
		switch {
		case ended.at != 0 && isOf(ended, ev):
			return repeat
		case ev.Type == Stop:
			return pass
		}
		return begin
	}
	switch ev.Type {
	case Stop:
		if known.StartSeen && at+rounding < known.Started {
			return repeat // it is of an earlier session of that name
		}
		return finish
	case Interim:
		if isNews(known, ev) {
			return update
		}
		return repeat
	}
	switch {
	case at > known.Heard && isOther(known, ev):
		return replace
	case !known.StartSeen:
		return update
	}
	return repeat
}

// isOf reports whether an event is of a session that is over, and not of a later one of its name. The
// NAS's time stamps say so to the second, but are of use only near the end: its clock may have been
// set back since.
func isOf(ended ending, ev *Event) bool {
	at := unix(ev.At)
	old := ended.stopped && ev.EventStamp != 0 && ev.EventStamp <= ended.stamp && at <= ended.at+latitude
	switch ev.Type {
	case Stop:
		began := at - time.Duration(ev.Usage.SessionTime)*time.Second
		return old || ev.Sent&SessionTime == 0 || began <= ended.at+latitude
	case Start:
		return old || at <= ended.at || ended.stopped && at < ended.at+rounding
	}
	return at <= ended.at+livesOn
}

// isNews tells an interim from a copy of one that we have, or an older one, by what the NAS gives:
// the session time, its time stamp, the counters, the attributes. A NAS that retransmits with a new
// identifier and Acct-Delay-Time (hostapd) leaves nothing else the same. The session time is first,
// since setting the NAS's clock back does not touch it. With none of them it counts as new.
func isNews(s *Session, ev *Event) bool {
	used := s.Usage.after(ev)
	stamped := ev.EventStamp != 0 && s.EventStamp != 0
	switch {
	case used.SessionTime != s.Usage.SessionTime:
		return used.SessionTime > s.Usage.SessionTime
	case stamped && ev.EventStamp != s.EventStamp:
		return ev.EventStamp > s.EventStamp
	case used.grewFrom(s.Usage), merge(s.Attrs, ev, false) != s.Attrs:
		return true
	}
	return !stamped && (ev.Sent&SessionTime == 0 || used.SessionTime == 0)
}

// isLate reports whether a start tells of a moment before the newest that we know of.
func isLate(s *Session, ev *Event) bool { return ev.Type == Start && unix(ev.At) < s.Heard }

// isOther reports whether a start names another user, station or address than the session has.
func isOther(s *Session, ev *Event) bool {
	for _, t := range [...]AttributeType{UserName, CallingStationID, FramedIPAddress} {
		was, had := s.Attrs.Get(t)
		is, has := ev.Attrs.Get(t)
		if had && has && was != is {
			return true
		}
	}
	return false
}

// begun is the session that an event starts.
func begun(id ID, nas *NAS, ev *Event) *Session {
	used := Usage{}.after(ev)
	s := &Session{
		ID: id, Kind: ev.Kind, State: Active, StartSeen: ev.Type == Start, NAS: nas,
		IfIndex: ev.IfIndex, PortIfIndex: ev.PortIfIndex, EventStamp: ev.EventStamp,
		Started: unix(ev.At) - time.Duration(used.SessionTime)*time.Second,
		Heard:   unix(ev.At), Data: unix(ev.At), Usage: used, Counted: ev.Sent,
	}
	s.setAttrs(lasting(ev.Attrs))
	return s
}

// updated is the session after an interim, or after a start that comes late.
func updated(s *Session, ev *Event) *Session {
	n := *s
	if ev.Type == Start {
		n.StartSeen = true
		n.Started = min(s.Started, unix(ev.At))
		if tellsKind(s.Attrs, ev.Attrs) {
			n.Kind = ev.Kind
		}
	}
	n.hear(ev)
	if merged := merge(s.Attrs, ev, isLate(s, ev)); merged != s.Attrs {
		n.setAttrs(merged)
	}
	return &n
}

// finished is the session after its stop: as the NAS reports it, or (ev nil) as we make it.
func finished(s *Session, ev *Event, at time.Time) *Session {
	n := *s
	n.State = Ended
	if ev != nil {
		n.hear(ev)
	}
	n.Heard = unix(at)
	return &n
}

// hear takes over what every event brings. A late start adds only what is not known.
func (s *Session) hear(ev *Event) {
	at, late := unix(ev.At), isLate(s, ev)
	s.Heard = max(s.Heard, at)
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
	used := s.Usage.after(ev)
	if used.grewFrom(s.Usage) {
		s.Data = max(s.Data, at)
	}
	s.Usage = used
	s.Counted |= ev.Sent
}

// tellsKind reports whether a start tells the kind of a session better than what came before it: it
// has the service, and something of that is new.
func tellsKind(known, start Attributes) bool {
	if _, says := start.Get(ServiceType); !says {
		return false
	}
	for _, t := range [...]AttributeType{ServiceType, LoginService, LoginIPHost} {
		_, had := known.Get(t)
		if _, has := start.Get(t); has && !had {
			return true
		}
	}
	return false
}

func (s *Session) setAttrs(a Attributes) {
	s.Attrs = a
	s.User = a.Text(UserName)
	s.AcctSessionID = a.Text(AcctSessionID)
	s.IPv4, _ = a.Uint32(FramedIPAddress)
}

// isPassing reports whether an attribute belongs to one packet and not to the session.
func isPassing(t AttributeType) bool {
	switch t {
	case ProxyState, AcctStatusType, AcctDelayTime, AcctInputOctets, AcctOutputOctets, AcctSessionTime,
		AcctInputPackets, AcctOutputPackets, AcctTerminateCause, AcctInputGigawords, AcctOutputGigawords,
		EventTimestamp, MessageAuth:
		return true
	}
	return false
}

// lasting is what of a packet belongs to the session, in memory of its own.
func lasting(a Attributes) Attributes {
	var b strings.Builder
	b.Grow(len(a))
	for t, v := range a.All() {
		if !isPassing(t) {
			appendTo(&b, t, v)
		}
	}
	return Attributes(b.String())
}

func appendTo(b *strings.Builder, t AttributeType, v string) {
	b.WriteByte(byte(t))
	b.WriteByte(byte(len(v) + 2))
	b.WriteString(v)
}

// merge gives the session's attributes with those that a later packet has learned or changed: an
// attribute type in the packet replaces all of that type. Of vendors' attributes those of the start
// stay, since in interims they are counters. All else that a late start has is older than what is
// known, and only adds to it.
func merge(old Attributes, ev *Event, late bool) Attributes {
	changed := false
	for t, v := range ev.Attrs.All() {
		if replaces(old, t, ev, late) {
			if was, ok := old.Get(t); !ok || was != v && !hasSeveral(ev.Attrs, t) {
				changed = true
				break
			}
		}
	}
	if !changed {
		return old
	}
	var b strings.Builder
	for t, v := range old.All() {
		if _, again := ev.Attrs.Get(t); !again || !replaces(old, t, ev, late) {
			appendTo(&b, t, v)
		}
	}
	for t, v := range ev.Attrs.All() {
		if replaces(old, t, ev, late) {
			appendTo(&b, t, v)
		}
	}
	return Attributes(b.String())
}

func replaces(old Attributes, t AttributeType, ev *Event, late bool) bool {
	if t == VendorSpecific {
		return ev.Type == Start
	}
	if isPassing(t) {
		return false
	}
	_, has := old.Get(t)
	return !has || !late
}

// hasSeveral reports whether a type comes more than once (Class may): then the first alone says
// nothing about a change, and what the session has stands.
func hasSeveral(a Attributes, t AttributeType) bool {
	n := 0
	for u := range a.All() {
		if u == t {
			n++
		}
	}
	return n > 1
}
