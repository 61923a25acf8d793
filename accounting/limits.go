package accounting

import "aaasess/internal/radius"

// limit is how often an attribute may be in an Accounting-Request.
type limit uint8

const (
	many       limit = iota // any number of times; also of the types that we do not know
	once                    // 0-1 or 1 in the table of its RFC: the first counts
	perTag                  // once for each tunnel, which are told apart by their tag (RFC 2868 section 3)
	notAllowed              // 0 in the table of its RFC
)

// limits says for each type how often a record may have it: the column for Accounting-Requests of the tables of
// attributes. 0+ in a table is many here, as is a type that is in no table.
var limits = [256]limit{
	// RFC 2866 section 5.13. 0+: Filter-Id 11, Framed-Compression 13, Login-IP-Host 14, Framed-Route 22, Class 25,
	// Vendor-Specific 26, Proxy-State 33, Acct-Multi-Session-Id 50, Acct-Link-Count 51.
	1:  once,       // User-Name
	2:  notAllowed, // User-Password
	3:  notAllowed, // CHAP-Password
	4:  once,       // NAS-IP-Address
	5:  once,       // NAS-Port
	6:  once,       // Service-Type
	7:  once,       // Framed-Protocol
	8:  once,       // Framed-IP-Address
	9:  once,       // Framed-IP-Netmask
	10: once,       // Framed-Routing
	12: once,       // Framed-MTU
	15: once,       // Login-Service
	16: once,       // Login-TCP-Port
	18: notAllowed, // Reply-Message
	19: once,       // Callback-Number
	20: once,       // Callback-Id
	23: once,       // Framed-IPX-Network
	24: notAllowed, // State
	27: once,       // Session-Timeout
	28: once,       // Idle-Timeout
	29: once,       // Termination-Action
	30: once,       // Called-Station-Id
	31: once,       // Calling-Station-Id
	32: once,       // NAS-Identifier
	34: once,       // Login-LAT-Service
	35: once,       // Login-LAT-Node
	36: once,       // Login-LAT-Group
	37: once,       // Framed-AppleTalk-Link
	38: once,       // Framed-AppleTalk-Network
	39: once,       // Framed-AppleTalk-Zone
	40: once,       // Acct-Status-Type
	41: once,       // Acct-Delay-Time
	42: once,       // Acct-Input-Octets
	43: once,       // Acct-Output-Octets
	44: once,       // Acct-Session-Id
	45: once,       // Acct-Authentic
	46: once,       // Acct-Session-Time
	47: once,       // Acct-Input-Packets
	48: once,       // Acct-Output-Packets
	49: once,       // Acct-Terminate-Cause
	60: notAllowed, // CHAP-Challenge
	61: once,       // NAS-Port-Type
	62: once,       // Port-Limit
	63: once,       // Login-LAT-Port

	// RFC 2869 section 5.19. 0+: Connect-Info 77, which section 5.11 allows more than once.
	52: once,       // Acct-Input-Gigawords
	53: once,       // Acct-Output-Gigawords
	55: once,       // Event-Timestamp
	70: notAllowed, // ARAP-Password
	71: notAllowed, // ARAP-Features
	72: notAllowed, // ARAP-Zone-Access
	73: notAllowed, // ARAP-Security
	74: notAllowed, // ARAP-Security-Data
	75: notAllowed, // Password-Retry
	76: notAllowed, // Prompt
	78: notAllowed, // Configuration-Token
	79: notAllowed, // EAP-Message
	80: notAllowed, // Message-Authenticator
	84: notAllowed, // ARAP-Challenge-Response
	85: once,       // Acct-Interim-Interval
	87: once,       // NAS-Port-Id
	88: once,       // Framed-Pool

	// RFC 2867 section 5 and RFC 2868 section 5 count one tunnel; a packet that tells of several has one for each tag.
	64: perTag,     // Tunnel-Type
	65: perTag,     // Tunnel-Medium-Type
	66: perTag,     // Tunnel-Client-Endpoint
	67: perTag,     // Tunnel-Server-Endpoint
	68: once,       // Acct-Tunnel-Connection
	69: notAllowed, // Tunnel-Password
	81: perTag,     // Tunnel-Private-Group-ID
	82: perTag,     // Tunnel-Assignment-ID
	83: notAllowed, // Tunnel-Preference
	86: once,       // Acct-Tunnel-Packets-Lost
	90: perTag,     // Tunnel-Client-Auth-ID
	91: perTag,     // Tunnel-Server-Auth-ID

	// RFC 3162 section 3. 0+: Framed-IPv6-Prefix 97, Login-IPv6-Host 98, Framed-IPv6-Route 99.
	95:  once, // NAS-IPv6-Address
	96:  once, // Framed-Interface-Id
	100: once, // Framed-IPv6-Pool

	89:  once, // Chargeable-User-Identity, RFC 4372 section 3
	57:  once, // Ingress-Filters, RFC 4675 section 3; 0+: Egress-VLANID 56, Egress-VLAN-Name 58
	59:  once, // User-Priority-Table, RFC 4675 section 3
	94:  once, // Originating-Line-Info, RFC 7155 section 4.2.9
	124: once, // MIP6-Feature-Vector, RFC 5447 section 5
	129: once, // Basic-Location-Policy-Rules, RFC 5580 section 5; 0+: 126 to 128 and 130
	131: once, // Location-Capable, RFC 5580 section 5
	132: once, // Requested-Location-Info, RFC 5580 section 5
	133: once, // Framed-Management, RFC 5607 section 7
	134: once, // Management-Transport-Protection, RFC 5607 section 7
	135: once, // Management-Policy-Id, RFC 5607 section 7
	136: once, // Management-Privilege-Level, RFC 5607 section 7
	144: once, // DS-Lite-Tunnel-Name, RFC 6519 section 4

	// 0+: NAS-Filter-Rule 92 (RFC 4849), Delegated-IPv6-Prefix 123 (RFC 4818), and 168 to 172 (RFC 6911).

	// RFC 7268 section 3. 0+: 174 to 176, 180, 183 and 184.
	102: notAllowed, // EAP-Key-Name
	177: once,       // Mobility-Domain-Id
	178: notAllowed, // Preauth-Timeout
	179: once,       // Network-Id-Name
	181: once,       // WLAN-HESSID
	182: once,       // WLAN-Venue-Info
	185: once,       // WLAN-Reason-Code
	186: once,       // WLAN-Pairwise-Cipher
	187: once,       // WLAN-Group-Cipher
	188: once,       // WLAN-AKM-Suite
	189: once,       // WLAN-Group-Mgmt-Cipher
	190: once,       // WLAN-RF-Band
}

// Allowed reports whether an Accounting-Request may have an attribute of this type at all, by the table of its RFC.
func Allowed(t radius.Type) bool { return limits[t] != notAllowed }

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
