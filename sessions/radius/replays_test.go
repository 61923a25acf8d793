package radius

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/internal/udpsocket"
)

// TestReplays: what happens to the octets of a request that come again, from another port or address.
func TestReplays(t *testing.T) {
	stamp := num(radius.EventTimestamp, uint32(noon.Unix()))
	const inFlight, answer, dropped = 0, 1, 2
	for _, tt := range []struct {
		name  string
		attrs string
		first int
		from  string
		after time.Duration
		taken bool
	}{
		{"answered", stamp, answer, "127.0.0.1:10", time.Second, false},
		{"answered, from another address", stamp, answer, "127.0.0.3:9", time.Second, false},
		{"answered long ago", stamp, answer, "127.0.0.1:10", timestampWindow, false},
		{"in flight", stamp, inFlight, "127.0.0.1:10", time.Second, false},
		{"in flight, from another address", stamp, inFlight, "127.0.0.3:9", time.Second, false},
		{"in flight for long", stamp, inFlight, "127.0.0.1:10", timestampWindow, false},
		{"not answered", stamp, dropped, "127.0.0.1:10", time.Second, true}, // the server may send it from any port again
		{"no Event-Timestamp", "", answer, "127.0.0.1:10", time.Second, true},
		{"in flight, no Event-Timestamp", "", inFlight, "127.0.0.1:10", time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, requests, handle := newIdleChange(t, false)
			request := change(radius.CodeDisconnectRequest, 1, tt.attrs)
			handle(request, noon)
			switch q := <-requests; tt.first {
			case answer:
				q.Answer(true, nil)
			case dropped:
				q.Drop(errNoServer)
			}
			l.handle(request, l.sockets[0].arrival(netip.MustParseAddrPort(tt.from), udpsocket.Local{}), nil, noon.Add(tt.after))
			if taken := len(requests) == 1; taken != tt.taken {
				t.Errorf("taken: %v; %s", taken, l.log)
			}
			if !tt.taken && (l.Stats().Stale != 1 || !strings.Contains(l.log.String(), errReplay.Error())) {
				t.Errorf("counted %+v; %s", l.Stats().ChangeCounters, l.log)
			}
		})
	}
}

// TestReplaysForgotten: an answered request is remembered as long as its Event-Timestamp is good, and not
// for ever; one in flight is, however many others come.
func TestReplaysForgotten(t *testing.T) {
	r := newReplays()
	key := func(n byte) requestKey {
		return requestKey{auth: radius.Authenticator{n}, sourceKey: sourceKey{port: uint16(n), identifier: n}}
	}
	r.begin(key(1), noon)
	r.end(key(1), true, noon)
	r.begin(key(2), noon)
	r.begin(key(3), noon.Add(replaySpan-time.Second))
	r.end(key(3), true, noon.Add(replaySpan-time.Second))
	if r.begin(key(1), noon.Add(replaySpan)) {
		t.Error("forgotten too early")
	}
	for n := range 3 * replayLimit {
		k := requestKey{auth: radius.Authenticator{0, byte(n), byte(n >> 8), byte(n >> 16)}}
		r.begin(k, noon)
		r.end(k, true, noon)
	}
	if n := len(r.answered.recent) + len(r.answered.older); n > 2*replayLimit || len(r.inFlight) != 1 {
		t.Errorf("%d answered requests are remembered, %d in flight", n, len(r.inFlight))
	}
	later := noon.Add(3 * replaySpan)
	if !r.begin(key(1), later) || r.begin(key(2), later) {
		t.Error("an answered request is remembered for ever, or one in flight is not")
	}
	if r.end(key(2), false, later); !r.begin(key(2), later) {
		t.Error("a request without an answer is remembered")
	}
}

// TestReplaysForgetAnswered: ForgetAnswered frees answered requests when their Event-Timestamp is too old,
// also if no request comes any more.
func TestReplaysForgetAnswered(t *testing.T) {
	l, requests, handle := newIdleChange(t, false)
	handle(change(radius.CodeDisconnectRequest, 1, num(radius.EventTimestamp, uint32(noon.Unix()))), noon)
	(<-requests).Answer(true, nil)
	for _, after := range []time.Duration{replaySpan - 1, 2*replaySpan + 1} {
		l.ForgetAnswered(noon.Add(after))
		if known := len(l.replays.answered.recent)+len(l.replays.answered.older) > 0; known != (after < replaySpan) {
			t.Errorf("after %v: known %v", after, known)
		}
	}
}

// TestReplaysProperty: in any order of requests, copies, replays, answers and drops, the octets of a
// request reach the Changer only if none of them is in flight or was answered before.
func TestReplaysProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		_, cfg := configFor(t, "127.0.0.1:0", []Client{local()})
		cfg.Addresses = append(cfg.Addresses, cfg.Addresses[0]) // of this host, with two sockets
		requests := make(changed, 1)
		l, err := NewChangeListener(ChangeConfig{Config: cfg}, requests)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		now := noon
		const kinds = 3
		taken, answered := [kinds]*ChangeRequest{}, [kinds]bool{}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			i := rapid.IntRange(0, kinds-1).Draw(rt, "request")
			switch action := rapid.SampledFrom([]string{"send", "send", "send", "answer", "drop", "wait"}).Draw(rt, "action"); {
			case action == "wait":
				now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "seconds")) * time.Second)
				if now.Sub(noon) > timestampWindow {
					return
				}
			case action == "send":
				octets := change(radius.CodeDisconnectRequest, byte(i), num(radius.EventTimestamp, uint32(noon.Unix())))
				from := netip.MustParseAddrPort(rapid.SampledFrom([]string{"127.0.0.1:9", "127.0.0.1:10", "127.0.0.2:9"}).Draw(rt, "from"))
				socket := l.sockets[rapid.IntRange(0, 1).Draw(rt, "socket")]
				l.handle(octets, socket.arrival(from, udpsocket.Local{}), nil, now)
				isNew := taken[i] == nil && !answered[i]
				if isNew != (len(requests) == 1) {
					rt.Fatalf("request %d from %v: in flight %v, answered %v, passed on %v", i, from, taken[i] != nil, answered[i], !isNew)
				}
				if isNew {
					taken[i] = <-requests
				}
			case taken[i] == nil:
			case action == "answer":
				taken[i].Answer(true, nil)
				taken[i], answered[i] = nil, true
			default:
				taken[i].Drop(errNoServer)
				taken[i] = nil
			}
		}
	})
}
