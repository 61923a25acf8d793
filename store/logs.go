package store

import (
	"os"
	"path"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logAhead is how much of a log is allocated ahead. The engine would allocate each log in full,
// 70 MiB, and keep five: 350 MiB for an empty store. A log that has grown stays as large and is
// reused, so under load nothing changes.
const logAhead = 8 << 20

// logStep is by how much a log is shortened at a time before it is removed, in octets. To free a log of
// 64 MiB takes ext4 20 ms, and a sync that needs its journal, as of a log that grows, waits for that.
const logStep = 1 << 20

// restFactor is how long the removal of files rests after each table and each part of a log, as a multiple
// of the time that this took.
const restFactor = 3

// files is the file system that the engine uses. It does not allocate logs in full, writes zeros
// ahead of them, checks tables as they are read, paces flushes, compactions and the removal of
// tables and logs, and maintains the inventory.
type files struct {
	vfs.FS
	inventory *inventory
	pacer     *pacer
	truncate  func(name string, size int64) error // makes a file of FS shorter
}

func (s *Store) files() files {
	truncate := os.Truncate
	if s.cfg.Disk != nil {
		truncate = s.cfg.Disk.truncate
	}
	return files{s.fsys, s.inventory, &s.pacer, truncate}
}

// logZeros is how many zeros are written after the end of a log that grows. A sync of a file that has grown
// also writes its inode and takes twice as long. With zeros, only one sync for each 256 KiB does. A reader
// of the log stops at the zeros. In the same way it stops at old octets in a log that is used again.
const logZeros = 256 << 10

var zeros [logZeros]byte

// logFile is a log that the engine writes. One goroutine writes it, from start to end.
type logFile struct {
	vfs.File
	at   int64 // where the next write goes
	size int64 // octets before this were written already: overwriting them does not change the inode
}

func (fs files) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, c)
	if err == nil && strings.HasPrefix(path.Base(name), "MANIFEST-") {
		return &manifest{File: f, name: name, inventory: fs.inventory}, nil
	}
	if err == nil {
		f = fs.pacer.pace(f, c)
	}
	return fs.log(name, f, err)
}

func (fs files) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	fs.inventory.removeLog(oldname)
	f, err := fs.FS.ReuseForWrite(oldname, newname, c)
	return fs.log(newname, f, err)
}

// Remove removes a log from the inventory before the file, and shortens it first. It rests after a log
// or a table: after a compaction the engine removes many.
func (fs files) Remove(name string) error {
	fs.inventory.removeLog(name)
	_, isLog := logNumber(name)
	if isLog {
		fs.shorten(name)
	}
	began := time.Now()
	err := fs.FS.Remove(name)
	if isLog || strings.HasSuffix(name, ".sst") {
		fs.restAfter(began)
	}
	return err
}

func (fs files) restAfter(began time.Time) {
	if fs.pacer.waiting.Load() == 0 {
		time.Sleep(min(restFactor*time.Since(began), longestRest))
	}
}

// shorten frees the space of a log in steps, and rests after each. The engine removes a log when the
// MANIFEST that says so is durable, and reads only logs that the MANIFEST wants. So after a crash, nobody
// reads what is left of the log, and the next Open removes it. A table must not be shortened: a
// reader that has it open would find it damaged.
func (fs files) shorten(name string) {
	info, err := fs.Stat(name)
	if err != nil {
		return
	}
	for size := info.Size() - logStep; size > 0; size -= logStep {
		began := time.Now()
		if fs.truncate(name, size) != nil {
			return // Remove does it in one step
		}
		fs.restAfter(began)
	}
}

// Open opens a table so that its blocks are checked as they are read. It checks a log as a whole.
func (fs files) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := fs.FS.Open(name, opts...)
	switch {
	case err != nil:
		return nil, err
	case strings.HasSuffix(name, ".sst"):
		return checked(name, f)
	case strings.HasSuffix(name, ".log") && fs.inventory.has(name):
		// Versions without an inventory wrote some records without a sync. In their logs a crash
		// can leave a later record without the one before it.
		return checkedLog(name, f)
	}
	return f, nil
}

func (fs files) log(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil || !strings.HasSuffix(name, ".log") {
		return f, err
	}
	fs.inventory.addLog(name)
	l := &logFile{File: f}
	if info, err := f.Stat(); err == nil {
		l.size = info.Size()
	}
	return l, nil
}

func (l *logFile) Preallocate(offset, length int64) error {
	return l.File.Preallocate(offset, min(length, logAhead))
}

func (l *logFile) Write(b []byte) (int, error) {
	n, err := l.File.Write(b)
	l.at += int64(n)
	if l.at > l.size {
		// The error is ignored: without zeros, syncs only take longer. If the disk is full, the engine's
		// next write fails.
		more, _ := l.WriteAt(zeros[:], l.at)
		l.size = l.at + int64(more)
	}
	return n, err
}
