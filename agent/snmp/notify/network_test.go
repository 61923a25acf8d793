package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/mib"
)

// network is a network of pipes, for synctest.
type network struct {
	t testing.TB

	mu sync.Mutex // guards the fields below; see set
	conditions
	receivers map[string]*fakeReceiver
	dials     map[string][]time.Time
	conns     []net.Conn
}

// conditions are the state of a network.
type conditions struct {
	delay    time.Duration // of dialing
	err      error         // of dialing
	writeErr error         // of sending
	once     bool          // writeErr occurs once
	refuse   bool          // the receiver's port is closed, and the sender gets ECONNREFUSED
}

func (n *network) set(c conditions) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conditions = c
}

func (n *network) get() conditions {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.conditions
}

// dialed returns the times when an address was dialed.
func (n *network) dialed(address string) []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.dials[address])
}

func newNetwork(t testing.TB) *network {
	return &network{t: t, receivers: map[string]*fakeReceiver{}, dials: map[string][]time.Time{}}
}

// listen adds a receiver at an address.
func (n *network) listen(address string, users ...usm.User) *fakeReceiver {
	n.t.Helper()
	r := newFakeReceiver(n.t, openEngine(n.t, engineFile(n.t), []byte("engine of "+address), time.Now), users...)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.receivers[address] = r
	return r
}

// pipe is the near end of a pipe to a receiver.
type pipe struct {
	net.Conn
	network *network
}

func (p pipe) Write(b []byte) (int, error) {
	if is := p.network.get(); is.writeErr != nil {
		if is.once {
			p.network.set(conditions{})
		}
		return 0, is.writeErr
	}
	return p.Conn.Write(b)
}

// refusal represents an ICMP message in a pipe.
const refusal = "port unreachable"

func (p pipe) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if string(b[:n]) == refusal {
		return 0, syscall.ECONNREFUSED
	}
	return n, err
}

func (n *network) dial(ctx context.Context, _ netip.Addr, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dials[address] = append(n.dials[address], time.Now())
	receiver, is := n.receivers[address], n.conditions
	n.mu.Unlock()
	select {
	case <-time.After(is.delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if is.err != nil {
		return nil, is.err
	}
	if receiver == nil {
		return nil, fmt.Errorf("lookup %s: no such host", address)
	}
	near, far := net.Pipe()
	n.mu.Lock()
	n.conns = append(n.conns, far)
	n.mu.Unlock()
	go func() {
		defer far.Close()
		b := make([]byte, maxDatagram)
		for {
			k, err := far.Read(b)
			if err != nil {
				return
			}
			if n.get().refuse {
				far.Write([]byte(refusal)) // the near end may be closed
			} else if answer := receiver.handle(b[:k]); answer != nil {
				far.Write(answer)
			}
		}
	}()
	return pipe{near, n}, nil
}

// hangUp closes all connections from the far side.
func (n *network) hangUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		c.Close()
	}
	n.conns = nil
}

// bubble is a Notifier that runs in a network of pipes.
type bubble struct {
	*Notifier
	t     *testing.T
	net   *network
	log   *logLines
	stop  context.CancelFunc
	ended chan time.Time
}

// logLines counts log lines.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(b))
	return len(b), nil
}

func (l *logLines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// newBubble returns a bubble that does not run yet, with queues of 4.
func newBubble(t *testing.T) *bubble {
	t.Helper()
	b := &bubble{t: t, net: newNetwork(t), log: &logLines{}, ended: make(chan time.Time, 1)}
	var err error
	b.Notifier, err = New(Config{
		Engine: openEngine(t, engineFile(t), ourID, time.Now), Queue: 4, Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.common.dial = b.net.dial
	return b
}

func (b *bubble) targets(targets ...Target) {
	b.t.Helper()
	if err := b.SetTargets(targets); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bubble) run() {
	ctx, cancel := context.WithCancel(b.t.Context())
	b.stop = cancel
	go func() {
		if err := b.Run(ctx); err != nil {
			b.t.Error(err)
		}
		b.ended <- time.Now()
	}()
	synctest.Wait()
}

// end stops the bubble and returns how long Run took to end.
func (b *bubble) end() time.Duration {
	begun := time.Now()
	b.stop()
	return (<-b.ended).Sub(begun)
}

// notify sends notifications that carry numbers.
func (b *bubble) notify(numbers ...int32) error {
	var errs []error
	for _, n := range numbers {
		vb := mib.Varbind{Name: mib.MustOID("1.3.6.1.4.1.32473.1.0")}
		vb.Value.SetInteger32(n)
		errs = append(errs, b.Notify(ColdStart, vb))
	}
	return errors.Join(errs...)
}

// numbers returns the numbers of the notifications that arrived.
func numbers(r *fakeReceiver) []int32 {
	var got []int32
	for _, a := range r.arrivals() {
		got = append(got, a.varbinds[2].Value.Int32())
	}
	return got
}

func (b *bubble) wantNumbers(r *fakeReceiver, want ...int32) {
	b.t.Helper()
	synctest.Wait()
	if got := numbers(r); !slices.Equal(got, want) {
		b.t.Errorf("arrived: %d, want %d", got, want)
	}
}

// stat returns the statistics of the i-th target.
func (b *bubble) stat(i int) TargetStats {
	synctest.Wait()
	return b.Stats()[i]
}
