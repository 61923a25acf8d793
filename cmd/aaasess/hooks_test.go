package main

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	localreport "aaasess/sessions/local/report"
)

// hook is a run of a hook script.
type hook struct {
	script string // below deploy/hooks
	args   []string
	env    map[string]string // that the program gives it
}

// command returns the command of a hook, for a socket. The hook has the environment that the program
// would give it, and a PATH with aaasess.
func (h hook) command(t *testing.T, socket string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("../../deploy/hooks/"+h.script, h.args...)
	cmd.Env = []string{"PATH=" + filepath.Dir(program(t)) + ":/usr/sbin:/usr/bin:/sbin:/bin", "AAASESS_LOCAL_SOCKET=" + socket, "AAASESS_STRONGSWAN_STATE=" + filepath.Join(t.TempDir(), "state")}
	for _, name := range slices.Sorted(maps.Keys(h.env)) {
		if h.env[name] != "" {
			cmd.Env = append(cmd.Env, name+"="+h.env[name])
		}
	}
	return cmd
}

// The environments of the programs, as their manuals say.
var (
	pppdEnv = map[string]string{
		"DEVICE": "/dev/pts/3", "IFNAME": "ppp0", "IPLOCAL": "10.0.0.254", "IPREMOTE": "10.0.0.1", "PEERNAME": "alice", "SPEED": "38400", "ORIG_UID": "0", "PPPLOGNAME": "root",
		"PPPD_PID": "77", "REMOTENUMBER": "192.0.2.7", "AAASESS_PPPD_END": "signal",
	}
	pppdArgs = []string{"ppp0", "/dev/pts/3", "38400", "10.0.0.254", "10.0.0.1", ""}
	pppdLast = map[string]string{"CONNECT_TIME": "61", "BYTES_SENT": "2000", "BYTES_RCVD": "1000"}

	accelArgs = []string{"ppp1", "none", "0", "10.0.0.254", "10.0.0.2", "00:11:22:33:44:55"}
	accelEnv  = map[string]string{
		"PEERNAME": "bob", "CALLING_SID": "00:11:22:33:44:55", "CALLED_SID": "66:77:88:99:aa:bb", "IPV6_PREFIX": "2001:db8:1::211:22ff:fe33:4455/64", "IPV6_DELEGATED_PREFIX": "2001:db8:2::/56",
	}
	accelLast = map[string]string{"CONNECT_TIME": "61", "BYTES_SENT": "18446744073709551615", "BYTES_RCVD": "1000", "PACKETS_SENT": "20", "PACKETS_RCVD": "10"}

	openVPNEnv = map[string]string{
		"dev": "tun0", "common_name": "laptop", "username": "carol", "time_unix": "1796058000", "time_ascii": "2026-11-30 17:00:00", "trusted_ip": "192.0.2.8", "trusted_port": "49152",
		"ifconfig_pool_remote_ip": "10.8.0.2", "ifconfig_pool_netmask": "255.255.255.0", "ifconfig_pool_remote_ip6": "2001:db8:8::2",
	}
	openVPNLast = map[string]string{"script_type": "client-disconnect", "time_duration": "61", "bytes_received": "1000", "bytes_sent": "2000", "trusted_ip": "192.0.2.9"}

	strongSwanEnv = map[string]string{
		"PLUTO_VERSION": "1.1", "PLUTO_CONNECTION": "rw", "PLUTO_INTERFACE": "eth0", "PLUTO_REQID": "7", "PLUTO_PROTO": "esp", "PLUTO_UNIQUEID": "3", "PLUTO_ME": "192.0.2.1", "PLUTO_MY_ID": "gw",
		"PLUTO_MY_CLIENT": "0.0.0.0/0", "PLUTO_PEER": "192.0.2.10", "PLUTO_PEER_ID": "C=CH, CN=dave", "PLUTO_PEER_CLIENT": "10.9.0.2/32", "PLUTO_XAUTH_ID": "dave",
		"PLUTO_PEER_SOURCEIP": "10.9.0.2", "PLUTO_PEER_SOURCEIP4_1": "10.9.0.2", "PLUTO_PEER_SOURCEIP6_1": "2001:db8:9::2", "PLUTO_UDP_ENC": "4500",
	}
)

// with returns an environment with further variables. A program does not set those that are "".
func with(env map[string]string, more map[string]string) map[string]string {
	env = maps.Clone(env)
	maps.Copy(env, more)
	return env
}

// hookCase is a hook, and what it reports.
type hookCase struct {
	name string
	hook hook
	want []arrived
}

