package termination

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/timeheap"
	"aaasess/sessions"
)

// The defaults of a [Config].
const (
	DefaultStopWait = 30 * time.Second
	DefaultRetryMin = 2 * time.Second
	DefaultRetryMax = 5 * time.Minute
)

// Config has the settings of a [Terminator].
type Config struct {
	// StopWait is how long the Terminator waits for the NAS's stop after an ACK. Then it makes the
	// stop record itself (R31). 0 means 30 s: if the stop of hostapd is lost, hostapd sends it
	// again after 3, 9 and 21 s.
	StopWait time.Duration
	// RetryMin is the wait after the first attempt. Each further wait is twice as long, up to
	// RetryMax. 0 means 2 s and 5 min.
	RetryMin, RetryMax time.Duration
	// Parallel limits the attempts under way; 0 means 256.
	Parallel int
	// PerNAS limits the attempts under way at one NAS; 0 means 32. That many are under way only
	// while the NAS answers quickly; otherwise there are at most 8.
	PerNAS int
	// ClientName returns the configured name of the client that a NAS belongs to, for the log, by
	// the source address of the NAS; "" if it has none. nil: no NAS has one.
	ClientName func(netip.Addr) string
	// CanEnd returns why nothing can end a session, see [ErrNoMeans], or nil. nil: each session can
	// be ended.
	CanEnd func(*sessions.Session) error
	// Now reads the host's clock; nil means time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	c.StopWait = cmp.Or(c.StopWait, DefaultStopWait)
	c.RetryMin, c.RetryMax = cmp.Or(c.RetryMin, DefaultRetryMin), cmp.Or(c.RetryMax, DefaultRetryMax)
	c.Parallel, c.PerNAS = cmp.Or(c.Parallel, 256), cmp.Or(c.PerNAS, 32)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// stuckAfter is the number of attempts after which a session counts as stuck. With the default
// settings and a silent NAS that is about a minute after the first attempt.
const stuckAfter = 5

// Progress is the progress of ending a session.
type Progress struct {
	Attempts int       // how many attempts were started
	Asking   bool      // an attempt is under way
	Last     Outcome   // of the newest finished attempt; zero if none has finished
	Next     time.Time // when the next step is due; zero while an attempt is under way
	// Stuck says that the session has not ended in stuckAfter attempts, and that the NAS has not
	// answered ACK since; or that it has no means to end it (ErrNoMeans). The Terminator goes on
	// asking.
	Stuck bool
}

// Terminator ends sessions that are [sessions.Terminating]. It asks the NAS to end a session, and
// repeats that with back-off while the session lives. It ends the session itself if the NAS does not
// have it, or if the NAS sends no stop after an ACK. First attempts go before retries, and the NASes
// take turns. Start tells the Terminator which sessions to end.
//
// Its lock may be taken while the Table's lock is held, never the other way round.
type Terminator struct {
	cfg    Config
	table  *sessions.Table
	nas    Disconnector
	logger *slog.Logger

	mu           sync.Mutex
	added        []sessions.ID // by Start; Run has not made jobs of them yet
	jobs         map[sessions.ID]*job
	attempts     map[sessions.ID]*runningAttempt
	delayedStops []*delayedStop
	wake         chan struct{}

	watchers []*Watcher
	seq      uint64 // of the newest event

	ready chan struct{}
}

// job is one session to be ended. Run owns its fields, except Progress and sessionEnded, which
// mu guards. Run may read Attempts without mu, because only Run changes it. If stopTime is set, the
// next step is to make the stop record, with that time; else it is to ask the NAS.
type job struct {
	id           sessions.ID
	nas          sessions.NAS         // of the session; set before an attempt
	user         string               // of the session; set before an attempt
	due          timeheap.Entry[*job] // in the heap while no attempt is due or under way
	stopTime     time.Time            // of the stop record that we make
	memory       any                  // the Disconnector's, see Attempt.Memory
	sessionEnded bool                 // the session is no longer in the table
	warned       bool                 // the log has said that it is stuck
	Progress
}

// New returns a Terminator without sessions to end. From now on the table reports to it
// that a session has ended. A table reports only to its newest Terminator.
func New(cfg Config, table *sessions.Table, nas Disconnector, logger *slog.Logger) *Terminator {
	t := &Terminator{
		cfg: cfg.withDefaults(), table: table, nas: nas, logger: logger,
		jobs: map[sessions.ID]*job{}, attempts: map[sessions.ID]*runningAttempt{}, wake: make(chan struct{}, 1),
		ready: make(chan struct{}),
	}
	table.OnEnd(t.rowEnded)
	return t
}

// Start adds sessions to be ended. After that [sessions.Table.Undo] does not change them. For a
// session that is being ended already, nothing changes.
func (t *Terminator) Start(ids ...sessions.ID) {
	t.table.MakeFinal(ids)
	t.mu.Lock()
	t.added = append(t.added, ids...)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// CanEnd returns why nothing can end a session, or nil. Whoever wants to end a session asks it before
// [sessions.Table.Disconnect]. The error wraps [ErrNoMeans].
func (t *Terminator) CanEnd(s *sessions.Session) error {
	if t.cfg.CanEnd == nil {
		return nil
	}
	return t.cfg.CanEnd(s)
}

// Status returns the progress of ending a session; false if the session is not being ended.
func (t *Terminator) Status(id sessions.ID) (Progress, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := t.jobs[id]
	if j == nil {
		return Progress{}, false
	}
	return j.Progress, true
}

// Stuck returns how many sessions are stuck, see [Progress].
func (t *Terminator) Stuck() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, j := range t.jobs {
		if j.Stuck {
			n++
		}
	}
	return n
}

// String names the Terminator for a log.
func (t *Terminator) String() string { return "session terminator" }

// Ready is closed when Run has added the sessions that were being ended before a restart.
func (t *Terminator) Ready() <-chan struct{} { return t.ready }

// Run ends sessions until ctx is done. It begins with those that were being ended before a restart.
// Call it once.
func (t *Terminator) Run(ctx context.Context) error {
	t.resume()
	close(t.ready)
	var waiting jobHeap
	ready := newReadyJobs(t.cfg.PerNAS)
	results := make(chan attemptResult)
	running := 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	var goroutines sync.WaitGroup
	defer goroutines.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
			t.addJobs(&waiting)
		case r := <-results:
			running--
			ready.finished(r.job.nas, speedOf(r.outcome, r.at.Sub(r.began)))
			t.settle(r, &waiting)
		case <-timer.C:
		}
		t.processDue(&waiting, &ready)
		for running < t.cfg.Parallel {
			j := ready.next()
			if j == nil {
				break
			}
			a := t.startAttempt(ctx, j)
			if a == nil {
				ready.skipped(j.nas)
				continue
			}
			running++
			ready.started(j.nas)
			goroutines.Go(func() {
				r := t.runAttempt(a)
				select {
				case results <- r:
				case <-ctx.Done():
				}
			})
		}
		// Jobs that are due have left the heap, even if no attempt can start now. So the timer is
		// for a later job.
		if at := waiting.Next(); !at.IsZero() {
			timer.Reset(at.Sub(t.cfg.Now()))
		}
	}
}

