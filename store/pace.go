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
	// one. It has a quarter of one processor then. At full speed it takes 150 ms of both, and answers
	// that come meanwhile wait (BenchmarkLatency).
	flushRest = 3
	// longestRest bounds one rest: a writer that had to wait for the disk or a processor has done
	// less work than it seems.
	longestRest = 5 * time.Millisecond
)

// pacer slows down the flush of a memtable while there is no hurry: while the next memtable has room.
type pacer struct {
	hurry atomic.Bool
	paced atomic.Uint64 // files
}

// flushBegins is called by the engine when a flush begins. If it writes more than one memtable, it is behind.
func (p *pacer) flushBegins(info pebble.FlushInfo) { p.hurry.Store(info.Input > 1) }

// logCreated is called by the engine when it begins a log, and with it a memtable. If that is during a
// flush, the memtable before it is full too.
func (p *pacer) logCreated(pebble.WALCreateInfo) { p.hurry.Store(true) }

// pace returns the file of a table, or if it is written from a memtable, one that rests.
func (p *pacer) pace(f vfs.File, c vfs.DiskWriteCategory) vfs.File {
	if c != flushCategory {
		return f
	}
	p.paced.Add(1)
	return &pacedFile{File: f, pacer: p, rested: time.Now()}
}

// pacedFile is the file of a table that a flush writes. Only the flush uses it.
type pacedFile struct {
	vfs.File
	pacer  *pacer
	rested time.Time // when the last rest ended
}

func (f *pacedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	if !f.pacer.hurry.Load() {
		time.Sleep(min(flushRest*time.Since(f.rested), longestRest))
	}
	f.rested = time.Now()
	return n, err
}
