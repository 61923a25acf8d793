// Package folder makes folders, and makes what is in them durable. It does not know what they are
// for.
package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Mode is the mode of new folders: for their owner, and for its group to read.
const Mode fs.FileMode = 0o750

// Make makes a folder if it does not exist, with [Mode] whatever the umask is, and reports whether
// it has. The folder's parent must exist. Make returns when the folder is on the disk. Anything
// else at its path counts as the folder: whoever opens a file in it gets the error.
func Make(dir string) (made bool, err error) {
	if err := os.Mkdir(dir, Mode); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = nil
		}
		return false, err
	}
	return true, errors.Join(os.Chmod(dir, Mode), Sync(filepath.Dir(dir)))
}

// MakeAll makes a folder and its parents like Make.
func MakeAll(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := MakeAll(filepath.Dir(dir)); err != nil {
		return err
	}
	_, err := Make(dir)
	return err
}

// Sync makes the names of new files in a folder durable.
func Sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
