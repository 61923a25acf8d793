package main

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
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// TestNewMethods: all that the file says of methods reaches their Specs.
func TestNewMethods(t *testing.T) {
	cfg := &config.Config{
		RADIUS: config.RADIUS{
			NASIdentifier: "ab",
			Groups: []config.Group{
				{
					Name: "isp", Description: "of the city", AccessAlgorithm: "round-robin", SourceAddress: netip.MustParseAddr("192.0.2.9"),
					HoldDown: 7 * time.Second, DeadCriteria: config.DeadCriteria{Time: 8 * time.Second, Tries: 9}, Window: 2000, DrainRate: 300,
					AcctOnOff: &config.AcctOnOff{OperStateChange: true, Group: "tied"},
					Servers: []config.Server{
						{Name: "r1", Host: "192.0.2.1", Port: 1814, Secret: "one", Timeout: time.Second, Retransmit: 2, Backoff: config.Backoff{MaxDelay: time.Minute, Retry: 5}},
						{Name: "r2", Host: "r.example", Port: 1813, Secret: "two", Timeout: 3 * time.Second},
					},
				},
				{Name: "plain", AccessAlgorithm: "direct", Window: 1},
				{Name: "monitor", AccessAlgorithm: "direct", Window: 1, AcctOnOff: &config.AcctOnOff{MonitorGroup: "tied"}},
				{Name: "second", AccessAlgorithm: "direct", Window: 1, AcctOnOff: &config.AcctOnOff{}},
			},
			AcctOnOffGroups: []config.AcctOnOffGroup{{Name: "tied", Description: "who waits for whom"}},
		},
		Accounting: config.Accounting{
			Lists: []config.List{
				{Type: "network", Name: "default", Record: "start-stop", Methods: []string{"group isp", "local"}},
				{Type: "exec", Name: "default", Record: "none"},
			},
			Local: config.Local{File: "records.jsonl"},
		},
	}
	isp := &acctradius.Spec{
		Group: "isp", Description: "of the city", Algorithm: client.RoundRobin, Source: netip.MustParseAddr("192.0.2.9"),
		HoldDown: 7 * time.Second, DeadCriteria: client.DeadCriteria{Time: 8 * time.Second, Tries: 9}, Window: 2000, DrainRate: 300,
		AcctOnOff: &accounting.OnOff{Attributes: "\x20\x04ab", Blocks: true, Controls: "tied"},
		Servers: []client.Member{
			{
				Identity: client.Identity{Name: "r1", Host: "192.0.2.1", Port: 1814, Secret: "one"},
				Schedule: retry.Schedule{Timeout: time.Second, Retransmit: 2, MaxDelay: time.Minute, BackoffRetry: 5},
			},
			{Identity: client.Identity{Name: "r2", Host: "r.example", Port: 1813, Secret: "two"}, Schedule: retry.Schedule{Timeout: 3 * time.Second}},
		},
	}
	want := methods.Config{
		Specs: []accounting.Spec{
			isp,
			&acctradius.Spec{Group: "plain", Window: 1},
			&acctradius.Spec{Group: "monitor", Window: 1, MonitorGroup: "tied"},
			&acctradius.Spec{Group: "second", Window: 1, AcctOnOff: &accounting.OnOff{Attributes: "\x20\x04ab"}},
			local.Spec{File: "records.jsonl"},
		},
		Lists:       map[string][]accounting.MethodName{"network/default": {"group isp", "local"}},
		OnOffGroups: onoff.Groups{{Name: "tied", Controller: "isp", Monitors: []string{"monitor"}, Description: "who waits for whom"}},
	}
	got, err := newMethods(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) { // Equal leaves out what is only for people
		for i, spec := range got.Specs {
			t.Errorf("spec %d: %+v", i, spec)
		}
		t.Errorf("want %+v, got %+v", want, got)
	}
	cfg.RADIUS.Groups[1].AccessAlgorithm = "none"
	if _, err := newMethods(cfg, nil, nil); err == nil {
		t.Error("an algorithm that there is not is translated")
	}
}
