package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestHooksTwice: each hook that runs is run once more. The second run changes nothing: there is one
// start and one stop record of each session. The next session with the same name is another one.
func TestHooksTwice(t *testing.T) {
	l := launch(t, localConfig(t), environment{})
	twice := func(hook string, args []string, env ...string) {
		t.Helper()
		for range 2 {
			cmd := exec.Command("../../deploy/hooks/"+hook, args...)
			cmd.Env = append([]string{
				"PATH=" + filepath.Dir(cli(t)) + ":/usr/bin:/bin", "AAASESS_LOCAL_SOCKET=" + filepath.Join(l.dir, "local.sock"), "AAASESS_TIMEOUT=1m",
				"AAASESS_STRONGSWAN_STATE=" + filepath.Join(l.dir, "strongswan"),
			}, env...)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %v %q", hook, err, out)
			}
		}
	}
	pppd := []string{"IFNAME=lo", "IPREMOTE=10.0.0.1", "PEERNAME=dave", "PPPD_PID=" + strconv.Itoa(os.Getpid()), "AAASESS_PPPD_END=signal"}
	twice("pppd/ip-up", nil, pppd...)
	twice("pppd/ip-down", nil, append(pppd, "CONNECT_TIME=61", "BYTES_SENT=2000", "BYTES_RCVD=1000")...)
	accel := []string{"lo", "none", "0", "10.0.0.254", "10.0.0.2", "00:11:22:33:44:55"}
	twice("accel-ppp/ip-up", accel, "PEERNAME=alice")
	twice("accel-ppp/ip-down", accel, "PEERNAME=alice", "CONNECT_TIME=61", "BYTES_SENT=2000", "BYTES_RCVD=1000")
	twice("accel-ppp/ip-up", accel, "PEERNAME=alice")
	openVPN := []string{"dev=tun0", "common_name=bob", "time_unix=1796058000", "trusted_ip=192.0.2.8", "ifconfig_pool_remote_ip=10.8.0.2"}
	twice("openvpn/report", nil, append(openVPN, "script_type=client-connect")...)
	twice("openvpn/report", nil, append(openVPN, "script_type=client-disconnect", "time_duration=61", "bytes_received=1000", "bytes_sent=2000")...)
	strongSwan := []string{"PLUTO_CONNECTION=rw", "PLUTO_REQID=7", "PLUTO_UNIQUEID=3", "PLUTO_ME=192.0.2.1", "PLUTO_PEER=192.0.2.10", "PLUTO_XAUTH_ID=carol", "PLUTO_PEER_SOURCEIP4_1=10.9.0.2"}
	twice("strongswan/updown", nil, append(strongSwan, "PLUTO_VERB=up-client")...)
	twice("strongswan/updown", nil, append(strongSwan, "PLUTO_VERB=down-client")...)
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Stop 00000001", "Start 00000002", "Stop 00000002", "Start 00000003", "Start 00000004", "Stop 00000004", "Start 00000005", "Stop 00000005")
}
