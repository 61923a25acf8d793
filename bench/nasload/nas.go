package nasload

import (
	"fmt"
	"net"
	"net/netip"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// ListenLoopback opens a UDP socket on 127.0.0.1. Port 0 means a free one.
func ListenLoopback(port uint16) (*net.UDPConn, error) {
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(Loopback(), port)))
}

// Loopback is 127.0.0.1.
func Loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// Counted is the limit of the sessions' numbers that an acknowledger counts. It does not count
// those of the other NAS.
const Counted = 1 << 24

// The numbers of the first sessions of the other NAS and of the one that flaps.
const (
	firstOfOther = Counted
	FirstOfFlaps = 8_000_000
)

// NASNumber returns NAS j of many, 0 <= j < 65536. One client entry of the daemon matches all of
// them.
func NASNumber(j int) NAS {
	addr := netip.AddrFrom4([4]byte{127, 1, byte(j >> 8), byte(j)})
	return NAS{Addr: addr, IP: addr, Identifier: fmt.Sprintf("bras-%d.isp.example", j)}
}

// Other and Flapping are not among the NASes of NASNumber.
var (
	Other    = NAS{netip.AddrFrom4([4]byte{127, 2, 0, 1}), netip.AddrFrom4([4]byte{127, 2, 0, 1}), "other.isp.example"}
	Flapping = NAS{netip.AddrFrom4([4]byte{127, 2, 0, 2}), netip.AddrFrom4([4]byte{127, 2, 0, 2}), "flapping.isp.example"}
)

// On returns the attributes of its nth Accounting-On.
func (m NAS) On(n int) []byte {
	a := radius.AppendUint32(nil, radius.AcctStatusType, uint32(sessions.On))
	a = radius.AppendAttribute(a, radius.NASIPAddress, string(m.IP.AsSlice()))
	a = radius.AppendAttribute(a, radius.NASIdentifier, m.Identifier)
	return radius.AppendAttribute(a, radius.AcctSessionID, fmt.Sprintf("on-%d", n))
}

// StartOrInterim returns the attributes of request i of usual traffic: if i is even the start of a
// session, otherwise its interim.
func (m NAS) StartOrInterim(i int) []byte {
	session := firstOfOther + i/2
	if i%2 == 0 {
		return m.Attributes(sessions.Start, session)
	}
	a := m.Attributes(sessions.Interim, session)
	a = radius.AppendUint32(a, radius.AcctSessionTime, 600)
	a = radius.AppendUint32(a, radius.AcctInputOctets, 1_000_000)
	return radius.AppendUint32(a, radius.AcctOutputOctets, 20_000_000)
}

// StartOrOn returns the attributes of request i of a NAS that restarts again and again: if i is
// even the start of a session, otherwise an Accounting-On.
func (m NAS) StartOrOn(i int) []byte {
	if i%2 == 0 {
		return m.Attributes(sessions.Start, FirstOfFlaps+i/2)
	}
	return m.On(i / 2)
}
