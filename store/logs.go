package store

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logAhead is how much of a log is allocated ahead. The engine would allocate
// all of each log, 70 MiB, and keep five: 350 MiB for a store that holds
// nothing. A log that has once grown stays as large and is written over, so
// under load nothing changes.
const logAhead = 8 << 20

// smallLogs is a file system on which the engine's logs are not allocated in full.
type smallLogs struct{ vfs.FS }

type smallLog struct{ vfs.File }

func (l smallLogs) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(name, c)
	return small(name, f, err)
}

func (l smallLogs) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.ReuseForWrite(oldname, newname, c)
	return small(newname, f, err)
}

func small(name string, f vfs.File, err error) (vfs.File, error) {
	if err == nil && strings.HasSuffix(name, ".log") {
		f = smallLog{f}
	}
	return f, err
}

func (l smallLog) Preallocate(offset, length int64) error {
	return l.File.Preallocate(offset, min(length, logAhead))
}
