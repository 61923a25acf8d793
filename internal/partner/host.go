package partner

import (
	"os"
	"path/filepath"
	"testing"
)

// HostOptions are the files of a host.
type HostOptions struct {
	// Etc are the files of /etc, by their paths below it. Nothing else is there.
	Etc map[string]string
	// Programs are copied to /usr/local/bin. Nothing else is there.
	Programs []string
	// Neighbor is another namespace, whose interface Theirs is joined to the host's interface Ours. nil: none.
	Neighbor     *Namespace
	Ours, Theirs string
}

// NewHost makes a namespace with an /etc, a /run and logs of its own, so that users log in who exist
// only there. It needs root.
func NewHost(t testing.TB, opts HostOptions) *Namespace {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("partner: a host with users of its own needs root")
	}
	dir := t.TempDir()
	etc, bin := filepath.Join(dir, "etc"), filepath.Join(dir, "bin")
	for name, text := range opts.Etc {
		file := filepath.Join(etc, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range opts.Programs {
		Run(t, runLimit, "install", "-D", "-t", bin, program)
	}
	const script = `mount --bind "$1" /etc && mount --bind "$2" /usr/local/bin &&
for dir in /run /var/log /var/lib/sudo; do mount -t tmpfs -o mode=755 tmpfs $dir || exit; done &&
mkdir /run/sshd && ip link set lo up && echo exists && exec sleep infinity`
	n := &Namespace{isHost: true, process: process{
		t: t, name: "host", path: lookPath(t, "unshare"), args: []string{"--mount", "--net", "--propagation", "private", "sh", "-c", script, "sh", etc, bin},
		ready: func(line string) bool { return line == "exists" },
	}}
	n.begin()
	if opts.Neighbor != nil {
		opts.Neighbor.join(n, opts.Theirs, opts.Ours)
	}
	return n
}
