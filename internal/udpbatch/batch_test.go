package udpbatch

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listen opens a socket on a free port of an address until the test ends.
func listen(t *testing.T, addr string) *net.UDPConn {
	t.Helper()
	at, network := netip.MustParseAddrPort(addr), "udp6"
	if at.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func addrOf(conn *net.UDPConn) netip.AddrPort { return conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func newReader(t *testing.T, conn *net.UDPConn, octets, control int) *Reader {
	t.Helper()
	r, err := NewReader(conn, octets, control)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newWriter(t *testing.T, conn *net.UDPConn, n int) *Writer {
	t.Helper()
	w, err := NewWriter(conn, n)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// numbered returns the i-th datagram; its length depends on i.
func numbered(i int) []byte {
	return append(fmt.Append(nil, i, ":"), bytes.Repeat([]byte{'x'}, i*7)...)
}

// TestRoundTrips: more datagrams than one call reads arrive in order, with their octets and their
// sender, over IPv4 and IPv6. A Writer is used again after Flush.
func TestRoundTrips(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(addr, func(t *testing.T) {
			in, out := listen(t, addr), listen(t, addr)
			r, w := newReader(t, in, 2000, 0), newWriter(t, out, 50)
			for round, count := range []int{1, batch, batch + 1, 50} {
				for i := range count {
					w.Add(numbered(i), nil, addrOf(in))
				}
				if w.Len() != count {
					t.Errorf("round %d: %d datagrams were added, want %d", round, w.Len(), count)
				}
				var done []int
				w.Flush(func(i int, err error) {
					if err != nil {
						t.Errorf("round %d: datagram %d: %v", round, i, err)
					}
					done = append(done, i)
				})
				if !slices.IsSorted(done) || len(done) != count || w.Len() != 0 {
					t.Errorf("round %d: done %v, %d are left", round, done, w.Len())
				}
				for i := range count {
					d, err := r.Read()
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(d.Data, numbered(i)) || d.From != addrOf(out) || len(d.Control) != 0 {
						t.Errorf("round %d: %q from %v, want datagram %d from %v", round, d.Data, d.From, i, addrOf(out))
					}
				}
			}
			w.Flush(func(int, error) { t.Error("there was nothing to send") })
		})
	}
}

// TestTruncation: of a long datagram, the first octets are read; the next one is whole.
func TestTruncation(t *testing.T) {
	in, out := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	r := newReader(t, in, 10, 0)
	for _, text := range []string{"0123456789", "0123456789a", "", "abc"} {
		if _, err := out.WriteToUDPAddrPort([]byte(text), addrOf(in)); err != nil {
			t.Fatal(err)
		}
		d, err := r.Read()
		if want := text[:min(len(text), 10)]; err != nil || string(d.Data) != want {
			t.Errorf("%q, %v; want %q", d.Data, err, want)
		}
	}
}

// TestControl: control messages come with each datagram, and go with those that have them.
func TestControl(t *testing.T) {
	in, out := listen(t, "0.0.0.0:0"), listen(t, "0.0.0.0:0")
	raw, err := in.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
	}); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	r, w := newReader(t, in, 100, 64), newWriter(t, out, 4)
	to := func(last byte) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, last}), addrOf(in).Port())
	}
	source := unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: [4]byte{127, 0, 0, 9}})
	w.Add([]byte("a"), source, to(2))
	w.Add([]byte("b"), nil, to(3))
	w.Add([]byte("c"), source, to(4))
	w.Flush(func(i int, err error) {
		if err != nil {
			t.Errorf("datagram %d: %v", i, err)
		}
	})
	for i, want := range []struct {
		from string
		to   byte
	}{{"127.0.0.9", 2}, {"127.0.0.1", 3}, {"127.0.0.9", 4}} {
		d, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		if d.From.Addr() != netip.MustParseAddr(want.from) {
			t.Errorf("datagram %d is from %v, want %v", i, d.From, want.from)
		}
		h, info, rest, err := unix.ParseOneSocketControlMessage(d.Control)
		if err != nil || h.Type != unix.IP_PKTINFO || len(rest) != 0 || info[11] != want.to {
			t.Errorf("datagram %d: control messages %x, %v; want one with 127.0.0.%d", i, d.Control, err, want.to)
		}
	}
}

