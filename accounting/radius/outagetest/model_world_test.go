package outagetest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/internal/radius"
	"aaasess/internal/radius/radiusnet"
	"aaasess/sessions"
)

// methods are the methods of the model.
var methods = [2]accounting.MethodName{accounting.Group("first"), accounting.Group("second")}

// hostsPerMethod is how many servers each method has. A group has some of them.
const hostsPerMethod = 4

// recordState is one record and what happened to it.
type recordState struct {
	session sessions.ID
	typ     sessions.EventType
	at      time.Time
	route   []int // indexes of its methods
	poison  bool
	beat    bool // added during recover, so that there is always something to answer

	sent     bool      // was transmitted to some server
	sentAt   time.Time // first transmission
	lastSent time.Time // last transmission
	reached  bool      // arrived at some server
	arrived  [2]bool   // by method: arrived at one of its servers
	answered time.Time // when the right answer came
}

// world is the servers and records, and the faults that were found.
type world struct {
	net     *radiusnet.Network
	hosts   [2][hostsPerMethod]*radiusnet.Host
	secrets map[netip.AddrPort]radius.Secret

	mu     sync.Mutex // guards the following fields
	rng    *rand.Rand
	styles [2][hostsPerMethod]int
	holds  [2]delivery.Hold
	holdAt [2]time.Time                 // since when
	closed [2][hostsPerMethod]time.Time // since when no group has the server; zero: one has it
	recs   []*recordState               // by record number
	faults []string
	// Events that allow exceptions.
	mayIgnore [2]bool // a server of the method was once not good, or there is a poison record
	mayDelay  [2]bool // a server of the method answered some records and not others, or too late; a record may have bad luck for long
	held      [2]bool // the method was once held or removed
	removed   [2]bool // the method was once removed
	mayResend bool    // there was a restart or a new method: records may be sent again
	cut       bool    // there was a power cut: superseded interims may be back
}

// serverStyle is the behavior of a server and of the path to it.
type serverStyle struct {
	name  string
	link  radiusnet.Link
	react func(rng *rand.Rand, addr netip.AddrPort) radiusnet.Reaction
}

// fairStyles is how many of the styles answer everything or nothing.
const fairStyles = 2

var styles = []serverStyle{
	{"good", radiusnet.Link{Delay: time.Millisecond}, nil},
	{"dead", radiusnet.Link{Dead: []radiusnet.Interval{{}}}, nil},
	{"lossy", radiusnet.Link{Delay: time.Millisecond, Jitter: 50 * time.Millisecond, Loss: 0.3}, nil},
	{"slow", radiusnet.Link{Delay: 100 * time.Millisecond, Jitter: 3 * time.Second, Duplicate: 0.3}, nil},
	{"forged", radiusnet.Link{Delay: time.Millisecond}, answersWrongly(radiusnet.WrongSecret)},
	{"garbled", radiusnet.Link{Delay: time.Millisecond}, answersWrongly(radiusnet.WrongIdentifier, radiusnet.WrongCode, radiusnet.CutOff)},
	{"elsewhere", radiusnet.Link{Delay: time.Millisecond}, func(_ *rand.Rand, a netip.AddrPort) radiusnet.Reaction {
		return radiusnet.Reaction{From: netip.AddrPortFrom(a.Addr(), a.Port()+100)}
	}},
	{"busy", radiusnet.Link{Delay: time.Millisecond}, func(rng *rand.Rand, _ netip.AddrPort) radiusnet.Reaction {
		return radiusnet.Reaction{After: time.Duration(rng.IntN(8000)) * time.Millisecond, Copies: rng.IntN(3)}
	}},
}

// answersWrongly returns a server whose answers are wrong half of the time.
func answersWrongly(kinds ...radiusnet.Answer) func(*rand.Rand, netip.AddrPort) radiusnet.Reaction {
	return func(rng *rand.Rand, _ netip.AddrPort) radiusnet.Reaction {
		if rng.IntN(2) == 0 {
			return radiusnet.Reaction{}
		}
		return radiusnet.Reaction{Answer: kinds[rng.IntN(len(kinds))]}
	}
}

func newWorld(s *site, seed uint64) *world {
	w := &world{
		net: s.net, rng: rand.New(rand.NewPCG(seed, 1)),
		secrets: map[netip.AddrPort]radius.Secret{}, recs: []*recordState{nil},
	}
	s.net.Watch(func(radiusnet.Arrival) {})
	for m := range w.hosts {
		for n := range w.hosts[m] {
			h := s.host(m*hostsPerMethod+n, radiusnet.Server{Link: styles[0].link, Handle: w.handle(m, n)})
			w.hosts[m][n], w.secrets[h.Addr] = h, h.Secret
			w.closed[m][n] = s.began
		}
	}
	return w
}

func (w *world) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faultLocked(format, args...)
}

// faultLocked is fault. The caller holds the mutex.
func (w *world) faultLocked(format string, args ...any) {
	if len(w.faults) < 20 {
		w.faults = append(w.faults, time.Since(zero).String()+": "+fmt.Sprintf(format, args...))
	}
}

// zero is the time at the start of each bubble.
var zero = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *world) setStyle(m, n, to int) {
	w.mu.Lock()
	w.styles[m][n] = to
	w.mayIgnore[m] = w.mayIgnore[m] || to != 0
	w.mayDelay[m] = w.mayDelay[m] || to >= fairStyles
	w.mu.Unlock()
	w.hosts[m][n].SetLink(styles[to].link)
}

