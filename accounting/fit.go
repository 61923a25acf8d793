package accounting

import "aaasess/sessions"

// MaxAttributes is what fits into a RADIUS packet (RFC 2865 section 3) beside the header and the
// Acct-Delay-Time that the transport adds.
const MaxAttributes = 4096 - 20 - 6

// fit drops attributes from the end of b[start:] until it fits into a packet: vendors' first, then
// all that do not say which session it is and what became of it. The fragments of a value go together.
func fit(b []byte, start int) (attrs []byte, dropped Drop) {
	for _, mayGo := range [...]func(sessions.AttributeType) bool{isVendors, isDetail, isSecondary} {
		for at := len(b); len(b)-start > MaxAttributes && at >= 0; {
			if at = lastOf(b[start:], at-start, mayGo); at >= 0 {
				at += start
				size, n := spanOf(b[at:])
				dropped.add(sessions.AttributeType(b[at]), n)
				b = append(b[:at], b[at+size:]...)
			}
		}
	}
	return b, dropped
}

// lastOf finds where the last attribute begins that starts before end and may go, or -1.
func lastOf(attrs []byte, end int, mayGo func(sessions.AttributeType) bool) int {
	found := -1
	for i := 0; i < end && i < len(attrs); {
		if mayGo(sessions.AttributeType(attrs[i])) {
			found = i
		}
		size, _ := spanOf(attrs[i:])
		i += size
	}
	return found
}

// spanOf is the size of the first attribute with all fragments of its value, and how many these are.
func spanOf(attrs []byte) (size, n int) {
	for {
		t, length := sessions.AttributeType(attrs[size]), int(attrs[size+1])
		value := string(attrs[size+2 : size+min(4, length)]) // as much as says what it is
		size += length
		n++
		if !sessions.IsFragment(t, value) || len(attrs)-size < 3 || sessions.AttributeType(attrs[size]) != t ||
			attrs[size+1] < 3 || attrs[size+2] != value[0] {
			return size, n
		}
	}
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
