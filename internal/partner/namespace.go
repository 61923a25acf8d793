package partner

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// runLimit is the time limit of a command of [Namespace.Run].
const runLimit = 20 * time.Second

// Namespace is a network namespace, in which all ports are free. It exists as long as its process,
// which does nothing, and ends with the test.
type Namespace struct {
	process
	supplicants int  // that were started, of all interfaces
	isHost      bool // it has files of its own, see NewHost
}

// NewNamespace makes a namespace that has only loopback.
func NewNamespace(t testing.TB) *Namespace {
	t.Helper()
	flags := []string{"--net"}
	if os.Geteuid() != 0 {
		flags = append(flags, "--map-root-user")
	}
	return newNamespace(t, nil, flags...)
}

// newNamespace makes a namespace by a command in another one.
func newNamespace(t testing.TB, in []string, flags ...string) *Namespace {
	t.Helper()
	const script = "ip link set lo up && echo exists && exec sleep infinity"
	n := &Namespace{process: process{
		t: t, name: "namespace", path: lookPath(t, "unshare"), args: append(flags, "sh", "-c", script),
		ready: func(line string) bool { return line == "exists" },
	}}
	n.inside(in)
	n.begin()
	return n
}

// Neighbor makes another namespace, and joins both by a pair of interfaces: ours is in n, theirs in
// the other one. Addresses come later, by [Namespace.Run].
func (n *Namespace) Neighbor(ours, theirs string) *Namespace {
	n.t.Helper()
	other := newNamespace(n.t, n.In(), "--net")
	n.join(other, ours, theirs)
	return other
}

// join joins two namespaces by a pair of interfaces.
func (n *Namespace) join(other *Namespace, ours, theirs string) {
	n.t.Helper()
	n.Run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", fmt.Sprint(other.Pid()))
	n.Run("ip", "link", "set", ours, "up")
	other.Run("ip", "link", "set", theirs, "up")
}

// In returns a command that becomes, in the namespace, the command that follows it.
func (n *Namespace) In(argv ...string) []string {
	flags := []string{"nsenter", "--target", fmt.Sprint(n.Pid()), "--net"}
	if n.isHost {
		flags = append(flags, "--mount")
	}
	if os.Geteuid() != 0 {
		flags = append(flags, "--user", "--preserve-credentials")
	}
	return append(flags, argv...)
}

// Run is [Run] in the namespace.
func (n *Namespace) Run(argv ...string) (stdout string) {
	n.t.Helper()
	argv = n.In(argv...)
	return Run(n.t, runLimit, argv[0], argv[1:]...)
}

// Try is [Try] in the namespace.
func (n *Namespace) Try(argv ...string) (stdout string, err error) {
	n.t.Helper()
	argv = n.In(argv...)
	return Try(n.t, runLimit, argv[0], argv[1:]...)
}
