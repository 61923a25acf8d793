package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
)

// The system list makes its groups send Accounting-On and -Off (R52). A group's own keys take
// precedence.
func TestSystemList(t *testing.T) {
	const servers = `
radius:
  nas-identifier: ab
  servers:
    - {name: r1, address: 192.0.2.1, secret: one}
    - {name: r2, address: 192.0.2.2, secret: two}
  groups:
    - {name: isp, servers: [r1]}
    - {name: customer, servers: [r2], acct-on-off: {}}
    - {name: other, servers: [r2]}
accounting:
  network: {default: {record: stop-only, methods: [group other]}}
`
	first, later := &accounting.OnOff{Attributes: "\x20\x04ab", Blocks: true}, &accounting.OnOff{Attributes: "\x20\x04ab"}
	tests := []struct {
		name, system string
		want         map[string]*accounting.OnOff
	}{
		{"no list", "", map[string]*accounting.OnOff{"isp": nil, "customer": later, "other": nil}},
		{"none", "  system: {default: {record: none}}\n", map[string]*accounting.OnOff{"isp": nil, "customer": later, "other": nil}},
		{
			"aaa accounting system default start-stop: guarantee-first is the default condition", "  system: {default: {record: start-stop, methods: [group isp]}}\n",
			map[string]*accounting.OnOff{"isp": first, "customer": later, "other": nil},
		},
		{
			"no aaa accounting system guarantee-first", "  system: {guarantee-first: false, default: {record: start-stop, broadcast: true, methods: [group isp, group customer]}}\n",
			map[string]*accounting.OnOff{"isp": later, "customer": later, "other": nil},
		},
		{
			"the group of all servers", "  system: {default: {record: start-stop, methods: [group radius]}}\n",
			map[string]*accounting.OnOff{"isp": nil, "customer": later, "other": nil, "radius": first},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := map[string]*accounting.OnOff{}
			for _, g := range mustParse(t, servers+tt.system, ".").Groups {
				got[g.Group] = g.AcctOnOff
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want (-) and got (+):\n%s", diff)
			}
		})
	}
}
