//go:build partners

package debian

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/internal/partner"
)

// host is a minimal Debian in a folder. It has no running systemd.
type host struct {
	t    *testing.T
	root string
	unit map[string][]string // of the package, once it is installed
}

// newHost makes a Debian with only the essential packages and what the package depends on.
func newHost(t *testing.T) *host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("dpkg and chroot need root: run this test as root")
	}
	h := &host{t: t, root: t.TempDir()}
	partner.Run(t, 3*limit, "mmdebstrap", "--quiet", "--mode=root", "--variant=essential", "--dpkgopt=force-unsafe-io",
		`--aptopt=Acquire::Languages "none"`, "--include=adduser,init-system-helpers,procps", "bookworm", h.root)
	return h
}

// try runs a command of the host as a user, with the user's groups; root may be empty.
func (h *host) try(user string, argv ...string) (string, error) {
	cmd := exec.Command("chroot", append([]string{"--userspec=" + user, h.root}, argv...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h *host) run(argv ...string) string {
	h.t.Helper()
	out, err := h.try("root", argv...)
	if err != nil {
		h.t.Fatalf("%q: %v: %s", argv, err, out)
	}
	return out
}

// install installs a package, and reads its unit.
func (h *host) install(file string) {
	h.t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("/tmp/aaasess.deb", string(b))
	h.run("dpkg", "-i", "/tmp/aaasess.deb")
	if err := os.Remove(filepath.Join(h.root, "tmp/aaasess.deb")); err != nil {
		h.t.Fatal(err)
	}
	h.unit = readUnit(h.t, h.read("/usr/lib/systemd/system/aaasess.service"))
}

func (h *host) read(path string) string {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.root, path))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}

// write writes a file, and keeps owner and mode of one that exists.
func (h *host) write(path, text string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.root, path), []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// expectOwners compares what stat prints: path, owner, group and mode.
func (h *host) expectOwners(want ...string) {
	h.t.Helper()
	for _, w := range want {
		path, _, _ := strings.Cut(w, " ")
		if got := strings.TrimSpace(h.run("stat", "-c", "%n %U:%G %a", path)); got != w {
			h.t.Errorf("%s, want %s", got, w)
		}
	}
}

// files returns all files of the host, but those that dpkg and adduser change for any package.
func (h *host) files() (all []string) {
	h.t.Helper()
	others := regexp.MustCompile(`^(etc/(passwd|group|shadow|gshadow|subuid|subgid|\.pwd\.lock)-?|var/(lib/dpkg|log|cache)/.*|var/lib/dpkg|run/.*)$`)
	err := filepath.WalkDir(h.root, func(path string, _ fs.DirEntry, err error) error {
		name, _ := filepath.Rel(h.root, path)
		if err == nil && !others.MatchString(name) {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// service is the daemon, started as the unit says, in a network namespace of its own.
type service struct {
	h       *host
	cmd     *exec.Cmd
	out     *bytes.Buffer
	manager *net.UnixConn // reads what the daemon tells the service manager
}

func (h *host) key(name string) string {
	h.t.Helper()
	values := h.unit[name]
	if len(values) == 0 {
		h.t.Fatalf("the unit has no %s", name)
	}
	return values[0]
}

// start makes what systemd would make, and runs ExecStart.
func (h *host) start() *service {
	h.t.Helper()
	user, group := h.key("User"), h.key("Group")
	h.run("install", "-d", "-o", user, "-g", group, "-m", h.key("RuntimeDirectoryMode"), "/run/"+h.key("RuntimeDirectory"))
	h.run("install", "-d", "-o", user, "-g", group, "-m", h.key("StateDirectoryMode"), "/var/lib/"+h.key("StateDirectory"))
	h.run("install", "-d", "-o", user, "-g", group, "-m", h.key("LogsDirectoryMode"), "/var/log/"+h.key("LogsDirectory"))
	path := filepath.Join(h.root, "run/notify")
	_ = os.Remove(path)
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chmod(path, 0o777); err != nil {
		h.t.Fatal(err)
	}
	watchdog, err := time.ParseDuration(strings.TrimSuffix(h.key("WatchdogSec"), "in"))
	if err != nil {
		h.t.Fatal(err)
	}
	script := `umask "$1" && shift && ip link set lo up && exec "$@"`
	argv := []string{"--net", "sh", "-c", script, "sh", h.key("UMask"), "chroot", "--userspec=" + user + ":" + group, h.root}
	s := &service{h: h, out: &bytes.Buffer{}, manager: manager}
	s.cmd = exec.Command("unshare", append(argv, strings.Fields(h.key("ExecStart"))...)...)
	s.cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET=/run/notify", fmt.Sprintf("WATCHDOG_USEC=%d", watchdog.Microseconds())}
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	if err := s.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		manager.Close()
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
		if h.t.Failed() {
			h.t.Logf("the daemon's log:\n%s", s.out)
		}
	})
	for ready, alive := false, false; !ready || !alive; { // in any order
		switch got := s.receive(); {
		case slices.Equal(got, []string{"READY=1", "STATUS=ok"}):
			ready = true
		case slices.Equal(got, []string{"WATCHDOG=1"}):
			alive = true
		default:
			h.t.Fatalf("message %q at the start", got)
		}
	}
	return s
}

// receive returns the lines of the next message.
func (s *service) receive() []string {
	s.h.t.Helper()
	if err := s.manager.SetReadDeadline(time.Now().Add(limit)); err != nil {
		s.h.t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := s.manager.Read(b)
	if err != nil {
		s.h.t.Fatalf("no message to the service manager: %v", err)
	}
	return strings.Split(string(b[:n]), "\n")
}

// await reads messages until one has these lines.
func (s *service) await(lines ...string) {
	s.h.t.Helper()
	for {
		got := s.receive()
		if !slices.ContainsFunc(lines, func(line string) bool { return !slices.Contains(got, line) }) {
			return
		}
	}
}

// reload runs ExecReload.
func (s *service) reload() {
	s.h.t.Helper()
	for _, command := range s.h.unit["ExecReload"] {
		argv := strings.Fields(strings.ReplaceAll(command, "$MAINPID", strconv.Itoa(s.cmd.Process.Pid)))
		if out, err := s.h.try(s.h.key("User")+":"+s.h.key("Group"), argv...); err != nil {
			s.h.t.Errorf("%q: %v: %s", argv, err, out)
		}
	}
	s.await("RELOADING=1")
	s.await("READY=1", "STATUS=ok")
}

func (s *service) stop() {
	s.h.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.h.t.Fatal(err)
	}
	s.await("STOPPING=1")
	if err := s.cmd.Wait(); err != nil {
		s.h.t.Errorf("the daemon ended with %v", err)
	}
	s.manager.Close()
}

// enter runs a command in the network of the service.
func (s *service) enter(argv ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--target", strconv.Itoa(s.cmd.Process.Pid), "--net"}, argv...)...)
}

// sessions returns how many sessions the daemon has.
func (s *service) sessions() int {
	s.h.t.Helper()
	return strings.Count(s.h.run("aaasess", "show", "sessions", "--json"), `"id":`)
}
