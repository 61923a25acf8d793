package store

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"
)

// What the engine calls the tables that it writes from a memtable, and from other tables.
const (
	flushCategory      vfs.DiskWriteCategory = "pebble-memtable-flush"
	compactionCategory vfs.DiskWriteCategory = "pebble-compaction"
)

const (
	// longestSpread is the longest time over which a flush is spread. A flush is spread over half of the
	// time in which its memtable was filled. At full speed a flush takes 150 ms and a compaction of four
	// times as much 350 ms or more, and answers that come meanwhile wait.
	longestSpread = 4 * time.Second
	// compactionShare is how much one compaction may write while a flush is spread, as a multiple of what
	// the flush writes. A flush is spread over at most half of the time between two flushes, so one
	// compaction may write at least eight times as much as is flushed. The engine writes each record
	// three to five times in all, so compactions keep up.
	compactionShare = 4
	// A write rests for at most longestRest, then it looks again whether it should hurry. A rest below
	// shortestRest is saved up for a later write: many short rests would cost more than they bring.
	shortestRest, longestRest = 2 * time.Millisecond, 5 * time.Millisecond
	// firstRatio is the first value of pacer.ratio, and leastRatio the least that is used. A flush that
	// writes less than expected is short, and one that writes more is late.
	firstRatio, leastRatio = 0.5, 1.0 / 16
	// deepLevel is how much level 0 may have before compactions hurry, as a multiple of what the flush of a
	// full memtable writes. The engine compacts it from about a quarter of that, and would stall writers
	// at four times as much. The lower levels cannot fall behind for long, because then level 0 grows.
	deepLevel = 16
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

	mu     sync.Mutex
	began  time.Time     // when the newest flush began or, before the first, the engine was opened
	spread time.Duration // over which that flush, and compactions until the next one, are spread
	input  uint64        // octets of the memtables of that flush
	ratio  float64       // octets written for each octet of a memtable, see octetsFrom
}

// flushBegins is called by the engine when a flush begins. With more than one full memtable it is late. The
// first flush has many memtables, but they are small: the first has 256 KiB, and each is twice as large
// as the one before. Together they have the size of a full one. It also decides over which time the flush is
// spread: hardly any if the engine repeats it.
func (p *pacer) flushBegins(info pebble.FlushInfo) {
	p.mu.Lock()
	now := time.Now()
	p.spread = min(now.Sub(p.began)/2, longestSpread)
	p.began, p.input = now, info.InputBytes
	p.mu.Unlock()
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
func (p *pacer) flushEnded(info pebble.FlushInfo) {
	size := sizeOf(info.Output)
	p.level0.Add(size)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.input >= p.memtable/2 {
		p.ratio = max(float64(size)/float64(p.input), p.ratio/2)
	}
}

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

// octetsFrom returns what a flush of memtables with n octets is expected to write: what the last large flush
// wrote for each octet. The records of that one may have been deleted meanwhile, so less is expected only
// step by step. The caller holds the mutex.
func (p *pacer) octetsFrom(n uint64) int64 { return max(1, int64(float64(n)*max(p.ratio, leastRatio))) }

// opened is called when the engine is open, with the size of level 0. Its first log followed no memtable
// that is to be flushed.
func (p *pacer) opened(level0 int64) {
	p.full.Store(0)
	p.level0.Store(level0)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began, p.spread, p.ratio = time.Now(), longestSpread, firstRatio
}

func (p *pacer) flushHurries() bool {
	return p.full.Load() > 0 || p.late.Load() || p.waiting.Load() > 0
}

func (p *pacer) compactionHurries() bool {
	if p.short.Load() || p.waiting.Load() > 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.level0.Load() > deepLevel*p.octetsFrom(p.memtable)
}

// pace returns f or, for a table that a flush or a compaction writes, a file that rests.
func (p *pacer) pace(f vfs.File, c vfs.DiskWriteCategory) vfs.File {
	p.mu.Lock()
	defer p.mu.Unlock()
	paced := &pacedFile{File: f, spread: p.spread, octets: p.octetsFrom(p.input), due: time.Now()}
	switch c {
	case flushCategory:
		paced.hurries = p.flushHurries
	case compactionCategory:
		paced.hurries = p.compactionHurries
		paced.octets = p.octetsFrom(p.memtable) * compactionShare
	default:
		return f
	}
	p.paced.Add(1)
	return paced
}

// pacedFile is the file of a table that a flush or a compaction writes. Only they use it. It writes at most
// octets in each spread. It does not measure the work of the engine: the engine makes the next block while
// a write rests. After a write that need not rest it yields its processor; a write that hurries does not.
type pacedFile struct {
	vfs.File
	hurries func() bool
	spread  time.Duration
	octets  int64     // in that time
	due     time.Time // when the next write may begin
}

func (f *pacedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	now := time.Now()
	if f.hurries() {
		f.due = now
		return n, err
	}
	if f.due.Before(now) {
		f.due = now
	}
	f.due = f.due.Add(time.Duration(float64(f.spread) * float64(n) / float64(f.octets)))
	if wait := f.due.Sub(now); wait >= shortestRest {
		time.Sleep(min(wait, longestRest))
	} else {
		yield()
	}
	return n, err
}

// yield lets the threads that wait for this processor run first. Otherwise a commit whose sync has ended
// may wait for the 3 or 4 ms that the kernel gives a thread at a time, even if another processor is idle.
// (runtime.Gosched lets goroutines run, but not threads.)
func yield() { _, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
