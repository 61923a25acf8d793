package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

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
	opener *opener
}

func (p private) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return restricted(p.opener.open(func() (vfs.File, error) { return p.FS.Create(name, c) }))
}

func (p private) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return p.opener.open(func() (vfs.File, error) { return p.FS.Open(name, opts...) })
}

func (p private) OpenDir(name string) (vfs.File, error) {
	return p.opener.open(func() (vfs.File, error) { return p.FS.OpenDir(name) })
}

func (p private) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return restricted(p.opener.open(func() (vfs.File, error) { return p.FS.OpenReadWrite(name, c, opts...) }))
}

// ReuseForWrite renames the file before it opens it, so after a shortage it opens the new name.
func (p private) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	again := false
	return restricted(p.opener.open(func() (vfs.File, error) {
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
// changes nothing, and restrict has logged it.
func restricted(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	_ = unix.Fchmod(int(f.Fd()), fileMode)
	return f, nil
}

// storeFile matches the names of the store's files, also of those that replace one.
var storeFile = regexp.MustCompile(`^([0-9]+\.(sst|log)|(MANIFEST|OPTIONS|temporary)[-.].*|marker\..*|CURRENT|LOCK|probe-[0-9]+|(inventory|ballast)(\.new)?)$`)

// isOwn reports whether a name is that of a file of the daemon.
func (s *Store) isOwn(name string) bool {
	name = strings.TrimSuffix(name, ".new")
	return storeFile.MatchString(name) || slices.Contains(s.cfg.Beside, name)
}

// restrict gives the state folder folderMode and its files fileMode, and logs a line if one of them
// had more, or cannot be changed. If the folder has files of others, it is perhaps a wrong one: the
// folder and these files keep their modes.
func (s *Store) restrict() {
	if s.cfg.Disk != nil {
		return // a disk in memory has no modes
	}
	entries, err := os.ReadDir(s.dir)
	files, foreign := 0, ""
	for _, entry := range entries {
		switch {
		case entry.Name() == "lost+found": // the folder is a file system of its own
		case !s.isOwn(entry.Name()):
			foreign = entry.Name()
		case entry.Type().IsRegular(): // a link may lead out of the folder
			wasOpen, err2 := tighten(filepath.Join(s.dir, entry.Name()), fileMode)
			if err = errors.Join(err, err2); wasOpen {
				files++
			}
		}
	}
	if foreign != "" {
		s.log.Warn("state folder has a file of another program; the modes of the folder and of that file are left alone", "dir", s.dir, "file", foreign)
	} else if wasOpen, err2 := tighten(s.dir, folderMode); wasOpen || files > 0 {
		err = errors.Join(err, err2)
		s.log.Warn("state folder was accessible to other users; it and its files are closed to them now", "dir", s.dir, "files", files)
	}
	if err != nil {
		s.log.Warn("state folder cannot be closed to other users", "dir", s.dir, "err", err)
	}
}

// tighten gives a file or folder the mode. wasOpen reports that it was open to other users.
func tighten(name string, mode fs.FileMode) (wasOpen bool, err error) {
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() == mode {
		return false, err
	}
	if err := os.Chmod(name, mode); err != nil {
		return false, err
	}
	return info.Mode().Perm()&^mode != 0, nil
}
