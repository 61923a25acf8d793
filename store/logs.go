package store

import (
	"path"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logAhead is how much of a log is allocated ahead. The engine would allocate
// all of each log, 70 MiB, and keep five: 350 MiB for a store that holds
// nothing. A log that has once grown stays as large and is written over, so
// under load nothing changes.
const logAhead = 8 << 20

// files is the file system that the engine sees: its logs are not allocated in
// full, its tables are checked as they are read, and there is an inventory.
type files struct {
	vfs.FS
	inventory *inventory
}

type smallLog struct{ vfs.File }

func (l files) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(name, c)
	if err == nil && strings.HasPrefix(path.Base(name), "MANIFEST-") {
		return &manifest{File: f, name: name, entries: l.inventory}, nil
	}
	return l.log(name, f, err)
}

func (l files) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	l.inventory.logGone(oldname)
	f, err := l.FS.ReuseForWrite(oldname, newname, c)
	return l.log(newname, f, err)
}

// Remove strikes a log off the inventory before it goes.
func (l files) Remove(name string) error {
	l.inventory.logGone(name)
	return l.FS.Remove(name)
}

// Open opens a table so that its blocks are checked, and checks a log.
func (l files) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := l.FS.Open(name, opts...)
	switch {
	case err != nil:
		return nil, err
	case strings.HasSuffix(name, ".sst"):
		return checked(name, f)
	case strings.HasSuffix(name, ".log") && l.inventory.has(name):
		// Versions that had no inventory wrote some records without a sync: there a crash can leave a
		// later record and not the one before.
		return checkedLog(name, f)
	}
	return f, nil
}

func (l files) log(name string, f vfs.File, err error) (vfs.File, error) {
	if err == nil && strings.HasSuffix(name, ".log") {
		l.inventory.logMade(name)
		f = smallLog{f}
	}
	return f, err
}

func (l smallLog) Preallocate(offset, length int64) error {
	return l.File.Preallocate(offset, min(length, logAhead))
}
