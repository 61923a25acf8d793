package client_test

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/internal/retry"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

// portOf returns the TCP port of a server.
func portOf(t testing.TB, s *tacacstest.Server) uint16 {
	t.Helper()
	_, text, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(port)
}

// TestKilledUnderLoad: over real TCP, a server is killed and started again while requests are sent;
// each request is repeated until it is accepted, and is at the server then.
func TestKilledUnderLoad(t *testing.T) {
	s := tacacstest.New(testKey)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	m := tacclient.Member{
		Identity: tacclient.Identity{Host: "localhost", Port: portOf(t, s), Key: testKey}, SingleConnection: true, Connections: 2,
		Schedule: retry.Schedule{Timeout: time.Minute},
	}
	g, err := tacclient.New(tacclient.Config{}).NewGroup(tacclient.GroupConfig{Members: []tacclient.Member{m}, Source: netip.MustParseAddr("127.0.0.1"), HoldDown: -1})
	if err != nil {
		t.Fatal(err)
	}
	var running, sending sync.WaitGroup
	running.Go(func() { _ = g.Run(context.Background()) })
	<-g.Ready()
	const senders, each = 50, 60
	for sender := range senders {
		sending.Go(func() {
			for n := range each {
				for {
					request := newSent(t, sender*each+n)
					g.Send(request, start)
					if end := <-request.ends; strings.HasPrefix(end, "accepted by") {
						break
					}
					time.Sleep(time.Millisecond) // the caller's schedule
				}
			}
		})
	}
	for kill := range 4 {
		enough := func() bool { return len(s.Acknowledged()) >= (kill+1)*senders*each/6 }
		if err := s.Await(t.Context(), enough); err != nil {
			t.Fatal(err)
		}
		s.Stop()
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	sending.Wait()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	running.Wait()
	if n := len(tasks(s)); n != senders*each {
		t.Errorf("%d requests are at the server, want %d", n, senders*each)
	}
	for _, err := range s.Problems() {
		t.Error(err)
	}
}

// TestNoServer: a name that does not exist, and a port without a server.
func TestNoServer(t *testing.T) {
	s := tacacstest.New(testKey)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	port := portOf(t, s)
	s.Stop()
	for _, host := range []string{"127.0.0.1", "no-such-host.invalid"} {
		g, err := tacclient.New(tacclient.Config{}).NewGroup(tacclient.GroupConfig{Members: []tacclient.Member{{Identity: tacclient.Identity{Host: host, Port: port, Key: testKey}}}})
		if err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() { _ = g.Run(context.Background()) })
		request := newSent(t, 1)
		g.Send(request, start)
		if end := <-request.ends; end != nobody {
			t.Errorf("%s: %s", host, end)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		running.Wait()
	}
}
