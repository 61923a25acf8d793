package store

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// BenchmarkOpen opens a store of a million state keys and a million queued records, of 350 bytes
// each, and loads the state. "killed" is the files after a kill right after the last commit, so
// that everything in memory must be read from the log. "closed" is the files after Close.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	const n = 1_000_000
	killed, closed := filepath.Join(dir, "killed"), filepath.Join(dir, "closed")
	fillForOpen(b, filepath.Join(dir, "live"), n, killed, closed)
	for _, from := range []string{killed, closed} {
		b.Run(filepath.Base(from), func(b *testing.B) { benchmarkOpen(b, from, n) })
	}
}

// fillForOpen fills a store and keeps copies of its files.
func fillForOpen(b *testing.B, dir string, n int, killed, closed string) {
	s, err := Open(dir, Config{})
	if err != nil {
		b.Fatal(err)
	}
	const inFlight = 256
	slots := make(chan error, inFlight)
	for range inFlight {
		slots <- nil
	}
	value := make([]byte, 350)
	random := rand.NewChaCha8([32]byte{})
	// The worst moment for a kill: a memtable is nearly full, and nothing of it is in tables.
	size := s.options().MemTableSize
	for i := 0; i < n || s.db.Metrics().WAL.Size < size/10*8; i++ {
		if i == n {
			if err := s.db.Flush(); err != nil {
				b.Fatal(err)
			}
		}
		key := binary.BigEndian.AppendUint32([]byte("session/"), uint32(i%n)*2654435761)
		_, _ = random.Read(value[:150])
		c := Change{Puts: []Put{{Key: key, Value: value}}, Appends: []Append{{Queue: "radius/isp", Data: value}}}
		if err := <-slots; err != nil {
			b.Fatal(err)
		}
		s.Commit(c, func(err error) { slots <- err })
	}
	for range inFlight {
		if err := <-slots; err != nil {
			b.Fatal(err)
		}
	}
	for m := s.db.Metrics(); m.Compact.NumInProgress+m.Flush.NumInProgress > 0; m = s.db.Metrics() {
		time.Sleep(10 * time.Millisecond) // files must not be removed while they are copied
	}
	copyFiles(b, dir, killed)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	copyFiles(b, dir, closed)
}

func benchmarkOpen(b *testing.B, from string, n int) {
	var cpu time.Duration
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		dir := filepath.Join(b.TempDir(), "state")
		copyFiles(b, from, dir)
		b.StartTimer()
		before := cpuTime(b)
		s, err := Open(dir, Config{})
		if err != nil {
			b.Fatal(err)
		}
		opened := time.Now()
		keys := 0
		if err := s.Load(func(_, _ []byte) error { keys++; return nil }); err != nil {
			b.Fatal(err)
		}
		cpu += cpuTime(b) - before
		b.StopTimer()
		b.ReportMetric(time.Since(opened).Seconds(), "load-s")
		if q := s.Queues(); keys != n || q[0].Len < uint64(n) {
			b.Fatalf("%d keys, queues %+v, want %d of each at least", keys, q, n)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/op")
}

// cpuTime returns the CPU time of the process.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func copyFiles(b *testing.B, from, to string) {
	entries, err := os.ReadDir(from)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == ballastName {
			continue
		}
		if err := copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			b.Fatal(err)
		}
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // obsolete, and removed since
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
