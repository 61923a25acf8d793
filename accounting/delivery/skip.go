package delivery

import "aaasess/sessions"

// maxSkipped is how many lanes may be skipped in all queues: about 50 MB.
const maxSkipped = 1 << 20

// skip describes records of a queue that were read but not kept, because no method takes them and
// the queue's share of the memory is full. Records behind them may have another method. As soon as
// one of the skipped routes has an available method, the queue is read again from the first skipped
// record.
type skip struct {
	from   uint64                 // sequence number of the first; 0: nothing is skipped
	until  uint64                 // records below this are read again, although some are still in memory
	lanes  map[sessions.ID]uint64 // sequence number of the first skipped record of each
	routes map[*route]struct{}
}

// has reports whether a record was skipped. It may be settled since.
func (s *skip) has(lane sessions.ID, seq uint64) bool {
	from, skipped := s.lanes[lane]
	return skipped && seq >= from
}

// skipBlocked removes lanes that no method takes from memory. It keeps the oldest, up to a quarter
// of the queue's share of Config.Waiting.
func (d *Delivery) skipBlocked(q *queue, waiting int) {
	for _, r := range q.routes {
		if r.next(nil) != nil {
			continue
		}
		kept := 0
		for _, l := range r.ready.empty(nil) {
			kept += len(l.items)
			if len(l.items) == 0 {
				q.removeLane(l)
				continue
			}
			if it := l.head(); kept <= waiting/4 || !it.isFresh() {
				d.place(l)
				continue
			}
			q.skip.add(l.number, r, l.head().seq)
			for _, it := range l.items {
				q.remove(it)
			}
			l.items = nil
			q.removeLane(l)
		}
	}
}

func (s *skip) add(lane sessions.ID, r *route, seq uint64) {
	if s.from == 0 {
		*s = skip{from: seq, until: s.until, lanes: map[sessions.ID]uint64{}, routes: map[*route]struct{}{}}
	}
	s.from = min(s.from, seq)
	s.routes[r] = struct{}{}
	if _, skipped := s.lanes[lane]; !skipped {
		s.lanes[lane] = seq
	}
}

// skips reports whether a record that was read is not kept: no method takes it, or an earlier
// record of its lane was skipped.
func (q *queue) skips(it *item) bool {
	s := &q.skip
	if s.from == 0 || it.rec == nil {
		return false
	}
	lane := it.rec.InLane()
	if _, skipped := s.lanes[lane]; !skipped && it.route.next(nil) != nil {
		return false
	}
	s.add(lane, it.route, it.seq)
	return true
}

// resume reads the skipped records again if one of their routes has an available method.
func (d *Delivery) resume(q *queue) {
	for r := range q.skip.routes {
		if r.next(nil) != nil {
			q.cursor, q.skip = q.skip.from, skip{until: max(q.cursor, q.skip.until)}
			q.more, q.late = true, true
			return
		}
	}
}

// isAlreadyRead reports whether a record that is read again is still in memory.
func (q *queue) isAlreadyRead(it *item) bool {
	if it.seq >= q.skip.until {
		return false
	}
	if it.rec == nil {
		return q.damaged[it.seq]
	}
	return q.has(it.rec.InLane(), it.seq)
}
