package accounting

import "aaasess/internal/radius"

// HasAddress reports whether attributes tell an address of the user: Framed-IP-Address, unless it
// says that there is none yet, Framed-IPv6-Address, Framed-IPv6-Prefix or Delegated-IPv6-Prefix.
func HasAddress(a radius.Attributes) bool {
	for t, v := range a.All() {
		if isAddress(t, v) {
			return true
		}
	}
	return false
}

func isAddress(t radius.Type, v string) bool {
	switch t {
	case radius.FramedIPAddress:
		return v != "" && !radius.IsUnassigned(v)
	case radius.FramedIPv6Address, radius.FramedIPv6Prefix, radius.DelegatedIPv6Prefix:
		return v != ""
	}
	return false
}

// WithAddress returns the attributes of a start that has no address, with the addresses and the
// Framed-Interface-Id of a later record of its session. They follow Service-Type and
// Framed-Protocol. It returns false if the later record has no address, or if the result does not
// fit into a packet.
func WithAddress(start, later radius.Attributes) (radius.Attributes, bool) {
	if !HasAddress(later) {
		return start, false
	}
	_, hasInterface := start.Get(radius.FramedInterfaceID)
	var addresses []byte
	for t, v := range later.All() {
		if isAddress(t, v) || t == radius.FramedInterfaceID && !hasInterface {
			addresses = radius.AppendAttribute(addresses, t, v)
		}
	}
	b, at := make([]byte, 0, len(start)+len(addresses)), 0
	for t, v := range start.All() {
		if t == radius.FramedIPAddress { // it says that there is none yet
			continue
		}
		b = radius.AppendAttribute(b, t, v)
		if t == radius.ServiceType || t == radius.FramedProtocol {
			at = len(b)
		}
	}
	if at == 0 {
		at = len(b)
	}
	if len(b)+len(addresses) > MaxAttributes {
		return start, false
	}
	return radius.Attributes(b[:at]) + radius.Attributes(addresses) + radius.Attributes(b[at:]), true
}
