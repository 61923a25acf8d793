package stand

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/tacacsload"
	"aaasess/internal/freeport"
)

// tacacsCommand is the first argument that makes this program a TACACS+ accounting server which
// stores nothing.
const tacacsCommand = "acknowledge-tacacs"

// runTACACS serves until it is killed.
func runTACACS(args []string, _ io.Writer) error {
	flags := flag.NewFlagSet(tacacsCommand, flag.ContinueOnError)
	port := flags.Uint("port", 49, "TCP `port` on 127.0.0.1 for requests")
	controlPort := flags.Uint("control", 0, "UDP `port` on 127.0.0.1: a datagram to it is answered with the arrivals, as JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	control, err := nasload.ListenLoopback(uint16(*controlPort))
	if err != nil {
		return err
	}
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(nasload.Loopback(), uint16(*port))))
	if err != nil {
		return err
	}
	counts := newTally()
	go counts.serveCounts(control)
	return tacacsload.Serve(l, counts.count)
}

// StartTACACS starts an acknowledger for TACACS+ and returns when it accepts connections.
func StartTACACS(ctx context.Context, h Host) (*acknowledger, error) {
	port, err := freeport.TCP()
	if err != nil {
		return nil, err
	}
	a, err := startAcknowledger(ctx, h, tacacsCommand, port)
	if err != nil {
		return nil, err
	}
	if err := awaitConnection(ctx, a.Addr(), a.Process); err != nil {
		a.stop()
		return nil, err
	}
	return a, nil
}

// Close ends the process.
func (a *acknowledger) Close() { a.stop() }

// awaitConnection connects to a server until it accepts. It returns an error if the process ends.
func awaitConnection(ctx context.Context, addr netip.AddrPort, needed *Process) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		c, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(addr))
		if err == nil {
			return c.Close()
		}
		if ended := needed.Ended(); ended != nil {
			return ended
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for a connection to %v: %w", addr, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
