package delivery

import (
	"cmp"
	"time"

	"aaasess/accounting"
	"aaasess/sessions"
	"aaasess/store"
)

const (
	// maxInterims is how many sessions' interims are remembered: about 53 octets each, 106 MB. When
	// there are more, all are forgotten. Then one more interim of each of these sessions may be
	// delivered.
	maxInterims = 2 << 20
	// scanBatch is how many records are searched in one step.
	scanBatch = 2048
	// scanEvery is how often new records are searched.
	scanEvery = time.Second
)

// scan is the state of the search for superseded interims in a queue. It sees each record once, in
// order, and runs only while no method takes records of the queue.
type scan struct {
	cursor  uint64
	more    bool                        // there may be records at the cursor
	at      time.Time                   // when to go on
	last    map[sessions.ID]latest      // by session whose last record is an interim: the newest interim
	lanes   map[sessions.ID]sessions.ID // by session of last that is in another lane: this lane
	held    map[sessions.ID]uint64      // by session: its start that waits for an address, until an interim behind it was kept
	entries []store.Entry
}

// latest is an interim that no record has superseded yet.
type latest struct {
	seq uint64
	at  int64 // its Record.At, nanoseconds since 1970
}

// supersede drops interims that a later interim or the stop of their session supersedes, from the
// items and from the store. A start or a [sessions.Other] supersedes nothing, and an interim in
// front of one is kept. A stop does not supersede the interims behind it; these come from a session
// that came back. An interim in flight stays. Of two interims, the one with the later event is
// kept: a replayed record stands behind newer ones.
func (d *Delivery) supersede(q *queue, now time.Time) error {
	s := &q.scan
	if !q.isBlocked() {
		s.more = true
		if q.items == 0 && !q.more {
			s.last, s.lanes, s.held, s.entries = nil, nil, nil, nil
		}
		return nil
	}
	if !s.more || now.Before(s.at) {
		return nil
	}
	began := time.Now()
	var err error
	if s.entries, err = d.store.ReadHeads(q.name, s.cursor, scanBatch, accounting.HeadLen, s.entries[:0]); err != nil {
		if isFatal(err) {
			return err
		}
		s.at = now.Add(d.cfg.RetryMax)
		d.logger.Error("queue cannot be searched for superseded interims; will retry", "queue", q.name, "err", err, "next", d.cfg.RetryMax)
		return nil
	}
	for i := range s.entries {
		d.inspect(q, &s.entries[i])
	}
	s.at = goOnAt(began, now)
	if s.more = len(s.entries) == scanBatch; !s.more {
		s.at = now.Add(scanEvery)
	}
	clear(s.entries)
	d.discard() // before any of them can be read
	return nil
}

// inspect handles one record of the search.
func (d *Delivery) inspect(q *queue, e *store.Entry) {
	s := &q.scan
	s.cursor = e.Seq + 1
	h, ok := accounting.PeekRecord(e.Data)
	if !ok {
		return
	}
	before, isInterim := s.last[h.Session]
	lane := h.Session // of before
	if len(s.lanes) > 0 {
		lane = cmp.Or(s.lanes[h.Session], lane)
	}
	switch h.Type {
	case sessions.Interim:
		if isInterim && h.At < before.at && (q.has(lane, before.seq) || d.isUnread(q, lane, before.seq)) {
			d.dropSuperseded(q, h.Lane, e.Seq)
			return
		}
		if !isInterim && len(s.last) >= d.reading.share(d.reading.maxInterims) {
			clear(s.last)
			clear(s.lanes)
		}
		s.remember(h, e.Seq)
	case sessions.Stop:
		s.forget(h.Session)
	default: // a start or an Other
		s.forget(h.Session)
		if h.Holds {
			s.hold(h.Session, e.Seq, d.reading.share(d.reading.maxInterims))
		}
		return
	}
	if isInterim && !d.isNeeded(q, lane, h.Session) {
		d.dropSuperseded(q, lane, before.seq)
	}
}

// hold remembers a start that waits for the address of its user.
func (s *scan) hold(session sessions.ID, seq uint64, limit int) {
	if len(s.held) >= limit {
		clear(s.held)
	}
	if s.held == nil {
		s.held = map[sessions.ID]uint64{}
	}
	s.held[session] = seq
}

// remember makes an interim the last record of its session.
func (s *scan) remember(h accounting.Head, seq uint64) {
	if s.last == nil {
		s.last = map[sessions.ID]latest{}
	}
	s.last[h.Session] = latest{seq, h.At}
	switch {
	case h.Lane == h.Session:
		delete(s.lanes, h.Session)
	case s.lanes == nil:
		s.lanes = map[sessions.ID]sessions.ID{h.Session: h.Lane}
	default:
		s.lanes[h.Session] = h.Lane
	}
}

// forget says that the last record of a session is no interim.
func (s *scan) forget(session sessions.ID) {
	delete(s.last, session)
	delete(s.lanes, session)
}

// isUnread reports whether a record that the search saw is only in the store, not in memory.
func (d *Delivery) isUnread(q *queue, lane sessions.ID, seq uint64) bool {
	switch {
	case q.skip.has(lane, seq):
		return true
	case seq < q.cursor || q.has(lane, seq):
		return false
	case seq >= q.skip.until:
		return true
	}
	d.discard() // a record that is read again may have been delivered
	got, err := d.store.Read(q.name, seq, 1, nil)
	return err == nil && len(got) > 0 && got[0].Seq == seq
}

// dropSuperseded drops an interim, unless it is gone, or it or a copy of it is in flight. From then
// on no copy of it is sent, because a server could receive that copy after the later record.
func (d *Delivery) dropSuperseded(q *queue, lane sessions.ID, seq uint64) {
	for _, m := range d.methods {
		if m.probing.source.is(q, seq) && m.probing.probe != nil && m.probing.probe.lane == nil {
			return
		}
	}
	if !d.isUnread(q, lane, seq) && !d.drop(q, lane, seq) {
		return
	}
	for _, m := range d.methods {
		if m.probing.source.is(q, seq) {
			m.probing.source = nil // until the next probe has one
		}
	}
	d.acks = append(d.acks, store.Ack{Queue: q.name, Seq: seq})
	q.count.Superseded++
}
