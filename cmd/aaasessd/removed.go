package main

import (
	"context"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
	"aaasess/store"
)

// removal is a method that is not configured any more.
type removal struct {
	spec any // what it was made from
	// unnamed is, by queue, the number that the next record had when no live session named the method
	// any more: later records do not name it either. nil: some session does.
	unnamed map[string]uint64
	told    bool // that it cannot be started again
}

// tend has the methods that were removed run while live sessions or records name them, and tells of
// records that nobody delivers. It is called every now and then.
func (m *methods) tend(ctx context.Context) {
	m.delivery.Look()
	live := m.liveMethods()
	for name, r := range m.removed {
		switch needed, runs := m.isNamed(name, r, live[name]), m.running[name] != nil; {
		case runs && !needed:
			m.remove(name)
			m.log.Info("accounting method removed", "method", string(name))
		case !runs && needed:
			f, err := m.make(name, r.spec)
			if err != nil && !r.told {
				m.log.Warn("accounting method that was removed has records", "method", string(name), "err", err)
			}
			if r.told = err != nil; r.told {
				continue
			}
			m.start(ctx, name, f, onoff.TriggerConfigChange)
		}
	}
	m.warnOfOrphans()
}

// liveMethods are those that live sessions name.
func (m *methods) liveMethods() map[accounting.MethodName]bool {
	all := map[accounting.MethodName]bool{}
	for _, text := range m.live() {
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
func (m *methods) isNamed(name accounting.MethodName, r *removal, live bool) bool {
	if live {
		r.unnamed = nil
		return true
	}
	if r.unnamed == nil {
		m.flush() // now the last records of those sessions count
		r.unnamed = map[string]uint64{}
		for _, q := range m.store.Queues() {
			r.unnamed[q.Name] = q.NextSeq
		}
	}
	for _, q := range m.store.Queues() {
		if q.Len == 0 || q.Name == accounting.RefusedQueue {
			continue
		}
		if q.Name == name.Queue() {
			return true
		}
		first, err := m.store.Read(q.Name, 0, 1, nil)
		if err != nil || len(first) > 0 && first[0].Seq < r.unnamed[q.Name] {
			return true
		}
	}
	return false
}

// flush waits until all that was given to the store is durable.
func (m *methods) flush() {
	durable := make(chan struct{})
	m.store.Commit(store.Change{}, func(error) { close(durable) })
	<-durable
}

// remove ends a method.
func (m *methods) remove(name accounting.MethodName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delivery.RemoveMethod(name)
	close(m.running[name].left)
	delete(m.running, name)
	m.hold()
}

// warnOfOrphans tells, once each, of queues with records none of whose methods runs: those were removed
// while the daemon did not run.
func (m *methods) warnOfOrphans() {
	for _, q := range m.store.Queues() {
		if q.Name == accounting.RefusedQueue {
			continue
		}
		orphan := q.Len > 0 && m.delivery.Queue(q.Name).Lost
		if orphan && !m.orphans[q.Name] {
			m.log.Warn("records wait for a method that is not configured", "queue", q.Name, "records", q.Len)
		}
		m.orphans[q.Name] = orphan
	}
}
