// Package atomicfile replaces small files as a whole: after a power cut a file has its old or its
// new content. It knows nothing of what is in them.
package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace writes b to the file with this name, which only its owner may read. It returns once the
// content and its name are on the disk. After an error the file has its old or its new content.
// Calls for the same file must not overlap.
func Replace(name string, b []byte) error {
	next := name + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
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
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
