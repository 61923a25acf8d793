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

// methods are those of the model.
var methods = [2]accounting.MethodName{accounting.Group("first"), accounting.Group("second")}

// hostsPerMethod is how many servers there are for each; a group has some of them.
const hostsPerMethod = 4

// made is one record, and what became of it.
type made struct {
	session sessions.ID
	typ     sessions.EventType
	at      time.Time
	route   []int // its methods
	poison  bool
	beat    bool // of those that come in the end so that there is always something to answer

	sent     bool      // was transmitted, to whomever
	sentAt   time.Time // when first
	lastSent time.Time // when last
	there    bool      // came to a server, whosever
	arrived  [2]bool   // by method: came to a server
	answered time.Time // when a right answer came
}

// world is servers and records, and what is wrong with what comes.
type world struct {
	net     *radiusnet.Network
	hosts   [2][hostsPerMethod]*radiusnet.Host
	secrets map[netip.AddrPort]radius.Secret

	mu     sync.Mutex // guards what follows
	rng    *rand.Rand
	styles [2][hostsPerMethod]int
	holds  [2]delivery.Hold
	holdAt [2]time.Time                 // since when
	closed [2][hostsPerMethod]time.Time // since when no group has the server; zero: one has
	recs   []*made                      // by number
	faults []string
	// What allows what.
	ailing  [2]bool // a server of the method was not good at some time, or a record is poison
	unfair  [2]bool // a server of the method answered some and not others, or too late: that may be a record's bad luck for long
	held    [2]bool // the method was held, or not there, at some time
	removed [2]bool // the method was not there at some time
	unquiet bool    // there was a restart, or another method: what was sent may be sent again
	cut     bool    // the power was: interims that were superseded may be back
}

// style is how a server and the way to it are.
type style struct {
	name  string
	link  radiusnet.Link
	react func(rng *rand.Rand, addr netip.AddrPort) radiusnet.Reaction
}

// fairStyles is how many of the styles answer all or nothing.
const fairStyles = 2

var styles = []style{
	{"good", radiusnet.Link{Delay: time.Millisecond}, nil},
	{"dead", radiusnet.Link{Dead: []radiusnet.Interval{{}}}, nil},
	{"lossy", radiusnet.Link{Delay: time.Millisecond, Jitter: 50 * time.Millisecond, Loss: 0.3}, nil},
	{"slow", radiusnet.Link{Delay: 100 * time.Millisecond, Jitter: 3 * time.Second, Duplicate: 0.3}, nil},
	{"forged", radiusnet.Link{Delay: time.Millisecond}, wrongly(radiusnet.WrongSecret)},
	{"garbled", radiusnet.Link{Delay: time.Millisecond}, wrongly(radiusnet.WrongIdentifier, radiusnet.WrongCode, radiusnet.CutOff)},
	{"elsewhere", radiusnet.Link{Delay: time.Millisecond}, func(_ *rand.Rand, a netip.AddrPort) radiusnet.Reaction {
		return radiusnet.Reaction{From: netip.AddrPortFrom(a.Addr(), a.Port()+100)}
	}},
	{"busy", radiusnet.Link{Delay: time.Millisecond}, func(rng *rand.Rand, _ netip.AddrPort) radiusnet.Reaction {
		return radiusnet.Reaction{After: time.Duration(rng.IntN(8000)) * time.Millisecond, Copies: rng.IntN(3)}
	}},
}

// wrongly is a server half of whose answers are wrong.
func wrongly(kinds ...radiusnet.Answer) func(*rand.Rand, netip.AddrPort) radiusnet.Reaction {
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
		secrets: map[netip.AddrPort]radius.Secret{}, recs: []*made{nil},
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
	w.wrong(format, args...)
}

// wrong is fault; the caller holds the mutex.
func (w *world) wrong(format string, args ...any) {
	if len(w.faults) < 20 {
		w.faults = append(w.faults, time.Since(zero).String()+": "+fmt.Sprintf(format, args...))
	}
}

// zero is when each bubble's time begins.
var zero = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *world) setStyle(m, n, to int) {
	w.mu.Lock()
	w.styles[m][n] = to
	w.ailing[m] = w.ailing[m] || to != 0
	w.unfair[m] = w.unfair[m] || to >= fairStyles
	w.mu.Unlock()
	w.hosts[m][n].SetLink(styles[to].link)
}

