package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
)

// dialFunc opens a UDP socket that is connected to a receiver: so only its datagrams come in, and the
// network's errors too. What is sent leaves from source, if that is valid. It heeds its context.
type dialFunc func(ctx context.Context, source netip.Addr, address string) (net.Conn, error)

// dialUDP gives the dialFunc that asks a resolver for names; nil is the system's.
func dialUDP(resolver *net.Resolver) dialFunc {
	return func(ctx context.Context, source netip.Addr, address string) (net.Conn, error) {
		d, network := net.Dialer{Resolver: resolver}, "udp"
		if source.IsValid() {
			d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
			network = "udp6" // not "udp": names shall be asked for addresses of one family only
			if source.Is4() {
				network = "udp4"
			}
		}
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, dialError(err, source)
		}
		return conn, nil
	}
}

// dialError says why a socket could not be opened.
func dialError(err error, source netip.Addr) error {
	from, only := "", ""
	if source.IsValid() {
		from, only = " from "+source.String(), " (IPv6 addresses only)"
		if source.Is4() {
			only = " (IPv4 addresses only)"
		}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		why := dns.Err
		if dns.IsTimeout {
			why = "no answer in time"
		} else if i := strings.LastIndex(why, ": "); i >= 0 {
			why = "name server: " + why[i+2:] // it quotes an error of the network
		}
		return fmt.Errorf("look up %s%s: %s", dns.Name, only, why)
	}
	if addr, ok := errors.AsType[*net.AddrError](err); ok {
		return fmt.Errorf("look up %s%s: %s", addr.Addr, only, addr.Err)
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok && call.Syscall == "bind" {
		return plain("source address "+source.String(), err)
	}
	return plain("open a socket"+from, err)
}

// plain is an error of the network for a person to read: without the names of calls and sockets, and
// without the types, that the net package puts around it. errors.Is still finds a syscall.Errno.
func plain(doing string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	if errors.Is(err, syscall.ECONNREFUSED) { // of UDP: an ICMP message
		doing = "nothing listens at the receiver's port"
	}
	return fmt.Errorf("%s: %w", doing, err)
}
