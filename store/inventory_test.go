package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// TestFirstOpenKilled kills the process before each write of the first Open. The next Open
// succeeds.
func TestFirstOpenKilled(t *testing.T) {
	mem := vfs.NewCrashableMem()
	var mu sync.Mutex
	var disks []*Disk
	killed := newDisk(mem)
	killed.fsys = errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			mu.Lock()
			defer mu.Unlock()
			disks = append(disks, newDisk(mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 2))})))
		}
		return nil
	}))
	s := open(t, killed, Config{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for i, disk := range disks {
		s, err := Open("state", Config{Disk: disk})
		if err != nil {
			t.Errorf("killed before write %d: %v", i, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestInventoryOfOthers: a file that the inventory does not list, or no longer lists, is not
// damage.
func TestInventoryOfOthers(t *testing.T) {
	rewrite := func(t *testing.T, disk *Disk, change func(v *inventory)) {
		v := &inventory{fsys: disk.mem, file: "state/" + inventoryName}
		if err := v.load(); err != nil {
			t.Fatal(err)
		}
		change(v)
		v.write()
	}
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, disk *Disk)
	}{
		{"an upgrade that a crash interrupts: the log has a gap and is not in it", func(t *testing.T, disk *Disk) {
			rewrite(t, disk, func(v *inventory) { clear(v.logs) })
			for _, name := range disk.files(t, ".log") {
				if b := disk.content(t, name); len(b) > 200 {
					b[chunkHeader+5] ^= 1
				}
			}
		}},
		{"a version without one was at work since, and removed its logs", func(t *testing.T, disk *Disk) {
			rewrite(t, disk, func(v *inventory) { v.manifest, v.logs[9999] = "MANIFEST-000000", true })
		}},
		{"it is on a bad sector", func(_ *testing.T, disk *Disk) {
			disk.fsys = errorfs.Wrap(disk.mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind == errorfs.OpFileReadAt && strings.HasSuffix(op.Path, inventoryName) {
					return syscall.EIO
				}
				return nil
			}))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			disk := NewDisk()
			s := open(t, disk, Config{})
			for i := range 10 {
				commit(t, s, Change{Puts: []Put{put("k", fmt.Sprint(i))}})
			}
			disk = disk.PowerCut(0, nil)
			_ = s.Close()
			tt.change(t, disk)
			again, err := Open("state", Config{Disk: disk})
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestInventoryNotWritten: an inventory that could not be written does not come back after a power
// cut.
func TestInventoryNotWritten(t *testing.T) {
	disk := NewDisk()
	s := open(t, disk, Config{})
	disk.BreakAfter(0, 1, syscall.ENOSPC)
	s.inventory.removeLog(fmt.Sprintf("%06d.log", first(s.inventory.logs)))
	disk.Break(nil)
	cut := disk.PowerCut(0, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := cut.mem.Stat("state/" + inventoryName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is there: %v", err)
	}
}

func first(logs map[uint64]bool) uint64 {
	for n := range logs {
		return n
	}
	return 0
}
