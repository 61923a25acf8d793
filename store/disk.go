package store

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// Disk is a disk in memory, for tests. It can be full, fail, and lose power. It outlives the stores
// on it. Its methods may be called at any time.
type Disk struct {
	fsys  vfs.FS
	mem   *vfs.MemFS
	fault atomic.Pointer[fault]
	// truncated is called after a file was made shorter. nil: nothing is called.
	truncated func(name string, size int64)
}

type fault struct {
	err   error
	after atomic.Int64 // writes that still succeed
	left  atomic.Int64 // writes that fail after that
}

// NewDisk returns an empty disk that never fills.
func NewDisk() *Disk { return newDisk(vfs.NewCrashableMem()) }

func newDisk(mem *vfs.MemFS) *Disk {
	d := &Disk{mem: mem}
	d.fsys = errorfs.Wrap(mem, errorfs.InjectorFunc(d.inject))
	return d
}

func (d *Disk) inject(op errorfs.Op) error {
	f := d.fault.Load()
	if f == nil || op.Kind.ReadOrWrite() == errorfs.OpIsRead {
		return nil
	}
	switch op.Kind {
	case errorfs.OpFileClose, errorfs.OpRemove, errorfs.OpRemoveAll, errorfs.OpLock:
		return nil // these work on a full or read-only disk too
	}
	if f.after.Add(-1) >= 0 || f.left.Add(-1) < 0 {
		return nil
	}
	return f.err
}

// truncate makes a file shorter. A power cut leaves the file as it was, or any part of what is left of it.
func (d *Disk) truncate(name string, size int64) error {
	b, err := readFile(d.fsys, name)
	if err != nil {
		return err
	}
	f, err := d.fsys.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(b[:size])
	if err = errors.Join(err, f.Close()); err == nil && d.truncated != nil {
		d.truncated(name, size)
	}
	return err
}

// Break makes every write and sync fail with err from now on. nil repairs the disk.
func (d *Disk) Break(err error) {
	if err == nil {
		d.fault.Store(nil)
		return
	}
	d.BreakAfter(0, math.MaxInt64, err)
}

// BreakAfter lets some writes succeed, then makes n writes and syncs fail with err.
func (d *Disk) BreakAfter(writes, n int64, err error) {
	f := &fault{err: err}
	f.after.Store(writes)
	f.left.Store(n)
	d.fault.Store(f)
}

// SetFree sets the free space that the disk reports, in bytes. Writes do not depend on it.
func (d *Disk) SetFree(n int64) {
	d.mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: uint64(n), TotalBytes: 1 << 40})
}

// PowerCut returns the disk as a power cut at this moment would leave it. Synced data is there.
// Each block that was not synced is there with a probability of unsynced percent, chosen by rng.
// rng may be nil if unsynced is 0. The disk itself and its stores continue.
func (d *Disk) PowerCut(unsynced int, rng *rand.Rand) *Disk {
	return newDisk(d.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rng}))
}
