package delivery

import (
	"time"

	"aaasess/accounting"
	"aaasess/sessions"
	"aaasess/store"
)

const (
	// maxSuperseding is how many sessions' interims are kept in mind, in some 53 octets each: 106 MB.
	// When there are more all are forgotten: of each of these one more interim may be delivered.
	maxSuperseding = 2 << 20
	// scanBatch is how many records are looked at in one turn.
	scanBatch = 2048
	// scanEvery is how often new records are looked at.
	scanEvery = time.Second
)

// scan is how far a queue was searched for interims that a later record supersedes. It sees each
// record once, in order, and only while nobody takes records of the queue.
type scan struct {
	cursor  uint64
	more    bool // there may be records at the cursor
	at      time.Time
	last    map[sessions.ID]latest // of a session whose last record is an interim, the newest of these
	entries []store.Entry
}

// latest is an interim that nothing superseded yet.
type latest struct {
	seq uint64
	at  int64 // its At, nanoseconds since 1970
}

// supersede drops interims that a later record of their session supersedes, an interim or the stop,
// from what is read and from what is still in the store only. A start or a [sessions.Other] between two
// interims keeps the first, and neither supersedes anything. What is behind a stop, of a session that
// came back, is not superseded by it. An interim that is under way stays. Of two interims the later is
// the one whose event was: an old one that was set aside, and is replayed, comes behind newer ones.
func (d *Delivery) supersede(q *queue, now time.Time) error {
	s := &q.scan
	if !q.isAway() {
		s.more = true
		if q.items == 0 && !q.more {
			s.last, s.entries = nil, nil
		}
		return nil
	}
	if !s.more || now.Before(s.at) {
		return nil
	}
	var err error
	if s.entries, err = d.store.Read(q.name, s.cursor, scanBatch, s.entries[:0]); err != nil {
		if isFatal(err) {
			return err
		}
		s.at = now.Add(d.cfg.RetryMax)
		d.logger.Error("queue cannot be searched for what is superseded", "queue", q.name, "err", err, "next", d.cfg.RetryMax)
		return nil
	}
	for i := range s.entries {
		d.inspect(q, &s.entries[i])
	}
	s.at = now
	if s.more = len(s.entries) == scanBatch; !s.more {
		s.at = now.Add(scanEvery)
	}
	clear(s.entries)
	d.discard() // before any of it can be read
	return nil
}

// inspect handles one record of the search.
func (d *Delivery) inspect(q *queue, e *store.Entry) {
	s := &q.scan
	s.cursor = e.Seq + 1
	typ, session, at, ok := accounting.PeekRecord(e.Data)
	if !ok {
		return
	}
	before, isInterim := s.last[session]
	switch typ {
	case sessions.Interim:
		if isInterim && at < before.at && (q.has(session, before.seq) || d.isUnread(q, session, before.seq)) {
			d.dropSuperseded(q, session, e.Seq)
			return
		}
		if !isInterim && len(s.last) >= d.reading.share(d.reading.superseding) {
			clear(s.last)
		}
		if s.last == nil {
			s.last = map[sessions.ID]latest{}
		}
		s.last[session] = latest{e.Seq, at}
	case sessions.Stop:
		delete(s.last, session)
	default: // a start or an Other
		delete(s.last, session)
		return
	}
	if isInterim {
		d.dropSuperseded(q, session, before.seq)
	}
}

// isUnread reports whether a record that the search saw is in the store only.
func (d *Delivery) isUnread(q *queue, session sessions.ID, seq uint64) bool {
	switch {
	case q.skip.has(session, seq):
		return true
	case seq < q.cursor || q.has(session, seq):
		return false
	case seq >= q.skip.until:
		return true
	}
	d.discard() // what is read again may have been delivered
	got, err := d.store.Read(q.name, seq, 1, nil)
	return err == nil && len(got) > 0 && got[0].Seq == seq
}

// dropSuperseded drops an interim, unless it or a copy of it is under way, or it is gone. No copy of it is
// sent from then on: that might be the first to arrive, behind the later record.
func (d *Delivery) dropSuperseded(q *queue, session sessions.ID, seq uint64) {
	for _, m := range d.methods {
		if m.probing.source.is(q, seq) && m.probing.probe != nil && m.probing.probe.lane == nil {
			return
		}
	}
	if !d.isUnread(q, session, seq) && !d.drop(q, session, seq) {
		return
	}
	for _, m := range d.methods {
		if m.probing.source.is(q, seq) {
			m.probing.source = nil // until the next probe
		}
	}
	d.acks = append(d.acks, store.Ack{Queue: q.name, Seq: seq})
	q.count.Superseded++
}
