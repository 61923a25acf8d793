package snmp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/internal/throttle"
	"aaasess/mib"
)

// Limits of the message size (RFC 3417 section 3.2, RFC 3411 snmpEngineMaxMessageSize).
const (
	MinMessageSize = wire.MinMaxSize
	MaxMessageSize = maxDatagram
)

const (
	setters  = 4  // goroutines that carry out SETs
	setQueue = 64 // SETs that may wait for a setter; further ones are dropped, and the manager retries
	maxFree  = 2 * batch
)

// Config configures a Responder.
type Config struct {
	// Listen are the addresses to serve. An IPv6 address, including [::], receives no IPv4. Port 0
	// lets the system choose a port.
	Listen []netip.AddrPort
	// Engine is this SNMP engine: id, boots and time.
	Engine *usm.Engine
	// USM has the users.
	USM *usm.USM
	// System has the values of the system group, and snmpEnableAuthenTraps.
	System snmpmib.System
	// Settings keeps what managers SET of these. nil means that they cannot.
	Settings *snmpmib.Settings
	// MaxMessageSize is the largest answer: MinMessageSize to MaxMessageSize octets. 0 means
	// MaxMessageSize.
	MaxMessageSize int
	Limits         Limits
	// AuthenticationFailure is called for each message with a wrong community or digest, from
	// several goroutines. It must not block. nil disables it.
	AuthenticationFailure func(from netip.AddrPort)
	// Targets are the targets of notifications, for SNMP-TARGET-MIB and SNMP-NOTIFICATION-MIB.
	Targets []notify.Target
	// OutTraps returns how many notifications were sent, for snmpOutTraps. nil means none.
	OutTraps func() uint64
	// Logger receives at most one line a minute for each kind of problem and source; nil discards
	// them.
	Logger *slog.Logger
}

// Limits limit what one source (an IPv4 address, or a /64 of IPv6) receives. 0 means no limit.
type Limits struct {
	// Requests is requests a second. Those of authenticated users are counted apart from those of
	// communities and of users at noAuthNoPriv, and wrong ones are not counted: forged messages
	// take nothing from those that prove more.
	Requests int
	// ResponseOctets is octets a second in answers to communities and at noAuthNoPriv, whose source
	// can be forged.
	ResponseOctets int
	// TotalResponseOctets is the same for all sources together, because one sender can forge many.
	TotalResponseOctets int
	// Failures is answers a second to messages that are not authentic. Reports to messages with a
	// right digest, outside of the time window or wrongly encrypted, are counted apart.
	Failures int
}

// Responder is an SNMP command responder (R16).
type Responder struct {
	cfg          Config
	tree         *mib.Tree
	objects      []mib.OID // objects of the tree, in order
	policy       atomic.Pointer[vacm.Policy]
	system       atomic.Pointer[snmpmib.System]
	targets      atomic.Pointer[[]notify.Target]
	endpoints    []*endpoint
	counters     counters
	operations   *[numOperations]operationFigures
	problemLines [numProblems][numSenders]throttle.Lines[uint64] // by logKey
	seed         maphash.Seed                                    // of logKey
	problems     problemList
	traced       throttle.Packets
	started      time.Time
	limiters     *limiters

	free    chan *exchange
	helpers chan work // unbuffered: only an idle helper receives
	sets    chan work
	ready   chan struct{}
}

// New creates a responder that serves parts and its own objects (package snmpmib), and opens its
// sockets. An error names the address.
func New(cfg Config, policy *vacm.Policy, parts ...mib.Part) (_ *Responder, err error) {
	cfg.MaxMessageSize = cmp.Or(cfg.MaxMessageSize, MaxMessageSize)
	if cfg.MaxMessageSize < MinMessageSize || cfg.MaxMessageSize > MaxMessageSize {
		return nil, fmt.Errorf("snmp: maximum message size is %d, want %d to %d octets", cfg.MaxMessageSize, MinMessageSize, MaxMessageSize)
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	r := &Responder{
		cfg: cfg, started: time.Now(), seed: maphash.MakeSeed(), limiters: newLimiters(cfg.Limits), operations: newOperations(),
		free: make(chan *exchange, maxFree), helpers: make(chan work), sets: make(chan work, setQueue), ready: make(chan struct{}),
	}
	r.policy.Store(policy)
	r.system.Store(&cfg.System)
	r.SetTargets(cfg.Targets)
	r.cfg.Targets = nil // has secrets
	own := snmpmib.Parts(snmpmib.Config{
		System: r.system.Load, Engine: cfg.Engine, USM: cfg.USM, Policy: r.policy.Load, Targets: r.targets.Load, Counts: r.counts,
		MaxMessageSize: cfg.MaxMessageSize, Settings: cfg.Settings, Modules: mib.Identities(parts...),
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

// SetLimits replaces the limits.
func (r *Responder) SetLimits(l Limits) { r.limiters.set(l) }

// SetSystem replaces the configured texts of the system group, and snmpEnableAuthenTraps.
func (r *Responder) SetSystem(s snmpmib.System) { r.system.Store(&s) }

// AuthenTraps returns snmpEnableAuthenTraps: whether authenticationFailure notifications are
// enabled.
func (r *Responder) AuthenTraps() bool { return r.cfg.Settings.AuthenTraps(r.system.Load()) }

// SetPolicy replaces communities, groups and views, from the next request on.
func (r *Responder) SetPolicy(p *vacm.Policy) { r.policy.Store(p) }

// SetTargets replaces the targets of notifications that managers see, from the next request on. It
// copies the list, without the passwords and keys of users.
func (r *Responder) SetTargets(targets []notify.Target) {
	targets = slices.Clone(targets)
	for i := range targets {
		targets[i].User.AuthSecret, targets[i].User.PrivSecret = usm.Secret{}, usm.Secret{}
	}
	r.targets.Store(&targets)
}

// Policy returns the policy in use.
func (r *Responder) Policy() *vacm.Policy { return r.policy.Load() }

// Addrs returns the addresses that are served, with the actual ports.
func (r *Responder) Addrs() []netip.AddrPort {
	addrs := make([]netip.AddrPort, len(r.endpoints))
	for i, ep := range r.endpoints {
		addrs[i] = ep.addr
	}
	return addrs
}

// clock returns the time for the limits: nanoseconds of the monotonic clock.
func (r *Responder) clock() int64 { return int64(time.Since(r.started)) }

// String names the responder for a log.
func (r *Responder) String() string { return fmt.Sprint("snmp responder ", r.Addrs()) }

// Ready is closed when Run answers requests.
func (r *Responder) Ready() <-chan struct{} { return r.ready }

// Run serves until ctx is done or a socket fails. It completes SETs in progress. Call it once.
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
