package config_test

import (
	"fmt"
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
	onlyOff := &accounting.OnOff{Attributes: "\x20\x04ab", OnlyOff: true}
	tests := []struct {
		name, system string
		want         map[string]*accounting.OnOff // "": the method local
		inOrder      []accounting.MethodName
	}{
		{"no list", "", map[string]*accounting.OnOff{"isp": nil, "customer": later, "other": nil}, nil},
		{"none", "  system: {default: {record: none}}\n", map[string]*accounting.OnOff{"isp": nil, "customer": later, "other": nil}, nil},
		{
			"aaa accounting system default start-stop: guarantee-first is the default condition", "  system: {default: {record: start-stop, methods: [group isp]}}\n",
			map[string]*accounting.OnOff{"isp": first, "customer": later, "other": nil},
			nil,
		},
		{
			"no aaa accounting system guarantee-first", "  system: {guarantee-first: false, default: {record: start-stop, broadcast: true, methods: [group isp, group customer]}}\n",
			map[string]*accounting.OnOff{"isp": later, "customer": later, "other": nil},
			nil,
		},
		{
			"the group of all servers", "  system: {default: {record: start-stop, methods: [group radius]}}\n",
			map[string]*accounting.OnOff{"isp": nil, "customer": later, "other": nil, "radius": first},
			nil,
		},
		{
			"Additional methods of authentication are used only if the previous method returns an error", "  system: {default: {record: start-stop, methods: [group isp, group other, local]}}\n",
			map[string]*accounting.OnOff{"isp": first, "customer": later, "other": nil, "": nil},
			[]accounting.MethodName{"group isp", "group other", "local"},
		},
		{
			"use the stop-only keyword, which instructs the specified method to send a stop record", "  system: {default: {record: stop-only, methods: [group isp]}}\n",
			map[string]*accounting.OnOff{"isp": onlyOff, "customer": later, "other": nil},
			nil,
		},
		{
			"the file only", "  system: {default: {record: start-stop, methods: [local]}}\n",
			map[string]*accounting.OnOff{"isp": nil, "customer": later, "other": nil, "": first},
			nil,
		},
		{
			"the file in a broadcast", "  system: {guarantee-first: false, default: {record: start-stop, broadcast: true, methods: [group isp, local]}}\n",
			map[string]*accounting.OnOff{"isp": later, "customer": later, "other": nil, "": later},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := map[string]*accounting.OnOff{}
			c := mustParse(t, servers+tt.system, ".")
			for _, g := range c.Groups {
				got[g.Group] = g.AcctOnOff
			}
			if c.Local != nil {
				got[""] = c.Local.AcctOnOff
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want (-) and got (+):\n%s", diff)
			}
			if diff := cmp.Diff(tt.inOrder, c.Methods(nil, nil, nil).System); diff != "" {
				t.Errorf("in order: want (-) and got (+):\n%s", diff)
			}
		})
	}
}

// "aaa accounting redundancy suppress system-records: Suppresses the system accounting messages
// during switchover" (S2).
func TestSuppressSystem(t *testing.T) {
	for text, want := range map[string]bool{
		"accounting: {system: {}}\n": false, "accounting: {system: {redundancy: {}}}\n": false, "accounting: {system: {redundancy: {suppress: true}}}\n": true,
	} {
		if got := mustParse(t, text, ".").Methods(nil, nil, nil).SuppressSystem; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Which groups tell servers that a reload adds or removes: by the global key, or by their own.
func TestHostConfig(t *testing.T) {
	const servers = `
radius:
  nas-identifier: ab
  servers: [{name: r1, address: 192.0.2.1, secret: one}]
  groups:
    - {name: asks, servers: [r1], host-config: true, acct-on-off: {}}
    - {name: declines, servers: [r1], host-config: false, acct-on-off: {}}
    - {name: follows, servers: [r1], acct-on-off: {}}
    - {name: silent, servers: [r1]}
accounting:
  system: {default: {record: start-stop, methods: [group radius]}%s}
`
	for text, want := range map[string]map[string]bool{
		"":                     {"asks": true, "declines": false, "follows": false, "radius": false},
		", host-config: true":  {"asks": true, "declines": false, "follows": true, "radius": true},
		", host-config: false": {"asks": true, "declines": false, "follows": false, "radius": false},
	} {
		got := map[string]bool{}
		for _, g := range mustParse(t, fmt.Sprintf(servers, text), ".").Groups {
			if g.AcctOnOff != nil {
				got[g.Group] = g.AcctOnOff.HostConfig
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: want (-) and got (+):\n%s", text, diff)
		}
	}
}
