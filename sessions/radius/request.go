package radius

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"time"

	"aaasess/sessions"
)

// Service-Type values (RFC 2865 section 5.6).
const (
	serviceLogin                  = 1
	serviceCallbackLogin          = 3
	serviceAdministrative         = 6
	serviceNASPrompt              = 7
	serviceCallbackNASPrompt      = 9
	serviceCallbackAdministrative = 11
)

// accountingRequest is an Accounting-Request, understood.
type accountingRequest struct {
	event      sessions.Event
	proxyState string // the Proxy-State attributes, whole, in order
	// leftOut is the first attribute that the event does not have because its length is wrong, nil if there is none.
	leftOut *malformedError
}

// numbers are the attributes of type integer (or address, or time) that we look at. The first of
// each type counts.
type numbers struct {
	value [64]uint32
	have  uint64 // bit t: there is an attribute of type t
}

// isNumber has bit t set if attributes of type t must have four octets.
const isNumber uint64 = 1<<sessions.NASIPAddress | 1<<sessions.NASPort | 1<<sessions.ServiceType |
	1<<sessions.FramedProtocol | 1<<sessions.FramedIPAddress | 1<<sessions.LoginIPHost | 1<<sessions.LoginService |
	1<<sessions.AcctStatusType | 1<<sessions.AcctDelayTime | 1<<sessions.AcctAuthentic | 1<<sessions.AcctTerminateCause |
	1<<sessions.EventTimestamp | 1<<sessions.NASPortType | usageNumbers

// These are those of isNumber that say what a session has used.
const (
	inputOctets  uint64 = 1<<sessions.AcctInputOctets | 1<<sessions.AcctInputGigawords
	outputOctets uint64 = 1<<sessions.AcctOutputOctets | 1<<sessions.AcctOutputGigawords
	usageNumbers        = inputOctets | outputOctets | 1<<sessions.AcctInputPackets | 1<<sessions.AcctOutputPackets |
		1<<sessions.AcctSessionTime
)

func (n *numbers) has(t sessions.AttributeType) bool { return n.have>>t&1 == 1 }

// add takes an attribute that is a number.
func (n *numbers) add(t sessions.AttributeType, value []byte) {
	if t < 64 && isNumber>>t&1 != 0 && !n.has(t) {
		n.have |= 1 << t
		n.value[t] = binary.BigEndian.Uint32(value)
	}
}

// checkLength says what is wrong with the length of an attribute that we read (RFC 2865 section 5, RFC 3162 section 2.1), or nil.
func checkLength(t sessions.AttributeType, value []byte) *malformedError {
	switch {
	case t < 64 && isNumber>>t&1 != 0 && len(value) != 4:
		return &malformedError{t, "not 4 octets"}
	case t == sessions.NASIPv6Address && len(value) != 16:
		return &malformedError{t, "not 16 octets"}
	case t == sessions.AcctSessionID && len(value) == 0:
		return &malformedError{t, "missing or empty"}
	}
	return nil
}

// parseAccounting understands the attributes of an Accounting-Request; their framing was checked.
// received is when it came, from whom. scratch is memory to work in; it is returned for the next
// time. An attribute whose length is wrong is left out. Errors are of type malformedError.
func parseAccounting(attrs []byte, from netip.Addr, received time.Time, scratch []byte) (accountingRequest, []byte, error) {
	var r accountingRequest
	var n numbers
	var proxyState []byte
	kept := scratch[:0]
	for len(attrs) > 0 {
		attr := attrs[:attrs[1]]
		attrs = attrs[len(attr):]
		t := sessions.AttributeType(attr[0])
		if fault := checkLength(t, attr[2:]); fault != nil {
			// The record is worth more than the attribute.
			if r.leftOut = cmp.Or(r.leftOut, fault); t == sessions.AcctStatusType {
				return r, kept, fault
			}
			continue
		}
		n.add(t, attr[2:])
		switch t {
		case sessions.ProxyState:
			proxyState = append(proxyState, attr...)
		case sessions.MessageAuth, sessions.AcctDelayTime: // of this packet, not of the event
		default:
			kept = append(kept, attr...)
		}
	}
	r.proxyState = string(proxyState)
	r.event.Attrs = sessions.Attributes(kept)
	err := r.understand(&n, from, received)
	return r, kept, err
}

