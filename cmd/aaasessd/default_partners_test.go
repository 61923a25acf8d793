//go:build partners

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// netns is a network namespace with only loopback, so that fixed ports are free. It exists as long
// as its process.
type netns struct {
	t   *testing.T
	cmd *exec.Cmd
	sig syscall.Signal // signal that ends the process
}

// inNamespace starts a program in a new network namespace.
func inNamespace(t *testing.T, dir string, out *lines, argv ...string) *netns {
	t.Helper()
	flags := []string{"--net"}
	if os.Geteuid() != 0 {
		flags = append(flags, "--map-root-user")
	}
	script := append(flags, "sh", "-c", `ip link set lo up && exec "$@"`, "sh")
	n := &netns{t: t, cmd: exec.Command("unshare", append(script, argv...)...), sig: syscall.SIGTERM}
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr = dir, out, out
	n.cmd.Env = append(os.Environ(), "AAASESSD_UNDER_TEST=1")
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.end)
	return n
}

func (n *netns) end() {
	if n.cmd.ProcessState != nil {
		return
	}
	_ = n.cmd.Process.Signal(n.sig)
	timer := time.AfterFunc(limit, func() { _ = n.cmd.Process.Kill() })
	defer timer.Stop()
	if err := n.cmd.Wait(); err != nil {
		n.t.Errorf("%s ended with %v", n.cmd.Path, err)
	}
}

// in returns a command that replaces itself by another one in the namespace.
func (n *netns) in(argv ...string) []string {
	flags := []string{"nsenter", "--target", fmt.Sprint(n.cmd.Process.Pid), "--net"}
	if os.Geteuid() != 0 {
		flags = append(flags, "--user", "--preserve-credentials")
	}
	return append(flags, argv...)
}

// enter returns a command in the namespace.
func (n *netns) enter(dir string, argv ...string) *exec.Cmd {
	argv = n.in(argv...)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	n.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	return cmd
}

func (n *netns) run(dir string, argv ...string) string {
	n.t.Helper()
	b, err := n.enter(dir, argv...).CombinedOutput()
	if err != nil {
		n.t.Errorf("%q: %v", argv, err)
	}
	return string(b)
}

// TestEmbeddedDefault follows the first page of the README, with the commands of the README and the
// banner: no configuration, a simulated NAS, snmpwalk, snmpset, the stop in the file.
func TestEmbeddedDefault(t *testing.T) {
	dir := t.TempDir()
	mibs, err := filepath.Abs("../../mibs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(mibs, filepath.Join(dir, "mibs")); err != nil {
		t.Fatal(err)
	}
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	var out, nas lines
	n := inNamespace(t, dir, &out, self)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("daemon:\n%s\nNAS:\n%s", &out, &nas)
		}
	})
	eventually(t, "the daemon is ready", func() bool { return strings.Contains(out.String(), "msg=ready") })
	simulate := n.enter(dir, cli(t), "simulate", "--interim", "1s")
	simulate.Stdout, simulate.Stderr = &nas, &nas
	if err := simulate.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three sessions have begun", func() bool { return strings.Count(nas.String(), "Start ") == 3 })
	if got := n.run(dir, cli(t), "show", "sessions"); strings.Count(got, "user") < 3 {
		t.Errorf("show sessions:\n%s", got)
	}

	commands := map[string][]string{}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if words := strings.Fields(line); len(words) > 0 && (strings.HasPrefix(words[0], "snmp") || words[0] == "curl") {
			commands[words[0]] = words
		}
	}
	eventually(t, "snmpwalk shows the sessions", func() bool {
		b, err := n.enter(dir, commands["snmpwalk"]...).CombinedOutput()
		return err == nil && strings.Contains(string(b), "casnUserId.3 = STRING: user3")
	})
	if got := n.run(dir, commands["curl"][:2]...); !strings.Contains(got, "\naaasess_sessions{kind=\"network\"} 3\n") {
		t.Errorf("curl: %s", got)
	}
	if got := n.run(dir, commands["snmpset"]...); !strings.Contains(got, "casnDisconnect.1 = INTEGER: true(1)") {
		t.Errorf("snmpset: %s", got)
	}
	records := func() string {
		b, err := os.ReadFile(filepath.Join(dir, "var", "accounting.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	eventually(t, "the stop record arrives", func() bool {
		return strings.Contains(records(), `"type":"Stop","session":"00000001"`)
	})
	if !strings.Contains(records(), `"Acct-Terminate-Cause":"Admin-Reset"`) {
		t.Errorf("records:\n%s", records())
	}
	n.run(dir, cli(t), "disconnect", "--user", "user2", "--wait", "5s")
	n.run(dir, cli(t), "disconnect", "--user", "user3", "--wait", "5s")
	if err := simulate.Wait(); err != nil {
		t.Errorf("the NAS ended with %v", err)
	}

	// The error for a port in use names it.
	var second lines
	again := n.enter(t.TempDir(), self)
	again.Env = append(os.Environ(), "AAASESSD_UNDER_TEST=1")
	again.Stdout, again.Stderr = &second, &second
	if err := again.Run(); err == nil || !strings.Contains(second.String(), "127.0.0.1:1813") {
		t.Errorf("a second daemon: %v, %s", err, &second)
	}
	n.sig = syscall.SIGHUP // as if the terminal was closed
}
