package snmp

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"aaasess/agent/snmp/limit"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// The sizes of messages (RFC 3417 section 3.2, RFC 3411 snmpEngineMaxMessageSize).
const (
	MinMessageSize = wire.MinMaxSize
	MaxMessageSize = maxDatagram
)

const (
	setters  = 4  // SETs that are carried out at once
	setQueue = 64 // SETs that wait beside them; one more is dropped, and its manager asks again
	spare    = 2 * batch
)

// Config is what a responder serves, and how.
type Config struct {
	// Listen are the addresses to serve. An IPv6 address, also [::], takes no IPv4; port 0 is any free one.
	Listen []netip.AddrPort
	// Engine is this SNMP engine: id, boots and time.
	Engine *usm.Engine
	// USM has the users.
	USM *usm.USM
	// System is what the system group tells.
	System snmpmib.System
	// MaxMessageSize is the largest answer, MinMessageSize to MaxMessageSize octets; 0 is MaxMessageSize.
	MaxMessageSize int
	Limits         Limits
	// AuthenTraps is whether authenticationFailure notifications are made, for snmpEnableAuthenTraps; nil: not.
	AuthenTraps func() bool
	// AuthenticationFailure is called for each message with a wrong community or digest. It must
	// return at once, and is called from several goroutines. nil: nothing is called.
	AuthenticationFailure func(from netip.AddrPort)
	// OutTraps is how many notifications were sent, for snmpOutTraps; nil: none.
	OutTraps func() uint64
	// Logger takes a line a minute for each kind of trouble and source; nil discards them.
	Logger *slog.Logger
}

// Limits bound what one source (an IPv4 address, a /64 of IPv6) gets. 0 is no limit.
type Limits struct {
	Requests       int // messages a second; more are dropped unread
	ResponseOctets int // octets a second in answer to SNMPv2c and to noAuthNoPriv, which anybody can forge
	Failures       int // reports a second to messages that are not authentic
}

// Responder is an SNMP command responder (R16).
type Responder struct {
	cfg        Config
	tree       *mib.Tree
	objects    []mib.OID // of the tree, in order
	policy     atomic.Pointer[vacm.Policy]
	system     atomic.Pointer[snmpmib.System]
	endpoints  []*endpoint
	counters   counters
	grievances [complaints][grievances]grievance
	seed       maphash.Seed // of their places
	began      time.Time

	requests, octets, failures *limit.Limiter

	free    chan *exchange
	helpers chan work // unbuffered: only one that waits takes it
	sets    chan work
	ready   chan struct{}
}

// New makes a responder for the parts, beside which it serves its own (package snmpmib), and opens
// its sockets. A failure names the address.
func New(cfg Config, policy *vacm.Policy, parts ...mib.Part) (_ *Responder, err error) {
	switch {
	case cfg.MaxMessageSize == 0:
		cfg.MaxMessageSize = MaxMessageSize
	case cfg.MaxMessageSize < MinMessageSize || cfg.MaxMessageSize > MaxMessageSize:
		return nil, fmt.Errorf("snmp: message size %d, %d to %d octets are possible", cfg.MaxMessageSize, MinMessageSize, MaxMessageSize)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Responder{
		cfg: cfg, began: time.Now(), seed: maphash.MakeSeed(),
		requests: newLimiter(cfg.Limits.Requests), octets: limit.New(cfg.Limits.ResponseOctets, octetBurst(cfg.Limits.ResponseOctets)), failures: newLimiter(cfg.Limits.Failures),
		free: make(chan *exchange, spare), helpers: make(chan work), sets: make(chan work, setQueue), ready: make(chan struct{}),
	}
	r.policy.Store(policy)
	r.system.Store(&cfg.System)
	own := snmpmib.Parts(snmpmib.Config{
		System: r.system.Load, Engine: cfg.Engine, USM: cfg.USM, Policy: r.policy.Load, Counts: r.counts,
		MaxMessageSize: cfg.MaxMessageSize, AuthenTraps: cfg.AuthenTraps,
	})
	if r.tree, err = mib.New(append(own, parts...)...); err != nil {
		return nil, err
	}
	for _, def := range r.tree.Defs() {
		r.objects = append(r.objects, def.OID)
	}
	for _, addr := range cfg.Listen {
		ep, err := r.listen(addr)
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		r.endpoints = append(r.endpoints, ep)
	}
	return r, nil
}

// newLimiter allows in a burst what is allowed in a second.
func newLimiter(perSecond int) *limit.Limiter { return limit.New(perSecond, perSecond) }

// octetBurst is at least the largest answer: a debt would be the next source's that gets the bucket.
func octetBurst(perSecond int) int { return max(perSecond, MaxMessageSize) }

// SetLimits puts other limits in place.
func (r *Responder) SetLimits(l Limits) {
	r.requests.SetRate(l.Requests, l.Requests)
	r.octets.SetRate(l.ResponseOctets, octetBurst(l.ResponseOctets))
	r.failures.SetRate(l.Failures, l.Failures)
}

// SetSystem puts other texts of the system group in place; rows of sysORTable stay.
func (r *Responder) SetSystem(s snmpmib.System) { r.system.Store(&s) }

// SetPolicy puts other communities, groups and views in place, for the next request.
func (r *Responder) SetPolicy(p *vacm.Policy) { r.policy.Store(p) }

// Addrs are the addresses that are served, with the ports that were free.
func (r *Responder) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, len(r.endpoints))
	for i, ep := range r.endpoints {
		addrs[i] = ep.addr
	}
	return addrs
}

// clock is what limits are counted by: nanoseconds that never jump.
func (r *Responder) clock() int64 { return int64(time.Since(r.began)) }

// String names the responder for a log.
func (r *Responder) String() string { return fmt.Sprint("snmp responder ", r.Addrs()) }

// Ready is closed when Run answers requests.
func (r *Responder) Ready() <-chan struct{} { return r.ready }

// Run serves until ctx is done or a socket fails. SETs that have begun are finished. Call it once.
func (r *Responder) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, ep := range r.endpoints {
		g.Go(func() error { return ep.run(ctx) })
	}
	for range runtime.GOMAXPROCS(0) - 1 {
		g.Go(func() error { r.helper(ctx); return nil })
	}
	for range setters {
		g.Go(func() error { r.setter(ctx); return nil })
	}
	close(r.ready)
	return g.Wait()
}

// Close closes the sockets. Call it after Run has returned, or instead of Run.
func (r *Responder) Close() error {
	var errs []error
	for _, ep := range r.endpoints {
		if err := ep.conn.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