func pppdCases() []hookCase {
	start := localreport.Report{
		Source: "pppd", Session: "ppp0", User: "alice", Address: "10.0.0.1", CallingStation: "192.0.2.7", NASPortID: "pts/3", Interface: "ppp0",
		Attributes: []localreport.Attribute{{Name: "Framed-Protocol", Value: "PPP"}}, End: &localreport.End{Signal: &localreport.Signal{PID: 77}},
	}
	stop := localreport.Report{Source: "pppd", Session: "ppp0", User: "alice", Address: "10.0.0.1", SessionTime: ptr(uint32(61)), InputOctets: ptr(uint64(1000)), OutputOctets: ptr(uint64(2000))}
	ethernet, param, hostile, noEnd := start, start, start, start
	noEnd.End = nil
	ethernet.CallingStation, ethernet.NASPortID, ethernet.PortInterface = "00:11:22:33:44:55", "lo", "lo"
	param.CallingStation = "192.0.2.9"
	hostile.User, hostile.CallingStation = hostileArrived, ""
	return []hookCase{
		{"up", hook{"pppd/ip-up", pppdArgs, pppdEnv}, []arrived{{"start", "", start}}},
		{"up, PPPoE", hook{"pppd/ip-up", pppdArgs, with(pppdEnv, map[string]string{"REMOTENUMBER": "", "MACREMOTE": "00:11:22:33:44:55", "DEVICE": "lo"})}, []arrived{{"start", "", ethernet}}},
		{"up, address as ipparam", hook{"pppd/ip-up", append(slices.Clone(pppdArgs[:5]), "192.0.2.9"), with(pppdEnv, map[string]string{"REMOTENUMBER": ""})}, []arrived{{"start", "", param}}},
		{"up, hostile", hook{"pppd/ip-up", append(slices.Clone(pppdArgs[:5]), "$(id)"), with(pppdEnv, map[string]string{"REMOTENUMBER": "", "PEERNAME": hostileName})}, []arrived{{"start", "", hostile}}},
		{"up, without an end", hook{"pppd/ip-up", pppdArgs, with(pppdEnv, map[string]string{"AAASESS_PPPD_END": ""})}, []arrived{{"start", "", noEnd}}},
		{"up, no interface", hook{"pppd/ip-up", nil, nil}, nil},
		{"down", hook{"pppd/ip-down", pppdArgs, with(pppdEnv, pppdLast)}, []arrived{{"stop", "", stop}}},
		{"down, unknown", hook{"pppd/ip-down", nil, map[string]string{"IFNAME": "ppp0"}}, []arrived{{"stop", "", localreport.Report{Source: "pppd", Session: "ppp0"}}}},
	}
}

func accelCases() []hookCase {
	start := localreport.Report{
		Source: "accel-ppp", Session: "ppp1", User: "bob", Address: "10.0.0.2", IPv6Prefixes: []string{"2001:db8:1::/64"}, DelegatedPrefixes: []string{"2001:db8:2::/56"},
		CallingStation: "00:11:22:33:44:55", CalledStation: "66:77:88:99:aa:bb", NASPortID: "ppp1", Interface: "ppp1",
	}
	stop := localreport.Report{
		Source: "accel-ppp", Session: "ppp1", User: "bob", Address: "10.0.0.2", CallingStation: "00:11:22:33:44:55", CalledStation: "66:77:88:99:aa:bb",
		SessionTime: ptr(uint32(61)), InputOctets: ptr(uint64(1000)), OutputOctets: ptr(uint64(1<<64 - 1)), InputPackets: ptr(uint64(10)), OutputPackets: ptr(uint64(20)),
	}
	host, ends := start, start
	host.Address, host.IPv6Prefixes, host.DelegatedPrefixes, host.IPv6Addresses, host.User = "", nil, nil, []string{"2001:db8::9"}, hostileArrived
	ends.End = &localreport.End{Command: "accel"}
	return []hookCase{
		{"up", hook{"accel-ppp/ip-up", accelArgs, accelEnv}, []arrived{{"start", "", start}}},
		{"up, with an end", hook{"accel-ppp/ip-up", accelArgs, with(accelEnv, map[string]string{"AAASESS_ACCEL_PPP_END": "accel"})}, []arrived{{"start", "", ends}}},
		{"up, IPv6 only, hostile", hook{
			"accel-ppp/ip-up",
			[]string{"ppp1", "none", "0", "0.0.0.0", "0.0.0.0", "00:11:22:33:44:55"},
			with(accelEnv, map[string]string{"IPV6_PREFIX": "2001:db8::9/128", "IPV6_DELEGATED_PREFIX": "", "PEERNAME": hostileName, "CALLING_SID": ""}),
		}, []arrived{{"start", "", host}}},
		{"down", hook{"accel-ppp/ip-down", accelArgs, with(accelEnv, accelLast)}, []arrived{{"stop", "", stop}}},
		{"down, no arguments", hook{"accel-ppp/ip-down", nil, nil}, nil},
	}
}

