package main

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/local"
	"aaasess/accounting/onoff"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
	"aaasess/store"
)

// methods runs the accounting methods, and the delivery of records to them. A reload starts and replaces
// them. One that a reload removes delivers as long as live sessions or records name it.
//
// One goroutine calls all of its functions, but for report and those of groups.go and status.go.
type methods struct {
	store    *store.Store
	delivery *delivery.Delivery
	over     chan struct{}   // closed when the delivery has ended
	live     func() []string // routes of live sessions
	resolve  lookup
	names    func() *radius.Dictionary // for the local file
	log      *slog.Logger
	ended    chan error // of a method, or the delivery, that failed
	tasks    sync.WaitGroup
	orphans  map[string]bool // queues that were told of

	mu       sync.Mutex // guards writes, and the reads of other goroutines
	running  map[accounting.MethodName]*method
	rerouted map[string]string // lists that queues without a method of their own go by
	removed  map[accounting.MethodName]*removal
	onOff    onOffConfig
	routes   routes                                    // of the lists that are configured
	leaving  map[accounting.MethodName]<-chan struct{} // closed when the Off of a method that has ended is over
}

// method is one that runs. It outlives a change of its configuration.
type method struct {
	*part               // guarded by methods.mu
	left  chan struct{} // closed when it was removed
	over  bool          // guarded by methods.mu: the part is being ended, and no other one takes its place
}

// newMethods makes the methods of a store. live gives the routes of live sessions.
func newMethods(st *store.Store, live func() []string, resolve lookup, names func() *radius.Dictionary, log *slog.Logger) *methods {
	return &methods{
		store: st, delivery: delivery.New(delivery.Config{}, st, log), over: make(chan struct{}), live: live,
		resolve: resolve, names: names, log: log, ended: make(chan error, 1),
		removed: map[accounting.MethodName]*removal{}, orphans: map[string]bool{}, running: map[accounting.MethodName]*method{},
		leaving: map[accounting.MethodName]<-chan struct{}{}, rerouted: map[string]string{},
	}
}

// deliver runs the delivery until ctx is done. The methods of the start are there already.
func (m *methods) deliver(ctx context.Context) {
	m.tasks.Go(func() {
		defer close(m.over)
		m.report(m.delivery.Run(ctx))
	})
}

// made is a method that does not run yet.
type made struct {
	spec any // what it was made from: a config.Group, or the local file's name
	impl interface {
		accounting.Method
		task
	}
}

// change is what the next apply does.
type change struct {
	onOff  onOffConfig
	routes routes
	wanted map[accounting.MethodName]any
	fresh  map[accounting.MethodName]made // those of wanted that do not run yet, or otherwise
}

// discard ends methods that are not wanted after all.
func (c change) discard() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, f := range c.fresh {
		_ = f.impl.Run(ctx)
	}
}

// prepare makes the methods that are configured and do not run yet. It is what can fail in a
// change; what runs is not touched.
func (m *methods) prepare(cfg *config.Config) (change, error) {
	c := change{
		onOff: newOnOffConfig(cfg), routes: newRoutes(cfg), wanted: map[accounting.MethodName]any{}, fresh: map[accounting.MethodName]made{},
	}
	for _, g := range cfg.RADIUS.Groups {
		c.wanted[accounting.Group(g.Name)] = g
	}
	for _, l := range cfg.Accounting.Lists {
		for _, name := range l.Methods {
			if accounting.MethodName(name) == accounting.Local {
				c.wanted[accounting.Local] = cfg.Accounting.Local.File
			}
		}
	}
	for name, spec := range c.wanted {
		if old := m.running[name]; old != nil && same(old.spec, spec) && !m.onOff.differs(c.onOff, old.spec) {
			continue
		}
		f, err := m.make(name, spec)
		if err != nil {
			c.discard()
			return change{}, err
		}
		c.fresh[name] = f
	}
	return c, nil
}

// same reports whether two specs make the same method, whatever it is described as.
func same(a, b any) bool {
	bare := func(spec any) any {
		if g, ok := spec.(config.Group); ok {
			g.Description = ""
			return g
		}
		return spec
	}
	return reflect.DeepEqual(bare(a), bare(b))
}

// apply makes the methods of a change the configured ones. The policy is to be in place: no new
// record goes to those that are removed now. trigger is why.
func (m *methods) apply(ctx context.Context, c change, trigger onoff.Trigger) {
	m.mu.Lock()
	m.onOff, m.routes = c.onOff, c.routes
	m.mu.Unlock()
	for name, f := range c.fresh {
		m.start(ctx, name, f, trigger)
	}
	m.mu.Lock()
	for name, spec := range c.wanted {
		delete(m.removed, name)
		m.running[name].spec = spec // with its description
	}
	m.hold()
	for name, r := range m.running {
		if _, stays := c.wanted[name]; !stays {
			if m.removed[name] == nil {
				m.removed[name] = &removal{spec: r.spec}
			}
		}
	}
	m.mu.Unlock()
	m.applyReroutes()
	m.tend(ctx)
}

func (m *methods) make(name accounting.MethodName, spec any) (made, error) {
	heard := func() {
		m.delivery.Heard(name)
	}
	switch spec := spec.(type) {
	case config.Group:
		if hasNames(spec) {
			return made{spec, newNamedGroup(spec, m.resolve, lookupTimes{}, heard, m.log)}, nil
		}
		g, err := newGroup(spec, literals(spec), 0, heard, m.log)
		return made{spec, g}, err
	case string:
		w, err := local.Open(spec, m.names, m.log)
		return made{spec, w}, err
	}
	return made{}, fmt.Errorf("method of type %T", spec)
}

// start runs a method, in place of the one that has its name. A method runs on until the delivery has
// ended: answers to what is under way still count.
func (m *methods) start(ctx context.Context, name accounting.MethodName, f made, trigger onoff.Trigger) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.running[name]
	if r != nil && r.over { // a reload while the daemon ends
		change{fresh: map[accounting.MethodName]made{name: f}}.discard()
		return
	}
	p := m.newPart(ctx, name, f)
	if r != nil {
		old := r.part
		r.part = p
		m.hold()
		m.delivery.SetMethod(name, p.impl, methodConfig(f.spec))
		m.tasks.Go(func() {
			m.end(old, onoff.TriggerConfigChange)
			p.begin(onoff.TriggerConfigChange)
		})
		return
	}
	r = &method{part: p, left: make(chan struct{})}
	m.running[name] = r
	m.hold() // before the first record
	m.delivery.SetMethod(name, p.impl, methodConfig(f.spec))
	left, gone := m.leaving[name], make(chan struct{})
	m.leaving[name] = gone
	m.tasks.Go(func() {
		if left != nil {
			<-left // its Off comes before our On
		}
		p.begin(trigger)
	})
	m.tasks.Go(func() {
		defer close(gone)
		why := onoff.TriggerConfigChange
		select {
		case <-r.left:
		case <-m.over:
			why = onoff.TriggerShutDown
		}
		m.mu.Lock()
		last := r.part
		r.over = true
		m.mu.Unlock()
		m.end(last, why)
	})
}

// report keeps the first error of a task.
func (m *methods) report(err error) {
	if err != nil {
		select {
		case m.ended <- err:
		default:
		}
	}
}

// wait returns when all methods have ended, after the context that they run with.
func (m *methods) wait() { m.tasks.Wait() }

// reopen has the local file opened again, for logrotate.
func (m *methods) reopen() {
	for _, r := range m.running {
		if w, ok := r.impl.(*local.Writer); ok {
			w.Reopen()
		}
	}
}
