package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestLogZeros: the log that commits write grows rarely, a part at a time. Behind the last commit it has
// zeros, which are no damage: a copy of the folder has everything.
func TestLogZeros(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Config{})
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[int64]bool{}
	for i := range 200 {
		commit(t, s, Change{Puts: []Put{put("k", strings.Repeat("v", 5000+i))}})
		logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
		if err != nil || len(logs) == 0 {
			t.Fatalf("logs %v, %v", logs, err)
		}
		info, err := os.Stat(slices.Max(logs))
		if err != nil {
			t.Fatal(err)
		}
		sizes[info.Size()] = true
	}
	if len(sizes) < 2 || len(sizes) > 6 {
		t.Errorf("the log had %d sizes", len(sizes))
	}
	want := state(t, s)
	crashed := t.TempDir()
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(crashed, Config{})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "state after a crash", want, state(t, again))
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOldLog: the log of a process that was killed ends with zeros. If it is still there after the next kill,
// and the log of the next process is damaged, only that one is named.
func TestOldLog(t *testing.T) {
	// run commits in a folder and returns a copy of it, as after a kill, and its newest log.
	run := func(dir, value string) (killed, log string) {
		t.Helper()
		s, err := Open(dir, Config{})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			commit(t, s, Change{Puts: []Put{put("k", value)}})
		}
		killed = t.TempDir()
		err = os.CopyFS(killed, os.DirFS(dir))
		logs, globErr := filepath.Glob(filepath.Join(killed, "*.log"))
		if err := errors.Join(err, globErr, s.Close()); err != nil {
			t.Fatal(err)
		}
		return killed, slices.Max(logs)
	}
	first, old := run(t.TempDir(), "first")
	octets, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	second, newest := run(first, "second")
	log, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	log[bytes.Index(log, []byte("second"))] ^= 1
	if err := errors.Join(os.WriteFile(newest, log, 0o600), os.WriteFile(filepath.Join(second, filepath.Base(old)), octets, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err = Open(second, Config{}); !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), filepath.Base(old)) {
		t.Errorf("error %v, want only the damage of %s", err, filepath.Base(newest))
	}
}

// TestReusedLog: a log that is used again grows only behind its old octets. A disk that takes no zeros is no
// error of the log.
func TestReusedLog(t *testing.T) {
	mem := vfs.NewMem()
	fs := files{FS: mem, inventory: &inventory{fsys: mem, file: "/" + inventoryName, logs: map[uint64]bool{}}, pacer: new(pacer)}
	write := func(f vfs.File, octets int, want int64) {
		t.Helper()
		n, err := f.Write(bytes.Repeat([]byte{0xff}, octets))
		info, statErr := f.Stat()
		if err := errors.Join(err, statErr); err != nil || n != octets || info.Size() != want {
			t.Errorf("wrote %d of %d, the log has %d octets, want %d: %v", n, octets, info.Size(), want, err)
		}
	}
	f, err := fs.Create("/000001.log", "wal")
	if err != nil {
		t.Fatal(err)
	}
	write(f, 100, 100+logZeros)
	write(f, logZeros, 100+logZeros)
	write(f, 1, 101+2*logZeros)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = fs.ReuseForWrite("/000001.log", "/000002.log", "wal"); err != nil {
		t.Fatal(err)
	}
	write(f, logZeros, 101+2*logZeros)
	if b, err := readFile(mem, "/000002.log"); err != nil || len(b) < logZeros || b[logZeros] != 0xff {
		t.Errorf("the old octets are gone: %v", err)
	}
	write(f, logZeros+200, 200+3*logZeros)
	f.(*logFile).File = noWriteAt{f.(*logFile).File}
	write(f, 2*logZeros, 200+4*logZeros)
	write(f, 1, 201+4*logZeros)
}

type noWriteAt struct{ vfs.File }

func (noWriteAt) WriteAt([]byte, int64) (int, error) { return 0, errors.New("full") }

// TestRemoveLog: a log is freed in steps, with rests between them, and then removed. A table is removed
// at once, with a rest behind it, and other files without a rest.
func TestRemoveLog(t *testing.T) {
	const work = time.Millisecond
	const rested = work * (1 + restFactor)
	for _, tt := range []struct {
		name  string
		file  string
		size  int64
		fails bool
		waits bool
		steps []int64
		took  time.Duration
	}{
		{"a log", "000012.log", 2*logStep + 1, false, false, []int64{logStep + 1, 1}, 3 * rested},
		{"whole steps", "000012.log", 2 * logStep, false, false, []int64{logStep}, 2 * rested},
		{"a small log", "000012.log", logStep, false, false, nil, rested},
		{"an empty log", "000012.log", 0, false, false, nil, rested},
		{"a table", "000012.sst", 5 * logStep, false, false, nil, rested},
		{"the ballast", ballastName, 5 * logStep, false, false, nil, work},
		{"somebody waits", "000012.log", 2*logStep + 1, false, true, []int64{logStep + 1, 1}, 3 * work},
		{"somebody waits for a table", "000012.sst", 1, false, true, nil, work},
		{"a step fails", "000012.log", 5 * logStep, true, false, []int64{4 * logStep}, work + rested},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), tt.file)
			if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Truncate(name, tt.size)); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				var steps []int64
				fs := files{FS: slowRemoval{vfs.Default, work}, inventory: &inventory{}, pacer: new(pacer), truncate: func(name string, size int64) error {
					steps = append(steps, size)
					time.Sleep(work)
					if tt.fails {
						return errors.New("broken")
					}
					return os.Truncate(name, size)
				}}
				if tt.waits {
					defer fs.pacer.wait()()
				}
				began := time.Now()
				if err := fs.Remove(name); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); !slices.Equal(steps, tt.steps) || took != tt.took {
					t.Errorf("steps %v in %v, want %v in %v", steps, took, tt.steps, tt.took)
				}
				if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the file is there: %v", err)
				}
			})
		})
	}
}