// TestRefused: a datagram that the kernel refuses does not stop those behind it, wherever it stands.
func TestRefused(t *testing.T) {
	long := make([]byte, 1<<16)
	for _, tt := range []struct {
		name    string
		refused []int // of five datagrams
	}{
		{"none", nil},
		{"the first", []int{0}},
		{"one in the middle", []int{2}},
		{"the last", []int{4}},
		{"two in a row", []int{1, 2}},
		{"all", []int{0, 1, 2, 3, 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, out := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
			r, w := newReader(t, in, 2000, 0), newWriter(t, out, 5)
			for i := range 5 {
				data := numbered(i)
				if slices.Contains(tt.refused, i) {
					data = long
				}
				w.Add(data, nil, addrOf(in))
			}
			var done, refused []int
			w.Flush(func(i int, err error) {
				done = append(done, i)
				if errors.Is(err, unix.EMSGSIZE) {
					refused = append(refused, i)
				} else if err != nil {
					t.Errorf("datagram %d: %v", i, err)
				}
			})
			if !slices.Equal(done, []int{0, 1, 2, 3, 4}) || !slices.Equal(refused, tt.refused) {
				t.Errorf("done %v, refused %v", done, refused)
			}
			for i := range 5 {
				if slices.Contains(tt.refused, i) {
					continue
				}
				if d, err := r.Read(); err != nil || !bytes.Equal(d.Data, numbered(i)) {
					t.Errorf("%q, %v; want datagram %d", d.Data, err, i)
				}
			}
		})
	}
}

// TestEnds: a deadline and Close end Read, also while it waits, and Close fails what is written.
func TestEnds(t *testing.T) {
	conn := listen(t, "127.0.0.1:0")
	r, w := newReader(t, conn, 100, 0), newWriter(t, conn, 2)
	if _, err := conn.WriteToUDPAddrPort([]byte("a"), addrOf(conn)); err != nil {
		t.Fatal(err)
	}
	if d, err := r.Read(); err != nil || string(d.Data) != "a" {
		t.Fatalf("%q, %v", d.Data, err)
	}
	if err := conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if d, err := r.Read(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %q, %v", d.Data, err)
		}
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := r.Read()
		ended <- err
	}()
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	w.Add([]byte("a"), nil, addrOf(conn))
	w.Add([]byte("b"), nil, addrOf(conn))
	failed := 0
	w.Flush(func(_ int, err error) {
		if errors.Is(err, net.ErrClosed) {
			failed++
		}
	})
	if failed != 2 || w.Len() != 0 {
		t.Errorf("%d of 2 datagrams failed, %d are left", failed, w.Len())
	}
}

// TestAddress: an address in the kernel's format is read back as it was.
func TestAddress(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil || len(interfaces) == 0 {
		t.Fatal(err, interfaces)
	}
	zone := interfaces[0].Name
	for _, tt := range []struct {
		to   string
		ipv6 bool
		want string
	}{
		{"192.0.2.1:1812", false, "192.0.2.1:1812"},
		{"[::ffff:192.0.2.1]:1812", false, "192.0.2.1:1812"},
		{"[2001:db8::1]:65535", true, "[2001:db8::1]:65535"},
		{"192.0.2.1:1", true, "[::ffff:192.0.2.1]:1"}, // an IPv6 socket writes it so
		{"[fe80::1%" + zone + "]:3799", true, "[fe80::1%" + zone + "]:3799"},
		{"[fe80::1%4000000000]:3799", true, "[fe80::1%4000000000]:3799"}, // no interface has this number
	} {
		var a address
		a.set(netip.MustParseAddrPort(tt.to), tt.ipv6)
		if got := a.addrPort(); got != netip.MustParseAddrPort(tt.want) {
			t.Errorf("%s: %v, want %s", tt.to, got, tt.want)
		}
	}
}
