package control_test

import (
	"errors"
	"iter"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"aaasess/accounting/tap"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/internal/radius"
	"aaasess/internal/radius/attrtest"
	"aaasess/sessions"
)

// startEvents starts a daemon with a Tap.
func startEvents(t *testing.T) (*controltest.Daemon, *apiclient.Client, *tap.Tap) {
	t.Helper()
	events := &tap.Tap{}
	d, client := start(t, func(c *control.Config) { c.Accounting, c.Events = &controltest.Accounting{}, events })
	return d, client, events
}

func offer(events *tap.Tap, id sessions.ID, user string) {
	s := &sessions.Session{ID: id, Kind: sessions.Network, Attrs: attrtest.Attributes(radius.UserName, user), NAS: &sessions.NAS{}}
	events.Offer(&tap.Event{Notice: sessions.Notice{Type: sessions.Start, Session: s}})
}

// awaitNobody waits until nobody listens.
func awaitNobody(t *testing.T, events *tap.Tap) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); events.Listened(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("somebody listens still")
		}
	}
}

// TestEventStream: events go over the socket until the client closes the stream.
func TestEventStream(t *testing.T) {
	_, client, events := startEvents(t)
	stream, err := client.Events(t.Context(), api.EventFilter{Filter: api.Filter{User: "bob"}})
	if err != nil {
		t.Fatal(err)
	}
	offer(events, 1, "alice")
	offer(events, 2, "bob")
	for line, err := range stream.All() {
		if err != nil || line.User != "bob" || line.ID != "00000002" || line.Type != "Start" {
			t.Errorf("%+v, %v", line, err)
		}
		break
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	awaitNobody(t, events)
	refused := (*apiclient.ResponseError)(nil)
	if _, err := client.Events(t.Context(), api.EventFilter{Group: "x"}); !errors.As(err, &refused) || refused.Code != 404 {
		t.Errorf("no such group: %v", err)
	}
}

// TestEventsClientStalls: a client that never reads neither delays events nor the end of the daemon.
func TestEventsClientStalls(t *testing.T) {
	d, client, events := startEvents(t)
	stream, err := client.Events(t.Context(), api.EventFilter{})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", d.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET " + api.PathEvents + " HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 12)
	if _, err := conn.Read(b); err != nil || string(b) != "HTTP/1.1 200" { // it listens now
		t.Fatalf("%q, %v", b, err)
	}
	next, stop := iter.Pull2(stream.All())
	defer stop()
	long := strings.Repeat("u", 200_000) // few events fill the buffers of a socket
	for id := range sessions.ID(50) {
		offer(events, id+1, long)
		if line, err, _ := next(); err != nil || line.Number != uint32(id+1) {
			t.Fatalf("the client that reads: %d, %v", line.Number, err)
		}
	}
	// The cleanup of the test ends the daemon, which must not wait for the stalled client.
}
