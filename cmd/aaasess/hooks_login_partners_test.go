//go:build partners

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
	localreport "aaasess/sessions/local/report"
)

// installed is where the Debian package has the hooks.
const installed = "/usr/share/aaasess/hooks/"

// block returns the first example of a chapter of a README of deploy/hooks, with the hooks where the host
// of a test has them.
func block(t *testing.T, folder, after string) string {
	t.Helper()
	page, err := os.ReadFile("../../deploy/hooks/" + folder + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), after+"\n")
	text := regexp.MustCompile(`(?m)^    .*\n(    .*\n)*`).FindString(rest)
	if !ok || text == "" {
		t.Fatalf("%s/README.md has no block after %q", folder, after)
	}
	return regexp.MustCompile(regexp.QuoteMeta(installed)+`[a-z]+/`).ReplaceAllString(text, "/usr/local/bin/")
}

// loginHost returns the OpenSSH server of such a host.
func loginHost(t *testing.T, d *localDaemon) *partner.OpenSSHProc {
	t.Helper()
	host, home := hookedHost(t, d)
	return host.OpenSSH(home)
}

// hookedHost returns a host on which the hooks are installed as their READMEs say, and the home of alice.
func hookedHost(t *testing.T, d *localDaemon) (host *partner.Namespace, home string) {
	t.Helper()
	for path, mode := range map[string]os.FileMode{filepath.Dir(d.socket): 0o755, d.socket: 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return partner.LoginHost(t, partner.LoginOptions{
		Auth: block(t, "pam", "## Failed logins"), Session: block(t, "pam", "## Install"), Sudo: block(t, "sudo", "## Install"),
		Defaults: "AAASESS_LOCAL_SOCKET=" + d.socket + "\n",
		Programs: []string{program(t), hookFile(t, "pam/report"), hookFile(t, "bash/aaasess-commands.sh")},
	})
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
	server := loginHost(t, d)
	login := server.Login
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
		return arrived{Verb: "stop", Report: localreport.Report{Source: "pam", Session: session, Kind: "exec", User: user, NASPortID: tty, CallingStation: from, TerminateCause: "User-Request"}}
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
		{"a wrong password", server.Wrong(), []arrived{{Verb: "fail", Report: localreport.Report{
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
	login := loginHost(t, d).Login
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
	login := loginHost(t, d).Login
	argv := login("echo in; sleep 1000")
	cmd := exec.Command(argv[0], argv[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begun := d.await(t, 1)
	// sshd takes the signal when the session of PAM is open, and it has begun to wait for the command.
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
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

// TestLoginHookConsole: login on a terminal. It reports its session, and the end when the user leaves. The
// signal of the start throws the user off, but then login reports no end: aaasess makes the stop itself.
func TestLoginHookConsole(t *testing.T) {
	d := startLocalDaemon(t)
	host, _ := hookedHost(t, d)
	argv := host.Console()
	login := func() (tty *os.File, begun arrived) {
		t.Helper()
		cmd := exec.Command(argv[0], argv[1:]...)
		tty, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = tty.Close() // hangs up, if it still runs
			_ = cmd.Wait()
		})
		begun = d.next(t)
		r := &begun.Report
		if begun.Verb != "start" || r.Kind != "exec" || r.User != "alice" || !strings.HasPrefix(r.Session, "login-") || !strings.HasPrefix(r.NASPortID, "pts/") {
			t.Fatalf("%+v", begun)
		}
		// Its shell runs when it does what is typed: the echo of the terminal has quotation marks.
		if _, err := tty.WriteString("echo 'i'n\n"); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(tty); !strings.HasSuffix(strings.TrimSpace(lines.Text()), "in") || strings.Contains(lines.Text(), "'"); {
			if !lines.Scan() {
				t.Fatal("the login has ended: ", lines.Err())
			}
		}
		return tty, begun
	}
	tty, begun := login()
	if _, err := tty.WriteString("exit\n"); err != nil {
		t.Fatal(err)
	}
	if end := d.next(t); end.Verb != "stop" || end.Report.Session != begun.Report.Session {
		t.Errorf("the start %+v, then %+v", begun, end)
	}
	tty, begun = login()
	if err := syscall.Kill(begun.Report.End.Signal.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, tty); !errors.Is(err, syscall.EIO) { // all have closed it
		t.Error(err)
	}
	if got := d.reports(); len(got) > 0 {
		t.Errorf("reported although login was killed: %+v", got)
	}
}
