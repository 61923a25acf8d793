package accounting

import "aaasess/internal/radius"

// MaxAttributes is the most octets of attributes that fit into a RADIUS packet (RFC 2865 section 3)
// besides the header and the Acct-Delay-Time that the transport adds.
const MaxAttributes = radius.MaxPacket - radius.HeaderLen - 6

// fit drops attributes from the end of b[start:] until it fits into a packet: vendor-specific
// attributes first, then all attributes that neither identify the session nor report its use. The
// fragments of a value are dropped together.
func fit(b []byte, start int) (attrs []byte, dropped Drop) {
	for _, mayDrop := range [...]func(radius.Type) bool{isVendorSpecific, isDetail, isNotEssential} {
		for at := len(b); len(b)-start > MaxAttributes && at >= 0; {
			if at = lastOf(b[start:], at-start, mayDrop); at >= 0 {
				at += start
				size, n := spanOf(b[at:])
				dropped.add(radius.Type(b[at]), string(b[at+2:at+int(b[at+1])]), n)
				b = append(b[:at], b[at+size:]...)
			}
		}
	}
	return b, dropped
}

// lastOf returns where the last attribute starts that starts before end and may be dropped, or -1.
func lastOf(attrs []byte, end int, mayDrop func(radius.Type) bool) int {
	found := -1
	for i := 0; i < end && i < len(attrs); {
		if mayDrop(radius.Type(attrs[i])) {
			found = i
		}
		size, _ := spanOf(attrs[i:])
		i += size
	}
	return found
}

// spanOf returns the size of the first attribute with all fragments of its value, and the number of
// these.
func spanOf(attrs []byte) (size, n int) {
	for {
		t, length := radius.Type(attrs[size]), int(attrs[size+1])
		value := string(attrs[size+2 : size+min(4, length)]) // enough to identify a fragment
		size += length
		n++
		if !radius.IsFragment(t, value) || len(attrs)-size < 3 || radius.Type(attrs[size]) != t ||
			attrs[size+1] < 3 || attrs[size+2] != value[0] {
			return size, n
		}
	}
}

func isVendorSpecific(t radius.Type) bool { return t == radius.VendorSpecific }

func isDetail(t radius.Type) bool {
	switch t {
	case radius.UserName, radius.NASIPAddress, radius.NASPort, radius.ServiceType, radius.FramedProtocol,
		radius.FramedIPAddress, radius.CalledStationID, radius.CallingStationID, radius.NASIdentifier,
		radius.AcctStatusType, radius.AcctInputOctets, radius.AcctOutputOctets, radius.AcctSessionID,
		radius.AcctAuthentic, radius.AcctSessionTime, radius.AcctInputPackets, radius.AcctOutputPackets,
		radius.AcctTerminateCause, radius.AcctMultiSessionID, radius.AcctInputGigawords,
		radius.AcctOutputGigawords, radius.EventTimestamp, radius.NASPortType, radius.NASPortID,
		radius.NASIPv6Address:
		return false
	}
	return true
}

// isNotEssential is the last resort, for a NAS that sends such an attribute very often.
func isNotEssential(t radius.Type) bool {
	return t != radius.AcctStatusType && t != radius.AcctSessionID
}
