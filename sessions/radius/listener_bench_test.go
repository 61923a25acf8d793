package radius

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/udpsocket"
	"aaasess/sessions"

	"golang.org/x/sys/unix"

	"aaasess/internal/radius/captured"
)

// committer is a Sink that calls back from its own goroutine, as the store does.
type committer struct{ queue chan func(error) }

func newCommitter(tb testing.TB) *committer {
	c := &committer{queue: make(chan func(error), 1<<16)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for done := range c.queue {
			done(nil)
		}
	}()
	tb.Cleanup(func() {
		close(c.queue)
		<-ended
	})
	return c
}

func (c *committer) Apply(_ sessions.Event, done func(error)) error {
	c.queue <- done
	return nil
}

func (*committer) Accepting() error { return nil }

// segments is how many requests the load generator passes to the kernel in one call.
const segments = 32

// BenchmarkListener sends starts of hostapd's size through one socket and reads the answers. The
// kernel splits one large datagram into requests (UDP_SEGMENT), so the generator costs little and
// the benchmark measures the listener. One operation is one answered request.
func BenchmarkListener(b *testing.B) {
	const secret = "testing123"
	h, cfg := configFor(b, "127.0.0.1:0", []Client{local()})
	l, err := New(cfg, newCommitter(b))
	if err != nil {
		b.Fatal(err)
	}
	h.run(l.Run)
	conn := h.dial(l.Addr()).conn
	if err := conn.SetReadBuffer(4 << 20); err != nil {
		b.Fatal(err)
	}
	request := captured.Packet(b, "hostapd-start.hex")
	if err := splitInto(conn, len(request)); err != nil {
		b.Fatal(err)
	}

	answers := make(chan int, 1<<16)
	go func() {
		buf := make([]byte, radius.MaxPacket)
		for {
			if _, err := conn.Read(buf); err != nil {
				close(answers)
				return
			}
			answers <- 1
		}
	}()

	b.ReportAllocs()
	b.ResetTimer()
	used := cpuTime(b)
	load := make([]byte, 0, segments*len(request))
	const window = 1024
	for sent, heard := 0, 0; heard < b.N; {
		for ; sent < b.N && sent-heard < window; sent += segments {
			load = load[:0]
			for i := range segments {
				load = appendNumbered(load, request, uint32(sent+i), secret)
			}
			if _, err := conn.Write(load); err != nil {
				b.Fatal(err)
			}
		}
		if _, ok := <-answers; !ok {
			b.Fatal("socket closed")
		}
		heard++
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(cpuTime(b)-used)/float64(b.N), "cpu-ns/op")
}

// cpuTime returns the processor time of this process, including the load generator. On a busy
// machine it is more meaningful than wall-clock time.
func cpuTime(tb testing.TB) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// splitInto makes the kernel split written data into datagrams of n octets.
func splitInto(conn *net.UDPConn, n int) error {
	return udpsocket.Control(conn, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, n)
	})
}

// appendNumbered appends the request with another Acct-Session-Id and authenticator.
func appendNumbered(b, request []byte, n uint32, secret radius.Secret) []byte {
	at := len(b)
	b = append(b, request...)
	p := b[at:]
	p[1] = byte(n)
	for rest := p[radius.HeaderLen:]; len(rest) > 0; rest = rest[rest[1]:] {
		if radius.Type(rest[0]) == radius.AcctSessionID {
			binary.BigEndian.PutUint32(rest[2:], n)
		}
	}
	radius.Seal(p[:len(p):len(p)], 0, radius.Authenticator{}, secret)
	return b
}

// BenchmarkHandle measures the reader's work on a request: checks, parsing, the table of
// duplicates.
func BenchmarkHandle(b *testing.B) {
	const secret = "testing123"
	l, err := New(Config{
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Clients:   []Client{{Prefix: netip.MustParsePrefix("127.0.0.0/8"), Secret: secret}},
	}, refuser{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	s := l.sockets[0]
	r := newReceiver(s)
	from := netip.MustParseAddrPort("127.0.0.1:4711")
	request := captured.Packet(b, "hostapd-start.hex")
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		r.scratch = s.endpoint.handle(request, s.arrival(from, udpsocket.Local{}), r.scratch, now)
	}
}
