package udpbatch

import (
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// message is a struct mmsghdr (recvmmsg(2)).
type message struct {
	hdr unix.Msghdr
	n   uint32
}

// address is a socket address in the kernel's format.
type address struct {
	raw    unix.RawSockaddrInet6 // large enough for IPv4 too
	length uint32
}

// set sets the address. ipv6 is whether the socket is one of IPv6.
func (a *address) set(to netip.AddrPort, ipv6 bool) {
	if !ipv6 {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		*sa = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().Unmap().As4()}
		setPort(&sa.Port, to.Port())
		a.length = unix.SizeofSockaddrInet4
		return
	}
	a.raw = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.Addr().As16(), Scope_id: indexOf(to.Addr().Zone())}
	setPort(&a.raw.Port, to.Port())
	a.length = unix.SizeofSockaddrInet6
}

// addrPort returns the address, as [net.UDPConn.ReadFromUDPAddrPort] does.
func (a *address) addrPort() netip.AddrPort {
	if a.raw.Family == unix.AF_INET {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), portOf(&sa.Port))
	}
	return netip.AddrPortFrom(netip.AddrFrom16(a.raw.Addr).WithZone(zoneOf(a.raw.Scope_id)), portOf(&a.raw.Port))
}

func portOf(port *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(port))
	return uint16(b[0])<<8 | uint16(b[1])
}

func setPort(port *uint16, n uint16) {
	*(*[2]byte)(unsafe.Pointer(port)) = [2]byte{byte(n >> 8), byte(n)}
}

// zoneOf returns the name of an interface. Only link-local addresses have one, which are rare.
func zoneOf(index uint32) string {
	if index == 0 {
		return ""
	}
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(index), 10)
}

// indexOf is the inverse of zoneOf.
func indexOf(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}
