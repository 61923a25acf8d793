package radius

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2866"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/sessions"
)

// patience is how long a test waits for something that must happen.
const patience = 20 * time.Second

// startGroup runs a group until the test ends.
func startGroup(t testing.TB, cfg Config) *Group {
	t.Helper()
	g, err := NewGroup(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	<-g.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return g
}

// outcome receives the argument of done. A second call is an error of the test.
type outcome struct{ ch chan error }

func send(t testing.TB, m accounting.Method, rec *accounting.Record) outcome {
	t.Helper()
	o := outcome{make(chan error, 1)}
	m.Send(rec, retry.Progress{}, func(err error) {
		select {
		case o.ch <- err:
		default:
			t.Error("done was called twice")
		}
	})
	return o
}

func (o outcome) wait(t testing.TB) error {
	t.Helper()
	select {
	case err := <-o.ch:
		o.ch <- err // so that a second call is noticed
		return err
	case <-time.After(patience):
		t.Fatal("done was not called")
		return nil
	}
}

func (o outcome) want(t testing.TB, want error) {
	t.Helper()
	if err := o.wait(t); !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("done(%v), want %v", err, want)
	}
}

// until polls for something that happens in another goroutine.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestDelivers(t *testing.T) {
	s := newFakeServer(t, always(answer))
	g := startGroup(t, Config{Servers: []Server{s.server("a")}})
	for _, tc := range []struct {
		age   time.Duration
		delay uint32
	}{{0, 0}, {7900 * time.Millisecond, 7}, {-time.Hour, 0}} {
		rec := testRecord(0xD, time.Now().Add(-tc.age))
		send(t, g, rec).want(t, nil)
		all := s.got()
		got := all[len(all)-1]
		want := rec.Attrs + radius.Attributes(radius.AppendUint32(nil, radius.AcctDelayTime, tc.delay))
		if diff := cmp.Diff([]byte(want), attributesOf(got)); diff != "" {
			t.Errorf("age %v: %s", tc.age, diff)
		}
	}
	st := g.Stats().Servers[0]
	if st.Name != "a" || st.Addr != s.addr || st.Requests != 3 || st.Responses != 3 || st.PendingRequests != 0 ||
		st.RoundTripTime <= 0 || time.Since(st.LastResponse) > patience {
		t.Errorf("statistics %+v", st)
	}
}

// attributesOf returns the attributes of a request as they arrived.
func attributesOf(r *fakeRequest) []byte {
	var b []byte
	for _, a := range r.Attributes {
		b = radius.AppendAttribute(b, radius.Type(a.Type), string(a.Attribute))
	}
	return b
}

// Each attempt has its own identifier, authenticator and Acct-Delay-Time. Everything else is the
// same.
func TestRetransmits(t *testing.T) {
	var ahead atomic.Int64 // seconds by which the clock is ahead
	s := newFakeServer(t, func(n int, _ *layeh.Packet) action {
		ahead.Add(10)
		return first(answer, drop, drop)(n, nil)
	})
	g := startGroup(t, Config{
		Servers: every(20*time.Millisecond, 0, s.server("a")), HoldDown: -1,
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Second) },
	})
	rec := testRecord(1, time.Now())
	send(t, g, rec).want(t, nil)
	got := s.got()
	if len(got) != 3 {
		t.Fatalf("%d attempts, want 3", len(got))
	}
	for i, r := range got {
		if delay := uint32(rfc2866.AcctDelayTime_Get(r.Packet)); delay < uint32(10*i) || delay > uint32(10*i+9) {
			t.Errorf("attempt %d: Acct-Delay-Time %d", i, delay)
		}
		attrs := attributesOf(r)
		if diff := cmp.Diff([]byte(rec.Attrs), attrs[:len(attrs)-6]); diff != "" {
			t.Errorf("attempt %d: %s", i, diff)
		}
		for j, other := range got[:i] {
			if r.Identifier == other.Identifier || r.Authenticator == other.Authenticator {
				t.Errorf("attempts %d and %d have the same identifier or authenticator", j, i)
			}
		}
	}
	if st := g.Stats().Servers[0]; st.Requests != 1 || st.Retransmissions != 2 || st.Timeouts != 2 || st.Responses != 1 {
		t.Errorf("statistics %+v", st)
	}
}

