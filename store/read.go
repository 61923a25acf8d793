package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// Entry is a record of a queue.
type Entry struct {
	Seq  uint64
	Data []byte
}

// Read appends to dst at most limit undelivered, durable records of a queue, in order, starting
// with sequence number from. The caller owns the data. An unknown queue is empty. Records that
// cannot be read leave the queue and are listed by [Store.Damage]; Read continues behind them.
func (s *Store) Read(queue string, from uint64, limit int, dst []Entry) ([]Entry, error) {
	return s.ReadHeads(queue, from, limit, math.MaxInt, dst)
}

// ReadHeads is like Read, but the caller needs only the first octets of each record. What follows them may
// be missing. A search of a long queue takes less work and memory this way.
func (s *Store) ReadHeads(queue string, from uint64, limit, octets int, dst []Entry) ([]Entry, error) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return dst, ErrClosed
		}
		q := s.queues[queue]
		var runs []run
		if q != nil {
			runs = q.live(from, limit, nil)
		}
		if len(runs) == 0 || s.hasFailed() {
			s.mu.Unlock()
			return dst, s.Err()
		}
		if dst, ok := q.tail.read(runs, dst); ok {
			s.mu.Unlock()
			return dst, nil
		}
		s.readers.Add(1)
		s.mu.Unlock()

		var found []Entry // not dst: after a failure the goroutine may still write to it
		var gone []uint64
		var reason error
		err := s.callEngine(func() (err error) {
			defer s.readers.Done()
			found, gone, reason, err = s.readRuns(q, runs, octets)
			return err
		})
		if err != nil {
			return dst, readError(queue, err)
		}
		dst = append(dst, found...)
		if len(gone) == 0 {
			return dst, nil
		}
		s.markLost(q, gone, plainError(reason))
		from, limit = runs[len(runs)-1].to, limit-len(found)
	}
}

