package apiclient_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

// folder returns a folder with a short path: that of a socket has at most 107 octets.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

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
		_, err := apiclient.New(tt.path, time.Second).Status(t.Context())
		if !errors.Is(err, apiclient.ErrNoDaemon) || !errors.Is(err, tt.want) || !strings.HasPrefix(err.Error(), "no daemon at "+tt.path+": ") {
			t.Errorf("%s: %v", tt.path, err)
		}
	}
}

// fake starts a server that answers every request with the same octets. It then closes the
// connection unless keep is set.
func fake(t *testing.T, answer string, keep bool) *apiclient.Client {
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
	return apiclient.New(path, 200*time.Millisecond)
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
		{"nothing", "", false, apiclient.ErrInvalid, "it closed the connection without an answer"},
		{"nothing, for ever", "", true, apiclient.ErrTimeout, ""},
		{"no HTTP", "SSH-2.0-x\r\n", false, apiclient.ErrInvalid, "malformed"},
		{"no JSON", ok + "hello", false, apiclient.ErrInvalid, "wrong JSON at octet 1"},
		{"no object", ok + "[]", false, apiclient.ErrInvalid, "found a list, want an object"},
		{"no sessions", ok + `{"total":1}`, false, apiclient.ErrInvalid, `field "sessions": it is missing`},
		{"sessions that are no list", ok + `{"total":1,"sessions":{}}`, false, apiclient.ErrInvalid, `field "sessions": found an object, want a list`},
		{"it breaks off between sessions", ok + `{"total":2,"new":[1],"sessions":[` + session, false, apiclient.ErrInvalid, "it ends early"},
		{"it breaks off within a session", ok + `{"total":2,"sessions":[` + session + `,{"id":"000`, false, apiclient.ErrInvalid, "it ends early"},
		{"the end is missing", ok + `{"total":1,"sessions":[` + session + `]`, false, apiclient.ErrInvalid, "it ends early"},
		{"it stops", ok + `{"total":2,"sessions":[` + session + `,`, true, apiclient.ErrTimeout, ""},
		{"an error without a text", "HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nabc", false, nil, "status 500 Oops"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := fake(t, tt.answer, tt.keep)
			list, err := client.Sessions(t.Context(), api.Query{})
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

// TestClientIsCancelled: a canceled context ends a request before its timeout.
func TestClientIsCancelled(t *testing.T) {
	client := fake(t, "", true)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	if _, err := client.Status(ctx); !errors.Is(err, why) {
		t.Error(err)
	}
}

// TestBadAccountingAnswers: the client returns ErrInvalid for answers that it cannot decode.
func TestBadAccountingAnswers(t *testing.T) {
	for _, answer := range []string{"hello", "[]", `{"groups":[{"name":"a"}`, `{"groups":{}}`, ""} {
		client := fake(t, "HTTP/1.1 200 OK\r\n\r\n"+answer, false)
		if groups, err := client.ServerGroups(t.Context()); !errors.Is(err, apiclient.ErrInvalid) {
			t.Errorf("%q: %v %v", answer, groups, err)
		}
	}
	circle := fake(t, "HTTP/1.1 200 OK\r\n\r\n"+`{"groups":[{"name":"a"}],"next":"a"}`, false)
	if groups, err := circle.OnOffGroups(t.Context()); err != nil || len(groups) != 2 {
		t.Errorf("%v %v", groups, err)
	}
}
