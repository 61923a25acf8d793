package dae

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"aaasess/internal/radius"
	"aaasess/internal/udpsocket"
)

var (
	// errNotLocal is returned if a datagram should leave from an address that this host does not
	// have.
	errNotLocal = errors.New("not an address of this host")
	errNoFamily = errors.New("this host has no socket of that address family")
)

// socket is the UDP socket for one address family. It is not connected. The kernel's
// error queue reports closed ports of NASes (ip(7), IP_RECVERR).
type socket struct {
	d    *Disconnector
	conn *net.UDPConn
	raw  rawConn
	is4  bool
}

// rawConn is the part of syscall.RawConn that is used.
type rawConn interface {
	Read(func(fd uintptr) bool) error
	Control(func(fd uintptr)) error
}

// open opens the IPv4 socket and, if the host has IPv6, the IPv6 socket.
func (d *Disconnector) open() error {
	d.socketsMu.Lock()
	defer d.socketsMu.Unlock()
	select {
	case <-d.opened:
		return nil
	default:
	}
	if d.closed {
		return nil
	}
	for _, network := range []string{"udp4", "udp6"} {
		s, err := d.openSocket(network)
		switch {
		case err == nil:
			d.sockets = append(d.sockets, s)
		case network == "udp4":
			return fmt.Errorf("dae: socket: %w", err)
		default:
			d.log.Info("disconnect: cannot send requests over IPv6", "err", err)
		}
	}
	close(d.opened)
	return nil
}

// openSockets returns the sockets, or none before there are clients.
func (d *Disconnector) openSockets() []*socket {
	d.socketsMu.Lock()
	defer d.socketsMu.Unlock()
	return d.sockets
}

func (d *Disconnector) openSocket(network string) (*socket, error) {
	conn, err := net.ListenUDP(network, nil)
	if err != nil {
		return nil, err
	}
	s := &socket{d: d, conn: conn, is4: network == "udp4"}
	s.raw, err = conn.SyscallConn()
	if err == nil {
		err = udpsocket.Control(conn, func(fd int) error {
			udpsocket.SetBuffers(fd) // many NASes may answer at once
			if s.is4 {
				return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1)
			}
			return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
		})
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

// sendFromSocket is the sendFunc of a Disconnector with sockets.
func (d *Disconnector) sendFromSocket(b []byte, from netip.Addr, to netip.AddrPort) error {
	for _, s := range d.openSockets() {
		if s.is4 == to.Addr().Is4() {
			return s.send(b, from, to)
		}
	}
	return errNoFamily
}

// errorPause is the pause between two reads after a kernel error.
const errorPause = 100 * time.Millisecond

// maxPending is how many errors about earlier datagrams one send skips.
const maxPending = 16

// send sends a datagram. With IP_RECVERR a call may fail because of an earlier datagram; it has
// sent nothing then and is repeated.
func (s *socket) send(b []byte, from netip.Addr, to netip.AddrPort) error {
	var source []byte
	if from.IsValid() {
		source = udpsocket.AppendPacketInfo(nil, udpsocket.Local{Addr: from, IfIndex: interfaceOf(to.Addr())})
	}
	var err error
	for range maxPending {
		_, _, err = s.conn.WriteMsgUDPAddrPort(b, source, to)
		if !isQueuedError(err) {
			break
		}
		_ = s.raw.Control(s.readErrors)
	}
	if from.IsValid() && (errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENETUNREACH)) {
		return fmt.Errorf("%w: %w", errNotLocal, udpsocket.RootCause(err))
	}
	return err
}

// isQueuedError reports whether an error may be a report of a host or router about an earlier
// datagram.
func isQueuedError(err error) bool {
	return errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.EHOSTUNREACH) || errors.Is(err, unix.ENETUNREACH) ||
		errors.Is(err, unix.EMSGSIZE) || errors.Is(err, unix.EPROTO) || errors.Is(err, unix.EACCES)
}

// interfaceOf returns the interface index of a link-local address, else 0.
func interfaceOf(addr netip.Addr) uint32 {
	if addr.Zone() == "" {
		return 0
	}
	if i, err := net.InterfaceByName(addr.Zone()); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.ParseUint(addr.Zone(), 10, 32)
	return uint32(n)
}

// read receives answers and error reports until the socket is closed.
func (s *socket) read(ctx context.Context) error {
	b := make([]byte, radius.MaxPacket+1)
	for {
		var n int
		var from unix.Sockaddr
		var failed error
		err := s.raw.Read(func(fd uintptr) bool {
			s.readErrors(fd) // they wake the poller too
			for failed = unix.EINTR; failed == unix.EINTR; {
				n, from, failed = unix.Recvfrom(int(fd), b, unix.MSG_DONTWAIT)
			}
			return failed != unix.EAGAIN
		})
		switch {
		case err != nil:
			return err // closed
		case failed == nil:
			s.d.receive(b[:n], addrPortOf(from), time.Now())
		case !isQueuedError(failed):
			s.d.log.Error("disconnect: cannot receive answers; will retry", "address", s.conn.LocalAddr(), "err", failed)
			select {
			case <-ctx.Done():
			case <-time.After(errorPause):
			}
		}
	}
}

// readErrors reads the socket's error queue until it is empty.
func (s *socket) readErrors(fd uintptr) {
	quoted, control := make([]byte, radius.HeaderLen), make([]byte, 256)
	for {
		n, controls, _, to, err := unix.Recvmsg(int(fd), quoted, control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil {
			return
		}
		if to != nil && isRefused(control[:controls]) {
			s.d.unreachable(addrPortOf(to), quoted[:n])
		}
	}
}

// isRefused reports whether the sock_extended_err in control messages (ip(7)) reports a closed
// port.
func isRefused(control []byte) bool {
	for len(control) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return false
		}
		control = rest
		isError := h.Level == unix.IPPROTO_IP && h.Type == unix.IP_RECVERR || h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_RECVERR
		if isError && len(data) >= 4 && unix.Errno(binary.NativeEndian.Uint32(data)) == unix.ECONNREFUSED {
			return true
		}
	}
	return false
}

// addrPortOf converts an address from the kernel.
func addrPortOf(from unix.Sockaddr) netip.AddrPort {
	switch a := from.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		addr := netip.AddrFrom16(a.Addr).Unmap()
		if a.ZoneId != 0 && addr.Is6() {
			zone := strconv.FormatUint(uint64(a.ZoneId), 10)
			if i, err := net.InterfaceByIndex(int(a.ZoneId)); err == nil {
				zone = i.Name
			}
			addr = addr.WithZone(zone)
		}
		return netip.AddrPortFrom(addr, uint16(a.Port))
	}
	return netip.AddrPort{}
}
