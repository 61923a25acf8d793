// Package freeport finds ports for foreign programs, which cannot be given a socket that is open already.
//
// Between the search and the program's own bind the port belongs to nobody. A port of the range that the system hands
// out by itself (net.ipv4.ip_local_port_range) may have a new owner by then: any socket that is opened without a port,
// of the program itself too. So ports are taken from below that range, by chance, since others search at the same time.
package freeport

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

const (
	// first is the lowest port that is tried: below it are the services that a host may have.
	first = 10_000
	// tries is how many ports are tried, before all of them are taken to be in use.
	tries = 100
	// systemRange is the file with the lowest and the highest port that the system hands out.
	systemRange = "/proc/sys/net/ipv4/ip_local_port_range"
)

// ErrNone is returned when no free port was found.
var ErrNone = errors.New("freeport: none found")

// UDP is a port of 127.0.0.1 that no UDP socket has, and that the system gives to none.
func UDP() (uint16, error) {
	return find(func(address string) (io.Closer, error) { return net.ListenPacket("udp4", address) })
}

// TCP is a port of 127.0.0.1 that nobody listens at, and that the system gives to no connection.
func TCP() (uint16, error) {
	return find(func(address string) (io.Closer, error) { return net.Listen("tcp4", address) })
}

func find(bind func(address string) (io.Closer, error)) (uint16, error) {
	text, err := os.ReadFile(systemRange)
	if err != nil {
		return 0, fmt.Errorf("freeport: %w", err)
	}
	end, err := lowest(string(text))
	if err != nil {
		return 0, err
	}
	for range tries {
		port := first + rand.N(end-first)
		socket, err := bind(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue // somebody has it
		}
		return uint16(port), socket.Close()
	}
	return 0, ErrNone
}

// lowest is the first port of the system's range, from the text of systemRange. Where the range begins so low that
// nothing is left below it, an error says so.
func lowest(text string) (int, error) {
	var low, high int
	if _, err := fmt.Sscan(text, &low, &high); err != nil {
		return 0, fmt.Errorf("freeport: %s: %q: %w", systemRange, text, err)
	}
	if low <= first+tries || low > 1<<16 {
		return 0, fmt.Errorf("freeport: %s: no ports between %d and %d", systemRange, first, low)
	}
	return low, nil
}