// newRecord returns the next record of a session.
func (w *world) newRecord(r recordState) (uint32, *accounting.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.at = time.Now()
	if r.poison {
		w.mayIgnore[0], w.mayIgnore[1] = true, true
	}
	w.recs = append(w.recs, &r)
	n := uint32(len(w.recs) - 1)
	var next []accounting.MethodName
	for _, m := range r.route[1:] {
		next = append(next, methods[m])
	}
	return n, record(r.session, r.typ, n, next...)
}

// remove notes that no group has the servers of a method any more.
func (w *world) remove(m int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[m], w.removed[m] = true, true
	w.holds[m] = delivery.Open
	w.close(m)
}

// hold notes that a method exists, and its hold.
func (w *world) hold(m int, h delivery.Hold) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[m] = w.held[m] || h != delivery.Open
	w.holds[m], w.holdAt[m] = h, time.Now()
}

// checkHold checks that a record that was not sent yet may go to a method now: the method is
// neither held nor away, and no method before it in the route is held. The caller holds the mutex.
func (w *world) checkHold(number uint32, m int) {
	for _, before := range w.recs[number].route {
		stops := w.holds[before] == delivery.Held || before == m && w.holds[before] == delivery.Away
		if stops && time.Since(w.holdAt[before]) > 0 {
			w.faultLocked("record %d is sent to %s, though %s is %s", number, methods[m], methods[before], w.holds[before])
		}
		if before == m {
			return
		}
	}
}

// close notes when the servers of a method have left their group. The caller holds the mutex.
func (w *world) close(m int) {
	now := time.Now()
	for n := range w.closed[m] {
		if w.closed[m][n].IsZero() {
			w.closed[m][n] = now
		}
	}
}

// checkSend checks a request that is sent.
func (w *world) checkSend(g *groupRun, to netip.AddrPort, req sent, delay uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, m := w.recs[req.number], g.method
	if g.auths[req.auth] {
		w.faultLocked("record %d to %v: authenticator was used before", req.number, to)
	}
	g.auths[req.auth] = true
	if want := time.Since(r.at) / time.Second; time.Duration(delay) != want {
		w.faultLocked("record %d: Acct-Delay-Time %d, want %d", req.number, delay, want)
	}
	if !slices.Contains(r.route, m) {
		w.faultLocked("record %d to %v, which is not in its list", req.number, to)
	}
	r.lastSent = time.Now()
	if !r.sent {
		r.sent, r.sentAt = true, r.lastSent
		w.checkOrder(req.number, func(r *recordState) bool { return r.sent }, "sent")
		w.checkHold(req.number, m)
	}
}

// checkOrder checks that no later record of the session came first. The caller holds the mutex.
func (w *world) checkOrder(number uint32, came func(*recordState) bool, what string) {
	r := w.recs[number]
	if w.cut && r.typ == interim {
		return
	}
	for later := int(number) + 1; later < len(w.recs); later++ {
		if l := w.recs[later]; l.session == r.session && came(l) {
			w.faultLocked("record %d of session %d is %s after %d", number, r.session, what, later)
		}
	}
}

// isOvertaken reports whether a later record of its session may arrive before an interim. It may if
// the interim was dropped as superseded before the later record was sent, and its last packet is
// still on its way.
func isOvertaken(r, later *recordState) bool {
	return r.typ == interim && r.answered.IsZero() && later.sentAt.After(r.lastSent) && time.Since(r.lastSent) <= longestWay
}

func (w *world) noteAnswer(number uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.recs[number]; r.answered.IsZero() {
		r.answered = time.Now()
	}
}

// longestWay is the longest time that a request may be on its way.
const longestWay = 3100 * time.Millisecond

// handle returns the handler of server n of method m.
func (w *world) handle(m, n int) func([]byte, radiusnet.Arrival) radiusnet.Reaction {
	return func(request []byte, a radiusnet.Arrival) radiusnet.Reaction {
		w.mu.Lock()
		defer w.mu.Unlock()
		num := number(request)
		r := w.recs[num]
		if since := w.closed[m][n]; !since.IsZero() && time.Since(since) > longestWay {
			w.faultLocked("record %d came to %s, which is in no group any more", num, a.Server)
		}
		if !r.reached {
			r.reached = true
			w.checkOrder(num, func(l *recordState) bool { return l.reached && !isOvertaken(r, l) }, "there")
		}
		if !r.arrived[m] {
			r.arrived[m] = true
		} else if !w.mayIgnore[m] && !w.mayResend {
			w.faultLocked("record %d came to %s again", num, a.Server)
		}
		if first := r.route[0]; m != first && !w.mayIgnore[first] && !w.held[first] {
			w.faultLocked("record %d came to %s, though the servers of %s were good", num, a.Server, methods[first])
		}
		switch s := styles[w.styles[m][n]]; {
		case r.poison:
			return radiusnet.Reaction{Answer: radiusnet.Silent}
		case s.react != nil:
			return s.react(w.rng, w.hosts[m][n].Addr)
		}
		return radiusnet.Reaction{}
	}
}

func (w *world) isBeat(rec *accounting.Record) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, _ := rec.Attrs.Uint32(radius.AcctSessionTime)
	return w.recs[n].beat
}

// superseded reports whether a record may be dropped. The caller holds the mutex.
func (w *world) superseded(number int) bool {
	r := w.recs[number]
	if r.typ != interim {
		return false
	}
	for _, l := range w.recs[number+1:] {
		if l.session == r.session {
			return true // an interim or the stop, because a session has one start
		}
	}
	return false
}
