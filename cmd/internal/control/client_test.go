package control_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/cmd/internal/control"
)

func TestNoDaemon(t *testing.T) {
	dir := folder(t)
	stale := filepath.Join(dir, "stale")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for _, tt := range []struct {
		path string
		want error
	}{{filepath.Join(dir, "missing"), fs.ErrNotExist}, {stale, syscall.ECONNREFUSED}} {
		_, err := control.NewClient(tt.path, time.Second).Status(t.Context())
		if !errors.Is(err, control.ErrNoDaemon) || !errors.Is(err, tt.want) || !strings.HasPrefix(err.Error(), "no daemon at "+tt.path+": ") {
			t.Errorf("%s: %v", tt.path, err)
		}
	}
}

// fake answers every request with the same octets, and then keeps the connection open or not.
func fake(t *testing.T, answer string, keep bool) *control.Client {
	t.Helper()
	path := filepath.Join(folder(t), "fake")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				t.Error(err)
			}
			fmt.Fprint(conn, answer)
			if !keep {
				conn.Close()
			}
		}
	}()
	return control.NewClient(path, 200*time.Millisecond)
}

func TestBadAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n\r\n"
	const session = `{"id":"00000001","number":1}`
	tests := []struct {
		name, answer string
		keep         bool
		want         error
		text         string
	}{
		{"nothing", "", false, control.ErrAnswer, "EOF"},
		{"nothing, for ever", "", true, control.ErrSlow, ""},
		{"no HTTP", "SSH-2.0-x\r\n", false, control.ErrAnswer, "malformed"},
		{"no JSON", ok + "hello", false, control.ErrAnswer, "invalid character"},
		{"no object", ok + "[]", false, control.ErrAnswer, "[ where { should be"},
		{"no sessions", ok + `{"total":1}`, false, control.ErrAnswer, ""},
		{"sessions that are no list", ok + `{"total":1,"sessions":{}}`, false, control.ErrAnswer, "{ where [ should be"},
		{"it breaks off between sessions", ok + `{"total":2,"new":[1],"sessions":[` + session, false, control.ErrAnswer, "unexpected EOF"},
		{"it breaks off within a session", ok + `{"total":2,"sessions":[` + session + `,{"id":"000`, false, control.ErrAnswer, "unexpected EOF"},
		{"the end is missing", ok + `{"total":1,"sessions":[` + session + `]`, false, control.ErrAnswer, "unexpected EOF"},
		{"it stops", ok + `{"total":2,"sessions":[` + session + `,`, true, control.ErrSlow, ""},
		{"an error without a text", "HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nabc", false, nil, "status 500 Oops"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := fake(t, tt.answer, tt.keep)
			list, err := client.Sessions(t.Context(), control.Query{})
			if err == nil {
				defer list.Close()
				for _, e := range list.All() {
					err = e
				}
			}
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.want, tt.text)
			}
		})
	}
}

// TestClientIsCancelled: a caller need not wait for the timeout.
func TestClientIsCancelled(t *testing.T) {
	client := fake(t, "", true)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	if _, err := client.Status(ctx); !errors.Is(err, why) {
		t.Error(err)
	}
}
