package radius

import "aaasess/sessions"

// attributeNames are the attributes that a NAS may report of a session, by the names of their
// RFCs: 2865, 2866, 2869, 3162, 3580, 4372, 4675, 4818, 4849, 5580, 6911.
var attributeNames = map[string]sessions.AttributeType{
	"User-Name":                sessions.UserName,
	"NAS-IP-Address":           sessions.NASIPAddress,
	"NAS-Port":                 sessions.NASPort,
	"Service-Type":             sessions.ServiceType,
	"Framed-Protocol":          sessions.FramedProtocol,
	"Framed-IP-Address":        sessions.FramedIPAddress,
	"Framed-IP-Netmask":        9,
	"Framed-Routing":           10,
	"Filter-Id":                11,
	"Framed-MTU":               12,
	"Framed-Compression":       13,
	"Login-IP-Host":            sessions.LoginIPHost,
	"Login-Service":            sessions.LoginService,
	"Login-TCP-Port":           16,
	"Callback-Number":          19,
	"Callback-Id":              20,
	"Framed-Route":             22,
	"Framed-IPX-Network":       23,
	"Class":                    sessions.Class,
	"Vendor-Specific":          sessions.VendorSpecific,
	"Session-Timeout":          27,
	"Idle-Timeout":             28,
	"Called-Station-Id":        sessions.CalledStationID,
	"Calling-Station-Id":       sessions.CallingStationID,
	"NAS-Identifier":           sessions.NASIdentifier,
	"Login-LAT-Service":        34,
	"Login-LAT-Node":           35,
	"Login-LAT-Group":          36,
	"Acct-Status-Type":         sessions.AcctStatusType,
	"Acct-Delay-Time":          sessions.AcctDelayTime,
	"Acct-Input-Octets":        sessions.AcctInputOctets,
	"Acct-Output-Octets":       sessions.AcctOutputOctets,
	"Acct-Session-Id":          sessions.AcctSessionID,
	"Acct-Authentic":           sessions.AcctAuthentic,
	"Acct-Session-Time":        sessions.AcctSessionTime,
	"Acct-Input-Packets":       sessions.AcctInputPackets,
	"Acct-Output-Packets":      sessions.AcctOutputPackets,
	"Acct-Terminate-Cause":     sessions.AcctTerminateCause,
	"Acct-Multi-Session-Id":    sessions.AcctMultiSessionID,
	"Acct-Link-Count":          51,
	"Acct-Input-Gigawords":     sessions.AcctInputGigawords,
	"Acct-Output-Gigawords":    sessions.AcctOutputGigawords,
	"Event-Timestamp":          sessions.EventTimestamp,
	"Egress-VLANID":            56,
	"Egress-VLAN-Name":         58,
	"NAS-Port-Type":            sessions.NASPortType,
	"Port-Limit":               62,
	"Login-LAT-Port":           63,
	"Tunnel-Type":              64,
	"Tunnel-Medium-Type":       65,
	"Tunnel-Client-Endpoint":   66,
	"Tunnel-Server-Endpoint":   67,
	"Acct-Tunnel-Connection":   68,
	"Connect-Info":             77,
	"Message-Authenticator":    sessions.MessageAuth,
	"Tunnel-Private-Group-Id":  81,
	"Tunnel-Assignment-Id":     82,
	"Acct-Interim-Interval":    85,
	"Acct-Tunnel-Packets-Lost": 86,
	"NAS-Port-Id":              sessions.NASPortID,
	"Framed-Pool":              88,
	"Chargeable-User-Identity": 89,
	"Tunnel-Client-Auth-Id":    90,
	"Tunnel-Server-Auth-Id":    91,
	"NAS-Filter-Rule":          92,
	"Originating-Line-Info":    94,
	"NAS-IPv6-Address":         sessions.NASIPv6Address,
	"Framed-Interface-Id":      96,
	"Framed-IPv6-Prefix":       97,
	"Login-IPv6-Host":          98,
	"Framed-IPv6-Route":        99,
	"Framed-IPv6-Pool":         100,
	"Delegated-IPv6-Prefix":    123,
	"Operator-Name":            126,
	"Framed-IPv6-Address":      168,
}

// attributeName is the name of an attribute, or "".
func attributeName(t sessions.AttributeType) string {
	for name, nt := range attributeNames {
		if nt == t {
			return name
		}
	}
	return ""
}
