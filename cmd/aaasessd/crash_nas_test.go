package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	layeh "layeh.com/radius"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/sessions"
)

// crashNAS is a NAS with its own behavior. It sends each record until it is answered, crashes at
// times, and may then reuse its ids.
type crashNAS struct {
	name     string
	index    byte
	behavior crashBehavior
	daemon   netip.AddrPort
	history  *crashHistory
	closing  *atomic.Bool // start no new sessions
	serving  sync.WaitGroup

	boot  int          // number of its starts; owned by live
	clock atomic.Int64 // difference of its clock from the real time, in seconds

	mu      sync.Mutex             // guards the fields below
	lost    map[string][]string    // lost sessions that nothing has ended yet, by name
	starts  map[string][]int64     // Event-Timestamps of the starts of a name
	open    map[*crashSession]bool // sessions and Accounting-Ons that have not ended
	conns   []*net.UDPConn         // newest last; answers may still arrive at the others
	next    byte                   // the next identifier
	waiting [256]*crashRequest
}

// resending is how a NAS sends a record again.
type resending int

const (
	anew       resending = iota // with a new identifier and the current Acct-Delay-Time, as hostapd does
	sameOctets                  // the same packet
	newPort                     // like anew, from another port each time
	allResendings
)

// crashBehavior is the behavior of a NAS.
type crashBehavior struct {
	resend  resending
	backOff bool // it retransmits after 3, 9 and 21 seconds, at 30 times the speed
	crashes bool
	reuses  bool // after a crash it reuses its Acct-Session-Ids
	on      bool // it sends Accounting-On after a crash
	steps   bool // its clock is set at times
	epoch   bool // it has no battery for its clock: after a crash its time is 1970
	moves   bool // it changes its source address, within its client entry
	names   int  // 0: NAS-Identifier, 1: NAS-IP-Address, 2: both
}

// newCrashBehavior gives every fourth NAS the same kind of behavior: it reuses ids, has a wrong
// clock, changes its address, or does none of these.
func newCrashBehavior(i int, rng *rand.Rand) crashBehavior {
	w := crashBehavior{resend: resending(rng.IntN(int(allResendings))), backOff: rng.IntN(2) == 0, moves: rng.IntN(3) == 0, names: rng.IntN(3)}
	switch i % 4 {
	case 0:
		w.crashes, w.reuses, w.on = true, true, i%8 == 0
	case 1:
		w.crashes, w.steps, w.on, w.epoch = true, true, i%16 != 1, i%8 == 5
	case 2:
		w.steps, w.moves = true, true
	}
	return w
}

// crashRequest is a transmission that waits for its answer.
type crashRequest struct {
	data     []byte
	record   crashtest.Record
	answered chan struct{} // shared by all transmissions of a record
}

func newCrashNAS(t *testing.T, i int, daemon netip.AddrPort, h *crashHistory, closing *atomic.Bool, rng *rand.Rand) *crashNAS {
	t.Helper()
	n := &crashNAS{
		name: fmt.Sprintf("nas%02d", i), index: byte(i), behavior: newCrashBehavior(i, rng), daemon: daemon, history: h, closing: closing,
		lost: map[string][]string{}, starts: map[string][]int64{}, open: map[*crashSession]bool{},
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.connect(0); err != nil {
		t.Fatal(err)
	}
	return n
}

// connect opens a new socket, on the first, second or third address of the NAS.
func (n *crashNAS) connect(address int) error {
	const kept = 6
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 1, byte(address), n.index+1)})
	if err != nil {
		return err
	}
	n.serving.Go(func() { n.readAnswers(conn) })
	if n.conns = append(n.conns, conn); len(n.conns) > kept {
		_ = n.conns[0].Close()
		n.conns = n.conns[1:]
	}
	return nil
}

// close ends the NAS, after its lines have ended.
func (n *crashNAS) close() {
	n.mu.Lock()
	for _, c := range n.conns {
		_ = c.Close()
	}
	n.mu.Unlock()
	n.serving.Wait()
}

// readAnswers reads answers until the socket is closed.
func (n *crashNAS) readAnswers(conn *net.UDPConn) {
	b := make([]byte, layeh.MaxPacketLength)
	for {
		size, from, err := conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || size < 20 || from != n.daemon {
			n.history.count("unexpected datagrams to NASes")
			continue
		}
		n.mu.Lock()
		w := n.waiting[b[1]]
		n.mu.Unlock()
		if w == nil || !layeh.IsAuthenticResponse(b[:size], w.data, []byte(nasSecret)) {
			n.history.count("answers that came too late") // the identifier belongs to another request by now
			continue
		}
		n.answer(w)
	}
}

