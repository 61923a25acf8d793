package radius

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius/captured"
)

// TestStatusServer: each Status-Server gets a new Accounting-Response, and none reaches Apply.
func TestStatusServer(t *testing.T) {
	states := attr(radius.ProxyState, "one") + attr(radius.ProxyState, "two")
	tests := []struct {
		name     string
		datagram []byte
		states   string
	}{
		{"alone", statusRequest(1), ""},
		{"of a NAS with a name, through two proxies", statusRequest(2, attr(radius.NASIdentifier, "n"), states[:5], states[5:]), states},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sink := newRecorder()
			l := startListener(t, sink, "127.0.0.1:0", local())
			n := l.dial(l.Addr())
			n.send(tt.datagram, tt.datagram)
			for range 2 {
				answer := n.receive(tt.datagram)
				if diff := cmp.Diff(tt.states, string(answer.Attributes())); diff != "" {
					t.Error(diff)
				}
			}
			l.stop()
			want := Counters{Requests: 2, Responses: 2, StatusServers: 2}
			if diff := cmp.Diff(want, l.Stats().Counters); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(want, l.Stats().Clients[0].Counters); diff != "" {
				t.Errorf("of the client: %s", diff)
			}
			if len(sink) > 0 {
				t.Error("it reached the sink")
			}
		})
	}
}

// TestStatusServerWhileRefusing: while the sink refuses events, no Status-Server is answered.
func TestStatusServerWhileRefusing(t *testing.T) {
	l, handle := newIdleListener(t, refuser{}, local())
	handle(statusRequest(1), noon)
	if diff := cmp.Diff(Counters{Requests: 1, StatusServers: 1, Refused: 1}, l.Stats().Counters); diff != "" {
		t.Error(diff)
	}
	if log := l.log.String(); !strings.Contains(log, errBusy.Error()) {
		t.Errorf("the reason is not in the log: %s", log)
	}
	if n := len(l.sockets[0].answers.queue); n != 0 {
		t.Errorf("%d answers", n)
	}
}

// TestStatusServerDropped: without a valid Message-Authenticator there is no answer.
func TestStatusServerDropped(t *testing.T) {
	unsigned := withLength(radius.AppendHeader(nil, radius.CodeStatusServer, 1), radius.HeaderLen)
	// Signed like an Accounting-Request: a valid Request Authenticator, no Message-Authenticator.
	asAccounting := bytes.Clone(unsigned)
	radius.Seal(asAccounting, 0, radius.Authenticator{}, captured.Secret)
	wrong := statusRequest(1)
	wrong[len(wrong)-1] ^= 1
	tampered := statusRequest(1)
	tampered[4] ^= 1
	for name, datagram := range map[string][]byte{"unsigned": unsigned, "as accounting": asAccounting, "wrong": wrong, "tampered": tampered} {
		t.Run(name, func(t *testing.T) {
			sink := newRecorder()
			l, handle := newIdleListener(t, sink, local())
			handle(datagram, noon)
			handle(datagram, noon.Add(time.Second))
			if diff := cmp.Diff(Counters{Requests: 2, BadAuthenticators: 2}, l.Stats().Counters); diff != "" {
				t.Error(diff)
			}
			if log := l.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "Message-Authenticator") {
				t.Errorf("the log: %s", log)
			}
			if n := len(l.sockets[0].answers.queue) + len(sink); n != 0 {
				t.Errorf("%d answers and calls", n)
			}
		})
	}
	l, handle := newIdleListener(t, newRecorder(), Client{Prefix: prefix("192.0.2.0/24"), Secret: captured.Secret})
	handle(statusRequest(1), noon)
	if diff := cmp.Diff(Counters{Requests: 1, UnknownClients: 1}, l.Stats().Counters); diff != "" {
		t.Errorf("of an unknown client: %s", diff)
	}
}
