//go:build partners

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/internal/partner"
	localreport "aaasess/sessions/local/report"
)

const hooksDir = "../../deploy/hooks"

// hookFile returns the absolute path of a hook.
func hookFile(t *testing.T, name string) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join(hooksDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestHooksAreClean: shellcheck finds nothing in the hooks, and dash can read them.
func TestHooksAreClean(t *testing.T) {
	scripts := 0
	err := filepath.WalkDir(hooksDir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.HasPrefix(string(text), "#!/bin/sh\n") {
			scripts++
			partner.Run(t, time.Minute, "shellcheck", path)
			partner.Run(t, time.Minute, "dash", "-n", path)
		}
		return err
	})
	if err != nil || scripts == 0 {
		t.Errorf("%d scripts, %v", scripts, err)
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not so in time: %s", what)
		}
	}
}

// await waits until a number of reports have arrived, and returns them.
func (d *localDaemon) await(t *testing.T, n int) (got []arrived) {
	t.Helper()
	eventually(t, fmt.Sprint(n, " reports arrive"), func() bool {
		got = append(got, d.reports()...)
		return len(got) >= n
	})
	return got
}

// next waits for the next report.
func (d *localDaemon) next(t *testing.T) arrived {
	t.Helper()
	got := d.await(t, 1)
	if len(got) > 1 {
		t.Fatalf("%d reports: %+v", len(got), got)
	}
	return got[0]
}

// changes are the fields that are different in each run of a test.
var changes = cmpopts.IgnoreFields(localreport.Report{}, "Session", "At", "SessionTime", "InputOctets", "OutputOctets", "InputPackets", "OutputPackets")

