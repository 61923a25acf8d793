package methods

import (
	"bytes"

	"aaasess/accounting"
	"aaasess/store"
)

// Reroute has the records of a queue whose method is not configured any more, and all that come to it,
// go by another list. In the store the records stay where they are, and so in order. It holds until
// the method is configured again. It returns when that is durable, with how many records wait in the queue.
func (s *Set) Reroute(queue, list string) (int, error) {
	if err := s.mayReroute(queue, list); err != nil {
		return 0, err
	}
	durable := make(chan error, 1)
	put := store.Put{Key: rerouteKey(queue), Value: []byte(list)}
	s.store.Commit(store.Change{Puts: []store.Put{put}}, func(err error) { durable <- err })
	if err := <-durable; err != nil {
		return 0, err
	}
	n := s.waiting()[queue] // before some are delivered
	s.mu.Lock()
	s.rerouted[queue] = list
	s.mu.Unlock()
	s.applyReroutes() // a change may have come between
	return int(n), nil
}

// rerouteKey is the key of the state that keeps the list by which the records of a queue go: "q" and the
// name of the queue.
func rerouteKey(queue string) []byte { return append([]byte{'q'}, queue...) }

// LoadReroute takes a key and value of the store's state, if they are what [Set.Reroute] has kept there.
func (s *Set) LoadReroute(key, value []byte) {
	if queue, ok := bytes.CutPrefix(key, []byte{'q'}); ok {
		s.mu.Lock()
		s.rerouted[string(queue)] = string(value)
		s.mu.Unlock()
	}
}

// applyReroutes tells the delivery by which lists, as they are now, queues go that have no method of
// their own. Where there is one again the list is forgotten. Any goroutine may call it.
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
		s.store.Commit(store.Change{Puts: []store.Put{{Key: rerouteKey(queue)}}}, func(error) {}) // else at the next start
	}
}

// mayReroute is nil if the records of a queue may go by a list.
func (s *Set) mayReroute(queue, list string) error {
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
	case queue == accounting.RefusedQueue, !runs && records == 0 && s.rerouted[queue] == "":
		return ErrNoQueue
	case len(s.config.Lists[list]) == 0:
		return ErrNoList
	case configured:
		return ErrConfigured
	}
	return nil
}
