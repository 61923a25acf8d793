package stand

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/bench/nasload"
	"aaasess/internal/freeport"
	"aaasess/internal/radius"

	"golang.org/x/sys/unix"
)

// acknowledgeCommand is the first argument that makes this program an accounting server which
// stores nothing.
const acknowledgeCommand = "acknowledge"

// arrivals counts the requests that an acknowledger received. Only numbered requests count, see
// [nasload.RequestNumber].
type arrivals struct {
	Distinct   int64
	Duplicates int64
	First      int64 // first request, in nanoseconds since 1970
	Last       int64 // last request that was not a duplicate
}

// tally counts numbered requests. Any goroutine may use it.
type tally struct {
	seen []atomic.Uint64 // a bit per number below nasload.Counted
	got  struct{ distinct, duplicates, first, last atomic.Int64 }
}

func newTally() *tally { return &tally{seen: make([]atomic.Uint64, nasload.Counted/64)} }

// ackServer is the server in that process. It counts the requests and answers each with its
// Proxy-State attributes (RFC 2866 section 5.2 and RFC 2865 section 5.33). Its goroutines, one per
// CPU, share one socket.
type ackServer struct {
	*tally
	conn *net.UDPConn
}

// runAcknowledge serves until it is killed.
func runAcknowledge(args []string, _ io.Writer) error {
	flags := flag.NewFlagSet(acknowledgeCommand, flag.ContinueOnError)
	port := flags.Uint("port", 1813, "UDP `port` on 127.0.0.1 for requests")
	controlPort := flags.Uint("control", 0, "UDP `port` on 127.0.0.1: a datagram to it is answered with the arrivals, as JSON")
	buffer := flags.Int("buffer", 0, "`octets` of the receive buffer, 0 for the system's default")
	if err := flags.Parse(args); err != nil {
		return err
	}
	conn, err := nasload.ListenLoopback(uint16(*port))
	if err != nil {
		return err
	}
	control, err := nasload.ListenLoopback(uint16(*controlPort))
	if err != nil {
		return err
	}
	if *buffer > 0 {
		if err := forceReadBuffer(conn, *buffer); err != nil {
			return err
		}
	}
	a := newAckServer(conn)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(a.serve)
	}
	wg.Go(func() { a.serveCounts(control) })
	wg.Wait()
	return nil
}

func newAckServer(conn *net.UDPConn) *ackServer {
	return &ackServer{tally: newTally(), conn: conn}
}

// forceReadBuffer sets the size of the receive buffer, beyond the system's limit if the process has
// the privilege.
func forceReadBuffer(conn *net.UDPConn, octets int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	forced := false
	err = raw.Control(func(fd uintptr) {
		forced = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, octets) == nil
	})
	if err != nil || forced {
		return err
	}
	return conn.SetReadBuffer(octets)
}

func (a *ackServer) serve() {
	request, answer, states := make([]byte, 4096), make([]byte, 0, 4200), make([]byte, 0, 4096)
	for {
		n, from, err := a.conn.ReadFromUDPAddrPort(request)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		attrs, ok := nasload.CheckRequest(request[:max(n, 0)])
		if err != nil || !ok {
			continue
		}
		if i, ok := nasload.RequestNumber(attrs); ok {
			a.count(i)
		}
		states = states[:0]
		for t, value := range attrs.All() {
			if t == radius.ProxyState {
				states = radius.AppendAttribute(states, t, value)
			}
		}
		answer = nasload.AppendResponse(answer[:0], request[:n], states)
		_, _ = a.conn.WriteToUDPAddrPort(answer, from) // a client that loses the answer retransmits
	}
}

// count counts the request with a number.
func (a *tally) count(i int) {
	if i >= nasload.Counted {
		return
	}
	now := time.Now().UnixNano()
	a.got.first.CompareAndSwap(0, now)
	bit := uint64(1) << (i % 64)
	if a.seen[i/64].Or(bit)&bit != 0 {
		a.got.duplicates.Add(1)
		return
	}
	a.got.distinct.Add(1)
	a.got.last.Store(now)
}

// serveCounts answers each datagram with the arrivals so far.
func (a *tally) serveCounts(control *net.UDPConn) {
	question := make([]byte, 16)
	for {
		_, from, err := control.ReadFromUDPAddrPort(question)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		answer, err := json.Marshal(arrivals{
			a.got.distinct.Load(), a.got.duplicates.Load(), a.got.first.Load(), a.got.last.Load(),
		})
		if err == nil {
			_, _ = control.WriteToUDPAddrPort(answer, from)
		}
	}
}

// acknowledger is the process of an ackServer, or of [tacacsload.Serve].
type acknowledger struct {
	*Process
	port    uint16
	control uint16 // port that tells the arrivals
}

// LargeBuffer is a receive buffer, in octets, for more requests than any contender has in flight.
const LargeBuffer = 8 << 20

// StartAcknowledger starts an acknowledger and returns when it answers. Port 0 means a free one.
func StartAcknowledger(ctx context.Context, h Host, port uint16, buffer int) (_ *acknowledger, err error) {
	if port == 0 {
		if port, err = freeport.UDP(); err != nil {
			return nil, err
		}
	}
	a, err := startAcknowledger(ctx, h, acknowledgeCommand, port, "-buffer", fmt.Sprint(buffer))
	if err != nil {
		return nil, err
	}
	if err := AwaitAnswer(ctx, a.port, a.Process); err != nil {
		a.stop()
		return nil, err
	}
	return a, nil
}

// startAcknowledger starts the process of a command that makes this program an acknowledger.
func startAcknowledger(ctx context.Context, h Host, command string, port uint16, more ...string) (*acknowledger, error) {
	control, err := freeport.UDP()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := h.start(ctx, self, append([]string{command, "-port", fmt.Sprint(port), "-control", fmt.Sprint(control)}, more...)...)
	return &acknowledger{Process: p, port: port, control: control}, err
}

// Addr returns the address of its port.
func (a *acknowledger) Addr() netip.AddrPort { return netip.AddrPortFrom(nasload.Loopback(), a.port) }

// arrivals gets the arrivals so far.
func (a *acknowledger) arrivals() (got arrivals, err error) {
	err = askCounts(a.control, &got)
	return got, err
}

// Await waits until want distinct requests have arrived, or until none has arrived for idle.
func (a *acknowledger) Await(ctx context.Context, want int64, idle time.Duration) (got arrivals, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for distinct, since := int64(0), time.Now(); ; {
		if got, err = a.arrivals(); err != nil || got.Distinct >= want {
			return got, err
		}
		if got.Distinct != distinct {
			distinct, since = got.Distinct, time.Now()
		}
		if time.Since(since) > idle {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return got, context.Cause(ctx)
		case <-tick.C:
		}
	}
}
