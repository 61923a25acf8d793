package store

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// What the engine calls the tables that it writes from a memtable, and from other tables.
const (
	flushCategory      vfs.DiskWriteCategory = "pebble-memtable-flush"
	compactionCategory vfs.DiskWriteCategory = "pebble-compaction"
)

const (
	// restFactor is how long background work rests after each step, as a multiple of its work since the
	// last rest: a write of a flush or compaction, a removed table, a part of a removed log. Each of
	// these has a quarter of one processor then. At full speed a flush takes 150 ms, and a compaction
	// of four times as much 700 ms, and answers that come meanwhile wait (BenchmarkLatency).
	restFactor = 3
	// longestRest bounds one rest: a writer that had to wait for the disk or a processor has done
	// less work than it seems.
	longestRest = 5 * time.Millisecond
	// deepLevel is how much level 0 may have before compactions hurry, as a multiple of a memtable. The
	// engine compacts it from about a quarter of that, and would stall writers at four times as much.
	// The lower levels cannot fall behind for long, because then level 0 grows.
	deepLevel = 8
)

// pacer slows down background work while there is no hurry. A flush hurries when the next memtable is
// full, a compaction when level 0 is large or space is short, and all of it when somebody waits.
type pacer struct {
	memtable uint64        // the size of a full memtable, in octets
	full     atomic.Int64  // memtables whose flush has not begun
	late     atomic.Bool   // the newest flush has more than one full memtable
	level0   atomic.Int64  // the size of the tables of level 0, in octets
	short    atomic.Bool   // space is short: a compaction frees some, but only when it ends
	waiting  atomic.Int64  // who waits: writers that the engine stalls, Open, Close, a cut, a reclaim
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

// wait makes background work hurry until the function that it returns is called.
func (p *pacer) wait() (done func()) {
	p.waiting.Add(1)
	return func() { p.waiting.Add(-1) }
}

// stalls and goesOn are called by the engine around the time in which no writer can go on.
func (p *pacer) stalls(pebble.WriteStallBeginInfo) { p.waiting.Add(1) }
func (p *pacer) goesOn()                           { p.waiting.Add(-1) }

// flushEnded and compacted are called by the engine when a flush or compaction has ended.
func (p *pacer) flushEnded(info pebble.FlushInfo) { p.level0.Add(sizeOf(info.Output)) }

func (p *pacer) compacted(info pebble.CompactionInfo) {
	if info.Err != nil {
		return
	}
	for _, level := range info.Input {
		if level.Level == 0 {
			p.level0.Add(-sizeOf(level.Tables))
		}
	}
	if info.Output.Level == 0 {
		p.level0.Add(sizeOf(info.Output.Tables))
	}
}

func sizeOf(tables []pebble.TableInfo) (sum int64) {
	for i := range tables {
		sum += int64(tables[i].Size)
	}
	return sum
}

// opened is called when the engine is open, with the size of level 0. Its first log followed no memtable
// that is to be flushed.
func (p *pacer) opened(level0 int64) {
	p.full.Store(0)
	p.level0.Store(level0)
}

func (p *pacer) flushHurries() bool {
	return p.full.Load() > 0 || p.late.Load() || p.waiting.Load() > 0
}

func (p *pacer) compactionHurries() bool {
	return p.level0.Load() > deepLevel*int64(p.memtable) || p.short.Load() || p.waiting.Load() > 0
}

// pace returns the file of a table that rests.
func (p *pacer) pace(f vfs.File, c vfs.DiskWriteCategory) vfs.File {
	hurries := p.flushHurries
	switch c {
	case flushCategory:
	case compactionCategory:
		hurries = p.compactionHurries
	default:
		return f
	}
	p.paced.Add(1)
	return &pacedFile{File: f, hurries: hurries, rested: time.Now()}
}

// rest rests after work that began at a time.
func rest(began time.Time) { time.Sleep(min(restFactor*time.Since(began), longestRest)) }

// pacedFile is the file of a table that a flush or a compaction writes. Only they use it.
type pacedFile struct {
	vfs.File
	hurries func() bool
	rested  time.Time // when the last rest ended
}

func (f *pacedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	if !f.hurries() {
		rest(f.rested)
	}
	f.rested = time.Now()
	return n, err
}
