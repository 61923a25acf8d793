package accounting

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"aaasess/internal/radius"
)

// AttributeKind is the data type of an attribute's value (RFC 8044).
type AttributeKind uint8

// The kinds of value.
const (
	Octets      AttributeKind = iota // anything; also of attributes that are not in the dictionary
	Text                             // UTF-8
	Integer                          // four octets
	Time                             // four octets, seconds since 1970
	IPv4Address                      // four octets
	IPv6Address                      // sixteen octets
	IPv6Prefix                       // reserved, length in bits, up to sixteen octets
	InterfaceID                      // eight octets
)

// AttributeName is an attribute's name in its RFC, or "Attr-N".
func AttributeName(t radius.Type) string {
	if name := dictionary[t].name; name != "" {
		return name
	}
	return "Attr-" + strconv.Itoa(int(t))
}

// KindOf is the kind of an attribute's value.
func KindOf(t radius.Type) AttributeKind { return dictionary[t].kind }

// ValueName is the name of one of the values of an enumerated attribute, or "".
func ValueName(t radius.Type, n uint32) string { return dictionary[t].values[n] }

// AppendValue appends a value as people read it: text as it is, enumerated values by name,
// addresses as addresses, times as RFC 3339, and octets as 0x and hex, as is every value that is
// not of its attribute's kind. number reports that it is a decimal number.
func AppendValue(b []byte, t radius.Type, value string) (text []byte, number bool) {
	d := &dictionary[t]
	switch {
	case d.kind == Text && utf8.ValidString(value):
		return append(b, value...), false
	case d.kind == Integer && len(value) == 4:
		n := binary.BigEndian.Uint32([]byte(value))
		if name := d.values[n]; name != "" {
			return append(b, name...), false
		}
		return strconv.AppendUint(b, uint64(n), 10), true
	case d.kind == Time && len(value) == 4:
		at := time.Unix(int64(binary.BigEndian.Uint32([]byte(value))), 0)
		return at.UTC().AppendFormat(b, time.RFC3339), false
	case d.kind == IPv4Address && len(value) == 4, d.kind == IPv6Address && len(value) == 16:
		addr, _ := netip.AddrFromSlice([]byte(value))
		return addr.AppendTo(b), false
	case d.kind == IPv6Prefix && len(value) >= 2 && len(value) <= 18 && value[1] <= 128:
		var addr [16]byte
		copy(addr[:], value[2:])
		return netip.PrefixFrom(netip.AddrFrom16(addr), int(value[1])).AppendTo(b), false
	case d.kind == InterfaceID && len(value) == 8:
		v := []byte(value)
		return fmt.Appendf(b, "%x:%x:%x:%x", v[:2], v[2:4], v[4:6], v[6:]), false
	}
	return hex.AppendEncode(append(b, "0x"...), []byte(value)), false
}

// attribute is an entry of the dictionary.
type attribute struct {
	name   string
	kind   AttributeKind
	values map[uint32]string
}

