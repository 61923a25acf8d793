package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestMake: the umask does not matter; only the folder itself is made, and one that is there is left
// alone.
func TestMake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	if made, err := Make(dir); !made || err != nil {
		t.Errorf("made: %t, %v", made, err)
	}
	check(t, dir, 0o750)
	if err := os.Chmod(dir, 0o701); err != nil {
		t.Fatal(err)
	}
	if made, err := Make(dir); made || err != nil {
		t.Errorf("made again: %t, %v", made, err)
	}
	check(t, dir, 0o701)
	if made, err := Make(filepath.Join(dir, "b", "c")); made || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a parent: %t, %v", made, err)
	}
}

// TestMakeAll: missing parents are made like the folder. A file in its place is no error yet.
func TestMakeAll(t *testing.T) {
	dir := t.TempDir()
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for range 2 {
		if err := MakeAll(filepath.Join(dir, "a", "b", "c")); err != nil {
			t.Fatal(err)
		}
	}
	for _, made := range []string{"a", "a/b", "a/b/c"} {
		check(t, filepath.Join(dir, made), 0o750)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := MakeAll(file); err != nil {
		t.Error(err)
	}
	if err := MakeAll(filepath.Join(file, "x")); err != nil {
		t.Error(err)
	}
}

func TestSync(t *testing.T) {
	dir := t.TempDir()
	if err := Sync(dir); err != nil {
		t.Error(err)
	}
	if err := Sync(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func check(t *testing.T, dir string, mode fs.FileMode) {
	t.Helper()
	if info, err := os.Stat(dir); err != nil || info.Mode() != fs.ModeDir|mode {
		t.Errorf("%s: %v, %v, want mode %v", dir, info, err, mode)
	}
}
