package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	localreport "aaasess/sessions/local/report"
)

// nobody is a user and a group without rights of their own.
const nobody = 65534

// dialAsNobody connects to a socket as nobody. Only a thread takes on the user, which ends with its
// goroutine.
func dialAsNobody(ctx context.Context, socket string) (conn net.Conn, err error) {
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock
		for _, call := range [][4]uintptr{{unix.SYS_SETGROUPS}, {unix.SYS_SETRESGID, nobody, nobody, nobody}, {unix.SYS_SETRESUID, nobody, nobody, nobody}} {
			if _, _, errno := unix.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
				err = errno
				return
			}
		}
		conn, err = new(net.Dialer).DialContext(ctx, "unix", socket)
	}()
	<-done
	return conn, err
}

// TestLocalRights: each right of local.access, of a user or of a group, allows its requests of the socket
// and no others.
func TestLocalRights(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	text := localConfig(t)
	l := launch(t, text, environment{})
	l.reporter().must(localreport.Start, `{"source":"pppd","session":"ppp0","user":"alice"}`)
	for _, dir := range []string{filepath.Dir(l.dir), l.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialAsNobody(ctx, filepath.Join(l.dir, "local.sock"))
	}}}
	requests := []struct {
		method, path, body string
		rights             string // each of them allows it
		status             int    // then
	}{
		{http.MethodPost, localreport.Start.Path(), `{"source":"mine","session":"1","user":"bob"}`, "write", 200},
		{http.MethodPost, localreport.Command.Path(), `{"source":"bash","session":"1","user":"nobody","text":"ls"}`, "write command", 200},
		{http.MethodGet, localreport.PathSessions, "", "read", 200},
		{http.MethodGet, localreport.PathSessions + "/00000001", "", "read", 200},
		{http.MethodGet, localreport.PathEvents, "", "read", 200},
		{http.MethodGet, localreport.PathEvents + "?source=mine&disconnects=true", "", "write", 200},
		{http.MethodPost, localreport.PathDisconnectResult, `{"source":"mine","id":"x","result":"ack"}`, "write", 404},
		{http.MethodPost, localreport.PathDisconnect, `{"ids":["FFFFFFFF"]}`, "disconnect", 404},
	}
	for _, who := range []string{"user", "group"} {
		for _, right := range []string{"write", "command", "read", "disconnect", ""} {
			access := "access: [{" + who + ": 65534, may: [" + right + "]}]"
			if right == "" {
				access = "access: []"
			}
			l.reload(with(t, text, "nas-identifier: host-1", "nas-identifier: host-1, "+access), "configuration loaded")
			for _, r := range requests {
				req, err := http.NewRequestWithContext(t.Context(), r.method, "http://local"+r.path, strings.NewReader(r.body))
				if err != nil {
					t.Fatal(err)
				}
				answer, err := c.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = answer.Body.Close()
				want := http.StatusForbidden
				if right != "" && strings.Contains(r.rights, right) {
					want = r.status
				}
				if answer.StatusCode != want {
					t.Errorf("%s with %q: %s %s: %d, want %d", who, right, r.method, r.path, answer.StatusCode, want)
				}
			}
		}
	}
	if s := l.d.table.View().Get(1); s == nil || s.User() != "alice" {
		t.Errorf("the session of root is %+v", s)
	}
}
