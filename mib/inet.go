package mib

import (
	"net"
	"strconv"
)

// ZoneIndex returns the InetZoneIndex (INET-ADDRESS-MIB, RFC 4001) of the zone of an address: a number,
// or the name of an interface of this host. A zone that is neither is 0, the default zone (RFC 4007
// section 6).
func ZoneIndex(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}
