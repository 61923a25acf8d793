package resync

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"aaasess/accounting"
	"aaasess/sessions"
)

// Config has what [Resyncs] need of the daemon. All functions may be called from any goroutine.
type Config struct {
	Table *sessions.Table
	// Decide is [accounting.Router.Resync].
	Decide func(s *sessions.Session, m accounting.MethodName, wanted sessions.EventType) (sessions.EventType, accounting.LeftOut)
	// Waiting returns how many records wait in the queue of a method. configured is false if there
	// is no such method now.
	Waiting func(m accounting.MethodName) (records uint64, configured bool)
	Logger  *slog.Logger
}

// Resyncs carries out the resyncs of a daemon. It is a task.
type Resyncs struct {
	cfg   Config
	ready chan struct{}
	left  []*job        // those that an earlier daemon has begun, for Run
	begun chan *job     // jobs for Run
	ended chan struct{} // closed when Run takes no more

	mu   sync.Mutex
	jobs map[accounting.MethodName]*job // the latest of each method
}

// job is one resync.
type job struct {
	method   accounting.MethodName
	progress Progress // as decided; its goroutine owns it
	cancel   context.CancelFunc
	canceled context.Context // done when the resync is to end
	over     chan struct{}   // closed when its goroutine has ended
	underWay chan error      // results of parts that are not durable yet
	pending  int             // how many these are; its goroutine owns it

	// Guarded by Resyncs.mu.
	durable Progress
	waiting string // why it makes no records now; "": it makes some
}

// Status is the state of a resync, as far as it is durable.
type Status struct {
	Method accounting.MethodName
	Progress
	Waiting string // why no records are made now; "" if some are
}

// New returns Resyncs without any resync.
func New(cfg Config) *Resyncs {
	return &Resyncs{cfg: cfg, ready: make(chan struct{}), begun: make(chan *job), ended: make(chan struct{}), jobs: map[accounting.MethodName]*job{}}
}

func newJob(m accounting.MethodName, p Progress) *job {
	j := &job{method: m, progress: p, durable: p, over: make(chan struct{}), underWay: make(chan error, maxUnderWay)}
	j.canceled, j.cancel = context.WithCancel(context.Background())
	return j
}

// String names the task for a log.
func (r *Resyncs) String() string { return "resyncs" }

// Ready is closed when Run has begun.
func (r *Resyncs) Ready() <-chan struct{} { return r.ready }

// Load loads a key and value of the stored state, if it is that of a resync. Call it before Run.
func (r *Resyncs) Load(key, value []byte) error {
	if len(key) == 0 || key[0] != keyPrefix {
		return nil
	}
	m := accounting.MethodName(key[1:])
	p, err := parseProgress(value)
	if err != nil {
		return fmt.Errorf("%w: resync of method %q", err, string(m))
	}
	r.jobs[m] = newJob(m, p)
	if p.State == Running {
		r.left = append(r.left, r.jobs[m])
	}
	return nil
}

const keyPrefix = 'y'

// put returns the stored form of a job's progress.
func (j *job) put(p *Progress) sessions.Put {
	return sessions.Put{Key: append([]byte{keyPrefix}, j.method...), Value: p.append(nil)}
}

// Run carries out resyncs until ctx is done, those first that an earlier daemon has begun. Call it
// once. What is left then continues in the next daemon.
func (r *Resyncs) Run(ctx context.Context) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	defer close(r.ended)
	start := func(j *job) { jobs.Go(func() { r.carryOut(ctx, j) }) }
	for _, j := range r.left {
		start(j)
	}
	close(r.ready)
	for {
		select {
		case <-ctx.Done():
			return nil
		case j := <-r.begun:
			start(j)
		}
	}
}

// Start begins a resync of a method, with records of type Start or Interim, rate a second. It
// returns when that is durable: from then on the resync survives a crash. The error is [ErrRunning],
// or the reason why nothing can be stored.
func (r *Resyncs) Start(m accounting.MethodName, t sessions.EventType, rate uint32) (Status, error) {
	if err := r.cfg.Table.Accepting(); err != nil {
		return Status{}, err
	}
	j := newJob(m, Progress{
		State: Running, Type: t, Rate: max(1, rate), Began: now(), Next: 1, Before: r.cfg.Table.Clock(), Total: uint64(r.cfg.Table.View().Len()),
	})
	r.mu.Lock()
	before := r.jobs[m]
	if before != nil && before.durable.State == Running {
		r.mu.Unlock()
		return before.status(r), ErrRunning
	}
	r.jobs[m] = j
	r.mu.Unlock()
	if err := r.store(j); err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.jobs[m] = before; before == nil {
			delete(r.jobs, m)
		}
		return Status{}, err
	}
	select {
	case r.begun <- j: // also if the caller has gone: from now on it is stored as running
	case <-r.ended: // the next daemon continues it
	}
	return j.status(r), nil
}

// now returns the time in whole seconds, as it is stored.
func now() time.Time { return time.Now().Truncate(time.Second) }

// Cancel ends a resync. It returns when that is durable: then no further record is made. The error
// is [ErrNotRunning], [ErrNotStored], or that of ctx, and then the resync ends nevertheless.
func (r *Resyncs) Cancel(ctx context.Context, m accounting.MethodName) (Status, error) {
	r.mu.Lock()
	j := r.jobs[m]
	if j == nil || j.durable.State != Running {
		r.mu.Unlock()
		return Status{}, ErrNotRunning
	}
	r.mu.Unlock()
	j.cancel()
	select {
	case <-j.over:
	case <-ctx.Done():
		return Status{}, context.Cause(ctx)
	}
	s := j.status(r)
	if s.State == Running {
		return s, ErrNotStored
	}
	return s, nil
}

// Status returns the latest resync of a method; false if there was none.
func (r *Resyncs) Status(m accounting.MethodName) (Status, bool) {
	r.mu.Lock()
	j := r.jobs[m]
	r.mu.Unlock()
	if j == nil {
		return Status{}, false
	}
	return j.status(r), true
}

// Statuses returns the latest resync of each method, by its name.
func (r *Resyncs) Statuses() []Status {
	r.mu.Lock()
	methods := slices.Sorted(maps.Keys(r.jobs))
	r.mu.Unlock()
	out := make([]Status, 0, len(methods))
	for _, m := range methods {
		if s, ok := r.Status(m); ok {
			out = append(out, s)
		}
	}
	return out
}

func (j *job) status(r *Resyncs) Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Status{Method: j.method, Progress: j.durable, Waiting: j.waiting}
}

// store makes the progress of a job durable.
func (r *Resyncs) store(j *job) error {
	durable := make(chan error, 1)
	part := &sessions.Resync{State: func(sessions.ID) sessions.Put { return j.put(&j.progress) }}
	_ = r.cfg.Table.Resync(part, func(err error) { durable <- err }) // never refused
	if err := <-durable; err != nil {
		return err
	}
	r.setDurable(j, j.progress)
	return nil
}

func (r *Resyncs) setDurable(j *job, p Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.durable = p
}
