package methods

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
	"aaasess/store"
)

// Config is the configured methods, and what refers to them.
type Config struct {
	// Specs are the methods, each with a name of its own.
	Specs []accounting.Spec
	// Lists are the methods of the lists that record anything, by the name of the list in records,
	// "network/default".
	Lists map[string][]accounting.MethodName
	// OnOffGroups are the acct-on-off-groups. Their members are server groups.
	OnOffGroups onoff.Groups
	// System is a system list whose methods are tried one after the other (R42): the first has an
	// OnOff, and the others have none. They wait for its Accounting-On, and get it if the methods
	// before them do not answer.
	System []accounting.MethodName
	// SuppressSystem sends no Accounting-Off at the end, and no Accounting-On at the start, to
	// methods of live sessions, because these sessions go on.
	SuppressSystem bool
}

// Set runs the methods, and the delivery of records to them.
type Set struct {
	store         *store.Store
	delivery      *delivery.Delivery
	live          func() []string
	log           *slog.Logger
	deliveryEnded chan struct{} // closed when the delivery has ended
	failed        chan error
	tasks         sync.WaitGroup
	ready         chan struct{}

	blocks atomic.Pointer[map[string]onoff.Block] // by group; nil before the first Apply

	orphans map[string]bool // queues that were logged; only the goroutine that changes methods uses it

	mu       sync.Mutex                                // guards the following; see the package comment
	lastOff  map[accounting.MethodName]<-chan struct{} // closed when the Off of the latest instance is over
	config   Config
	running  map[accounting.MethodName]*instance
	removed  map[accounting.MethodName]*removal
	rerouted map[string]string // lists of rerouted queues, by queue
}

// New returns the Set of a store, without methods. live returns the routes of live sessions
// ([accounting.Route.Text]).
func New(st *store.Store, live func() []string, log *slog.Logger) *Set {
	return &Set{
		store: st, delivery: delivery.New(delivery.Config{}, st, log), live: live, log: log,
		deliveryEnded: make(chan struct{}), failed: make(chan error, 1), ready: make(chan struct{}),
		orphans: map[string]bool{}, lastOff: map[accounting.MethodName]<-chan struct{}{},
		running: map[accounting.MethodName]*instance{}, removed: map[accounting.MethodName]*removal{}, rerouted: map[string]string{},
	}
}

// Deliver starts the delivery of records, which runs until ctx is done. Call [Set.Apply] first.
func (s *Set) Deliver(ctx context.Context) {
	s.tasks.Go(func() {
		defer close(s.deliveryEnded)
		s.report(s.delivery, s.delivery.Run(ctx))
	})
	started := []<-chan struct{}{s.delivery.Ready()}
	s.mu.Lock()
	for _, in := range s.running {
		started = append(started, in.Ready)
		if in.onOff != nil {
			started = append(started, in.onOff.Ready())
		}
	}
	s.mu.Unlock()
	s.tasks.Go(func() {
		for _, c := range started {
			select {
			case <-c:
			case <-s.deliveryEnded:
				return
			}
		}
		close(s.ready)
	})
}

// String names the Set for a log.
func (s *Set) String() string { return "accounting methods" }

// Ready is closed when the delivery and the methods that are configured at that time run. It does
// not wait for a server to answer.
func (s *Set) Ready() <-chan struct{} { return s.ready }

// Failed receives the error of the first method that failed, or of the delivery.
func (s *Set) Failed() <-chan error { return s.failed }

// Wait returns when the delivery and all methods have ended, after the ctx of Deliver is done.
func (s *Set) Wait() { s.tasks.Wait() }

// report keeps the first error, with the name of the task that failed.
func (s *Set) report(task fmt.Stringer, err error) {
	if err != nil {
		select {
		case s.failed <- fmt.Errorf("%s: %w", task, err):
		default:
		}
	}
}

// Reopen makes the methods open their files again, for logrotate.
func (s *Set) Reopen() {
	for _, m := range s.running {
		if m.Reopen != nil {
			m.Reopen()
		}
	}
}

// Change is a prepared change of the configuration.
type Change struct {
	config Config
	specs  map[accounting.MethodName]accounting.Spec
	opened []*instance // methods that are new, and those whose change needs a new instance
	// reconfigures has the other changed methods: a function changes the running one.
	reconfigures map[accounting.MethodName]func()
}

// Discard closes what was opened for a change that will not be applied.
func (c Change) Discard() {
	for _, in := range c.opened {
		in.discard()
	}
}

// Prepare opens the methods of a configuration that are new, and the changed ones that need a new
// instance. It does not touch running methods.
func (s *Set) Prepare(cfg Config) (Change, error) {
	c := Change{config: cfg, specs: map[accounting.MethodName]accounting.Spec{}, reconfigures: map[accounting.MethodName]func(){}}
	for _, spec := range cfg.Specs {
		name := spec.Name()
		if c.specs[name] != nil {
			c.Discard()
			return Change{}, fmt.Errorf("%w: method %q is configured twice", ErrConfig, string(name))
		}
		c.specs[name] = spec
		if err := s.prepareMethod(&c, name, spec); err != nil {
			c.Discard()
			return Change{}, err
		}
	}
	return c, nil
}

