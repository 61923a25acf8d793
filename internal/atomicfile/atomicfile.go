// Package atomicfile replaces and reads small files as a whole: after a power cut a file has its old
// or its new content. It knows nothing of what is in them.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
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

// ErrUnfit is returned by [Read] for a file that [Replace] has not written.
var ErrUnfit = errors.New("not a file of the daemon")

// Read returns the content of a file of at most limit octets. The error is [ErrUnfit] if the file is
// longer, or no regular file: opening a pipe could block without end.
func Read(name string, limit int) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w: it is not a regular file", name, ErrUnfit)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(b) > limit {
		err = fmt.Errorf("%s: %w: longer than %d octets", name, ErrUnfit, limit)
	}
	return b, err
}