// readRuns reads the first octets of the records of some runs. It also returns the sequence numbers that
// are missing, and why. These may have been acknowledged since.
func (s *Store) readRuns(q *queue, runs []run, octets int) (found []Entry, gone []uint64, reason, err error) {
	s.cutting.RLock()
	defer s.cutting.RUnlock()
	found, err = s.scan(q.records, runs, octets)
	reason = errMissing
	if pebble.IsCorruptionError(err) {
		reason = err
		found, err = s.readEach(q.records, runs)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	i := 0
	for _, r := range runs {
		for seq := r.from; seq < r.to; seq++ {
			if i < len(found) && found[i].Seq == seq {
				i++
				continue
			}
			gone = append(gone, seq)
		}
	}
	return found, gone, reason, nil
}

// readEach reads the readable records of some runs. It halves a run that cannot be read as a whole,
// down to single records.
func (s *Store) readEach(prefix []byte, runs []run) (found []Entry, err error) {
	for _, r := range runs {
		if found, err = s.readHalves(prefix, r, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s *Store) readHalves(prefix []byte, r run, found []Entry) ([]Entry, error) {
	if r.to-r.from == 1 {
		return s.readOne(prefix, r.from, found)
	}
	half, err := s.scan(prefix, []run{r}, math.MaxInt)
	if !pebble.IsCorruptionError(err) {
		return append(found, half...), err
	}
	middle := r.from + (r.to-r.from)/2
	if found, err = s.readHalves(prefix, run{r.from, middle}, found); err != nil {
		return found, err
	}
	return s.readHalves(prefix, run{middle, r.to}, found)
}

// readOne appends a record unless it is missing or cannot be read. A single record may be readable
// where a scan is not, because it needs no lower level of the engine.
func (s *Store) readOne(prefix []byte, seq uint64, found []Entry) ([]Entry, error) {
	value, closer, err := s.db.Get(recordKey(prefix, seq))
	switch {
	case errors.Is(err, pebble.ErrNotFound), pebble.IsCorruptionError(err):
		return found, nil
	case err != nil:
		return found, err
	}
	found = append(found, Entry{Seq: seq, Data: bytes.Clone(value)})
	return found, closer.Close()
}

func readError(what string, err error) error {
	if errors.Is(err, ErrFailed) {
		return err
	}
	if pebble.IsCorruptionError(err) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return fmt.Errorf("store: read %s: %w", what, err)
}

// scan reads the first octets of the records of some runs. A record that was acknowledged since may be
// missing.
func (s *Store) scan(prefix []byte, runs []run, octets int) ([]Entry, error) {
	last := runs[len(runs)-1]
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: recordKey(prefix, runs[0].from),
		UpperBound: recordKey(prefix, last.to),
	})
	if err != nil {
		return nil, err
	}
	n := uint64(0)
	for _, r := range runs {
		n += r.to - r.from
	}
	found := make([]Entry, 0, n)
	var buf []byte // records are slices of it; a full buffer stays with its records
	seek := make([]byte, 0, len(prefix)+8)
	for i, r := range runs {
		ok := i > 0 && step(it, len(prefix), r.from)
		if !ok {
			seek = append(seek[:0], prefix...)
			seek = binary.BigEndian.AppendUint64(seek, r.from)
			ok = it.SeekGE(seek)
		}
		for ; ok; ok = it.Next() {
			seq := binary.BigEndian.Uint64(it.Key()[len(prefix):])
			if seq >= r.to {
				break
			}
			value, err := it.ValueAndErr()
			if err != nil {
				return nil, errors.Join(err, it.Close())
			}
			value = value[:min(len(value), octets)]
			if cap(buf)-len(buf) < len(value) {
				buf = make([]byte, 0, max(len(value), 32<<10))
			}
			start := len(buf)
			buf = append(buf, value...)
			found = append(found, Entry{Seq: seq, Data: buf[start:len(buf):len(buf)]})
		}
		if err := it.Error(); err != nil { // the next seek would clear it
			return nil, errors.Join(err, it.Close())
		}
	}
	return found, it.Close()
}

// maxSteps is how many records are stepped over before a seek. For a few records, steps are
// cheaper.
const maxSteps = 16

// step moves to the first record at or above a number, if it is near. It returns false if the
// record is not near or does not exist.
func step(it *pebble.Iterator, prefix int, seq uint64) bool {
	for range maxSteps {
		if !it.Valid() {
			return false
		}
		if binary.BigEndian.Uint64(it.Key()[prefix:]) >= seq {
			return true
		}
		it.Next()
	}
	return false
}

func recordKey(prefix []byte, seq uint64) []byte {
	key := make([]byte, 0, len(prefix)+8)
	return binary.BigEndian.AppendUint64(append(key, prefix...), seq)
}

// Appended returns a channel that is signalled when durable records have joined the queue. Signals
// are coalesced: read until nothing is left, then wait. Records from before Open give no signal.
// The queue need not exist yet.
func (s *Store) Appended(queue string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue(queue).appended
}

// QueueInfo is the position of a queue.
type QueueInfo struct {
	Name     string
	Len      uint64 // undelivered records
	FirstSeq uint64 // the lowest undelivered record; NextSeq if there is none
	NextSeq  uint64 // above every durable record that the queue ever had
	Bytes    uint64 // octets of these records; only QueueSizes sets it
}

// Queues returns all queues that ever had a record, by name.
func (s *Store) Queues() []QueueInfo {
	s.mu.Lock()
	infos := make([]QueueInfo, 0, len(s.queues))
	for _, q := range s.queues {
		if q.durable > firstSeq {
			infos = append(infos, q.info())
		}
	}
	s.mu.Unlock()
	slices.SortFunc(infos, func(a, b QueueInfo) int { return strings.Compare(a.Name, b.Name) })
	return infos
}

// Queue returns one queue. It returns false if the queue never had a record.
func (s *Store) Queue(name string) (QueueInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	if q == nil || q.durable <= firstSeq {
		return QueueInfo{}, false
	}
	return q.info(), true
}

func (q *queue) info() QueueInfo {
	return QueueInfo{Name: q.name, Len: q.length(), FirstSeq: q.low, NextSeq: q.durable}
}

// page holds some keys and values in one buffer.
type page struct {
	buf  []byte
	ends []int // ends of key, value, key, value...
}

const pageSize = 256 << 10

// newPage returns an empty page. It has room for pageSize octets and a last value of an eighth of that.
func newPage() page {
	return page{buf: make([]byte, 0, pageSize+pageSize/8), ends: make([]int, 0, 1024)}
}

// Load calls fn for every key of the state, in order, until fn returns an error, which Load
// returns. key and value are valid only during the call: their memory is used again. Load is meant for the start: it may or may
// not see changes that are committed meanwhile. State that cannot be read gives ErrDamaged, see
// Config.AcceptLoss.
func (s *Store) Load(fn func(key, value []byte) error) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.mu.Unlock()
	var last []byte // the last key that was passed to fn
	for {
		err := s.load(last, func(key, value []byte) error {
			last = append(last[:0], key...)
			return fn(key, value)
		})
		if !pebble.IsCorruptionError(err) {
			s.loaded.Store(err == nil)
			return err
		}
		if err := s.callEngine(func() error { return s.acceptLoss(err) }); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
}

// load calls fn for every key of the state behind after.
func (s *Store) load(after []byte, fn func(key, value []byte) error) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.readers.Add(1)
	s.mu.Unlock()

	pages := make(chan page, 1) // reads ahead while fn decodes
	spare := make(chan page, 4) // to use again: all that there are, so none is lost
	enough := make(chan struct{})
	read := make(chan error, 1)
	go func() {
		read <- s.callEngine(func() error {
			defer s.readers.Done()
			defer close(pages)
			return s.pages(after, pages, spare, enough)
		})
	}()
	var err error
	for err == nil {
		select {
		case p, ok := <-pages:
			if !ok {
				if err := <-read; err != nil {
					return readError("state", err)
				}
				return nil
			}
			err = p.each(fn)
			select {
			case spare <- p:
			default:
			}
		case <-s.failed:
			err = s.Err()
		}
	}
	close(enough)
	return err
}