// prepareMethod adds a method to a change, if it is new or changes.
func (s *Set) prepareMethod(c *Change, name accounting.MethodName, spec accounting.Spec) error {
	if m := s.running[name]; m != nil {
		if m.spec.Equal(spec) {
			return nil
		}
		if m.Reconfigure != nil {
			apply, err := m.Reconfigure(spec)
			if err != nil {
				return err
			}
			if apply != nil {
				c.reconfigures[name] = apply
				return s.prepareOnOff(c, m, spec)
			}
		}
	}
	in, err := s.open(spec)
	if err == nil {
		c.opened = append(c.opened, in)
	}
	return err
}

// prepareOnOff adds an instance of a method that runs on, if its Accounting-On and -Off change.
func (s *Set) prepareOnOff(c *Change, m *instance, spec accounting.Spec) error {
	if sameOnOff(m.spec, spec) {
		return nil
	}
	in, err := s.share(m, spec)
	if err == nil {
		c.opened = append(c.opened, in)
	}
	return err
}

// Apply puts the methods of a change in place. The policy that names them must already be in place,
// so that new sessions do not name removed methods. trigger is the reason. Only the values of ctx
// are used.
func (s *Set) Apply(ctx context.Context, c Change, trigger onoff.Trigger) {
	former := s.formerListOff(c)
	s.mu.Lock()
	s.keepNext(c)
	s.config = c.config
	s.mu.Unlock()
	for _, in := range c.opened {
		if len(s.next(in.name)) == 0 {
			s.start(ctx, in, trigger, nil)
		} else {
			s.start(ctx, in, trigger, former)
		}
	}
	for name, apply := range c.reconfigures {
		apply()
		s.delivery.ReconfigureMethod(name, c.specs[name].Delivery())
	}
	s.mu.Lock()
	for name, spec := range c.specs {
		delete(s.removed, name)
		m := s.running[name]
		m.spec = spec // its description may have changed
		if c.reconfigures[name] != nil {
			m.since = time.Now()
		}
	}
	s.updateHoldsLocked()
	for name, m := range s.running {
		if c.specs[name] == nil && s.removed[name] == nil {
			s.removed[name] = &removal{spec: m.spec}
		}
	}
	s.mu.Unlock()
	s.applyReroutes()
	s.CheckRemoved(ctx)
}

// start runs an instance, in place of the one with the same name. That one runs on until the
// delivery has ended, because answers to its records in flight still count. If former is not nil, the
// On also waits until that is closed.
func (s *Set) start(ctx context.Context, in *instance, trigger onoff.Trigger, former <-chan struct{}) {
	name := in.spec.Name()
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.running[name]
	if old != nil && isClosed(s.deliveryEnded) { // a change during the shutdown
		s.tasks.Go(in.discard)
		return
	}
	previousOff, offDone := s.lastOff[name], make(chan struct{})
	s.lastOff[name] = offDone
	if old != nil && in.canTakeOver(old) {
		s.handOver(old, in)
	}
	s.run(ctx, in, old)
	if old != nil {
		close(old.replaced)
		trigger = onoff.TriggerConfigChange
	}
	s.running[name] = in
	s.updateHoldsLocked() // before the first record is sent
	s.delivery.SetMethod(name, in.Method, in.spec.Delivery())
	s.tasks.Go(func() {
		defer close(offDone)
		if previousOff != nil {
			if in.onOff != nil && !in.tookOver && !isClosed(previousOff) {
				s.log.Info("Accounting-On waits for the end of the Accounting-Off of the former configuration", "method", string(name))
			}
			<-previousOff
		}
		if former != nil {
			<-former
		}
		s.announce(in, trigger)
	})
}

// announce sends the Accounting-On of an instance, waits for the end of the instance and sends its
// Off. An instance that was replaced or removed while it waited for the Off of the one before sends
// neither.
func (s *Set) announce(in *instance, trigger onoff.Trigger) {
	defer in.stop()
	if !in.tookOver && (isClosed(in.replaced) || isClosed(s.deliveryEnded)) {
		if in.onOff != nil {
			s.log.Info("Accounting-On not sent: the method was replaced or ended before", "method", string(in.name))
		}
		return
	}
	s.sendOn(in, trigger)
	s.tellAdded(in)
	select {
	case <-in.replaced:
		if in.hosts.handedOver {
			s.tellRemoved(in)
		} else {
			s.sendOff(in, onoff.TriggerConfigChange)
		}
	case <-s.deliveryEnded:
		s.sendOff(in, onoff.TriggerShutDown)
		s.awaitListOff(in.name)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
