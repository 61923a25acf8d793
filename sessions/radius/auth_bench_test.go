package radius

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/udpsocket"
)

// acceptor is a Relay that accepts every request from its own goroutine.
type acceptor struct{ queue chan *AccessRequest }

func newAcceptor(tb testing.TB) *acceptor {
	a := &acceptor{queue: make(chan *AccessRequest, 1<<16)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for q := range a.queue {
			q.Answer(radius.CodeAccessAccept, []byte("\x19\x06abcd"))
		}
	}()
	tb.Cleanup(func() {
		close(a.queue)
		<-ended
	})
	return a
}

func (a *acceptor) Relay(q *AccessRequest) { a.queue <- q }

func (*acceptor) Accepting() error { return nil }

// BenchmarkAuthListener sends logins from one client and reads the answers; one operation is one
// answered login. In "flooded" another client sends 50,000 requests a second with a wrong secret.
func BenchmarkAuthListener(b *testing.B) {
	b.Run("alone", func(b *testing.B) { benchmarkLogins(b, 0) })
	b.Run("flooded", func(b *testing.B) { benchmarkLogins(b, 50_000) })
}

func benchmarkLogins(b *testing.B, flood int) {
	h, cfg := configFor(b, "127.0.0.1:0", []Client{local(), {Prefix: prefix("127.0.0.3/32"), Secret: "another"}})
	l, err := NewAuthListener(cfg, newAcceptor(b))
	if err != nil {
		b.Fatal(err)
	}
	h.run(l.Run)
	flooder := harness{t: b}
	flooder.run(func(ctx context.Context) error { return floodLogins(ctx, l.Addr(), flood) })
	defer flooder.stop()
	conn := h.dial(l.Addr()).conn
	b.ReportAllocs()
	before := l.Stats()
	b.ResetTimer()
	times := logIn(b, conn)
	b.StopTimer()
	slices.Sort(times)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(l.Stats().BadAuthenticators-before.BadAuthenticators)/b.Elapsed().Seconds(), "rejected/s")
}

// logIn logs in b.N times, 64 at a time, and returns how long each login took. A lost packet is not
// sent again: it fails the benchmark.
func logIn(b *testing.B, conn *net.UDPConn) []time.Duration {
	const window = 64
	times := make([]time.Duration, 0, b.N)
	var sentAt [256]time.Time
	buf := make([]byte, radius.MaxPacket)
	for sent, heard := 0, 0; heard < b.N; {
		for ; sent < b.N && sent-heard < window; sent++ {
			random := radius.Authenticator{byte(sent), byte(sent >> 8), byte(sent >> 16), byte(sent >> 24)}
			request := accessOf(random, byte(sent), "\x01\x06nemo", "\x02\x12sixteen octets!!", "\x20\x07bras1")
			sentAt[byte(sent)] = time.Now()
			if _, err := conn.Write(request); err != nil {
				b.Fatal(err)
			}
		}
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := conn.Read(buf); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(sentAt[buf[1]]))
		heard++
	}
	return times
}

// floodLogins sends so many requests a second with a wrong secret until ctx ends.
func floodLogins(ctx context.Context, to netip.AddrPort, perSecond int) error {
	if perSecond == 0 {
		return nil
	}
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 3)}, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return err
	}
	defer conn.Close()
	request := access(1, "\x01\x06nemo", "\x02\x12sixteen octets!!", "\x20\x07bras1")
	if err := splitInto(conn, len(request)); err != nil {
		return err
	}
	load := slices.Repeat(request, segments)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	most := perSecond / 100 // at once, should the machine have been busy: no burst fills the kernel's buffer
	for began, sent := time.Now(), 0; ; {
		due := int(time.Since(began).Seconds() * float64(perSecond))
		for sent = max(sent, due-most); sent < due; sent += segments {
			if _, err := conn.Write(load); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// BenchmarkHandleForged measures the reader's work on a request with a wrong Message-Authenticator.
func BenchmarkHandleForged(b *testing.B) {
	l, err := NewAuthListener(Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Clients:   []Client{{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Secret: "another"}},
	}, unavailable{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	s := l.sockets[0]
	r := newReceiver(s)
	request := access(1, "\x01\x06nemo", "\x02\x12sixteen octets!!", "\x20\x07bras1")
	from := netip.MustParseAddrPort("127.0.0.1:4711")
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		r.scratch = l.handle(request, s.arrival(from, udpsocket.Local{}), r.scratch, now)
	}
}
