package config_test

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// levels returns a file of one server and a group of it, each with further keys, and the group of
// all servers.
func levels(global, server, group string) string {
	return fmt.Sprintf(`radius:
%s
  servers: [{name: r1, address: 10.0.0.1, secret: s%s}]
  groups: [{name: isp, servers: [r1]%s}]
accounting: {exec: {default: {record: stop-only, methods: [group isp, group radius]}}}
`, global, server, group)
}

// The key of a group overrides that of its server, and that of a server the global one, each key
// separately (S4).
func TestResendByLevel(t *testing.T) {
	for _, tc := range []struct {
		name, global, server, group string
		own, in                     retry.Schedule // of the server, and of the server in the group
	}{
		{
			"defaults", "", "", "",
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3},
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3},
		},
		{
			"global", "  timeout: 1s\n  retransmit: 2\n  backoff: {max-delay: 10m, retry: 5}", "", "",
			retry.Schedule{Timeout: time.Second, Retransmit: 2, MaxDelay: 10 * time.Minute, BackoffRetry: 5},
			retry.Schedule{Timeout: time.Second, Retransmit: 2, MaxDelay: 10 * time.Minute, BackoffRetry: 5},
		},
		{
			"server", "  timeout: 1s\n  retransmit: 2\n  backoff: {}", ", timeout: 7s, retransmit: 0, backoff: {max-delay: 1m}", "",
			retry.Schedule{Timeout: 7 * time.Second, MaxDelay: time.Minute, BackoffRetry: 32},
			retry.Schedule{Timeout: 7 * time.Second, MaxDelay: time.Minute, BackoffRetry: 32},
		},
		{
			"group", "  timeout: 1s\n  retransmit: 2\n  backoff: {}", "", ", timeout: 1000s, retransmit: 0, backoff: {retry: 1}",
			retry.Schedule{Timeout: time.Second, Retransmit: 2, MaxDelay: time.Hour, BackoffRetry: 32},
			retry.Schedule{Timeout: 1000 * time.Second, MaxDelay: time.Hour, BackoffRetry: 1},
		},
		{
			"group over server", "", ", timeout: 7s, retransmit: 7, backoff: {max-delay: 7m, retry: 7}", ", timeout: 8s, retransmit: 8, backoff: {max-delay: 8m, retry: 8}",
			retry.Schedule{Timeout: 7 * time.Second, Retransmit: 7, MaxDelay: 7 * time.Minute, BackoffRetry: 7},
			retry.Schedule{Timeout: 8 * time.Second, Retransmit: 8, MaxDelay: 8 * time.Minute, BackoffRetry: 8},
		},
		{
			"one key from each", "  retransmit: 9", ", timeout: 7s", ", backoff: {}",
			retry.Schedule{Timeout: 7 * time.Second, Retransmit: 9},
			retry.Schedule{Timeout: 7 * time.Second, Retransmit: 9, MaxDelay: time.Hour, BackoffRetry: 32},
		},
		{
			"a back-off is taken as a whole", "  backoff: {max-delay: 2m, retry: 2}", ", backoff: {retry: 4}", ", backoff: {max-delay: 3m}",
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 4},
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: 3 * time.Minute, BackoffRetry: 32},
		},
		{
			"switched off for the server", "  backoff: {}", ", backoff: {retry: 0}", "",
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3},
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3},
		},
		{
			"switched off for the group", "", ", backoff: {}", ", backoff: {max-delay: 2m, retry: 0}",
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32},
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3},
		},
		{
			"switched on again for the group", "", ", backoff: {retry: 0}", ", backoff: {}",
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3},
			retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []retry.Schedule
			for _, g := range mustParse(t, levels(tc.global, tc.server, tc.group), ".").Groups {
				got = append(got, g.Servers[0].Schedule)
			}
			if diff := cmp.Diff([]retry.Schedule{tc.in, tc.own}, got); diff != "" { // the last is of group radius
				t.Errorf("server in its group, in group radius (-want +got):\n%s", diff)
			}
		})
	}
}

