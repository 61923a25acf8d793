package freeport

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
)

// TestOutsideSystemRange: no port is in the system's range.
func TestOutsideSystemRange(t *testing.T) {
	text, err := os.ReadFile(systemRange)
	if err != nil {
		t.Fatal(err)
	}
	end, err := lowest(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, find := range map[string]func() (uint16, error){"udp": UDP, "tcp": TCP} {
		seen := map[uint16]bool{}
		for range 100 {
			port, err := find()
			if err != nil || int(port) < first || int(port) >= end {
				t.Fatalf("%s: port %d, %v", name, port, err)
			}
			seen[port] = true
		}
		if len(seen) < 50 {
			t.Errorf("%s: %d ports in 100 searches", name, len(seen))
		}
	}
}

// TestFree: a returned port can be bound, and a bound port is not returned.
func TestFree(t *testing.T) {
	port, err := UDP()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	attempts := 0
	_, err = find(func(address string) (io.Closer, error) {
		attempts++
		return net.ListenPacket("udp4", conn.LocalAddr().String())
	})
	if !errors.Is(err, ErrNone) || attempts != tries {
		t.Errorf("%v after %d tries", err, attempts)
	}
}

func TestLowest(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"32768\t60999\n", 32768},
		{"49152 65535", 49152},
		{"1024\t65535\n", 0},
		{"", 0},
		{"all", 0},
		{"70000 80000", 0},
	} {
		got, err := lowest(c.text)
		if got != c.want || (err == nil) != (c.want != 0) {
			t.Errorf("%q: %d, %v", c.text, got, err)
		}
	}
}
