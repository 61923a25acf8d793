package web

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"aaasess/internal/logtest"
)

func loggerTo(b *logtest.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// pipes is a listener in memory, so that tests need no real time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: Port} }

// dial connects to the listener.
func (p *pipes) dial(t *testing.T) net.Conn {
	t.Helper()
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	p.conns <- there
	return here
}

// run runs a Server until the test ends.
func run(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// inMemory runs a Server whose listener is in memory. / answers ok.
func inMemory(t *testing.T, cfg Config) (*Server, *pipes) {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := newPipes()
	s.listeners = []net.Listener{p}
	s.Handle("GET /{$}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	run(t, s)
	return s, p
}

// onLoopback runs a Server on a free port.
func onLoopback(t *testing.T, cfg Config) (s *Server, address string) {
	t.Helper()
	cfg.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Handle("GET /{$}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	run(t, s)
	return s, s.Addrs()[0].String()
}

// ask sends a request and returns the status of the answer.
func ask(t *testing.T, conn net.Conn, request string) int {
	t.Helper()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

// isClosed waits for the end of a connection, and returns what came before.
func isClosed(t *testing.T, conn net.Conn) string {
	t.Helper()
	b, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestClientsThatWait: a client that does not send its header, or stops reading, is ended after the
// time for it. Meanwhile others are answered.
func TestClientsThatWait(t *testing.T) {
	for _, tt := range []struct {
		name string
		send string
		read int // octets of the answer that the client reads; -1: all there is
		want time.Duration
	}{
		{"nothing is sent", "", -1, headerTimeout},
		{"half a header", "GET / HTTP/1.1\r\nHost: loc", -1, headerTimeout},
		{"no next request", request, -1, idleTimeout},
		{"the answer is not read", "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n", 0, sendTimeout},
		{"the answer is read in part", "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n", 100_000, sendTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, p := inMemory(t, Config{})
				failed := make(chan time.Time, 1)
				s.Handle("GET /large", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					b := make([]byte, 8<<20)
					if _, err := w.Write(b); err != nil {
						failed <- time.Now()
					}
				}))
				begun := time.Now()
				conn := p.dial(t)
				go func() { _, _ = io.WriteString(conn, tt.send) }()
				if tt.read >= 0 {
					_, _ = io.CopyN(io.Discard, conn, int64(tt.read))
					if other := ask(t, p.dial(t), request); other != http.StatusOK {
						t.Errorf("meanwhile another client gets %d", other)
					}
					if took := (<-failed).Sub(begun); took != tt.want {
						t.Errorf("ended after %v, want %v", took, tt.want)
					}
					return
				}
				isClosed(t, conn)
				if took := time.Since(begun); took != tt.want {
					t.Errorf("closed after %v, want %v", took, tt.want)
				}
			})
		})
	}
}

// TestTooManyConnections: 10,000 connections of a client that says nothing do not keep another one out,
// and 64 of them are open at a time.
func TestTooManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logtest.Buffer{}
		_, p := inMemory(t, Config{Logger: loggerTo(log)})
		var silent []net.Conn
		for range 10_000 {
			silent = append(silent, p.dial(t))
		}
		synctest.Wait()
		if code := ask(t, p.dial(t), request); code != http.StatusOK {
			t.Errorf("the next client gets %d", code)
		}
		open := 0
		for _, conn := range silent {
			_ = conn.SetReadDeadline(time.Now().Add(-time.Second))
			if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
				open++
			}
		}
		if open == 0 || open > maxConnections {
			t.Errorf("%d connections are open", open)
		}
		if n := log.Count("too many connections"); n != 1 {
			t.Errorf("%d lines: %s", n, log)
		}
	})
}

