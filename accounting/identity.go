package accounting

import "aaasess/internal/radius"

// isIdentity reports whether an attribute says which user, session and NAS a record is about. Interims and stops
// get it from the session when the NAS leaves it out; all else is true of the packet that has it.
func isIdentity(t radius.Type) bool {
	switch t {
	case radius.UserName, radius.NASPort, radius.ServiceType, radius.FramedProtocol, radius.FramedIPAddress,
		radius.LoginIPHost, radius.LoginService, radius.Class, radius.CalledStationID,
		radius.CallingStationID, radius.AcctSessionID, radius.AcctAuthentic, radius.AcctMultiSessionID,
		radius.NASPortType, radius.NASPortID, chargeableUser, framedInterfaceID, framedIPv6Prefix,
		delegatedIPv6Prefix, framedIPv6Address:
		return true
	}
	return NamesNAS(t)
}

// NamesNAS reports whether an attribute says which NAS a record is from (RFC 2866 section 5.13, RFC 3162 section 2.1).
func NamesNAS(t radius.Type) bool {
	return t == radius.NASIPAddress || t == radius.NASIdentifier || t == radius.NASIPv6Address
}

const (
	chargeableUser      radius.Type = 89  // RFC 4372
	framedInterfaceID   radius.Type = 96  // RFC 3162
	framedIPv6Prefix    radius.Type = 97  // RFC 3162
	delegatedIPv6Prefix radius.Type = 123 // RFC 4818
	framedIPv6Address   radius.Type = 168 // RFC 6911
)

// tagOf is the tag of a tunnel attribute (RFC 2868 section 3). Text that begins with a greater octet has none, which is 0.
func tagOf(value string) byte {
	if value == "" || value[0] > 0x1f {
		return 0
	}
	return value[0]
}
