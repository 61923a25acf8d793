package store

import (
	"context"
	"encoding/binary"
	"errors"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestReleaseMemory: a store that was busy has two large memtables. Afterwards it has two others
// that hold nothing, all keys are there, and it takes changes as before.
func TestReleaseMemory(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Config{MaxSize: 256 << 20}) // memtables of 8 MiB
	if err != nil {
		t.Fatal(err)
	}
	commit := func(n int) {
		t.Helper()
		done := make(chan error, 1)
		s.Commit(Change{Puts: []Put{{Key: binary.BigEndian.AppendUint32(nil, uint32(n)), Value: make([]byte, 1<<20)}}}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	const keys = 40
	for i := range keys {
		commit(i)
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	before := s.db.Metrics()
	if m := before.MemTable; m.ZombieCount != 1 || m.ZombieSize != 8<<20 {
		t.Fatalf("the engine keeps no memtable for reuse: %+v", m)
	}
	if err := s.replaceMemtables(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := s.db.Metrics()
	if after.MemTable != before.MemTable || after.Flush.Count != before.Flush.Count+3 {
		t.Errorf("%d flushes, %+v, before %+v", after.Flush.Count-before.Flush.Count, after.MemTable, before.MemTable)
	}
	commit(keys)
	if err := errors.Join(s.Close(), s.ReleaseMemory(t.Context())); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir, Config{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found := 0
	if err := s.Load(func(_, _ []byte) error { found++; return nil }); err != nil || found != keys+1 {
		t.Errorf("%d keys, %v", found, err)
	}
}

// TestReleaseMemoryFullDisk: the disk has no space for the table of what a memtable holds. The end of
// the daemon does not wait for it.
func TestReleaseMemoryFullDisk(t *testing.T) {
	disk := NewDisk()
	disk.fsys = vfs.FS(tablesFail{disk.fsys, syscall.ENOSPC})
	s := open(t, disk, Config{})
	commit(t, s, Change{Puts: []Put{put("a", "v")}})
	ctx, end := context.WithCancel(t.Context())
	end()
	if err := errors.Join(s.replaceMemtables(ctx), s.Close()); err != nil {
		t.Error(err)
	}
}

// TestHasRoomFor: the table of a memtable must not make the store refuse events.
func TestHasRoomFor(t *testing.T) {
	for name, tt := range map[string]struct {
		space Space
		want  bool
	}{
		"much is free":             {Space{Free: 1000, AcceptFree: 200}, true},
		"just enough is free":      {Space{Free: 264, AcceptFree: 200}, true},
		"too little is free":       {Space{Free: 263, AcceptFree: 200}, false},
		"unknown what is free":     {Space{Free: -1, AcceptFree: 200}, true},
		"far below its limit":      {Space{Free: 1000, Size: 100, AcceptSize: 900}, true},
		"too near to its limit":    {Space{Free: 1000, Size: 837, AcceptSize: 900}, false},
		"limit, unknown free":      {Space{Free: -1, Size: 837, AcceptSize: 900}, false},
		"limit, too little free":   {Space{Free: 263, AcceptFree: 200, Size: 1, AcceptSize: 900}, false},
		"neither limit is reached": {Space{Free: 264, AcceptFree: 200, Size: 836, AcceptSize: 900}, true},
	} {
		s := &Store{}
		s.space.seen.Store(&tt.space)
		if got := s.hasRoomFor(64); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
