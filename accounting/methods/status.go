package methods

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
	"aaasess/internal/histogram"
	"aaasess/sessions"
)

// Status is the status of a running method.
type Status struct {
	Spec       accounting.Spec
	Method     accounting.Method
	Configured bool // false: it was removed
	// When its Spec, or the last one that was not equal to the one before, was applied.
	Since     time.Time
	Waiting   uint64        // records in its queue
	OnOff     *onoff.Status // its own Accounting-On and -Off; nil: it sends none
	Monitored *onoff.Status // status of the method whose Accounting-On its records wait for; nil: none
	// Next are the methods that its Accounting-On and -Off go to if its servers do not answer.
	Next []accounting.MethodName
	// After is the first method of the system list, if this is a later one; else "".
	After accounting.MethodName
}

// Statuses returns the status of all running methods, by name.
func (s *Set) Statuses() []Status {
	waiting := s.waiting()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Status, 0, len(s.running))
	for _, name := range slices.Sorted(maps.Keys(s.running)) {
		m := s.running[name]
		out = append(out, Status{
			Spec: m.spec, Method: m.Method, Configured: s.removed[name] == nil, Since: m.since, Waiting: waiting[name.Queue()],
			OnOff: s.onOffStatus(name), Monitored: s.onOffStatus(s.controller(name)),
			Next: s.next(name), After: s.firstBefore(name),
		})
	}
	return out
}

// onOffStatus returns nil for a method that does not run or sends no Accounting-On. The caller
// holds the lock.
func (s *Set) onOffStatus(name accounting.MethodName) *onoff.Status {
	m := s.running[name]
	if m == nil || m.onOff == nil {
		return nil
	}
	status := m.onOff.Status()
	return &status
}

// controller returns the method whose Accounting-On another one waits for, or "". The caller holds
// the lock.
func (s *Set) controller(monitor accounting.MethodName) accounting.MethodName {
	for _, g := range s.config.OnOffGroups {
		if slices.Contains(g.Monitors, monitor.Group()) {
			return accounting.Group(g.Controller)
		}
	}
	return s.firstBefore(monitor)
}

// Blocked reports whether a server group is blocked: its own Accounting-On that must be answered, or
// that of the group that it monitors, is not answered (S3). A group that is not configured is not
// blocked. Before the first [Set.Apply], all are. It takes no lock, so it may be called for each
// request.
func (s *Set) Blocked(group string) bool {
	blocks := s.blocks.Load()
	return blocks == nil || (*blocks)[group].Blocked
}

// OnOffGroups returns the configured acct-on-off-groups.
func (s *Set) OnOffGroups() onoff.Groups {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.config.OnOffGroups
}

// Perform requests an Accounting-On or -Off of a method, see [onoff.Sender.Perform]. When the
// delivery has ended, nothing may follow the Off of the end, and the error is
// [accounting.ErrStopped].
func (s *Set) Perform(name accounting.MethodName, on, force bool, cause uint32) error {
	var sender *onoff.Sender
	s.mu.Lock()
	m := s.running[name]
	configured := m != nil && s.removed[name] == nil
	if configured {
		sender = m.onOff
	}
	s.mu.Unlock()
	switch {
	case !configured:
		return ErrNoMethod
	case sender == nil:
		return ErrNoOnOff
	case isClosed(s.deliveryEnded):
		return accounting.ErrStopped
	}
	return sender.Perform(on, force, cause)
}

// Delivers reports whether a method runs that a record of this queue with these further methods can
// go to.
func (s *Set) Delivers(queue string, next []accounting.MethodName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]accounting.MethodName{accounting.MethodOf(queue)}, next...)
	return slices.ContainsFunc(append(all, s.config.Lists[s.rerouted[queue]]...), func(name accounting.MethodName) bool {
		return s.running[name] != nil
	})
}

// Waiting returns how many records the queue of a method has that wait for a method: not for the address
// of their user. configured is false if the method is not configured.
func (s *Set) Waiting(name accounting.MethodName) (records uint64, configured bool) {
	q := s.delivery.Queue(name.Queue())
	records = q.Pending - min(q.Pending, uint64(q.Withheld))
	s.mu.Lock()
	defer s.mu.Unlock()
	return records, s.running[name] != nil && s.removed[name] == nil
}

// DeliveryTime is [delivery.Delivery.DeliveryTime].
func (s *Set) DeliveryTime(name accounting.MethodName) histogram.Snapshot {
	return s.delivery.DeliveryTime(name)
}

// waiting returns how many records each queue has.
func (s *Set) waiting() map[string]uint64 {
	n := map[string]uint64{}
	for _, q := range s.store.Queues() {
		n[q.Name] = q.Len
	}
	return n
}

// Locate is [delivery.Delivery.Locate].
func (s *Set) Locate(ctx context.Context, queue string, session sessions.ID) ([]delivery.Place, error) {
	return s.delivery.Locate(ctx, queue, session)
}

// Queue is the status of a queue and of the method that it is named after.
type Queue struct {
	delivery.QueueStats
	Method     delivery.MethodStats
	Configured bool   // whether its method is configured
	Rerouted   string // the list that [Set.Reroute] has set; "": none
}

// Queues returns the queues of running methods, and other queues that have records, by name.
func (s *Set) Queues() []Queue {
	waiting := s.waiting()
	s.mu.Lock()
	defer s.mu.Unlock()
	queues := map[string]Queue{}
	for name := range s.running {
		queues[name.Queue()] = s.queue(name, s.removed[name] == nil, waiting[name.Queue()])
	}
	for queue, n := range waiting {
		if _, runs := queues[queue]; !runs && n > 0 && queue != accounting.SetAsideQueue {
			queues[queue] = s.queue(accounting.MethodOf(queue), false, n)
		}
	}
	return slices.SortedFunc(maps.Values(queues), func(a, b Queue) int { return cmp.Compare(a.Queue, b.Queue) })
}

// queue returns the queue of a method, in which that many records wait. The caller holds the lock.
func (s *Set) queue(name accounting.MethodName, configured bool, waiting uint64) Queue {
	stats := s.delivery.QueueOf(name.Queue(), waiting)
	return Queue{QueueStats: stats, Method: s.delivery.Method(name), Configured: configured, Rerouted: s.rerouted[stats.Queue]}
}
