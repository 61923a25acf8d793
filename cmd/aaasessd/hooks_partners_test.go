//go:build partners

package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
)

// localSection is a section of the configuration.
const localSection = "local: {socket: local.sock}\n"

// settings is the /etc/default/aaasess-hooks of a host with this daemon.
func (d *daemonProc) settings() string {
	return "AAASESS_LOCAL_SOCKET=" + filepath.Join(d.dir, "local.sock") + "\n"
}

// TestPAMHook: a login by OpenSSH is a row of kind exec. A SET ends it: the user is out, and its stop has
// the cause Admin-Reset. Another one ends by itself.
func TestPAMHook(t *testing.T) {
	d := start(t, setup{more: localSection})
	hook := func(typ string) string {
		return "session optional pam_exec.so seteuid quiet type=" + typ + " /usr/local/bin/report\n"
	}
	host, home := partner.LoginHost(t, partner.LoginOptions{
		Session: hook("open_session") + hook("close_session"), Defaults: d.settings(),
		Programs: []string{cli(t), "../../deploy/hooks/pam/report"},
	})
	server := host.OpenSSH(home)
	argv := server.Login("echo in; sleep 1000")
	user := exec.Command(argv[0], argv[1:]...)
	out, err := user.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := user.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	rows := d.sessionsJSON()
	if len(rows) != 1 || rows[0]["kind"] != "exec" || rows[0]["user"] != "alice" || rows[0]["nas"] != "local" || rows[0]["callingStation"] != "127.0.0.1" {
		t.Fatalf("the rows are %v", rows)
	}
	number := fmt.Sprint(rows[0]["number"])
	if got, err := d.snmp("snmpget", "public", casnUserID+number); err != nil || !strings.Contains(got, `"alice"`) {
		t.Errorf("%v: %s", err, got)
	}
	if got, err := d.snmp("snmpset", "private", casnDiscon+number, "i", "1"); err != nil {
		t.Errorf("%v: %s", err, got)
	}
	rest, _ := io.ReadAll(out)
	if err := user.Wait(); err == nil {
		t.Errorf("the login ended without an error, and printed %q", rest)
	}
	eventually(t, "the row is gone", func() bool { return len(d.sessionsJSON()) == 0 })
	argv = server.Login("true")
	partner.Run(t, time.Minute, argv[0], argv[1:]...)
	want := []string{"Start 00000001", "Stop 00000001 Admin-Reset", "Start 00000002", "Stop 00000002 User-Request"}
	eventually(t, "FreeRADIUS has all records", func() bool { return len(statuses(d.servers[0])) >= len(want) })
	if diff := cmp.Diff(want, statuses(d.servers[0])); diff != "" {
		t.Error(diff)
	}
}

// TestKeepalivedHook: a router becomes the master of a group. FreeRADIUS gets an Accounting-On with the
// group, and an Accounting-Off when keepalived ends. In between the daemon restarts.
func TestKeepalivedHook(t *testing.T) {
	d := start(t, setup{more: localSection, vrrs: true})
	host := partner.NewHost(t, partner.HostOptions{
		Etc: map[string]string{
			"passwd": "root:x:0:0::/root:/bin/sh\n", "group": "root:x:0:\n", "default/aaasess-hooks": d.settings(),
			"keepalived.conf": "global_defs {\nscript_user root\nenable_script_security\nvrrp_version 3\n}\nvrrp_instance VI_1 {\ninterface lan\nvirtual_router_id 51\n" +
				"priority 100\nadvert_int 0.2\nvirtual_ipaddress {\n192.0.2.9/24\n}\nnotify /usr/local/bin/notify\n}\n",
		},
		Programs: []string{cli(t), "../../deploy/hooks/keepalived/notify"},
	})
	host.Run("sh", "-c", "ip link add lan type veth peer name end && ip link set lan up && ip link set end up && ip addr add 192.0.2.1/24 dev lan")
	router := host.Program("Entering MASTER STATE", "/usr/sbin/keepalived", "--dont-fork", "--log-console", "--vrrp", "--use-file", "/etc/keepalived.conf", "--pid", "/run/k.pid", "--vrrp_pid", "/run/v.pid")
	records := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprint("FreeRADIUS has record ", n), func() bool { return len(statuses(d.servers[0])) >= n })
	}
	records(1)
	d.end(syscall.SIGTERM)
	d.run()
	router.Stop()
	records(2)
	if diff := cmp.Diff([]string{"Accounting-On 00000001", "Accounting-Off 00000001"}, statuses(d.servers[0])); diff != "" {
		t.Error(diff)
	}
	for _, r := range d.servers[0].Detail() {
		if pair := r.Get("Cisco-AVPair"); pair != "vrrs-name=VI_1" || r.Get("User-Name") != "" {
			t.Errorf("Cisco-AVPair %q of %+v", pair, r)
		}
	}
	if rows := d.sessionsJSON(); len(rows) > 0 {
		t.Errorf("the rows are %v", rows)
	}
}
