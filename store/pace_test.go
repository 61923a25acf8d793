package store

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// slowFile takes some time for each write.
type slowFile struct {
	vfs.File
	write time.Duration
}

func (f slowFile) Write(b []byte) (int, error) {
	time.Sleep(f.write)
	return len(b), nil
}

// TestPace: a flush is spread over half of the time in which its memtable was filled, and a compaction over a
// part of that, unless they hurry.
func TestPace(t *testing.T) {
	const (
		writes   = 64
		fill     = 4 * time.Second // until the memtable is full
		size     = 32 << 20        // that a flush is expected to write at first
		interval = fill / 2 / 1024 // between two writes of a flush that is spread
	)
	begin := func(memtables int) func(*pacer) {
		return func(p *pacer) {
			p.flushBegins(pebble.FlushInfo{Input: memtables, InputBytes: uint64(memtables) * p.memtable})
		}
	}
	opened := func(p *pacer) { p.opened(0) }
	first := func(p *pacer) { p.flushBegins(pebble.FlushInfo{Input: 8, InputBytes: p.memtable}) }
	filled := func(*pacer) { time.Sleep(fill) }
	aDay := func(*pacer) { time.Sleep(24 * time.Hour) }
	full := func(p *pacer) { p.logCreated(pebble.WALCreateInfo{}) }
	stalls := func(p *pacer) { p.stalls(pebble.WriteStallBeginInfo{}) }
	waits := func(p *pacer) { _ = p.wait() }
	tables := func(n int) (all []pebble.TableInfo) {
		for range n {
			all = append(all, pebble.TableInfo{Size: size})
		}
		return all
	}
	short := func(p *pacer) { p.short.Store(true) }
	large := func(p *pacer) { p.opened(deepLevel*size + 1) }
	flushed := func(times int) func(*pacer) {
		return func(p *pacer) {
			for range times {
				p.flushEnded(pebble.FlushInfo{Output: tables(1)})
			}
		}
	}
	small := func(p *pacer) { // and the next one begins
		p.flushBegins(pebble.FlushInfo{Input: 1, InputBytes: p.memtable / 4})
		p.flushEnded(pebble.FlushInfo{})
		filled(p)
		begin(1)(p)
	}
	empty := func(p *pacer) { p.flushEnded(pebble.FlushInfo{}) }
	largeFlush := func(p *pacer) { p.flushEnded(pebble.FlushInfo{Output: tables(4)}) }
	compacted := func(err error, from, to int) func(*pacer) { // of one table
		return func(p *pacer) {
			p.compacted(pebble.CompactionInfo{
				Err:    err,
				Input:  []pebble.LevelInfo{{Level: from, Tables: tables(1)}, {Level: 6, Tables: tables(1)}},
				Output: pebble.LevelInfo{Level: to, Tables: tables(1)},
			})
		}
	}
	one := []func(*pacer){filled, full, begin(1)} // one memtable was filled
	with := func(more ...func(*pacer)) []func(*pacer) { return slices.Concat(one, more) }
	for _, tt := range []struct {
		name     string
		before   []func(*pacer)
		during   []func(*pacer) // after half of the writes
		category vfs.DiskWriteCategory
		write    time.Duration // of one write
		block    time.Duration // in which the engine makes a block, while the one before it is written
		want     time.Duration
	}{
		{"one memtable", one, nil, flushCategory, 0, 0, writes * interval},
		{"the engine needs half of the time", one, nil, flushCategory, 0, interval / 2, writes*interval + interval/2},
		{"the engine needs more", one, nil, flushCategory, 0, 2 * interval, writes*2*interval + interval},
		{"the engine pauses", one, []func(*pacer){filled}, flushCategory, 0, 0, fill + writes*interval},
		{"it was full sooner", with(func(*pacer) { time.Sleep(fill / 2) }, full, begin(1)), nil, flushCategory, 0, 0, writes / 2 * interval},
		{"it was full after a day", with(aDay, full, begin(1)), nil, flushCategory, 0, 0, writes * longestSpread / 1024},
		{"the flush before was large", with(largeFlush), nil, flushCategory, 0, 0, writes * interval / 4},
		{"the flush before was small", with(small), nil, flushCategory, 0, 0, writes * interval},
		{"the flush before wrote nothing", with(empty), nil, flushCategory, 0, 0, writes * interval * 2},
		{"and all before it", with(empty, empty, empty, empty, empty), nil, flushCategory, 0, 0, writes * longestRest},
		{"a small memtable", []func(*pacer){filled, full, func(p *pacer) {
			p.flushBegins(pebble.FlushInfo{Input: 1, InputBytes: p.memtable / 2})
		}}, nil, flushCategory, 0, 0, writes * interval * 2},
		{"another is full already", []func(*pacer){filled, full, full, begin(2)}, nil, flushCategory, 0, 0, 0},
		{"another becomes full", one, []func(*pacer){full}, flushCategory, 0, 0, writes / 2 * interval},
		{"the flush after one that had to hurry", with(filled, full, begin(1)), nil, flushCategory, 0, 0, writes * interval},
		{"another becomes full as the flush begins", []func(*pacer){filled, full, begin(1), filled, full, full, begin(1)}, nil, flushCategory, 0, 0, 0},
		{"the flush after that", []func(*pacer){filled, full, begin(1), full, full, begin(1), filled, begin(1)}, nil, flushCategory, 0, 0, writes * interval},
		{"writers stall", one, []func(*pacer){stalls}, flushCategory, 0, 0, writes / 2 * interval},
		{"writers go on", with(stalls, (*pacer).goesOn), nil, flushCategory, 0, 0, writes * interval},
		{"somebody waits", one, []func(*pacer){waits}, flushCategory, 0, 0, writes / 2 * interval},
		{"the first flush has all that grew", []func(*pacer){filled, full, full, full, full, full, full, full, full, first}, nil, flushCategory, 0, 0, writes * interval},
		{"the log of a start", []func(*pacer){full, opened, filled, full, begin(1)}, nil, flushCategory, 0, 0, writes * interval},
		{"a flush is repeated", with(begin(1), full), nil, flushCategory, 0, 0, 0},
		{"a slow disk", one, nil, flushCategory, time.Second, 0, writes * time.Second},
		{"a compaction before the first flush", nil, nil, compactionCategory, 0, 0, writes * longestSpread / 1024 / compactionShare},
		{"a compaction", one, nil, compactionCategory, 0, 0, writes * interval / compactionShare},
		{"a compaction beside a flush that hurries", with(full), nil, compactionCategory, 0, 0, writes * interval / compactionShare},
		{"level 0 was large at the start", []func(*pacer){large, filled, full, begin(1)}, nil, compactionCategory, 0, 0, 0},
		{"level 0 becomes large", with(flushed(16)), []func(*pacer){flushed(1)}, compactionCategory, 0, 0, writes / 2 * interval / compactionShare},
		{"level 0 becomes small", with(flushed(17), compacted(nil, 0, 1)), nil, compactionCategory, 0, 0, writes * interval / compactionShare},
		{"level 0 is compacted into itself", with(flushed(17), compacted(nil, 0, 0)), nil, compactionCategory, 0, 0, 0},
		{"a compaction of level 0 fails", with(flushed(17), compacted(errors.New("broken"), 0, 1)), nil, compactionCategory, 0, 0, 0},
		{"a lower level is compacted", with(flushed(17), compacted(nil, 5, 6)), nil, compactionCategory, 0, 0, 0},
		{"level 0 after flushes that wrote nothing", with(empty, empty, empty, empty, empty, func(p *pacer) { p.level0.Store(size) }), nil, compactionCategory, 0, 0, writes * interval * 2},
		{"space is short", one, []func(*pacer){short}, compactionCategory, 0, 0, writes / 2 * interval / compactionShare},
		{"a flush while space is short", with(short), nil, flushCategory, 0, 0, writes * interval},
		{"a flush while level 0 is large", with(flushed(17)), nil, flushCategory, 0, 0, writes * interval},
		{"a compaction that somebody waits for", one, []func(*pacer){waits}, compactionCategory, 0, 0, writes / 2 * interval / compactionShare},
		{"another file", one, nil, "pebble-manifest", 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pacer{memtable: 64 << 20}
				p.opened(0)
				for _, fn := range tt.before {
					fn(&p)
				}
				began := time.Now()
				f := p.pace(slowFile{write: tt.write}, tt.category)
				blocks := make(chan []byte)
				go func() {
					defer close(blocks)
					for range writes {
						time.Sleep(tt.block)
						blocks <- make([]byte, size/1024)
					}
				}()
				i := 0
				for b := range blocks {
					if i == writes/2 {
						for _, fn := range tt.during {
							fn(&p)
						}
					}
					if n, err := f.Write(b); n != len(b) || err != nil {
						t.Error(n, err)
					}
					i++
				}
				if took := time.Since(began); took > tt.want || took < tt.want-longestRest {
					t.Errorf("took %v, want %v", took, tt.want)
				}
			})
		})
	}
}

