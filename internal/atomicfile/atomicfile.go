// Package atomicfile replaces small files as a whole: after a power cut a file has its old or its
// new content. It knows nothing of what is in them.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"aaasess/internal/folder"
)

// Replace writes b to the file with this name, which only its owner may read. It returns once the
// content and its name are on the disk. After an error the file has its old or its new content.
// Calls for the same file must not overlap.
func Replace(name string, b []byte) error {
	next := name + ".new"
	// A file that is left over from a crash, or that somebody has put there, could have another mode
	// or be a link. Unlink it and nothing else: os.Remove would also remove an empty folder.
	if err := syscall.Unlink(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &fs.PathError{Op: "unlink", Path: next, Err: err}
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = f.Chmod(0o600) // regardless of the umask, and of a file that was there
	if err == nil {
		_, err = f.Write(b)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, name); err != nil {
		return err
	}
	return folder.Sync(filepath.Dir(name))
}
