package config_test

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/local"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// TestMethods: the Specs have all keys of the file about methods.
func TestMethods(t *testing.T) {
	c := mustParse(t, `
radius:
  nas-identifier: ab
  servers:
    - {name: r1, address: 192.0.2.1, port: 1814, secret: one, timeout: 1s, retransmit: 2, backoff: {max-delay: 1m, retry: 5}}
    - {name: r2, address: r.example, secret: two, timeout: 3s, retransmit: 0}
  groups:
    - name: isp
      description: of the city
      servers: [r1, r2]
      access-algorithm: round-robin
      source-address: 192.0.2.9
      hold-down: 7s
      dead-criteria: {time: 8s, tries: 9}
      window: 2000
      drain-rate: 300
      acct-on-off: {oper-state-change: true, group: tied}
    - {name: plain, servers: [r2], hold-down: 0s, window: 1}
    - {name: monitor, servers: [r2], hold-down: 0s, window: 1, acct-on-off: {monitor-group: tied}}
    - {name: second, servers: [r2], hold-down: 0s, window: 1, acct-on-off: {}}
  acct-on-off-groups: [{name: tied, description: who waits for whom}]
accounting:
  network: {default: {record: start-stop, methods: [group isp, local]}}
  exec: {default: {record: none}}
  local: {file: records.jsonl}
`, ".")
	r2 := []client.Member{{Identity: client.Identity{Name: "r2", Host: "r.example", Port: 1813, AuthPort: 1812, Secret: "two"}, Schedule: retry.Schedule{Timeout: 3 * time.Second}}}
	isp := &acctradius.Spec{
		Group: "isp", Description: "of the city", Algorithm: client.RoundRobin, Source: netip.MustParseAddr("192.0.2.9"),
		HoldDown: 7 * time.Second, DeadCriteria: servers.DeadCriteria{Time: 8 * time.Second, Tries: 9}, Window: 2000, DrainRate: 300,
		AcctOnOff: &accounting.OnOff{Attributes: "\x20\x04ab", Blocks: true, Controls: "tied"},
		Servers: []client.Member{
			{
				Identity: client.Identity{Name: "r1", Host: "192.0.2.1", Port: 1814, AuthPort: 1812, Secret: "one"},
				Schedule: retry.Schedule{Timeout: time.Second, Retransmit: 2, MaxDelay: time.Minute, BackoffRetry: 5},
			},
			r2[0],
		},
	}
	want := methods.Config{
		Specs: []accounting.Spec{
			isp,
			&acctradius.Spec{Group: "plain", Servers: r2, Window: 1},
			&acctradius.Spec{Group: "monitor", Servers: r2, Window: 1, MonitorGroup: "tied"},
			&acctradius.Spec{Group: "second", Servers: r2, Window: 1, AcctOnOff: &accounting.OnOff{Attributes: "\x20\x04ab"}},
			local.Spec{File: "records.jsonl"},
		},
		Lists:       map[string][]accounting.MethodName{"network/default": {"group isp", "local"}},
		OnOffGroups: onoff.Groups{{Name: "tied", Controller: "isp", Monitors: []string{"monitor"}, Description: "who waits for whom"}},
	}
	if got := c.Methods(nil, nil, nil); !reflect.DeepEqual(got, want) { // Equal ignores descriptions
		for i, spec := range got.Specs {
			t.Errorf("spec %d: %+v", i, spec)
		}
		t.Errorf("want %+v, got %+v", want, got)
	}
	servers := client.New(client.Config{})
	got := c.Methods(servers, nil, radius.Standard)
	for _, spec := range got.Specs {
		switch spec := spec.(type) {
		case *acctradius.Spec:
			if spec.Client != servers {
				t.Errorf("%s has other servers", spec.Name())
			}
		case local.Spec:
			if spec.Names() != radius.Standard() {
				t.Error("local has other names")
			}
		}
	}
	if c.Groups[0].Client != nil {
		t.Error("the configuration has changed")
	}
}
