package sessions

import (
	"container/heap"
	"context"
	"log/slog"
	"sync"
	"time"
)

// TerminatorConfig is how sessions are ended.
type TerminatorConfig struct {
	// StopWait is how long after an ACK the NAS's stop may take before we make the stop record (R31); 0 means 10 s.
	StopWait time.Duration
	// RetryMin and RetryMax bound the wait between attempts, which doubles; 0 means 2 s and 5 min.
	RetryMin, RetryMax time.Duration
	// Parallel is how many attempts may be under way; 0 means 64.
	Parallel int
	// PerNAS is how many of them may be at one NAS, for one that is silent keeps each for seconds; 0 means 8.
	PerNAS int
}

func (c TerminatorConfig) withDefaults() TerminatorConfig {
	if c.StopWait == 0 {
		c.StopWait = 10 * time.Second
	}
	if c.RetryMin == 0 {
		c.RetryMin = 2 * time.Second
	}
	if c.RetryMax == 0 {
		c.RetryMax = 5 * time.Minute
	}
	if c.Parallel == 0 {
		c.Parallel = 64
	}
	if c.PerNAS == 0 {
		c.PerNAS = 8
	}
	return c
}

// Termination is how far the ending of a session has come.
type Termination struct {
	Attempts int
	Last     Outcome   // of the newest attempt; zero before the first has come back
	Next     time.Time // when something is done again; zero while an attempt is under way
}

// Terminator ends sessions that are [Terminating]: it asks the NAS, again with back-off as long as
// the session lives, and closes the session when the NAS does not know it or, having agreed, sends
// no stop. It is told which by Start. First attempts go ahead of further ones, and the NASes take turns.
type Terminator struct {
	cfg    TerminatorConfig
	table  *Table
	nas    Disconnector
	logger *slog.Logger

	mu    sync.Mutex
	added []ID
	jobs  map[ID]*job
	wake  chan struct{}
}

// job is one session to be ended. All is Run's, which changes Termination under mu.
type job struct {
	id     ID
	nas    NAS       // of the session, once an attempt is due
	at     time.Time // when it is due, if no attempt is due or under way
	agreed bool      // the NAS has sent an ACK: due is the end of the wait for its stop
	Termination
}

// NewTerminator makes a Terminator that has nothing to do.
func NewTerminator(cfg TerminatorConfig, table *Table, nas Disconnector, logger *slog.Logger) *Terminator {
	return &Terminator{
		cfg: cfg.withDefaults(), table: table, nas: nas, logger: logger,
		jobs: map[ID]*job{}, wake: make(chan struct{}, 1),
	}
}

// Start begins to end sessions, which no [Table.Undo] takes back any more. One that is being ended already
// goes on as before.
func (t *Terminator) Start(ids ...ID) {
	t.table.keep(ids)
	t.mu.Lock()
	t.added = append(t.added, ids...)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Status tells how far the ending of a session has come; false if it is not under way.
func (t *Terminator) Status(id ID) (Termination, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := t.jobs[id]
	if j == nil {
		return Termination{}, false
	}
	return j.Termination, true
}

// result is an attempt that came back.
type result struct {
	job *job
	out Outcome
}

// Run ends sessions until ctx is done. It begins with those that a restart found being terminated.
func (t *Terminator) Run(ctx context.Context) error {
	var resumed []ID
	for s := range t.table.View().All() {
		if s.State == Terminating {
			resumed = append(resumed, s.ID)
		}
	}
	t.Start(t.table.unclaimed(resumed)...) // whoever has marked others since gives them to Start, or undoes it

	var due dueHeap
	ready := newReady(t.cfg.PerNAS)
	results := make(chan result)
	running := 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	var attempts sync.WaitGroup
	defer attempts.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
			t.take(&due)
		case r := <-results:
			running--
			ready.ended(r.job.nas)
			t.settle(r, &due)
		case <-timer.C:
		}
		t.ripen(&due, &ready)
		for running < t.cfg.Parallel {
			j := ready.next()
			if j == nil {
				break
			}
			s := t.claim(j)
			if s == nil {
				continue
			}
			running++
			ready.begun(j.nas)
			attempts.Go(func() {
				out := t.nas.Disconnect(ctx, s)
				select {
				case results <- result{j, out}:
				case <-ctx.Done():
				}
			})
		}
		// What is due has left the heap, so the timer is for later, also when all places are taken.
		if len(due) > 0 {
			timer.Reset(due[0].at.Sub(t.table.now()))
		}
	}
}

