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
	// StopWait is how long after an ACK the NAS's stop may take before we make the stop record (R31); 0 means 30 s: hostapd
	// sends a stop that was lost again after 3, 9 and 21 s.
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
		c.StopWait = 30 * time.Second
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
	Attempts int       // how often the NAS was asked, with the attempt that is under way
	Asking   bool      // an attempt is under way
	Last     Outcome   // of the newest attempt that has come back; zero before the first has
	Next     time.Time // when something is done again; zero while an attempt is under way
}

// Terminator ends sessions that are [Terminating]: it asks the NAS, again with back-off as long as
// the session lives, and closes the session when the NAS does not know it or, having agreed, sends
// no stop. It is told which by Start. First attempts go ahead of further ones, and the NASes take turns.
//
// Its lock may be taken while that of the Table is held, never the other way round.
type Terminator struct {
	cfg    TerminatorConfig
	table  *Table
	nas    Disconnector
	logger *slog.Logger

	mu      sync.Mutex
	added   []ID
	jobs    map[ID]*job
	flights map[ID]*flight // attempts under way
	held    []*heldStop    // stops that wait for the outcome of one
	wake    chan struct{}

	watchers []*Watcher
	seq      uint64 // of the newest event

	ready chan struct{}
}

// job is one session to be ended. Its fields belong to Run, except Termination and gone, which mu guards. Run may read
// Attempts without mu, because only Run changes it.
type job struct {
	id     ID
	nas    NAS       // of the session, once an attempt is due
	user   string    // of the session, as nas
	at     time.Time // when it is due, if no attempt is due or under way
	ended  time.Time // the moment that our own stop is to carry, made when the job is due; zero: the NAS is to be asked
	memory any       // the Disconnector's
	gone   bool      // the row has ended; set by whoever ends it
	Termination
}

// NewTerminator makes a Terminator that has nothing to do. From now on the table tells it when a row
// ends; a table has one Terminator, the newest.
func NewTerminator(cfg TerminatorConfig, table *Table, nas Disconnector, logger *slog.Logger) *Terminator {
	t := &Terminator{
		cfg: cfg.withDefaults(), table: table, nas: nas, logger: logger,
		jobs: map[ID]*job{}, flights: map[ID]*flight{}, wake: make(chan struct{}, 1),
		ready: make(chan struct{}),
	}
	table.whenEnded(t.rowEnded)
	return t
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

// String names the Terminator for a log.
func (t *Terminator) String() string { return "session terminator" }

// Ready is closed when Run has taken up the sessions that a restart found being terminated.
func (t *Terminator) Ready() <-chan struct{} { return t.ready }

// Run ends sessions until ctx is done. It begins with those that a restart found being terminated. Call it once.
func (t *Terminator) Run(ctx context.Context) error {
	t.resume()
	close(t.ready)
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
			t.accept(&due)
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
			f := t.begin(ctx, j)
			if f == nil {
				continue
			}
			running++
			ready.begun(j.nas)
			attempts.Go(func() {
				r := t.attempt(f)
				select {
				case results <- r:
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

// resume starts what a restart found being terminated. Whoever has marked others since gives them to
// Start, or undoes it.
func (t *Terminator) resume() {
	var found []ID
	for s := range t.table.View().All() {
		if s.State == Terminating {
			found = append(found, s.ID)
		}
	}
	t.Start(t.table.unclaimed(found)...)
}

// accept makes jobs of the sessions that Start was told.
func (t *Terminator) accept(due *dueHeap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range t.added {
		if old := t.jobs[id]; old == nil || old.gone {
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
		if s == nil {
			t.forget(j)
			continue
		}
		j.nas, j.user = *s.NAS, s.User
		switch {
		case !j.ended.IsZero():
			t.log(j).Info("disconnect: the session ends with a stop of our own")
			t.close(j, due)
		case s.Acked != 0: // before a restart: the wait for its stop begins again
			j.ended = t.table.Date(s.Acked)
			t.later(j, t.table.now().Add(t.cfg.StopWait), due)
		default:
			ready.add(j)
		}
	}
}

// session is what a job is to end, or nil if that is over.
func (t *Terminator) session(j *job) *Session {
	s := t.table.View().Get(j.id)
	t.mu.Lock()
	defer t.mu.Unlock()
	if j.gone || s == nil || s.State != Terminating {
		return nil
	}
	return s
}

func (t *Terminator) forget(j *job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.jobs[j.id] == j {
		delete(t.jobs, j.id)
	}
}

// log is a logger that says which session a line is about.
func (t *Terminator) log(j *job) *slog.Logger {
	return t.logger.With("session", j.id.String(), "user", j.user, "nas", j.nas.String())
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
