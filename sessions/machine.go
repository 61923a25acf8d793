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

// decide is the life cycle. known is the live session that the event names, or nil; endedAt is when
// the last one of that name ended, if known is nil and one is remembered, else 0.
func decide(known *Session, endedAt time.Duration, ev *Event) step {
	at := unix(ev.At)
	if known == nil {
		switch {
		case endedAt != 0 && ev.Type == Stop,
			endedAt != 0 && ev.Type == Start && at <= endedAt,
			endedAt != 0 && ev.Type == Interim && at <= endedAt+livesOn:
			return repeat
		case ev.Type == Stop:
			return pass
		}
		return begin
	}
	switch ev.Type {
	case Stop:
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

// isNews tells an interim from a copy of one that we have, or an older one, by what the NAS gives:
// its time stamp, the session time, the counters. A NAS that retransmits with a new identifier and
// Acct-Delay-Time (hostapd) leaves nothing else the same. With none of them it counts as new.
func isNews(s *Session, ev *Event) bool {
	stamped := ev.EventStamp != 0 && s.EventStamp != 0
	switch {
	case stamped && ev.EventStamp != s.EventStamp:
		return ev.EventStamp > s.EventStamp
	case ev.HasUsage && ev.Usage.SessionTime != s.Usage.SessionTime:
		return ev.Usage.SessionTime > s.Usage.SessionTime
	case ev.HasUsage && ev.Usage.grewFrom(s.Usage):
		return true
	}
	if ip, ok := ev.Attrs.Uint32(FramedIPAddress); ok && ip != s.IPv4 {
		return true
	}
	return !stamped && (!ev.HasUsage || ev.Usage.SessionTime == 0)
}

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
	s := &Session{
		ID: id, Kind: ev.Kind, State: Active, StartSeen: ev.Type == Start, NAS: nas,
		IfIndex: ev.IfIndex, PortIfIndex: ev.PortIfIndex, EventStamp: ev.EventStamp,
		Started: unix(ev.At) - time.Duration(ev.Usage.SessionTime)*time.Second,
		Heard:   unix(ev.At), Data: unix(ev.At), Usage: ev.Usage,
	}
	s.setAttrs(lasting(ev.Attrs))
	return s
}

// updated is the session after an interim, or after a start that comes late.
func updated(s *Session, ev *Event) *Session {
	n := *s
	n.StartSeen = s.StartSeen || ev.Type == Start
	if ev.Type == Start && unix(ev.At) < s.Started {
		n.Started = unix(ev.At)
	}
	n.hear(ev)
	if merged := merge(s.Attrs, ev); merged != s.Attrs {
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

// hear takes over what every event brings.
func (s *Session) hear(ev *Event) {
	at := unix(ev.At)
	s.Heard = max(s.Heard, at)
	s.EventStamp = max(s.EventStamp, ev.EventStamp)
	if ev.IfIndex != 0 {
		s.IfIndex = ev.IfIndex
	}
	if ev.PortIfIndex != 0 {
		s.PortIfIndex = ev.PortIfIndex
	}
	if !ev.HasUsage {
		return
	}
	if ev.Usage.grewFrom(s.Usage) {
		s.Data = max(s.Data, at)
	}
	s.Usage = ev.Usage
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
// stay, since in interims they are counters.
func merge(old Attributes, ev *Event) Attributes {
	changed := false
	for t, v := range ev.Attrs.All() {
		if replaces(t, ev) {
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
		if _, again := ev.Attrs.Get(t); !again || !replaces(t, ev) {
			appendTo(&b, t, v)
		}
	}
	for t, v := range ev.Attrs.All() {
		if replaces(t, ev) {
			appendTo(&b, t, v)
		}
	}
	return Attributes(b.String())
}

func replaces(t AttributeType, ev *Event) bool {
	return !isPassing(t) && (t != VendorSpecific || ev.Type == Start)
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
