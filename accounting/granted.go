package accounting

import (
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// isSentIfGranted reports whether the records of a session of kind k have an attribute of its
// Access-Accept if the NAS reports none of its type:
//
//   - User-Name: "the client SHOULD use the name returned in the Access-Accept packet in all
//     Accounting-Request packets for this session" (RFC 2865 section 5.1).
//   - Class: the client should send it unmodified to the accounting server (RFC 2865 section 5.25).
//   - Chargeable-User-Identity: it goes into all accounting packets of the session (RFC 4372 section
//     2.1). One NUL octet asks for the identity in an Access-Request and identifies nobody.
//   - The addresses that the user of a network session is to have (RFC 2865 section 5.8, RFC 3162,
//     RFC 4818, RFC 6911). A Framed-IP-Address that leaves the choice to the NAS or the user, and a
//     value that is no address, are not sent. An EXEC session or a connection has no such address,
//     whatever the profile of its user says.
//
// Attributes that tell the NAS what to do, such as Session-Timeout, Idle-Timeout and
// Acct-Interim-Interval, say nothing about the use of the session: a record has them only if the NAS
// sends them.
func isSentIfGranted(k sessions.Kind, t radius.Type, v string) bool {
	switch t {
	case radius.UserName, radius.Class:
		return v != ""
	case radius.ChargeableUserIdentity:
		return v != "" && v != "\x00"
	}
	return k == sessions.Network && isGrantedAddress(t, v)
}

// isGrantedAddress reports whether an attribute of an Access-Accept gives the user an address, a
// prefix or an interface id.
func isGrantedAddress(t radius.Type, v string) bool {
	switch t {
	case radius.FramedIPAddress:
		return len(v) == 4 && !radius.IsUnassigned(v)
	case radius.FramedInterfaceID:
		return len(v) == 8
	case radius.FramedIPv6Prefix, radius.DelegatedIPv6Prefix:
		return len(v) >= 2 && len(v) <= 18
	case radius.FramedIPv6Address:
		return len(v) == 16
	}
	return false
}

// grantsAddress reports whether authentication has given the user of a network session an address.
func grantsAddress(granted radius.Attributes) bool {
	for t, v := range granted.All() {
		if t != radius.FramedInterfaceID && isGrantedAddress(t, v) {
			return true
		}
	}
	return false
}
