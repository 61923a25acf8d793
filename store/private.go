package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"
)

// The state folder has secrets: user names, addresses, the keys of SNMP. Only its owner may read
// it, whatever the umask is.
const (
	folderMode = 0o700
	fileMode   = 0o600
)

// private is the file system of the operating system. Every file that it opens for writing gets
// fileMode: the engine itself leaves the modes of its files to the umask. Opens wait while file
// descriptors are short.
type private struct {
	vfs.FS
	shortage *shortage
}

func (p private) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return restricted(p.shortage.open(func() (vfs.File, error) { return p.FS.Create(name, c) }))
}

func (p private) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return p.shortage.open(func() (vfs.File, error) { return p.FS.Open(name, opts...) })
}

func (p private) OpenDir(name string) (vfs.File, error) {
	return p.shortage.open(func() (vfs.File, error) { return p.FS.OpenDir(name) })
}

func (p private) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return restricted(p.shortage.open(func() (vfs.File, error) { return p.FS.OpenReadWrite(name, c, opts...) }))
}

// ReuseForWrite renames the file before it opens it, so after a shortage it opens the new name.
func (p private) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	again := false
	return restricted(p.shortage.open(func() (vfs.File, error) {
		if again {
			return p.FS.OpenReadWrite(newname, c)
		}
		again = true
		return p.FS.ReuseForWrite(oldname, newname, c)
	}))
}

func (p private) Lock(name string) (io.Closer, error) {
	lock, err := p.FS.Lock(name)
	if err != nil {
		return nil, err
	}
	_ = os.Chmod(name, fileMode) // by its name: closing another descriptor would release the lock
	return lock, nil
}

// restricted gives an open file fileMode. Some file systems have no modes (vfat, CIFS); there it
// changes nothing, and restrictFiles has logged it.
func restricted(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	_ = unix.Fchmod(int(f.Fd()), fileMode)
	return f, nil
}

// restrictFolder gives the state folder folderMode, and reports whether it had more.
func (s *Store) restrictFolder() (was bool, err error) {
	if s.cfg.Disk != nil {
		return false, nil // a disk in memory has no modes
	}
	return tighten(s.dir, folderMode)
}

// restrictFiles gives the regular files of the state folder fileMode. It logs a line if one of them or
// the folder had more, or cannot be changed. A store that is new has only files of its own; other
// files of its folder are left alone, in case the folder is a wrong one.
func (s *Store) restrictFiles(existed, folderWas bool, err error) {
	files := 0
	if existed && s.cfg.Disk == nil {
		entries, err2 := os.ReadDir(s.dir)
		err = errors.Join(err, err2)
		for _, entry := range entries {
			if !entry.Type().IsRegular() { // a link may lead out of the folder
				continue
			}
			was, err2 := tighten(filepath.Join(s.dir, entry.Name()), fileMode)
			if err = errors.Join(err, err2); was {
				files++
			}
		}
	}
	if folderWas || files > 0 {
		s.log.Warn("state folder was accessible to other users; it and its files are closed to them now", "dir", s.dir, "files", files)
	}
	if err != nil {
		s.log.Warn("state folder cannot be closed to other users", "dir", s.dir, "err", err)
	}
}

// tighten gives a file or folder the mode, and reports whether other users had access.
func tighten(name string, mode fs.FileMode) (was bool, err error) {
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() == mode {
		return false, err
	}
	if err := os.Chmod(name, mode); err != nil {
		return false, err
	}
	return info.Mode().Perm()&^mode != 0, nil
}
