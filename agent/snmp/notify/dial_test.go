package notify

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nameServer returns a resolver that resolves every name to 127.0.0.1, and to ::1 if six is set. It
// sends the QTYPEs of the queries to asked.
func nameServer(six bool, asked chan<- uint16) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe() // net.Pipe behaves like TCP, so queries have a length prefix
		go func() {
			defer far.Close()
			for {
				var length uint16
				if binary.Read(far, binary.BigEndian, &length) != nil {
					return
				}
				query := make([]byte, length)
				if _, err := io.ReadFull(far, query); err != nil {
					return
				}
				answer := answerName(query, six, asked)
				far.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
		}()
		return near, nil
	}}
}

// answerName answers a query (RFC 1035 section 4.1).
func answerName(query []byte, six bool, asked chan<- uint16) []byte {
	end := 12 // the header
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5 // the root, QTYPE, QCLASS
	var address []byte
	kind := binary.BigEndian.Uint16(query[end-4:])
	asked <- kind
	switch {
	case kind == 1:
		address = netip.MustParseAddr("127.0.0.1").AsSlice()
	case kind == 28 && six:
		address = netip.MustParseAddr("::1").AsSlice()
	}
	answer := append([]byte(nil), query[:2]...)
	answer = append(answer, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0) // a response, without error, to one question
	answer = append(answer, query[12:end]...)
	if address != nil {
		answer[7] = 1
		answer = append(answer, 0xc0, 12) // the name of the question
		answer = append(answer, query[end-4:end]...)
		answer = append(answer, 0, 0, 0, 60, 0, byte(len(address)))
		answer = append(answer, address...)
	}
	return answer
}

func TestDial(t *testing.T) {
	tests := []struct {
		name, source, address string
		six                   bool // the name server has IPv6 addresses too
		remote                string
		want                  string // beginning of the error; empty means none
	}{
		{"system's choice", "", "127.0.0.1:162", false, "127.0.0.1:162", ""},
		{"source", "127.0.0.2", "127.0.0.1:162", false, "127.0.0.1:162", ""},
		{"source of IPv6", "::1", "[::1]:162", false, "[::1]:162", ""},
		{"name, IPv4", "127.0.0.2", "nms.example.:162", true, "127.0.0.1:162", ""},
		{"name, IPv6", "::1", "nms.example.:162", true, "[::1]:162", ""},
		{"name without IPv6", "::1", "nms.example.:162", false, "", "look up nms.example. (IPv6 addresses only): no such host"},
		{"not ours", "192.0.2.1", "127.0.0.1:162", false, "", "source address 192.0.2.1: cannot assign requested address"},
		{"no way", "127.0.0.1", "192.0.2.1:162", false, "", "open a socket from 127.0.0.1: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var source netip.Addr
			if tt.source != "" {
				source = netip.MustParseAddr(tt.source)
			}
			asked := make(chan uint16, 16)
			conn, err := dialUDP(nameServer(tt.six, asked))(t.Context(), source, tt.address)
			for range len(asked) {
				if kind := <-asked; source.IsValid() && source.Is4() != (kind == 1) {
					t.Errorf("QTYPE %d was asked for", kind)
				}
			}
			if tt.want != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
					t.Fatalf("error %v, want %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if got := conn.RemoteAddr().String(); got != tt.remote {
				t.Errorf("to %s, want %s", got, tt.remote)
			}
			if got := conn.LocalAddr().(*net.UDPAddr); source.IsValid() && got.IP.String() != tt.source {
				t.Errorf("from %s, want %s", got, tt.source)
			}
		})
	}
}

// TestDialError: network errors are readable.
func TestDialError(t *testing.T) {
	op := func(err error) error {
		at := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5}
		return &net.OpError{Op: "dial", Net: "udp", Source: at, Addr: at, Err: err}
	}
	tests := []struct {
		name string
		err  error
		is   error // found by errors.Is; nil means none
		want string
	}{
		{"no such host", op(&net.DNSError{Err: "no such host", Name: "nms", Server: "10.0.0.53:53", IsNotFound: true}), nil, "look up nms: no such host"},
		{"name server silent", op(&net.DNSError{Err: "read udp 10.0.0.1:5->10.0.0.53:53: i/o timeout", Name: "nms", IsTimeout: true}), nil, "look up nms: no answer in time"},
		{"name server away", op(&net.DNSError{Err: "read udp 10.0.0.1:5->10.0.0.53:53: read: connection refused", Name: "nms"}), nil, "look up nms: name server: connection refused"},
		{"no address", op(&net.AddrError{Err: "no suitable address found", Addr: "nms"}), nil, "look up nms: no suitable address found"},
		{"no route", op(os.NewSyscallError("connect", syscall.ENETUNREACH)), syscall.ENETUNREACH, "open a socket: network is unreachable"},
		{"in time", op(os.ErrDeadlineExceeded), os.ErrDeadlineExceeded, "open a socket: i/o timeout"},
		{"another", errors.New("another"), nil, "open a socket: another"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := dialError(tt.err, netip.Addr{})
			if err.Error() != tt.want {
				t.Errorf("error %q, want %q", err, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v is not found", tt.is)
			}
			wantPlain(t, err)
		})
	}
}

// wantPlain checks that an error wraps no error of package net or os.
func wantPlain(t testing.TB, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if kind := fmt.Sprintf("%T", err); strings.HasPrefix(kind, "*net.") || strings.HasPrefix(kind, "*os.") {
			t.Errorf("%s in it", kind)
		}
	}
}

// TestPlainErrors: the system's errors of a real socket are readable.
func TestPlainErrors(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := conn.LocalAddr().String()
	conn.Close()
	n := running(t, openEngine(t, engineFile(t), ourID, time.Now),
		v2c("closed", at), from("192.0.2.1", v2c("elsewhere", at)))
	if err := n.Notify(ColdStart); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"nothing listens at the receiver's port: connection refused",
		"source address 192.0.2.1: cannot assign requested address",
	} {
		await(t, "an error", func() bool { return n.Stats()[i].LastError != nil })
		err := n.Stats()[i].LastError
		if err.Error() != want {
			t.Errorf("last error %q, want %q", err, want)
		}
		wantPlain(t, err)
	}
}

// TestSourceAddress: an inform leaves from the configured address, and the response arrives there.
func TestSourceAddress(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n := running(t, openEngine(t, engineFile(t), ourID, time.Now), from("127.0.0.2", asInform(v2c("a", conn.LocalAddr().String()))))
	if err := n.Notify(ColdStart); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, maxDatagram)
	k, sender, err := conn.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	if got := sender.(*net.UDPAddr).IP.String(); got != "127.0.0.2" {
		t.Errorf("it came from %s", got)
	}
	r := newFakeReceiver(t, openEngine(t, engineFile(t), theirID, time.Now))
	if _, err := conn.WriteTo(r.handle(b[:k]), sender); err != nil {
		t.Fatal(err)
	}
	await(t, "acknowledged", func() bool { return n.Stats()[0].Acknowledged == 1 })
}
