package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Damage describes what could not be read and is lost: records of a queue, or keys of the state.
type Damage struct {
	Queue       string // "" for the state
	First, Last uint64 // sequence numbers of the records; 0 for the state
	// Records is how many undelivered records are lost. For the state it is the most keys that may
	// be lost, -1 if unknown.
	Records int64
	At      time.Time // when it was detected
	Reason  string
}

// errMissing is the reason of a record that is missing although no read failed.
var errMissing = errors.New("missing from the files")

// key returns the key of a Damage: 06 len(1) name first(8).
func (d *Damage) key() string {
	return string(recordKey(appendQueueKey(nil, prefixDamage, d.Queue), d.First))
}

// appendDamage appends the value of a Damage: last(8) records(8) at(8), then the reason.
func appendDamage(b []byte, d *Damage) []byte {
	b = binary.BigEndian.AppendUint64(b, d.Last)
	b = binary.BigEndian.AppendUint64(b, uint64(d.Records))
	b = binary.BigEndian.AppendUint64(b, uint64(d.At.UnixNano()))
	return append(b, d.Reason...)
}

func parseDamage(key, value []byte) (*Damage, error) {
	if len(key) < 10 || len(key) != 10+int(key[1]) || len(value) < 24 {
		return nil, fmt.Errorf("damage %x, %d bytes: %w", key, len(value), ErrCorrupt)
	}
	return &Damage{
		Queue:   string(key[2 : len(key)-8]),
		First:   binary.BigEndian.Uint64(key[len(key)-8:]),
		Last:    binary.BigEndian.Uint64(value),
		Records: int64(binary.BigEndian.Uint64(value[8:])),
		At:      time.Unix(0, int64(binary.BigEndian.Uint64(value[16:]))).UTC(),
		Reason:  string(value[24:]),
	}, nil
}

// Damage returns everything that could not be read and was not forgotten since, by queue and
// number.
func (s *Store) Damage() []Damage {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Damage, 0, len(s.damage))
	for _, d := range s.damage {
		all = append(all, *d)
	}
	slices.SortFunc(all, func(a, b Damage) int {
		return cmp.Or(cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.First, b.First))
	})
	return all
}

// ForgetDamage forgets all damage of queues, and returns the number of entries when that is
// durable. Damage of the state stays until the store is opened with Config.AcceptLoss. A callback
// must not call ForgetDamage.
func (s *Store) ForgetDamage() (int, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return 0, ErrClosed
	}
	n := 0
	for _, key := range slices.Sorted(maps.Keys(s.damage)) {
		if s.damage[key].Queue != "" {
			n++
			_ = s.fillingBatch().ops.Delete([]byte(key), nil) // a batch in memory has no errors
			delete(s.damage, key)
		}
	}
	s.mu.Unlock()
	durable := make(chan error, 1)
	s.Commit(Change{}, func(err error) { durable <- err })
	return n, <-durable
}

// markLost records that records cannot be read, and removes them from their queue, both with the
// next batch. Records that were acknowledged since are left out. It does not wait for the disk.
func (s *Store) markLost(q *queue, seqs []uint64, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.hasFailed() {
		return // the next process finds them missing again
	}
	b := s.fillingBatch()
	var d *Damage
	lost := 0
	for _, seq := range seqs {
		if seq < q.low || q.nextLive(seq) != seq {
			continue
		}
		if d == nil || q.nextLive(d.Last+1) != seq {
			s.noteDamage(b, d)
			if d = s.damageBefore(q, seq); d == nil {
				d = &Damage{Queue: q.name, First: seq, At: time.Now().UTC(), Reason: reason}
			}
		}
		d.Last = seq
		d.Records++
		lost++
		s.ack(b, Ack{q.name, seq})
	}
	if lost == 0 {
		return
	}
	s.noteDamage(b, d)
	s.log.Error("store cannot read records; they are lost", "dir", s.dir, "queue", q.name,
		"records", lost, "first", seqs[0], "last", d.Last, "err", reason)
	b.waiters = append(b.waiters, waiter{done: func(error) {}})
	s.pending.Add(1)
	if s.asleep {
		s.asleep = false
		s.wakeWriter()
	}
}

// damageBefore returns the Damage that a record extends: no undelivered record lies between them.
// It returns nil if there is none.
func (s *Store) damageBefore(q *queue, seq uint64) *Damage {
	for _, d := range s.damage {
		if d.Queue == q.name && d.Last < seq && q.nextLive(max(d.Last+1, q.low)) == seq {
			return d
		}
	}
	return nil
}

func (s *Store) noteDamage(b *batch, d *Damage) {
	if d == nil {
		return
	}
	key := d.key()
	s.damage[key] = d
	_ = b.ops.Set([]byte(key), appendDamage(nil, d), nil) // a batch in memory has no errors
}
