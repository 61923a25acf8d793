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

// dialFunc opens a UDP socket that is connected to a receiver, so it receives only the receiver's
// datagrams and network errors. Messages leave from source, if that is valid. It returns when its
// context ends.
type dialFunc func(ctx context.Context, source netip.Addr, address string) (net.Conn, error)

// dialUDP returns a dialFunc that uses resolver, or the system's resolver if that is nil.
func dialUDP(resolver *net.Resolver) dialFunc {
	return func(ctx context.Context, source netip.Addr, address string) (net.Conn, error) {
		d, network := net.Dialer{Resolver: resolver}, "udp"
		if source.IsValid() {
			d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
			network = "udp6" // not "udp": resolve names to addresses of one family only
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

// dialError describes why a socket could not be opened.
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
			why = "name server: " + why[i+2:] // it quotes a network error
		}
		return fmt.Errorf("look up %s%s: %s", dns.Name, only, why)
	}
	if addr, ok := errors.AsType[*net.AddrError](err); ok {
		return fmt.Errorf("look up %s%s: %s", addr.Addr, only, addr.Err)
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok && call.Syscall == "bind" {
		return networkError("source address "+source.String(), err)
	}
	return networkError("open a socket"+from, err)
}

// networkError makes a network error readable: it removes the system calls, sockets and types that
// package net adds. errors.Is still finds a syscall.Errno.
func networkError(doing string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	if errors.Is(err, syscall.ECONNREFUSED) { // for UDP this is an ICMP message
		doing = "nothing listens at the receiver's port"
	}
	return fmt.Errorf("%s: %w", doing, err)
}
