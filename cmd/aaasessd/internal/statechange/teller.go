package statechange

import (
	"context"
	"slices"
	"sync"
	"time"

	"aaasess/internal/servers"
	"aaasess/mib"
	"aaasess/mib/cas"
)

// Config configures a [Teller]. Its functions may be called from any goroutine.
type Config struct {
	// Enabled is casServerStateChangeEnable.
	Enabled func() bool
	// View returns the servers. It is not older than the last change.
	View func() *servers.View
	// Notify sends a notification to our own targets. It does not wait. nil: there are none.
	Notify func(trap mib.OID, vbs ...mib.Varbind) error
	// Master passes a notification to the master agent, and waits for its answer. nil: there is none.
	Master func(ctx context.Context, trap mib.OID, vbs []mib.Varbind) error
}

// Stats count changes of servers' states. Each change is counted once, but for Held.
type Stats struct {
	Enabled    bool   `json:"casServerStateChangeEnable"`
	Told       uint64 `json:"told"`
	Suppressed uint64 `json:"suppressed"` // because the server changes too often
	Disabled   uint64 `json:"disabled"`   // not told because of casServerStateChangeEnable
	WithoutRow uint64 `json:"withoutRow"` // the server has no row in the tables
	Dropped    uint64 `json:"dropped"`    // because too many changes came at once
	// Held is the number of servers whose present state is told later.
	Held int `json:"held"`
	// Master counts the notifications for the master agent; nil: there is none.
	Master *MasterStats `json:"masterAgent,omitempty"`
}

// MasterStats count notifications for the master agent.
type MasterStats struct {
	Waiting  int    `json:"waiting"`
	Accepted uint64 `json:"accepted"`
	Failed   uint64 `json:"failed"`  // the master agent has refused it, or the connection was lost
	Dropped  uint64 `json:"dropped"` // because too many waited; a later change of the server was sent
	Error    string `json:"lastError,omitempty"`
}

// Teller tells changes of servers' states. [New] creates one.
type Teller struct {
	cfg  Config
	wake chan struct{} // capacity 1: there are changes

	masterWake chan struct{} // capacity 1: there are notifications for the master agent

	mu      sync.Mutex // guards the fields below; never held over I/O
	changes queue[servers.Change]
	limiter Limiter
	stats   Stats
	master  queue[notification]
	sending bool // a notification is on its way to the master agent; it is not in master
	toldTo  MasterStats
}

// notification is casServerStateChange for the master agent.
type notification struct {
	trap mib.OID
	vbs  []mib.Varbind
}

// New creates a Teller. Changes wait until Run tells them.
func New(cfg Config) *Teller {
	return &Teller{
		cfg: cfg, wake: make(chan struct{}, 1), masterWake: make(chan struct{}, 1),
		changes: queue[servers.Change]{limit: queueLimit}, master: queue[notification]{limit: queueLimit},
	}
}

// Changed handles a change. It does not wait for anything.
func (t *Teller) Changed(c servers.Change) {
	t.mu.Lock()
	t.changes.push(c.Key(), c)
	t.mu.Unlock()
	wakeUp(t.wake)
}

func wakeUp(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is already awake, or about to be
	}
}

// Stats returns the statistics since New.
func (t *Teller) Stats() Stats {
	enabled := t.cfg.Enabled()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.stats
	s.Enabled, s.Suppressed, s.Held, s.Dropped = enabled, t.limiter.Suppressed, t.limiter.Held(), t.changes.dropped
	if t.cfg.Master != nil {
		m := t.toldTo
		m.Waiting, m.Dropped = len(t.master.items), t.master.dropped
		if t.sending {
			m.Waiting++
		}
		s.Master = &m
	}
	return s
}

// Run tells changes until ctx ends. Call it once.
func (t *Teller) Run(ctx context.Context) error {
	var master sync.WaitGroup
	if t.cfg.Master != nil {
		master.Go(func() { t.runMaster(ctx) })
	}
	defer master.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if next := t.work(time.Now()); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		case <-timer.C:
		}
	}
}

// work tells what may be told now, and returns when there is more to tell without another change; zero:
// never.
func (t *Teller) work(now time.Time) time.Time {
	var view *servers.View
	for {
		t.mu.Lock()
		c, ok := t.changes.pop()
		t.mu.Unlock()
		if !ok {
			break
		}
		view = t.cfg.View() // again for each change: it must not be older
		t.change(c, view, now)
	}
	t.mu.Lock()
	due := t.limiter.Due(now)
	next := t.limiter.Next()
	t.mu.Unlock()
	t.tellHeld(due, view)
	return next
}

// tellHeld tells changes that were held back. view may be nil.
func (t *Teller) tellHeld(all []servers.Change, view *servers.View) {
	for _, c := range all {
		if view == nil {
			view = t.cfg.View()
		}
		if entry := t.entry(&c, view); entry != nil {
			t.tell(entry)
			continue
		}
		t.mu.Lock()
		t.limiter.NotTold(c)
		t.mu.Unlock()
	}
}

// Flush tells what is held back, whatever the limit is. Call it before the end of the process: the next
// one does not know that managers believe something else.
func (t *Teller) Flush() {
	t.mu.Lock()
	held := t.limiter.All(time.Now())
	t.mu.Unlock()
	t.tellHeld(held, nil)
}

// change handles a change that has just happened.
func (t *Teller) change(c servers.Change, view *servers.View, now time.Time) {
	entry := t.entry(&c, view)
	t.mu.Lock()
	tell := false
	if entry == nil {
		t.limiter.Skip(c)
	} else {
		tell = t.limiter.Change(c, now)
	}
	t.mu.Unlock()
	if tell {
		t.tell(entry)
	}
}

// entry returns the server as it was after a change. It returns nil, and counts that, if the change is
// not to be told.
func (t *Teller) entry(c *servers.Change, view *servers.View) *servers.Entry {
	enabled := t.cfg.Enabled()
	i := slices.IndexFunc(view.Entries, func(e servers.Entry) bool { return e.Key() == c.Key() })
	hasRow := i >= 0 && cas.HasRow(&view.Entries[i])
	if !enabled || !hasRow {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !enabled {
			t.stats.Disabled++
		} else {
			t.stats.WithoutRow++
		}
		return nil
	}
	entry := view.Entries[i]
	entry.State = c.Lifetime
	return &entry
}

// tell sends a notification.
func (t *Teller) tell(e *servers.Entry) {
	trap, vbs := cas.StateChange(e)
	if t.cfg.Notify != nil {
		_ = t.cfg.Notify(trap, vbs...) // a target that does not get it counts and logs that
	}
	t.mu.Lock()
	t.stats.Told++
	if t.cfg.Master != nil {
		t.master.push(e.Key(), notification{trap, vbs})
	}
	t.mu.Unlock()
	wakeUp(t.masterWake)
}

// runMaster passes notifications to the master agent, one after the other.
func (t *Teller) runMaster(ctx context.Context) {
	for ctx.Err() == nil {
		t.mu.Lock()
		n, ok := t.master.pop()
		t.sending = ok
		t.mu.Unlock()
		if !ok {
			select {
			case <-ctx.Done():
			case <-t.masterWake:
			}
			continue
		}
		err := t.cfg.Master(ctx, n.trap, n.vbs)
		t.mu.Lock()
		t.sending = false
		if err == nil {
			t.toldTo.Accepted++
		} else {
			t.toldTo.Failed++
			t.toldTo.Error = err.Error()
		}
		t.mu.Unlock()
	}
}
