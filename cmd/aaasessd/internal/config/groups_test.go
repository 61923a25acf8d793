package config_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/config"
)

// levels is a file of one server and a group of it, each with further keys, and the group of all.
func levels(global, server, group string) string {
	return fmt.Sprintf(`radius:
%s
  servers: [{name: r1, address: 10.0.0.1, secret: s%s}]
  groups: [{name: isp, servers: [r1]%s}]
accounting: {exec: {default: {record: stop-only, methods: [group isp, group radius]}}}
`, global, server, group)
}

// resend is what the levels have in common.
type resend struct {
	Timeout    time.Duration
	Retransmit int
	Backoff    config.Backoff
}

func resendOf(s config.Server) resend { return resend{s.Timeout, s.Retransmit, s.Backoff} }

// A group's key wins over its server's, that over the global one, each key by itself (S4).
func TestResendByLevel(t *testing.T) {
	hour := config.Backoff{MaxDelay: time.Hour, Retry: 32}
	for _, tc := range []struct {
		name, global, server, group string
		own, in                     resend // of the server, and of the server in the group
	}{
		{
			"defaults", "", "", "",
			resend{5 * time.Second, 3, config.Backoff{}},
			resend{5 * time.Second, 3, config.Backoff{}},
		},
		{
			"global", "  timeout: 1s\n  retransmit: 2\n  backoff: {max-delay: 10m, retry: 5}", "", "",
			resend{time.Second, 2, config.Backoff{MaxDelay: 10 * time.Minute, Retry: 5}},
			resend{time.Second, 2, config.Backoff{MaxDelay: 10 * time.Minute, Retry: 5}},
		},
		{
			"server", "  timeout: 1s\n  retransmit: 2\n  backoff: {}", ", timeout: 7s, retransmit: 0, backoff: {max-delay: 1m}", "",
			resend{7 * time.Second, 0, config.Backoff{MaxDelay: time.Minute, Retry: 32}},
			resend{7 * time.Second, 0, config.Backoff{MaxDelay: time.Minute, Retry: 32}},
		},
		{
			"group", "  timeout: 1s\n  retransmit: 2\n  backoff: {}", "", ", timeout: 1000s, retransmit: 0, backoff: {retry: 1}",
			resend{time.Second, 2, hour},
			resend{1000 * time.Second, 0, config.Backoff{MaxDelay: time.Hour, Retry: 1}},
		},
		{
			"group over server", "", ", timeout: 7s, retransmit: 7, backoff: {max-delay: 7m, retry: 7}", ", timeout: 8s, retransmit: 8, backoff: {max-delay: 8m, retry: 8}",
			resend{7 * time.Second, 7, config.Backoff{MaxDelay: 7 * time.Minute, Retry: 7}},
			resend{8 * time.Second, 8, config.Backoff{MaxDelay: 8 * time.Minute, Retry: 8}},
		},
		{
			"one key from each", "  retransmit: 9", ", timeout: 7s", ", backoff: {}",
			resend{7 * time.Second, 9, config.Backoff{}},
			resend{7 * time.Second, 9, hour},
		},
		{
			"a back-off is taken as a whole", "  backoff: {max-delay: 2m, retry: 2}", ", backoff: {retry: 4}", ", backoff: {max-delay: 3m}",
			resend{5 * time.Second, 3, config.Backoff{MaxDelay: time.Hour, Retry: 4}},
			resend{5 * time.Second, 3, config.Backoff{MaxDelay: 3 * time.Minute, Retry: 32}},
		},
		{
			"switched off for the server", "  backoff: {}", ", backoff: {retry: 0}", "",
			resend{5 * time.Second, 3, config.Backoff{}},
			resend{5 * time.Second, 3, config.Backoff{}},
		},
		{
			"switched off for the group", "", ", backoff: {}", ", backoff: {max-delay: 2m, retry: 0}",
			resend{5 * time.Second, 3, hour},
			resend{5 * time.Second, 3, config.Backoff{}},
		},
		{
			"switched on again for the group", "", ", backoff: {retry: 0}", ", backoff: {}",
			resend{5 * time.Second, 3, config.Backoff{}},
			resend{5 * time.Second, 3, hour},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := mustParse(t, levels(tc.global, tc.server, tc.group), ".")
			got := []resend{resendOf(c.RADIUS.Servers[0]), resendOf(c.RADIUS.Groups[0].Servers[0]), resendOf(c.RADIUS.Groups[1].Servers[0])}
			if diff := cmp.Diff([]resend{tc.own, tc.in, tc.own}, got); diff != "" { // the last is of group radius
				t.Errorf("server, in its group, in group radius (-want +got):\n%s", diff)
			}
		})
	}
}

