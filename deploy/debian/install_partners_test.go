//go:build partners

package debian

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// wanted is the link of an enabled service.
const wanted = "/etc/systemd/system/multi-user.target.wants/aaasess.service"

// asUser is a user that is not in the group of the service, asMember one that is.
const asUser, asMember = "nobody:nogroup", "nobody:aaasess"

const configFile = "/etc/aaasess/aaasess.yaml"

// owners are those after the installation.
var owners = []string{
	"/etc/aaasess root:aaasess 750", configFile + " root:aaasess 640",
	"/var/lib/aaasess aaasess:aaasess 700", "/var/log/aaasess aaasess:aaasess 750", "/run/aaasess aaasess:aaasess 755",
}

// TestInstall is the life of the package on a host: it is installed, started, configured, upgraded
// from an older version, removed and purged.
func TestInstall(t *testing.T) {
	go func() { _, _ = built[older]() }() // while the host is made
	h := newHost(t)
	before := h.files()
	h.install(build(t, older))
	h.expectOwners(owners...)
	h.run("test", "!", "-L", wanted) // the operator enables the service
	expectSafe(t, h)

	secret := "s3cret of the NAS"
	h.write("/etc/aaasess/loopback.secret", secret+"\n")
	edited := strings.Replace(h.read(configFile), "clients: []", "clients: [{name: loopback, address: 127.0.0.0/8, secret: {file: loopback.secret}}]", 1)
	h.write(configFile, edited)
	s := h.start()
	simulate(t, s, secret, 5)
	s.stop()

	h.install(build(t, newer))
	h.expectOwners(append(owners, "/var/log/aaasess/accounting.jsonl aaasess:aaasess 640")...)
	if got := h.read(configFile); got != edited {
		t.Errorf("after the upgrade the configuration is\n%s", got)
	}
	if got := h.run("aaasess", "--version"); !strings.Contains(got, newer) {
		t.Errorf("after the upgrade the version is %q", got)
	}
	s = h.start()
	if n := s.sessions(); n != 5 {
		t.Errorf("%d sessions after the upgrade, want 5", n)
	}
	s.reload()
	s.stop()

	h.run("dpkg", "-r", "aaasess")
	if got := h.read(configFile); got != edited {
		t.Errorf("after the removal the configuration is\n%s", got)
	}
	h.run("test", "!", "-e", "/usr/sbin/aaasessd", "-a", "-d", "/var/lib/aaasess", "-a", "-s", "/var/log/aaasess/accounting.jsonl")
	h.install(build(t, newer)) // the state is still there
	s = h.start()
	if n := s.sessions(); n != 5 {
		t.Errorf("%d sessions after the removal and another installation, want 5", n)
	}
	s.stop()
	expectPurged(t, h, before)
}

// TestInstallLeftovers: a host where the operator has made the user without a group, and has run a
// daemon as root. The files of that daemon are the service's afterwards, but not what they link to.
func TestInstallLeftovers(t *testing.T) {
	h := newHost(t)
	h.run("useradd", "--uid", "4321", "--gid", "users", "aaasess")
	h.run("mkdir", "/var/lib/aaasess", "/var/log/aaasess")
	h.write("/var/lib/aaasess/inventory", "left")
	h.write("/var/log/aaasess/accounting.jsonl", "left\n")
	h.write("/srv/other", "not ours")
	h.run("chmod", "600", "/var/lib/aaasess/inventory", "/var/log/aaasess/accounting.jsonl", "/srv/other")
	h.run("ln", "-s", "/srv/other", "/var/lib/aaasess/link")
	h.install(build(t, newer))
	h.expectOwners(append(owners, "/var/lib/aaasess/inventory aaasess:aaasess 600", "/var/log/aaasess/accounting.jsonl aaasess:aaasess 600", "/srv/other root:root 600")...)
}

// expectSafe starts the daemon with the configuration of the package: it serves, nobody but this
// host can reach it, it has no secret, and the group aaasess can use its socket.
func expectSafe(t *testing.T, h *host) {
	t.Helper()
	config := h.read(configFile)
	for _, word := range []string{"public", "private", "testing123", "change me"} {
		if strings.Contains(config, word) {
			t.Errorf("the configuration has %q", word)
		}
	}
	if out, err := h.try("aaasess:aaasess", "aaasessd", "check", configFile); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	s := h.start()
	h.expectOwners("/run/aaasess/aaasess.sock aaasess:aaasess 660")
	if out, err := h.try(asMember, "aaasess", "show", "status"); err != nil || !regexp.MustCompile(`(?m)^status +ok$`).MatchString(out) {
		t.Errorf("a member of the group sees %q, %v", out, err)
	}
	out, err := h.try(asUser, "aaasess", "show", "status")
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 5 {
		t.Errorf("another user sees %q, %v", out, err)
	}
	sockets, err := s.enter("ss", "--no-header", "--listening", "--numeric", "--udp", "--tcp").CombinedOutput()
	if err != nil || !strings.Contains(string(sockets), "127.0.0.1:1813") {
		t.Errorf("%v: %s", err, sockets)
	}
	for line := range strings.Lines(string(sockets)) {
		if fields := strings.Fields(line); len(fields) < 5 || !strings.HasPrefix(fields[4], "127.0.0.1:") {
			t.Errorf("it listens beyond loopback: %s", line)
		}
	}
	s.reload()
	s.stop()
}

// simulate reports sessions by RADIUS, as a NAS with the secret. They stay.
func simulate(t *testing.T, s *service, secret string, n int) {
	t.Helper()
	nas := s.enter("chroot", s.h.root, "aaasess", "simulate", "--secret", secret, "--sessions", "5")
	if err := nas.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = nas.Process.Kill() // ^C would end the sessions
		_ = nas.Wait()
	}()
	for deadline := time.Now().Add(limit); s.sessions() < n; <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d sessions", s.sessions(), n)
		}
	}
}

// expectPurged purges the package. Nothing of it stays but the user and what the operator made.
func expectPurged(t *testing.T, h *host, before []string) {
	t.Helper()
	h.run("rm", "/etc/aaasess/loopback.secret")
	h.run("dpkg", "-P", "aaasess")
	after := h.files()
	for _, name := range after {
		if !slices.Contains(before, name) {
			t.Errorf("%s stays after the purge", name)
		}
	}
	for _, name := range before {
		if !slices.Contains(after, name) {
			t.Errorf("%s is missing after the purge", name)
		}
	}
	h.run("test", "!", "-e", "/var/log/aaasess", "-a", "!", "-e", "/run/aaasess")
	h.run("getent", "passwd", "aaasess")
}
