//go:build partners

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/internal/partner"
)

// TestSessionOnInterface: a script reports a session with its network interface. SNMP, the command line
// and the records show what the kernel counts, with the user's direction. When the interface disappears,
// the session ends with its last counters (R2, R3).
func TestSessionOnInterface(t *testing.T) {
	dir := t.TempDir()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	var out lines
	n := inNamespace(t, dir, &out, self)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("daemon:\n%s", &out)
		}
	})
	eventually(t, "the daemon is ready", func() bool { return strings.Contains(out.String(), "msg=ready") })

	user := partner.NewNamespace(t)
	n.run(dir, "ip", "link", "add", "ppp0", "type", "veth", "peer", "name", "user0", "netns", strconv.Itoa(user.Pid()))
	n.run(dir, "ip", "address", "add", "192.0.2.1/24", "dev", "ppp0")
	n.run(dir, "ip", "link", "set", "ppp0", "up")
	user.Run("ip", "address", "add", "192.0.2.2/24", "dev", "user0")
	user.Run("ip", "link", "set", "user0", "up")
	report := func(verb string, args ...string) string {
		argv := append([]string{cli(t), "session", verb, "--socket", "var/local.sock", "--source", "test", "--session", "s1"}, args...)
		return n.run(dir, argv...)
	}
	report("start", "--user", "alice", "--address", "192.0.2.2", "--interface", "ppp0", "--port-interface", "lo")
	get := func(column string) string {
		b, err := n.enter(dir, "snmpget", "-v2c", "-cpublic", "-Oqv", "127.0.0.1:1161", casnRoot+".1.3.1."+column+".1").CombinedOutput()
		if err != nil {
			t.Errorf("snmpget: %s", b)
		}
		return strings.TrimSpace(string(b))
	}
	index := strings.TrimSpace(n.run(dir, "cat", "/proc/net/dev_snmp6/ppp0"))
	index = regexp.MustCompile(`(?m)^ifIndex\s+(\d+)`).FindStringSubmatch(index)[1]
	if got := get("8"); got != index {
		t.Errorf("casnVaiIfIndex %s, want %s", got, index)
	}
	if got := get("7"); !strings.HasSuffix(got, "2.2.1.1.1") {
		t.Errorf("casnNasPort %s", got)
	}
	send := func(packets int) {
		user.Run("bash", "-c", `for i in $(seq $1); do printf %01000d 0 > /dev/udp/192.0.2.1/9; done`, "bash", strconv.Itoa(packets))
	}
	eventually(t, "the session is idle", func() bool { idle, _ := strconv.Atoi(get("4")); return idle >= 2 })
	send(20)
	eventually(t, "the traffic ends the idle time", func() bool { return get("4") == "0" })
	var s api.SessionDetail
	eventually(t, "show session has the counters", func() bool {
		b := n.run(dir, cli(t), "show", "session", "00000001", "--json")
		if err := json.Unmarshal([]byte(b), &s); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		return s.InputOctets >= 20_000
	})
	if s.InputPackets < 20 || s.OutputOctets >= s.InputOctets || fmt.Sprint(s.IfIndex) != index {
		t.Errorf("%+v", s.Session)
	}

	n.run(dir, "ip", "link", "set", "ppp0", "down")
	n.run(dir, "ip", "link", "set", "ppp0", "name", "ppp1")
	n.run(dir, "ip", "link", "delete", "ppp1")
	records := func() string {
		b, err := os.ReadFile(filepath.Join(dir, "var", "accounting.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	eventually(t, "the stop record arrives", func() bool { return strings.Contains(records(), `"type":"Stop","session":"00000001"`) })
	octets := regexp.MustCompile(`"type":"Stop".*"Acct-Input-Octets":"?(\d+)`).FindStringSubmatch(records())
	if octets == nil || !strings.Contains(records(), `"Acct-Terminate-Cause":"Lost-Carrier"`) {
		t.Fatalf("records:\n%s", records())
	}
	if n, _ := strconv.ParseUint(octets[1], 10, 64); n < s.InputOctets {
		t.Errorf("%d octets in the stop, %d before", n, s.InputOctets)
	}
	if !strings.Contains(out.String(), "the network interface of a session has disappeared") {
		t.Error("nothing in the log")
	}
}
