package stand

import (
	"context"
	"net"
	"testing"
	"time"

	"aaasess/bench/nasload"
	"aaasess/internal/radius"

	layeh "layeh.com/radius"
)

// acknowledging starts an acknowledger in the test's process, and returns a client socket and its
// control.
func acknowledging(t *testing.T) (*net.UDPConn, *acknowledger) {
	t.Helper()
	listen := func() *net.UDPConn {
		conn, err := nasload.ListenLoopback(0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn, control := listen(), listen()
	a := newAckServer(conn)
	go a.serve()
	go a.serveCounts(control)
	client, err := net.DialUDP("udp4", nil, conn.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if err := client.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return client, &acknowledger{control: control.LocalAddr().(*net.UDPAddr).AddrPort().Port()}
}

// exchange sends a request and checks its answer.
func exchange(t *testing.T, conn *net.UDPConn, request []byte) *layeh.Packet {
	t.Helper()
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if !layeh.IsAuthenticResponse(b[:n], request, []byte(nasload.SharedSecret)) {
		t.Fatalf("answer %x is not authentic", b[:n])
	}
	p, err := layeh.Parse(b[:n], []byte(nasload.SharedSecret))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAcknowledgerAnswers(t *testing.T) {
	conn, _ := acknowledging(t)
	attrs := nasload.StartAttributes(5)
	attrs = radius.AppendAttribute(attrs, radius.ProxyState, "first")
	attrs = radius.AppendAttribute(attrs, radius.Class, "not echoed")
	attrs = radius.AppendAttribute(attrs, radius.ProxyState, "second")
	for range 2 { // other datagrams get no answer and do no harm
		if _, err := conn.Write([]byte("nonsense")); err != nil {
			t.Fatal(err)
		}
		p := exchange(t, conn, nasload.AppendRequest(nil, 7, attrs))
		if p.Code != layeh.CodeAccountingResponse || p.Identifier != 7 || len(p.Attributes) != 2 ||
			string(p.Attributes[0].Attribute) != "first" || string(p.Attributes[1].Attribute) != "second" {
			t.Errorf("answer %v, identifier %d, with %d attributes", p.Code, p.Identifier, len(p.Attributes))
		}
	}
	if p := exchange(t, conn, nasload.AppendRequest(nil, 8, nasload.StartAttributes(5))); len(p.Attributes) != 0 {
		t.Errorf("%d attributes in the answer to a request without Proxy-State", len(p.Attributes))
	}
}

func TestAcknowledgerCounts(t *testing.T) {
	conn, a := acknowledging(t)
	begin := time.Now().UnixNano()
	for i, number := range []int{3, 900, 3, 3, 1 << 23} {
		exchange(t, conn, nasload.AppendRequest(nil, byte(i), nasload.StartAttributes(number)))
	}
	request, _ := nasload.Probe()
	exchange(t, conn, request)
	got, err := a.arrivals()
	if err != nil {
		t.Fatal(err)
	}
	if got.Distinct != 3 || got.Duplicates != 2 || got.First < begin || got.Last < got.First || got.Last > time.Now().UnixNano() {
		t.Errorf("arrivals %+v", got)
	}
}

func TestAwait(t *testing.T) {
	conn, a := acknowledging(t)
	exchange(t, conn, nasload.AppendRequest(nil, 0, nasload.StartAttributes(1)))
	for _, tt := range []struct {
		name string
		want int64
		idle time.Duration
	}{
		{"all are there", 1, time.Hour},
		{"one never comes", 2, 50 * time.Millisecond},
	} {
		got, err := a.Await(t.Context(), tt.want, tt.idle)
		if err != nil || got.Distinct != 1 {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Await(ctx, 2, time.Hour); err == nil {
		t.Error("no error, although its context is done")
	}
}

func TestAwaitAnswer(t *testing.T) {
	conn, _ := acknowledging(t)
	port := conn.RemoteAddr().(*net.UDPAddr).AddrPort().Port()
	if err := AwaitAnswer(t.Context(), port); err != nil {
		t.Error(err)
	}
	// A server with wrong answers is not ready.
	other, err := nasload.ListenLoopback(0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	go func() {
		b := make([]byte, 4096)
		for {
			n, from, err := other.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = other.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := AwaitAnswer(ctx, other.LocalAddr().(*net.UDPAddr).AddrPort().Port()); err == nil {
		t.Error("an echo counts as an answer")
	}
}
