package methods

import (
	"bytes"

	"aaasess/accounting"
	"aaasess/store"
)

// Reroute sends the present and later records of a queue whose method is no longer configured to
// another list. In the store the records stay where they are, and so in order; each goes to one
// method, even if the list is a broadcast. This ends when the method is configured again. Reroute
// returns when the change is durable, with the number of records in the queue.
func (s *Set) Reroute(queue, list string) (int, error) {
	if err := s.checkReroute(queue, list); err != nil {
		return 0, err
	}
	durable := make(chan error, 1)
	put := store.Put{Key: rerouteKey(queue), Value: []byte(list)}
	s.store.Commit(store.Change{Puts: []store.Put{put}}, func(err error) { durable <- err })
	if err := <-durable; err != nil {
		return 0, err
	}
	n := s.waiting()[queue] // counted before some are delivered
	s.mu.Lock()
	s.rerouted[queue] = list
	s.mu.Unlock()
	s.applyReroutes() // the configuration may have changed meanwhile
	return int(n), nil
}

// rerouteKey returns the key of the state that keeps the list of a rerouted queue: "q" and the name
// of the queue.
func rerouteKey(queue string) []byte { return append([]byte{'q'}, queue...) }

// LoadReroute loads a key and value of the store's state, if [Set.Reroute] wrote them.
func (s *Set) LoadReroute(key, value []byte) {
	if queue, ok := bytes.CutPrefix(key, []byte{'q'}); ok {
		s.mu.Lock()
		s.rerouted[string(queue)] = string(value)
		s.mu.Unlock()
	}
}

// applyReroutes tells the delivery the present methods of the lists of rerouted queues. If the
// method of a queue is configured again, it removes the reroute. Any goroutine may call it.
func (s *Set) applyReroutes() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for queue, list := range s.rerouted {
		name := accounting.MethodOf(queue)
		if _, removed := s.removed[name]; s.running[name] == nil || removed {
			s.delivery.Reroute(queue, s.config.Lists[list])
			continue
		}
		s.delivery.Reroute(queue, nil)
		delete(s.rerouted, queue)
		// If this fails, the next start does it.
		s.store.Commit(store.Change{Puts: []store.Put{{Key: rerouteKey(queue)}}}, func(error) {})
	}
}

// checkReroute returns nil if the records of a queue may be sent to a list.
func (s *Set) checkReroute(queue, list string) error {
	records := s.waiting()[queue]
	s.mu.Lock()
	defer s.mu.Unlock()
	runs, configured := false, false
	for name := range s.running {
		if name.Queue() == queue {
			_, removed := s.removed[name]
			runs, configured = true, !removed
		}
	}
	switch {
	case queue == accounting.SetAsideQueue, !runs && records == 0 && s.rerouted[queue] == "":
		return ErrNoQueue
	case len(s.config.Lists[list]) == 0:
		return ErrNoList
	case configured:
		return ErrConfigured
	}
	return nil
}
