package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"reflect"
	"sync"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/local"
	"aaasess/accounting/radius"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/store"
)

// methods runs the accounting methods and a Deliverer for each. A reload starts, replaces and stops
// them; the queue of one that is stopped keeps its records until the method is configured again.
type methods struct {
	store *store.Store
	log   *slog.Logger
	ended chan error // of a method or Deliverer that failed
	tasks sync.WaitGroup

	mu      sync.Mutex
	running map[accounting.MethodName]*method
}

// method is one that runs. The Deliverer outlives a change of the method's configuration.
type method struct {
	spec      any // what it was made from: a config.Group, or the local file's name
	impl      accounting.Method
	deliverer *accounting.Deliverer
	stopImpl  context.CancelFunc // guarded by methods.mu, as spec and impl
	stop      context.CancelFunc
	done      chan struct{} // closed when the Deliverer has ended
}

func newMethods(st *store.Store, log *slog.Logger) *methods {
	return &methods{store: st, log: log, ended: make(chan error, 1), running: map[accounting.MethodName]*method{}}
}

// made is a method that does not run yet.
type made struct {
	spec any
	impl interface {
		accounting.Method
		task
	}
}

// discard ends a method that is not wanted after all.
func (f made) discard() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = f.impl.Run(ctx)
}

// apply makes the configured methods the running ones. After an error nothing has changed.
func (m *methods) apply(ctx context.Context, cfg *config.Config) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	wanted := map[accounting.MethodName]any{}
	for _, g := range cfg.RADIUS.Groups {
		wanted[accounting.Group(g.Name)] = g
	}
	for _, l := range cfg.Accounting.Lists {
		for _, name := range l.Methods {
			if accounting.MethodName(name) == accounting.Local {
				wanted[accounting.Local] = cfg.Accounting.Local.File
			}
		}
	}
	fresh := map[accounting.MethodName]made{}
	for name, spec := range wanted {
		if old := m.running[name]; old != nil && reflect.DeepEqual(old.spec, spec) {
			continue
		}
		impl, err := m.make(ctx, spec)
		if err != nil {
			for _, f := range fresh {
				f.discard()
			}
			return err
		}
		fresh[name] = impl
	}
	for name := range maps.Clone(m.running) {
		if _, stays := wanted[name]; !stays {
			m.remove(name)
		}
	}
	for name, f := range fresh {
		m.start(ctx, name, f)
	}
	m.warnOfOrphans()
	return nil
}

func (m *methods) make(ctx context.Context, spec any) (made, error) {
	switch spec := spec.(type) {
	case config.Group:
		g, err := m.newGroup(ctx, spec)
		return made{spec, g}, err
	case string:
		w, err := local.Open(spec, m.log)
		return made{spec, w}, err
	}
	return made{}, fmt.Errorf("method of type %T", spec)
}

// start runs a method, in place of the one that has its name. A method runs on after its Deliverer's
// context is done, until the Deliverer has ended: answers to what is under way still count.
func (m *methods) start(ctx context.Context, name accounting.MethodName, f made) {
	implCtx, stopImpl := context.WithCancel(context.WithoutCancel(ctx))
	m.tasks.Go(func() { m.report(f.impl.Run(implCtx)) })
	if r := m.running[name]; r != nil {
		r.deliverer.SetMethod(f.impl)
		r.stopImpl()
		r.spec, r.impl, r.stopImpl = f.spec, f.impl, stopImpl
		return
	}
	ctx, stop := context.WithCancel(ctx)
	r := &method{
		spec: f.spec, impl: f.impl, stopImpl: stopImpl, stop: stop, done: make(chan struct{}),
		deliverer: accounting.NewDeliverer(accounting.DelivererConfig{}, m.store, name, f.impl, m.log),
	}
	m.running[name] = r
	m.tasks.Go(func() {
		defer close(r.done)
		m.report(r.deliverer.Run(ctx))
		m.mu.Lock()
		defer m.mu.Unlock()
		r.stopImpl()
	})
}

// report keeps the first error of a task for wait.
func (m *methods) report(err error) {
	if err != nil {
		select {
		case m.ended <- err:
		default:
		}
	}
}

// remove ends a method and waits until it no longer reads its queue. It lets go of the lock
// meanwhile: the method's goroutine takes it at its end.
func (m *methods) remove(name accounting.MethodName) {
	r := m.running[name]
	delete(m.running, name)
	r.stop()
	m.mu.Unlock()
	<-r.done
	m.mu.Lock()
}

// wait returns when ctx is done and all methods have ended, or when one fails.
func (m *methods) wait(ctx context.Context) error {
	select {
	case err := <-m.ended:
		return err
	case <-ctx.Done():
		m.tasks.Wait()
		return nil
	}
}

// reopen has the local file opened again, for logrotate.
func (m *methods) reopen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.running {
		if w, ok := r.impl.(*local.Writer); ok {
			w.Reopen()
		}
	}
}

// warnOfOrphans tells of queues whose records wait for a method that is not configured.
func (m *methods) warnOfOrphans() {
	has := map[string]bool{accounting.RefusedQueue: true}
	for name := range m.running {
		has[name.Queue()] = true
	}
	for _, q := range m.store.Queues() {
		if q.Len > 0 && !has[q.Name] {
			m.log.Warn("records wait for a method that is not configured", "queue", q.Name, "records", q.Len)
		}
	}
}

// resolveWait bounds the look-up of a server's name.
const resolveWait = 5 * time.Second

func (m *methods) newGroup(ctx context.Context, g config.Group) (*radius.Group, error) {
	rc := radius.Config{
		Name: g.Name, Timeout: g.Timeout, Retransmit: orNone(g.Retransmit), HoldDown: g.HoldDown,
		MaxInFlight: g.Window, Logger: m.log,
	}
	if g.HoldDown == 0 {
		rc.HoldDown = -1
	}
	for _, s := range g.Servers {
		addr, err := resolve(ctx, s.Host)
		if err != nil {
			return nil, fmt.Errorf("server %s: %w", s.Name, err)
		}
		rc.Servers = append(rc.Servers, radius.Server{
			Name: s.Name, Addr: netip.AddrPortFrom(addr, s.Port), Secret: radius.Secret(s.Secret.Reveal()),
		})
	}
	return radius.New(rc)
}

// resolve gives the first address of a host.
func resolve(ctx context.Context, host string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveWait)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.Addr{}, err
	}
	return addrs[0].Unmap(), nil
}
