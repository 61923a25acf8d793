package localclient

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	localreport "aaasess/sessions/local/report"
)

// socketPath returns a path that is short enough for a socket.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "local")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serve accepts connections at a socket, and calls answer with each of them.
func serve(t *testing.T, answer func(net.Conn)) (socket string) {
	t.Helper()
	socket = socketPath(t)
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answer(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return socket
}

// readRequest reads a request with its body.
func readRequest(conn net.Conn) *http.Request {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return nil
	}
	body, _ := io.ReadAll(req.Body)
	req.Body = io.NopCloser(strings.NewReader(string(body)))
	return req
}

func TestDo(t *testing.T) {
	tests := []struct {
		name   string
		answer string // "": none
		body   string
		err    error  // errors.Is
		text   string // of the error
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "{}", nil, ""},
		{"chunks", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "{}", nil, ""},
		{"until the end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "{}", nil, ""},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", "", nil, ""},
		{"a problem", "HTTP/1.1 409 Conflict\r\nContent-Length: 49\r\n\r\n{\"title\":\"t\",\"detail\":\"is taken\",\"pointer\":\"/x\"}\n", "", nil, "409 t: /x: is taken"},
		{"a title only", "HTTP/1.1 400 B\r\nConnection: close\r\n\r\n{\"title\":\"wrong\"}", "", nil, "400 wrong"},
		{"no problem", "HTTP/1.1 502 B\r\nConnection: close\r\n\r\n<html>", "", nil, "502 Bad Gateway"},
		{"a list", "HTTP/1.1 400 B\r\nConnection: close\r\n\r\n[1]", "", nil, "400 Bad Request"},
		{"nothing", "", "", ErrNoDaemon, "closed the connection without an answer"},
		{"half an answer", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}", "", ErrNoDaemon, "closed the connection without an answer"},
		{"no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "", ErrInvalid, "invalid answer"},
		{"too long", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + strings.Repeat("x", maxAnswer+1), "", ErrInvalid, "more than 1048576 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			socket := serve(t, func(conn net.Conn) {
				readRequest(conn)
				_, _ = io.WriteString(conn, tt.answer)
			})
			body, err := Do(t.Context(), socket, time.Minute, Request{Method: "POST", Path: "/v1/start", Body: []byte("{}")})
			if string(body) != tt.body || (err != nil) != (tt.text != "") {
				t.Fatalf("got %q, %v", body, err)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.text) || tt.err != nil && !errors.Is(err, tt.err)) {
				t.Errorf("got %v, want %v: %s", err, tt.err, tt.text)
			}
		})
	}
}

// TestRequest: the request is valid HTTP/1.1, whatever its body is.
func TestRequest(t *testing.T) {
	got := make(chan *http.Request, 1)
	socket := serve(t, func(conn net.Conn) {
		got <- readRequest(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	const body = "{\"user\":\"a\\r\\n\"}"
	if _, err := Do(t.Context(), socket, time.Minute, Request{Method: "POST", Path: "/v1/stop", Key: "k 1", Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
	req := <-got
	if req == nil {
		t.Fatal("no HTTP request")
	}
	sent, _ := io.ReadAll(req.Body)
	if req.Method != "POST" || req.URL.Path != "/v1/stop" || string(sent) != body || req.Header.Get("Idempotency-Key") != "k 1" ||
		req.Header.Get("Content-Type") != "application/json" || !req.Close || len(req.Header) != 3+1 {
		t.Errorf("%+v %s", req, sent)
	}
}

// TestRejectedEarly: the daemon answers and closes before it has read a large body. Its answer counts.
func TestRejectedEarly(t *testing.T) {
	socket := serve(t, func(conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, 10))
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
		_ = conn.(*net.UnixConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
	})
	_, err := Do(t.Context(), socket, time.Minute, Request{Method: "POST", Path: "/v1/start", Body: make([]byte, 8<<20)})
	if p := (*localreport.Problem)(nil); !errors.As(err, &p) || p.Status != 413 {
		t.Error(err)
	}
}

// TestHangs: however a daemon hangs, a request ends with its timeout.
func TestHangs(t *testing.T) {
	blocked := make(chan struct{})
	for name, socket := range map[string]string{
		"no answer": serve(t, func(conn net.Conn) { <-blocked }),
		"half an answer": serve(t, func(conn net.Conn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Le")
			<-blocked
		}),
		"no connection": fullSocket(t),
		"a body without its end": serve(t, func(conn net.Conn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
			<-blocked
		}),
	} {
		if _, err := Do(t.Context(), socket, 20*time.Millisecond, Request{Method: "POST", Path: "/v1/start", Body: []byte("{}")}); !errors.Is(err, ErrTimeout) {
			t.Errorf("%s: %v", name, err)
		}
	}
	close(blocked)
}

// fullSocket returns a socket whose backlog is full, and that nobody accepts from.
func fullSocket(t *testing.T) string {
	t.Helper()
	socket := socketPath(t)
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: socket}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			if !errors.Is(err, syscall.EAGAIN) {
				t.Fatal(err)
			}
			return socket
		}
		t.Cleanup(func() { conn.Close() })
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	socket := serve(t, func(conn net.Conn) { readRequest(conn); cancel(); _, _ = io.Copy(io.Discard, conn) })
	if _, err := Do(ctx, socket, time.Hour, Request{Method: "POST", Path: "/v1/start"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNoDaemon(t *testing.T) {
	gone := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: gone})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for socket, text := range map[string]string{
		socketPath(t): "the socket does not exist",
		gone:          "nothing listens on the socket",
	} {
		if _, err := Do(t.Context(), socket, time.Minute, Request{Method: "POST", Path: "/"}); !errors.Is(err, ErrNoDaemon) || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %s", err, text)
		}
	}
	if err := explain(t.Context(), "s", os.NewSyscallError("connect", syscall.EACCES)); !errors.Is(err, ErrPermission) || err.Error() != "permission denied at s" {
		t.Error(err)
	}
}

func TestKey(t *testing.T) {
	for key, want := range map[string]bool{
		"a": true, "tun0-1 x": true, strings.Repeat("k", localreport.MaxKey): true,
		strings.Repeat("k", localreport.MaxKey+1): false, "a\r\nHost: b": false, "\x7f": false, " a": false, "ü": false,
	} {
		_, err := Do(t.Context(), socketPath(t), time.Minute, Request{Method: "POST", Path: "/", Key: key})
		if errors.Is(err, ErrKey) == want {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// FuzzReadAnswer: no answer makes a panic, or more than its limit.
func FuzzReadAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	f.Add("HTTP/1.1 503 B\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 400 B\r\nConnection: close\r\n\r\n{\"detail\":\"\",\"pointer\":\"/\"}")
	f.Fuzz(func(t *testing.T, answer string) {
		body, err := readAnswer(strings.NewReader(answer))
		if len(body) > maxAnswer || err != nil && body != nil || err != nil && err.Error() == "" {
			t.Errorf("%d octets, %v", len(body), err)
		}
	})
}