// TestBashHookAfterBashrc: a ~/.bashrc as Debian's, which is read after the hook, hides no command, and
// makes none be reported as the one before it.
func TestBashHookAfterBashrc(t *testing.T) {
	d := startLocalDaemon(t)
	rc := filepath.Join(t.TempDir(), "rc")
	text := "PROMPT_COMMAND='true;'\n. " + hookFile(t, "bash/aaasess-commands.sh") + "\nHISTCONTROL=ignoreboth HISTIGNORE=\"pwd\" HISTTIMEFORMAT=\"%s \"\n"
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	typed := []string{"echo 1", "echo 2", "echo 2", "pwd", "true"}
	cmd := hook{}.command(t, d.socket)
	cmd.Path, cmd.Args = "/bin/bash", []string{"bash", "--rcfile", rc, "-i"}
	cmd.Stdin = strings.NewReader(" " + strings.Join(typed, "\n ") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got []string
	for _, a := range d.await(t, len(typed)) {
		got = append(got, a.Report.Text)
	}
	slices.Sort(got) // they come in the background
	slices.Sort(typed)
	if diff := cmp.Diff(typed, got); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
}

// TestOpenVPNHook: OpenVPN runs its hook for a user who logs in, sends data and is thrown off. If the
// daemon is down, the user logs in all the same.
func TestOpenVPNHook(t *testing.T) {
	d := startLocalDaemon(t)
	n, c := partner.NewNamespace(t), partner.NewCertificates(t)
	peer := n.Neighbor("vo", "vc")
	v := n.OpenVPN(partner.OpenVPNOptions{Interface: "vo", Certificates: c, Hook: hookFile(t, "openvpn/report"), Environment: map[string]string{
		"PATH": filepath.Dir(program(t)) + ":/usr/bin:/bin", "AAASESS_LOCAL_SOCKET": d.socket, "AAASESS_OPENVPN_END": "road",
	}})
	before := time.Now().Truncate(time.Second)
	client := peer.OpenVPNClient("vc", partner.Login{User: "alice", Password: "x"}, c, "Initialization Sequence Completed")
	start := d.next(t)
	peer.Run("bash", "-c", "head -c 1200 /dev/zero >/dev/udp/10.77.0.1/9")
	v.EndUser("alice")
	stop := d.next(t)
	client.Stop()

	who := localreport.Report{Source: "openvpn", User: "alice", Address: "10.77.0.2", IPv6Addresses: []string{"2001:db8:77::1000"}, CallingStation: partner.OpenVPNPeer, NASPortID: "tun0"}
	ends := who
	ends.End = &localreport.End{OpenVPN: "road"}
	if diff := cmp.Diff([]arrived{{"start", "", ends}, {"stop", "", who}}, []arrived{start, stop}, changes); diff != "" {
		t.Error(diff)
	}
	if start.Report.Session != stop.Report.Session || !strings.HasPrefix(start.Report.Session, "tun0-") || !strings.HasSuffix(start.Report.Session, "-10.77.0.2") {
		t.Errorf("sessions %q and %q", start.Report.Session, stop.Report.Session)
	}
	if at := start.Report.At; at == nil || at.Before(before) || at.After(time.Now()) {
		t.Errorf("the start is of %v", at)
	}
	r := stop.Report
	if r.InputOctets == nil || r.OutputOctets == nil || r.SessionTime == nil || *r.InputOctets < 1000 || *r.OutputOctets < 1000 {
		t.Errorf("counters of %+v", r)
	}

	d.will(503, "{}")
	peer.OpenVPNClient("vc", partner.Login{User: "bob", Password: "x"}, c, "Initialization Sequence Completed")
	if got := d.next(t); got.Report.User != "bob" || v.Said("503 Service Unavailable; try again") != 1 {
		t.Errorf("%+v; the log of OpenVPN does not say that it was refused", got)
	}
}

// TestStrongSwanHook: charon runs its hook for a user who logs in and logs out, with one name of the session
// also when the SAs are rekeyed. The script disconnect ends a user by the address.
func TestStrongSwanHook(t *testing.T) {
	d := startLocalDaemon(t)
	n, c := partner.NewNamespace(t), partner.NewCertificates(t)
	peer := n.Neighbor("vg", "vc")
	alice := partner.Login{User: "alice", Password: "secret"}
	hook := "env PATH=" + filepath.Dir(program(t)) + ":/usr/sbin:/usr/bin:/sbin:/bin AAASESS_LOCAL_SOCKET=" + d.socket + " " + hookFile(t, "strongswan/updown")
	gateway := n.StrongSwan(partner.StrongSwanOptions{Interface: "vg", Certificates: c, Hook: hook, Logins: []partner.Login{alice}})
	users := peer.StrongSwanClient("vc", c, alice)
	if err := users.Connect("alice"); err != nil {
		t.Fatal(err)
	}
	start := d.next(t)
	gateway.Rekey() // the IKE_SA has another number then
	eventually(t, "the IKE_SA is rekeyed", func() bool { return gateway.Said("IKE_SA users[2] rekeyed") == 1 })
	users.Disconnect("alice")
	stop := d.next(t)
	who := localreport.Report{Source: "strongswan", User: "alice", Address: "10.88.1.1", CallingStation: "192.0.2.2", CalledStation: "192.0.2.1", NASPortID: "net"}
	begins := who
	begins.NASPort = ptr(uint32(1))
	if diff := cmp.Diff([]arrived{{"start", "", begins}, {"stop", "", who}}, []arrived{start, stop}, changes); diff != "" {
		t.Error(diff)
	}
	if start.Report.Session != stop.Report.Session || !strings.HasPrefix(start.Report.Session, "net-") {
		t.Errorf("sessions %q and %q", start.Report.Session, stop.Report.Session)
	}

	if err := users.Connect("alice"); err != nil {
		t.Fatal(err)
	}
	again := d.next(t).Report
	script := func(address string) error {
		return exec.Command(hookFile(t, "strongswan/disconnect"), address, "--uri", "unix://"+gateway.Socket).Run()
	}
	if exit := (*exec.ExitError)(nil); !errors.As(script("10.88.1.9"), &exit) || exit.ExitCode() != 3 {
		t.Errorf("disconnect of nobody: %v", exit)
	}
	if err := script(again.Address); err != nil {
		t.Error(err)
	}
	if got := d.next(t); got.Verb != "stop" || got.Report.Session != again.Session || gateway.Connected() != 0 {
		t.Errorf("%+v", got)
	}
}
