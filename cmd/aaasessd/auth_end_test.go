package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
)

// TestEndWithRequestsInFlight: the daemon ends at once, and leaves nothing running, although requests
// wait for a server.
func TestEndWithRequestsInFlight(t *testing.T) {
	silent := newAuthServer(t, func(radius.Packet) (radius.Code, []byte) { return 0, nil })
	l := launch(t, with(t, authConfig(t, silent), "timeout: 300ms", "timeout: 500s"), environment{})
	n := l.nas()
	for range 20 {
		if _, err := n.conn.Write(n.request("alice", "right", nil)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the server has the requests", func() bool { return len(silent.received()) == 20 })
	began := time.Now()
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

// TestAuthenticationPortInUse: the error names the address that another program has.
func TestAuthenticationPortInUse(t *testing.T) {
	taken, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	addr := taken.LocalAddr().String()
	l := &inProcess{t: t, dir: t.TempDir()}
	l.file = l.dir + "/aaasess.yaml"
	l.configure(with(t, authConfig(t, newAuthServer(t, passwords(t, "right"))), "authentication: {listen: [\"127.0.0.1:0\"]}", fmt.Sprintf("authentication: {listen: [%q]}", addr)))
	before := goroutines()
	d, err := assemble(l.file, &lines{}, &lines{}, environment{})
	if err == nil {
		_ = d.close()
		t.Fatal("the daemon has opened a port that is in use")
	}
	if !strings.Contains(err.Error(), addr) {
		t.Errorf("the error is %v", err)
	}
	endsAll(t, before)
}

// TestReloadNeedsRestart: the section itself and its addresses need a restart; a refused reload keeps
// the relay as it is.
func TestReloadNeedsRestart(t *testing.T) {
	s := newAuthServer(t, passwords(t, "right"))
	text := authConfig(t, s)
	l := launch(t, text, environment{})
	n := l.nas()
	for _, tt := range []struct{ name, text, want string }{
		{"without the section", with(t, text, "authentication:\n  lists: {default: {methods: [group isp]}}\n", ""), "a restart is needed to change authentication"},
		{"another address", with(t, text, "authentication: {listen: [\"127.0.0.1:0\"]}", "authentication: {listen: [\"127.0.0.2:0\"]}"), "a restart is needed to change radius.authentication.listen"},
		{"a fault", with(t, text, "methods: [group isp]}}\nacc", "methods: [group ips]}}\nacc"), "no group is called ips"},
		{"a file that cannot be opened, and another group", with(t, text, "records.jsonl", "aaasess.yaml/records.jsonl", "servers: [a0]", "servers: [a0], window: 5"), "aaasess.yaml/records.jsonl"},
	} {
		l.reload(tt.text, tt.want)
		if _, err := n.login("alice", "right", limit); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if w := l.d.authentication.groups.Statuses()[0].Config.MaxInFlight; w != 1024 {
			t.Errorf("%s: the window is %d", tt.name, w)
		}
	}
}
