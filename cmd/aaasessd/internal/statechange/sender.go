package statechange

import (
	"context"
	"sync"
	"time"

	"aaasess/mib"
)

// Ways are the ways out of the daemon for notifications. The functions may be called from any goroutine.
type Ways struct {
	// Notify sends a notification to our own targets. It does not wait. nil: there are none.
	Notify func(trap mib.OID, vbs ...mib.Varbind) error
	// Master passes a notification to the master agent, and waits for its answer. nil: there is none.
	Master func(ctx context.Context, trap mib.OID, vbs []mib.Varbind) error
}

// Notification is a notification: the value of snmpTrapOID.0, and the variables that follow it.
type Notification struct {
	Trap mib.OID
	Vars []mib.Varbind
}

// SenderConfig configures a [Sender] of changes C of things that have the keys K. Its functions may be
// called from any goroutine, and must not call the Sender.
type SenderConfig[K comparable, C any] struct {
	// Key returns which thing has changed, and whether it is bad now.
	Key func(c *C) (key K, bad bool)
	// Notification returns what managers are told. false: they are not told of this change.
	Notification func(c *C) (Notification, bool)
	// Told is called after managers were told of a change. nil: nobody wants to know.
	Told func(c *C)
	Ways
}

// SenderStats count the changes of a [Sender]. Each change is counted once, but for Held and for those
// without a notification.
type SenderStats struct {
	Told       uint64 `json:"told"`
	Suppressed uint64 `json:"suppressed"` // because the thing changes too often
	Dropped    uint64 `json:"dropped"`    // because too many changes came at once
	// Held is the number of things whose present state is told later.
	Held int `json:"held"`
	// Master counts the notifications for the master agent; nil: there is none.
	Master *MasterStats `json:"masterAgent,omitempty"`
}

// MasterStats count notifications for the master agent.
type MasterStats struct {
	Waiting  int    `json:"waiting"`
	Accepted uint64 `json:"accepted"`
	Failed   uint64 `json:"failed"`  // the master agent has refused it, or the connection was lost
	Dropped  uint64 `json:"dropped"` // because too many waited; a later change of the same thing was sent
	Error    string `json:"lastError,omitempty"`
}

// Sender tells managers of changes as the [Limiter] decides. [NewSender] creates one.
type Sender[K comparable, C any] struct {
	cfg  SenderConfig[K, C]
	wake chan struct{} // capacity 1: there are changes

	masterWake chan struct{} // capacity 1: there are notifications for the master agent

	mu      sync.Mutex // guards the fields below; never held over I/O
	changes queue[K, C]
	limiter Limiter[K, C]
	told    uint64
	master  queue[K, Notification]
	sending bool // a notification is on its way to the master agent; it is not in master
	toldTo  MasterStats
}

// NewSender creates a Sender. Changes wait until Run tells them.
func NewSender[K comparable, C any](cfg SenderConfig[K, C]) *Sender[K, C] {
	return &Sender[K, C]{
		cfg: cfg, wake: make(chan struct{}, 1), masterWake: make(chan struct{}, 1),
		changes: queue[K, C]{limit: queueLimit}, master: queue[K, Notification]{limit: queueLimit},
	}
}

// Changed handles a change. It does not wait for anything.
func (s *Sender[K, C]) Changed(c C) {
	key, _ := s.cfg.Key(&c)
	s.mu.Lock()
	s.changes.push(key, c)
	s.mu.Unlock()
	wakeUp(s.wake)
}

func wakeUp(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is already awake, or about to be
	}
}

// Stats returns the statistics since NewSender.
func (s *Sender[K, C]) Stats() SenderStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := SenderStats{Told: s.told, Suppressed: s.limiter.Suppressed, Held: s.limiter.Held(), Dropped: s.changes.dropped}
	if s.cfg.Master != nil {
		m := s.toldTo
		m.Waiting, m.Dropped = len(s.master.items), s.master.dropped
		if s.sending {
			m.Waiting++
		}
		out.Master = &m
	}
	return out
}

// Run tells changes until ctx ends. Call it once.
func (s *Sender[K, C]) Run(ctx context.Context) error {
	var master sync.WaitGroup
	if s.cfg.Master != nil {
		master.Go(func() { s.runMaster(ctx) })
	}
	defer master.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if next := s.work(time.Now()); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// work tells what may be told now, and returns when there is more to tell without another change; zero:
// never.
func (s *Sender[K, C]) work(now time.Time) time.Time {
	for {
		s.mu.Lock()
		c, ok := s.changes.pop()
		s.mu.Unlock()
		if !ok {
			break
		}
		s.change(c, now)
	}
	s.mu.Lock()
	due := s.limiter.Due(now)
	next := s.limiter.Next()
	s.mu.Unlock()
	s.tellHeld(due)
	return next
}

// tellHeld tells changes that were held back.
func (s *Sender[K, C]) tellHeld(all []C) {
	for i := range all {
		c := &all[i]
		if n, ok := s.cfg.Notification(c); ok {
			s.tell(c, n)
			continue
		}
		key, bad := s.cfg.Key(c)
		s.mu.Lock()
		s.limiter.NotTold(key, bad)
		s.mu.Unlock()
	}
}

// Flush tells what is held back, whatever the limit is. Call it before the end of the process: the next
// one does not know that managers believe something else.
func (s *Sender[K, C]) Flush() {
	s.mu.Lock()
	held := s.limiter.All(time.Now())
	s.mu.Unlock()
	s.tellHeld(held)
}

// change handles a change that has just happened.
func (s *Sender[K, C]) change(c C, now time.Time) {
	n, ok := s.cfg.Notification(&c)
	key, bad := s.cfg.Key(&c)
	s.mu.Lock()
	tell := false
	if ok {
		tell = s.limiter.Change(key, bad, c, now)
	} else {
		s.limiter.Skip(key)
	}
	s.mu.Unlock()
	if tell {
		s.tell(&c, n)
	}
}

// tell sends a notification.
func (s *Sender[K, C]) tell(c *C, n Notification) {
	if s.cfg.Notify != nil {
		_ = s.cfg.Notify(n.Trap, n.Vars...) // a target that does not get it counts and logs that
	}
	key, _ := s.cfg.Key(c)
	s.mu.Lock()
	s.told++
	if s.cfg.Master != nil {
		s.master.push(key, n)
	}
	s.mu.Unlock()
	wakeUp(s.masterWake)
	if s.cfg.Told != nil {
		s.cfg.Told(c)
	}
}

// runMaster passes notifications to the master agent, one after the other.
func (s *Sender[K, C]) runMaster(ctx context.Context) {
	for ctx.Err() == nil {
		s.mu.Lock()
		n, ok := s.master.pop()
		s.sending = ok
		s.mu.Unlock()
		if !ok {
			select {
			case <-ctx.Done():
			case <-s.masterWake:
			}
			continue
		}
		err := s.cfg.Master(ctx, n.Trap, n.Vars)
		s.mu.Lock()
		s.sending = false
		if err == nil {
			s.toldTo.Accepted++
		} else {
			s.toldTo.Failed++
			s.toldTo.Error = err.Error()
		}
		s.mu.Unlock()
	}
}
