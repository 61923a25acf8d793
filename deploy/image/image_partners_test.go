//go:build partners

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// container is an image, unpacked into a folder, that is run without a container engine.
type container struct {
	t      *testing.T
	root   string
	config v1.Config
}

// newContainer makes the image of the real programs and unpacks it.
func newContainer(t *testing.T) *container {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", dir+"/bin/", "aaasess/cmd/aaasessd", "aaasess/cmd/aaasess")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := run([]string{"-f", containerfile, "-context", dir, "-o", dir + "/image"}, t.Output(), t.Output()); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(dir + "/image")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c := &container{t: t, root: dir + "/root", config: file.Config}
	c.unpack(img)
	// The image's user must reach the root folder: only the test's own folders are closed to it.
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// unpack writes the files of an image, with their owners if this user may give files away.
func (c *container) unpack(img v1.Image) {
	c.t.Helper()
	files := mutate.Extract(img)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		} else if err != nil {
			c.t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			c.t.Fatal(err)
		}
		c.write(h.Name, data, h.Typeflag == tar.TypeDir, fs.FileMode(h.Mode))
		if os.Geteuid() == 0 {
			if err := os.Lchown(filepath.Join(c.root, h.Name), h.Uid, h.Gid); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

func (c *container) write(name string, data []byte, isFolder bool, mode fs.FileMode) {
	c.t.Helper()
	path := filepath.Join(c.root, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil && isFolder {
		err = os.MkdirAll(path, mode)
	} else if err == nil {
		err = os.WriteFile(path, data, mode)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// command returns a command that runs in the container as a container engine would run it: as the
// user of the image, with nothing but its files, without capabilities.
func (c *container) command(ctx context.Context, argv []string, flags uintptr) *exec.Cmd {
	c.t.Helper()
	uid, gid, err := owner(c.config.User)
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, c.find(argv[0]), argv[1:]...)
	cmd.Env, cmd.Dir = c.config.Env, c.config.WorkingDir
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: c.root, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		Cloneflags: flags, Pdeathsig: syscall.SIGKILL,
	}
	if os.Geteuid() != 0 { // chroot needs a user namespace, where only our own user can be another one
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: os.Getgid(), Size: 1}}
		cmd.SysProcAttr.Credential.NoSetGroups = true
	}
	return cmd
}

// find returns the path of a program in the image, by its PATH.
func (c *container) find(name string) string {
	c.t.Helper()
	for _, e := range c.config.Env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			for _, dir := range filepath.SplitList(path) {
				if _, err := os.Stat(filepath.Join(c.root, dir, name)); err == nil {
					return filepath.Join(dir, name)
				}
			}
		}
	}
	c.t.Fatalf("%s is not in the image", name)
	return ""
}

// isolated are the namespaces of a container.
const isolated = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS

// start runs the image as it is, and returns when its log has a line.
func (c *container) start(line string) (stop func() error) {
	c.t.Helper()
	cmd := c.command(c.t.Context(), append(c.config.Entrypoint, c.config.Cmd...), isolated)
	log := &waiter{text: line, found: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-log.found:
	case err := <-ended:
		c.t.Fatalf("the image ended: %v\n%s", err, log.seen.String())
	case <-time.After(time.Minute):
		c.t.Fatalf("no %q for a minute", line)
	}
	return func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		return <-ended
	}
}

// waiter waits for a text in what is written to it.
type waiter struct {
	text  string
	seen  bytes.Buffer
	found chan struct{}
	done  bool
}

func (w *waiter) Write(b []byte) (int, error) {
	w.seen.Write(b)
	if !w.done && strings.Contains(w.seen.String(), w.text) {
		w.done = true
		close(w.found)
	}
	return len(b), nil
}

// TestImageRuns: with the reference configuration, the image's command serves as the image's user,
// its health check succeeds while it runs, and it ends as asked.
func TestImageRuns(t *testing.T) {
	c := newContainer(t)
	reference, err := os.ReadFile("../aaasess.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.write("etc/aaasess/aaasess.yaml", reference, false, 0o644) // as an operator mounts it
	check := c.config.Healthcheck.Test[1:]
	if out, err := c.command(t.Context(), check, 0).CombinedOutput(); err == nil {
		t.Errorf("healthy without a daemon:\n%s", out)
	}
	stop := c.start("msg=ready")
	out, err := c.command(t.Context(), check, 0).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "status") || !strings.Contains(string(out), "sessions") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := stop(); err != nil {
		t.Errorf("at its end: %v", err)
	}
	for _, volume := range []string{"var/lib/aaasess", "var/log/aaasess"} {
		if files, err := os.ReadDir(filepath.Join(c.root, volume)); err != nil || len(files) == 0 {
			t.Errorf("%s: %d files, %v", volume, len(files), err)
		}
	}
}

// TestImageWithoutConfiguration: a container without a configuration says what it needs.
func TestImageWithoutConfiguration(t *testing.T) {
	c := newContainer(t)
	out, err := c.command(t.Context(), append(c.config.Entrypoint, c.config.Cmd...), isolated).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "/etc/aaasess/aaasess.yaml: no such file") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDynamicProgram: a program that the image could not run is an error.
func TestDynamicProgram(t *testing.T) {
	_, err := follow("FROM scratch\nCOPY sh /bin/\n", "/bin", nil, time.Unix(0, 0))
	if err == nil || !strings.Contains(err.Error(), "needs a dynamic linker") {
		t.Error(err)
	}
}
