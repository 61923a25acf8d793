package store

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// flushCategory is what the engine calls the tables that it writes from a memtable.
const flushCategory vfs.DiskWriteCategory = "pebble-memtable-flush"

const (
	// flushRest is how long a flush rests after each write, as a multiple of its work since the last
	// one. The removal of a log rests as much after each step. It has a quarter of one processor then. At full speed it takes 150 ms of both, and answers
	// that come meanwhile wait (BenchmarkLatency).
	flushRest = 3
	// longestRest bounds one rest: a writer that had to wait for the disk or a processor has done
	// less work than it seems.
	longestRest = 5 * time.Millisecond
)

// pacer slows down the flush of a memtable while there is no hurry: while the next memtable has room, and
// nobody waits.
type pacer struct {
	memtable uint64        // the size of a full memtable, in octets
	full     atomic.Int64  // memtables whose flush has not begun
	late     atomic.Bool   // the newest flush has more than one full memtable
	waiting  atomic.Int64  // who waits for a flush: writers that the engine stalls, Open, Close, a cut
	paced    atomic.Uint64 // files
}

// flushBegins is called by the engine when a flush begins. With more than one full memtable it is late. The
// first flush has many memtables, but they are small: the first has 256 KiB, and each is twice as large
// as the one before. Together they have the size of a full one.
func (p *pacer) flushBegins(info pebble.FlushInfo) {
	p.late.Store(info.InputBytes > p.memtable+p.memtable/2)
	for {
		full := p.full.Load()
		if p.full.CompareAndSwap(full, max(0, full-int64(info.Input))) {
			return
		}
	}
}

// logCreated is called by the engine when it begins a log, and with it a memtable: the one before it is
// full. It may be called a little before the flush of an earlier one begins.
func (p *pacer) logCreated(pebble.WALCreateInfo) { p.full.Add(1) }

// wait makes flushes hurry until the function that it returns is called.
func (p *pacer) wait() (done func()) {
	p.waiting.Add(1)
	return func() { p.waiting.Add(-1) }
}

// stalls and goesOn are called by the engine around the time in which no writer can go on.
func (p *pacer) stalls(pebble.WriteStallBeginInfo) { p.waiting.Add(1) }
func (p *pacer) goesOn()                           { p.waiting.Add(-1) }

// opened is called when the engine is open. Its first log followed no memtable that is to be flushed.
func (p *pacer) opened() { p.full.Store(0) }

func (p *pacer) hurries() bool { return p.full.Load() > 0 || p.late.Load() || p.waiting.Load() > 0 }

// pace returns the file of a table, or if it is written from a memtable, one that rests.
func (p *pacer) pace(f vfs.File, c vfs.DiskWriteCategory) vfs.File {
	if c != flushCategory {
		return f
	}
	p.paced.Add(1)
	return &pacedFile{File: f, pacer: p, rested: time.Now()}
}

// rest rests after work that began at a time.
func rest(began time.Time) { time.Sleep(min(flushRest*time.Since(began), longestRest)) }

// pacedFile is the file of a table that a flush writes. Only the flush uses it.
type pacedFile struct {
	vfs.File
	pacer  *pacer
	rested time.Time // when the last rest ended
}

func (f *pacedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	if !f.pacer.hurries() {
		rest(f.rested)
	}
	f.rested = time.Now()
	return n, err
}
