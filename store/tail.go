package store

import "slices"

// The limits of a tail. A record that is longer than a part of its memory is not kept.
const (
	maxTail      = 2 << 20
	tailPartSize = 64 << 10
)

// tail has the newest records of a queue in memory. Most records are read soon after they were
// appended, and then need not be read through the engine, which looks into every level for them.
// Store.mu guards it.
type tail struct {
	first   uint64     // sequence number of records[dropped]
	records [][]byte   // slices of the octets of parts; those before dropped are nil
	dropped int        // records that were dropped and still have a place
	octets  int        // of all records
	parts   []tailPart // that have records, in order, and the newest one, which is being filled
	spare   []byte     // memory of a part that nobody has
}

// tailPart is memory of records. It may be used again only if no reader has got a record of it.
type tailPart struct {
	octets  []byte
	records int  // that are in the tail
	lent    bool // a reader has got a record of it
}

// len returns how many records there are.
func (t *tail) len() int { return len(t.records) - t.dropped }

// append adds a record.
func (t *tail) append(seq uint64, data []byte) {
	if seq != t.first+uint64(t.len()) {
		t.clear(seq)
	}
	if len(data) > tailPartSize {
		t.clear(seq + 1)
		return
	}
	p := t.roomFor(len(data))
	at := len(p.octets)
	p.octets = append(p.octets, data...)
	p.records++
	if t.dropped > 0 && len(t.records) == cap(t.records) && t.dropped >= t.len() {
		t.records, t.dropped = slices.Delete(t.records, 0, t.dropped), 0 // instead of growing
	}
	t.records = append(t.records, p.octets[at:len(p.octets):len(p.octets)])
	for t.octets += len(data); t.octets > maxTail; {
		t.drop(1, false)
	}
}

// roomFor returns the part for a record of n octets.
func (t *tail) roomFor(n int) *tailPart {
	if last := len(t.parts) - 1; last < 0 || len(t.parts[last].octets)+n > tailPartSize {
		octets := t.spare
		if t.spare = nil; octets == nil {
			octets = make([]byte, 0, tailPartSize)
		}
		t.parts = append(t.parts, tailPart{octets: octets})
	}
	t.dropParts()
	return &t.parts[len(t.parts)-1]
}

// clear drops all records. The next one is expected to be seq.
func (t *tail) clear(seq uint64) {
	t.drop(t.len(), false)
	t.first = seq
}

// drop drops the first n records. lent says that a reader has got them.
func (t *tail) drop(n int, lent bool) {
	for range n {
		t.dropParts()
		p := &t.parts[0]
		p.records--
		p.lent = p.lent || lent
		t.octets -= len(t.records[t.dropped])
		t.records[t.dropped] = nil
		t.dropped++
	}
	t.first += uint64(n)
	if t.len() == 0 {
		// An empty tail has the memory of one part at most.
		t.records, t.dropped, t.spare = nil, 0, nil
	}
}

// dropParts drops the first parts without records, but not the newest part. One that nobody has is used
// again.
func (t *tail) dropParts() {
	for len(t.parts) > 1 && t.parts[0].records == 0 {
		if !t.parts[0].lent {
			t.spare = t.parts[0].octets[:0]
		}
		t.parts = slices.Delete(t.parts, 0, 1)
	}
}

// read appends the records of some runs to dst, and drops what stands before the end of the last
// run: they are seldom read again. It reports whether all of them are here; if not, it does nothing.
func (t *tail) read(runs []run, dst []Entry) ([]Entry, bool) {
	end := runs[len(runs)-1].to
	if runs[0].from < t.first || end > t.first+uint64(t.len()) {
		return dst, false
	}
	for _, r := range runs {
		for seq := r.from; seq < r.to; seq++ {
			dst = append(dst, Entry{Seq: seq, Data: t.records[uint64(t.dropped)+seq-t.first]})
		}
	}
	t.drop(int(end-t.first), true)
	return dst, true
}
