//go:build partners

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
	localreport "aaasess/sessions/local/report"
)

const (
	installed = "/usr/share/aaasess/hooks/" // where README.md has the hooks
	password  = "correct horse"
)

// block returns a block of a README of deploy/hooks: the one that follows a text. The hooks are where the
// host of a test has them.
func block(t *testing.T, folder, after string) string {
	t.Helper()
	page, err := os.ReadFile("../../deploy/hooks/" + folder + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), after)
	_, rest, found := strings.Cut(rest, "```\n")
	text, _, closed := strings.Cut(rest, "```\n")
	if !ok || !found || !closed {
		t.Fatalf("%s/README.md has no block after %q", folder, after)
	}
	return regexp.MustCompile(regexp.QuoteMeta(installed)+`[a-z]+/`).ReplaceAllString(text, "/usr/local/bin/")
}

// loginHost returns a host with the users alice and root, on which the hooks are installed as their
// READMEs say. bob is a user of a name that PAM knows only.
func loginHost(t *testing.T, d *localDaemon) (host *partner.Namespace, home string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(t.TempDir(), "aaasess")
	partner.Run(t, time.Minute, "cp", self, command)
	home = t.TempDir()
	for _, dir := range []string{filepath.Dir(d.socket), home, filepath.Dir(home)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(d.socket, 0o777); err != nil {
		t.Fatal(err)
	}
	hash := strings.TrimSpace(partner.Run(t, time.Minute, "openssl", "passwd", "-6", password))
	rest := "account required pam_unix.so\nsession required pam_unix.so\n"
	auth := "auth [success=2 default=ignore] pam_unix.so\n" + block(t, "pam", "**Failed logins**") + "auth requisite pam_deny.so\nauth required pam_permit.so\n"
	session := block(t, "pam", "**Logins**")
	sudo := "auth sufficient pam_permit.so\naccount required pam_permit.so\n" + block(t, "sudo", "**Commands**")
	etc := map[string]string{
		"passwd":                "root:x:0:0::/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\nalice:x:12345:12345::" + home + ":/bin/bash\n",
		"group":                 "root:x:0:\nnogroup:x:65534:\nalice:x:12345:\n",
		"shadow":                "root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\nalice:" + hash + ":19000:0:99999:7:::\n",
		"nsswitch.conf":         "passwd: files\ngroup: files\nshadow: files\n",
		"default/aaasess-hooks": "AAASESS_LOCAL_SOCKET=" + d.socket + "\n",
		"pam.d/sshd":            auth + rest + session,
		"pam.d/su":              "auth sufficient pam_permit.so\n" + rest + session,
		"pam.d/sudo":            sudo,
		"pam.d/sudo-i":          sudo,
		"sudoers":               "root ALL=(ALL:ALL) ALL\nalice ALL=(ALL:ALL) ALL\n",
	}
	host = partner.NewHost(t, partner.HostOptions{Etc: etc, Programs: []string{command, "../../deploy/hooks/pam/report", "../../deploy/hooks/bash/aaasess-commands.sh"}})
	return host, home
}

// sshd starts an OpenSSH server of the host. login returns a command that logs in as alice with a key,
// and fail one that uses a wrong password.
func sshd(t *testing.T, host *partner.Namespace, home string) (login, fail func(args ...string) []string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, name := range []string{"host", "alice"} {
		partner.Run(t, time.Minute, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name))
	}
	public, err := os.ReadFile(filepath.Join(dir, "alice.pub"))
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(home, "keys")
	if err := os.WriteFile(keys, public, 0o644); err != nil {
		t.Fatal(err)
	}
	conf := file("sshd_config", "Port 22\nListenAddress 127.0.0.1\nHostKey "+filepath.Join(dir, "host")+"\nUsePAM yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n"+
		"AuthorizedKeysFile "+keys+"\nStrictModes no\nPrintMotd no\nPidFile none\n", 0o644)
	host.Program("Server listening", "/usr/sbin/sshd", "-D", "-e", "-f", conf)
	ssh := func(with ...string) func(args ...string) []string {
		return func(args ...string) []string {
			argv := append([]string{"ssh", "-q", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "NumberOfPasswordPrompts=1"}, with...)
			return host.In(append(append(argv, "alice@127.0.0.1"), args...)...)
		}
	}
	ask := file("ask", "#!/bin/sh\necho wrong\n", 0o755)
	wrong := ssh("-o", "PubkeyAuthentication=no")
	return ssh("-i", filepath.Join(dir, "alice"), "-o", "BatchMode=yes"), func(args ...string) []string {
		return append([]string{"env", "SSH_ASKPASS=" + ask, "SSH_ASKPASS_REQUIRE=force"}, wrong(args...)...)
	}
}

// known returns reports without what differs in each run. It checks that the session has the process
// that it is ended by.
func known(t *testing.T, all []arrived) []arrived {
	t.Helper()
	names := map[string]string{}
	for i := range all {
		r := &all[i].Report
		service, process, _ := strings.Cut(strings.ReplaceAll(r.Session, "sudo-i", "sudoi"), "-")
		if r.End != nil {
			if pid, _, _ := strings.Cut(process, "-"); r.End.Signal == nil || fmt.Sprint(r.End.Signal.PID) != pid {
				t.Errorf("session %s is ended by %+v", r.Session, r.End)
			}
			r.End = &localreport.End{}
		}
		if r.Source == "bash" {
			r.Session, r.Attributes = "bash", nil
			continue
		}
		if names[r.Session] == "" {
			names[r.Session] = fmt.Sprint(service, " ", len(names)+1)
		}
		r.Session, r.Attributes = names[r.Session], nil
	}
	return all
}

