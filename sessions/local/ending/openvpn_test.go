package ending

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/attrtest"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

const (
	greeting = ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
	// status3 is an answer of OpenVPN 2.6 to "status 3".
	status3 = "TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu\r\n" +
		"TIME\t2026-11-30 16:00:00\t1796000000\r\n" +
		"HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address\tBytes Received\tBytes Sent\tConnected Since\tConnected Since (time_t)\tUsername\tClient ID\tPeer ID\tData Channel Cipher\r\n" +
		"CLIENT_LIST\talice\t192.0.2.2:41234\t10.77.0.2\t\t3000\t4000\t2026-11-30 15:59:00\t1795999940\talice\t0\t0\tAES-256-GCM\r\n" +
		">CLIENT:ESTABLISHED,7\r\n" +
		"CLIENT_LIST\tcert of bob\t192.0.2.3:41235\t10.77.0.3\tfd00::3\t3000\t4000\t2026-11-30 15:59:00\t1795999940\tbob\t12\t1\tAES-256-GCM\r\n" +
		"CLIENT_LIST\tcarol\t192.0.2.4:41236\t10.77.0.4\t\t3000\t4000\t2026-11-30 15:59:00\t1795999940\tUNDEF\t13\t2\tAES-256-GCM\r\n" +
		"CLIENT_LIST\tcarol\t192.0.2.4:41237\t10.77.0.5\t\t3000\t4000\t2026-11-30 15:59:00\t1795999940\tUNDEF\t14\t3\tAES-256-GCM\r\n" +
		"CLIENT_LIST\tUNDEF\t192.0.2.5:41237\t\t\t3000\t4000\t2026-11-30 15:59:00\t1795999940\tUNDEF\t15\t4\t\r\n" +
		"HEADER\tROUTING_TABLE\tVirtual Address\tCommon Name\tReal Address\tLast Ref\tLast Ref (time_t)\r\n" +
		"ROUTING_TABLE\t10.77.0.2\talice\t192.0.2.2:41234\t2026-11-30 15:59:59\t1795999999\r\n" +
		"GLOBAL_STATS\tMax bcast/mcast queue length\t0\r\n" +
		"END\r\n"
	killed = "SUCCESS: client-kill command succeeded\r\n"
)

// dialogue is what a fake server writes at first, and after each line that it reads.
type dialogue []struct{ wants, answer string }

// serve is a fake OpenVPN server on a socket. Each connection has the next dialogue; a server without
// further dialogues never answers.
func serve(t *testing.T, dialogues ...dialogue) OpenVPNConfig {
	t.Helper()
	cfg := OpenVPNConfig{Name: "office", Network: "unix", Address: filepath.Join(t.TempDir(), "management"), Timeout: limit}
	l, err := net.Listen(cfg.Network, cfg.Address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if i < len(dialogues) {
				dialogues[i].play(t, conn)
			} else {
				_, _ = io.Copy(io.Discard, conn) // until the other end gives up
			}
			_ = conn.Close()
		}
	}()
	return cfg
}

func (d dialogue) play(t *testing.T, conn net.Conn) {
	reader := bufio.NewReader(conn)
	for _, step := range d {
		if step.wants != "" {
			if line, _ := reader.ReadString('\n'); line != step.wants+"\n" {
				t.Errorf("the server reads %q, want %q", line, step.wants)
				return
			}
		}
		if _, err := io.WriteString(conn, step.answer); err != nil {
			return // the other end has seen enough
		}
	}
	_, _ = io.Copy(io.Discard, reader)
}

func greets(rest ...struct{ wants, answer string }) dialogue {
	return append(dialogue{{"", greeting}}, rest...)
}

type step = struct{ wants, answer string }