// make makes the next record of a session.
func (w *world) make(r made) (uint32, *accounting.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.at = time.Now()
	if r.poison {
		w.ailing[0], w.ailing[1] = true, true
	}
	w.recs = append(w.recs, &r)
	n := uint32(len(w.recs) - 1)
	var next []accounting.MethodName
	for _, m := range r.route[1:] {
		next = append(next, methods[m])
	}
	return n, record(r.session, r.typ, n, next...)
}

// remove is that a method's servers are in no group any more.
func (w *world) remove(m int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[m], w.removed[m] = true, true
	w.holds[m] = delivery.Open
	w.close(m)
}

// hold is that a method is there, and whether records are kept from it.
func (w *world) hold(m int, h delivery.Hold) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[m] = w.held[m] || h != delivery.Open
	w.holds[m], w.holdAt[m] = h, time.Now()
}

// obeys checks that a record that nobody was sent may go to a method now: that is not held nor away, and
// none before it in the record's route is held. The caller holds the mutex.
func (w *world) obeys(number uint32, m int) {
	for _, before := range w.recs[number].route {
		stops := w.holds[before] == delivery.Held || before == m && w.holds[before] == delivery.Away
		if stops && time.Since(w.holdAt[before]) > 0 {
			w.wrong("record %d is sent to %s, though %s is %s", number, methods[m], methods[before], w.holds[before])
		}
		if before == m {
			return
		}
	}
}

// close notes that no group has the servers of a method any more. The caller holds the mutex.
func (w *world) close(m int) {
	now := time.Now()
	for n := range w.closed[m] {
		if w.closed[m][n].IsZero() {
			w.closed[m][n] = now
		}
	}
}

// sends checks a request that leaves.
func (w *world) sends(g *groupRun, to netip.AddrPort, req sent, delay uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, m := w.recs[req.number], g.method
	if g.auths[req.auth] {
		w.wrong("record %d to %v: authenticator was there before", req.number, to)
	}
	g.auths[req.auth] = true
	if want := time.Since(r.at) / time.Second; time.Duration(delay) != want {
		w.wrong("record %d: Acct-Delay-Time %d, want %d", req.number, delay, want)
	}
	if !slices.Contains(r.route, m) {
		w.wrong("record %d to %v, which is not of its list", req.number, to)
	}
	r.lastSent = time.Now()
	if !r.sent {
		r.sent, r.sentAt = true, r.lastSent
		w.inOrder(req.number, func(r *made) bool { return r.sent }, "sent")
		w.obeys(req.number, m)
	}
}

// inOrder checks that no later record of the session was anywhere first. The caller holds the mutex.
func (w *world) inOrder(number uint32, came func(*made) bool, what string) {
	r := w.recs[number]
	if w.cut && r.typ == interim {
		return
	}
	for later := int(number) + 1; later < len(w.recs); later++ {
		if l := w.recs[later]; l.session == r.session && came(l) {
			w.wrong("record %d of session %d is %s after %d", number, r.session, what, later)
		}
	}
}

// isOvertaken reports whether a later record of its session may come before an interim: that was dropped
// as superseded before the later one was sent, and its last packet is still on its way.
func isOvertaken(r, later *made) bool {
	return r.typ == interim && r.answered.IsZero() && later.sentAt.After(r.lastSent) && time.Since(r.lastSent) <= longestWay
}

func (w *world) answers(number uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.recs[number]; r.answered.IsZero() {
		r.answered = time.Now()
	}
}

// longestWay is for how long a request may be under way.
const longestWay = 3100 * time.Millisecond

// handle is the work of server n of method m.
func (w *world) handle(m, n int) func([]byte, radiusnet.Arrival) radiusnet.Reaction {
	return func(request []byte, a radiusnet.Arrival) radiusnet.Reaction {
		w.mu.Lock()
		defer w.mu.Unlock()
		num := number(request)
		r := w.recs[num]
		if since := w.closed[m][n]; !since.IsZero() && time.Since(since) > longestWay {
			w.wrong("record %d came to %s, which is in no group any more", num, a.Server)
		}
		if !r.there {
			r.there = true
			w.inOrder(num, func(l *made) bool { return l.there && !isOvertaken(r, l) }, "there")
		}
		if !r.arrived[m] {
			r.arrived[m] = true
		} else if !w.ailing[m] && !w.unquiet {
			w.wrong("record %d came to %s again", num, a.Server)
		}
		if first := r.route[0]; m != first && !w.ailing[first] && !w.held[first] {
			w.wrong("record %d came to %s, though all is well with %s", num, a.Server, methods[first])
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
			return true // an interim or the stop: a session has one start
		}
	}
	return false
}