func TestRequests(t *testing.T) {
	_, address := onLoopback(t, Config{Settings: Settings{Hosts: []string{"aaa.example", "192.0.2.1"}}})
	port := address[strings.LastIndexByte(address, ':'):]
	for _, tt := range []struct {
		name, request string
		want          int
	}{
		{"the address", "GET / HTTP/1.1\r\nHost: " + address + "\r\n\r\n", 200},
		{"localhost", "GET / HTTP/1.1\r\nHost: localhost" + port + "\r\n\r\n", 200},
		{"a name of the configuration", "GET / HTTP/1.1\r\nHost: AAA.example.\r\n\r\n", 200},
		{"an address of the configuration", "GET / HTTP/1.1\r\nHost: 192.0.2.1:80\r\n\r\n", 200},
		{"a page of the Internet", "GET / HTTP/1.1\r\nHost: evil.example" + port + "\r\n\r\n", 421},
		{"a page of the Internet, for a path that is not there", "GET /nothing HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
		{"a target with another host", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421},
		{"no host", "GET / HTTP/1.0\r\n\r\n", 421},
		{"two hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400},
		{"another path", "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"another method", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405},
		{"a large header", "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n", 431},
		{"profiles that are off", "GET /debug/pprof/cmdline HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"no HTTP", "hello\r\n\r\n", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if got := ask(t, conn, tt.request); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestIsHost(t *testing.T) {
	local := &net.TCPAddr{IP: net.ParseIP("fd00::1"), Port: Port, Zone: "eth0"}
	for _, tt := range []struct {
		header string
		want   bool
	}{
		{"[fd00::1]:9161", true},
		{"[fd00::1]", true},
		{"[FD00:0::1]:80", true},
		{"[fd00::2]", false},
		{"[fd00::1", false},
		{"[fd00::1]evil", false},
		{"127.0.0.1", false}, // the request was not sent to it
		{"LOCALHOST:1", true},
		{"localhost.", true},
		{"localhost.evil.example", false},
		{"other", true},
		{"other:", true},
		{"another", false},
		{"", false},
		{":9161", false},
		{"2130706433", false}, // 127.0.0.1 as one number
	} {
		if got := isHost(tt.header, local, []string{"other"}); got != tt.want {
			t.Errorf("%q: %t", tt.header, got)
		}
	}
}

// TestSettings: a reload switches profiles and hosts.
func TestSettings(t *testing.T) {
	log := &logtest.Buffer{}
	s, address := onLoopback(t, Config{Logger: loggerTo(log)})
	get := func(path, host string) int {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return ask(t, conn, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
	}
	if code := get("/", "aaa.example"); code != http.StatusMisdirectedRequest {
		t.Errorf("before: %d", code)
	}
	s.SetSettings(Settings{Hosts: []string{"aaa.example"}, Pprof: true})
	for _, path := range []string{"/", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/heap?debug=1", "/debug/pprof/profile?seconds=1"} {
		if code := get(path, "aaa.example"); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}
	s.SetSettings(Settings{})
	if code := get("/debug/pprof/", "localhost"); code != http.StatusNotFound {
		t.Errorf("profiles that were switched off: %d", code)
	}
	if n := log.Count("http request refused"); n != 1 {
		t.Errorf("%d lines: %s", n, log)
	}
}

// webConfig writes a web configuration with TLS and a user, and returns its name and a pool with its
// certificate.
func webConfig(t *testing.T) (file string, pool *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	file = filepath.Join(dir, "web.yml")
	for name, text := range map[string][]byte{
		filepath.Join(dir, "cert.pem"): certPEM,
		filepath.Join(dir, "key.pem"):  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		file:                           fmt.Appendf(nil, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {prometheus: %s}\n", hash),
	} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return file, pool
}

// TestWebConfig: the web configuration of exporter-toolkit is applied, and what is refused leaves no
// line a request.
func TestWebConfig(t *testing.T) {
	file, pool := webConfig(t)
	log := &logtest.Buffer{}
	_, address := onLoopback(t, Config{WebConfig: file, Logger: loggerTo(log)})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}}
	defer client.CloseIdleConnections()
	for _, tt := range []struct {
		name, user, password, host string
		want                       int
	}{
		{"nobody", "", "", "", 401},
		{"a wrong password", "prometheus", "other", "", 401},
		{"another user", "alice", "secret", "", 401},
		{"the user", "prometheus", "secret", "", 200},
		{"the user, at another host", "prometheus", "secret", "evil.example", 421},
		{"nobody, at another host", "", "", "evil.example", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodGet, "https://"+address+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = tt.host
			if tt.user != "" {
				req.SetBasicAuth(tt.user, tt.password)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("%s, want %d", resp.Status, tt.want)
			}
		})
	}
	for range 20 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = ask(t, conn, request) // plain HTTP, so the handshake fails
		conn.Close()
	}
	if n := log.Count("TLS handshake"); n > 1 {
		t.Errorf("%d lines of handshakes that failed", n)
	}
}

// TestNewFails: an error names what is wrong.
func TestNewFails(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	wrong := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(wrong, []byte("tls: yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cfg  Config
		want []string
	}{
		{"a port that is taken", Config{Listen: []netip.AddrPort{addrPort(taken.Addr())}}, []string{"http.listen", taken.Addr().String(), "in use"}},
		{"a web configuration that is missing", Config{WebConfig: wrong + "x"}, []string{"http.web-config", wrong + "x", "no such file"}},
		{"a web configuration that is wrong", Config{WebConfig: wrong}, []string{"http.web-config", "tls"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.cfg)
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the error has no %q: %v", want, err)
				}
			}
		})
	}
}

// TestRequestsInFlightEnd: when the daemon ends, a request that is being answered has a second.
func TestRequestsInFlightEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		p := newPipes()
		s.listeners = []net.Listener{p}
		s.Handle("GET /stream", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		conn := p.dial(t)
		_, _ = io.WriteString(conn, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
		synctest.Wait()
		begun := time.Now()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > 2*endTimeout {
			t.Errorf("Run ended after %v", took)
		}
	})
}
