package config_test

import (
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
)

// runningText is a file with all keys that need a restart.
const runningText = `state: s
log: {level: info, format: text}
control: {socket: c, group: g}
snmp:
  agentx: {address: a}
  session-mib-disconnect: true
  responder:
    listen: ["127.0.0.1:161", "[::1]:161"]
    engine-id: "80007ed90461616173657373"
    max-message-size: 1400
    groups: [{name: g}]
    communities: [{community: c, from: [192.0.2.0/24], group: g}]
  notifications: [{name: n, address: h, version: v2c, community: c}]
tacacs: {timeout: 5s}
radius:
  accounting: {listen: ["127.0.0.1:1813"]}
  nas-identifier: x
  clients: [{name: a, address: 10.0.0.1, secret: s}]
accounting:
  exec: {default: {record: none}}
sessions:
  remember: 10m
  max: 1000
  disconnect: {stop-wait: 5s, retry-min: 1s, retry-max: 1m, timeout: 3s, retransmit: 2}
store: {min-free: 1GiB, max-size: 10GiB}
`

func TestDiff(t *testing.T) {
	responder := func(key, instead string) []string { return []string{"    " + key, "    " + instead} }
	_, responderKeys, _ := strings.Cut(runningText, "  responder:\n")
	responderKeys, _, _ = strings.Cut(responderKeys, "radius:\n")
	for _, tc := range []struct {
		want   string   // separated by spaces
		change []string // pairs of old and new text
	}{
		{"", nil},
		{"state", []string{"state: s", "state: t"}},
		{"", []string{"state: s", "state: ./s"}},
		{"log.format", []string{"format: text", "format: json"}},
		{"control.socket control.group", []string{"{socket: c, group: g}", "{socket: d, group: h}"}},
		{"snmp.agentx", []string{"agentx: {address: a}", "agentx: {address: b}"}},
		{"snmp.agentx", []string{"  agentx: {address: a}\n", ""}},
		{"snmp.enterprise-number", []string{"session-mib-disconnect: true", "session-mib-disconnect: true\n  enterprise-number: 7"}},
		{"", []string{"session-mib-disconnect: true", "session-mib-disconnect: true\n  enterprise-number: 32473"}},
		{"snmp.responder", []string{"  responder:\n" + responderKeys, ""}},
		{"state snmp.agentx snmp.responder radius.accounting.listen", []string{
			"state: s\n", "", "  agentx: {address: a}\n", "", "  responder:\n" + responderKeys, "", "  accounting: {listen: [\"127.0.0.1:1813\"]}\n", "",
		}},
		{"snmp.responder.listen", responder(`listen: ["127.0.0.1:161", "[::1]:161"]`, `listen: ["127.0.0.1:161"]`)},
		{"", responder(`listen: ["127.0.0.1:161", "[::1]:161"]`, `listen: ["[::ffff:127.0.0.1]:161", "[::1]:161"]`)},
		{"snmp.responder.engine-id snmp.responder.max-message-size", []string{"    engine-id: \"80007ed90461616173657373\"\n    max-message-size: 1400\n", ""}},
		{"", responder(`engine-id: "80007ed90461616173657373"`, `engine-id: "0x80007ED90461616173657373"`)},
		{"radius.accounting.listen", []string{`["127.0.0.1:1813"]`, `["127.0.0.1:1813", "[::1]:1813"]`}},
		{"sessions.remember", []string{"remember: 10m", "remember: 11m"}},
		{"", []string{"remember: 10m", "remember: 600s"}},
		{"sessions.max", []string{"  max: 1000\n", ""}},
		{"sessions.disconnect.stop-wait sessions.disconnect.retry-min sessions.disconnect.retry-max", []string{
			"stop-wait: 5s, retry-min: 1s, retry-max: 1m", "stop-wait: 6s, retry-min: 2s, retry-max: 2m",
		}},
		{"sessions.disconnect.timeout sessions.disconnect.retransmit", []string{"timeout: 3s, retransmit: 2", "timeout: 4s, retransmit: 0"}},
		{"store.max-size", []string{", max-size: 10GiB", ""}},
		{"store.min-free", []string{"min-free: 1GiB", "min-free: 2GiB"}},
		{"", []string{"min-free: 1GiB", "min-free: 1024MiB"}},
		// Changes that a reload can make.
		{"", []string{
			"tacacs: {timeout: 5s}\n", "tacacs: {secret: s, servers: [{name: t1, address: h, key: k}], groups: [{name: devices, servers: [t1]}]}\n",
			"level: info", "level: debug", "session-mib-disconnect: true", "session-mib-disconnect: false\n  aaa-server-config: true",
			"store: {", "thresholds: {spool-records: 1, spool-age: 0s, blocked-after: 1s}\nstore: {",
			"    groups: [{name: g}]\n    communities: [{community: c, from: [192.0.2.0/24], group: g}]\n", "    limits: {requests: 1}\n",
			"  notifications: [{name: n, address: h, version: v2c, community: c}]\n", "", "nas-identifier: x", "nas-identifier: y",
			"  clients: [{name: a, address: 10.0.0.1, secret: s}]\n", `  servers: [{name: r1, address: h, secret: s}]
  groups: [{name: isp, servers: [r1]}]
  acct-on-off-groups: [{name: g}]
`, "  exec: {default: {record: none}}\n", "  local: {file: x}\n",
		}},
	} {
		text := runningText
		for i := 0; i < len(tc.change); i += 2 {
			if strings.Count(text, tc.change[i]) != 1 {
				t.Fatalf("%q is not there once", tc.change[i])
			}
			text = strings.Replace(text, tc.change[i], tc.change[i+1], 1)
		}
		old, now := mustParse(t, runningText, "."), mustParse(t, text, ".")
		if got := strings.Join(now.Diff(old), " "); got != tc.want {
			t.Errorf("Diff() = %q, want %q", got, tc.want)
		}
		if got := strings.Join(old.Diff(now), " "); got != tc.want {
			t.Errorf("Diff() the other way = %q, want %q", got, tc.want)
		}
	}
}

// The default address of the master agent equals the same address in the file.
func TestDiffOfAgentX(t *testing.T) {
	parse := func(agentx string) *config.Config { return mustParse(t, "snmp: {agentx: {"+agentx+"}}\n", ".") }
	if got := parse("").Diff(parse("address: /var/agentx/master")); len(got) > 0 {
		t.Errorf("unix: Diff() = %q, want nothing", got)
	}
	if got := parse("network: tcp").Diff(parse(`network: tcp, address: "127.0.0.1:705"`)); len(got) > 0 {
		t.Errorf("tcp: Diff() = %q, want nothing", got)
	}
	if got := parse("").Diff(parse("network: tcp")); len(got) != 1 {
		t.Errorf("another network: Diff() = %q", got)
	}
}

// Without snmp in the file, only its presence needs a restart.
func TestDiffOfNothing(t *testing.T) {
	if got := mustParse(t, minimal, ".").Diff(mustParse(t, minimal, ".")); len(got) > 0 {
		t.Errorf("Diff() = %q, want nothing", got)
	}
}
