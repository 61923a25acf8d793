package accounting

import (
	"encoding/binary"
	"time"

	"aaasess/sessions"
)

// Attributes of RFC 2865 that an Accounting-Request must not have (RFC 2866 section 4.1).
const (
	userPassword sessions.AttributeType = 2
	chapPassword sessions.AttributeType = 3
	replyMessage sessions.AttributeType = 18
	stateOfAuth  sessions.AttributeType = 24
)

// maxAttributes is what fits into a RADIUS packet (RFC 2865 section 3) beside the header and the
// Acct-Delay-Time that the transport adds.
const maxAttributes = 4096 - 20 - 6

// typeSet is a set of attribute types.
type typeSet [4]uint64

func (s *typeSet) add(t sessions.AttributeType)      { s[t>>6] |= 1 << (t & 63) }
func (s *typeSet) has(t sessions.AttributeType) bool { return s[t>>6]>>(t&63)&1 != 0 }

// Compose appends to b the attributes of the record that a notice makes (R46), complete but for
// Acct-Delay-Time: what the NAS sent, in its order, then what the session has besides. For a stop
// that the NAS did not send they are those of the session, and what it had used when last heard of.
// dropped is how many attributes found no room in a RADIUS packet.
func Compose(b []byte, n *sessions.Notice) (attrs []byte, dropped int) {
	c := composer{b: b, n: n}
	if _, ok := n.Attrs.Get(sessions.AcctStatusType); !ok {
		c.uint32(sessions.AcctStatusType, uint32(n.Type))
	}
	for t, v := range n.Attrs.All() {
		c.take(t, v)
	}
	sent := c.have
	for t, v := range n.Session.Attrs.All() {
		if !sent.has(t) {
			c.take(t, v)
		}
	}
	c.identity()
	if n.Type == sessions.Stop && n.Attrs == "" {
		c.usage()
	}
	if n.Cause != 0 && n.Type == sessions.Stop && !c.have.has(sessions.AcctTerminateCause) {
		c.uint32(sessions.AcctTerminateCause, n.Cause)
	}
	if at := n.At.Unix(); at > 0 && !c.have.has(sessions.EventTimestamp) {
		c.uint32(sessions.EventTimestamp, uint32(at))
	}
	return fit(c.b, len(b))
}

// composer is one list of attributes in the making.
type composer struct {
	b    []byte
	n    *sessions.Notice
	have typeSet
}

// take adds an attribute of the NAS's. Those that say what we know better are made anew in its place, once.
func (c *composer) take(t sessions.AttributeType, v string) {
	switch t {
	case sessions.ProxyState, sessions.MessageAuth, sessions.AcctDelayTime,
		userPassword, chapPassword, replyMessage, stateOfAuth:
		return
	case sessions.AcctStatusType:
		if !c.have.has(t) {
			c.uint32(t, uint32(c.n.Type))
		}
	case sessions.AcctSessionID:
		if !c.have.has(t) {
			c.sessionID()
		}
	case sessions.AcctTerminateCause:
		if c.n.Cause == 0 {
			c.text(t, v)
		} else if !c.have.has(t) {
			c.uint32(t, c.n.Cause)
		}
	default:
		c.text(t, v)
	}
}

func (c *composer) text(t sessions.AttributeType, v string) {
	c.b = sessions.AppendAttribute(c.b, t, v)
	c.have.add(t)
}

func (c *composer) uint32(t sessions.AttributeType, n uint32) {
	c.b = sessions.AppendUint32(c.b, t, n)
	c.have.add(t)
}

// sessionID adds our id in place of the NAS's. It is ID.String without its allocations.
func (c *composer) sessionID() {
	const hex = "0123456789ABCDEF"
	c.b = append(c.b, byte(sessions.AcctSessionID), 2+8)
	for shift := 28; shift >= 0; shift -= 4 {
		c.b = append(c.b, hex[c.n.Session.ID>>shift&15])
	}
	c.have.add(sessions.AcctSessionID)
}

