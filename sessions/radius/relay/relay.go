package relay

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/throttle"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
)

// Admissions hears what authentication says of users. [admission.Store] implements it. Its methods
// do not block. They get all attributes, also passwords and keys, and choose which to keep.
type Admissions interface {
	// Ask is called for each Access-Request before it is sent.
	Ask(q *admission.Request) admission.Upstream
	// Accept is called before the NAS gets an Access-Accept.
	Accept(q *admission.Request, accept radius.Attributes)
	// Reject is called before the NAS gets an Access-Reject. done is called once, when the stop
	// record is durable or none is wanted (R49).
	Reject(q *admission.Request, done func())
}

// The limits of a [Config] that has none.
const (
	DefaultMaxInFlight = 1 << 16
	DefaultMaxOctets   = 64 << 20
)

// Config configures a Relay.
type Config struct {
	Routes
	// Blocked reports whether a group gets no requests now (R63). It does not block. nil means that
	// no group is ever blocked.
	Blocked func(group string) bool
	// Admissions hears of requests and their answers; nil means that nobody does.
	Admissions Admissions
	// MaxInFlight is how many requests may wait for their answers at once, and MaxOctets how many
	// octets they may have. One group may have half of that. 0 means the defaults.
	MaxInFlight, MaxOctets int
	// Log receives messages for operators; nil discards them.
	Log *slog.Logger
}

// Relay forwards Access-Requests. It implements [nasradius.Relay]. Its methods may be called from any
// goroutine.
type Relay struct {
	blocked     func(group string) bool
	admissions  Admissions
	maxInFlight int64
	maxOctets   int64
	log         *slog.Logger
	seed        maphash.Seed // of our Proxy-States

	routes        atomic.Pointer[routes]
	reconfiguring sync.Mutex
	conversations conversations
	counters      [counterCount]atomic.Uint64
	inFlight      atomic.Int64
	octets        atomic.Int64
	stopping      atomic.Bool
	lateLine      throttle.Line
	buffers       sync.Pool // of *[]byte
	ready         chan struct{}
}

// Reasons to leave a request unanswered.
var (
	errNoList     = errors.New("no authentication list for this client")
	errBlocked    = errors.New("all server groups of the list are blocked until accounting is available")
	errNoResponse = errors.New("no response from any server of the list")
	errNoServer   = errors.New("no response from the server that has begun the conversation")
	errBusy       = errors.New("too many requests wait for the servers of the list")
	errStopping   = errors.New("the relay is stopping")
)

// New creates a Relay. The error describes what is wrong with the Routes.
func New(cfg Config) (*Relay, error) {
	r := &Relay{
		blocked: cfg.Blocked, admissions: cfg.Admissions, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)),
		maxInFlight: int64(cmp.Or(cfg.MaxInFlight, DefaultMaxInFlight)), maxOctets: int64(cmp.Or(cfg.MaxOctets, DefaultMaxOctets)),
		conversations: conversations{limit: maxConversations}, seed: maphash.MakeSeed(), ready: make(chan struct{}),
	}
	if r.blocked == nil {
		r.blocked = func(string) bool { return false }
	}
	r.buffers.New = func() any { b := make([]byte, 0, radius.MaxPacket); return &b }
	return r, r.Reconfigure(cfg.Routes)
}

// Reconfigure replaces the Routes. On error it changes nothing. Groups that are not used any more are
// closed after it: their requests in flight continue with the new Routes. Conversations and counters
// stay.
func (r *Relay) Reconfigure(cfg Routes) error {
	r.reconfiguring.Lock()
	defer r.reconfiguring.Unlock()
	next, err := newRoutes(cfg, r.routes.Load())
	if err != nil {
		return err
	}
	r.routes.Store(next)
	return nil
}

// String names the Relay for a log.
func (r *Relay) String() string { return "radius authentication relay" }

// Ready is closed when Run has begun.
func (r *Relay) Ready() <-chan struct{} { return r.ready }

// Run forgets old conversations until ctx ends. Then requests that a group gives back are dropped. It
// returns nil. Call it once.
func (r *Relay) Run(ctx context.Context) error {
	close(r.ready)
	tick := time.NewTicker(conversationTime / 10)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.stopping.Store(true)
			return nil
		case now := <-tick.C:
			r.conversations.expire(now)
		}
	}
}

// Accepting returns nil if a request of some client would be sent to a server now.
func (r *Relay) Accepting() error {
	if r.stopping.Load() {
		return errStopping
	}
	reason := errNoList
	for _, methods := range r.routes.Load().lists {
		for _, m := range methods {
			if !r.blocked(m.name) {
				return nil
			}
			reason = errBlocked
		}
	}
	return reason
}

// Relay forwards a request to the first server of its client's list.
func (r *Relay) Relay(q *nasradius.AccessRequest) { r.relay(q, q, nil) }

// RelayAll implements [nasradius.BatchRelay]: requests of one group leave together.
func (r *Relay) RelayAll(batch []*nasradius.AccessRequest) {
	var to batches
	for _, q := range batch {
		r.relay(q, q, &to)
	}
	to.flush()
}

// relay forwards a request. If together is not nil, its packet waits there.
func (r *Relay) relay(q *nasradius.AccessRequest, to replier, together *batches) {
	r.count(requests)
	present := r.routes.Load()
	x := &exchange{relay: r, q: q, to: to, methods: present.of(q.ClientName)}
	if !x.reserve() {
		x.drop(busy, errBusy)
		return
	}
	if len(x.methods) == 0 {
		x.drop(noList, errNoList)
		return
	}
	if err := x.out.plan(q.Packet, present.names, r.proxyState(q.ClientName)); err != nil {
		what := unusable
		if errors.Is(err, errLoop) {
			what = looped
		}
		x.drop(what, err)
		return
	}
	x.findConversation()
	x.next(together)
}

// proxyState returns our Proxy-State for requests of a client. It is random, so no other proxy has it.
// A request comes through a server twice if that is configured as a client too; in a loop it comes from
// one client twice.
func (r *Relay) proxyState(client string) (attr proxyState) {
	attr[0], attr[1] = byte(radius.ProxyState), byte(len(attr))
	binary.BigEndian.PutUint64(attr[2:], maphash.String(r.seed, client))
	return attr
}

// buffer returns a buffer for a packet. The caller gives it back to the pool.
func (r *Relay) buffer() *[]byte { return r.buffers.Get().(*[]byte) }
