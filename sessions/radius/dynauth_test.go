package radius

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"

	"github.com/google/go-cmp/cmp"
)

// Requests of radclient (FreeRADIUS 3.2.1) as they came from the socket, with Acct-Session-Id 0000000D,
// Event-Timestamp Nov 14 2023 12:00:00 UTC, Proxy-State 0x0102 and Message-Authenticator.
const (
	goldenDisconnect = "2898003a5a0efc7dbbab2889b57c0374f2e899832c0a3030303030303044370665536140210401025012bce0785448910f196dbf356d951e2e74"
	goldenCoA        = "2bbf003afd03e2a8dc6428296be7e6067d95e7e22c0a3030303030303044370665536140210401025012e0810d9869b787c8158a8eb1ced88a09"
)

// changed is a Changer that hands its requests to the test.
type changed chan *ChangeRequest

func (c changed) Change(q *ChangeRequest) { c <- q }

// runningChange is a ChangeListener that does not run.
type runningChange struct {
	*ChangeListener
	harness
}

// newIdleChange returns a ChangeListener that does not run, and a function that passes it a datagram.
func newIdleChange(t *testing.T, requireTimestamp bool) (*runningChange, changed, func(datagram []byte, now time.Time)) {
	t.Helper()
	requests := make(changed, 16)
	h, cfg := configFor(t, "127.0.0.1:0", []Client{local()})
	l, err := NewChangeListener(ChangeConfig{Config: cfg, RequireTimestamp: requireTimestamp}, requests)
	if err != nil {
		t.Fatal(err)
	}
	return &runningChange{l, h}, requests, h.idle(&l.endpoint)
}

// change encodes a request of a server.
func change(code radius.Code, identifier byte, attrs ...string) []byte {
	b := radius.AppendHeader(nil, code, identifier)
	for _, a := range attrs {
		b = append(b, a...)
	}
	radius.Seal(b, 0, radius.Authenticator{}, captured.Secret)
	return b
}

// TestChangeGolden: requests of radclient are taken, and the answers are those that it takes.
func TestChangeGolden(t *testing.T) {
	for _, tt := range []struct {
		request string
		ack     bool
		code    radius.Code
	}{
		{goldenDisconnect, true, radius.CodeDisconnectACK},
		{goldenDisconnect, false, radius.CodeDisconnectNAK},
		{goldenCoA, true, radius.CodeCoAACK},
		{goldenCoA, false, radius.CodeCoANAK},
	} {
		l, requests, handle := newIdleChange(t, true)
		request := captured.Octets(t, tt.request)
		handle(request, noon.Add(timestampWindow))
		handle(request, noon) // in flight
		if len(requests) != 1 {
			t.Fatalf("%v: %d requests; %s", tt.code, len(requests), l.log)
		}
		q := <-requests
		if q.ServerName != "local" || q.Secret != captured.Secret || string(q.Packet.Octets()) != string(request) {
			t.Errorf("request %+v", q)
		}
		q.Answer(tt.ack, []byte(attr(radius.ReplyMessage, "x")))
		q.Answer(!tt.ack, nil)
		q.Drop(errNoServer)
		handle(request, time.Now())
		answers := l.queued()
		if len(answers) != 2 || answers[0] != answers[1] {
			t.Fatalf("answers %x", answers)
		}
		p, err := radius.Parse([]byte(answers[0]))
		if err != nil {
			t.Fatal(err)
		}
		ok, _ := p.Authentic(radius.Authenticator(request[4:radius.HeaderLen]), captured.Secret, nil)
		if want := attr(radius.ReplyMessage, "x") + "\x21\x04\x01\x02"; p.Code() != tt.code || !ok || string(p.Attributes()[radius.SignatureLen:]) != want {
			t.Errorf("answer %v %x, authentic %v", p.Code(), p.Octets(), ok)
		}
		if got := l.Stats().ChangeCounters; got.Requests != 3 || got.Duplicates != 2 || l.pending.Load() != 0 {
			t.Errorf("counted %+v", got)
		}
	}
}

