package accounting

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"aaasess/store"
)

// Errors of a [Spool]. Each is wrapped with the sequence number of its record.
var (
	// ErrNotSetAside is returned when no record in [SetAsideQueue] has the number, or when another
	// call is about to remove that record.
	ErrNotSetAside = errors.New("accounting: no such record is set aside")
	// ErrDamaged is returned when a record to replay cannot be parsed, or has no valid queue to go
	// back to.
	ErrDamaged = errors.New("accounting: damaged record")
	// ErrTooMany is returned when one call is to handle more than [SpoolLimit] records.
	ErrTooMany = errors.New("accounting: too many records in one call")
)

// SpoolLimit is the most records that one call of a [Spool] handles.
const SpoolLimit = 1000

// Spool lists the records that were set aside, and replays or drops them. A store must have at most
// one Spool: only the Spool removes records from [SetAsideQueue], and it makes sure that no two
// calls remove the same record. All methods may be called by several goroutines.
type Spool struct {
	store *store.Store

	mu       sync.Mutex
	reserved map[uint64]struct{} // numbers of records that a call is removing
}

// SetAside is one record in [SetAsideQueue].
type SetAside struct {
	Seq    uint64    // its number in SetAsideQueue
	From   string    // the queue that it was in; "" if the entry itself is damaged
	At     time.Time // when it was set aside
	Reason string    // why: the error of the method
	Record *Record   // nil if it is damaged
	Data   []byte    // its octets; the octets of the whole entry if that is damaged
	// Damage is why the record cannot be replayed: an error that wraps [ErrDamaged] and
	// [ErrRecord]. It is nil if the record can be replayed.
	Damage error
}

// NewSpool returns the Spool of a store.
func NewSpool(st *store.Store) *Spool {
	return &Spool{store: st, reserved: make(map[uint64]struct{})}
}

// Len returns how many records are set aside.
func (s *Spool) Len() uint64 {
	for _, q := range s.store.Queues() {
		if q.Name == SetAsideQueue {
			return q.Len
		}
	}
	return 0
}

// List returns the records with numbers above after, in order: at most limit and at most
// [SpoolLimit]. The list is empty if there are no more. Its errors are those of [store.Store.Read].
func (s *Spool) List(after uint64, limit int) ([]SetAside, error) {
	if after+1 == 0 {
		return nil, nil
	}
	entries, err := s.store.Read(SetAsideQueue, after+1, min(limit, SpoolLimit), nil)
	if err != nil {
		return nil, fmt.Errorf("accounting: records set aside: %w", err)
	}
	list := make([]SetAside, len(entries))
	for i, e := range entries {
		list[i] = parseSetAside(e)
	}
	return list, nil
}

// Get returns the record with a number, or an error that wraps [ErrNotSetAside].
func (s *Spool) Get(seq uint64) (SetAside, error) {
	entries, err := s.store.Read(SetAsideQueue, seq, 1, nil)
	switch {
	case err != nil:
		return SetAside{}, fmt.Errorf("accounting: record %d set aside: %w", seq, err)
	case len(entries) == 0 || entries[0].Seq != seq:
		return SetAside{}, fmt.Errorf("%w: %d", ErrNotSetAside, seq)
	}
	return parseSetAside(entries[0]), nil
}

func parseSetAside(e store.Entry) SetAside {
	a := SetAside{Seq: e.Seq, Data: e.Data}
	r, err := ParseSetAsideEntry(e.Data)
	if err == nil {
		a.From, a.At, a.Reason, a.Data = r.From, r.At, r.Reason, r.Data
		a.Record, err = ParseRecord(r.Data)
	}
	if err == nil && (a.From == "" || a.From == SetAsideQueue) {
		err = fmt.Errorf("%w: its queue %q is not one to replay to", ErrRecord, a.From)
	}
	if err != nil {
		a.Damage = fmt.Errorf("%w: %d: %w", ErrDamaged, e.Seq, err)
	}
	return a
}

// Replay moves records back to the queues that they came from, in the order of their numbers, each
// in one atomic change. It returns how many moves are durable. A record that cannot be replayed
// stays where it is; the error names it, and the other records are moved all the same. If the store
// accepts no moves ([store.Store.AcceptingMoves]), nothing is replayed.
func (s *Spool) Replay(seqs ...uint64) (n int, err error) {
	if err := s.store.AcceptingMoves(); err != nil {
		return 0, fmt.Errorf("accounting: the store accepts no replay now: %w", err)
	}
	return s.commitEach(seqs, func(a *SetAside) (store.Change, error) {
		return store.Change{
			Appends: []store.Append{{Queue: a.From, Data: a.Data}},
			Acks:    []store.Ack{{Queue: SetAsideQueue, Seq: a.Seq}},
		}, a.Damage
	})
}

// Drop removes records for good. It returns how many were removed. The error names those that did
// not exist.
func (s *Spool) Drop(seqs ...uint64) (n int, err error) {
	return s.commitEach(seqs, func(a *SetAside) (store.Change, error) {
		return store.Change{Acks: []store.Ack{{Queue: SetAsideQueue, Seq: a.Seq}}}, nil
	})
}

// commitEach removes records from SetAsideQueue, each with the change that change returns for it.
func (s *Spool) commitEach(seqs []uint64, change func(*SetAside) (store.Change, error)) (n int, err error) {
	if len(seqs) > SpoolLimit {
		return 0, fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(seqs), SpoolLimit)
	}
	seqs = slices.Clone(seqs)
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)

	type outcome struct {
		seq uint64
		err error
	}
	var errs []error
	committed, started := make(chan outcome, len(seqs)), 0
	for _, seq := range seqs {
		if !s.reserve(seq) {
			errs = append(errs, fmt.Errorf("%w: %d: another call is removing it", ErrNotSetAside, seq))
			continue
		}
		c, err := s.changeOf(seq, change)
		if err != nil {
			s.release(seq)
			errs = append(errs, err)
			continue
		}
		started++
		s.store.Commit(c, func(err error) { committed <- outcome{seq, err} })
	}
	for range started {
		o := <-committed
		s.release(o.seq)
		if o.err != nil {
			errs = append(errs, fmt.Errorf("accounting: record %d set aside: %w", o.seq, o.err))
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

// changeOf returns the change for a reserved record. A record that another call has removed by now
// is not found.
func (s *Spool) changeOf(seq uint64, change func(*SetAside) (store.Change, error)) (store.Change, error) {
	a, err := s.Get(seq)
	if err != nil {
		return store.Change{}, err
	}
	return change(&a)
}

func (s *Spool) reserve(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, isReserved := s.reserved[seq]
	s.reserved[seq] = struct{}{}
	return !isReserved
}

func (s *Spool) release(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.reserved, seq)
}
