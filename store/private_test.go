package store

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// modesOf returns the names in a folder, and the folder itself as ".", that have another mode than
// they should.
func modesOf(t *testing.T, dir string) (wrong []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if m := info.Mode(); m.IsRegular() && m.Perm() != 0o600 || m.IsDir() && m.Perm() != 0o700 {
			name, _ := filepath.Rel(dir, path)
			wrong = append(wrong, name+" "+m.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

// writeAndClose opens the store of a folder, writes so much that all sorts of files are made,
// checks their modes while they are in use, and returns the log.
func writeAndClose(t *testing.T, dir string) string {
	t.Helper()
	var log bytes.Buffer
	s, err := Open(dir, Config{MinFree: -1, Ballast: 4096, Beside: []string{"snmp-engine", "link"}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		done := make(chan error, 1)
		s.Commit(Change{Puts: []Put{{Key: []byte{byte(i)}, Value: make([]byte, 1000)}}}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	if wrong := modesOf(t, dir); len(wrong) > 0 {
		t.Errorf("wrong modes: %q", wrong)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if wrong := modesOf(t, dir); len(wrong) > 0 {
		t.Errorf("wrong modes after Close: %q", wrong)
	}
	return log.String()
}

// TestModes: the folder has mode 0700 and its files 0600, with every umask.
func TestModes(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o277} {
		dir := filepath.Join(t.TempDir(), "state")
		old := syscall.Umask(umask)
		for range 2 {
			if log := writeAndClose(t, dir); strings.Contains(log, "other users") {
				t.Errorf("umask %#o: %s", umask, log)
			}
		}
		syscall.Umask(old)
	}
}

// TestModesAreMended: what was accessible to others before is mended at the start, with one line.
func TestModesAreMended(t *testing.T) {
	dir, outside := filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "file")
	writeAndClose(t, dir)
	for _, name := range []string{filepath.Join(dir, "snmp-engine"), outside} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.Chmod(filepath.Join(dir, e.Name()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	log := writeAndClose(t, dir)
	if n := strings.Count(log, "other users"); n != 1 || !strings.Contains(log, dir) {
		t.Errorf("%d lines: %s", n, log)
	}
	if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("the file behind the link: %v, %v", info.Mode(), err)
	}
	if log := writeAndClose(t, dir); strings.Contains(log, "other users") {
		t.Errorf("a line although nothing had to be mended: %s", log)
	}
}

// TestModesOfAWrongFolder: a folder with a file of others, and that file, keep their modes, however
// often the store is opened there. The store's own files are closed.
func TestModesOfAWrongFolder(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "of-others")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]fs.FileMode{name: 0o644, dir: 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		s, err := Open(dir, Config{MinFree: -1, Ballast: -1})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for path, mode := range map[string]fs.FileMode{name: 0o644, dir: 0o755, filepath.Join(dir, "LOCK"): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, mode)
			}
		}
	}
	if _, err := Open(dir, Config{MinFree: 1 << 62, Ballast: -1}); err == nil {
		t.Error("opened without space")
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
