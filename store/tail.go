package store

// The limits of a tail. A record that is longer than a chunk of its memory is not kept.
const (
	maxTail   = 2 << 20
	tailChunk = 64 << 10
)

// tail has the newest records of a queue in memory. Most records are read soon after they were
// appended, and then need not be read through the engine, which looks into every level for them.
// Store.mu guards it.
type tail struct {
	first   uint64   // sequence number of records[0]
	records [][]byte // never changed once they are here: readers have them too
	octets  int
	chunk   []byte // memory of the newest records
}

// append adds a record.
func (t *tail) append(seq uint64, data []byte) {
	if seq != t.first+uint64(len(t.records)) {
		t.clear(seq)
	}
	if len(data) > tailChunk {
		t.clear(seq + 1)
		return
	}
	if len(t.chunk)+len(data) > cap(t.chunk) {
		t.chunk = make([]byte, 0, tailChunk)
	}
	at := len(t.chunk)
	t.chunk = append(t.chunk, data...)
	t.records = append(t.records, t.chunk[at:len(t.chunk):len(t.chunk)])
	for t.octets += len(data); t.octets > maxTail; {
		t.drop(1)
	}
}

// clear drops all records. The next one is expected to be seq.
func (t *tail) clear(seq uint64) {
	clear(t.records)
	t.records, t.octets, t.first = t.records[:0], 0, seq
}

// drop drops the first n records.
func (t *tail) drop(n int) {
	for i := range n {
		t.octets -= len(t.records[i])
		t.records[i] = nil
	}
	t.first += uint64(n)
	if t.records = t.records[n:]; len(t.records) == 0 {
		t.records = nil // so that the memory is not kept by a later, short slice of it
	}
}

// read appends the records of some runs to dst, and drops what stands before the end of the last
// run: they are seldom read again. It reports whether all of them are here; if not, it does nothing.
func (t *tail) read(runs []run, dst []Entry) ([]Entry, bool) {
	end := runs[len(runs)-1].to
	if runs[0].from < t.first || end > t.first+uint64(len(t.records)) {
		return dst, false
	}
	for _, r := range runs {
		for seq := r.from; seq < r.to; seq++ {
			dst = append(dst, Entry{Seq: seq, Data: t.records[seq-t.first]})
		}
	}
	t.drop(int(end - t.first))
	return dst, true
}
