package nasload

import (
	"net"
	"strings"
	"testing"
	"time"
)

// TestAsk: a wrong answer is an error.
func TestAsk(t *testing.T) {
	conn, err := ListenLoopback(0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	replies := make(chan Reply, 1)
	for _, tt := range []struct {
		name   string
		answer func(right []byte) []byte
		err    string
	}{
		{"right", func(right []byte) []byte { return right }, ""},
		{"of another request", func(right []byte) []byte { right[8] ^= 1; return right }, "wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			go func() { replies <- NASNumber(3).ask(port, NASNumber(3).On(1), time.Now()) }()
			b := make([]byte, 4096)
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				t.Fatal(err)
			}
			if from.Addr() != NASNumber(3).Addr {
				t.Errorf("asked from %v", from)
			}
			if _, err := conn.WriteToUDPAddrPort(tt.answer(AppendResponse(nil, b[:n], nil)), from); err != nil {
				t.Fatal(err)
			}
			r := <-replies
			if (r.Err != nil) != (tt.err != "") || r.Err != nil && !strings.Contains(r.Err.Error(), tt.err) || r.Tries != 1 {
				t.Errorf("%+v", r)
			}
		})
	}
}
