package store

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/logtest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

func (d *Disk) hasBallast() bool {
	_, err := d.mem.Stat("state/" + ballastName)
	return err == nil
}

const mib = 1 << 20

// TestSpace: a disk fills up and empties again.
func TestSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(logtest.Buffer)
		disk := NewDisk()
		disk.SetFree(1000 * mib)
		s := open(t, disk, Config{MinFree: 100 * mib, Ballast: 10 * mib, Logger: slog.New(slog.NewTextHandler(log, nil))})
		for i, tt := range []struct {
			free    int64
			want    error
			ballast bool
		}{
			{1000 * mib, nil, true},
			{100 * mib, nil, true},
			{99 * mib, ErrNoSpace, true},
			{50 * mib, ErrNoSpace, true},
			{120 * mib, ErrNoSpace, true}, // not yet: hysteresis
			{125 * mib, nil, true},
			{110 * mib, nil, true}, // still short
			{24 * mib, ErrNoSpace, false},
			{130 * mib, nil, false}, // enough to accept events, not for the ballast too
			{90 * mib, ErrNoSpace, false},
			{200 * mib, nil, true},
		} {
			disk.SetFree(tt.free)
			time.Sleep(2 * spaceInterval)
			if err := s.Accepting(); !errors.Is(err, tt.want) {
				t.Errorf("step %d, %d MiB free: %v, want %v", i, tt.free/mib, err, tt.want)
			}
			if got := disk.hasBallast(); got != tt.ballast {
				t.Errorf("step %d, %d MiB free: ballast %v, want %v", i, tt.free/mib, got, tt.ballast)
			}
			// Accepted changes are not refused, and deliveries continue.
			commit(t, s, Change{Appends: appends("q", "x")})
		}
		if n := log.Count("refuses new events"); n != 3 {
			t.Errorf("%d lines say that events are refused, want 3", n)
		}
		if n := log.Count("accepts new events"); n != 3 {
			t.Errorf("%d lines say that events are accepted, want 3", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDroppedBallastIsNotFreeSpace: the space of the ballast is for accepted changes, not for new
// events.
func TestDroppedBallastIsNotFreeSpace(t *testing.T) {
	for _, tt := range []struct{ minFree, ballast, size int64 }{
		{16 * mib, 0, 16 * mib}, // the default is 64 MiB
		{16 * mib, 17 * mib, 16 * mib},
		{100 * mib, 10 * mib, 10 * mib},
		{-1, 10 * mib, 10 * mib},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := NewDisk()
				disk.SetFree(1000 * mib)
				var size int64
				disk.fsys = ballastSize{disk.fsys, &size}
				s := open(t, disk, Config{MinFree: tt.minFree, Ballast: tt.ballast})
				if size != tt.size {
					t.Fatalf("the ballast has %d octets, want %d", size, tt.size)
				}
				if tt.minFree < 0 {
					return
				}
				free := tt.minFree/4 - 1
				disk.SetFree(free)
				time.Sleep(2 * spaceInterval)
				if disk.hasBallast() {
					t.Fatal("the ballast is still there")
				}
				disk.SetFree(free + size)
				time.Sleep(2 * spaceInterval)
				if err := s.Accepting(); !errors.Is(err, ErrNoSpace) {
					t.Errorf("Accepting with %d octets free, of which %d were the ballast: %v", free+size, size, err)
				}
			})
		})
	}
}

// ballastSize records the size of the ballast file, because a disk in memory does not.
type ballastSize struct {
	vfs.FS
	size *int64
}

type ballastFile struct {
	vfs.File
	size *int64
}

func (d ballastSize) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, c)
	if err == nil && strings.HasSuffix(name, ballastName) {
		f = ballastFile{f, d.size}
	}
	return f, err
}

func (f ballastFile) Preallocate(offset, length int64) error {
	*f.size = offset + length
	return f.File.Preallocate(offset, length)
}

