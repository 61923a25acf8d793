package udpsocket

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Local is the local address of a datagram. Its zero value stands for no address.
type Local struct {
	Addr    netip.Addr
	IfIndex uint32 // set only for a link-local address
}

// ParsePacketInfo reads the local address from control messages (ip(7), ipv6(7)).
func ParsePacketInfo(control []byte) (local Local) {
	for len(control) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return local
		}
		control = rest
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			// The fields are ifindex, spec_dst, addr. spec_dst is a local address even for a
			// broadcast.
			local.Addr = netip.AddrFrom4([4]byte(data[4:8]))
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			local.Addr = netip.AddrFrom16([16]byte(data[:16]))
			if local.Addr.IsLinkLocalUnicast() {
				local.IfIndex = binary.NativeEndian.Uint32(data[16:])
			}
		}
	}
	return local
}

// AppendPacketInfo appends the control message that makes a datagram leave from this address.
func AppendPacketInfo(b []byte, local Local) []byte {
	if local.Addr.Is4() {
		b, data := AppendControl(b, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		a := local.Addr.As4()
		copy(data[4:], a[:])
		return b
	}
	b, data := AppendControl(b, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	a := local.Addr.As16()
	copy(data, a[:])
	binary.NativeEndian.PutUint32(data[16:], local.IfIndex)
	return b
}

// AppendSegment appends the control message that makes the kernel split a buffer into datagrams of n
// octets, of which the last may be shorter (udp(7), UDP_SEGMENT).
func AppendSegment(b []byte, n int) []byte {
	b, data := AppendControl(b, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
	binary.NativeEndian.PutUint16(data, uint16(n))
	return b
}

// AppendControl appends a control message (cmsg(3)) with data of this size, zeros, to fill in.
func AppendControl(b []byte, level, kind int32, size int) (all, data []byte) {
	at := len(b)
	b = append(b, make([]byte, unix.CmsgSpace(size))...)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[at]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	return b, b[at+unix.CmsgLen(0):][:size]
}
