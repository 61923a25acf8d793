package accounting

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"aaasess/store"
)

// Errors of a [Spool]. Each comes wrapped with the sequence number that it is about.
var (
	// ErrNotSetAside is returned for a number that no record in [RefusedQueue] has, or whose record
	// another call is about to take out.
	ErrNotSetAside = errors.New("accounting: no such record set aside")
	// ErrDamaged is returned when a record is to be replayed whose octets are none, or which does not
	// say where it came from.
	ErrDamaged = errors.New("accounting: damaged record")
	// ErrTooMany is returned when one call is to handle more than [SpoolLimit] records.
	ErrTooMany = errors.New("accounting: too many records in one call")
)

// SpoolLimit is how many records one call of a [Spool] handles at most.
const SpoolLimit = 1000

// Spool is for looking at what was set aside, and for deciding what becomes of it. There must be no
// more than one per store: only it takes records out of [RefusedQueue], and it sees to it that no two
// calls take the same one. All methods may be called by several goroutines.
type Spool struct {
	store *store.Store

	mu     sync.Mutex
	inHand map[uint64]struct{} // what a call is taking out
}

// SetAside is one record in [RefusedQueue].
type SetAside struct {
	Seq    uint64    // its number there
	From   string    // the queue that it was in; "" if the entry itself is damaged
	At     time.Time // when it was set aside
	Reason string    // why: what the method said
	Record *Record   // nil if it is damaged
	Data   []byte    // its octets, of the whole entry if that is damaged
	// Damage is why it cannot be replayed: an error that wraps [ErrDamaged] and [ErrRecord]; nil if it can be.
	Damage error
}

// NewSpool makes the Spool of a store.
func NewSpool(st *store.Store) *Spool {
	return &Spool{store: st, inHand: make(map[uint64]struct{})}
}

// Len is how many records are set aside.
func (s *Spool) Len() uint64 {
	for _, q := range s.store.Queues() {
		if q.Name == RefusedQueue {
			return q.Len
		}
	}
	return 0
}

// List gives the records with numbers above after, in their order, at most limit and at most
// [SpoolLimit] of them; none if there are no more. Its errors are those of [store.Store.Read].
func (s *Spool) List(after uint64, limit int) ([]SetAside, error) {
	if after+1 == 0 {
		return nil, nil
	}
	entries, err := s.store.Read(RefusedQueue, after+1, min(limit, SpoolLimit), nil)
	if err != nil {
		return nil, fmt.Errorf("accounting: records set aside: %w", err)
	}
	list := make([]SetAside, len(entries))
	for i, e := range entries {
		list[i] = parseSetAside(e)
	}
	return list, nil
}

// Get gives the record with a number, or an error that wraps [ErrNotSetAside].
func (s *Spool) Get(seq uint64) (SetAside, error) {
	entries, err := s.store.Read(RefusedQueue, seq, 1, nil)
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
	r, err := ParseRefused(e.Data)
	if err == nil {
		a.From, a.At, a.Reason, a.Data = r.From, r.At, r.Reason, r.Data
		a.Record, err = ParseRecord(r.Data)
	}
	if err == nil && (a.From == "" || a.From == RefusedQueue) {
		err = fmt.Errorf("%w: it came from queue %q", ErrRecord, a.From)
	}
	if err != nil {
		a.Damage = fmt.Errorf("%w: %d: %w", ErrDamaged, e.Seq, err)
	}
	return a
}

// Replay sends records to where they came from: each is taken out of [RefusedQueue] and appended to
// the queue that it was in, both or neither, in the order of their numbers. It returns how many are
// durable there. A record that cannot be replayed stays; the error names it, and the others go on all
// the same. While the store moves nothing ([store.Store.Moving]) nothing is replayed.
func (s *Spool) Replay(seqs ...uint64) (n int, err error) {
	if err := s.store.AcceptingMoves(); err != nil {
		return 0, fmt.Errorf("accounting: replay: %w", err)
	}
	return s.take(seqs, func(a *SetAside) (store.Change, error) {
		return store.Change{
			Appends: []store.Append{{Queue: a.From, Data: a.Data}},
			Acks:    []store.Ack{{Queue: RefusedQueue, Seq: a.Seq}},
		}, a.Damage
	})
}

// Drop removes records for good. It returns how many are gone; the error names those that were not there.
func (s *Spool) Drop(seqs ...uint64) (n int, err error) {
	return s.take(seqs, func(a *SetAside) (store.Change, error) {
		return store.Change{Acks: []store.Ack{{Queue: RefusedQueue, Seq: a.Seq}}}, nil
	})
}

// take takes records out, each by a change of its own.
func (s *Spool) take(seqs []uint64, change func(*SetAside) (store.Change, error)) (n int, err error) {
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
	committed, begun := make(chan outcome, len(seqs)), 0
	for _, seq := range seqs {
		if !s.grasp(seq) {
			errs = append(errs, fmt.Errorf("%w: %d, which another call takes", ErrNotSetAside, seq))
			continue
		}
		c, err := s.changeOf(seq, change)
		if err != nil {
			s.letGo(seq)
			errs = append(errs, err)
			continue
		}
		begun++
		s.store.Commit(c, func(err error) { committed <- outcome{seq, err} })
	}
	for range begun {
		o := <-committed
		s.letGo(o.seq)
		if o.err != nil {
			errs = append(errs, fmt.Errorf("accounting: record %d set aside: %w", o.seq, o.err))
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

// changeOf reads a record that is in hand: what another call has taken out by now is not found.
func (s *Spool) changeOf(seq uint64, change func(*SetAside) (store.Change, error)) (store.Change, error) {
	a, err := s.Get(seq)
	if err != nil {
		return store.Change{}, err
	}
	return change(&a)
}

func (s *Spool) grasp(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, taken := s.inHand[seq]
	s.inHand[seq] = struct{}{}
	return !taken
}

func (s *Spool) letGo(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inHand, seq)
}
