package methods

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
	"aaasess/store"
)

// Config is the methods that are configured, and what refers to them.
type Config struct {
	// Specs are the methods; no two of one name.
	Specs []accounting.Spec
	// Lists are the methods of the lists that record anything, by the name that records have of the list,
	// "network/default".
	Lists map[string][]accounting.MethodName
	// OnOffGroups are the acct-on-off-groups; their members are server groups.
	OnOffGroups onoff.Groups
}

// Set is the methods that run, and the delivery of records to them.
type Set struct {
	store    *store.Store
	delivery *delivery.Delivery
	live     func() []string
	log      *slog.Logger
	over     chan struct{} // closed when the delivery has ended
	failed   chan error
	tasks    sync.WaitGroup
	ready    chan struct{}

	// What follows belongs to the one goroutine that changes methods.
	orphans map[string]bool                           // queues that the log was told of
	last    map[accounting.MethodName]<-chan struct{} // closed when the Off of its latest instance is over

	mu       sync.Mutex // guards what follows; the package comment says how
	config   Config
	running  map[accounting.MethodName]*instance
	removed  map[accounting.MethodName]*removal
	rerouted map[string]string // lists that queues without a method of their own go by
}

// New makes the Set of a store, without methods. live gives the routes of live sessions
// ([accounting.Route.Text]).
func New(st *store.Store, live func() []string, log *slog.Logger) *Set {
	return &Set{
		store: st, delivery: delivery.New(delivery.Config{}, st, log), live: live, log: log,
		over: make(chan struct{}), failed: make(chan error, 1), ready: make(chan struct{}),
		orphans: map[string]bool{}, last: map[accounting.MethodName]<-chan struct{}{},
		running: map[accounting.MethodName]*instance{}, removed: map[accounting.MethodName]*removal{}, rerouted: map[string]string{},
	}
}

// Deliver begins the delivery of records, which goes on until ctx is done. The first [Set.Apply] comes before.
func (s *Set) Deliver(ctx context.Context) {
	s.tasks.Go(func() {
		defer close(s.over)
		s.report(s.delivery, s.delivery.Run(ctx))
	})
	begun := []<-chan struct{}{s.delivery.Ready()}
	s.mu.Lock()
	for _, in := range s.running {
		begun = append(begun, in.Ready)
		if in.onOff != nil {
			begun = append(begun, in.onOff.Ready())
		}
	}
	s.mu.Unlock()
	s.tasks.Go(func() {
		for _, c := range begun {
			select {
			case <-c:
			case <-s.over:
				return
			}
		}
		close(s.ready)
	})
}

// String names the Set for a log.
func (s *Set) String() string { return "accounting methods" }

// Ready is closed when the delivery has begun, and the methods run that were configured then. It does not wait for
// a server to answer.
func (s *Set) Ready() <-chan struct{} { return s.ready }

// Failed gives the error of the first method that failed, or of the delivery.
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

// Reopen has the methods open their files again, for logrotate.
func (s *Set) Reopen() {
	for _, m := range s.running {
		if m.Reopen != nil {
			m.Reopen()
		}
	}
}

// Change is what the next Apply does.
type Change struct {
	config Config
	wanted map[accounting.MethodName]accounting.Spec
	fresh  []*instance // those of wanted that do not run yet, or otherwise
}

// Discard closes what was opened for a change that is not to be.
func (c Change) Discard() {
	for _, in := range c.fresh {
		in.discard()
	}
}

// Prepare opens the methods that are configured and do not run yet, or run otherwise. What runs is not touched.
func (s *Set) Prepare(cfg Config) (Change, error) {
	c := Change{config: cfg, wanted: map[accounting.MethodName]accounting.Spec{}}
	for _, spec := range cfg.Specs {
		name := spec.Name()
		if c.wanted[name] != nil {
			c.Discard()
			return Change{}, fmt.Errorf("%w: method %q twice", ErrConfig, string(name))
		}
		c.wanted[name] = spec
		if m := s.running[name]; m != nil && m.spec.Equal(spec) {
			continue
		}
		in, err := s.open(spec)
		if err != nil {
			c.Discard()
			return Change{}, err
		}
		c.fresh = append(c.fresh, in)
	}
	return c, nil
}

// Apply makes the methods of a change the configured ones. The policy that names them is to be in place:
// new sessions do not name those that are removed now. trigger is why; ctx is only for its values.
func (s *Set) Apply(ctx context.Context, c Change, trigger onoff.Trigger) {
	s.mu.Lock()
	s.config = c.config
	s.mu.Unlock()
	for _, in := range c.fresh {
		s.start(ctx, in, trigger)
	}
	s.mu.Lock()
	for name, spec := range c.wanted {
		delete(s.removed, name)
		s.running[name].spec = spec // with its description
	}
	s.hold()
	for name, m := range s.running {
		if c.wanted[name] == nil && s.removed[name] == nil {
			s.removed[name] = &removal{spec: m.spec}
		}
	}
	s.mu.Unlock()
	s.applyReroutes()
	s.CheckRemoved(ctx)
}

// start runs an instance, in place of the one that has its name. It runs on until the delivery has
// ended: answers to what is under way still count.
func (s *Set) start(ctx context.Context, in *instance, trigger onoff.Trigger) {
	name := in.spec.Name()
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.running[name]
	if old != nil && isClosed(s.over) { // a change at the end
		s.tasks.Go(in.discard)
		return
	}
	before, over := s.last[name], make(chan struct{})
	s.last[name] = over
	s.run(ctx, in)
	if old != nil {
		close(old.leave)
		trigger = onoff.TriggerConfigChange
	}
	s.running[name] = in
	s.hold() // before the first record
	s.delivery.SetMethod(name, in.Method, in.spec.Delivery())
	s.tasks.Go(func() {
		defer close(over)
		if before != nil {
			<-before
		}
		s.announce(in, trigger)
	})
}

// announce sends the Accounting-On of an instance, waits for its end and sends its Off. An instance that was replaced or
// removed while it waited for the Off of the one before says neither.
func (s *Set) announce(in *instance, trigger onoff.Trigger) {
	defer in.stop()
	if isClosed(in.leave) || isClosed(s.over) {
		return
	}
	in.begin(trigger)
	why := onoff.TriggerConfigChange
	select {
	case <-in.leave:
	case <-s.over:
		why = onoff.TriggerShutDown
	}
	s.end(in, why)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
