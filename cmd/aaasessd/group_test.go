package main

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	acctradius "aaasess/accounting/radius"
	"aaasess/cmd/aaasessd/internal/config"
)

// configured is a group with nothing at its default.
var configured = config.Group{
	Name: "isp", AccessAlgorithm: "round-robin", SourceAddress: netip.MustParseAddr("192.0.2.9"), HoldDown: 7 * time.Second,
	DeadCriteria: config.DeadCriteria{Time: 8 * time.Second, Tries: 9}, Window: 2000, DrainRate: 300,
	Servers: []config.Server{
		{Name: "r1", Host: "192.0.2.1", Port: 1814, Secret: "one", Timeout: time.Second, Retransmit: 2, Backoff: config.Backoff{MaxDelay: time.Minute, Retry: 5}},
		{Name: "r2", Host: "unknown.example", Port: 1813, Secret: "two", Timeout: time.Second},
		{Name: "r3", Host: "192.0.2.1", Port: 1815, Secret: "three", Timeout: 3 * time.Second},
	},
}

// TestRADIUSConfig: all that a group has in the file reaches the wire; a server whose address is not
// known is left out.
func TestRADIUSConfig(t *testing.T) {
	got, err := radiusConfig(configured, literals(configured))
	if err != nil {
		t.Fatal(err)
	}
	want := acctradius.Config{
		Name: "isp", Algorithm: acctradius.RoundRobin, Source: netip.MustParseAddr("192.0.2.9"), HoldDown: 7 * time.Second,
		DeadCriteria: acctradius.DeadCriteria{Time: 8 * time.Second, Tries: 9}, MaxInFlight: 2000,
		Servers: []acctradius.Server{
			{
				Name: "r1", Addr: netip.MustParseAddrPort("192.0.2.1:1814"), Secret: "one",
				Schedule: accounting.Schedule{Timeout: time.Second, Retransmit: 2, MaxDelay: time.Minute, BackoffRetry: 5},
			},
			{
				Name: "r3", Addr: netip.MustParseAddrPort("192.0.2.1:1815"), Secret: "three",
				Schedule: accounting.Schedule{Timeout: 3 * time.Second, Retransmit: -1},
			},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{})); diff != "" {
		t.Error(diff)
	}
	never := configured
	never.HoldDown = 0
	if got, err := radiusConfig(never, literals(never)); err != nil || got.HoldDown >= 0 {
		t.Errorf("hold-down 0s is %v, %v", got.HoldDown, err)
	}
}

// TestMethodConfig: what of a group concerns its queue.
func TestMethodConfig(t *testing.T) {
	single, without := configured, configured
	single.Servers, single.Window = configured.Servers[:1], 10
	without.Servers = configured.Servers[1:]
	for _, tt := range []struct {
		name string
		spec any
		want delivery.MethodConfig
	}{
		{"the local file", "accounting.jsonl", delivery.MethodConfig{}},
		{"several servers, back-off", configured, delivery.MethodConfig{DrainRate: 300, Rounds: 2}},
		{"one server, back-off", single, delivery.MethodConfig{DrainRate: 300, Rounds: 1}},
		{"no back-off", without, delivery.MethodConfig{DrainRate: 300}},
	} {
		if diff := cmp.Diff(tt.want, methodConfig(tt.spec)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
