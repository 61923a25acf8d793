package accounting

import (
	"encoding/binary"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Drop is how many attributes were left out for one reason, and the first.
type Drop struct {
	Count int
	First radius.Type
	Value string // of the first
}

func (d *Drop) add(t radius.Type, value string, n int) {
	if d.Count == 0 {
		d.First, d.Value = t, value
	}
	d.Count += n
}

// Dropped is what of a NAS's packet is not in its record, by reason. Proxy-State, Message-Authenticator and
// Acct-Delay-Time are of one hop, are never in a record and do not count.
type Dropped struct {
	TooLarge  Drop // found no room in a RADIUS packet
	Empty     Drop // had no value (RFC 2865 section 5)
	Repeated  Drop // came more often than their RFC allows
	Forbidden Drop // must not be in an Accounting-Request
}

// Compose appends to b the attributes of the record that a notice makes (R46), complete but for
// Acct-Delay-Time: what the NAS sent, in its order, without what is not well formed ([Dropped], R35), then what
// the session has besides: for a start everything, for an interim or stop only what identifies it, for an
// [sessions.Other] only which NAS it is. A stop that the NAS did not send has what identifies the session, and
// what it had used when last heard of.
func Compose(b []byte, n *sessions.Notice) (attrs []byte, dropped Dropped) {
	c := composer{b: b, start: len(b), n: n, dictionary: radius.Standard()}
	if n.Type != sessions.Other && n.Attrs.Text(radius.AcctStatusType) == "" {
		c.uint32(radius.AcctStatusType, uint32(n.Type))
	}
	for t, v := range n.Attrs.All() {
		c.take(t, v)
	}
	dropped = c.dropped // what is wrong with the session's own was counted with the packet that it came with
	c.complete()
	c.identity()
	if n.Type == sessions.Stop && n.Attrs == "" {
		c.usage()
	}
	if n.Cause != 0 && n.Type == sessions.Stop && !c.have.has(keyOf(radius.AcctTerminateCause)) {
		c.uint32(radius.AcctTerminateCause, n.Cause)
	}
	if at := n.At.Unix(); at > 0 && !c.have.has(keyOf(radius.EventTimestamp)) {
		c.uint32(radius.EventTimestamp, uint32(at))
	}
	attrs, dropped.TooLarge = fit(c.b, c.start)
	return attrs, dropped
}

// composer is one list of attributes in the making.
type composer struct {
	b          []byte
	start      int // where in b the list begins
	n          *sessions.Notice
	dictionary *radius.Dictionary
	have       keySet
	dropped    Dropped
	open       radius.Key // the value of the last attribute goes on in the next of this key; 0: it is whole
}

// take adds an attribute of the NAS's. Those that say what we know better are made anew in its place.
func (c *composer) take(t radius.Type, v string) {
	key, limit := radius.KeyOf(t, v), c.dictionary.InAccounting(t)
	switch {
	case t == radius.ProxyState || t == radius.MessageAuthenticator || t == radius.AcctDelayTime:
		return
	case limit == radius.Never:
		c.dropped.Forbidden.add(t, v, 1)
		return
	case isEmpty(t, v, c.open == key):
		c.dropped.Empty.add(t, v, 1)
		return
	case limit == radius.ZeroOrOne && c.have.has(key), limit == radius.OnePerTag && c.have.has(key) && c.hasTag(t, radius.Tag(v)):
		c.dropped.Repeated.add(t, v, 1)
		return
	}
	switch {
	case t == radius.AcctStatusType && c.n.Type != sessions.Other:
		c.uint32(t, uint32(c.n.Type))
	case t == radius.AcctSessionID && c.isOurs():
		c.sessionID()
	case t == radius.AcctTerminateCause && c.n.Cause != 0:
		c.uint32(t, c.n.Cause)
	default:
		c.text(t, v)
	}
	c.open = 0
	if radius.IsFragment(t, v) {
		c.open = key
	}
}

// isEmpty reports whether an attribute has no value, of an extended type none behind its extended type and flags
// (RFC 6929 sections 2.1 and 2.2). One that belongs to fragments, among or after them, says at least where they end.
func isEmpty(t radius.Type, v string, goesOn bool) bool {
	switch t {
	case 241, 242, 243, 244:
		return len(v) < 2
	case 245, 246:
		return len(v) < 2 || len(v) == 2 && !goesOn && !radius.IsFragment(t, v)
	}
	return v == ""
}

// hasTag reports whether there is a tunnel attribute of this type and tag.
func (c *composer) hasTag(t radius.Type, tag byte) bool {
	for u, v := range radius.Attributes(c.b[c.start:]).All() {
		if u == t && radius.Tag(v) == tag {
			return true
		}
	}
	return false
}

// complete adds what the session has and the packet has not. Of a type that the packet has nothing is added.
func (c *composer) complete() {
	wanted := isIdentity
	switch c.n.Type {
	case sessions.Start:
		wanted = func(radius.Type) bool { return true }
	case sessions.Other:
		if c.namesNAS() {
			return
		}
		wanted = NamesNAS
	}
	sent := c.have
	c.open = 0
	for t, v := range c.n.Session.Attrs.All() {
		if wanted(t) && !sent.has(radius.KeyOf(t, v)) {
			c.take(t, v)
		}
	}
}

func (c *composer) text(t radius.Type, v string) {
	c.b = radius.AppendAttribute(c.b, t, v)
	c.have.add(radius.KeyOf(t, v))
}

func (c *composer) uint32(t radius.Type, n uint32) {
	c.b = radius.AppendUint32(c.b, t, n)
	c.have.add(keyOf(t))
}

// isOurs reports whether the Acct-Session-Id is our number. A session that was made for an Other has none.
func (c *composer) isOurs() bool { return c.n.Type != sessions.Other || c.n.Session.ID != 0 }

// sessionID adds our id in place of the NAS's. It is ID.String without its allocations.
func (c *composer) sessionID() {
	const hex = "0123456789ABCDEF"
	c.b = append(c.b, byte(radius.AcctSessionID), 2+8)
	for shift := 28; shift >= 0; shift -= 4 {
		c.b = append(c.b, hex[c.n.Session.ID>>shift&15])
	}
	c.have.add(keyOf(radius.AcctSessionID))
}

// identity adds what RFC 2866 asks every record to have: the id, and (section 5.13) who the NAS is.
func (c *composer) identity() {
	s := c.n.Session
	if !c.have.has(keyOf(radius.AcctSessionID)) {
		if c.isOurs() {
			c.sessionID()
		} else if s.AcctSessionID != "" {
			c.text(radius.AcctSessionID, s.AcctSessionID)
		}
	}
	if s.NAS == nil || !s.NAS.Addr.IsValid() || c.namesNAS() {
		return
	}
	if addr := s.NAS.Addr.Unmap(); addr.Is4() {
		four := addr.As4()
		c.uint32(radius.NASIPAddress, binary.BigEndian.Uint32(four[:]))
	} else {
		sixteen := addr.As16()
		c.text(radius.NASIPv6Address, string(sixteen[:]))
	}
}

// namesNAS reports whether the list says which NAS it is from.
func (c *composer) namesNAS() bool {
	return c.have.has(keyOf(radius.NASIPAddress)) || c.have.has(keyOf(radius.NASIdentifier)) ||
		c.have.has(keyOf(radius.NASIPv6Address))
}

// usage adds what a stop of our own making tells of a session's use: of the counters those that the NAS ever sent.
// An exec session mostly has none, and the examples of S1 then have none of these attributes.
func (c *composer) usage() {
	s := c.n.Session
	u := &s.Usage
	if s.Kind != sessions.Exec || u.InputOctets|u.OutputOctets|u.InputPackets|u.OutputPackets != 0 {
		c.counter(radius.AcctInputOctets, u.InputOctets, sessions.InputOctets)
		c.counter(radius.AcctOutputOctets, u.OutputOctets, sessions.OutputOctets)
		c.counter(radius.AcctInputPackets, u.InputPackets, sessions.InputPackets)
		c.counter(radius.AcctOutputPackets, u.OutputPackets, sessions.OutputPackets)
		c.counter(radius.AcctInputGigawords, u.InputOctets>>32, 0)
		c.counter(radius.AcctOutputGigawords, u.OutputOctets>>32, 0)
	}
	seconds := u.SessionTime
	if c.n.Cause == sessions.CauseAdminReset && s.StartSeen {
		// We ended it now; otherwise nobody knows how long it went on after it was last heard of.
		lasted := max(0, min(c.n.Lasted/time.Second, 1<<32-1))
		c.uint32(radius.AcctSessionTime, max(seconds, uint32(lasted)))
		return
	}
	c.counter(radius.AcctSessionTime, uint64(seconds), sessions.SessionTime)
}

// counter adds a counter, or its low 32 bits, that the NAS has sent. One that is not 0 it has sent, whatever
// Counted says: that of a session from an older store is empty.
func (c *composer) counter(t radius.Type, n uint64, field sessions.UsageFields) {
	if n != 0 || c.n.Session.Counted&field != 0 {
		c.uint32(t, uint32(n))
	}
}

// keyOf is the key of a type that is not extended.
func keyOf(t radius.Type) radius.Key { return radius.Key(t) << 8 }

// keySet is a set of attribute keys.
type keySet struct {
	types    octetSet
	extended [radius.LastExtended - radius.FirstExtended + 1]octetSet // by extended type
}

func (s *keySet) add(k radius.Key) {
	if t := k.Type(); t >= radius.FirstExtended && t <= radius.LastExtended {
		s.extended[t-radius.FirstExtended].add(byte(k))
	} else {
		s.types.add(byte(t))
	}
}

func (s *keySet) has(k radius.Key) bool {
	if t := k.Type(); t >= radius.FirstExtended && t <= radius.LastExtended {
		return s.extended[t-radius.FirstExtended].has(byte(k))
	}
	return s.types.has(byte(k.Type()))
}

// octetSet is a set of octets.
type octetSet [4]uint64

func (s *octetSet) add(o byte)      { s[o>>6] |= 1 << (o & 63) }
func (s *octetSet) has(o byte) bool { return s[o>>6]>>(o&63)&1 != 0 }