// slowRemoval takes some time to remove a file.
type slowRemoval struct {
	vfs.FS
	takes time.Duration
}

func (fs slowRemoval) Remove(name string) error {
	time.Sleep(fs.takes)
	return fs.FS.Remove(name)
}

// TestFilesTruncate: the engine's file system shortens the files of the operating system.
func TestFilesTruncate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "000012.log")
	if err := os.WriteFile(name, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newStore(t.TempDir(), Config{}).files().truncate(name, 2); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "12" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestRemoveLogPowerCut: at every step of the removal of logs, a kill or a power cut leaves a
// directory that opens, with all changes that were reported durable. A store goes on from there, and
// removes the rest of the logs.
func TestRemoveLogPowerCut(t *testing.T) {
	for _, tt := range []struct {
		name     string
		unsynced int
		seeds    uint64
	}{
		{"a kill", 100, 1},
		{"a power cut that loses all that was not synced", 0, 1},
		{"a power cut that loses a part of it", 50, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range tt.seeds {
				cuts := removeLogs(t, tt.unsynced, rand.New(rand.NewPCG(seed, 0)))
				if len(cuts) < 5 {
					t.Errorf("%d steps, so the test tests nothing", len(cuts))
				}
				for _, c := range cuts {
					checkCut(t, c.disk, c.durable)
				}
			}
		})
	}
}

// stepCut is what a power cut at a step of a removal left. durable changes were reported durable before.
type stepCut struct {
	disk    *Disk
	durable int
}

// manyChanges fill logs of 256 KiB to 4 MiB. The engine keeps four of them for reuse.
const manyChanges = 90

var smallLogs = Config{MaxSize: 128 << 20, Ballast: -1} // memtables of 4 MiB

// removeLogs commits changes so that logs are removed, and cuts the power at each step.
func removeLogs(t *testing.T, unsynced int, rng *rand.Rand) (cuts []stepCut) {
	disk := NewDisk()
	var durable atomic.Int64
	disk.truncated = func(string, int64) { // the engine removes one file at a time, until it is closed
		n := int(durable.Load())
		cuts = append(cuts, stepCut{disk.PowerCut(unsynced, rng), n})
	}
	s := open(t, disk, smallLogs)
	results := make(chan error, manyChanges)
	for i := range manyChanges {
		s.Commit(bigChange(i), func(err error) {
			durable.Add(1)
			results <- err
		})
		if i%4 == 0 { // so that not all changes share one batch
			if err := <-results; err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(s.db.Flush(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := open(t, disk, smallLogs).Close(); err != nil { // it removes the logs of the first
		t.Fatal(err)
	}
	return cuts
}

// bigChange has 128 KiB that do not compress.
func bigChange(i int) Change {
	value := make([]byte, 64<<10)
	_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(value)
	return Change{
		Puts:    []Put{put("n", strconv.Itoa(i+1)), {Key: fmt.Appendf(nil, "k%04d", i), Value: value}},
		Appends: []Append{{Queue: "q", Data: value}},
	}
}

// checkCut opens what a cut left: a prefix of the changes, with those that were durable.
func checkCut(t *testing.T, disk *Disk, durable int) {
	s := open(t, disk, smallLogs)
	n, keys := 0, 0
	err := s.Load(func(key, value []byte) (err error) {
		if string(key) != "n" {
			keys++
			return nil
		}
		n, err = strconv.Atoi(string(value))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < durable || n > manyChanges || keys != n {
		t.Errorf("%d changes and %d keys survived, %d of %d were durable", n, keys, durable, manyChanges)
	}
	entries, err := s.Read("q", 0, manyChanges, nil)
	if err != nil || len(entries) != n || len(s.Damage()) > 0 {
		t.Errorf("%d of %d records, damage %v, %v", len(entries), n, s.Damage(), err)
	}
	for i, e := range entries {
		if !bytes.Equal(e.Data, bigChange(i).Appends[0].Data) {
			t.Errorf("record %d has other octets", i)
		}
	}
	commit(t, s, bigChange(n))
	if err := errors.Join(s.db.Flush(), s.Close()); err != nil {
		t.Fatal(err)
	}
}