// TestOpenVPN: the client of the session is found and ended.
func TestOpenVPN(t *testing.T) {
	ask := step{"status 3", status3}
	tests := []struct {
		name   string
		user   string
		pairs  []any
		change func(*OpenVPNConfig)
		server dialogue
		want   string
	}{
		{"by name", "alice", nil, nil, greets(ask, step{"client-kill 0 HALT", killed}), "ACK"},
		{"told to connect again", "alice", nil, func(c *OpenVPNConfig) { c.Restart = true }, greets(ask, step{"client-kill 0 RESTART", killed}), "ACK"},
		{"by name and address", "carol", []any{radius.FramedIPAddress, 0x0a4d0005}, nil, greets(ask, step{"client-kill 14 HALT", killed}), "ACK"},
		{"by name and station", "carol", []any{radius.CallingStationID, "192.0.2.4:41236"}, nil, greets(ask, step{"client-kill 13 HALT", killed}), "ACK"},
		{"by the user's name", "bob", []any{radius.FramedIPAddress, 0x0a4d0003, radius.CallingStationID, "192.0.2.3"}, nil, greets(ask, step{"client-kill 12 HALT", killed}), "ACK"},
		{"by the name of the certificate", "cert of bob", nil, nil, greets(ask, step{"client-kill 12 HALT", killed}), "ACK"},
		{"by an IPv6 address", "bob", []any{radius.FramedIPv6Address, "\xfd\x00" + strings.Repeat("\x00", 13) + "\x03"}, nil, greets(ask, step{"client-kill 12 HALT", killed}), "ACK"},
		{"several", "carol", nil, nil, greets(ask), `NAK 508 (Multiple-Session-Selection-Unsupported): 2 clients of OpenVPN server "office" match`},
		{"another user", "mallory", nil, nil, greets(ask), `NAK 503 (Session-Context-Not-Found): OpenVPN server "office" has no such client`},
		{"no user", "", nil, nil, greets(ask), `NAK 503`},
		{"the user has another address now", "alice", []any{radius.FramedIPAddress, 0x0a4d0009}, nil, greets(ask), "NAK 503"},
		{"another user has the address now", "alice", []any{radius.FramedIPAddress, 0x0a4d0003}, nil, greets(ask), "NAK 503"},
		{"the user comes from elsewhere now", "alice", []any{radius.CallingStationID, "192.0.2.9"}, nil, greets(ask), "NAK 503"},
		{"from another port", "alice", []any{radius.CallingStationID, "192.0.2.2:9"}, nil, greets(ask), "NAK 503"},
		{"a station that is no address", "alice", []any{radius.CallingStationID, "02-00-00-00-00-01"}, nil, greets(ask, step{"client-kill 0 HALT", killed}), "ACK"},
		{"refused", "alice", nil, nil, greets(ask, step{"client-kill 0 HALT", ">LOG:1\r\nERROR: client-kill command failed\r\n"}), `NAK: OpenVPN server "office": ERROR: client-kill command failed`},
		{
			"password", "alice", nil, func(c *OpenVPNConfig) { c.Password = "s3cret" },
			append(dialogue{{"", "ENTER PASSWORD:"}, {"s3cret", "SUCCESS: password is correct\r\n" + greeting}}, ask, step{"client-kill 0 HALT", killed}), "ACK",
		},
		{
			"wrong password", "alice", nil, func(c *OpenVPNConfig) { c.Password = "s3cret" },
			dialogue{{"", "ENTER PASSWORD:"}, {"s3cret", "ERROR: bad password\r\n"}},
			`not sent: OpenVPN server "office": its management interface refuses the password`,
		},
		{
			"asked again", "alice", nil, func(c *OpenVPNConfig) { c.Password = "s3cret" },
			dialogue{{"", "ENTER PASSWORD:"}, {"s3cret", "ENTER PASSWORD:"}},
			`not sent: OpenVPN server "office": its management interface refuses the password`,
		},
		{"no password", "alice", nil, nil, dialogue{{"", "ENTER PASSWORD:"}}, `not sent: OpenVPN server "office": its management interface wants a password, and none is configured`},
		{"it is an OpenVPN client", "alice", nil, nil, greets(step{"status 3", "ERROR: The 'status' command is not supported\r\n"}), `not sent: OpenVPN server "office": ERROR: The 'status' command`},
		{"old", "alice", nil, nil, greets(step{"status 3", "HEADER\tCLIENT_LIST\tCommon Name\r\nCLIENT_LIST\talice\r\nEND\r\n"}), `not sent: OpenVPN server "office": its status has no Client ID; OpenVPN 2.4 or newer is needed`},
		{"busy", "alice", nil, func(c *OpenVPNConfig) { c.Timeout = 20 * time.Millisecond }, dialogue{}, `no answer: OpenVPN server "office" has not answered in 20ms: is another program`},
		{"not there", "alice", nil, func(c *OpenVPNConfig) { c.Address += "x" }, dialogue{}, `not sent: OpenVPN server "office": dial unix`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := serve(t, tt.server)
			if tt.change != nil {
				tt.change(&cfg)
			}
			d := New(Config{Means: Means{OpenVPN: map[string]*OpenVPN{"office": NewOpenVPN(cfg)}}})
			wantOutcome(t, d.Disconnect(t.Context(), sessionOf(t, "openvpn/1", tt.user, byOpenVPN, tt.pairs...), byOpenVPN), tt.want)
		})
	}
}

