package radius

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"time"

	"layeh.com/radius/rfc2865"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// accountingRequest is a parsed Accounting-Request.
type accountingRequest struct {
	event      sessions.Event
	proxyState string // all Proxy-State attributes, complete, in order
	// leftOut describes the first attribute that was left out because its length is wrong; nil if
	// there is none.
	leftOut *radius.MalformedError
}

// numbers holds the four-octet attributes (integer, address, time) that this package reads. If a
// type occurs twice, the first one counts.
type numbers struct {
	value [64]uint32
	have  uint64 // bit t is set if an attribute of type t is present
}

// isNumber has bit t set if attributes of type t must have four octets.
const isNumber uint64 = 1<<radius.NASIPAddress | 1<<radius.NASPort | 1<<radius.ServiceType |
	1<<radius.FramedProtocol | 1<<radius.FramedIPAddress | 1<<radius.LoginIPHost | 1<<radius.LoginService |
	1<<radius.AcctStatusType | 1<<radius.AcctDelayTime | 1<<radius.AcctAuthentic | 1<<radius.AcctTerminateCause |
	1<<radius.EventTimestamp | 1<<radius.NASPortType | usageNumbers

// The types in isNumber that report what a session has used.
const (
	inputOctets  uint64 = 1<<radius.AcctInputOctets | 1<<radius.AcctInputGigawords
	outputOctets uint64 = 1<<radius.AcctOutputOctets | 1<<radius.AcctOutputGigawords
	usageNumbers        = inputOctets | outputOctets | 1<<radius.AcctInputPackets | 1<<radius.AcctOutputPackets |
		1<<radius.AcctSessionTime
)

func (n *numbers) has(t radius.Type) bool { return n.have>>t&1 == 1 }

// add stores an attribute if it is one of isNumber.
func (n *numbers) add(t radius.Type, value []byte) {
	if t < 64 && isNumber>>t&1 != 0 && !n.has(t) {
		n.have |= 1 << t
		n.value[t] = binary.BigEndian.Uint32(value)
	}
}

// checkLength returns an error if the length of an attribute that we read is wrong (RFC 2865
// section 5, RFC 3162 section 2.1).
func checkLength(t radius.Type, value []byte) *radius.MalformedError {
	switch {
	case t < 64 && isNumber>>t&1 != 0 && len(value) != 4:
		return &radius.MalformedError{Attribute: t, Problem: "not 4 octets"}
	case t == radius.NASIPv6Address && len(value) != 16:
		return &radius.MalformedError{Attribute: t, Problem: "not 16 octets"}
	case t == radius.AcctSessionID && len(value) == 0:
		return &radius.MalformedError{Attribute: t, Problem: "missing or empty"}
	}
	return nil
}

// parseAccounting parses the attributes of an Accounting-Request whose framing is valid. The
// request arrived at received, from the address from. scratch is working memory and is returned for
// the next call. An attribute with a wrong length is left out. Errors are of type
// *radius.MalformedError.
func parseAccounting(attrs []byte, from netip.Addr, received time.Time, scratch []byte) (accountingRequest, []byte, error) {
	var r accountingRequest
	var n numbers
	var proxyState []byte
	kept := scratch[:0]
	for len(attrs) > 0 {
		attr := attrs[:attrs[1]]
		attrs = attrs[len(attr):]
		t := radius.Type(attr[0])
		if fault := checkLength(t, attr[2:]); fault != nil {
			// The record is worth more than one attribute. Only a bad Acct-Status-Type rejects the
			// request.
			if r.leftOut = cmp.Or(r.leftOut, fault); t == radius.AcctStatusType {
				return r, kept, fault
			}
			continue
		}
		n.add(t, attr[2:])
		switch t {
		case radius.ProxyState:
			proxyState = append(proxyState, attr...)
		case radius.MessageAuthenticator, radius.AcctDelayTime: // properties of this packet, not of the event
		default:
			kept = append(kept, attr...)
		}
	}
	r.proxyState = string(proxyState)
	r.event.Attrs = radius.Attributes(kept)
	err := r.setEvent(&n, from, received)
	return r, kept, err
}

