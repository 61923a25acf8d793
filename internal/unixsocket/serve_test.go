package unixsocket

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestServe: Serve ends with its context, or when the socket fails. Its path is gone then, an answer that
// goes on until it is told to stop is complete, and one that nobody reads does not keep it.
func TestServe(t *testing.T) {
	for _, tt := range []struct {
		name   string
		end    func(s *Socket, cancel func())
		failed bool
		answer string
	}{
		{"the context", func(_ *Socket, cancel func()) { cancel() }, false, "all"},
		{"the socket", func(s *Socket, _ func()) { _ = s.Close() }, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "socket")
			s, err := Listen(Config{Path: path, Mode: 0o600})
			if err != nil {
				t.Fatal(err)
			}
			began, stopping := make(chan struct{}, 2), make(chan struct{})
			mux := http.NewServeMux()
			mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
				began <- struct{}{}
				<-stopping
				_, _ = io.WriteString(w, "all")
			})
			mux.HandleFunc("/unread", func(w http.ResponseWriter, _ *http.Request) {
				began <- struct{}{}
				for err := error(nil); err == nil; {
					_, err = w.Write(make([]byte, 1<<16))
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(ctx, &http.Server{Handler: mux}, func() { close(stopping) }) }()

			unread, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer unread.Close()
			if _, err := io.WriteString(unread, "GET /unread HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", path)
			}
			answer := make(chan string, 1)
			go func() {
				r, err := (&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}).Get("http://a/long")
				if err != nil {
					answer <- ""
					return
				}
				defer r.Body.Close()
				text, _ := io.ReadAll(r.Body)
				answer <- string(text)
			}()
			<-began
			<-began
			tt.end(s, cancel)
			if err := <-ended; (err != nil) != tt.failed {
				t.Errorf("it ends with %v", err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("its path: %v", err)
			}
			if got := <-answer; tt.answer != "" && got != tt.answer {
				t.Errorf("the answer is %q", got)
			}
		})
	}
}