// dictionary is what accounting records have of RFC 2865, 2866, 2869, 3162, 4372, 4818 and 6911,
// and the few of RFC 2867, 2868, 3579, 4675, 4679, 4849 and 5176 that NASes send besides.
var dictionary = [256]attribute{
	1:   {name: "User-Name", kind: Text},
	2:   {name: "User-Password"},
	3:   {name: "CHAP-Password"},
	4:   {name: "NAS-IP-Address", kind: IPv4Address},
	5:   {name: "NAS-Port", kind: Integer},
	6:   {name: "Service-Type", kind: Integer, values: serviceTypes},
	7:   {name: "Framed-Protocol", kind: Integer, values: framedProtocols},
	8:   {name: "Framed-IP-Address", kind: IPv4Address},
	9:   {name: "Framed-IP-Netmask", kind: IPv4Address},
	10:  {name: "Framed-Routing", kind: Integer},
	11:  {name: "Filter-Id", kind: Text},
	12:  {name: "Framed-MTU", kind: Integer},
	13:  {name: "Framed-Compression", kind: Integer},
	14:  {name: "Login-IP-Host", kind: IPv4Address},
	15:  {name: "Login-Service", kind: Integer, values: loginServices},
	16:  {name: "Login-TCP-Port", kind: Integer},
	18:  {name: "Reply-Message", kind: Text},
	19:  {name: "Callback-Number", kind: Text},
	20:  {name: "Callback-Id", kind: Text},
	22:  {name: "Framed-Route", kind: Text},
	23:  {name: "Framed-IPX-Network", kind: IPv4Address},
	24:  {name: "State"},
	25:  {name: "Class"},
	26:  {name: "Vendor-Specific"},
	27:  {name: "Session-Timeout", kind: Integer},
	28:  {name: "Idle-Timeout", kind: Integer},
	29:  {name: "Termination-Action", kind: Integer},
	30:  {name: "Called-Station-Id", kind: Text},
	31:  {name: "Calling-Station-Id", kind: Text},
	32:  {name: "NAS-Identifier", kind: Text},
	33:  {name: "Proxy-State"},
	34:  {name: "Login-LAT-Service", kind: Text},
	35:  {name: "Login-LAT-Node", kind: Text},
	36:  {name: "Login-LAT-Group"},
	37:  {name: "Framed-AppleTalk-Link", kind: Integer},
	38:  {name: "Framed-AppleTalk-Network", kind: Integer},
	39:  {name: "Framed-AppleTalk-Zone", kind: Text},
	40:  {name: "Acct-Status-Type", kind: Integer, values: statusTypes},
	41:  {name: "Acct-Delay-Time", kind: Integer},
	42:  {name: "Acct-Input-Octets", kind: Integer},
	43:  {name: "Acct-Output-Octets", kind: Integer},
	44:  {name: "Acct-Session-Id", kind: Text},
	45:  {name: "Acct-Authentic", kind: Integer, values: authentics},
	46:  {name: "Acct-Session-Time", kind: Integer},
	47:  {name: "Acct-Input-Packets", kind: Integer},
	48:  {name: "Acct-Output-Packets", kind: Integer},
	49:  {name: "Acct-Terminate-Cause", kind: Integer, values: terminateCauses},
	50:  {name: "Acct-Multi-Session-Id", kind: Text},
	51:  {name: "Acct-Link-Count", kind: Integer},
	52:  {name: "Acct-Input-Gigawords", kind: Integer},
	53:  {name: "Acct-Output-Gigawords", kind: Integer},
	55:  {name: "Event-Timestamp", kind: Time},
	56:  {name: "Egress-VLANID", kind: Integer},
	58:  {name: "Egress-VLAN-Name", kind: Text},
	60:  {name: "CHAP-Challenge"},
	61:  {name: "NAS-Port-Type", kind: Integer, values: portTypes},
	62:  {name: "Port-Limit", kind: Integer},
	63:  {name: "Login-LAT-Port", kind: Text},
	64:  {name: "Tunnel-Type"},
	65:  {name: "Tunnel-Medium-Type"},
	66:  {name: "Tunnel-Client-Endpoint", kind: Text},
	67:  {name: "Tunnel-Server-Endpoint", kind: Text},
	68:  {name: "Acct-Tunnel-Connection", kind: Text},
	70:  {name: "ARAP-Password"},
	71:  {name: "ARAP-Features"},
	72:  {name: "ARAP-Zone-Access", kind: Integer},
	73:  {name: "ARAP-Security", kind: Integer},
	74:  {name: "ARAP-Security-Data"},
	75:  {name: "Password-Retry", kind: Integer},
	76:  {name: "Prompt", kind: Integer},
	77:  {name: "Connect-Info", kind: Text},
	78:  {name: "Configuration-Token", kind: Text},
	79:  {name: "EAP-Message"},
	80:  {name: "Message-Authenticator"},
	81:  {name: "Tunnel-Private-Group-ID", kind: Text},
	82:  {name: "Tunnel-Assignment-ID", kind: Text},
	83:  {name: "Tunnel-Preference"},
	84:  {name: "ARAP-Challenge-Response"},
	85:  {name: "Acct-Interim-Interval", kind: Integer},
	86:  {name: "Acct-Tunnel-Packets-Lost", kind: Integer},
	87:  {name: "NAS-Port-Id", kind: Text},
	88:  {name: "Framed-Pool", kind: Text},
	89:  {name: "Chargeable-User-Identity"},
	90:  {name: "Tunnel-Client-Auth-ID", kind: Text},
	91:  {name: "Tunnel-Server-Auth-ID", kind: Text},
	92:  {name: "NAS-Filter-Rule", kind: Text},
	95:  {name: "NAS-IPv6-Address", kind: IPv6Address},
	96:  {name: "Framed-Interface-Id", kind: InterfaceID},
	97:  {name: "Framed-IPv6-Prefix", kind: IPv6Prefix},
	98:  {name: "Login-IPv6-Host", kind: IPv6Address},
	99:  {name: "Framed-IPv6-Route", kind: Text},
	100: {name: "Framed-IPv6-Pool", kind: Text},
	101: {name: "Error-Cause", kind: Integer},
	123: {name: "Delegated-IPv6-Prefix", kind: IPv6Prefix},
	168: {name: "Framed-IPv6-Address", kind: IPv6Address},
	169: {name: "DNS-Server-IPv6-Address", kind: IPv6Address},
	170: {name: "Route-IPv6-Information", kind: IPv6Prefix},
	171: {name: "Delegated-IPv6-Prefix-Pool", kind: Text},
	172: {name: "Stateful-IPv6-Address-Pool", kind: Text},
}

