package accounting

import "aaasess/internal/radius"

// isIdentity reports whether an attribute says which user, session and NAS a record is about. Interims and stops
// get it from the session when the NAS leaves it out; all else is true of the packet that has it.
func isIdentity(t radius.Type) bool {
	switch t {
	case radius.UserName, radius.NASPort, radius.ServiceType, radius.FramedProtocol, radius.FramedIPAddress,
		radius.LoginIPHost, radius.LoginService, radius.Class, radius.CalledStationID,
		radius.CallingStationID, radius.AcctSessionID, radius.AcctAuthentic, radius.AcctMultiSessionID,
		radius.NASPortType, radius.NASPortID, radius.ChargeableUserIdentity, radius.FramedInterfaceID, radius.FramedIPv6Prefix,
		radius.DelegatedIPv6Prefix, radius.FramedIPv6Address:
		return true
	}
	return NamesNAS(t)
}

// NamesNAS reports whether an attribute says which NAS a record is from (RFC 2866 section 5.13, RFC 3162 section 2.1).
func NamesNAS(t radius.Type) bool {
	return t == radius.NASIPAddress || t == radius.NASIdentifier || t == radius.NASIPv6Address
}
