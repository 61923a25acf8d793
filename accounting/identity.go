package accounting

import "aaasess/internal/radius"

// isIdentity reports whether an attribute identifies the user, the session or the NAS of a record.
// If the NAS leaves such an attribute out of an interim or stop, the record gets it from the
// session. All other attributes describe only the packet that has them.
func isIdentity(t radius.Type, value string) bool {
	switch t {
	case radius.VendorSpecific:
		return radius.IdentifiesService(value)
	case radius.UserName, radius.NASPort, radius.ServiceType, radius.FramedProtocol, radius.FramedIPAddress,
		radius.LoginIPHost, radius.LoginService, radius.Class, radius.CalledStationID,
		radius.CallingStationID, radius.AcctSessionID, radius.AcctAuthentic, radius.AcctMultiSessionID,
		radius.NASPortType, radius.NASPortID, radius.ChargeableUserIdentity, radius.FramedInterfaceID, radius.FramedIPv6Prefix,
		radius.DelegatedIPv6Prefix, radius.FramedIPv6Address:
		return true
	}
	return IdentifiesNAS(t)
}

// IdentifiesNAS reports whether an attribute identifies the NAS of a record (RFC 2866 section 5.13,
// RFC 3162 section 2.1).
func IdentifiesNAS(t radius.Type) bool {
	return t == radius.NASIPAddress || t == radius.NASIdentifier || t == radius.NASIPv6Address
}
