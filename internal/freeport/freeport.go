// Package freeport finds free ports for foreign programs, which cannot inherit an open socket.
//
// The port is not reserved between the search and the program's bind. If it were in the system's
// range (net.ipv4.ip_local_port_range), any socket without an explicit port could get it meanwhile,
// even one of the program itself. So ports are below that range, and random, because other
// processes search at the same time.
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
	// first is the lowest port that is tried; a host may have services below it.
	first = 10_000
	// tries is how many ports are tried before the search fails.
	tries = 100
	// systemRange is the file with the lowest and the highest port of the system's range.
	systemRange = "/proc/sys/net/ipv4/ip_local_port_range"
)

// ErrNone is returned if no free port was found.
var ErrNone = errors.New("freeport: no free port found")

// UDP returns a port of 127.0.0.1 that no UDP socket uses, outside the system's range.
func UDP() (uint16, error) {
	return find(func(address string) (io.Closer, error) { return net.ListenPacket("udp4", address) })
}

// TCP returns a port of 127.0.0.1 on which nothing listens, outside the system's range.
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
			continue // in use
		}
		return uint16(port), socket.Close()
	}
	return 0, ErrNone
}

// lowest returns the first port of the system's range, from the text of systemRange. If the range
// begins so low that no ports are left below it, it returns an error.
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
