package store

import (
	"errors"
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

// TestPace: a flush rests while the next memtable has room, and a compaction while level 0 is small.
func TestPace(t *testing.T) {
	const writes, work = 10, time.Millisecond
	begin := func(memtables int) func(*pacer) {
		return func(p *pacer) {
			p.flushBegins(pebble.FlushInfo{Input: memtables, InputBytes: uint64(memtables) * p.memtable})
		}
	}
	opened := func(p *pacer) { p.opened(0) }
	first := func(p *pacer) { p.flushBegins(pebble.FlushInfo{Input: 8, InputBytes: p.memtable}) }
	full := func(p *pacer) { p.logCreated(pebble.WALCreateInfo{}) }
	stalls := func(p *pacer) { p.stalls(pebble.WriteStallBeginInfo{}) }
	waits := func(p *pacer) { _ = p.wait() }
	tables := func(p *pacer, n int) (all []pebble.TableInfo) {
		for range n {
			all = append(all, pebble.TableInfo{Size: p.memtable})
		}
		return all
	}
	short := func(p *pacer) { p.short.Store(true) }
	large := func(p *pacer) { p.opened(deepLevel*int64(p.memtable) + 1) }
	flushed := func(n int) func(*pacer) {
		return func(p *pacer) { p.flushEnded(pebble.FlushInfo{Output: tables(p, n)}) }
	}
	compacted := func(err error, from, to int) func(*pacer) { // of one table
		return func(p *pacer) {
			p.compacted(pebble.CompactionInfo{
				Err:    err,
				Input:  []pebble.LevelInfo{{Level: from, Tables: tables(p, 1)}, {Level: 6, Tables: tables(p, 1)}},
				Output: pebble.LevelInfo{Level: to, Tables: tables(p, 1)},
			})
		}
	}
	for _, tt := range []struct {
		name     string
		before   []func(*pacer)
		during   []func(*pacer) // after half of the writes
		category vfs.DiskWriteCategory
		write    time.Duration // of one write, besides work
		want     time.Duration
	}{
		{"one memtable", []func(*pacer){full, begin(1)}, nil, flushCategory, 0, writes * 4 * work},
		{"another is full already", []func(*pacer){full, full, begin(2)}, nil, flushCategory, 0, writes * work},
		{"another becomes full", []func(*pacer){full, begin(1)}, []func(*pacer){full}, flushCategory, 0, writes * 5 / 2 * work},
		{"the flush after one that had to hurry", []func(*pacer){full, begin(1), full, begin(1)}, nil, flushCategory, 0, writes * 4 * work},
		{"another becomes full as the flush begins", []func(*pacer){full, begin(1), full, full, begin(1)}, nil, flushCategory, 0, writes * work},
		{"the flush after that", []func(*pacer){full, begin(1), full, full, begin(1), begin(1)}, nil, flushCategory, 0, writes * 4 * work},
		{"writers stall", []func(*pacer){full, begin(1)}, []func(*pacer){stalls}, flushCategory, 0, writes * 5 / 2 * work},
		{"writers go on", []func(*pacer){full, begin(1), stalls, (*pacer).goesOn}, nil, flushCategory, 0, writes * 4 * work},
		{"somebody waits", []func(*pacer){full, begin(1)}, []func(*pacer){waits}, flushCategory, 0, writes * 5 / 2 * work},
		{"the first flush has all that grew", []func(*pacer){full, full, full, full, full, full, full, full, first}, nil, flushCategory, 0, writes * 4 * work},
		{"the log of a start", []func(*pacer){full, opened, full, begin(1)}, nil, flushCategory, 0, writes * 4 * work},
		{"a flush is repeated", []func(*pacer){full, begin(1), begin(1), full}, nil, flushCategory, 0, writes * work},
		{"a slow disk", []func(*pacer){full, begin(1)}, nil, flushCategory, time.Second, writes * (work + time.Second + longestRest)},
		{"a compaction", nil, nil, compactionCategory, 0, writes * 4 * work},
		{"a compaction beside a flush that hurries", []func(*pacer){full, full, begin(1)}, nil, compactionCategory, 0, writes * 4 * work},
		{"level 0 was large at the start", []func(*pacer){large}, nil, compactionCategory, 0, writes * work},
		{"level 0 becomes large", []func(*pacer){flushed(8)}, []func(*pacer){flushed(1)}, compactionCategory, 0, writes * 5 / 2 * work},
		{"level 0 becomes small", []func(*pacer){flushed(9), compacted(nil, 0, 1)}, nil, compactionCategory, 0, writes * 4 * work},
		{"level 0 is compacted into itself", []func(*pacer){flushed(9), compacted(nil, 0, 0)}, nil, compactionCategory, 0, writes * work},
		{"a compaction of level 0 fails", []func(*pacer){flushed(9), compacted(errors.New("broken"), 0, 1)}, nil, compactionCategory, 0, writes * work},
		{"a lower level is compacted", []func(*pacer){flushed(9), compacted(nil, 5, 6)}, nil, compactionCategory, 0, writes * work},
		{"space is short", nil, []func(*pacer){short}, compactionCategory, 0, writes * 5 / 2 * work},
		{"a flush while space is short", []func(*pacer){full, begin(1), short}, nil, flushCategory, 0, writes * 4 * work},
		{"a flush while level 0 is large", []func(*pacer){flushed(9), full, begin(1)}, nil, flushCategory, 0, writes * 4 * work},
		{"a compaction that somebody waits for", nil, []func(*pacer){waits}, compactionCategory, 0, writes * 5 / 2 * work},
		{"another file", nil, nil, "pebble-manifest", 0, writes * work},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pacer{memtable: 64 << 20}
				for _, fn := range tt.before {
					fn(&p)
				}
				began := time.Now()
				f := p.pace(slowFile{write: tt.write}, tt.category)
				for i := range writes {
					if i == writes/2 {
						for _, fn := range tt.during {
							fn(&p)
						}
					}
					time.Sleep(work)
					if n, err := f.Write([]byte("block")); n != 5 || err != nil {
						t.Fatal(n, err)
					}
				}
				if took := time.Since(began); took != tt.want {
					t.Errorf("took %v, want %v", took, tt.want)
				}
			})
		})
	}
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