// take makes jobs of the sessions that Start was told.
func (t *Terminator) take(due *dueHeap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range t.added {
		if t.jobs[id] == nil {
			j := &job{id: id, at: t.table.now()}
			t.jobs[id] = j
			heap.Push(due, j)
		}
	}
	t.added = nil
}

// ripen makes ready what is due, and closes the sessions whose stop has been waited for.
func (t *Terminator) ripen(due *dueHeap, ready *ready) {
	for now := t.table.now(); len(*due) > 0 && !(*due)[0].at.After(now); {
		j := heap.Pop(due).(*job)
		s := t.session(j)
		switch {
		case s == nil:
		case j.agreed:
			t.forget(j)
			t.logger.Info("no stop after disconnect, closing session", "session", j.id.String(), "user", s.User, "nas", s.NAS.String())
			t.close(j.id)
		default:
			j.nas = *s.NAS
			ready.add(j)
		}
	}
}

// session is what a job is to end; nil, and the job is done with, if that is over.
func (t *Terminator) session(j *job) *Session {
	s := t.table.View().Get(j.id)
	if s == nil || s.State != Terminating {
		t.forget(j)
		return nil
	}
	return s
}

func (t *Terminator) forget(j *job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.jobs, j.id)
}

// claim readies a job for an attempt and returns its session, or nil if there is nothing to ask any more.
func (t *Terminator) claim(j *job) *Session {
	s := t.session(j)
	if s == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	j.Next = time.Time{}
	j.Attempts++
	return s
}

// settle decides what follows an attempt.
func (t *Terminator) settle(r result, due *dueHeap) {
	j := r.job
	wait, over := next(r.out, j.Attempts, t.cfg)
	t.logger.Info("disconnect", "session", j.id.String(), "attempt", j.Attempts, "outcome", r.out.String(), "next", wait)
	if over {
		t.forget(j)
		t.close(j.id)
		return
	}
	j.agreed = r.out.Answer == ACK
	j.at = t.table.now().Add(wait)
	t.mu.Lock()
	j.Last, j.Next = r.out, j.at
	t.mu.Unlock()
	heap.Push(due, j)
}

// next is the policy: how long to wait after an attempt, or that the session is to be closed now.
func next(o Outcome, attempt int, cfg TerminatorConfig) (wait time.Duration, over bool) {
	switch {
	case o.Answer == NAK && o.ErrorCause == SessionContextNotFound:
		return 0, true
	case o.Answer == ACK:
		return cfg.StopWait, false
	}
	doubled := min(attempt-1, 62)
	if cfg.RetryMin > cfg.RetryMax>>doubled {
		return cfg.RetryMax, false // compared before the shift, which could overflow
	}
	return cfg.RetryMin << doubled, false
}

// close makes the stop. If the journal takes nothing now, the session stays and is asked for again.
func (t *Terminator) close(id ID) {
	if err := t.table.End(id, CauseAdminReset, t.table.now(), nil); err != nil {
		t.logger.Warn("session not closed yet", "session", id.String(), "err", err)
		time.AfterFunc(t.cfg.RetryMin, func() { t.Start(id) })
	}
}

// dueHeap is the waiting jobs, the first due first.
type dueHeap []*job

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(*job)) }

func (h *dueHeap) Pop() any {
	old := *h
	j := old[len(old)-1]
	*h = old[:len(old)-1]
	return j
}
