package accounting

import (
	"encoding/binary"
	"time"

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
// record once, in order, and only while the method is away.
type scan struct {
	cursor  uint64
	more    bool // there may be records at the cursor
	at      time.Time
	last    map[sessions.ID]latest // of a session whose last record is an interim, the newest of these
	limit   int                    // of last
	entries []store.Entry
}

// latest is an interim that nothing superseded yet.
type latest struct {
	seq uint64
	at  int64 // its At, nanoseconds since 1970
}

// supersede drops interims that a later record of their session supersedes, an interim or the stop,
// from what is read and from what is still in the store only. A start or an [sessions.Other]
// between two interims keeps the first, and neither supersedes anything. What is behind a stop, of a session that came
// back, is not superseded by it. An interim that is under way, or is the probe, stays. Of two interims the later is the one
// whose event was: an old one that was set aside, and is replayed, comes behind newer ones.
func (d *Deliverer) supersede(now time.Time) error {
	s := &d.scan
	if !d.isAway() {
		s.more = true
		if d.lanes.items == 0 && !d.more {
			s.last, s.entries = nil, nil
		}
		return nil
	}
	if !s.more || now.Before(s.at) {
		return nil
	}
	var err error
	if s.entries, err = d.store.Read(d.queue, s.cursor, scanBatch, s.entries[:0]); err != nil {
		if isFatal(err) {
			return err
		}
		s.at = now.Add(d.cfg.RetryMax)
		d.logger.Error("queue cannot be searched for what is superseded", "err", err, "next", d.cfg.RetryMax)
		return nil
	}
	for i := range s.entries {
		d.look(&s.entries[i])
	}
	s.at = now
	if s.more = len(s.entries) == scanBatch; !s.more {
		s.at = now.Add(scanEvery)
	}
	clear(s.entries)
	d.discard() // before any of it can be read
	return nil
}

// look takes one record of the search.
func (d *Deliverer) look(e *store.Entry) {
	s := &d.scan
	s.cursor = e.Seq + 1
	typ, session, at, ok := peekRecord(e.Data)
	if !ok {
		return
	}
	before, isInterim := s.last[session]
	switch typ {
	case sessions.Interim:
		if isInterim && at < before.at && d.has(session, before.seq) {
			d.dropSuperseded(session, e.Seq)
			return
		}
		if !isInterim && len(s.last) >= s.limit {
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
		d.dropSuperseded(session, before.seq)
	}
}

// has reports whether an interim that the search saw is still to be delivered.
func (d *Deliverer) has(session sessions.ID, seq uint64) bool {
	return seq >= d.cursor || d.lanes.has(session, seq)
}

// dropSuperseded drops an interim, unless it is under way, or gone.
func (d *Deliverer) dropSuperseded(session sessions.ID, seq uint64) {
	if seq < d.cursor && !d.lanes.drop(session, seq) {
		return
	}
	d.acks = append(d.acks, store.Ack{Queue: d.queue, Seq: seq})
	d.count.Superseded++
}

// peekRecord reads the head of a record: whose it is and from when (nanoseconds since 1970), without
// looking at the rest.
func peekRecord(b []byte) (typ sessions.EventType, session sessions.ID, at int64, ok bool) {
	if len(b) < 14 || b[0] != recordVersion {
		return 0, 0, 0, false
	}
	id := sessions.ID(binary.BigEndian.Uint32(b[2:]))
	return sessions.EventType(b[1]), id, int64(binary.BigEndian.Uint64(b[6:])), true
}
