package nasload

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestEndingNAS: the NAS answers each Disconnect-Request, sends one stop for a session, and counts
// requests that are not for it.
func TestEndingNAS(t *testing.T) {
	server, err := ListenLoopback(0)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	stops := make(chan radius.Attributes, 10)
	go func() {
		b := make([]byte, 4096)
		for {
			n, from, err := server.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			attrs, _ := CheckRequest(b[:n])
			stops <- radius.Attributes(string(attrs))
			_, _ = server.WriteToUDPAddrPort(AppendResponse(nil, b[:n], nil), from)
		}
	}()
	nas := NAS{Addr: Loopback(), IP: netip.MustParseAddr("192.0.2.1"), Identifier: "nas"}
	e, err := nas.ListenEnding(server.LocalAddr().(*net.UDPAddr).AddrPort().Port(), time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { e.Serve(); close(served) }()
	wrong := AppendRequest(nil, 1, e.Attributes(sessions.Stop, 9)) // sent first, so it is counted when the others are answered
	if _, err := server.WriteToUDPAddrPort(wrong, netip.AddrPortFrom(Loopback(), e.Port())); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"0000000000000007", "0000000000000008", "0000000000000007"} {
		if err := RequestDisconnect(e.Port(), id); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	<-served
	got := e.Counts()
	if got.Requests != 4 || got.Wrong != 1 || got.Sessions != 2 || got.Stops != 2 || got.Most != 1 || got.LastStop.IsZero() || got.LastACK.IsZero() {
		t.Errorf("%+v", got)
	}
	for range 2 {
		if n, ok := RequestNumber(<-stops); !ok || n != 7 && n != 8 {
			t.Errorf("a stop of session %d, %v", n, ok)
		}
	}
}
