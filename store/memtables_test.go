package store

import (
	"encoding/binary"
	"errors"
	"testing"
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
	if err := s.replaceMemtables(); err != nil {
		t.Fatal(err)
	}
	after := s.db.Metrics()
	if after.MemTable != before.MemTable || after.Flush.Count != before.Flush.Count+3 {
		t.Errorf("%d flushes, %+v, before %+v", after.Flush.Count-before.Flush.Count, after.MemTable, before.MemTable)
	}
	commit(keys)
	if err := errors.Join(s.Close(), s.ReleaseMemory()); err != nil {
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
