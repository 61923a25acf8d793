package radius

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/udpsocket"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius/captured"
)

// TestGoldenDialogues sends the packets of real NASes and checks each answer.
func TestGoldenDialogues(t *testing.T) {
	for _, name := range captured.Accounting(t) {
		t.Run(name, func(t *testing.T) {
			sink := newRecorder()
			l := startListener(t, sink, "127.0.0.1:0", local())
			n := l.dial(l.Addr())
			data := captured.Packet(t, name)
			want := parseGolden(t, name)
			sent := time.Now()
			n.send(data)
			call := sink.next(t)
			call.done(nil)
			answer := n.receive(data)

			if got := call.event.NAS.Addr; got != netip.MustParseAddr("127.0.0.1") {
				t.Errorf("NAS %v", got)
			}
			got := call.event
			if got.Type != want.event.Type || got.AcctSessionID != want.event.AcctSessionID || got.Attrs != want.event.Attrs {
				t.Errorf("event %+v, want %+v", got, want.event)
			}
			if !got.SameClient(got.NAS.Addr) || got.SameClient(source) {
				t.Error("the event does not know its client's addresses")
			}
			if delay := noon.Sub(want.event.At); got.At.Before(sent.Add(-delay)) || got.At.After(time.Now().Add(-delay)) {
				t.Errorf("at %v, want %v before now", got.At, delay)
			}
			var states []byte
			for at, value := range radius.Attributes(answer.Attributes()).All() {
				if at != radius.ProxyState {
					t.Errorf("attribute %d in the answer", at)
				}
				states = radius.AppendAttribute(states, at, value)
			}
			if string(states) != want.proxyState {
				t.Errorf("Proxy-State %x, want %x", states, want.proxyState)
			}
		})
	}
}