func TestFailover(t *testing.T) {
	a, b, c := newFakeServer(t, always(drop)), newFakeServer(t, always(drop)), newFakeServer(t, always(answer))
	g := startGroup(t, Config{
		Servers: every(20*time.Millisecond, 1, a.server("a"), b.server("b"), c.server("c")),
	})
	send(t, g, testRecord(1, time.Now())).want(t, nil)
	send(t, g, testRecord(2, time.Now())).want(t, nil)
	if na, nb, nc := len(a.got()), len(b.got()), len(c.got()); na != 2 || nb != 2 || nc != 2 {
		t.Errorf("%d, %d, %d requests, want 2 each: the second record skips a and b", na, nb, nc)
	}
	if a, b := a.got()[1].at, b.got()[0].at; b.Before(a) {
		t.Error("b was tried before a was done with")
	}
	st := g.Stats().Servers
	if st[0].DownUntil.IsZero() || st[1].DownUntil.IsZero() || !st[2].DownUntil.IsZero() {
		t.Errorf("held down until %v, %v, %v", st[0].DownUntil, st[1].DownUntil, st[2].DownUntil)
	}
}

func TestNoResponse(t *testing.T) {
	a, b := newFakeServer(t, always(drop)), newFakeServer(t, always(drop))
	b.kill() // no server is there; the system reports that, and it makes no difference
	g := startGroup(t, Config{
		Servers: every(10*time.Millisecond, 2, a.server("a"), b.server("b")),
	})
	for range 2 { // the second time both are held down
		send(t, g, testRecord(1, time.Now())).want(t, accounting.ErrNoResponse)
	}
	if n := len(a.got()); n != 6 {
		t.Errorf("%d attempts with a, want 6", n)
	}
	if st := g.Stats().Servers[1]; st.Requests != 2 || st.Retransmissions != 4 || st.Timeouts != 6 || st.PendingRequests != 0 {
		t.Errorf("statistics of b %+v", st)
	}
}

func TestLateAnswer(t *testing.T) {
	t.Run("to an earlier attempt", func(t *testing.T) {
		s := newFakeServer(t, first(drop, hold))
		g := startGroup(t, Config{Servers: every(20*time.Millisecond, 1000, s.server("a"))})
		o := send(t, g, testRecord(1, time.Now()))
		until(t, "two attempts", func() bool { return len(s.got()) >= 2 })
		s.release()
		o.want(t, nil)
		if st := g.Stats().Servers[0]; st.Responses != 1 || st.PacketsDropped != 0 || st.PendingRequests != 0 {
			t.Errorf("statistics %+v", st)
		}
	})
	t.Run("to all attempts", func(t *testing.T) {
		s := newFakeServer(t, always(hold))
		g := startGroup(t, Config{Servers: every(20*time.Millisecond, 1000, s.server("a"))})
		o := send(t, g, testRecord(1, time.Now()))
		until(t, "three attempts", func() bool { return len(s.got()) >= 3 })
		s.release()
		o.want(t, nil)
		until(t, "three answers", func() bool { return g.Stats().Servers[0].Responses >= 3 })
		if st := g.Stats().Servers[0]; st.PacketsDropped != 0 || st.BadAuthenticators != 0 {
			t.Errorf("statistics %+v", st)
		}
	})
	t.Run("after the schedule", func(t *testing.T) {
		s := newFakeServer(t, always(hold))
		var heard atomic.Int64
		g := startGroup(t, Config{Servers: every(20*time.Millisecond, 1, s.server("a")), Heard: func() { heard.Add(1) }})
		send(t, g, testRecord(1, time.Now())).want(t, accounting.ErrNoResponse)
		if n := heard.Load(); n != 0 {
			t.Errorf("heard %d times, and nothing came", n)
		}
		s.release()
		until(t, "the late answers are told of", func() bool { return heard.Load() == 2 })
	})
}

// An abandoned record is not sent again and does not wait for its schedule. An announcement
// continues.
func TestAbandon(t *testing.T) {
	s := newFakeServer(t, always(hold))
	g := startGroup(t, Config{Servers: every(20*time.Millisecond, 1000, s.server("a"))})
	o := send(t, g, testRecord(1, time.Now()))
	announced := make(chan error, 1)
	g.Announce(testRecord(2, time.Now()), func(_ string, err error) { announced <- err })
	until(t, "both have come", func() bool {
		seen := map[string]bool{}
		for _, a := range s.got() {
			seen[rfc2866.AcctSessionID_GetString(a.Packet)] = true
		}
		return len(seen) == 2
	})
	g.Abandon()
	o.want(t, accounting.ErrStopped)
	s.release()
	if err := <-announced; err != nil {
		t.Errorf("the announcement got %v", err)
	}
	send(t, g, testRecord(3, time.Now())) // the group itself continues
	until(t, "a third record is sent", func() bool { return g.Stats().Servers[0].Requests == 3 })
}

