package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// sizedRequest is a request of this many octets.
type sizedRequest struct {
	fakeRequest
	size int
}

func (r *sizedRequest) Append(b []byte, identifier byte, secret radius.Secret, _ time.Time) ([]byte, radius.Authenticator) {
	b = radius.AppendHeader(b, radius.CodeAccountingRequest, identifier)
	for left := r.size - len(b); left > 0; left = r.size - len(b) {
		b = radius.AppendAttribute(b, radius.UserName, string(make([]byte, min(left, 255)-2)))
	}
	return b, radius.Seal(b, 0, radius.Authenticator{}, secret)
}

// TestBatch: what leaves a Batch is what leaves without one. Only the order differs.
func TestBatch(t *testing.T) {
	mixed := func(n int) (sizes []int) {
		r := rand.New(rand.NewPCG(1, 2))
		for range n {
			sizes = append(sizes, 30+r.IntN(4)*100)
		}
		return sizes
	}
	for _, tt := range []struct {
		name  string
		sizes []int
	}{
		{"none", nil},
		{"one", []int{100}},
		{"two lengths", []int{100, 200}},
		{"the same length", slices.Repeat([]int{300}, 20)},
		{"more than a buffer", slices.Repeat([]int{210}, 200)},
		{"the longest", slices.Repeat([]int{radius.MaxPacket}, 40)},
		{"many lengths", mixed(200)},
	} {
		for _, refuse := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, refused %v", tt.name, refuse), func(t *testing.T) { testBatch(t, tt.sizes, refuse) })
		}
	}
}

func testBatch(t *testing.T, sizes []int, refuse bool) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	_ = server.SetReadBuffer(4 << 20)
	addr := server.LocalAddr().(*net.UDPAddr).AddrPort()
	g, err := newGroup(setup{MaxInFlight: 1000, Servers: every(time.Minute, 0, Server{Addr: addr, Secret: testSecret}), Listen: refusing(refuse)})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = g.Run(t.Context()) }()
	defer g.Close()
	<-g.Ready()
	answered := make(chan error, len(sizes))
	b := g.Batch()
	for _, size := range sizes {
		b.Send(&sizedRequest{fakeRequest{done: func(err error) { answered <- err }}, size}, retry.Progress{})
	}
	b.Flush()
	var got []int
	buf := make([]byte, 1<<16)
	_ = server.SetReadDeadline(time.Now().Add(30 * time.Second))
	for range sizes {
		n, from, err := server.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatal(err)
		}
		p, err := radius.Parse(buf[:n])
		if err != nil || int(binary.BigEndian.Uint16(buf[2:])) != n {
			t.Fatalf("%d octets arrived: %v", n, err)
		}
		if ok, _ := p.Authentic(radius.Authenticator{}, testSecret, nil); !ok {
			t.Fatalf("%d octets arrived changed", n)
		}
		got = append(got, n)
		answer(server, from, p)
	}
	slices.Sort(got)
	if want := slices.Sorted(slices.Values(sizes)); !slices.Equal(got, want) {
		t.Errorf("%v arrived, want %v", got, want)
	}
	for range sizes {
		if err := <-answered; err != nil {
			t.Fatal(err)
		}
	}
}

func answer(server *net.UDPConn, to netip.AddrPort, request radius.Packet) {
	b := radius.AppendHeader(nil, radius.CodeAccountingResponse, request.Identifier())
	radius.Seal(b, 0, request.Authenticator(), testSecret)
	_, _ = server.WriteToUDPAddrPort(b, to)
}

// refusing returns a function that opens sockets for which the kernel does not split buffers: it does
// not without checksums.
func refusing(refuse bool) func(network string, laddr netip.AddrPort) (Socket, error) {
	return func(network string, laddr netip.AddrPort) (Socket, error) {
		socket, err := listenUDP(network, laddr)
		if err != nil || !refuse {
			return socket, err
		}
		raw, err := socket.(*net.UDPConn).SyscallConn()
		if err != nil {
			return nil, err
		}
		var optErr error
		err = raw.Control(func(fd uintptr) {
			optErr = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_NO_CHECK, 1)
		})
		return socket, errors.Join(err, optErr)
	}
}