// The keys of a server in one group do not affect another group.
func TestResendOfTwoGroups(t *testing.T) {
	c := mustParse(t, `
radius:
  servers: [{name: r1, address: 10.0.0.1, secret: s}]
  groups:
    - {name: a, servers: [r1], timeout: 1s}
    - {name: b, servers: [r1], backoff: {}}
`, ".")
	got := []retry.Schedule{c.Groups[0].Servers[0].Schedule, c.Groups[1].Servers[0].Schedule}
	want := []retry.Schedule{{Timeout: time.Second, Retransmit: 3}, {Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDeadServersByLevel(t *testing.T) {
	type dead struct {
		HoldDown time.Duration
		Criteria servers.DeadCriteria
	}
	for _, tc := range []struct {
		name, global, group string
		in, all             dead // of group isp, and of group radius
	}{
		{"defaults", "", "", dead{HoldDown: 30 * time.Second}, dead{HoldDown: 30 * time.Second}},
		{
			"global", "  hold-down: 0s\n  dead-criteria: {}", "",
			dead{0, servers.DeadCriteria{Time: time.Minute, Tries: 10}},
			dead{0, servers.DeadCriteria{Time: time.Minute, Tries: 10}},
		},
		{
			"group", "", ", hold-down: 24h, dead-criteria: {time: 1s, tries: 1}",
			dead{24 * time.Hour, servers.DeadCriteria{Time: time.Second, Tries: 1}},
			dead{HoldDown: 30 * time.Second},
		},
		{
			"group over global, as a whole", "  hold-down: 1m\n  dead-criteria: {time: 5s, tries: 5}", ", hold-down: 0s, dead-criteria: {tries: 6}",
			dead{0, servers.DeadCriteria{Time: time.Minute, Tries: 6}},
			dead{time.Minute, servers.DeadCriteria{Time: 5 * time.Second, Tries: 5}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []dead
			for _, g := range mustParse(t, levels(tc.global, "", tc.group), ".").Groups {
				got = append(got, dead{g.HoldDown, g.DeadCriteria})
			}
			if diff := cmp.Diff([]dead{tc.in, tc.all}, got); diff != "" {
				t.Errorf("group isp, group radius (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGroupKeys(t *testing.T) {
	name, err := os.Hostname()
	if err != nil || name == "" {
		name = "aaasess"
	}
	identity := radius.Attributes(radius.AppendAttribute(nil, radius.NASIdentifier, name))
	c := mustParse(t, `
radius:
  servers:
    - {name: r1, address: "2001:db8::1", secret: s}
    - {name: r2, address: radius.example.net, secret: s}
  groups:
    - name: isp
      description: "the provider: 2 servers"
      servers: [r1, r2]
      access-algorithm: round-robin
      source-address: "fe80::1%eth0"
      drain-rate: 1000000
      nas-session-id: attribute Cisco-AVPair
      acct-on-off: {oper-state-change: true, group: upstream}
    - {name: mirror, servers: [r2], acct-on-off: {oper-state-change: false, monitor-group: upstream}, source-address: 192.0.2.10}
    - {name: archive, servers: [r2], acct-on-off: {monitor-group: upstream}}
    - {name: plain, servers: [r2], acct-on-off: {}, nas-session-id: attribute Acct-Multi-Session-Id, user-id: attribute Merit-User-Id, resync-mark: attribute Filter-Id, add-nas-identifier: true}
    - {name: batches, servers: [r2], access-algorithm: least-outstanding}
    - {name: small-batches, servers: [r2], access-algorithm: least-outstanding, batch-size: 5}
  acct-on-off-groups:
    - {name: upstream, description: who waits for whom}
    - {name: unused}
`, ".")
	var got []acctradius.Spec
	for _, g := range c.Groups {
		g.Servers = nil
		got = append(got, g)
	}
	want := []acctradius.Spec{
		{
			Group: "isp", Description: "the provider: 2 servers", Algorithm: client.RoundRobin, Source: netip.MustParseAddr("fe80::1%eth0"),
			HoldDown: 30 * time.Second, Window: 1024, DrainRate: 1000000,
			NASSessionID: radius.ID{Type: radius.VendorSpecific, Vendor: 9, VendorType: 1},
			AcctOnOff:    &accounting.OnOff{Attributes: identity, Blocks: true, Controls: "upstream"},
		},
		{Group: "mirror", Source: netip.MustParseAddr("192.0.2.10"), HoldDown: 30 * time.Second, Window: 1024, MonitorGroup: "upstream"},
		{Group: "archive", HoldDown: 30 * time.Second, Window: 1024, MonitorGroup: "upstream"},
		{
			Group: "plain", HoldDown: 30 * time.Second, Window: 1024, AcctOnOff: &accounting.OnOff{Attributes: identity},
			NASSessionID: radius.ID{Type: radius.AcctMultiSessionID}, UserID: radius.ID{Type: radius.VendorSpecific, Vendor: 61, VendorType: 222}, ResyncMark: radius.ID{Type: 11},
			AddNASIdentifier: true,
		},
		{Group: "batches", Algorithm: client.LeastOutstanding, BatchSize: 25, HoldDown: 30 * time.Second, Window: 1024},
		{Group: "small-batches", Algorithm: client.LeastOutstanding, BatchSize: 5, HoldDown: 30 * time.Second, Window: 1024},
	}
	if diff := cmp.Diff(want, got, plain); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	wantOnOff := onoff.Groups{
		{Name: "upstream", Description: "who waits for whom", Controller: "isp", Monitors: []string{"mirror", "archive"}}, {Name: "unused"},
	}
	if diff := cmp.Diff(wantOnOff, c.OnOffGroups); diff != "" {
		t.Errorf("acct-on-off-groups (-want +got):\n%s", diff)
	}
}