// 257 records in flight with one server need a second socket, and no identifier is used twice.
func TestManyInFlight(t *testing.T) {
	s := newFakeServer(t, always(hold))
	g := startGroup(t, Config{Servers: every(patience, 0, s.server("a"))})
	_ = s.conn.SetReadBuffer(4 << 20)
	const records = 700
	var outcomes []outcome
	for i := range records {
		outcomes = append(outcomes, send(t, g, testRecord(sessions.ID(i+1), time.Now())))
		until(t, "the request", func() bool { return len(s.got()) > i })
	}
	type key struct {
		from netip.AddrPort
		id   byte
	}
	ids, ports := map[key]bool{}, map[netip.AddrPort]int{}
	for i, r := range s.got() {
		ids[key{r.from, r.Identifier}] = true
		ports[r.from]++
		if want := (i + 256) / 256; len(ports) != want {
			t.Fatalf("%d sockets for %d records, want %d", len(ports), i+1, want)
		}
	}
	if len(ids) != records {
		t.Errorf("%d identifiers for %d records", len(ids), records)
	}
	if st := g.Stats().Servers[0]; st.PendingRequests != records {
		t.Errorf("%d pending", st.PendingRequests)
	}
	s.release()
	for _, o := range outcomes {
		o.want(t, nil)
	}
	if st := g.Stats().Servers[0]; st.PendingRequests != 0 || st.Responses != records || st.Retransmissions != 0 {
		t.Errorf("statistics %+v", st)
	}
}

// There are more attempts than identifiers: the longest superseded attempts give up theirs.
func TestIdentifiersRunOut(t *testing.T) {
	var open atomic.Int32
	s := newFakeServer(t, always(drop))
	g := startGroup(t, Config{
		Servers: every(2*time.Millisecond, 9, s.server("a")), MaxInFlight: 256,
		Listen: func(network string, _ netip.AddrPort) (client.Socket, error) {
			conn, err := net.ListenUDP(network, nil)
			open.Add(1)
			return countedSocket{conn, &open}, err
		},
	})
	var outcomes []outcome
	for i := range 256 {
		outcomes = append(outcomes, send(t, g, testRecord(sessions.ID(i+1), time.Now())))
	}
	for _, o := range outcomes {
		o.want(t, accounting.ErrNoResponse)
	}
	st := g.Stats().Servers[0]
	if st.Requests != 256 || st.Retransmissions != 9*256 || st.Timeouts != 10*256 || st.SendErrors != 0 {
		t.Errorf("statistics %+v", st)
	}
	// Two goroutines may open a socket at the same time; the client closes the surplus one.
	until(t, "two sockets are open", func() bool { return open.Load() == 2 })
}

// countedSocket counts the sockets that are open.
type countedSocket struct {
	*net.UDPConn
	open *atomic.Int32
}

func (s countedSocket) Close() error {
	s.open.Add(-1)
	return s.UDPConn.Close()
}

func TestWrongAnswers(t *testing.T) {
	for _, tc := range []struct {
		name string
		what action
		want servers.Stats
		all  uint64 // InvalidServerAddresses
	}{
		{"wrong secret", wrongSecret, servers.Stats{Responses: 2, BadAuthenticators: 1}, 0},
		{"unknown identifier", wrongID, servers.Stats{Responses: 2, PacketsDropped: 1}, 0},
		{"not an Accounting-Response", wrongCode, servers.Stats{Responses: 2, UnknownTypes: 1}, 0},
		{"cut off", cutOff, servers.Stats{Responses: 2, MalformedResponses: 1}, 0},
		{"from another port", elsewhere, servers.Stats{Responses: 1}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel() // a timeout that a busy machine does not reach by chance takes a while
			s := newFakeServer(t, first(answer, tc.what))
			g := startGroup(t, Config{Servers: every(time.Second, 0, s.server("a"))})
			send(t, g, testRecord(1, time.Now())).want(t, nil)
			st := g.Stats()
			got := st.Servers[0]
			if got.Requests != 1 || got.Retransmissions != 1 || got.Timeouts != 1 {
				t.Errorf("statistics %+v", got)
			}
			got = servers.Stats{
				Responses: got.Responses, BadAuthenticators: got.BadAuthenticators, PacketsDropped: got.PacketsDropped,
				UnknownTypes: got.UnknownTypes, MalformedResponses: got.MalformedResponses,
			}
			if diff := cmp.Diff(tc.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
			if st.InvalidServerAddresses != tc.all {
				t.Errorf("InvalidServerAddresses %d, want %d", st.InvalidServerAddresses, tc.all)
			}
		})
	}
}