// TestChangeDropped: what gets no answer.
func TestChangeDropped(t *testing.T) {
	stamp := func(off time.Duration) string { return num(radius.EventTimestamp, uint32(noon.Add(off).Unix())) }
	wrong := change(radius.CodeDisconnectRequest, 1)
	wrong[5] ^= 1
	unsigned := change(radius.CodeCoARequest, 1, attr(radius.MessageAuthenticator, strings.Repeat("x", 16)))
	for _, tt := range []struct {
		name     string
		require  bool
		datagram []byte
		want     ChangeCounters
		log      string
	}{
		{"wrong secret", false, wrong, ChangeCounters{BadAuthenticators: 1}, "check the shared secret"},
		{"wrong Message-Authenticator", false, unsigned, ChangeCounters{BadAuthenticators: 1}, "check the shared secret"},
		{"too old", false, change(radius.CodeCoARequest, 1, stamp(-301*time.Second)), ChangeCounters{Stale: 1}, "replay"},
		{"too new", false, change(radius.CodeCoARequest, 1, stamp(301*time.Second)), ChangeCounters{Stale: 1}, "replay"},
		{"no time", true, change(radius.CodeCoARequest, 1), ChangeCounters{Stale: 1}, "no Event-Timestamp"},
		{"half a time", false, change(radius.CodeCoARequest, 1, attr(radius.EventTimestamp, "x")), ChangeCounters{Malformed: 1}, "not 4 octets"},
		{"Status-Server", false, change(radius.CodeStatusServer, 1), ChangeCounters{Malformed: 1}, "neither a Disconnect-Request nor a CoA-Request"},
		{"Accounting-Request", false, change(radius.CodeAccountingRequest, 1), ChangeCounters{Malformed: 1}, "neither a Disconnect-Request nor a CoA-Request"},
		{"cut off", false, change(radius.CodeCoARequest, 1, stamp(0))[:25], ChangeCounters{Malformed: 1}, "dropped"},
		{"in time", true, change(radius.CodeCoARequest, 1, stamp(-300*time.Second)), ChangeCounters{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, requests, handle := newIdleChange(t, tt.require)
			handle(tt.datagram, noon)
			tt.want.Requests = 1
			if diff := cmp.Diff(tt.want, l.Stats().ChangeCounters); diff != "" {
				t.Error(diff)
			}
			if log := l.log.String(); !strings.Contains(log, tt.log) || (len(requests) == 1) != (tt.log == "") {
				t.Errorf("%d requests; the log: %s", len(requests), log)
			}
		})
	}
	l, requests, _ := newIdleChange(t, false)
	if err := l.SetClients([]Client{{Prefix: netip.MustParsePrefix("192.0.2.0/24"), Secret: "x"}}); err != nil {
		t.Fatal(err)
	}
	l.idle(&l.endpoint)(change(radius.CodeCoARequest, 1), noon)
	if got := l.Stats().UnknownClients; got != 1 || len(requests) > 0 {
		t.Errorf("%d unknown clients", got)
	}
}

// TestChangeOutcomes: a request that was dropped is a new one when it comes again; an answer that is too
// long, or that the server does not wait for any more, is not sent.
func TestChangeOutcomes(t *testing.T) {
	l, requests, handle := newIdleChange(t, false)
	first := change(radius.CodeDisconnectRequest, 1)
	for range 2 {
		handle(first, noon)
		(<-requests).Drop(errors.New("silent"))
	}
	handle(first, noon)
	(<-requests).Answer(true, make([]byte, radius.MaxPacket))
	handle(first, noon)
	old := <-requests
	handle(change(radius.CodeDisconnectRequest, 1, attr(radius.UserName, "bob")), noon)
	old.Answer(true, nil)
	(<-requests).Answer(true, nil)
	if n := len(l.queued()); n != 1 {
		t.Errorf("%d answers", n)
	}
	if got := l.Stats().ChangeCounters; got.Refused != 2 || got.Dropped != 2 || got.Requests != 5 || l.pending.Load() != 0 {
		t.Errorf("counted %+v", got)
	}
}

// FuzzChange passes datagrams to a ChangeListener. What reaches the Changer is authentic, and its answer
// has the Proxy-States at its end.
func FuzzChange(f *testing.F) {
	f.Add(captured.Octets(f, goldenDisconnect), false)
	f.Add(captured.Octets(f, goldenCoA), true)
	f.Add(change(radius.CodeCoARequest, 1, attr(radius.ProxyState, ""), attr(radius.EventTimestamp, "")), true)
	f.Add([]byte{43}, true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		p, err := radius.Parse(b)
		if seal && err == nil && !p.HasMessageAuthenticator() {
			b = p.Octets()
			radius.Seal(b, 0, radius.Authenticator{}, captured.Secret)
		}
		l, requests, handle := newIdleChange(t, false)
		handle(b, noon)
		if len(requests) == 0 {
			return
		}
		if ok, _ := p.Authentic(radius.Authenticator{}, captured.Secret, nil); err != nil || !ok || p.Code() != radius.CodeCoARequest && p.Code() != radius.CodeDisconnectRequest {
			t.Fatalf("passed on: %x %v", b, err)
		}
		(<-requests).Answer(true, nil)
		want := proxyStates(p)
		if answers := l.queued(); len(want) <= radius.MaxPacket-radius.HeaderLen-radius.SignatureLen && (len(answers) != 1 || !strings.HasSuffix(answers[0], want)) {
			t.Errorf("answers %x, want Proxy-States %x", answers, want)
		}
	})
}