// A server's keys in one group are none of another's.
func TestResendOfTwoGroups(t *testing.T) {
	c := mustParse(t, `
radius:
  servers: [{name: r1, address: 10.0.0.1, secret: s}]
  groups:
    - {name: a, servers: [r1], timeout: 1s}
    - {name: b, servers: [r1], backoff: {}}
`, ".")
	got := []resend{resendOf(c.RADIUS.Groups[0].Servers[0]), resendOf(c.RADIUS.Groups[1].Servers[0])}
	want := []resend{{time.Second, 3, config.Backoff{}}, {5 * time.Second, 3, config.Backoff{MaxDelay: time.Hour, Retry: 32}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDeadServersByLevel(t *testing.T) {
	type dead struct {
		HoldDown time.Duration
		Criteria config.DeadCriteria
	}
	for _, tc := range []struct {
		name, global, group string
		in, all             dead // of group isp, and of group radius
	}{
		{"defaults", "", "", dead{HoldDown: 30 * time.Second}, dead{HoldDown: 30 * time.Second}},
		{
			"global", "  hold-down: 0s\n  dead-criteria: {}", "",
			dead{0, config.DeadCriteria{Time: time.Minute, Tries: 10}},
			dead{0, config.DeadCriteria{Time: time.Minute, Tries: 10}},
		},
		{
			"group", "", ", hold-down: 24h, dead-criteria: {time: 1s, tries: 1}",
			dead{24 * time.Hour, config.DeadCriteria{Time: time.Second, Tries: 1}},
			dead{HoldDown: 30 * time.Second},
		},
		{
			"group over global, as a whole", "  hold-down: 1m\n  dead-criteria: {time: 5s, tries: 5}", ", hold-down: 0s, dead-criteria: {tries: 6}",
			dead{0, config.DeadCriteria{Time: time.Minute, Tries: 6}},
			dead{time.Minute, config.DeadCriteria{Time: 5 * time.Second, Tries: 5}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []dead
			for _, g := range mustParse(t, levels(tc.global, "", tc.group), ".").RADIUS.Groups {
				got = append(got, dead{g.HoldDown, g.DeadCriteria})
			}
			if diff := cmp.Diff([]dead{tc.in, tc.all}, got); diff != "" {
				t.Errorf("group isp, group radius (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGroupKeys(t *testing.T) {
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
      acct-on-off: {oper-state-change: true, group: upstream}
    - {name: mirror, servers: [r2], acct-on-off: {oper-state-change: false, monitor-group: upstream}, source-address: 192.0.2.10}
    - {name: archive, servers: [r2], acct-on-off: {monitor-group: upstream}}
    - {name: plain, servers: [r2], acct-on-off: {}}
  acct-on-off-groups:
    - {name: upstream, description: who waits for whom}
    - {name: unused}
`, ".")
	var got []config.Group
	for _, g := range c.RADIUS.Groups {
		g.Servers = nil
		got = append(got, g)
	}
	want := []config.Group{
		{
			Name: "isp", Description: "the provider: 2 servers", AccessAlgorithm: "round-robin", SourceAddress: netip.MustParseAddr("fe80::1%eth0"),
			HoldDown: 30 * time.Second, Window: 1024, DrainRate: 1000000,
			AcctOnOff: &config.AcctOnOff{OperStateChange: true, Group: "upstream"},
		},
		{
			Name: "mirror", AccessAlgorithm: "direct", SourceAddress: netip.MustParseAddr("192.0.2.10"),
			HoldDown: 30 * time.Second, Window: 1024, AcctOnOff: &config.AcctOnOff{MonitorGroup: "upstream"},
		},
		{Name: "archive", AccessAlgorithm: "direct", HoldDown: 30 * time.Second, Window: 1024, AcctOnOff: &config.AcctOnOff{MonitorGroup: "upstream"}},
		{Name: "plain", AccessAlgorithm: "direct", HoldDown: 30 * time.Second, Window: 1024, AcctOnOff: &config.AcctOnOff{}},
	}
	if diff := cmp.Diff(want, got, plain); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]config.AcctOnOffGroup{{Name: "upstream", Description: "who waits for whom"}, {Name: "unused"}}, c.RADIUS.AcctOnOffGroups); diff != "" {
		t.Errorf("acct-on-off-groups (-want +got):\n%s", diff)
	}
}
