package control_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
)

// anotherGroup returns a group that this process may give to its files. If there is one, it is not
// the group that files have by default.
func anotherGroup(t *testing.T) int {
	t.Helper()
	if os.Getuid() == 0 {
		return 12345
	}
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if g != os.Getgid() {
			return g
		}
	}
	return os.Getgid()
}

func TestSocketModeAndGroup(t *testing.T) {
	gid := anotherGroup(t)
	named, err := user.LookupGroupId(fmt.Sprint(os.Getgid()))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, group string
		gid         int
	}{
		{"no group", "", os.Getgid()},
		{"by number", fmt.Sprint(gid), gid},
		{"by name", named.Name, os.Getgid()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(folder(t), "made")
			old := syscall.Umask(0o077) // it must not matter
			d, err := controltest.Start(dir, func(cfg *control.Config) { cfg.Group = tt.group })
			syscall.Umask(old)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Stop()
			for path, mode := range map[string]fs.FileMode{dir: fs.ModeDir | 0o750, d.Socket: fs.ModeSocket | 0o660} {
				info, err := os.Lstat(path)
				if err != nil {
					t.Fatal(err)
				}
				if got := int(info.Sys().(*syscall.Stat_t).Gid); info.Mode() != mode || got != tt.gid {
					t.Errorf("%s has mode %v and group %d, want %v and %d", path, info.Mode(), got, mode, tt.gid)
				}
			}
			if files, _ := os.ReadDir(dir); len(files) != 1 {
				t.Errorf("there is more than the socket: %v", files)
			}
		})
	}
}

// TestSocketFolderIsLeftAlone: an existing folder keeps its mode.
func TestSocketFolderIsLeftAlone(t *testing.T) {
	dir := folder(t)
	if err := os.Chmod(dir, 0o701); err != nil {
		t.Fatal(err)
	}
	d, err := controltest.Start(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Stop()
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o701 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestSecondDaemon(t *testing.T) {
	d, client := start(t, nil)
	_, err := controltest.Start(filepath.Dir(d.Socket), nil)
	if !errors.Is(err, control.ErrInUse) || !strings.Contains(err.Error(), d.Socket) {
		t.Errorf("error %v", err)
	}
	if _, err := client.Status(t.Context()); err != nil {
		t.Errorf("the first daemon: %v", err)
	}
}

// TestStaleSocket: the socket of a killed daemon is replaced.
func TestStaleSocket(t *testing.T) {
	dir := folder(t)
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "control.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	d, err := controltest.Start(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Stop()
	if _, err := apiclient.New(d.Socket, 5*time.Second).Status(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestSocketOfAnotherIsNotRemoved: at its end the daemon removes only its own socket.
func TestSocketOfAnotherIsNotRemoved(t *testing.T) {
	d, err := controltest.Start(folder(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.Socket); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("unix", d.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(d.Socket); err != nil {
		t.Errorf("the other's socket is gone: %v", err)
	}
}

func TestSocketErrors(t *testing.T) {
	tests := []struct {
		name  string
		ready func(t *testing.T, dir string) (socket string)
		group string
		want  string
	}{
		{"a file is there", func(t *testing.T, dir string) string {
			if err := os.WriteFile(filepath.Join(dir, "a"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(dir, "a")
		}, "", "the path exists and is not a socket"},
		{"the folder's folder is missing", func(_ *testing.T, dir string) string { return filepath.Join(dir, "a", "b", "c") }, "", "no such file"},
		{"the folder is a file", func(t *testing.T, dir string) string {
			if err := os.WriteFile(filepath.Join(dir, "a"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(dir, "a", "b")
		}, "", "not a directory"},
		{"long path", func(_ *testing.T, dir string) string { return filepath.Join(dir, strings.Repeat("x", 100)) }, "", "longer than 107 octets"},
		{"long folder", func(_ *testing.T, dir string) string {
			return filepath.Join(dir, strings.Repeat("x", 104-len(dir)), "s")
		}, "", "the path of its folder is longer than"},
		{"unknown group", func(_ *testing.T, dir string) string { return filepath.Join(dir, "a") }, "no such group", `group "no such group"`},
		{"another daemon starts", func(t *testing.T, dir string) string {
			f, err := os.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(dir, "a")
		}, "", "another daemon is starting with it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t)
			path := tt.ready(t, dir)
			before, _ := os.ReadDir(dir)
			_, err := controltest.Start(dir, func(cfg *control.Config) { cfg.Socket, cfg.Group = path, tt.group })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if len(before) > 0 {
				if _, err := os.Lstat(filepath.Join(dir, "a")); err != nil {
					t.Errorf("what was there is gone: %v", err)
				}
			}
			left, _ := filepath.Glob(filepath.Join(dir, "*", ".s*"))
			if more, _ := filepath.Glob(filepath.Join(dir, ".s*")); len(left)+len(more) > 0 {
				t.Errorf("left behind: %q %q", left, more)
			}
		})
	}
}

// TestClose: a server that never runs leaves no socket.
func TestClose(t *testing.T) {
	path := filepath.Join(folder(t), "a")
	var log bytes.Buffer
	s, err := control.New(control.Config{Socket: path, Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if s.String() != "control socket "+path {
		t.Error(s)
	}
}