func (r *accountingRequest) setEvent(n *numbers, from netip.Addr, received time.Time) error {
	ev := &r.event
	ev.NAS = nasOf(ev.Attrs, n, from)
	ev.Delay, ev.HasDelay = n.value[radius.AcctDelayTime], n.has(radius.AcctDelayTime)
	ev.At = received.Add(-time.Duration(ev.Delay) * time.Second)
	ev.EventTimestamp = n.value[radius.EventTimestamp]
	if !n.has(radius.AcctStatusType) {
		return &radius.MalformedError{Attribute: radius.AcctStatusType, Problem: "missing"}
	}
	if ev.Type = eventType(n.value[radius.AcctStatusType]); ev.Type == sessions.On || ev.Type == sessions.Off {
		return nil
	}

	ev.AcctSessionID = ev.Attrs.Text(radius.AcctSessionID)
	if ev.AcctSessionID == "" {
		return &radius.MalformedError{Attribute: radius.AcctSessionID, Problem: "missing or empty"}
	}
	ev.Kind = kindOf(n)
	ev.Sent = n.usageFields()
	ev.Usage = sessions.Usage{
		InputOctets:   octets(n, radius.AcctInputGigawords, radius.AcctInputOctets),
		OutputOctets:  octets(n, radius.AcctOutputGigawords, radius.AcctOutputOctets),
		InputPackets:  uint64(n.value[radius.AcctInputPackets]),
		OutputPackets: uint64(n.value[radius.AcctOutputPackets]),
		SessionTime:   n.value[radius.AcctSessionTime],
	}
	return nil
}

// eventType converts an Acct-Status-Type (RFC 2866 section 5.1).
func eventType(status uint32) sessions.EventType {
	switch status {
	case uint32(sessions.Start), uint32(sessions.Stop), uint32(sessions.Interim), uint32(sessions.On), uint32(sessions.Off):
		return sessions.EventType(status)
	}
	return sessions.Other
}

// usageFields returns which counters the request has. One half of an octet counter is enough.
func (n *numbers) usageFields() sessions.UsageFields {
	var sent sessions.UsageFields
	if n.have&inputOctets != 0 {
		sent |= sessions.InputOctets
	}
	if n.have&outputOctets != 0 {
		sent |= sessions.OutputOctets
	}
	if n.has(radius.AcctInputPackets) {
		sent |= sessions.InputPackets
	}
	if n.has(radius.AcctOutputPackets) {
		sent |= sessions.OutputPackets
	}
	if n.has(radius.AcctSessionTime) {
		sent |= sessions.SessionTime
	}
	return sent
}

// octets combines the two halves of an octet counter (RFC 2869 section 5.1).
func octets(n *numbers, high, low radius.Type) uint64 {
	return uint64(n.value[high])<<32 | uint64(n.value[low])
}

// nasOf returns the NAS that sent the request.
func nasOf(attrs radius.Attributes, n *numbers, from netip.Addr) sessions.NAS {
	nas := sessions.NAS{Addr: from.Unmap(), Identifier: attrs.Text(radius.NASIdentifier)}
	if v4 := n.value[radius.NASIPAddress]; v4 != 0 {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], v4)
		nas.IPv4 = netip.AddrFrom4(a)
	}
	if v6, has := attrs.Get(radius.NASIPv6Address); has {
		if a := netip.AddrFrom16([16]byte([]byte(v6))); !a.IsUnspecified() {
			nas.IPv6 = a
		}
	}
	return nas
}

// kindOf derives the accounting type of a session from its Service-Type (R40). Without one it is
// Network; see [Client].
func kindOf(n *numbers) sessions.Kind {
	if n.isCall() {
		return sessions.Resource
	}
	switch rfc2865.ServiceType(n.value[radius.ServiceType]) {
	case rfc2865.ServiceType_Value_NASPromptUser, rfc2865.ServiceType_Value_AdministrativeUser,
		rfc2865.ServiceType_Value_CallbackNASPrompt, rfc2865.ServiceType_Value_CallbackAdministrative:
		return sessions.Exec
	case rfc2865.ServiceType_Value_LoginUser, rfc2865.ServiceType_Value_CallbackLoginUser:
		if n.has(radius.LoginService) || n.has(radius.LoginIPHost) {
			return sessions.Connection
		}
		return sessions.Exec
	}
	return sessions.Network
}

// isCall reports whether a request is about a call and not about a user (R51). Call-Check also means
// that a switch or an access point has admitted a device by its MAC address. Such a device is a user.
// Only the type of the port tells the difference.
func (n *numbers) isCall() bool {
	if n.value[radius.ServiceType] != radius.CallCheck {
		return false
	}
	// Those of telephone lines have the lowest numbers (RFC 2865 section 5.41).
	port := rfc2865.NASPortType(n.value[radius.NASPortType])
	return port <= rfc2865.NASPortType_Value_G3Fax && port != rfc2865.NASPortType_Value_Virtual
}
