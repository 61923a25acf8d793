package methods

import (
	"context"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
	"aaasess/store"
)

// removal is a method that is not configured any more.
type removal struct {
	spec accounting.Spec
	// unnamed is, by queue, the number that the next record had when no live session named the method
	// any more: later records do not name it either. nil: some session does.
	unnamed map[string]uint64
	told    bool // that it cannot be started again
}

// CheckRemoved ends the methods that were removed and that no live session and no record names any more, starts
// those again that one names, and logs which records nobody delivers. It is to be called every second or so.
func (s *Set) CheckRemoved(ctx context.Context) {
	s.delivery.FindQueues()
	live := s.liveMethods()
	for name, r := range s.removed {
		switch needed, runs := s.isNamed(name, r, live[name]), s.running[name] != nil; {
		case runs && !needed:
			s.remove(name)
			s.log.Info("accounting method removed", "method", string(name))
		case !runs && needed:
			in, err := s.open(r.spec)
			if err != nil && !r.told {
				s.log.Warn("accounting method that was removed has records", "method", string(name), "err", err)
			}
			if r.told = err != nil; r.told {
				continue
			}
			s.start(ctx, in, onoff.TriggerConfigChange)
		}
	}
	s.warnOfOrphans()
}

// liveMethods are those that live sessions name.
func (s *Set) liveMethods() map[accounting.MethodName]bool {
	all := map[accounting.MethodName]bool{}
	for _, text := range s.live() {
		if r, err := accounting.ParseRoute(text); err == nil {
			for _, name := range r.Methods {
				all[name] = true
			}
		}
	}
	return all
}

// isNamed reports whether live sessions or records may name a method that was removed: records of its
// own queue do, and those that were made while a live session did may.
func (s *Set) isNamed(name accounting.MethodName, r *removal, live bool) bool {
	if live {
		r.unnamed = nil
		return true
	}
	if r.unnamed == nil {
		s.flush() // now the last records of those sessions count
		r.unnamed = map[string]uint64{}
		for _, q := range s.store.Queues() {
			r.unnamed[q.Name] = q.NextSeq
		}
	}
	for _, q := range s.store.Queues() {
		if q.Len == 0 || q.Name == accounting.RefusedQueue {
			continue
		}
		if q.Name == name.Queue() {
			return true
		}
		first, err := s.store.Read(q.Name, 0, 1, nil)
		if err != nil || len(first) > 0 && first[0].Seq < r.unnamed[q.Name] {
			return true
		}
	}
	return false
}

// flush waits until all that was given to the store is durable.
func (s *Set) flush() {
	durable := make(chan struct{})
	s.store.Commit(store.Change{}, func(error) { close(durable) })
	<-durable
}

// remove ends a method.
func (s *Set) remove(name accounting.MethodName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delivery.RemoveMethod(name)
	close(s.running[name].leave)
	delete(s.running, name)
	s.hold()
}

// warnOfOrphans tells, once each, of queues with records none of whose methods runs: those were removed
// while the daemon did not run.
func (s *Set) warnOfOrphans() {
	for _, q := range s.store.Queues() {
		if q.Name == accounting.RefusedQueue {
			continue
		}
		orphan := q.Len > 0 && s.delivery.Queue(q.Name).Lost
		if orphan && !s.orphans[q.Name] {
			s.log.Warn("records wait for a method that is not configured", "queue", q.Name, "records", q.Len)
		}
		s.orphans[q.Name] = orphan
	}
}
