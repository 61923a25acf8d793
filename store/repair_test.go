package store

import (
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// TestRepairOfHealthyTable: a table that cannot be opened at the time of a repair does not count as
// damaged.
func TestRepairOfHealthyTable(t *testing.T) {
	for _, tt := range []struct {
		name string
		open func(t *testing.T, s *Store, disk *Disk, path string) error
		want error
	}{
		{"a compaction has rewritten it meanwhile", func(t *testing.T, s *Store, disk *Disk, path string) error {
			if err := s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err != nil {
				t.Error(err)
			}
			for { // the engine removes it on a goroutine
				if _, err := disk.mem.Stat(path); err != nil {
					return nil
				}
				runtime.Gosched()
			}
		}, nil},
		{"too many open files", func(*testing.T, *Store, *Disk, string) error { return syscall.EMFILE }, syscall.EMFILE},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 1000 {
				if repairsHealthyTable(t, tt.open, tt.want) {
					return
				}
			}
			t.Error("no repair has opened a table")
		})
	}
}

// repairsHealthyTable repairs a table that is not damaged. whileOpening is called when the repair opens
// it. It returns false if the repair did not: the engine, which opens new tables for its statistics at
// any time, had it open.
func repairsHealthyTable(t *testing.T, whileOpening func(*testing.T, *Store, *Disk, string) error, want error) bool {
	disk := NewDisk()
	var s *Store
	var armed atomic.Bool
	disk.fsys = errorfs.Wrap(disk.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpOpen && strings.HasSuffix(op.Path, ".sst") && isRepairing() && armed.CompareAndSwap(true, false) {
			return whileOpening(t, s, disk, op.Path)
		}
		return nil
	}))
	s = open(t, disk, Config{})
	for _, v := range []string{"v", "w"} { // two tables, so that there is something to compact
		commit(t, s, Change{Puts: []Put{put("k", v)}, Appends: appends("q", "a", "b")})
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "state", map[string]string{"k": "w"}, state(t, s))
	s.addSuspect(disk.files(t, ".sst")[0])
	tables := s.dueSuspects(time.Now())
	armed.Store(true)
	_, err := s.repair(tables, true)
	if armed.Load() {
		return false
	}
	if !errors.Is(err, want) {
		t.Errorf("repair: %v", err)
	}
	if len(s.Damage()) > 0 {
		t.Errorf("told to be lost: %+v", s.Damage())
	}
	equal(t, "state", map[string]string{"k": "w"}, state(t, s))
	equal(t, "records", 4, len(seqs(t, s)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	equal(t, "state after the next start", map[string]string{"k": "w"}, state(t, open(t, disk, Config{})))
	return true
}

// isRepairing reports whether the caller opens a file for a repair.
func isRepairing() bool {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, ".(*Store).repair") {
			return true
		}
		if !more {
			return false
		}
	}
}
