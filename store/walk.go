package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// gap is a part of a table that cannot be read: the keys [from,to). from is the last readable key
// before the damage, because the engine can cut a table only there.
type gap struct {
	file       string
	from, to   []byte
	err        error
	unreadable int64 // the most entries of the table that are in its gaps; -1 if unknown
}

// touches reports whether the gap may contain keys that start with a byte from first to last.
func (g *gap) touches(first, last byte) bool {
	return bytes.Compare(g.from, []byte{last + 1}) < 0 && bytes.Compare(g.to, []byte{first}) > 0
}

// isRecords reports whether the gap can contain only records.
func (g *gap) isRecords() bool {
	return g.from[0] == prefixRecord && (g.to[0] == prefixRecord || bytes.Equal(g.to, []byte{prefixState}))
}

// table is a table file of the engine, or what a cut left of it: the keys from smallest to largest.
type table struct {
	file              string
	smallest, largest []byte
	reader            *sstable.Reader // nil if it cannot be opened
}

func (t *table) close() {
	if t.reader != nil {
		_ = t.reader.Close()
	}
}

// openTable opens a table independently of the engine. If it fails, it still returns the table,
// without a reader.
func (s *Store) openTable(info *pebble.SSTableInfo) (t *table, err error) {
	t = &table{
		file:     fmt.Sprintf("%06d.sst", uint64(info.BackingSSTNum)),
		smallest: bytes.Clone(info.Smallest.UserKey),
		largest:  bytes.Clone(info.Largest.UserKey),
	}
	defer func() {
		if r := recover(); r != nil {
			t.close()
			t.reader, err = nil, asError(r)
		}
	}()
	f, err := s.files().Open(s.fsys.PathJoin(s.dir, t.file))
	if err != nil {
		return t, err
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return t, errors.Join(err, f.Close())
	}
	opts := s.options()
	opts.EnsureDefaults()
	reader, err := sstable.NewReader(context.Background(), readable, opts.MakeReaderOptions())
	if err != nil {
		return t, errors.Join(err, readable.Close())
	}
	t.reader = reader
	return t, nil
}

// walk reads all of a table and returns the parts that cannot be read.
func (t *table) walk() (gaps []gap, err error) {
	defer func() {
		if r := recover(); r != nil {
			gaps, err = nil, asError(r)
		}
	}()
	w := &walker{table: t, end: append(bytes.Clone(t.largest), 0)}
	if w.it, err = t.points(t.smallest, w.end); err != nil {
		return nil, err
	}
	defer func() { _ = w.it.Close() }()
	// A table whose range deletions are damaged cannot be read through the engine.
	deletions, err := t.reader.NewRawRangeDelIter(context.Background(), sstable.NoFragmentTransforms, sstable.NoReadEnv)
	if err != nil {
		return nil, err
	}
	if deletions != nil {
		deletions.Close()
	}
	last := w.forward(t.smallest)
	if w.it.Error() == nil {
		return nil, nil
	}
	w.cause = w.it.Error()
	next := w.backward(w.end)
	w.findGaps(last, next)
	entries := int64(-1)
	if props, err := t.reader.ReadPropertiesBlock(context.Background(), nil); err == nil {
		entries = max(int64(props.NumEntries)-w.entriesRead, 0)
	}
	for i := range w.gaps {
		w.gaps[i].unreadable = entries
	}
	return w.gaps, nil
}

func (t *table) points(from, to []byte) (sstable.Iterator, error) {
	return t.reader.NewIter(sstable.NoTransforms, from, to, sstable.AssertNoBlobHandles)
}

// walker finds the readable parts of a damaged table.
type walker struct {
	*table
	it          sstable.Iterator
	end         []byte // the key after the largest
	entriesRead int64  // entries read
	cause       error
	gaps        []gap
}

// forward reads forward from a key, up to the end or the first unreadable place. It returns the
// last key.
func (w *walker) forward(from []byte) (last []byte) {
	for kv := w.it.SeekGE(from, 0); kv != nil; kv = w.it.Next() {
		last = append(last[:0], kv.K.UserKey...)
		w.entriesRead++
	}
	return last
}

// backward reads backward from before a key, up to the start or the first unreadable place. It
// returns the first key.
func (w *walker) backward(before []byte) (first []byte) {
	for kv := w.it.SeekLT(before, 0); kv != nil; kv = w.it.Prev() {
		first = append(first[:0], kv.K.UserKey...)
		w.entriesRead++
	}
	return first
}

// findGaps finds the gaps between two readable keys that have damage between them. nil is the start
// or the end of the table.
func (w *walker) findGaps(last, next []byte) {
	low, high := w.smallest, w.end
	if last != nil {
		low = last
	}
	if next != nil {
		high = next
	}
	found := w.probe(low, high)
	if found == nil {
		w.gaps = append(w.gaps, gap{file: w.file, from: bytes.Clone(low), to: bytes.Clone(high), err: w.cause})
		return
	}
	end := w.forward(found)
	start := w.backward(found)
	if start == nil {
		start = found
	}
	w.findGaps(last, start)
	w.findGaps(end, next)
}

// maxProbeDepth is how often probe halves the distance between two keys to find a readable one. It
// finds blocks that are a hundredth of the distance.
const maxProbeDepth = 7

// probe returns some readable key between two keys, nil if it finds none.
func (w *walker) probe(low, high []byte) []byte {
	prefix := 0
	for prefix < min(len(low), len(high)) && low[prefix] == high[prefix] {
		prefix++
	}
	x, y := eightBytes(low[prefix:]), eightBytes(high[prefix:])
	key := bytes.Clone(low[:prefix])
	for depth := 1; depth <= maxProbeDepth && (y-x)>>depth > 0; depth++ {
		for i := uint64(1); i < 1<<depth; i += 2 {
			key = binary.BigEndian.AppendUint64(key[:prefix], x+(y-x)>>depth*i)
			if kv := w.it.SeekGE(key, 0); kv != nil && bytes.Compare(kv.K.UserKey, high) < 0 {
				return bytes.Clone(kv.K.UserKey)
			}
		}
	}
	return nil
}

// eightBytes returns the first eight bytes as a number, padded with zeros.
func eightBytes(b []byte) uint64 {
	var a [8]byte
	copy(a[:], b)
	return binary.BigEndian.Uint64(a[:])
}
