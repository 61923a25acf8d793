package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestTenThousandConnections: while somebody opens 10,000 connections and leaves the last thousand of them
// open, some with half a request, NASes get answers, and so does Prometheus. The log has one line.
func TestTenThousandConnections(t *testing.T) {
	const all, open = 10_000, 1000
	l := launch(t, httpConfig(t, ""), environment{})
	address := l.d.http.Addrs()[0].String()
	conns := make([]net.Conn, open)
	defer func() {
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close()
			}
		}
	}()
	for i := range all {
		conn, err := net.DialTimeout("tcp", address, limit)
		if err != nil {
			t.Fatal(err)
		}
		if old := conns[i%open]; old != nil {
			_ = old.Close()
		}
		if conns[i%open] = conn; i%2 == 0 {
			_, _ = io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: loc") // it may be closed already
		}
		if i%open == 0 {
			l.mustAccount(packet(acctStart, "S1", "alice"))
		}
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		if code, body := l.get(path); code != http.StatusOK {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	if n := strings.Count(l.log.String(), "too many connections"); n != 1 {
		t.Errorf("%d lines about connections", n)
	}
}

// TestForeignHost: whatever is asked for, a request with the name of another host in its Host header gets
// nothing.
func TestForeignHost(t *testing.T) {
	l := launch(t, httpConfig(t, ", pprof: true"), environment{})
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz", "/debug/pprof/", "/sessions", "/live?view=/", "/nothing"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			request, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.d.http.Addrs()[0].String()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = "evil.example"
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if err != nil || answer.StatusCode != http.StatusMisdirectedRequest || string(body) != "this host is not known here: see http.hosts in the configuration\n" {
				t.Errorf("%s %s: %s %q, %v", method, path, answer.Status, body, err)
			}
		}
	}
}