// TestLoginHooks: OpenSSH, su and sudo on a host with PAM. Logins are sessions of kind exec.
func TestLoginHooks(t *testing.T) {
	d := startLocalDaemon(t)
	host, home := loginHost(t, d)
	login, fail := sshd(t, host, home)
	ssh := func(n int, argv []string) []arrived {
		t.Helper()
		out, err := partner.Try(t, 20*time.Second, argv[0], argv[1:]...)
		t.Logf("%v prints %q", err, out)
		all := known(t, d.await(t, n))
		// bash reports in the background, when it likes.
		place := func(a arrived) string {
			if a.Report.Source == "bash" {
				return "typed " + a.Report.Text
			}
			return ""
		}
		slices.SortStableFunc(all, func(a, b arrived) int { return strings.Compare(place(a), place(b)) })
		return all
	}
	start := func(session, user, tty, from string) arrived {
		return arrived{Verb: "start", Report: localreport.Report{Source: "pam", Session: session, Kind: "exec", User: user, NASPortID: tty, CallingStation: from, End: &localreport.End{}}}
	}
	stop := func(session, user, tty, from string) arrived {
		return arrived{Verb: "stop", Report: localreport.Report{Source: "pam", Session: session, Kind: "exec", User: user, NASPortID: tty, CallingStation: from}}
	}
	command := func(session, tty, text string, level int) arrived {
		return arrived{Verb: "command", Report: localreport.Report{Source: "pam", Session: session, User: "alice", NASPortID: tty, Level: level, Text: text}}
	}
	typed := func(text string) arrived {
		return arrived{Verb: "command", Report: localreport.Report{Source: "bash", Session: "bash", User: "alice", NASPortID: "bash", Level: 1, Text: text}}
	}
	const from = "127.0.0.1"
	for _, tt := range []struct {
		name string
		argv []string
		want []arrived
	}{
		{"a login", login("true"), []arrived{start("sshd 1", "alice", "ssh", from), stop("sshd 1", "alice", "ssh", from)}},
		{"a wrong password", fail("true"), []arrived{{Verb: "fail", Report: localreport.Report{
			Source: "pam", Session: "sshd 1", Kind: "exec", User: "alice", NASPortID: "ssh", CallingStation: from,
		}}}},
		{"su within a login", login("su", "-c", "true", "root"), []arrived{
			start("sshd 1", "alice", "ssh", from), start("su 2", "root", "", ""), stop("su 2", "root", "", ""), stop("sshd 1", "alice", "ssh", from),
		}},
		{"sudo within a login", login("sudo", "-u", "alice", "echo", "'a  b'"), []arrived{
			start("sshd 1", "alice", "ssh", from), command("sudo 2", "", "sudo -u alice echo a  b", 1), stop("sshd 1", "alice", "ssh", from),
		}},
		{"commands of a shell", login(`printf ' echo "a  b"\necho "a  b"\n\nfalse; true | cat\n' | HISTCONTROL=ignoreboth AAASESS_LOCAL_SOCKET=` + d.socket + ` bash --rcfile /usr/local/bin/aaasess-commands.sh -i`), []arrived{
			start("sshd 1", "alice", "ssh", from), stop("sshd 1", "alice", "ssh", from), typed(`echo "a  b"`), typed(`echo "a  b"`), typed("false; true | cat"),
		}},
		{"a root shell of sudo", login("sudo", "-i", "true"), []arrived{
			start("sshd 1", "alice", "ssh", from), command("sudoi 2", "", "sudo -i true", 15), start("sudoi 2", "root", "", ""), stop("sudoi 2", "root", "", ""), stop("sshd 1", "alice", "ssh", from),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ssh(len(tt.want), tt.argv)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLoginHookDown: a daemon that hangs, and one that is down, make no login fail. With a daemon that
// hangs a login waits no longer than it may.
func TestLoginHookDown(t *testing.T) {
	d := startLocalDaemon(t)
	host, home := loginHost(t, d)
	login, _ := sshd(t, host, home)
	for _, tt := range []struct {
		name string
		make func()
	}{
		{"down", func() { os.Rename(d.socket, d.socket+"x") }},
		{"hangs", func() { os.Rename(d.socket+"x", d.socket); d.mu.Lock() }},
	} {
		tt.make()
		argv := login("echo", "in")
		begun := time.Now()
		out, err := partner.Try(t, 20*time.Second, argv[0], argv[1:]...)
		if err != nil || strings.TrimSpace(out) != "in" {
			t.Errorf("%s: %v, %q", tt.name, err, out)
		}
		t.Logf("%s: %v", tt.name, time.Since(begun))
	}
	d.mu.Unlock()
}

// TestLoginHookEnds: the signal of the start ends the login, and its end is reported.
func TestLoginHookEnds(t *testing.T) {
	d := startLocalDaemon(t)
	host, home := loginHost(t, d)
	login, _ := sshd(t, host, home)
	argv := login("sleep", "1000")
	cmd := exec.Command(argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begun := d.await(t, 1)
	process, err := os.FindProcess(begun[0].Report.End.Signal.PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the login ended without an error")
	}
	ended := d.await(t, 1)
	if ended[0].Verb != "stop" || ended[0].Report.Session != begun[0].Report.Session {
		t.Errorf("the start %+v, then %+v", begun, ended)
	}
}
