package tacacs

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/accounting"
	tacclient "aaasess/internal/tacacs/client"

	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// fullSpec returns a group without zero values.
func fullSpec() *Spec {
	return &Spec{
		Group: "mgmt", Description: "of the city", Source: netip.MustParseAddr("192.0.2.9"), HoldDown: 7 * time.Second,
		DeadCriteria: servers.DeadCriteria{Time: 8 * time.Second, Tries: 9}, Window: 2000, DrainRate: 300,
		AcctOnOff: &accounting.OnOff{Attributes: "\x20\x04ab", Blocks: true, Controls: "tied"}, Client: tacclient.New(tacclient.Config{}),
		Arguments: Arguments{Times: TimesAlways, Attributes: true, ResyncMark: "resync", Ports: []PortRule{{First: 1, Last: 9, Text: "tty%d"}}},
		Servers: []tacclient.Member{
			{
				Identity: tacclient.Identity{Name: "t1", Host: "192.0.2.1", Port: 50, Key: "one"}, SingleConnection: true, Connections: 7, WatchdogStart: true,
				Schedule: retry.Schedule{Timeout: time.Second, Retransmit: 2, MaxDelay: time.Minute, BackoffRetry: 5},
			},
			{Identity: tacclient.Identity{Name: "t2", Host: "unknown.example", Port: 49, Key: "two"}, Schedule: retry.Schedule{Timeout: time.Second}},
		},
	}
}

// TestSpecConfig: every field of a Spec reaches the group, and a hold-down of zero stays zero.
func TestSpecConfig(t *testing.T) {
	spec := fullSpec()
	want := tacclient.GroupConfig{
		Name: "mgmt", Members: fullSpec().Servers, Source: netip.MustParseAddr("192.0.2.9"), HoldDown: 7 * time.Second,
		DeadCriteria: servers.DeadCriteria{Time: 8 * time.Second, Tries: 9}, MaxInFlight: 2000,
	}
	if diff := cmp.Diff(want, spec.config(nil), cmpopts.EquateComparable(netip.Addr{}, tacclient.Identity{})); diff != "" {
		t.Error(diff)
	}
	spec.HoldDown = 0
	if got := spec.config(nil).HoldDown; got >= 0 {
		t.Errorf("hold-down 0s is %v", got)
	}
	if got := spec.Delivery(); got != (accounting.MethodConfig{Rounds: 8, DrainRate: 300}) {
		t.Errorf("the delivery is %+v", got)
	}
	if got := spec.OnOff(); got != spec.AcctOnOff {
		t.Errorf("the On and Off are %+v", got)
	}
}

// otherSpec is the Spec of another transport.
type otherSpec struct{ accounting.Spec }

// specChanges are changes of a Spec: whether it stays equal, and whether the group that runs can make
// them.
var specChanges = []struct {
	name             string
	change           func(*Spec)
	equal, canChange bool
}{
	{"nothing", func(*Spec) {}, true, true},
	{"its description", func(s *Spec) { s.Description = "" }, true, true},
	{"its name", func(s *Spec) { s.Group = "other" }, false, false},
	{"the window", func(s *Spec) { s.Window = 7 }, false, true},
	{"the drain rate", func(s *Spec) { s.DrainRate = 7 }, false, true},
	{"hold-down", func(s *Spec) { s.HoldDown = 0 }, false, true},
	{"the dead criteria", func(s *Spec) { s.DeadCriteria.Tries = 7 }, false, true},
	{"how records become arguments", func(s *Spec) { s.Arguments.Attributes = false }, false, true},
	{"a timeout", func(s *Spec) { s.Servers[0].Schedule.Timeout = time.Minute }, false, true},
	{"a back-off", func(s *Spec) { s.Servers[0].Schedule.BackoffRetry = 0 }, false, true},
	{"single connection mode", func(s *Spec) { s.Servers[0].SingleConnection = false }, false, true},
	{"the connections", func(s *Spec) { s.Servers[0].Connections = 1 }, false, true},
	{"the watchdog", func(s *Spec) { s.Servers[0].WatchdogStart = false }, false, true},
	{"a key", func(s *Spec) { s.Servers[1].Key = "new" }, false, false},
	{"a port", func(s *Spec) { s.Servers[1].Port++ }, false, false},
	{"a server less", func(s *Spec) { s.Servers = s.Servers[:1] }, false, false},
	{"the source address", func(s *Spec) { s.Source = netip.MustParseAddr("192.0.2.8") }, false, false},
	{"who it says that we are", func(s *Spec) { s.AcctOnOff.Attributes = "\x20\x04cd" }, false, false},
	{"it announces nothing", func(s *Spec) { s.AcctOnOff = nil }, false, false},
}

// TestSpecChanges: which changes make a different group, and which of them a group that runs can
// make.
func TestSpecChanges(t *testing.T) {
	c := tacclient.New(tacclient.Config{})
	full := func() *Spec {
		s := fullSpec()
		s.Client = c
		return s
	}
	opened, err := full().Open(func() {}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	defer func() { _ = opened.Run(ended) }()
	for _, tt := range specChanges {
		changed := full()
		tt.change(changed)
		if a, b := full().Equal(changed), changed.Equal(full()); a != tt.equal || b != tt.equal {
			t.Errorf("%s: equal is %v and %v, want %v", tt.name, a, b, tt.equal)
		}
		if apply, err := opened.Reconfigure(changed); err != nil || (apply != nil) != tt.canChange {
			t.Errorf("%s: it can change is %v, %v, want %v", tt.name, apply != nil, err, tt.canChange)
		}
	}
	if full().Equal(otherSpec{full()}) {
		t.Error("it is equal to one of another transport")
	}
	if apply, err := opened.Reconfigure(otherSpec{full()}); apply != nil || err != nil {
		t.Errorf("it changes to another transport: %v", err)
	}
}

// TestSpecCannotOpen: a wrong Spec is an error.
func TestSpecCannotOpen(t *testing.T) {
	spec := fullSpec()
	spec.Window = 1 << 20
	if _, err := spec.Open(nil, nil); err == nil || !strings.Contains(err.Error(), `"mgmt"`) {
		t.Errorf("got %v", err)
	}
}

// TestSpecHosts: a server is the same if its host and port are, whatever its name and key.
func TestSpecHosts(t *testing.T) {
	spec := fullSpec()
	spec.Servers[0].Name, spec.Servers[0].Key = "t9", "other"
	want := []string{"192.0.2.1:50 from 192.0.2.9", "unknown.example:49 from 192.0.2.9"}
	if diff := cmp.Diff(want, spec.Hosts()); diff != "" {
		t.Error(diff)
	}
	spec.Source = netip.Addr{}
	if got := spec.Hosts()[0]; got != "192.0.2.1:50" {
		t.Errorf("got %q", got)
	}
}
