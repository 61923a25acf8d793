//go:build partners

package stand

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aaasess/bench/nasload"
	"aaasess/internal/radius"
)

// TestSyncer: the syncer answers a request as we encode it, with its Proxy-States, after it has written its
// octets. It answers nothing that is cut off, has a wrong authenticator or is no Accounting-Request.
func TestSyncer(t *testing.T) {
	h, _ := loadStand(t, 1)
	r, err := OpenRelay(t.Context(), h, PeerSyncer, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(nasload.Loopback(), r.Port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	state := radius.AppendAttribute(nil, radius.ProxyState, "one")
	request := nasload.AppendRequest(nil, 7, append(radius.AppendAttribute(nil, radius.UserName, "alice"), state...))
	forged, login := bytes.Clone(request), bytes.Clone(request)
	forged[4] ^= 1
	login[0] = byte(radius.CodeAccessRequest)
	for _, b := range [][]byte{forged, login, request[:19], request[:len(request)-1], {}, request} {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4096)
	n, err := conn.Read(answer)
	if want := nasload.AppendResponse(nil, request, state); err != nil || !bytes.Equal(answer[:n], want) {
		t.Errorf("% x, %v, want % x", answer[:n], err, want)
	}
	if written, err := os.ReadFile(filepath.Join(r.Dir, "requests")); err != nil || !bytes.Contains(written, request) || bytes.Contains(written, forged) {
		t.Errorf("the file has not exactly the request: %v", err)
	}
	// What was sent before the request was read before it, so nothing follows its answer.
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(answer); err == nil {
		t.Errorf("another answer: % x", answer[:n])
	}
}
