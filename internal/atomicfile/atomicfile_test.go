package atomicfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestReplace: a file is made, replaced by a shorter one, and kept if the new one cannot be written.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	check := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	for _, text := range []string{"the first text", "second", ""} {
		if err := Replace(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		check(text)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	// A folder in place of the next file: nobody, not even root, can write it.
	if err := os.Mkdir(name+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(name, []byte("third")); err == nil {
		t.Error("no error")
	}
	check("")
	if err := Replace(filepath.Join(dir, "missing", "file"), nil); err == nil {
		t.Error("no error without the folder")
	}
}

// TestMode: the mode is 0600 whatever the umask is, also over a file that others may read.
func TestMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	name := filepath.Join(t.TempDir(), "file")
	for _, old := range []string{name, name + ".new"} {
		if err := os.WriteFile(old, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := Replace(name, []byte("text")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