func parsedGolden(t *testing.T, data []byte) radius.Packet {
	t.Helper()
	p, err := radius.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAnswerWaitsForDurability: the second request is answered first because it is durable first.
func TestAnswerWaitsForDurability(t *testing.T) {
	sink := newRecorder()
	l := startListener(t, sink, "127.0.0.1:0", local())
	n := l.dial(l.Addr())
	one, two := start(1, "a"), start(2, "b")
	n.send(one, two)
	first, second := sink.next(t), sink.next(t)
	second.done(nil)
	n.receive(two)
	first.done(nil)
	n.receive(one)
	l.stop()
	if diff := cmp.Diff(Counters{Requests: 2, Responses: 2}, l.Stats().Counters); diff != "" {
		t.Error(diff)
	}
}

func TestNotDurableIsNotAnswered(t *testing.T) {
	sink := newRecorder()
	l := startListener(t, sink, "127.0.0.1:0", local())
	n := l.dial(l.Addr())
	one, fence := start(1, "a"), statusRequest(9)
	n.send(one)
	sink.next(t).done(errBusy)
	n.send(fence)
	n.receive(fence) // the first answer is the fence's, so one was not answered
	n.send(one)      // the retransmission counts as a new request
	sink.next(t).done(nil)
	n.receive(one)
	l.stop()
	if diff := cmp.Diff(Counters{Requests: 3, Responses: 2, Refused: 1, StatusServers: 1}, l.Stats().Counters); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(l.log.String(), errBusy.Error()) {
		t.Errorf("the reason is not in the log: %s", l.log)
	}
}

func TestRefusedAtOnceIsNotAnswered(t *testing.T) {
	l := startListener(t, applyRefuser{}, "127.0.0.1:0", local())
	n := l.dial(l.Addr())
	fence := statusRequest(9)
	one, on := start(1, "a"), request(2, num(radius.AcctStatusType, uint32(sessions.On)))
	n.send(one, on, one, fence)
	n.receive(fence)
	l.stop()
	if diff := cmp.Diff(Counters{Requests: 4, Responses: 1, Refused: 3, StatusServers: 1}, l.Stats().Counters); diff != "" {
		t.Error(diff)
	}
	if lines := strings.Count(l.log.String(), "\n"); lines != 1 {
		t.Errorf("%d lines in the log, want one a minute: %s", lines, l.log)
	}
}

func TestRetransmissions(t *testing.T) {
	sink := newRecorder()
	l := startListener(t, sink, "127.0.0.1:0", local())
	n, other := l.dial(l.Addr()), l.dial(l.Addr())
	one, fence := start(1, "a"), statusRequest(9)
	n.send(one, one, fence) // the second copy arrives while the first is in flight
	n.receive(fence)
	call := sink.next(t)
	call.done(nil)
	first := n.receive(one)
	n.send(one)
	if again := n.receive(one); !bytes.Equal(first.Octets(), again.Octets()) {
		t.Errorf("another answer the second time: %x, %x", first.Octets(), again.Octets())
	}
	other.send(one) // the same octets from another port are another request
	sink.next(t).done(nil)
	other.receive(one)
	l.stop()
	if n := len(sink); n != 0 {
		t.Errorf("the sink was called %d times too often", n)
	}
	if diff := cmp.Diff(Counters{Requests: 5, Responses: 4, Duplicates: 2, StatusServers: 1}, l.Stats().Counters); diff != "" {
		t.Error(diff)
	}
}

// newIdleListener returns a Listener that does not run, and a function that passes it a datagram.
func newIdleListener(t *testing.T, sink Sink, clients ...Client) (*runningListener, func(datagram []byte, now time.Time)) {
	t.Helper()
	h, cfg := configFor(t, "127.0.0.1:0", clients)
	l, err := New(cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	return &runningListener{l, h}, h.idle(&l.endpoint)
}

// idle returns a function that passes a datagram to a listener that does not run.
func (h *harness) idle(e *endpoint) func(datagram []byte, now time.Time) {
	h.t.Cleanup(func() { _ = e.Close() })
	s := e.sockets[0]
	r := newReceiver(s)
	return func(datagram []byte, now time.Time) {
		r.scratch = e.handle(datagram, s.arrival(netip.MustParseAddrPort("127.0.0.1:9"), udpsocket.Local{}), r.scratch, now)
	}
}

// dropThrice passes a datagram that is dropped, at once, after 59 s and after 60 s. Two log lines say
// so, without a secret.
func (h *harness) dropThrice(handle func([]byte, time.Time), datagram []byte, message, why string) {
	h.t.Helper()
	handle(datagram, noon)
	handle(datagram, noon.Add(59*time.Second))
	handle(datagram, noon.Add(60*time.Second))
	log := h.log.String()
	for _, want := range []string{message, why, "from=127.0.0.1:9"} {
		if n := strings.Count(log, want); n != 2 {
			h.t.Errorf("%d lines with %q in the log, want 2: %s", n, want, log)
		}
	}
	if !strings.Contains(log, "total=3") || strings.Contains(log, string(captured.Secret)) || strings.Contains(log, "other") {
		h.t.Errorf("no total, or a secret is in the log: %s", log)
	}
}

// TestDropped: none of these datagrams is answered or reaches the sink. All are counted, and logged
// once a minute.
func TestDropped(t *testing.T) {
	unknown := local()
	unknown.Prefix = prefix("192.0.2.0/24")
	tests := []struct {
		name     string
		datagram []byte
		client   Client
		want     Counters // after three datagrams
		log      string
	}{
		{"wrong secret", start(1, "a"), Client{Name: "local", Prefix: prefix("127.0.0.1/32"), Secret: "other"}, Counters{BadAuthenticators: 3}, "check the shared secret"},
		{"not a client", start(1, "a"), unknown, Counters{UnknownClients: 3}, "unknown client"},
		{"empty", nil, local(), Counters{Malformed: 3}, "shorter than 20 octets"},
		{"truncated", start(1, "abc")[:25], local(), Counters{Malformed: 3}, "shorter than its Length field"},
		{"too large", withLength(make([]byte, 4097), 4097), local(), Counters{Malformed: 3}, "Length field is not 20..4096"},
		{"Access-Request", rawPacket(1, ""), local(), Counters{Malformed: 3}, "neither an Accounting-Request nor"},
		{"no session id", request(1, num(radius.AcctStatusType, 1)), local(), Counters{Malformed: 3}, "Acct-Session-Id: missing or empty"},
		{"wrong length", request(1, "\x28\x03\x01"), local(), Counters{Malformed: 3}, "Acct-Status-Type: not 4 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sink := newRecorder()
			l, handle := newIdleListener(t, sink, tt.client)
			l.dropThrice(handle, tt.datagram, "accounting request dropped", tt.log)
			tt.want.Requests = 3
			stats := l.Stats()
			if diff := cmp.Diff(tt.want, stats.Counters); diff != "" {
				t.Error(diff)
			}
			if tt.want.UnknownClients > 0 {
				tt.want = Counters{}
			}
			if diff := cmp.Diff(tt.want, stats.Clients[0].Counters); diff != "" {
				t.Errorf("of the client: %s", diff)
			}
			if len(sink) > 0 {
				t.Error("the sink was called")
			}
		})
	}
}

// TestGarbage: after any garbage the next request is answered.
func TestGarbage(t *testing.T) {
	sink := newRecorder()
	l := startListener(t, sink, "127.0.0.1:0", local())
	n := l.dial(l.Addr())
	random := rand.New(rand.NewPCG(1, 2))
	seed := captured.Packet(t, "radclient-stop.hex")
	for i := range 500 {
		b := bytes.Clone(seed[:random.IntN(len(seed)+1)])
		for range random.IntN(4) {
			if len(b) > 0 {
				b[random.IntN(len(b))] = byte(random.Uint32())
			}
		}
		if len(b) >= radius.HeaderLen && i%2 == 0 { // half of the garbage passes the first checks
			withLength(b, len(b))
			radius.Seal(b[:len(b):len(b)], 0, radius.Authenticator{}, captured.Secret)
		}
		n.send(b)
	}
	fence := statusRequest(9)
	n.send(fence)
	for found := false; !found; { // skip answers to garbage: some of the 500 may have been valid
		b := make([]byte, radius.MaxPacket)
		_ = n.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		size, err := n.conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		p, err := radius.Parse(b[:size])
		if err != nil {
			t.Fatal(err)
		}
		found, _ = p.Authentic(radius.Authenticator(fence[4:radius.HeaderLen]), captured.Secret, nil)
	}
	for len(sink) > 0 {
		(<-sink).done(nil)
	}
	l.stop()
	if got := l.Stats(); got.Requests != 501 || got.Malformed+got.BadAuthenticators < 300 {
		t.Errorf("%+v", got.Counters)
	}
}

// TestReload: a new secret is valid at once; requests that arrived with the old secret are answered
// with it.
func TestReload(t *testing.T) {
	sink := newRecorder()
	l := startListener(t, sink, "127.0.0.1:0", local())
	n := l.dial(l.Addr())
	one := start(1, "a")
	n.send(one)
	call := sink.next(t)
	changed := local()
	changed.Secret = "new"
	if err := l.SetClients([]Client{changed}); err != nil {
		t.Fatal(err)
	}
	call.done(nil)
	n.receive(one)
	if err := l.SetClients([]Client{{Prefix: prefix("127.0.0.0/8")}}); err == nil {
		t.Error("a client without a secret was taken")
	}
	old, fresh := start(2, "b"), start(3, "c")
	radius.Seal(fresh[:len(fresh):len(fresh)], 0, radius.Authenticator{}, "new")
	n.send(old, fresh)
	if got := sink.next(t); got.event.AcctSessionID != "c" {
		t.Errorf("session %q, want only c", got.event.AcctSessionID)
	} else {
		got.done(nil)
	}
	l.stop()
	stats := l.Stats()
	want := Stats{Counters: Counters{Requests: 3, Responses: 2, BadAuthenticators: 1}}
	want.Clients = []ClientCounters{{"local", "127.0.0.0/8", stats.Clients[0].LastAnswered, want.Counters}}
	if age := time.Since(stats.Clients[0].LastAnswered); age < 0 || age > time.Hour {
		t.Errorf("the last answer was %v ago", age)
	}
	if diff := cmp.Diff(want, stats); diff != "" {
		t.Error(diff)
	}
}

// TestAnswerSource: on a wildcard socket the answer leaves from the address that the request went
// to. A connected socket receives no other answer.
func TestAnswerSource(t *testing.T) {
	tests := []struct{ listen, to string }{
		{"127.0.0.1:0", "127.0.0.1"},
		{"0.0.0.0:0", "127.0.0.1"},
		{"0.0.0.0:0", "127.0.0.2"},
		{"[::1]:0", "::1"},
		{"[::]:0", "::1"},
	}
	for _, tt := range tests {
		t.Run(tt.listen+" at "+tt.to, func(t *testing.T) {
			sink := newRecorder()
			l := startListener(t, sink, tt.listen, local(), Client{Prefix: prefix("::1/128"), Secret: captured.Secret})
			n := l.dial(netip.AddrPortFrom(netip.MustParseAddr(tt.to), l.Addr().Port()))
			one := start(1, "a")
			n.send(one)
			call := sink.next(t)
			if want := n.conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr(); call.event.NAS.Addr != want {
				t.Errorf("NAS %v, want %v", call.event.NAS.Addr, want)
			}
			call.done(nil)
			n.receive(one)
		})
	}
}

func TestNewErrors(t *testing.T) {
	inUse := startListener(t, refuser{}, "127.0.0.1:0", local())
	free := netip.MustParseAddrPort("127.0.0.1:0")
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"no address", Config{}, "radius: no address to listen on"},
		{"in use", Config{Addresses: []netip.AddrPort{free, inUse.Addr()}}, "radius: listen " + inUse.Addr().String() + ": address already in use"},
		{"not ours", Config{Addresses: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:1813")}}, "radius: listen 192.0.2.1:1813: cannot assign requested address"},
		{"client", Config{Addresses: []netip.AddrPort{free}, Clients: []Client{{}}}, `radius: client "invalid Prefix": no address`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.cfg, refuser{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := New(Config{Addresses: []netip.AddrPort{inUse.Addr()}}, refuser{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("%v is not EADDRINUSE", err)
	}
}

// TestSeveralAddresses: the Listener serves all addresses, each by its own socket.
func TestSeveralAddresses(t *testing.T) {
	sink := newRecorder()
	l, err := New(Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:0")},
		Clients:   []Client{local(), {Prefix: prefix("::1/128"), Secret: captured.Secret}},
	}, sink)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	for _, to := range l.Addrs() {
		n := (&harness{t: t}).dial(to)
		one := start(1, "a")
		n.send(one)
		sink.next(t).done(nil)
		n.receive(one)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestRunAnswersDurableRequestsBeforeEnd: Run waits for the sink, so that NASes need not
// retransmit.
func TestRunAnswersDurableRequestsBeforeEnd(t *testing.T) {
	sink := newRecorder()
	l := startListener(t, sink, "127.0.0.1:0", local())
	n := l.dial(l.Addr())
	one := start(1, "a")
	n.send(one)
	call := sink.next(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.stop()
	}()
	call.done(nil) // before or after the readers have ended: both must work
	n.receive(one)
	<-ended
	if got := l.Stats().Responses; got != 1 {
		t.Errorf("%d responses", got)
	}
}

func TestRunReportsLostSocket(t *testing.T) {
	l, err := New(Config{Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}}, refuser{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v, want %v", err, net.ErrClosed)
	}
}

// TestDroppedAnswerIsRepeated: the queue is full, so the answer is dropped; a retransmission gets
// it.
func TestDroppedAnswerIsRepeated(t *testing.T) {
	l, handle := newIdleListener(t, newRecorder(), local())
	q := &l.sockets[0].answers
	q.init(1)
	handle(statusRequest(0), noon)
	handle(statusRequest(1), noon)
	if got := l.Stats().Dropped; got != 1 {
		t.Errorf("%d dropped, want 1", got)
	}
	q.dequeueAll(nil)
	handle(statusRequest(1), noon)
	if got := q.dequeueAll(nil); len(got) != 1 || got[0].key.identifier != 1 {
		t.Errorf("queued %v, want the answer to request 1", got)
	}
}

// TestDrain: Run waits for a sink that does not call back, but only for drainLimit.
func TestDrain(t *testing.T) {
	tests := []struct {
		name  string
		after time.Duration
		want  time.Duration
	}{
		{"nothing to wait for", 0, 0},
		{"called back", time.Second, time.Second},
		{"never", time.Hour, drainLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l Listener
				if tt.after > 0 {
					l.pending.Add(1)
					back := time.AfterFunc(tt.after-time.Microsecond, func() { l.pending.Add(-1) })
					defer back.Stop()
				}
				began := time.Now()
				l.drain()
				if got := time.Since(began); got != tt.want {
					t.Errorf("waited %v, want %v", got, tt.want)
				}
			})
		})
	}
}
