package main

import (
	"context"
	"errors"
	"fmt"

	"aaasess/accounting"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/control"
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

// Reroute moves the records of a queue to that of a list.
func (d *desk) Reroute(ctx context.Context, queue, list string) (int, error) {
	return d.methods.reroute(ctx, queue, list)
}

// reroute moves the records of a queue whose method is not configured any more to the queue of a
// list, as control.Accounting says. Any goroutine may call it.
func (m *methods) reroute(ctx context.Context, queue, list string) (int, error) {
	route, err := m.routeFor(queue, list)
	if err != nil {
		return 0, err
	}
	return m.moveRecords(ctx, queue, list, route)
}

// routeFor is the methods to which the records of a queue may be moved by a list.
func (m *methods) routeFor(queue, list string) ([]accounting.MethodName, error) {
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
	route := m.routes[list]
	switch {
	case queue == accounting.RefusedQueue, !runs && records == 0:
		return nil, fmt.Errorf("queue %q: %w", queue, control.ErrNoQueue)
	case len(route) == 0:
		return nil, fmt.Errorf("list %q: %w", list, control.ErrNoList)
	case route[0].Queue() == queue:
		return nil, fmt.Errorf("queue %q: %w", queue, control.ErrSameQueue)
	case configured:
		return nil, fmt.Errorf("queue %q: %w", queue, control.ErrConfigured)
	}
	return route, nil
}

// errNotWired is what moveRecords returns as long as delivery has no way to move records.
var errNotWired = errors.New("not wired")

// moveRecords moves all records of a queue, in their order, to the queue of route's first method, as
// records of the list whose further methods are the rest of route.
//
// TODO: call the delivery side here, and delete errNotWired. If a method that a reload removed
// still runs for the queue, its Deliverer is the queue's only reader and must end before (m.running,
// m.removed); tend must not start it again meanwhile, and only one move of a queue may run at once.
func (m *methods) moveRecords(_ context.Context, _, _ string, _ []accounting.MethodName) (int, error) {
	return 0, errNotWired
}
