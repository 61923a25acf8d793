package sessions

import (
	"cmp"

	"aaasess/internal/radius"
)

// namesKind reports whether a start tells the kind of a session better than earlier packets: it has
// a Service-Type, and one of the attributes of the service is new.
func namesKind(known, start radius.Attributes) bool {
	if _, says := start.Get(radius.ServiceType); !says {
		return false
	}
	for _, t := range [...]radius.Type{radius.ServiceType, radius.LoginService, radius.LoginIPHost} {
		_, had := known.Get(t)
		if _, has := start.Get(t); has && !had {
			return true
		}
	}
	return false
}

// setAttrs sets the attributes, and the address that the row shows: that of the Access-Accept if the NAS
// has sent none.
func (s *Session) setAttrs(a radius.Attributes) {
	s.Attrs = a
	s.IPv4 = assignedAddress(a)
	if granted := s.Granted(); granted != "" {
		s.IPv4 = cmp.Or(s.IPv4, assignedAddress(granted))
	}
}

// assignedAddress returns the Framed-IP-Address, 0 if there is none or it is not assigned yet.
func assignedAddress(a radius.Attributes) (addr uint32) {
	if v := a.Text(radius.FramedIPAddress); len(v) == 4 && !radius.IsUnassigned(v) {
		addr, _ = a.Uint32(radius.FramedIPAddress)
	}
	return addr
}

// isProvisional reports whether an address is unassigned or link-local (RFC 3927): another follows.
func isProvisional(v string) bool {
	return len(v) != 4 || radius.IsUnassigned(v) || v[0] == 169 && v[1] == 254
}

// isPerPacket reports whether an attribute belongs to one packet and not to the session.
func isPerPacket(t radius.Type) bool {
	switch t {
	case radius.ProxyState, radius.AcctStatusType, radius.AcctDelayTime, radius.AcctInputOctets, radius.AcctOutputOctets, radius.AcctSessionTime,
		radius.AcctInputPackets, radius.AcctOutputPackets, radius.AcctTerminateCause, radius.AcctInputGigawords, radius.AcctOutputGigawords,
		radius.EventTimestamp, radius.MessageAuthenticator:
		return true
	}
	return false
}

// attrsRoom is room on the stack for building attributes. The conversion to a string copies them, so a
// slice on the heap would be garbage at once. More attributes than it has room for go to the heap.
type attrsRoom [1024]byte

// sessionAttrs returns a copy of a packet's attributes that belong to the session.
func sessionAttrs(a radius.Attributes) radius.Attributes {
	var room attrsRoom
	b := room[:0]
	for t, v := range a.All() {
		if !isPerPacket(t) {
			b = radius.AppendAttribute(b, t, v)
		}
	}
	return radius.Attributes(b)
}

// merge returns the session's attributes after a packet. An attribute of the packet replaces all
// attributes of its type, or of its extended type (RFC 6929), with two exceptions. Only a start
// replaces vendor attributes, because in interims they are counters. The other attributes of a late
// start are older than what is known, and are only added.
func merge(old radius.Attributes, ev *Event, late bool) radius.Attributes {
	changed := false
	for t, v := range ev.Attrs.All() {
		if k := radius.KeyOf(t, v); replaces(old, k, ev, late) {
			if was, ok := old.First(k); !ok || was != v && !hasSeveral(ev.Attrs, k) {
				changed = true
				break
			}
		}
	}
	if !changed {
		return old
	}
	var room attrsRoom
	b := room[:0]
	for t, v := range old.All() {
		k := radius.KeyOf(t, v)
		if _, again := ev.Attrs.First(k); !again || !replaces(old, k, ev, late) {
			b = radius.AppendAttribute(b, t, v)
		}
	}
	for t, v := range ev.Attrs.All() {
		if replaces(old, radius.KeyOf(t, v), ev, late) {
			b = radius.AppendAttribute(b, t, v)
		}
	}
	return radius.Attributes(b)
}

// replaces reports whether the packet's attributes with this key replace those of the session. A
// provisional address never replaces the user's own, which always replaces a provisional one.
func replaces(old radius.Attributes, k radius.Key, ev *Event, late bool) bool {
	t := k.Type()
	switch was, has := old.First(k); {
	case t == radius.VendorSpecific:
		return ev.Type == Start
	case isPerPacket(t):
		return false
	case t == radius.FramedIPAddress && has && isProvisional(was):
		return !late || !isProvisional(ev.Attrs.Text(t))
	case t == radius.FramedIPAddress && has:
		return !late && !isProvisional(ev.Attrs.Text(t))
	default:
		return !has || !late
	}
}

// hasSeveral reports whether a packet has a key more than once, as Class may be. Then its first
// value does not tell whether something has changed, and the session's values stay.
func hasSeveral(a radius.Attributes, k radius.Key) bool {
	n := 0
	for t, v := range a.All() {
		if radius.KeyOf(t, v) == k {
			n++
		}
	}
	return n > 1
}