func (r *accountingRequest) understand(n *numbers, from netip.Addr, received time.Time) error {
	ev := &r.event
	ev.NAS = nasOf(ev.Attrs, n, from)
	ev.Delay, ev.HasDelay = n.value[sessions.AcctDelayTime], n.has(sessions.AcctDelayTime)
	ev.At = received.Add(-time.Duration(ev.Delay) * time.Second)
	ev.EventStamp = n.value[sessions.EventTimestamp]
	if !n.has(sessions.AcctStatusType) {
		return &malformedError{sessions.AcctStatusType, "missing"}
	}
	if ev.Type = eventType(n.value[sessions.AcctStatusType]); ev.Type == sessions.On || ev.Type == sessions.Off {
		return nil
	}

	ev.AcctSessionID = ev.Attrs.Text(sessions.AcctSessionID)
	if ev.AcctSessionID == "" {
		return &malformedError{sessions.AcctSessionID, "missing or empty"}
	}
	ev.Kind = kindOf(n)
	ev.Sent = n.usageFields()
	ev.Usage = sessions.Usage{
		InputOctets:   octets(n, sessions.AcctInputGigawords, sessions.AcctInputOctets),
		OutputOctets:  octets(n, sessions.AcctOutputGigawords, sessions.AcctOutputOctets),
		InputPackets:  uint64(n.value[sessions.AcctInputPackets]),
		OutputPackets: uint64(n.value[sessions.AcctOutputPackets]),
		SessionTime:   n.value[sessions.AcctSessionTime],
	}
	return nil
}

// eventType is the event that an Acct-Status-Type (RFC 2866 section 5.1) tells of.
func eventType(status uint32) sessions.EventType {
	switch status {
	case uint32(sessions.Start), uint32(sessions.Stop), uint32(sessions.Interim), uint32(sessions.On), uint32(sessions.Off):
		return sessions.EventType(status)
	}
	return sessions.Other
}

// usageFields tells which counters the request has. One half of an octet counter is enough.
func (n *numbers) usageFields() sessions.UsageFields {
	var sent sessions.UsageFields
	if n.have&inputOctets != 0 {
		sent |= sessions.InputOctets
	}
	if n.have&outputOctets != 0 {
		sent |= sessions.OutputOctets
	}
	if n.has(sessions.AcctInputPackets) {
		sent |= sessions.InputPackets
	}
	if n.has(sessions.AcctOutputPackets) {
		sent |= sessions.OutputPackets
	}
	if n.has(sessions.AcctSessionTime) {
		sent |= sessions.SessionTime
	}
	return sent
}

// octets puts the two halves of an octet counter together (RFC 2869 section 5.1).
func octets(n *numbers, high, low sessions.AttributeType) uint64 {
	return uint64(n.value[high])<<32 | uint64(n.value[low])
}

// nasOf is who sent the request.
func nasOf(attrs sessions.Attributes, n *numbers, from netip.Addr) sessions.NAS {
	nas := sessions.NAS{Addr: from.Unmap(), Identifier: attrs.Text(sessions.NASIdentifier)}
	if v4 := n.value[sessions.NASIPAddress]; v4 != 0 {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], v4)
		nas.IPv4 = netip.AddrFrom4(a)
	}
	if v6, has := attrs.Get(sessions.NASIPv6Address); has {
		if a := netip.AddrFrom16([16]byte([]byte(v6))); !a.IsUnspecified() {
			nas.IPv6 = a
		}
	}
	return nas
}

// kindOf is the accounting type of a session, by the service that its user was given (R40).
func kindOf(n *numbers) sessions.Kind {
	switch n.value[sessions.ServiceType] {
	case serviceNASPrompt, serviceAdministrative, serviceCallbackNASPrompt, serviceCallbackAdministrative:
		return sessions.Exec
	case serviceLogin, serviceCallbackLogin:
		if n.has(sessions.LoginService) || n.has(sessions.LoginIPHost) {
			return sessions.Connection
		}
		return sessions.Exec
	}
	return sessions.Network
}