func TestAnswerTwice(t *testing.T) {
	s := newFakeServer(t, always(twice))
	g := startGroup(t, Config{Servers: []Server{s.server("a")}})
	o := send(t, g, testRecord(1, time.Now()))
	until(t, "both answers", func() bool { return g.Stats().Servers[0].Responses == 2 })
	o.want(t, nil)
	if st := g.Stats().Servers[0]; st.PacketsDropped != 1 {
		t.Errorf("statistics %+v", st)
	}
}

func TestOtherFamilyAndSource(t *testing.T) {
	t.Run("IPv6", func(t *testing.T) {
		conn, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go echo(conn, testSecret)
		g := startGroup(t, Config{Servers: []Server{{Addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Secret: testSecret}}})
		send(t, g, testRecord(1, time.Now())).want(t, nil)
	})
	t.Run("source", func(t *testing.T) {
		s := newFakeServer(t, always(answer))
		source := netip.MustParseAddr("127.0.0.2")
		g := startGroup(t, Config{Servers: []Server{s.server("a")}, Source: source})
		send(t, g, testRecord(1, time.Now())).want(t, nil)
		if from := s.got()[0].from.Addr(); from != source {
			t.Errorf("from %v, want %v", from, source)
		}
	})
	t.Run("source that is not ours", func(t *testing.T) {
		var log bytes.Buffer
		s := newFakeServer(t, always(answer))
		g := startGroup(t, Config{
			Servers: every(10*time.Millisecond, 0, s.server("a")), Source: netip.MustParseAddr("192.0.2.1"),
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		send(t, g, testRecord(1, time.Now())).want(t, accounting.ErrNoResponse)
		if st := g.Stats().Servers[0]; st.SendErrors != 4 || st.Timeouts != 4 || st.PendingRequests != 0 {
			t.Errorf("statistics %+v", st)
		}
		_ = g.Close()
		if n := strings.Count(log.String(), "sending a RADIUS request failed"); n != 1 {
			t.Errorf("logged %d times, want once:\n%s", n, &log)
		}
	})
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	s := newFakeServer(t, first(answer, wrongSecret, wrongSecret, drop, drop))
	g := startGroup(t, Config{
		Name: "main", Servers: every(20*time.Millisecond, 1, s.server("a")),
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	send(t, g, testRecord(1, time.Now())).want(t, accounting.ErrNoResponse)
	send(t, g, testRecord(1, time.Now())).want(t, accounting.ErrNoResponse)
	send(t, g, testRecord(1, time.Now())).want(t, nil)
	_ = g.Close()
	for text, want := range map[string]int{
		"check the shared secret": 1, "does not answer": 1, "answers again": 1, "server=a address=" + s.addr.String(): 3, "group=main server=a": 2,
		string(testSecret): 0,
	} {
		if got := strings.Count(log.String(), text); got != want {
			t.Errorf("%q is logged %d times, want %d:\n%s", text, got, want, &log)
		}
	}
}

// Many senders, and a server that loses, delays and duplicates: each record is settled once and
// arrives.
func TestConcurrentSenders(t *testing.T) {
	s := newFakeServer(t, func(n int, _ *layeh.Packet) action {
		switch n % 7 {
		case 0:
			return drop
		case 3:
			return twice
		case 5:
			return wrongSecret
		}
		return answer
	})
	g := startGroup(t, Config{
		Servers: every(50*time.Millisecond, 50, s.server("a")), MaxInFlight: 300,
	})
	const senders, each = 8, 250
	var calls atomic.Int64
	room := make(chan struct{}, g.Window())
	var wg sync.WaitGroup
	for n := range senders {
		wg.Go(func() {
			for i := range each {
				room <- struct{}{}
				wg.Add(1)
				g.Send(testRecord(sessions.ID(n*each+i+1), time.Now()), retry.Progress{}, func(err error) {
					if err != nil {
						t.Errorf("done(%v)", err)
					}
					calls.Add(1)
					<-room
					wg.Done()
				})
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, r := range s.got() {
		seen[rfc2866.AcctSessionID_GetString(r.Packet)] = true
	}
	if len(seen) != senders*each || calls.Load() != senders*each {
		t.Errorf("%d sessions arrived, %d settled, want %d", len(seen), calls.Load(), senders*each)
	}
	if st := g.Stats().Servers[0]; st.PendingRequests != 0 || st.Requests != senders*each {
		t.Errorf("statistics %+v", st)
	}
}
