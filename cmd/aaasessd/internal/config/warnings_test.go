package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPolicyWarnings: what is valid in the accounting policy and probably unintended.
func TestPolicyWarnings(t *testing.T) {
	const servers = `radius:
  servers:
    - {name: r1, address: 10.0.0.1, secret: s}
    - {name: r2, address: 10.0.0.2, secret: s}
    - {name: r3, address: 10.0.0.3, secret: s}
  groups: [{name: a, servers: [r1, r2]}, {name: b, servers: [r3]}, {name: c, servers: [r3, r1]}]
accounting:
`
	for _, tt := range []struct {
		name, text string
		want       []string // without the file
	}{
		{"none", servers + `  network: {default: {record: start-stop, broadcast: true, methods: [group a, group b, local]}}
`, nil},
		{"groups that share a server, one after the other", servers + `  network: {default: {record: start-stop, methods: [group a, group c]}}
`, nil},
		{
			"groups that share a server in a broadcast", servers + `  network: {default: {record: start-stop, broadcast: true, methods: [group a, group b, group c]}}
`,
			[]string{"8:88: accounting.network.default.methods[2]: server r3 is in group b too, and may get each record of this broadcast twice"},
		},
		{
			"the group of all servers in a broadcast", servers + `  dnis-map:
    enable: true
    numbers:
      7777: {record: stop-only, broadcast: true, methods: [local, group radius, group b]}
`,
			[]string{"11:81: accounting.dnis-map.numbers.7777.methods[2]: server r3 is in group radius too, and may get each record of this broadcast twice"},
		},
		{
			"servers of both protocols with one name", servers + `  network: {default: {record: start-stop, broadcast: true, methods: [group b, group t]}}
tacacs: {servers: [{name: r3, address: 10.0.0.3, key: k}], groups: [{name: t, servers: [r3]}]}
`, nil,
		},
		{
			"TACACS+ groups that share a server in a broadcast", servers + `  network: {default: {record: start-stop, broadcast: true, methods: [group tacacs+, group t]}}
tacacs: {servers: [{name: t1, address: 10.0.0.3, key: k}], groups: [{name: t, servers: [t1], acknowledge-broadcast: true}]}
`,
			[]string{"8:85: accounting.network.default.methods[1]: server t1 is in group tacacs+ too, and may get each record of this broadcast twice"},
		},
		{
			"a private TACACS+ server without a group", servers + `  exec: {default: {record: none}}
tacacs: {servers: [{name: t1, address: 10.0.0.3, key: k, private: true}]}
`,
			[]string{"9:67: tacacs.servers[0].private: nothing is sent to server t1: it is private, and no group names it"},
		},
		{
			"acknowledge-broadcast of a TACACS+ group without a broadcast", servers + `  exec: {default: {record: start-stop, methods: [group t]}}
tacacs: {servers: [{name: t1, address: 10.0.0.3, key: k}], groups: [{name: t, servers: [t1], acknowledge-broadcast: true}]}
`,
			[]string{"9:117: tacacs.groups[0].acknowledge-broadcast: has no effect, because no broadcast list names the group"},
		},
		{
			"a named list that no entry applies", servers + `  exec: {admins: {record: none}, others: {record: none}}
  apply: [{nas-port: [1], exec: others}]
`,
			[]string{"8:18: accounting.exec.admins: applies nowhere: no entry of accounting.apply names it"},
		},
		{
			"a named list of calls that no entry applies", servers + `  resource: {wholesale: {record: stop-failure, methods: [local]}}
`,
			[]string{"8:25: accounting.resource.wholesale: applies nowhere: no entry of accounting.apply names it"},
		},
		{
			"commands and vrrs", servers + `  commands: {1: {default: {record: none}}, 15: {default: {record: none}, admins: {record: stop-only, methods: [local]}}}
  vrrs: {default: {record: start-stop, methods: [group a]}}
  apply: [{nas-port: [1], commands: {15: admins}}]
`, nil,
		},
		{
			"acknowledge-broadcast without a broadcast", strings.Replace(servers, "{name: a,", "{name: a, acknowledge-broadcast: true,", 1) + `  network: {default: {record: start-stop, methods: [group a]}}
`,
			[]string{"6:45: radius.groups[0].acknowledge-broadcast: has no effect, because no broadcast list names the group"},
		},
		{
			"acknowledge-broadcast with a broadcast", strings.Replace(servers, "{name: a,", "{name: a, acknowledge-broadcast: true,", 1) + `  network: {default: {record: start-stop, methods: [group a]}}
  exec: {default: {record: start-stop, broadcast: true, methods: [group b, group a]}}
`, nil,
		},
		{
			"nested, but no exec sessions are recorded", servers + `  network: {default: {record: none}}
  nested: true
`,
			[]string{"9:11: accounting.nested: has no effect without lists for exec and for network sessions"},
		},
		{
			"nested, but no network sessions are recorded", servers + `  exec: {default: {record: none}}
  nested: true
`,
			[]string{"9:11: accounting.nested: has no effect without lists for exec and for network sessions"},
		},
		{
			"nested, and network sessions are recorded by the number that was called", servers + `  exec: {default: {record: none}}
  dnis-map: {enable: true, numbers: {7777: {record: none}}}
  nested: true
`,
			nil,
		},
		{
			"a DNIS map that is not enabled", servers + `  dnis-map:
    numbers: {7777: {record: none}}
`,
			[]string{"9:14: accounting.dnis-map.numbers: has no effect, because accounting.dnis-map.enable is false"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, w := range mustParse(t, tt.text, ".").Warnings() {
				got = append(got, w.Error())
			}
			for i := range tt.want {
				tt.want[i] = "aaasess.yaml:" + tt.want[i]
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
