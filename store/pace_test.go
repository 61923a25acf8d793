package store

import (
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

// TestPace: a flush rests while the next memtable has room.
func TestPace(t *testing.T) {
	const writes, work = 10, time.Millisecond
	begin := func(memtables int) func(*pacer) {
		return func(p *pacer) {
			p.flushBegins(pebble.FlushInfo{Input: memtables, InputBytes: uint64(memtables) * p.memtable})
		}
	}
	first := func(p *pacer) { p.flushBegins(pebble.FlushInfo{Input: 8, InputBytes: p.memtable}) }
	full := func(p *pacer) { p.logCreated(pebble.WALCreateInfo{}) }
	stalls := func(p *pacer) { p.stalls(pebble.WriteStallBeginInfo{}) }
	waits := func(p *pacer) { _ = p.wait() }
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
		{"the log of a start", []func(*pacer){full, (*pacer).opened, full, begin(1)}, nil, flushCategory, 0, writes * 4 * work},
		{"a flush is repeated", []func(*pacer){full, begin(1), begin(1), full}, nil, flushCategory, 0, writes * work},
		{"a slow disk", []func(*pacer){full, begin(1)}, nil, flushCategory, time.Second, writes * (work + time.Second + longestRest)},
		{"a compaction", []func(*pacer){full, begin(1)}, nil, "pebble-compaction", 0, writes * work},
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
	if s.pacer.hurries() {
		t.Error("flushes hurry after Open")
	}
	s.pacer.full.Store(1)
	commit(t, s, Change{Puts: []Put{put("key", "value")}})
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	if !s.pacer.hurries() {
		t.Error("the flush of one memtable does not hurry while another is full")
	}
	if s.pacer.late.Load() {
		t.Error("the flush of a memtable that is not full is late")
	}
	if n := s.pacer.paced.Load(); n == 0 {
		t.Error("the file of a flush was not paced")
	}
}
