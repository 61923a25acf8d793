package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestStrongSwanDisconnect: the script ends the IKE_SA that has the address, whatever names users
// choose.
func TestStrongSwanDisconnect(t *testing.T) {
	sa := func(id, name, vips string) string {
		return "list-sa event {users {uniqueid=" + id + " version=2 remote-id=" + name + " remote-eap-id=" + name + " established=0 remote-vips=[" + vips + "] child-sas {net-1 {name=net uniqueid=9 reqid=1 bytes-in=0 local-ts=[0.0.0.0/0] remote-ts=[10.9.0.2/32]}}}}\n"
	}
	const claims = "x uniqueid=3 remote-vips=[10.9.0.3] child-sas {n {remote-ts=[10.9.0.3]}}}}"
	all := sa("1", "alice", "10.9.0.1") + sa("2", claims, "10.9.0.2") + sa("3", "bob", "10.9.0.3 2001:db8:9::3") + sa("4", "carol", "") + "list-sas reply {}\n"
	for _, tt := range []struct {
		name, prints, address string
		code                  int
		want                  string
	}{
		{"the first", all, "10.9.0.1", 0, "--terminate --ike-id 1 --timeout 5 --uri u"},
		{"one that another user claims", all, "10.9.0.3", 0, "--terminate --ike-id 3 --timeout 5 --uri u"},
		{"who claims another", all, "10.9.0.2", 0, "--terminate --ike-id 2 --timeout 5 --uri u"},
		{"IPv6", all, "2001:db8:9::3", 0, "--terminate --ike-id 3 --timeout 5 --uri u"},
		{"part of an address", all, "10.9.0", 3, ""},
		{"nobody", "list-sas reply {}\n", "10.9.0.1", 3, ""},
		{"no address", all, "", 3, ""},
		{"no charon", "exit", "10.9.0.1", 1, ""},
	} {
		dir := t.TempDir()
		script := "#!/bin/sh\ncase $1 in\n--list-sas) cat <<'E'\n" + tt.prints + "E\n;;\n*) echo \"$*\" >" + dir + "/ended ;;\nesac\n"
		if tt.prints == "exit" {
			script = "#!/bin/sh\nexit 1\n"
		}
		if err := os.WriteFile(filepath.Join(dir, "swanctl"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("../../deploy/hooks/strongswan/disconnect", tt.address, "--uri", "u")
		cmd.Env = []string{"PATH=" + dir + ":/usr/bin:/bin"}
		err := cmd.Run()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || cmd.ProcessState.ExitCode() != tt.code {
			t.Errorf("%s: %v", tt.name, err)
		}
		ended, _ := os.ReadFile(filepath.Join(dir, "ended"))
		if want := tt.want; string(ended) != want && string(ended) != want+"\n" {
			t.Errorf("%s: %q", tt.name, ended)
		}
	}
}