func openVPNCases() []hookCase {
	at := time.Unix(1796058000, 0).UTC()
	who := localreport.Report{
		Source: "openvpn", Session: "tun0-1796058000-10.8.0.2", User: "carol", Address: "10.8.0.2", IPv6Addresses: []string{"2001:db8:8::2"}, CallingStation: "192.0.2.8", NASPortID: "tun0",
	}
	start, ends, tap, stop, update := who, who, who, who, who
	start.At, ends.At, tap.At = &at, &at, &at
	ends.User, ends.End = "laptop", &localreport.End{OpenVPN: "road"}
	tap.Session, tap.NASPortID, tap.User, tap.Address, tap.IPv6Addresses, tap.CallingStation = "tap0-1796058000-2001:db8::f-49152", "tap0", hostileArrived, "", nil, "2001:db8::f"
	stop.CallingStation, stop.SessionTime, stop.InputOctets, stop.OutputOctets = "192.0.2.9", ptr(uint32(61)), ptr(uint64(1000)), ptr(uint64(2000)) // its client has moved
	update.Address, update.CallingStation, update.NASPortID, update.IPv6Addresses = "", "", "", []string{"2001:db8:8::2", "2001:db8:8::77"}
	run := func(script string, more map[string]string, args ...string) hook {
		return hook{"openvpn/report", args, with(with(openVPNEnv, map[string]string{"script_type": script}), more)}
	}
	return []hookCase{
		{"connect", run("client-connect", nil, "/tmp/file"), []arrived{{"start", "", start}}},
		{"connect by certificate, with an end", run("client-connect", map[string]string{"username": "", "AAASESS_OPENVPN_END": "road"}), []arrived{{"start", "", ends}}},
		{"connect, TAP without a pool, hostile", run("client-connect", map[string]string{
			"dev": "tap0", "username": hostileName, "ifconfig_pool_remote_ip": "", "ifconfig_pool_remote_ip6": "", "trusted_ip": "", "trusted_ip6": "2001:db8::f",
		}), []arrived{{"start", "", tap}}},
		{"disconnect", run("client-disconnect", openVPNLast), []arrived{{"stop", "", stop}}},
		{"learn its address", run("learn-address", nil, "add", "10.8.0.2", "laptop"), nil},
		{"learn its IPv6 address", run("learn-address", nil, "add", "2001:db8:8::2", "laptop"), nil},
		{"learn another IPv6 address", run("learn-address", nil, "update", "2001:db8:8::77", "laptop"), []arrived{{"update", "", update}}},
		{"learn a network", run("learn-address", nil, "add", "2001:db8:f::/48", "laptop"), nil},
		{"learn a MAC address", run("learn-address", nil, "add", "00:11:22:33:44:55@0", "laptop"), nil},
		{"forget an address", hook{"openvpn/report", []string{"delete", "2001:db8:8::77"}, map[string]string{"script_type": "learn-address"}}, nil},
		{"another script", run("up", nil), nil},
	}
}

func strongSwanCases() []hookCase {
	who := localreport.Report{
		Source: "strongswan", Session: "rw-7", User: "dave", Address: "10.9.0.2", IPv6Addresses: []string{"2001:db8:9::2"}, CallingStation: "192.0.2.10", CalledStation: "192.0.2.1", NASPortID: "rw",
	}
	start, host, host6 := who, who, who
	start.NASPort, host.NASPort, host6.NASPort = ptr(uint32(3)), ptr(uint32(3)), ptr(uint32(3))
	host.User, host.IPv6Addresses = "C=CH, CN=dave", nil
	host6.User, host6.Address, host6.End = hostileArrived, "", &localreport.End{Command: "ipsec"}
	run := func(verb string, more map[string]string) hook {
		return hook{"strongswan/updown", nil, with(with(strongSwanEnv, map[string]string{"PLUTO_VERB": verb}), more)}
	}
	noVirtual := map[string]string{"PLUTO_PEER_SOURCEIP": "", "PLUTO_PEER_SOURCEIP4_1": "", "PLUTO_PEER_SOURCEIP6_1": "", "PLUTO_XAUTH_ID": ""}
	return []hookCase{
		{"up", run("up-client", nil), []arrived{{"start", "", start}}},
		{"up, another selector", run("up-client-v6", map[string]string{"PLUTO_PEER_CLIENT": "2001:db8:9::2/128"}), []arrived{{"start", "", start}}},
		{"up, no virtual IP", run("up-host", noVirtual), []arrived{{"start", "", host}}},
		{"up, no virtual IP, hostile, with an end", run("up-host-v6", with(noVirtual, map[string]string{
			"PLUTO_PEER_CLIENT": "2001:db8:9::2/128", "PLUTO_XAUTH_ID": hostileName, "AAASESS_STRONGSWAN_END": "ipsec",
		})), []arrived{{"start", "", host6}}},
		{"down", run("down-client", nil), []arrived{{"stop", "", who}}},
		{"another verb", run("route-client", nil), nil},
		{"no CHILD_SA", hook{"strongswan/updown", nil, nil}, nil},
	}
}

