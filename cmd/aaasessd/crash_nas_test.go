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

// crashNAS is a NAS with ways of its own: it sends each record until it is answered, crashes, and
// counts its ids anew.
type crashNAS struct {
	name    string
	index   byte
	ways    crashWays
	daemon  netip.AddrPort
	history *crashHistory
	closing *atomic.Bool // no new sessions
	serving sync.WaitGroup

	boot  int          // how often it came up; live's
	clock atomic.Int64 // what its stamps are ahead of the truth, seconds

	mu      sync.Mutex             // guards what follows
	lost    map[string][]string    // sessions by their name that it has forgotten and nothing has ended yet
	starts  map[string][]int64     // Event-Timestamps of the starts of a name
	open    map[*crashSession]bool // sessions, and Accounting-Ons, that are not over
	conns   []*net.UDPConn         // newest last; answers may still come to the others
	next    byte                   // identifier
	waiting [256]*crashRequest
}

// resending is how a NAS sends a record again.
type resending int

const (
	anew       resending = iota // with a new identifier and the Acct-Delay-Time of the moment, as hostapd does
	sameOctets                  // the same packet
	newPort                     // as anew, from another port each time
	allResendings
)

// crashWays are the habits of a NAS.
type crashWays struct {
	resend  resending
	backOff bool // it sends again after 3, 9, 21 seconds, in a thirtieth of the time
	crashes bool
	reuses  bool // after a crash it counts its Acct-Session-Ids anew
	on      bool // it says Accounting-On after a crash
	steps   bool // its clock is set now and then
	epoch   bool // it has no clock: after a crash it is 1970
	moves   bool // it changes its source address, within its client entry
	names   int  // 0: NAS-Identifier, 1: NAS-IP-Address, 2: both
}

// newCrashWays gives each fourth NAS the same kind of ways: reuses ids, has a bad clock, moves, or
// is harmless.
func newCrashWays(i int, rng *rand.Rand) crashWays {
	w := crashWays{resend: resending(rng.IntN(int(allResendings))), backOff: rng.IntN(2) == 0, moves: rng.IntN(3) == 0, names: rng.IntN(3)}
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
		name: fmt.Sprintf("nas%02d", i), index: byte(i), ways: newCrashWays(i, rng), daemon: daemon, history: h, closing: closing,
		lost: map[string][]string{}, starts: map[string][]int64{}, open: map[*crashSession]bool{},
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.connect(0); err != nil {
		t.Fatal(err)
	}
	return n
}

// connect takes a new socket, on the NAS's first, second or third address.
func (n *crashNAS) connect(address int) error {
	const kept = 6
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 1, byte(address), n.index+1)})
	if err != nil {
		return err
	}
	n.serving.Go(func() { n.hear(conn) })
	if n.conns = append(n.conns, conn); len(n.conns) > kept {
		_ = n.conns[0].Close()
		n.conns = n.conns[1:]
	}
	return nil
}

// close ends the NAS, whose lines have ended.
func (n *crashNAS) close() {
	n.mu.Lock()
	for _, c := range n.conns {
		_ = c.Close()
	}
	n.mu.Unlock()
	n.serving.Wait()
}

// hear takes answers until the socket is closed.
func (n *crashNAS) hear(conn *net.UDPConn) {
	b := make([]byte, layeh.MaxPacketLength)
	for {
		size, from, err := conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || size < 20 || from != n.daemon {
			n.history.count("strange datagrams to NASes")
			continue
		}
		n.mu.Lock()
		w := n.waiting[b[1]]
		n.mu.Unlock()
		if w == nil || !layeh.IsAuthenticResponse(b[:size], w.data, []byte(nasSecret)) {
			n.history.count("answers that came too late") // its identifier is in use again
			continue
		}
		n.answer(w)
	}
}

// answer takes note of an authentic answer. The lock is held so that a NAS that has crashed hears
// nothing.
func (n *crashNAS) answer(w *crashRequest) {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-w.answered: // before, to another transmission
		n.history.count("answers again")
	default:
		n.history.record(crashtest.Answered, w.record)
		close(w.answered)
	}
}

// live lets the NAS run, crash and run again, until it closes.
func (n *crashNAS) live(ctx context.Context, random func(actor int) *rand.Rand) {
	rng := random(crashLines)
	for n.boot = 1; ; n.boot++ {
		life, crashed := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			n.run(life, random)
		}()
		if n.ways.crashes {
			n.awaitCrash(life, rng, ended)
			crashed()
		}
		<-ended
		crashed()
		if ctx.Err() != nil || n.closing.Load() && !n.forget() || !n.ways.crashes {
			return
		}
		n.forget()
		n.history.count("crashes of NASes")
		// What was sent before has arrived when it comes up again, and its stamps are of later
		// seconds.
		if !pause(ctx, 2500*time.Millisecond+time.Duration(rng.IntN(1500))*time.Millisecond) {
			return
		}
		if n.ways.epoch {
			n.clock.Store(30 - time.Now().Unix())
		}
	}
}

// awaitCrash waits until the NAS has run for long enough, or has ended.
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

// run is the NAS between two crashes.
func (n *crashNAS) run(ctx context.Context, random func(actor int) *rand.Rand) {
	if n.boot > 1 && n.ways.on && !n.sayOn(ctx, random(crashLines)) {
		return
	}
	var lines sync.WaitGroup
	for port := range crashLines {
		lines.Go(func() { n.line(ctx, random(port), port) })
	}
	lines.Wait()
}

// sayOn reports that all sessions from before are over.
func (n *crashNAS) sayOn(ctx context.Context, rng *rand.Rand) bool {
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

// forget is what a crash does. It reports whether anything was forgotten that the NAS must end with
// an Accounting-On.
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
	return n.ways.on && len(n.lost) > 0
}

// line is one user port of the NAS: it has session after session, until the NAS closes.
func (n *crashNAS) line(ctx context.Context, rng *rand.Rand, port int) {
	for i := 0; !n.closing.Load(); i++ {
		s := &crashSession{nas: n, rng: rng, began: time.Now()}
		if s.name = fmt.Sprintf("%s-%d-%d-%04d", n.name, port, n.boot, i); n.ways.reuses {
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
