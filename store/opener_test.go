package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// scarce is a file system whose opens fail a number of times. It renames as the system's does
// before it fails to open.
type scarce struct {
	vfs.FS
	left int
}

func (s *scarce) fails() error {
	if s.left--; s.left >= 0 {
		return &os.PathError{Op: "open", Path: "x", Err: syscall.EMFILE}
	}
	return nil
}

func (s *scarce) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := s.fails(); err != nil {
		return nil, err
	}
	return s.FS.Create(name, c)
}

func (s *scarce) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := s.fails(); err != nil {
		return nil, err
	}
	return s.FS.Open(name, opts...)
}

func (s *scarce) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if s.left > 0 {
		_ = s.Rename(oldname, newname)
		return nil, s.fails()
	}
	return s.FS.ReuseForWrite(oldname, newname, c)
}

// TestShortage: opens wait while descriptors are short, with one line. A store that opens, or that
// was closed, does not wait.
func TestShortage(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &opener{log: slog.New(slog.NewTextHandler(&log, nil))}
		disk := &scarce{FS: vfs.Default}
		fsys := private{disk, s}
		name := filepath.Join(dir, "000001.log")
		disk.left = 1
		if _, err := fsys.Create(name, vfs.WriteCategoryUnspecified); err == nil {
			t.Error("it waits before the store is open")
		}
		s.waiting.Store(true)
		disk.left = 20
		f, err := fsys.Create(name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("old text")); err != nil {
			t.Fatal(err)
		}
		f.Close()
		disk.left = 20
		newname := filepath.Join(dir, "000002.log")
		if f, err = fsys.ReuseForWrite(name, newname, vfs.WriteCategoryUnspecified); err != nil {
			t.Fatal(err)
		}
		f.Close()
		disk.left = 20
		if f, err = fsys.Open(newname); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(f); string(b) != "old text" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		f.Close()
		if _, err := os.Stat(name); !os.IsNotExist(err) {
			t.Errorf("the old name: %v", err)
		}
		if n := strings.Count(log.String(), "waits for a file descriptor"); n != 1 {
			t.Errorf("%d lines: %s", n, log.String())
		}
		if _, err := fsys.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("another error: %v", err)
		}
	})
}
