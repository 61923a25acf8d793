package radiustest

import (
	"context"
	"errors"
	"net"
	"net/netip"

	layeh "layeh.com/radius"
)

// Account sends one Accounting-Request from a local address (port 0: any port) and waits for the
// answer until ctx ends. It does not retransmit. An answer that is not authentic is an error.
func Account(ctx context.Context, local, to netip.AddrPort, p *layeh.Packet) (*layeh.Packet, error) {
	data, err := p.Encode()
	if err != nil {
		return nil, err
	}
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(local), net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	if _, err := conn.Write(data); err != nil {
		return nil, err
	}
	b := make([]byte, layeh.MaxPacketLength)
	n, err := conn.Read(b)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case !layeh.IsAuthenticResponse(b[:n], data, p.Secret):
		return nil, errors.New("radiustest: the answer is not authentic")
	}
	return layeh.Parse(b[:n], p.Secret)
}
