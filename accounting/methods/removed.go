package methods

import (
	"context"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
	"aaasess/store"
)

// removal is a method that is no longer configured.
type removal struct {
	spec accounting.Spec
	// unusedFrom is, by queue, the next sequence number at the moment when the last live session
	// that names the method ended. Later records do not name the method. nil: a live session names
	// it.
	unusedFrom map[string]uint64
	logged     bool // it was logged that the method cannot be started again
}

// CheckRemoved ends removed methods that no live session and no record names any more, restarts
// those that one names, and logs which records have no method. Call it about once a second.
func (s *Set) CheckRemoved(ctx context.Context) {
	s.delivery.FindQueues()
	live := s.liveMethods()
	for name, r := range s.removed {
		switch needed, runs := s.isUsed(name, r, live[name]), s.running[name] != nil; {
		case runs && !needed:
			s.remove(name)
			s.log.Info("accounting method removed", "method", string(name))
		case !runs && needed:
			in, err := s.open(r.spec)
			if err != nil && !r.logged {
				s.log.Warn("removed accounting method still has records, but cannot be started again", "method", string(name), "err", err)
			}
			if r.logged = err != nil; r.logged {
				continue
			}
			s.start(ctx, in, onoff.TriggerConfigChange, nil)
		}
	}
	s.warnAboutOrphans()
}

// liveMethods returns the methods that live sessions name.
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

// isUsed reports whether live sessions or records may name a removed method. The records of its own
// queue do. Records that were written while a live session named it may.
func (s *Set) isUsed(name accounting.MethodName, r *removal, live bool) bool {
	if live {
		r.unusedFrom = nil
		return true
	}
	if r.unusedFrom == nil {
		s.flush() // so that NextSeq includes the last records of those sessions
		r.unusedFrom = map[string]uint64{}
		for _, q := range s.store.Queues() {
			r.unusedFrom[q.Name] = q.NextSeq
		}
	}
	for _, q := range s.store.Queues() {
		if q.Len == 0 || q.Name == accounting.SetAsideQueue {
			continue
		}
		if q.Name == name.Queue() {
			return true
		}
		first, err := s.store.Read(q.Name, 0, 1, nil)
		if err != nil || len(first) > 0 && first[0].Seq < r.unusedFrom[q.Name] {
			return true
		}
	}
	return false
}

// flush waits until every earlier commit is durable.
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
	close(s.running[name].replaced)
	delete(s.running, name)
	s.updateHoldsLocked()
}

// warnAboutOrphans logs, once each, queues with records none of whose methods runs. Such methods
// were removed while the daemon did not run.
func (s *Set) warnAboutOrphans() {
	for _, q := range s.store.Queues() {
		if q.Name == accounting.SetAsideQueue {
			continue
		}
		orphan := q.Len > 0 && s.delivery.Queue(q.Name).Lost
		if orphan && !s.orphans[q.Name] {
			s.log.Warn("records wait for a method that is not configured; see \"aaasess spool reroute\"", "queue", q.Name, "records", q.Len)
		}
		s.orphans[q.Name] = orphan
	}
}
