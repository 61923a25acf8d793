package conditions

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"aaasess/cmd/aaasessd/internal/statechange"
	"aaasess/internal/atomicfile"
	"aaasess/mib/aaasess"
)

// Every is the time between two samples.
const Every = time.Second

// Config configures a [Watcher]. Its functions may be called from any goroutine.
type Config struct {
	Limits     Limits
	Enterprise uint32 // the enterprise number of notifications
	// Sample takes a sample. It must not block.
	Sample func() Sample
	File   string // keeps what was told
	Logger *slog.Logger
	statechange.Ways
}

// States are the present states. They are immutable.
type States struct {
	Spool, Disk, Events bool // bad
	// Methods has those of the last sample.
	Methods map[string]MethodState
}

// MethodState is the state of a method.
type MethodState struct {
	Reason aaasess.Reason // why it is blocked
	Since  time.Time      // of being blocked, or not
}

// Stats count the changes of states.
type Stats struct {
	Spool   string   `json:"spool"`   // normal or over
	Disk    string   `json:"disk"`    // enough or short
	Events  string   `json:"events"`  // accepted or refused
	Blocked []string `json:"blocked"` // methods
	statechange.SenderStats
}

// Watcher watches the states, and tells managers of changes. [Open] creates one.
type Watcher struct {
	cfg    Config
	limits atomic.Pointer[Limits]
	states atomic.Pointer[States]
	sender *statechange.Sender[Key, Change]

	machine Machine // owned by the goroutine of Run

	unsaved chan struct{} // capacity 1: managers were told

	saving sync.Mutex // serializes save; held over I/O
	failed bool       // the last save; guarded by saving

	mu    sync.Mutex        // guards the fields below; never held over I/O
	told  map[Key]time.Time // the bad states that managers believe
	dirty bool              // the file does not have this
}

// Open creates a Watcher whose states are those of the file. It watches nothing before Run.
func Open(cfg Config) *Watcher {
	w := &Watcher{cfg: cfg, told: cfg.read(), unsaved: make(chan struct{}, 1)}
	w.SetLimits(cfg.Limits)
	for k, since := range w.told {
		w.machine.Restore(k, since)
	}
	sc := statechange.SenderConfig[Key, Change]{
		Key:          func(c *Change) (Key, bool) { return c.Key, c.Bad },
		Notification: func(c *Change) (statechange.Notification, bool) { return c.notification(cfg.Enterprise), true },
		Ways:         cfg.Ways,
	}
	if cfg.Notify != nil || cfg.Master != nil { // else nobody is told
		sc.Told = w.noteTold
	}
	w.sender = statechange.NewSender(sc)
	w.publish()
	return w
}

// SetLimits changes the limits.
func (w *Watcher) SetLimits(l Limits) { w.limits.Store(&l) }

// Limits returns the limits.
func (w *Watcher) Limits() Limits { return *w.limits.Load() }

// States returns the states of the last sample.
func (w *Watcher) States() *States { return w.states.Load() }

// Stats returns the states, and the statistics since Open.
func (w *Watcher) Stats() Stats {
	s := w.States()
	out := Stats{Spool: "normal", Disk: "enough", Events: "accepted", Blocked: s.Blocked(), SenderStats: w.sender.Stats()}
	if s.Spool {
		out.Spool = "over"
	}
	if s.Disk {
		out.Disk = "short"
	}
	if s.Events {
		out.Events = "refused"
	}
	return out
}

// Blocked returns the methods that are blocked, by name.
func (s *States) Blocked() []string {
	out := []string{}
	for _, name := range slices.Sorted(maps.Keys(s.Methods)) {
		if s.Methods[name].Reason.Blocked() {
			out = append(out, name)
		}
	}
	return out
}

// Run watches the states and tells changes until ctx ends. Call it once.
func (w *Watcher) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.sender.Run(ctx) })
	g.Go(func() error { return w.repeat(ctx, w.step, nil) })
	g.Go(func() error { return w.repeat(ctx, w.save, w.unsaved) })
	defer w.save() // what was told last
	return g.Wait()
}

// repeat calls a function at once, then each second, and when it is woken.
func (w *Watcher) repeat(ctx context.Context, do func(), wake <-chan struct{}) error {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

// step takes a sample.
func (w *Watcher) step() {
	s := w.cfg.Sample()
	changes := w.machine.Step(&s, w.Limits())
	w.publish()
	for _, c := range changes {
		w.sender.Changed(c)
	}
}

// publish makes States of the machine.
func (w *Watcher) publish() {
	m := &w.machine
	s := &States{Spool: m.spool.bad, Disk: m.disk.bad, Events: m.events.bad, Methods: make(map[string]MethodState, len(m.methods))}
	for name, q := range m.methods {
		s.Methods[name] = MethodState{q.reason, q.since}
	}
	w.states.Store(s)
}

// noteTold notes that managers were told of a change. The file has it at once: a process that does not know
// after a crash that managers believe something bad never tells them of its end.
func (w *Watcher) noteTold(c *Change) {
	defer func() {
		select {
		case w.unsaved <- struct{}{}:
		default: // it is about to be saved
		}
	}()
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Bad {
		w.told[c.Key] = c.Since
	} else {
		delete(w.told, c.Key)
	}
	w.dirty = true
}

// Flush tells what is held back, and saves what was told. Call it before the end of the process.
func (w *Watcher) Flush() {
	w.sender.Flush()
	w.save()
}

// save writes the file if it must be written. If that fails, it is tried again with the next call.
func (w *Watcher) save() {
	w.saving.Lock()
	defer w.saving.Unlock()
	w.mu.Lock()
	dirty, told := w.dirty, maps.Clone(w.told)
	w.dirty = false
	w.mu.Unlock()
	if !dirty {
		return
	}
	b, err := encode(told)
	if err == nil {
		err = atomicfile.Replace(w.cfg.File, b)
	}
	if err != nil {
		w.mu.Lock()
		w.dirty = true
		w.mu.Unlock()
		if !w.failed {
			w.cfg.Logger.Warn("snmp: what managers were told of our own states is not saved; after a restart they may be told again", "file", w.cfg.File, "err", err)
		}
	}
	w.failed = err != nil
}

// notification returns what managers are told of a change.
func (c *Change) notification(enterprise uint32) (n statechange.Notification) {
	switch c.Kind {
	case Spool:
		n.Trap, n.Vars = aaasess.SpoolChange(enterprise, &c.Spool)
	case Disk:
		n.Trap, n.Vars = aaasess.DiskChange(enterprise, &c.Store)
	case Events:
		n.Trap, n.Vars = aaasess.EventsChange(enterprise, &c.Store, &c.Spool)
	case Queue:
		n.Trap, n.Vars = aaasess.MethodChange(enterprise, &c.Method)
	}
	return n
}