// pages sends the state behind a key in pages, until the end or until enough is closed. It uses spare pages
// again.
func (s *Store) pages(after []byte, pages chan<- page, spare <-chan page, enough <-chan struct{}) error {
	from := []byte{prefixState}
	if after != nil {
		from = append(append(from, after...), 0)
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: []byte{prefixEnd}})
	if err != nil {
		return err
	}
	p := newPage()
	send := func() bool {
		select {
		case pages <- p:
			select {
			case p = <-spare:
				p.buf, p.ends = p.buf[:0], p.ends[:0]
			default:
				p = newPage()
			}
			return true
		case <-enough:
			return false
		}
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(err, it.Close())
		}
		p.add(bytes.TrimPrefix(it.Key(), []byte{prefixState}), value)
		if len(p.buf) >= pageSize && !send() {
			return it.Close()
		}
	}
	if err := it.Close(); err != nil {
		return err
	}
	send()
	return nil
}

func (p *page) add(key, value []byte) {
	p.buf = append(p.buf, key...)
	p.ends = append(p.ends, len(p.buf))
	p.buf = append(p.buf, value...)
	p.ends = append(p.ends, len(p.buf))
}

func (p *page) each(fn func(key, value []byte) error) error {
	start := 0
	for i := 0; i < len(p.ends); i += 2 {
		key, end := p.ends[i], p.ends[i+1]
		if err := fn(p.buf[start:key:key], p.buf[key:end:end]); err != nil {
			return err
		}
		start = end
	}
	return nil
}