// answer handles an authentic answer. It holds the lock, so that a NAS that has crashed receives
// nothing.
func (n *crashNAS) answer(w *crashRequest) {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-w.answered: // by an answer to another transmission
		n.history.count("answers again")
	default:
		n.history.record(crashtest.Answered, w.record)
		close(w.answered)
	}
}

// live runs the NAS, with crashes, until it closes.
func (n *crashNAS) live(ctx context.Context, random func(actor int) *rand.Rand) {
	rng := random(crashLines)
	for n.boot = 1; ; n.boot++ {
		life, crashed := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			n.run(life, random)
		}()
		if n.behavior.crashes {
			n.awaitCrash(life, rng, ended)
			crashed()
		}
		<-ended
		crashed()
		if ctx.Err() != nil || n.closing.Load() && !n.forget() || !n.behavior.crashes {
			return
		}
		n.forget()
		n.history.count("crashes of NASes")
		// Until then, all packets sent before have arrived, and the clock shows a later second.
		if !pause(ctx, 2500*time.Millisecond+time.Duration(rng.IntN(1500))*time.Millisecond) {
			return
		}
		if n.behavior.epoch {
			n.clock.Store(30 - time.Now().Unix())
		}
	}
}

// awaitCrash waits until the NAS has run long enough, or has ended.
func (n *crashNAS) awaitCrash(ctx context.Context, rng *rand.Rand, ended chan struct{}) {
	late := time.NewTimer(time.Duration(1000+rng.IntN(4000)) * time.Millisecond)
	defer late.Stop()
	select {
	case <-ended:
		return
	case <-ctx.Done():
		return
	case <-late.C:
	}
	if n.closing.Load() {
		<-ended
	}
}

// run runs the NAS between two crashes.
func (n *crashNAS) run(ctx context.Context, random func(actor int) *rand.Rand) {
	if n.boot > 1 && n.behavior.on && !n.reportOn(ctx, random(crashLines)) {
		return
	}
	var lines sync.WaitGroup
	for port := range crashLines {
		lines.Go(func() { n.line(ctx, random(port), port) })
	}
	lines.Wait()
}

// reportOn sends an Accounting-On: all earlier sessions have ended.
func (n *crashNAS) reportOn(ctx context.Context, rng *rand.Rand) bool {
	s := &crashSession{nas: n, rng: rng, id: fmt.Sprintf("%s-on-%d", n.name, n.boot), name: n.name}
	n.mu.Lock()
	n.open[s] = true
	for _, ids := range n.lost {
		s.ends = append(s.ends, ids...)
	}
	n.mu.Unlock()
	if !s.report(ctx, sessions.On) {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, s)
	clear(n.lost)
	return true
}

// forget loses the state of the NAS, as a crash does. It reports whether sessions were lost that
// the NAS must end with an Accounting-On.
func (n *crashNAS) forget() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting = [256]*crashRequest{}
	for s := range n.open {
		if s.sent > 0 && !s.stays {
			n.history.record(crashtest.Lost, crashtest.Record{Session: s.id})
			if !s.isOn {
				n.lost[s.name] = append(n.lost[s.name], s.id)
			}
		}
	}
	clear(n.open)
	return n.behavior.on && len(n.lost) > 0
}

// line is one user port of the NAS. It has one session after another until the NAS closes.
func (n *crashNAS) line(ctx context.Context, rng *rand.Rand, port int) {
	for i := 0; !n.closing.Load(); i++ {
		s := &crashSession{nas: n, rng: rng, began: time.Now()}
		if s.name = fmt.Sprintf("%s-%d-%d-%04d", n.name, port, n.boot, i); n.behavior.reuses {
			s.name = fmt.Sprintf("%s-%d-%04d", n.name, port, i)
		}
		s.id = fmt.Sprintf("%s#%d", s.name, n.boot)
		n.mu.Lock()
		n.open[s] = true
		s.ends = n.lost[s.name]
		n.mu.Unlock()
		if !s.run(ctx) {
			return
		}
		n.mu.Lock()
		if !s.stays {
			delete(n.open, s)
		}
		n.mu.Unlock()
	}
}
