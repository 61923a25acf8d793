package atomicfile

import (
	"errors"
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

// TestReplaceLeftover: what is in place of the next file does not pass on its mode, its content or,
// if it is a link, its target.
func TestReplaceLeftover(t *testing.T) {
	tests := map[string]func(next, other string) error{
		"a file that all may read": func(next, _ string) error {
			return errors.Join(os.WriteFile(next, []byte("a longer text that is left over"), 0o600), os.Chmod(next, 0o666))
		},
		"a file that nobody may write": func(next, _ string) error { return os.WriteFile(next, []byte("old"), 0o400) },
		"a symbolic link":              func(next, other string) error { return os.Symlink(other, next) },
		"a hard link":                  func(next, other string) error { return os.Link(other, next) },
	}
	for what, leave := range tests {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			name, other := filepath.Join(dir, "file"), filepath.Join(dir, "other")
			if err := errors.Join(os.WriteFile(other, []byte("other"), 0o644), leave(name+".new", other)); err != nil {
				t.Fatal(err)
			}
			if err := Replace(name, []byte("new")); err != nil {
				t.Fatal(err)
			}
			info, err := os.Lstat(name)
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
			for file, want := range map[string]string{name: "new", other: "other"} {
				if got, err := os.ReadFile(file); err != nil || string(got) != want {
					t.Errorf("%s has %q, %v, want %q", file, got, err, want)
				}
			}
			if _, err := os.Lstat(name + ".new"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the next file is still there: %v", err)
			}
		})
	}
}

// TestRead: what Replace has not written is an error. A pipe does not block.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	pipe, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "file")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Replace(file, []byte("text")); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file string
		limit      int
		want       error
	}{
		{"as long as allowed", file, 4, nil},
		{"too long", file, 3, ErrUnfit},
		{"missing", filepath.Join(dir, "none"), 4, os.ErrNotExist},
		{"a pipe", pipe, 4, ErrUnfit},
		{"a link to a pipe", link, 4, ErrUnfit},
		{"a folder", dir, 4, ErrUnfit},
		{"a device", "/dev/zero", 4, ErrUnfit},
	} {
		b, err := Read(tt.file, tt.limit)
		if !errors.Is(err, tt.want) || err == nil && string(b) != "text" {
			t.Errorf("%s: %q, %v, want %v", tt.name, b, err, tt.want)
		}
	}
}
