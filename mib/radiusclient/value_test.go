package radiusclient

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestInetAddress(t *testing.T) {
	loopback := "\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, addr string
		want       inetAddress
	}{
		{"none", "", inetAddress{0, ""}},
		{"IPv4", "192.0.2.1", inetAddress{1, "\xc0\x00\x02\x01"}},
		{"IPv4 in IPv6", "::ffff:192.0.2.1", inetAddress{1, "\xc0\x00\x02\x01"}},
		{"IPv6", "2001:db8::1", inetAddress{2, "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x01"}},
		{"a zone by number", "fe80::1%258", inetAddress{4, loopback + "\x00\x00\x01\x02"}},
		{"a zone by name", "fe80::1%lo", inetAddress{4, loopback + string([]byte{0, 0, 0, byte(lo.Index)})}},
		{"a zone that is not there", "fe80::1%no-such-interface", inetAddress{4, loopback + "\x00\x00\x00\x00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr, _ := netip.ParseAddr(tt.addr)
			if got := newInetAddress(addr); got != tt.want {
				t.Errorf("got %d %q, want %d %q", got.kind, got.octets, tt.want.kind, tt.want.octets)
			}
		})
	}
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want uint32
	}{{0, 0}, {1, 1}, {9 * time.Millisecond, 1}, {10 * time.Millisecond, 1}, {10*time.Millisecond + 1, 2}, {3 * time.Second, 300}, {-time.Second, 0}} {
		if got := roundTrip(tt.d); got != tt.want {
			t.Errorf("round trip time %v: %d, want %d", tt.d, got, tt.want)
		}
	}
	for _, tt := range []struct {
		d    time.Duration
		want uint32
	}{{0, 0}, {-time.Hour, 0}, {19 * time.Millisecond, 1}, {time.Hour, 360_000}, {(1<<32 + 1) * hundredth, 1}} {
		if got := ticks(tt.d); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.d, got, tt.want)
		}
	}
}

func TestAdminString(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"UTF-8", "Zoë", "Zoë"},
		{"not UTF-8", "a\xffb", "a�b"},
		{"255 octets", strings.Repeat("x", 255), strings.Repeat("x", 255)},
		{"256 octets", strings.Repeat("x", 256), strings.Repeat("x", 255)},
		{"cut between characters", strings.Repeat("ë", 128), strings.Repeat("ë", 127)},
	} {
		if got := adminString(tt.in); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "octets"))
		out := adminString(in)
		if len(out) > maxAdminString || !utf8.ValidString(out) || utf8.ValidString(in) && len(in) <= maxAdminString && out != in {
			t.Fatal(fmt.Sprintf("%q becomes %q", in, out))
		}
	})
}