// hostileName is a user name that a careless script or daemon would run, cut or choke on.
const (
	hostileName    = "--json $(touch /tmp/x) `id` \"'\\ ;&|\n\r\t*\x1b[31m\xff\u202e"
	hostileArrived = "--json $(touch /tmp/x) `id` \"'\\ ;&|\n\r\t*\x1b[31m\\xff\u202e"
)

// TestHooks: the hooks report what the programs tell them, the same each time that they run, and exit
// with 0.
func TestHooks(t *testing.T) {
	d := startLocalDaemon(t)
	for _, tt := range slices.Concat(pppdCases(), accelCases(), openVPNCases(), strongSwanCases()) {
		t.Run(tt.hook.script+" "+tt.name, func(t *testing.T) {
			for range 2 {
				if out, err := tt.hook.command(t, d.socket).CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("%v, prints %q", err, out)
				}
				if diff := cmp.Diff(tt.want, d.reports()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestHookSettings: a hook takes its settings from a file, which cannot run anything or make it fail.
func TestHookSettings(t *testing.T) {
	d := startLocalDaemon(t)
	dir := t.TempDir()
	settings := filepath.Join(dir, "settings")
	text := "# a comment\nAAASESS_LOCAL_SOCKET=" + d.socket + "\nAAASESS_ACCEL_PPP_END=accel $(touch " + dir + "/ran)\n\nPATH=/nowhere\nAAASESS_A B=1\nif (\n=\nAAASESS_OPENVPN_END=road"
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, h := range lastHooks() {
		h.env = with(h.env, map[string]string{"AAASESS_HOOKS": settings})
		if out, err := h.command(t, filepath.Join(dir, "none")).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v %q", h.script, err, out)
		}
		got := d.reports()
		if len(got) != 1 {
			t.Fatalf("%s: %d reports", h.script, len(got))
		}
		if end := got[0].Report.End; h.script == "accel-ppp/ip-up" && end.Command != "accel $(touch "+dir+"/ran)" {
			t.Errorf("%s: %+v", h.script, end)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("a setting was run")
	}
}

// TestStrongSwanCounters: the hook reports what the kernel has counted, unless the SAs were rekeyed:
// then the kernel has counted only what came after.
func TestStrongSwanCounters(t *testing.T) {
	d := startLocalDaemon(t)
	sas := func(in, out string) string {
		sa := func(from, to, spi, octets, packets string) string {
			return "src " + from + " dst " + to + "\n\tproto esp spi " + spi + "(1) reqid 7(0x00000007) mode tunnel\n\treplay-window 0 seq 0x00000000 flag af-unspec (0x00100000)\n" +
				"\tlifetime config:\n\t  limit: soft (INF)(bytes), hard (INF)(bytes)\n\tlifetime current:\n\t  " + octets + "(bytes), " + packets + "(packets)\n\t  add 2026-11-30 17:00:00 use -\n\tstats:\n\t  replay-window 0 replay 0 failed 0\n"
		}
		return sa("192.0.2.10", "192.0.2.1", in, "9007199254740992", "10") + sa("192.0.2.1", "192.0.2.10", out, "2000", "20")
	}
	first, other := sas("0xc1000001", "0xc2000002"), sas("0xc3000003", "0xc4000004")
	all := localreport.Report{InputOctets: ptr(uint64(1 << 53)), InputPackets: ptr(uint64(10)), OutputOctets: ptr(uint64(2000)), OutputPackets: ptr(uint64(20))}
	for name, tt := range map[string]struct {
		up, down string // what ip prints
		want     localreport.Report
	}{
		"the same SAs":   {first, first, all},
		"rekeyed":        {first, other, localreport.Report{}},
		"gone":           {first, "", localreport.Report{}},
		"none at the up": {"", first, localreport.Report{}},
		"no ip":          {"", "", localreport.Report{}},
	} {
		dir := t.TempDir()
		for _, step := range []struct{ verb, prints string }{{"up-client", tt.up}, {"up-client", tt.up}, {"down-client", tt.down}} {
			h := hook{"strongswan/updown", nil, with(strongSwanEnv, map[string]string{"PLUTO_VERB": step.verb, "AAASESS_STRONGSWAN_STATE": filepath.Join(dir, "state")})}
			script := "#!/bin/sh\n[ \"$*\" = '-s xfrm state list reqid 7' ] && cat <<'E'\n" + step.prints + "E\n"
			if err := os.WriteFile(filepath.Join(dir, "ip"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			cmd := h.command(t, d.socket)
			cmd.Env[0] = "PATH=" + dir + ":" + strings.TrimPrefix(cmd.Env[0], "PATH=")
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %v %q", name, err, out)
			}
		}
		stop := d.reports()[2].Report
		got := localreport.Report{InputOctets: stop.InputOctets, InputPackets: stop.InputPackets, OutputOctets: stop.OutputOctets, OutputPackets: stop.OutputPackets}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if left, err := os.ReadDir(filepath.Join(dir, "state")); err != nil || len(left) > 0 {
			t.Errorf("%s: %d files are left, %v", name, len(left), err)
		}
	}
}

// lastHooks are hooks that report something, one of each kind.
func lastHooks() []hook {
	openVPN := with(openVPNEnv, map[string]string{"script_type": "client-connect"})
	return []hook{
		{"pppd/ip-up", pppdArgs, pppdEnv},
		{"pppd/ip-down", pppdArgs, with(pppdEnv, pppdLast)},
		{"accel-ppp/ip-up", accelArgs, accelEnv},
		{"accel-ppp/ip-down", accelArgs, with(accelEnv, accelLast)},
		{"openvpn/report", nil, openVPN},
		{"openvpn/report", nil, with(openVPN, openVPNLast)},
		{"openvpn/report", []string{"add", "2001:db8::7"}, with(openVPN, map[string]string{"script_type": "learn-address"})},
		{"strongswan/updown", nil, with(strongSwanEnv, map[string]string{"PLUTO_VERB": "up-client"})},
		{"strongswan/updown", nil, with(strongSwanEnv, map[string]string{"PLUTO_VERB": "down-client"})},
	}
}

// TestHooksNeverFail: whatever the daemon does, a hook exits with 0, and does not wait longer than it
// may. A hook whose output the program reads says what is wrong.
func TestHooksNeverFail(t *testing.T) {
	refuses := startLocalDaemon(t)
	refuses.will(503, `{"title":"Service Unavailable","detail":"no space"}`)
	hangs := startLocalDaemon(t)
	hangs.mu.Lock()
	defer hangs.mu.Unlock()
	for name, tt := range map[string]struct{ socket, said string }{
		"down":    {filepath.Join(t.TempDir(), "none"), "no daemon at "},
		"refuses": {refuses.socket, "503 Service Unavailable: no space"},
		"hangs":   {hangs.socket, "the daemon does not answer in time"},
	} {
		for _, h := range lastHooks() {
			h.env = with(h.env, map[string]string{"AAASESS_TIMEOUT": "30ms"})
			out, err := h.command(t, tt.socket).CombinedOutput()
			reads := h.script == "openvpn/report" || h.script == "strongswan/updown"
			if err != nil || reads != strings.Contains(string(out), tt.said) {
				t.Errorf("%s, %s: %v, prints %q", name, h.script, err, out)
			}
		}
	}
	for _, h := range lastHooks() { // aaasess is not installed
		cmd := h.command(t, refuses.socket)
		cmd.Env[0] = "PATH=/usr/bin:/bin"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s without aaasess: %v %q", h.script, err, out)
		}
	}
}

// TestHookKilled: a hook that is killed while it waits has done nothing by halves: it reports the same
// when it runs again.
func TestHookKilled(t *testing.T) {
	d := startLocalDaemon(t)
	for _, h := range lastHooks() {
		h.env = with(h.env, map[string]string{"AAASESS_TIMEOUT": "1m"})
		waiting := d.hang()
		cmd := h.command(t, d.socket)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-waiting
		err := errors.Join(syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL), cmd.Wait())
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.Exited() {
			t.Errorf("%s: %v", h.script, err)
		}
		d.will(http.StatusOK, aliceAnswer)
		first := d.reports()
		if out, err := h.command(t, d.socket).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v %q", h.script, err, out)
		}
		if diff := cmp.Diff(first, d.reports()); diff != "" || len(first) != 1 {
			t.Errorf("%s: %d reports, then %s", h.script, len(first), diff)
		}
	}
}
