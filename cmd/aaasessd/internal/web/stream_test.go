package web

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const streamRequest = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"

// streaming runs a Server in memory with one stream at /stream, of whose handler it returns the ends. The
// handler writes a line, and then what it gets from parts.
func streaming(t *testing.T, n int) (p *pipes, parts chan []byte, ended chan error) {
	t.Helper()
	s, p := inMemory(t, Config{})
	parts, ended = stream(s, n)
	return p, parts, ended
}

// stream adds the stream of streaming to a Server.
func stream(s *Server, n int) (parts chan []byte, ended chan error) {
	parts, ended = make(chan []byte), make(chan error, 10)
	s.Handle("GET /stream", s.Stream(n, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for part := []byte("first\n"); ; {
			_, err := w.Write(part)
			if err = errors.Join(err, http.NewResponseController(w).Flush()); err != nil {
				ended <- err
				return
			}
			select {
			case part = <-parts:
			case <-r.Context().Done():
				ended <- r.Context().Err()
				return
			}
		}
	})))
	return parts, ended
}

// begin asks for the stream, and returns its body after the first part.
func begin(t *testing.T, conn net.Conn) *bufio.Reader {
	t.Helper()
	_, _ = io.WriteString(conn, streamRequest)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body := bufio.NewReader(resp.Body)
	if line, err := body.ReadString('\n'); line != "first\n" || err != nil {
		t.Fatalf("%q %v", line, err)
	}
	return body
}

// TestStreamGoesOn: a stream has no time limit while its client reads.
func TestStreamGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, parts, ended := streaming(t, 1)
		body := begin(t, p.dial(t))
		for range 10 {
			time.Sleep(time.Minute)
			select {
			case parts <- []byte("more\n"):
			case err := <-ended:
				t.Fatalf("the stream has ended: %v", err)
			}
			if line, err := body.ReadString('\n'); line != "more\n" || err != nil {
				t.Fatalf("%q %v", line, err)
			}
		}
	})
}

// TestStreamOfHTTP2: so it is over TLS, where browsers speak HTTP/2.
func TestStreamOfHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, pool := webConfig(t)
		s, p := inMemory(t, Config{WebConfig: file})
		more := make(chan bool)
		s.Handle("GET /stream", s.Stream(1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for {
				if _, err := io.WriteString(w, "line\n"); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				select {
				case <-more:
				case <-r.Context().Done():
					return
				}
			}
		})))
		transport := &http.Transport{
			DialContext:     func(context.Context, string, string) (net.Conn, error) { return p.dial(t), nil },
			TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost", Time: time.Now}, ForceAttemptHTTP2: true,
		}
		defer transport.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://localhost/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("prometheus", "secret")
		resp, err := transport.RoundTrip(req)
		if err != nil || resp.ProtoMajor != 2 {
			t.Fatalf("%v %v", resp, err)
		}
		defer resp.Body.Close()
		body := bufio.NewReader(resp.Body)
		for range 5 {
			if line, err := body.ReadString('\n'); line != "line\n" || err != nil {
				t.Fatalf("%q %v", line, err)
			}
			time.Sleep(time.Minute)
			more <- true
		}
	})
}

// TestStreamEnds: with its client, and if its client stops reading.
func TestStreamEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(conn net.Conn, parts chan []byte)
		want error
		took time.Duration
	}{
		{"the client goes", func(conn net.Conn, _ chan []byte) { conn.Close() }, context.Canceled, 0},
		{"the client stops reading", func(_ net.Conn, parts chan []byte) { parts <- make([]byte, 8<<20) }, os.ErrDeadlineExceeded, sendTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, parts, ended := streaming(t, 1)
				conn := p.dial(t)
				begin(t, conn)
				time.Sleep(time.Minute)
				begun := time.Now()
				tt.do(conn, parts)
				if err := <-ended; !errors.Is(err, tt.want) {
					t.Errorf("%v, want %v", err, tt.want)
				}
				if took := time.Since(begun); took != tt.took {
					t.Errorf("after %v, want %v", took, tt.took)
				}
			})
		})
	}
}

// TestStreamEndsWithAdmission: a stream ends soon after the web configuration does not let its client in any
// more, and not because something else in it has changed.
func TestStreamEndsWithAdmission(t *testing.T) {
	users := usersConfig(t)
	for _, tt := range []struct {
		name, before, after string
		ends                bool
	}{
		{"the user is removed", users, "basic_auth_users: {bob: " + strings.TrimPrefix(users, "basic_auth_users: {alice: "), true},
		{"the password changes", users, usersConfig(t)[:len(users)-3] + "X}\n", true},
		{"users are asked for", "", "basic_auth_users: {bob: " + strings.TrimPrefix(users, "basic_auth_users: {alice: "), true},
		{"certificates are asked for", "", fmt.Sprintf(certsConfig, "RequireAndVerifyClientCert"), true},
		{"the file has a fault", users, "users: {}\n", true},
		{"nothing changes", users, users, false},
		{"nobody is asked", "", "", false},
		{"the user stays", users, strings.TrimSuffix(users, "}\n") + ", bob: x}\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				file := writeConfig(t, tt.before)
				s, p := inMemory(t, Config{WebConfig: file})
				_, ended := stream(s, 1)
				conn := p.dial(t)
				_, _ = io.WriteString(conn, strings.TrimSuffix(streamRequest, "\r\n")+"Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("alice:secret"))+"\r\n\r\n")
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("%v %v", resp, err)
				}
				time.Sleep(time.Minute)
				if err := os.WriteFile(file, []byte(tt.after), 0o600); err != nil {
					t.Fatal(err)
				}
				time.Sleep(admitEvery)
				synctest.Wait()
				if got := len(ended) > 0; got != tt.ends {
					t.Errorf("ended: %t", got)
				}
			})
		})
	}
}

// TestStreamLimit: one more stream gets 503, until one has ended.
func TestStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, ended := streaming(t, 2)
		first := p.dial(t)
		begin(t, first)
		begin(t, p.dial(t))
		if code := ask(t, p.dial(t), streamRequest); code != http.StatusServiceUnavailable {
			t.Errorf("the third gets %d", code)
		}
		first.Close()
		<-ended
		synctest.Wait()
		begin(t, p.dial(t))
	})
}

// TestStreamsEndWithServer: they end at once, not after the time that other answers have.
func TestStreamsEndWithServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		p := newPipes()
		s.listeners = []net.Listener{p}
		s.Handle("GET /stream", s.Stream(1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", 10)+"\n")
			<-r.Context().Done()
		})))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		conn := p.dial(t)
		_, _ = io.WriteString(conn, streamRequest)
		synctest.Wait()
		begun := time.Now()
		cancel()
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took >= endTimeout {
			t.Errorf("Run ended after %v", took)
		}
	})
}
