package radiusclient

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"aaasess/mib"
)

// The values of InetAddressType (INET-ADDRESS-MIB, RFC 4001) that occur.
const (
	inetUnknown = 0 // the address is empty
	inetIPv4    = 1
	inetIPv6    = 2
	inetIPv6z   = 4 // an address with a zone, whose number follows the 16 octets
)

// inetAddress is an InetAddressType and the InetAddress that goes with it.
type inetAddress struct {
	kind   int32
	octets string
}

// newInetAddress converts an address; the zero Addr is unknown(0).
func newInetAddress(addr netip.Addr) inetAddress {
	addr = addr.Unmap()
	switch {
	case !addr.IsValid():
		return inetAddress{inetUnknown, ""}
	case addr.Is4():
		return inetAddress{inetIPv4, string(addr.AsSlice())}
	case addr.Zone() == "":
		return inetAddress{inetIPv6, string(addr.AsSlice())}
	}
	return inetAddress{inetIPv6z, string(binary.BigEndian.AppendUint32(addr.AsSlice(), mib.ZoneIndex(addr.Zone())))}
}

// maxAdminString is the SIZE of an SnmpAdminString (SNMP-FRAMEWORK-MIB, RFC 3411).
const maxAdminString = 255

// adminString converts octets to an SnmpAdminString, which is UTF-8: octets that are not become
// U+FFFD. What is too long is cut between two characters.
func adminString(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxAdminString {
		return s
	}
	end := maxAdminString
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// hundredth is the unit of TimeTicks.
const hundredth = 10 * time.Millisecond

// roundTrip converts a time of response to TimeTicks. It rounds up, so that 0 means that there is
// none (RFC 4672, radiusDynAuthClientRoundTripTime).
func roundTrip(d time.Duration) uint32 { return uint32((max(0, d) + hundredth - 1) / hundredth) }

// ticks converts a time to TimeTicks, which wrap after 497 days (RFC 2578 section 7.1.8).
func ticks(d time.Duration) uint32 { return uint32(max(0, d) / hundredth) }
