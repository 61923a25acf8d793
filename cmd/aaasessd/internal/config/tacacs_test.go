package config_test

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	accttacacs "aaasess/accounting/tacacs"
	"aaasess/internal/radius"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
)

// TestTACACSKeys: the Specs have all keys of the section tacacs. The levels of the keys for
// retransmissions and dead servers are those of RADIUS.
func TestTACACSKeys(t *testing.T) {
	c := mustParse(t, `
radius: {servers: [{name: r1, address: 10.0.0.1, secret: s}]}
tacacs:
  timeout: 2s
  backoff: {max-delay: 10m, retry: 5}
  hold-down: 1m
  ports:
    - {nas-port-type: [Async, Virtual], nas-port: [1-16, 20], text: tty%d}
    - {text: port}
  servers:
    - {name: r1, address: T1.example, key: one, timeout: 3s, retransmit: 2, single-connection: false, connections: 256, watchdog: with-start}
    - {name: t2, address: 10.0.0.2, port: 4949, key: two}
    - {name: t3, address: 10.0.0.2, port: 4949, key: three, private: true}
  groups:
    - name: devices
      description: of the network
      servers: [t2, r1]
      source-address: 192.0.2.10
      backoff: {retry: 0}
      hold-down: 0s
      dead-criteria: {time: 5s, tries: 2}
      window: 7
      drain-rate: 50
      times: always
      attributes: true
      resync-mark: mark
    - {name: vault, servers: [t3]}
accounting: {exec: {default: {record: start-stop, methods: [group tacacs+]}}}
`, ".")
	server := func(name, host string, port uint16, key tacacs.Key, s retry.Schedule) tacclient.Member {
		m := tacclient.Member{Schedule: s, SingleConnection: true, Connections: 4}
		m.Identity = tacclient.Identity{Name: name, Host: host, Port: port, Key: key}
		return m
	}
	first := server("r1", "t1.example", 49, "one", retry.Schedule{Timeout: 3 * time.Second, Retransmit: 2, MaxDelay: 10 * time.Minute, BackoffRetry: 5})
	first.SingleConnection, first.Connections, first.WatchdogStart = false, 256, true
	usual := retry.Schedule{Timeout: 2 * time.Second, MaxDelay: 10 * time.Minute, BackoffRetry: 5}
	second, third := server("t2", "10.0.0.2", 4949, "two", usual), server("t3", "10.0.0.2", 4949, "three", usual)
	devices1, devices2 := first, second
	devices1.Schedule, devices2.Schedule = retry.Schedule{Timeout: 3 * time.Second, Retransmit: 2}, retry.Schedule{Timeout: 2 * time.Second}
	ports := []accttacacs.PortRule{
		{Types: []uint32{0, 5}, First: 1, Last: 16, Text: "tty%d"},
		{Types: []uint32{0, 5}, First: 20, Last: 20, Text: "tty%d"},
		{Last: math.MaxUint32, Text: "port"},
	}
	want := []accttacacs.Spec{
		{
			Group: "devices", Description: "of the network", Servers: []tacclient.Member{devices2, devices1}, Source: netip.MustParseAddr("192.0.2.10"),
			DeadCriteria: servers.DeadCriteria{Time: 5 * time.Second, Tries: 2}, Window: 7, DrainRate: 50,
			Arguments: accttacacs.Arguments{Ports: ports, Times: accttacacs.TimesAlways, Attributes: true, ResyncMark: "mark"},
		},
		{Group: "vault", Servers: []tacclient.Member{third}, HoldDown: time.Minute, Window: 1024, Arguments: accttacacs.Arguments{Ports: ports}},
		{Group: "tacacs+", Servers: []tacclient.Member{first, second}, HoldDown: time.Minute, Window: 1024, Arguments: accttacacs.Arguments{Ports: ports}},
	}
	if diff := cmp.Diff(want, c.TACACSGroups, plain); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if len(c.Warnings()) > 0 {
		t.Errorf("warnings: %v", c.Warnings())
	}
}

// TestTACACSMethods: the methods of both protocols are in the configuration of the methods, and each
// has its client.
func TestTACACSMethods(t *testing.T) {
	c := mustParse(t, `
radius: {servers: [{name: r1, address: 10.0.0.1, secret: s}], groups: [{name: isp, servers: [r1]}]}
tacacs: {servers: [{name: t1, address: 10.0.0.1, key: k}], groups: [{name: devices, servers: [t1]}]}
accounting:
  commands: {15: {default: {record: stop-only, methods: [group devices, group tacacs+, local]}}}
  network: {default: {record: start-stop, broadcast: true, methods: [group isp, group devices]}}
  exec: {default: {record: start-stop, methods: [group devices, group isp]}}
`, ".")
	want := []accounting.MethodName{"group devices", "group tacacs+"}
	if diff := cmp.Diff(want, c.Policy.TACACS); diff != "" {
		t.Errorf("Policy.TACACS (-want +got):\n%s", diff)
	}
	client := tacclient.New(tacclient.Config{})
	var got []accounting.MethodName
	for _, spec := range c.Methods(nil, client, radius.Standard).Specs {
		got = append(got, spec.Name())
		if spec, ok := spec.(*accttacacs.Spec); ok && (spec.Client != client || spec.Arguments.Names != c.Dictionary) {
			t.Errorf("%s has not the client or not the names", spec.Name())
		}
	}
	if diff := cmp.Diff([]accounting.MethodName{"group isp", "group devices", "group tacacs+", "local"}, got); diff != "" {
		t.Errorf("Specs (-want +got):\n%s", diff)
	}
	if c.TACACSGroups[0].Client != nil || c.TACACSGroups[0].Arguments.Names != nil {
		t.Error("the configuration has changed")
	}
}

// System records go to groups of both protocols (R52).
func TestTACACSSystemList(t *testing.T) {
	const text = `
radius: {nas-identifier: ab, servers: [{name: r1, address: 10.0.0.1, secret: s}]}
tacacs:
  servers: [{name: t1, address: 10.0.0.1, key: k}]
  groups: [{name: asks, servers: [t1], host-config: true}, {name: silent, servers: [t1]}]
accounting:
  system: {default: {record: start-stop, broadcast: true, methods: [group radius, group asks, group tacacs+]}}
`
	on, asks := &accounting.OnOff{Attributes: "\x20\x04ab", Blocks: true}, &accounting.OnOff{Attributes: "\x20\x04ab", Blocks: true, HostConfig: true}
	c, got := mustParse(t, text, "."), map[string]*accounting.OnOff{}
	for i := range c.TACACSGroups {
		got[c.TACACSGroups[i].Group] = c.TACACSGroups[i].AcctOnOff
	}
	for i := range c.Groups {
		got[c.Groups[i].Group] = c.Groups[i].AcctOnOff
	}
	if diff := cmp.Diff(map[string]*accounting.OnOff{"asks": asks, "silent": nil, "tacacs+": on, "radius": on}, got); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
}
