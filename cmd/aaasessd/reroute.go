package main

import (
	"bytes"
	"fmt"

	"aaasess/accounting"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/control"
	"aaasess/store"
)

// routes are the method lists that record anything: the methods in their order, by the name that
// records have of the list, "network/default".
type routes map[string][]accounting.MethodName

func newRoutes(cfg *config.Config) routes {
	all := routes{}
	for _, l := range cfg.Accounting.Lists {
		if l.Record == accounting.None.String() {
			continue
		}
		var route []accounting.MethodName
		for _, m := range l.Methods {
			route = append(route, accounting.MethodName(m))
		}
		all[l.Type+"/"+l.Name] = route
	}
	return all
}

// Reroute has the records of a queue go by a list.
func (d *desk) Reroute(queue, list string) (int, error) { return d.methods.reroute(queue, list) }

// reroute has the records of a queue whose method is not configured any more, and all that come to it,
// go by another list, as control.Accounting says: in the store the records stay where they are, and so
// in order. It holds until the method is configured again. Any goroutine may call it.
func (m *methods) reroute(queue, list string) (int, error) {
	if err := m.mayReroute(queue, list); err != nil {
		return 0, err
	}
	durable := make(chan error, 1)
	put := store.Put{Key: rerouteKey(queue), Value: []byte(list)}
	m.store.Commit(store.Change{Puts: []store.Put{put}}, func(err error) { durable <- err })
	if err := <-durable; err != nil {
		return 0, err
	}
	m.mu.Lock()
	m.rerouted[queue] = list
	m.mu.Unlock()
	m.applyReroutes() // a reload may have come between
	return int(m.waiting()[queue]), nil
}

// rerouteKey is the key of the state that keeps the list by which the records of a queue go: "q" and the
// name of the queue.
func rerouteKey(queue string) []byte { return append([]byte{'q'}, queue...) }

// loadReroute reads a key of the state if it is one of a queue.
func (m *methods) loadReroute(key, value []byte) {
	if queue, ok := bytes.CutPrefix(key, []byte{'q'}); ok {
		m.rerouted[string(queue)] = string(value)
	}
}

// applyReroutes tells the delivery by which lists, as they are now, queues go that have no method of
// their own. Where there is one again the list is forgotten. Any goroutine may call it.
func (m *methods) applyReroutes() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for queue, list := range m.rerouted {
		name := accounting.MethodOf(queue)
		if _, removed := m.removed[name]; m.running[name] == nil || removed {
			m.delivery.Reroute(queue, m.routes[list])
			continue
		}
		m.delivery.Reroute(queue, nil)
		delete(m.rerouted, queue)
		m.store.Commit(store.Change{Puts: []store.Put{{Key: rerouteKey(queue)}}}, func(error) {}) // else at the next start
	}
}

// mayReroute is nil if the records of a queue may go by a list.
func (m *methods) mayReroute(queue, list string) error {
	records := m.waiting()[queue]
	m.mu.Lock()
	defer m.mu.Unlock()
	runs, configured := false, false
	for name := range m.running {
		if name.Queue() == queue {
			_, removed := m.removed[name]
			runs, configured = true, !removed
		}
	}
	switch {
	case queue == accounting.RefusedQueue, !runs && records == 0 && m.rerouted[queue] == "":
		return fmt.Errorf("queue %q: %w", queue, control.ErrNoQueue)
	case len(m.routes[list]) == 0:
		return fmt.Errorf("list %q: %w", list, control.ErrNoList)
	case configured:
		return fmt.Errorf("queue %q: %w", queue, control.ErrConfigured)
	}
	return nil
}
