package client

import (
	"context"
	"net"
	"net/netip"
)

// Dial opens a connection to a server, which is given by host and port. It must return when ctx is
// done. The zero local address lets the system choose.
type Dial func(ctx context.Context, address string, local netip.Addr) (net.Conn, error)

// OverTCP is the Dial of RFC 8907 section 4.2. A host name is resolved first; if it has several
// addresses, they are tried in turn.
func OverTCP(ctx context.Context, address string, local netip.Addr) (net.Conn, error) {
	var d net.Dialer
	if local.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local.Unmap(), 0))
	}
	return d.DialContext(ctx, "tcp", address)
}
