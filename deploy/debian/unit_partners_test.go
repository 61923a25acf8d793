//go:build partners

package debian

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aaasess/internal/partner"
)

const unitFile = "../systemd/aaasess.service"

// readUnit returns the values of a unit's keys, in order.
func readUnit(t *testing.T, text string) map[string][]string {
	t.Helper()
	unit := map[string][]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			unit[key] = append(unit[key], value)
		}
	}
	return unit
}

// TestSandbox: the exposure level is at most 1.6 of 10. Comments of the unit give the reason for
// each point.
func TestSandbox(t *testing.T) {
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	sandbox := ""
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "# - ") || strings.HasPrefix(line, "#   ") {
			sandbox += line
		}
	}
	out, err := partner.Try(t, limit, "systemd-analyze", "security", "--offline=true", "--threshold=16", "--no-pager", unitFile)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := partner.Try(t, limit, "systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unitFile); err == nil {
		t.Error("the level is less than the 1.6 that the unit's comment says")
	}
	reasons := map[string]string{ // by what systemd-analyze shows: what the comments call it
		"SystemCallFilter=~@privileged": "chown", "RootDirectory=/RootImage=": "RootDirectory=", "AmbientCapabilities=": "CAP_NET_BIND_SERVICE",
		"RestrictAddressFamilies=~AF_NETLINK": "AF_NETLINK", "RestrictAddressFamilies=~AF_UNIX": "socket", "RestrictAddressFamilies=~AF_(INET|INET6)": "The network",
		"ProcSubset=": "ProcSubset=", "CapabilityBoundingSet=~CAP_NET_(BIND_SERVICE|BROADCAST|RAW)": "CAP_NET_BIND_SERVICE", "PrivateNetwork=": "The network",
		"PrivateUsers=": "PrivateUsers=", "DeviceAllow=": "DeviceAllow=", "IPAddressDeny=": "IPAddressDeny=", "UMask=": "UMask=",
	}
	points := 0
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "-" { // + is what is restricted
			continue
		}
		points++
		if reason := reasons[fields[1]]; reason == "" || !strings.Contains(sandbox, reason) {
			t.Errorf("the unit gives no reason for: %s", line)
		}
	}
	if points < 5 {
		t.Errorf("only %d points found in:\n%s", points, out)
	}
}

// TestUnitIsValid: systemd takes the unit without a warning where the package is installed.
func TestUnitIsValid(t *testing.T) {
	root := t.TempDir()
	partner.Run(t, limit, "dpkg-deb", "-x", build(t, newer), root)
	for _, target := range []string{"network-online.target", "multi-user.target", "sysinit.target", "basic.target", "shutdown.target"} {
		if err := os.WriteFile(filepath.Join(root, "usr/lib/systemd/system", target), []byte("[Unit]\nDescription=x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "bin/kill"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("systemd-analyze", "verify", "--man=no", "--root="+root, "aaasess.service")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "aaasess.service") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestLogrotate: the real logrotate renames the accounting file, and compresses it the next time.
func TestLogrotate(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("logrotate changes its user: run this test as root")
	}
	text, err := os.ReadFile("logrotate")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	conf, state := filepath.Join(dir, "logrotate.conf"), filepath.Join(dir, "state")
	log := filepath.Join(dir, "accounting.jsonl")
	config := strings.NewReplacer("/var/log/aaasess", dir, "su aaasess aaasess", "su root root", "dateext", "dateext\n\tdateformat .%s").Replace(string(text))
	if err := os.WriteFile(conf, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	rotated := func() []string {
		found, err := filepath.Glob(log + ".*")
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		return found
	}
	for _, text := range []string{"one\n", "two\n"} {
		if err := os.WriteFile(log, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		partner.Run(t, limit, "logrotate", "--force", "--state", state, conf)
		if _, err := os.Stat(log); !os.IsNotExist(err) {
			t.Errorf("%s is there after its rotation: %v", log, err)
		}
		if text == "one\n" { // names have seconds, and the second one must have a later name
			if err := os.Rename(rotated()[0], log+".1000000000"); err != nil {
				t.Fatal(err)
			}
		}
	}
	found := rotated()
	if len(found) != 2 || !strings.HasSuffix(found[0], ".gz") || strings.HasSuffix(found[1], ".gz") {
		t.Errorf("after two rotations there are %q", found)
	}
}
