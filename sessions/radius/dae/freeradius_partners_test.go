//go:build partners

package dae

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/internal/radius"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/termination"

	"aaasess/internal/radius/captured"
)

// freeradiusNAS configures a FreeRADIUS that receives Disconnect-Requests: it disconnects alice,
// does not know bob, refuses carol and does not answer for dave. %[1]s is its folder, %[2]d its
// port.
const freeradiusNAS = `
prefix = /usr
libdir = /usr/lib/freeradius
logdir = %[1]s
run_dir = %[1]s
pidfile = %[1]s/radiusd.pid
name = radiusd
security {
	allow_vulnerable_openssl = yes
}
client us {
	ipaddr = 127.0.0.1
	secret = testing123
	require_message_authenticator = yes
}
modules {
	always ok {
		rcode = ok
	}
	always reject {
		rcode = reject
	}
}
server nas {
	listen {
		type = coa
		ipaddr = 127.0.0.1
		port = %[2]d
	}
	recv-coa {
		if (User-Name == "alice" && Acct-Session-Id == "8D5C1B9A0F3E7746" && Calling-Station-Id && NAS-Identifier && Event-Timestamp) {
			ok
		}
		elsif (User-Name == "bob") {
			update reply {
				Error-Cause := Session-Context-Not-Found
			}
			reject
		}
		elsif (User-Name == "dave") {
			update control {
				Response-Packet-Type := Do-Not-Respond
			}
		}
		else {
			reject
		}
	}
	send-coa {
		ok
	}
}
`

// startFreeradius runs FreeRADIUS until the test ends and returns its port.
func startFreeradius(t *testing.T) uint16 {
	t.Helper()
	dir := t.TempDir()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf(freeradiusNAS, dir, port)
	if err := os.WriteFile(filepath.Join(dir, "radiusd.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("freeradius", "-f", "-l", "stdout", "-xx", "-d", dir)
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	var said radiustest.Log
	ready := make(chan bool, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Fprintln(&said, lines.Text())
			if strings.Contains(lines.Text(), "Ready to process requests") {
				ready <- true
			}
		}
	}()
	go func() {
		_ = cmd.Wait()
		_ = in.Close()
		close(ended)
	}()
	select {
	case <-ready:
	case <-ended:
		t.Fatalf("FreeRADIUS ended:\n%s", said.String())
	case <-time.After(20 * time.Second):
		t.Fatal("FreeRADIUS is not ready")
	}
	return port
}

// TestFreeradiusDisconnect: a real implementation checks our Disconnect-Requests, including
// Message-Authenticator, and we check its answers.
func TestFreeradiusDisconnect(t *testing.T) {
	port := startFreeradius(t)
	tests := []struct {
		name, user string
		secret     radius.Secret
		want       termination.Outcome
	}{
		{"ACK", "alice", captured.Secret, termination.Outcome{Answer: termination.ACK}},
		{"NAK 503", "bob", captured.Secret, termination.Outcome{Answer: termination.NAK, ErrorCause: radius.SessionContextNotFound}},
		{"NAK", "carol", captured.Secret, termination.Outcome{Answer: termination.NAK}},
		{"silence", "dave", captured.Secret, termination.Outcome{}},
		{"wrong secret", "alice", "wrong", termination.Outcome{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _, _ := startDisconnector(t, Config{Timeout: time.Second, Retransmissions: -1}, nil)
			if err := d.SetClients([]nasradius.Client{{Prefix: prefix("127.0.0.1/32"), Secret: tt.secret, DisconnectPort: port}}); err != nil {
				t.Fatal(err)
			}
			s := hostapdSession("127.0.0.1")
			s.Attrs = radius.Attributes(strings.Replace(string(s.Attrs), attr(radius.UserName, "alice"), attr(radius.UserName, tt.user), 1))
			if got := d.Disconnect(t.Context(), firstAttempt(s)); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