// TestLongestRest: a write rests for a short time, however large it is: then it looks again whether it
// should hurry.
func TestLongestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer{memtable: 64 << 20}
		p.opened(0)
		time.Sleep(time.Hour)
		p.flushBegins(pebble.FlushInfo{Input: 1, InputBytes: p.memtable})
		began := time.Now()
		if _, err := p.pace(slowFile{}, flushCategory).Write(make([]byte, p.memtable)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != longestRest {
			t.Errorf("took %v", took)
		}
	})
}

// TestPacedEngine: the engine calls the pacer, and names the category of a flush as it expects.
func TestPacedEngine(t *testing.T) {
	s := open(t, NewDisk(), Config{})
	if s.pacer.flushHurries() {
		t.Error("flushes hurry after Open")
	}
	s.pacer.full.Store(1)
	commit(t, s, Change{Puts: []Put{put("key", "value")}})
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	if !s.pacer.flushHurries() {
		t.Error("the flush of one memtable does not hurry while another is full")
	}
	if s.pacer.late.Load() {
		t.Error("the flush of a memtable that is not full is late")
	}
	if n := s.pacer.paced.Load(); n == 0 {
		t.Error("the file of a flush was not paced")
	}
}

// TestPacedCompaction: the pacer knows the size of level 0 as the engine does.
func TestPacedCompaction(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	same := func(when string, empty bool) {
		t.Helper()
		want := s.db.Metrics().Levels[0].TablesSize
		if got := s.pacer.level0.Load(); got != want || (got == 0) != empty {
			t.Errorf("%s level 0 has %d octets, the engine says %d", when, got, want)
		}
	}
	same("at first", true)
	for range 3 {
		commit(t, s, Change{Puts: []Put{put("key", "value")}})
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	same("after three flushes", false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, disk, Config{})
	same("after a restart", false)
	paced := s.pacer.paced.Load()
	if err := s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err != nil {
		t.Fatal(err)
	}
	same("after a compaction", true)
	if s.pacer.paced.Load() == paced {
		t.Error("the file of a compaction was not paced")
	}
}