var byOpenVPN = &sessions.Ending{OpenVPN: "office"}

// TestOpenVPNClosed: a server that closes the connection, wherever it is in the dialogue, is no answer
// of any kind.
func TestOpenVPNClosed(t *testing.T) {
	all := greeting + status3 + killed
	for _, at := range []int{0, 1, len(greeting), len(greeting) + 300, len(greeting + status3), len(all) - 1} {
		client, server := net.Pipe()
		go func() {
			go func() { _, _ = io.Copy(io.Discard, server) }()
			_, _ = io.WriteString(server, all[:at])
			_ = server.Close()
		}()
		m := newManagement(t.Context(), client)
		o := NewOpenVPN(OpenVPNConfig{Name: "office"})
		err := m.greet("")
		var found *vpnClient
		if err == nil {
			found, _, err = o.find(m, sessionOf(t, "openvpn/1", "alice", byOpenVPN))
		}
		if err == nil && found != nil {
			_, err = m.command("client-kill 0 HALT", nil)
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("closed after %d octets: %v", at, err)
		}
		m.close()
	}
}

// TestOpenVPNTurn: one attempt is connected at a time, and the end of a session or of the daemon ends
// the others.
func TestOpenVPNTurn(t *testing.T) {
	cfg := serve(t)
	o := NewOpenVPN(cfg)
	ctx, cancel := context.WithCancelCause(t.Context())
	s := sessionOf(t, "openvpn/1", "alice", byOpenVPN)
	outcomes := make(chan termination.Outcome)
	for range 3 {
		go func() { outcomes <- o.disconnect(ctx, s) }()
	}
	cancel(termination.ErrSessionEnded)
	for range 3 {
		wantOutcome(t, <-outcomes, "given up: the session has ended")
	}
	if len(o.turn) != 1 {
		t.Error("the turn is lost")
	}
}

// FuzzManagement: whatever a server writes, the attempt ends, and only a client of the session is
// ended.
func FuzzManagement(f *testing.F) {
	f.Add([]byte(greeting + status3 + killed))
	f.Add([]byte("ENTER PASSWORD:SUCCESS: password is correct\r\n" + greeting + status3 + killed))
	f.Add([]byte(greeting + "ERROR: x\r\n"))
	f.Add([]byte(">" + strings.Repeat("x", maxLine+1)))
	f.Add([]byte(greeting + "HEADER\tCLIENT_LIST\tClient ID\tCommon Name\r\nCLIENT_LIST\t-1\talice\r\nEND\r\n"))
	f.Add([]byte("HEADER\tCLIENT_LIST\tClient ID\tCommon Name\tReal Address\r\nCLIENT_LIST\t1\talice\tudp6:[fd00::1%25eth0]:1194\r\nEND\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &management{reader: bufio.NewReaderSize(strings.NewReader(string(b)), maxLine), conn: discardConn{}}
		if m.greet("secret") != nil {
			return
		}
		var p statusParser
		s := &sessions.Session{Attrs: attrtest.Attributes(radius.UserName, "alice"), IPv4: 0x0a4d0002}
		if _, err := m.command("status 3", func(line string) { _ = p.line(line) }); err != nil {
			return
		}
		for _, c := range p.clients {
			if c.isOf(s) && c.commonName != "alice" && c.user != "alice" {
				t.Errorf("%+v is taken for alice", c)
			}
		}
	})
}

// discardConn is a connection that takes everything.
type discardConn struct{ net.Conn }

func (discardConn) Write(b []byte) (int, error) { return len(b), nil }

func TestParseReal(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.2:41234": "192.0.2.2 41234", "192.0.2.2": "192.0.2.2 0", "[2001:db8::1]:1194": "2001:db8::1 1194", "2001:db8::1": "2001:db8::1 0",
		"udp4:192.0.2.2:1": "192.0.2.2 1", "tcp6-server:[2001:db8::1]:2": "2001:db8::1 2", "::ffff:192.0.2.1": "192.0.2.1 0", "": "invalid IP 0", "02-00": "invalid IP 0",
	} {
		addr, port := parseReal(text)
		if got := addr.String() + " " + number(uint64(port)); got != want && got+"0" != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}