// TestSpaceByBytes: the space is checked before a second passes, because a burst must not fill the
// disk before the next tick.
func TestSpaceByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := NewDisk()
		disk.SetFree(1000 * mib)
		s := open(t, disk, Config{MinFree: 100 * mib})
		disk.SetFree(50 * mib)
		start := time.Now()
		for range spaceBytes/mib + 1 {
			commit(t, s, Change{Puts: []Put{{Key: []byte("k"), Value: make([]byte, mib)}}})
		}
		synctest.Wait()
		if err := s.Accepting(); !errors.Is(err, ErrNoSpace) || time.Since(start) >= spaceInterval {
			t.Errorf("after %v: %v, want ErrNoSpace", time.Since(start), err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDiskFull: a write finds no space. The ballast is removed, the write succeeds, and new events
// are refused for a while.
func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := NewDisk()
		var full atomic.Bool // full except for the space of the ballast
		disk.fsys = errorfs.Wrap(disk.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if full.Load() && op.Kind == errorfs.OpFileWrite && disk.hasBallast() {
				return syscall.ENOSPC
			}
			return nil
		}))
		disk.SetFree(1000 * mib) // like a quota
		s := open(t, disk, Config{Ballast: mib})
		if !disk.hasBallast() {
			t.Fatal("no ballast")
		}
		full.Store(true)
		commit(t, s, Change{Puts: []Put{put("k", "v")}})
		if disk.hasBallast() {
			t.Error("the ballast is still there")
		}
		time.Sleep(diskFullHold - 2*spaceInterval)
		if err := s.Accepting(); !errors.Is(err, ErrNoSpace) {
			t.Errorf("Accepting: %v", err)
		}
		full.Store(false)
		time.Sleep(4 * spaceInterval)
		if err := s.Accepting(); err != nil || !disk.hasBallast() {
			t.Errorf("with space again: Accepting: %v, ballast %v", err, disk.hasBallast())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDiskStaysFull: there is no space even without the ballast.
func TestDiskStaysFull(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{Ballast: mib})
	commit(t, s, Change{Appends: appends("q", "durable")})
	disk.Break(syscall.ENOSPC)
	err := commitErr(s, Change{Appends: appends("q", "lost")})
	if !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ErrFailed with ENOSPC", err)
	}
	if err := s.Close(); !errors.Is(err, ErrFailed) {
		t.Errorf("Close: %v", err)
	}
	again := open(t, disk.PowerCut(0, nil), Config{})
	equal(t, "queue", []string{"1:durable"}, read(t, again, "q"))
}

func TestNoBallast(t *testing.T) {
	disk := NewDisk()
	disk.SetFree(10)
	s := open(t, disk, Config{MinFree: -1, Ballast: -1})
	if disk.hasBallast() {
		t.Error("there is a ballast file")
	}
	if err := s.Accepting(); err != nil {
		t.Errorf("MinFree -1 refuses: %v", err)
	}
}

// TestOpenFull opens directories on full disks.
func TestOpenFull(t *testing.T) {
	for _, tt := range []struct {
		name string
		free int64
		full error // the error of writes
		want error
	}{
		{"too little", 24 * mib, nil, ErrNoSpace},
		{"enough to open, not to accept", 25 * mib, nil, nil},
		{"no write works", 1000 * mib, syscall.ENOSPC, syscall.ENOSPC},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk := NewDisk()
			cfg := Config{Disk: disk, MinFree: 100 * mib, Ballast: 10 * mib}
			s := open(t, disk, cfg)
			commit(t, s, Change{Appends: appends("q", "x")})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			disk.SetFree(tt.free)
			disk.Break(tt.full)
			s, err := Open("state", cfg)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err != nil {
				if !strings.Contains(err.Error(), "state") {
					t.Errorf("%q does not name the directory", err)
				}
				return
			}
			defer s.Close()
			if err := s.Accepting(); !errors.Is(err, ErrNoSpace) {
				t.Errorf("Accepting: %v", err)
			}
			s.Discard([]Ack{{"q", 1}}) // deliveries free space
			equal(t, "queue", []string(nil), read(t, s, "q"))
		})
	}
}

// TestOpenFillsDisk: the engine finds no space in the middle of Open, where it would retry without
// end.
func TestOpenFillsDisk(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	for i := range 50 {
		commit(t, s, Change{Puts: []Put{put(fmt.Sprint(i), strings.Repeat("v", 10_000))}})
	}
	disk = disk.PowerCut(0, nil) // a log to replay
	full := newDisk(disk.mem)
	full.fsys = vfs.FS(tablesFail{full.fsys, syscall.ENOSPC})
	_, err := Open("state", Config{Disk: full})
	if !errors.Is(err, ErrNoSpace) {
		t.Errorf("got %v, want ErrNoSpace", err)
	}

	broken := newDisk(disk.PowerCut(0, nil).mem)
	broken.fsys = vfs.FS(tablesFail{broken.fsys, syscall.EIO})
	_, err = Open("state", Config{Disk: broken})
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v, want EIO", err)
	}
}

// tablesFail is a disk on which the engine cannot create tables.
type tablesFail struct {
	vfs.FS
	err error
}

func (f tablesFail) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasSuffix(name, ".sst") {
		return nil, f.err
	}
	return f.FS.Create(name, c)
}
