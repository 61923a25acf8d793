package accounting

import (
	"encoding/binary"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Drop counts the attributes that were left out for one reason, and keeps the first one.
type Drop struct {
	Count int
	First radius.Type
	Value string // value of the first
}

func (d *Drop) add(t radius.Type, value string, n int) {
	if d.Count == 0 {
		d.First, d.Value = t, value
	}
	d.Count += n
}

// Dropped is what was left out of a record, by reason. Proxy-State, Message-Authenticator and
// Acct-Delay-Time belong to one hop: they are never in a record and do not count.
type Dropped struct {
	TooLarge  Drop // did not fit into a RADIUS packet
	Empty     Drop // had no value (RFC 2865 section 5)
	Repeated  Drop // occurred more often than their RFC allows
	Forbidden Drop // must not be in an Accounting-Request
}

// Compose appends to b the attributes of a notice's record (R46), complete except for
// Acct-Delay-Time. First come the attributes of the NAS's packet, in order, without malformed ones
// ([Dropped], R35). Then come attributes of the session that the packet lacks: for a start all; for
// an interim or stop those that identify the session; for a [sessions.Other] only those that
// identify the NAS. A stop or interim that the NAS did not send has the attributes that identify
// the session and its last known usage. A record that repeats a session ([sessions.Notice].Only) has
// all attributes of the session.
//
// Last come the attributes that authentication granted ([sessions.Session.Granted]) and that neither
// the packet nor the session has; see isSentIfGranted. The User-Name of the Access-Accept replaces
// that of the NAS wherever a record has one (RFC 2865 section 5.1), and its Framed-IP-Address one that
// says that there is none yet.
func Compose(b []byte, n *sessions.Notice) (attrs []byte, dropped Dropped) {
	c := composer{b: b, start: len(b), n: n, dictionary: radius.Standard()}
	c.findGranted()
	if n.Type != sessions.Other && n.Attrs.Text(radius.AcctStatusType) == "" {
		c.appendUint32(radius.AcctStatusType, uint32(statusType(n.Type, n.Session.Kind)))
	}
	for t, v := range n.Attrs.All() {
		c.addReceived(t, v)
	}
	dropped = c.dropped // faults in the session's attributes were counted with the packet that brought them
	c.addMissing()
	c.addIdentity()
	if n.Attrs == "" && (n.Type == sessions.Stop || n.Type == sessions.Interim) {
		c.addUsage()
	}
	if n.Lasted > 0 && n.Attrs != "" && n.Session.Kind != sessions.VRRS && !c.present.has(keyOf(radius.AcctSessionTime)) {
		c.appendUint32(radius.AcctSessionTime, uint32(min(n.Lasted/time.Second, 1<<32-1)))
	}
	if n.Cause != 0 && n.Type == sessions.Stop && !c.present.has(keyOf(radius.AcctTerminateCause)) {
		c.appendUint32(radius.AcctTerminateCause, n.Cause)
	}
	if at := eventTimestamp(n); at > 0 && !c.present.has(keyOf(radius.EventTimestamp)) {
		c.appendUint32(radius.EventTimestamp, uint32(at))
	}
	attrs, dropped.TooLarge = fit(c.b, c.start)
	return attrs, dropped
}

// eventTimestamp returns the Event-Timestamp for a packet without one. A start that is repeated has
// that of the first one, so to servers it is a copy.
func eventTimestamp(n *sessions.Notice) int64 {
	if n.Only != "" && n.Type == sessions.Start && n.Session.StartTimestamp != 0 {
		return int64(n.Session.StartTimestamp)
	}
	return n.At.Unix()
}

// composer builds one list of attributes.
type composer struct {
	b          []byte
	start      int // where the list begins in b
	n          *sessions.Notice
	dictionary *radius.Dictionary
	present    keySet
	dropped    Dropped
	// The last attribute is a fragment that continues in the next one of this key; 0: it is complete.
	fragmentKey radius.Key
	// Of the Access-Accept, "" if it has none that counts.
	userName, framedIP string
}

// statusType returns the Acct-Status-Type of the records of an event. S2's accounting of VRRS is that of
// the system: a group of routers gets an Accounting-On when the NAS becomes its master, and an
// Accounting-Off when it no longer is.
func statusType(t sessions.EventType, k sessions.Kind) sessions.EventType {
	switch {
	case k == sessions.VRRS && t == sessions.Start:
		return sessions.On
	case k == sessions.VRRS && t == sessions.Stop:
		return sessions.Off
	}
	return t
}

// isUsage reports whether an attribute is only for starts, interims and stops of users: the usage and
// the time of a session (RFC 2866 sections 5.3 to 5.9).
func isUsage(t radius.Type) bool {
	switch t {
	case radius.AcctInputOctets, radius.AcctOutputOctets, radius.AcctInputPackets, radius.AcctOutputPackets,
		radius.AcctInputGigawords, radius.AcctOutputGigawords, radius.AcctSessionTime:
		return true
	}
	return false
}

// addReceived adds an attribute of the NAS's packet. If we know a better value, the attribute gets
// that value.
func (c *composer) addReceived(t radius.Type, v string) {
	key, limit := radius.KeyOf(t, v), c.dictionary.InAccounting(t)
	switch {
	case t == radius.ProxyState || t == radius.MessageAuthenticator || t == radius.AcctDelayTime:
		return
	case c.n.Session.Kind == sessions.VRRS && isUsage(t):
		return
	case limit == radius.Never:
		c.dropped.Forbidden.add(t, v, 1)
		return
	case isEmpty(t, v, c.fragmentKey == key):
		c.dropped.Empty.add(t, v, 1)
		return
	case limit == radius.ZeroOrOne && c.present.has(key), limit == radius.OnePerTag && c.present.has(key) && c.hasTag(t, radius.Tag(v)):
		c.dropped.Repeated.add(t, v, 1)
		return
	}
	switch {
	case t == radius.AcctStatusType && c.n.Type != sessions.Other:
		c.appendUint32(t, uint32(statusType(c.n.Type, c.n.Session.Kind)))
	case t == radius.AcctSessionID && c.hasOurID():
		c.appendSessionID()
	case t == radius.UserName && c.userName != "":
		c.appendText(t, c.userName)
	case t == radius.FramedIPAddress && c.framedIP != "" && radius.IsUnassigned(v):
		c.appendText(t, c.framedIP)
	case t == radius.AcctTerminateCause && c.n.Cause != 0:
		c.appendUint32(t, c.n.Cause)
	default:
		c.appendText(t, v)
	}
	c.fragmentKey = 0
	if radius.IsFragment(t, v) {
		c.fragmentKey = key
	}
}

// isEmpty reports whether an attribute has no value. The value of an extended type starts after its
// extended type and flags (RFC 6929 sections 2.1 and 2.2). An empty fragment is not empty in this
// sense, since it marks the end of the fragments before it.
func isEmpty(t radius.Type, v string, continues bool) bool {
	switch t {
	case 241, 242, 243, 244:
		return len(v) < 2
	case 245, 246:
		return len(v) < 2 || len(v) == 2 && !continues && !radius.IsFragment(t, v)
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

// addMissing adds attributes of the session whose type the packet does not have.
func (c *composer) addMissing() {
	wanted := isIdentity
	switch {
	case c.n.Type == sessions.Start, c.n.Only != "", c.n.Session.Kind == sessions.VRRS: // the server may not know the session
		wanted = func(radius.Type, string) bool { return true }
	case c.n.Type == sessions.Other:
		if c.identifiesNAS() {
			return
		}
		wanted = func(t radius.Type, _ string) bool { return IdentifiesNAS(t) }
	}
	sent := c.present
	c.fragmentKey = 0
	for t, v := range c.n.Session.Attrs.All() {
		if wanted(t, v) && !sent.has(radius.KeyOf(t, v)) {
			c.addReceived(t, v)
		}
	}
	if c.n.Type != sessions.Other {
		c.addGranted()
	}
}

// findGranted finds what replaces attributes of the NAS.
func (c *composer) findGranted() {
	s := c.n.Session
	granted := s.Granted()
	if granted == "" {
		return
	}
	c.userName = granted.Text(radius.UserName)
	if ip, _ := granted.Get(radius.FramedIPAddress); isSentIfGranted(s.Kind, radius.FramedIPAddress, ip) {
		c.framedIP = ip
	}
}

// addGranted adds what authentication granted, if neither the packet nor the session has an
// attribute of its type.
func (c *composer) addGranted() {
	granted := c.n.Session.Granted()
	if granted == "" {
		return
	}
	sent := c.present
	c.fragmentKey = 0
	for t, v := range granted.All() {
		if isSentIfGranted(c.n.Session.Kind, t, v) && !sent.has(keyOf(t)) {
			c.addReceived(t, v)
		}
	}
}

func (c *composer) appendText(t radius.Type, v string) {
	c.b = radius.AppendAttribute(c.b, t, v)
	c.present.add(radius.KeyOf(t, v))
}

func (c *composer) appendUint32(t radius.Type, n uint32) {
	c.b = radius.AppendUint32(c.b, t, n)
	c.present.add(keyOf(t))
}

// hasOurID reports whether the record has the name of our session as its Acct-Session-Id. A record of
// an Other without a session does not.
func (c *composer) hasOurID() bool { return c.n.Type != sessions.Other || c.n.Session.ID != 0 }

// appendSessionID adds the name of the session: [sessions.Session.Name] without allocations.
func (c *composer) appendSessionID() {
	if a := c.n.Session.Admission; a != nil && a.Upstream != "" {
		c.appendText(radius.AcctSessionID, a.Upstream)
		return
	}
	const hex = "0123456789ABCDEF"
	c.b = append(c.b, byte(radius.AcctSessionID), 2+8)
	for shift := 28; shift >= 0; shift -= 4 {
		c.b = append(c.b, hex[c.n.Session.ID>>shift&15])
	}
	c.present.add(keyOf(radius.AcctSessionID))
}

// addIdentity adds the attributes that RFC 2866 requires in every record: the Acct-Session-Id, and
// one that identifies the NAS (section 5.13).
func (c *composer) addIdentity() {
	s := c.n.Session
	if !c.present.has(keyOf(radius.AcctSessionID)) {
		if c.hasOurID() {
			c.appendSessionID()
		} else if sid := s.AcctSessionID(); sid != "" {
			c.appendText(radius.AcctSessionID, sid)
		}
	}
	if s.NAS == nil || !s.NAS.Addr.IsValid() || c.identifiesNAS() {
		return
	}
	if addr := s.NAS.Addr.Unmap(); addr.Is4() {
		four := addr.As4()
		c.appendUint32(radius.NASIPAddress, binary.BigEndian.Uint32(four[:]))
	} else {
		sixteen := addr.As16()
		c.appendText(radius.NASIPv6Address, string(sixteen[:]))
	}
}

// identifiesNAS reports whether the list has an attribute that identifies the NAS.
func (c *composer) identifiesNAS() bool {
	return c.present.has(keyOf(radius.NASIPAddress)) || c.present.has(keyOf(radius.NASIdentifier)) ||
		c.present.has(keyOf(radius.NASIPv6Address))
}

// addUsage adds the last known usage to a stop or interim that the NAS did not send. It adds only
// counters that the NAS has ever sent, or that the session's interface has. An exec session usually has
// none, and the examples of S1 show none of these attributes then.
func (c *composer) addUsage() {
	s := c.n.Session
	if s.Kind == sessions.VRRS {
		return
	}
	u, known := s.Used()
	if s.Kind != sessions.Exec || u.InputOctets|u.OutputOctets|u.InputPackets|u.OutputPackets != 0 {
		c.addCounter(radius.AcctInputOctets, u.InputOctets, known&sessions.InputOctets != 0)
		c.addCounter(radius.AcctOutputOctets, u.OutputOctets, known&sessions.OutputOctets != 0)
		c.addCounter(radius.AcctInputPackets, u.InputPackets, known&sessions.InputPackets != 0)
		c.addCounter(radius.AcctOutputPackets, u.OutputPackets, known&sessions.OutputPackets != 0)
		c.addCounter(radius.AcctInputGigawords, u.InputOctets>>32, false)
		c.addCounter(radius.AcctOutputGigawords, u.OutputOctets>>32, false)
	}
	seconds := u.SessionTime
	if c.n.Type == sessions.Interim || !s.Told().IsZero() || c.n.Cause == sessions.CauseAdminReset && s.StartSeen {
		// The session lives, or we have told that it lasted so long, or we have ended it now.
		// Otherwise it is unknown how long it lasted after its last packet.
		lasted := max(0, min(c.n.Lasted/time.Second, 1<<32-1))
		c.appendUint32(radius.AcctSessionTime, max(seconds, uint32(lasted)))
		return
	}
	c.addCounter(radius.AcctSessionTime, uint64(seconds), known&sessions.SessionTime != 0)
}

// addCounter adds the low 32 bits of a counter that is known. A counter above 0 was sent, even if the
// session does not say so: one of an older store has no Counted.
func (c *composer) addCounter(t radius.Type, n uint64, known bool) {
	if n != 0 || known {
		c.appendUint32(t, uint32(n))
	}
}

// keyOf returns the key of a type that is not extended.
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
