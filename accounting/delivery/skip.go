package delivery

import "aaasess/sessions"

// maxSkipped is how many sessions may be skipped in all queues: some 50 MB.
const maxSkipped = 1 << 20

// skip is what was read of a queue and not kept, since nobody takes it and its share of the memory is full:
// behind it there may be records that have another method. As soon as one of the routes has a method that
// takes records, it is read again from the first on.
type skip struct {
	from     uint64                 // the number of the first; 0: nothing is skipped
	until    uint64                 // what is below, and still in memory, is met again
	sessions map[sessions.ID]uint64 // the number of the first of each
	routes   map[*route]struct{}
}

// has reports whether a record was skipped, if it is still in the store.
func (s *skip) has(session sessions.ID, seq uint64) bool {
	from, skipped := s.sessions[session]
	return skipped && seq >= from
}

// skipBlocked gives up lanes that nobody takes, but for the oldest, which have a quarter of what may be
// known of the queue.
func (d *Delivery) skipBlocked(q *queue, waiting int) {
	for _, r := range q.routes {
		if r.next(nil) != nil {
			continue
		}
		kept := 0
		for _, l := range r.ready.empty(nil) {
			kept += len(l.items)
			if len(l.items) == 0 {
				q.forget(l)
				continue
			}
			if it := l.head(); kept <= waiting/4 || !it.isFresh() {
				d.place(l)
				continue
			}
			q.skip.add(l.session, r, l.head().seq)
			for _, it := range l.items {
				q.remove(it)
			}
			l.items = nil
			q.forget(l)
		}
	}
}

func (s *skip) add(session sessions.ID, r *route, seq uint64) {
	if s.from == 0 {
		*s = skip{from: seq, until: s.until, sessions: map[sessions.ID]uint64{}, routes: map[*route]struct{}{}}
	}
	s.from = min(s.from, seq)
	s.routes[r] = struct{}{}
	if _, skipped := s.sessions[session]; !skipped {
		s.sessions[session] = seq
	}
}

// skips reports whether a record that was read is not kept: nobody takes it, or one before it of its
// session was not kept.
func (q *queue) skips(it *item) bool {
	s := &q.skip
	if s.from == 0 || it.rec == nil {
		return false
	}
	if _, skipped := s.sessions[it.rec.Session]; !skipped && it.route.next(nil) != nil {
		return false
	}
	s.add(it.rec.Session, it.route, it.seq)
	return true
}

// resume reads again what was skipped if somebody takes of it.
func (d *Delivery) resume(q *queue) {
	for r := range q.skip.routes {
		if r.next(nil) != nil {
			q.cursor, q.skip, q.more = q.skip.from, skip{until: max(q.cursor, q.skip.until)}, true
			return
		}
	}
}

// meets reports whether a record that is read again is in memory.
func (q *queue) meets(it *item) bool {
	if it.seq >= q.skip.until {
		return false
	}
	if it.rec == nil {
		return q.damaged[it.seq]
	}
	return q.has(it.rec.Session, it.seq)
}