// resume starts the sessions that were being ended before a restart. It leaves out sessions marked
// since the restart: whoever marked them calls Start or [sessions.Table.Undo].
func (t *Terminator) resume() {
	var found []sessions.ID
	for s := range t.table.View().All() {
		if s.State == sessions.Terminating {
			found = append(found, s.ID)
		}
	}
	t.Start(t.table.NotUndoable(found)...)
}

// addJobs makes jobs of the sessions that Start has added.
func (t *Terminator) addJobs(waiting *jobHeap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range t.added {
		if old := t.jobs[id]; old == nil || old.sessionEnded {
			j := &job{id: id}
			t.jobs[id] = j
			waiting.Set(j, &j.due, t.cfg.Now())
		}
	}
	t.added = nil
}

// processDue takes the jobs that are due out of the heap. If the wait for the stop is over, it
// closes the session; else the job is ready for an attempt.
func (t *Terminator) processDue(waiting *jobHeap, ready *readyJobs) {
	now := t.cfg.Now()
	for j, ok := waiting.Due(now); ok; j, ok = waiting.Due(now) {
		waiting.Remove(&j.due)
		s := t.terminating(j)
		if s == nil {
			t.forget(j)
			continue
		}
		j.nas, j.user = *s.NAS, s.User()
		switch {
		case !j.stopTime.IsZero():
			t.log(j).Info("disconnect: no stop from the NAS, making the stop record")
			t.closeSession(j, waiting)
		case !s.Acked().IsZero(): // before a restart: the wait for its stop begins again
			j.stopTime = t.table.Date(s.Acked())
			t.schedule(j, t.cfg.Now().Add(t.cfg.StopWait), waiting)
		default:
			ready.add(j)
		}
	}
}

// terminating returns the session of a job, or nil if it has ended.
func (t *Terminator) terminating(j *job) *sessions.Session {
	s := t.table.View().Get(j.id)
	t.mu.Lock()
	defer t.mu.Unlock()
	if j.sessionEnded || s == nil || s.State != sessions.Terminating {
		return nil
	}
	return s
}

// forget removes a job, unless a newer one has replaced it.
func (t *Terminator) forget(j *job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.jobs[j.id] == j {
		delete(t.jobs, j.id)
	}
}

// log returns a logger whose lines name the session of a job.
func (t *Terminator) log(j *job) *slog.Logger {
	log := t.logger.With("session", j.id.String(), "user", j.user, "nas", j.nas.String())
	if t.cfg.ClientName == nil {
		return log
	}
	if client := t.cfg.ClientName(j.nas.Addr); client != "" {
		return log.With("client", client)
	}
	return log
}

// jobHeap has the jobs that wait, ordered by when they are due.
type jobHeap = timeheap.Heap[*job]