// identity adds what RFC 2866 asks every record to have: the id, and (section 5.13) who the NAS is.
func (c *composer) identity() {
	if !c.have.has(sessions.AcctSessionID) {
		c.sessionID()
	}
	nas := c.n.Session.NAS
	if nas == nil || !nas.Addr.IsValid() || c.have.has(sessions.NASIPAddress) ||
		c.have.has(sessions.NASIdentifier) || c.have.has(sessions.NASIPv6Address) {
		return
	}
	if addr := nas.Addr.Unmap(); addr.Is4() {
		four := addr.As4()
		c.uint32(sessions.NASIPAddress, binary.BigEndian.Uint32(four[:]))
	} else {
		sixteen := addr.As16()
		c.text(sessions.NASIPv6Address, string(sixteen[:]))
	}
}

// usage adds what a stop tells of a session's use. An exec session mostly has no counters, and the
// examples of S1 then have none of these attributes.
func (c *composer) usage() {
	s := c.n.Session
	u := &s.Usage
	if s.Kind != sessions.Exec || u.InputOctets|u.OutputOctets|u.InputPackets|u.OutputPackets != 0 {
		c.uint32(sessions.AcctInputOctets, uint32(u.InputOctets))
		c.uint32(sessions.AcctOutputOctets, uint32(u.OutputOctets))
		c.uint32(sessions.AcctInputPackets, uint32(u.InputPackets))
		c.uint32(sessions.AcctOutputPackets, uint32(u.OutputPackets))
		if high := u.InputOctets >> 32; high != 0 {
			c.uint32(sessions.AcctInputGigawords, uint32(high))
		}
		if high := u.OutputOctets >> 32; high != 0 {
			c.uint32(sessions.AcctOutputGigawords, uint32(high))
		}
	}
	seconds := u.SessionTime
	if c.n.Cause == sessions.CauseAdminReset && s.StartSeen {
		// We ended it now; otherwise nobody knows how long it went on after it was last heard of.
		lasted := max(0, min(c.n.Lasted/time.Second, 1<<32-1))
		seconds = max(seconds, uint32(lasted))
	}
	c.uint32(sessions.AcctSessionTime, seconds)
}

// fit drops attributes from the end of b[start:] until it fits into a packet: vendors' first, then
// all that do not say which session it is and what became of it.
func fit(b []byte, start int) (attrs []byte, dropped int) {
	for _, mayGo := range [...]func(sessions.AttributeType) bool{isVendors, isDetail, isSecondary} {
		for at := len(b); len(b)-start > maxAttributes && at >= 0; {
			if at = lastOf(b[start:], at-start, mayGo); at >= 0 {
				at += start
				b = append(b[:at], b[at+int(b[at+1]):]...)
				dropped++
			}
		}
	}
	return b, dropped
}

// lastOf finds where the last attribute begins that starts before end and may go, or -1.
func lastOf(attrs []byte, end int, mayGo func(sessions.AttributeType) bool) int {
	found := -1
	for i := 0; i < end && i < len(attrs); i += int(attrs[i+1]) {
		if mayGo(sessions.AttributeType(attrs[i])) {
			found = i
		}
	}
	return found
}

func isVendors(t sessions.AttributeType) bool { return t == sessions.VendorSpecific }

func isDetail(t sessions.AttributeType) bool {
	switch t {
	case sessions.UserName, sessions.NASIPAddress, sessions.NASPort, sessions.ServiceType, sessions.FramedProtocol,
		sessions.FramedIPAddress, sessions.CalledStationID, sessions.CallingStationID, sessions.NASIdentifier,
		sessions.AcctStatusType, sessions.AcctInputOctets, sessions.AcctOutputOctets, sessions.AcctSessionID,
		sessions.AcctAuthentic, sessions.AcctSessionTime, sessions.AcctInputPackets, sessions.AcctOutputPackets,
		sessions.AcctTerminateCause, sessions.AcctMultiSessionID, sessions.AcctInputGigawords,
		sessions.AcctOutputGigawords, sessions.EventTimestamp, sessions.NASPortType, sessions.NASPortID,
		sessions.NASIPv6Address:
		return false
	}
	return true
}

// isSecondary is the last resort, for a NAS that sends such an attribute many times over.
func isSecondary(t sessions.AttributeType) bool {
	return t != sessions.AcctStatusType && t != sessions.AcctSessionID
}