// The words of RFC 2865 section 5.6; S1 shows them so, but for its Exec-User, which is NAS-Prompt.
var serviceTypes = map[uint32]string{
	1: "Login", 2: "Framed", 3: "Callback-Login", 4: "Callback-Framed", 5: "Outbound", 6: "Administrative",
	7: "NAS-Prompt", 8: "Authenticate-Only", 9: "Callback-NAS-Prompt", 10: "Call-Check",
	11: "Callback-Administrative", 17: "Authorize-Only", 18: "Framed-Management", 19: "Additional-Authorization",
}

var framedProtocols = map[uint32]string{1: "PPP", 2: "SLIP", 3: "ARAP", 4: "Gandalf-SLML", 5: "Xylogics-IPX-SLIP", 6: "X.75-Synchronous"}

var loginServices = map[uint32]string{
	0: "Telnet", 1: "Rlogin", 2: "TCP-Clear", 3: "PortMaster", 4: "LAT", 5: "X25-PAD", 6: "X25-T3POS", 8: "TCP-Clear-Quiet",
}

var statusTypes = map[uint32]string{
	1: "Start", 2: "Stop", 3: "Interim-Update", 7: "Accounting-On", 8: "Accounting-Off", 9: "Tunnel-Start",
	10: "Tunnel-Stop", 11: "Tunnel-Reject", 12: "Tunnel-Link-Start", 13: "Tunnel-Link-Stop", 14: "Tunnel-Link-Reject", 15: "Failed",
}

var authentics = map[uint32]string{1: "RADIUS", 2: "Local", 3: "Remote", 4: "Diameter"}

var terminateCauses = map[uint32]string{
	1: "User-Request", 2: "Lost-Carrier", 3: "Lost-Service", 4: "Idle-Timeout", 5: "Session-Timeout", 6: "Admin-Reset",
	7: "Admin-Reboot", 8: "Port-Error", 9: "NAS-Error", 10: "NAS-Request", 11: "NAS-Reboot", 12: "Port-Unneeded",
	13: "Port-Preempted", 14: "Port-Suspended", 15: "Service-Unavailable", 16: "Callback", 17: "User-Error",
	18: "Host-Request", 19: "Supplicant-Restart", 20: "Reauthentication-Failure", 21: "Port-Reinitialized",
	22: "Port-Administratively-Disabled", 23: "Lost-Power",
}

var portTypes = map[uint32]string{
	0: "Async", 1: "Sync", 2: "ISDN-Sync", 3: "ISDN-Async-V.120", 4: "ISDN-Async-V.110", 5: "Virtual", 6: "PIAFS",
	7: "HDLC-Clear-Channel", 8: "X.25", 9: "X.75", 10: "G3-Fax", 11: "SDSL", 12: "ADSL-CAP", 13: "ADSL-DMT", 14: "IDSL",
	15: "Ethernet", 16: "xDSL", 17: "Cable", 18: "Wireless-Other", 19: "Wireless-802.11", 20: "Token-Ring", 21: "FDDI",
	22: "Wireless-CDMA2000", 23: "Wireless-UMTS", 24: "Wireless-1X-EV", 25: "IAPP", 26: "FTTP", 27: "Wireless-802.16",
	28: "Wireless-802.20", 29: "Wireless-802.22", 30: "PPPoA", 31: "PPPoEoA", 32: "PPPoEoE", 33: "PPPoEoVLAN",
	34: "PPPoEoQinQ", 35: "xPON", 36: "Wireless-XGP",
}
