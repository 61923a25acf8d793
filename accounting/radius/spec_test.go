package radius

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	layeh "layeh.com/radius"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// fullSpec returns a group without zero values.
func fullSpec() *Spec {
	return &Spec{
		Group: "isp", Description: "of the city", Algorithm: client.LeastOutstanding, BatchSize: 6, Source: netip.MustParseAddr("192.0.2.9"), HoldDown: 7 * time.Second,
		DeadCriteria: servers.DeadCriteria{Time: 8 * time.Second, Tries: 9}, Window: 2000, DrainRate: 300,
		AcctOnOff: &accounting.OnOff{Attributes: "\x20\x04ab", Blocks: true, Controls: "tied"}, MonitorGroup: "others", Client: client.New(client.Config{}),
		NASSessionID: radius.ID{Type: radius.AcctMultiSessionID}, UserID: radius.ID{Type: 222}, ResyncMark: radius.ID{Type: 11}, AddNASIdentifier: true,
		Servers: []client.Member{
			{
				Identity: client.Identity{Name: "r1", Host: "192.0.2.1", Port: 1814, Secret: "one"},
				Schedule: retry.Schedule{Timeout: time.Second, Retransmit: 2, MaxDelay: time.Minute, BackoffRetry: 5},
			},
			{Identity: client.Identity{Name: "r2", Host: "unknown.example", Port: 1813, Secret: "two"}, Schedule: retry.Schedule{Timeout: time.Second}},
			{Identity: client.Identity{Name: "r3", Host: "192.0.2.1", Port: 1815, Secret: "three"}, Schedule: retry.Schedule{Timeout: 3 * time.Second}},
		},
	}
}

// TestSpecConfig: every field of a Spec reaches the group, and zero stays zero.
func TestSpecConfig(t *testing.T) {
	spec := fullSpec()
	members := fullSpec().Servers
	members[1].Schedule.Retransmit, members[2].Schedule.Retransmit = -1, -1
	want := client.GroupConfig{
		Name: "isp", Members: members, Algorithm: client.LeastOutstanding, BatchSize: 6, Source: netip.MustParseAddr("192.0.2.9"), HoldDown: 7 * time.Second,
		DeadCriteria: servers.DeadCriteria{Time: 8 * time.Second, Tries: 9}, MaxInFlight: 2000,
	}
	if diff := cmp.Diff(want, spec.config(nil), cmpopts.EquateComparable(netip.Addr{}, client.Identity{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(fullSpec().Servers, spec.Servers, cmpopts.EquateComparable(client.Identity{})); diff != "" {
		t.Errorf("the Spec was changed: %s", diff)
	}
	spec.HoldDown = 0
	if got := spec.config(nil).HoldDown; got >= 0 {
		t.Errorf("hold-down 0s is %v", got)
	}
}

// otherSpec is the Spec of another transport.
type otherSpec struct{ accounting.Spec }

// TestSpecEqual: which fields make a different group, and which do not.
func TestSpecEqual(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Spec)
		want   bool
	}{
		{"nothing", func(*Spec) {}, true},
		{"its description", func(s *Spec) { s.Description = "" }, true},
		{"the client", func(s *Spec) { s.Client = nil }, true},
		{"its name", func(s *Spec) { s.Group = "other" }, false},
		{"the batch size", func(s *Spec) { s.BatchSize = 7 }, false},
		{"the window", func(s *Spec) { s.Window = 7 }, false},
		{"a secret", func(s *Spec) { s.Servers[1].Secret = "new" }, false},
		{"a schedule", func(s *Spec) { s.Servers[2].Schedule.Retransmit = 1 }, false},
		{"a server less", func(s *Spec) { s.Servers = s.Servers[:2] }, false},
		{"who it says that we are", func(s *Spec) { s.AcctOnOff.Attributes = "\x20\x04cd" }, false},
		{"it announces nothing", func(s *Spec) { s.AcctOnOff = nil }, false},
		{"the group that it monitors", func(s *Spec) { s.MonitorGroup = "" }, false},
		{"where it has the NAS's session id", func(s *Spec) { s.NASSessionID = radius.ID{} }, false},
		{"where it has the user", func(s *Spec) { s.UserID = radius.ID{} }, false},
		{"what marks a resync", func(s *Spec) { s.ResyncMark = radius.ID{} }, false},
		{"whether it adds NAS-Identifier", func(s *Spec) { s.AddNASIdentifier = false }, false},
	} {
		changed := fullSpec()
		tt.change(changed)
		if a, b := fullSpec().Equal(changed), changed.Equal(fullSpec()); a != tt.want || b != tt.want {
			t.Errorf("%s: %v and %v, want %v", tt.name, a, b, tt.want)
		}
	}
	if fullSpec().Equal(otherSpec{fullSpec()}) {
		t.Error("it is equal to one of another transport")
	}
}

// TestSpecReconfigure: which changes a group that runs can make, and which need a new group.
func TestSpecReconfigure(t *testing.T) {
	c := client.New(client.Config{})
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
	for _, tt := range []struct {
		name   string
		change func(*Spec)
		want   bool
	}{
		{"a time-out", func(s *Spec) { s.Servers[0].Schedule.Timeout = time.Minute }, true},
		{"a back-off", func(s *Spec) { s.Servers[0].Schedule.BackoffRetry = 0 }, true},
		{"the window", func(s *Spec) { s.Window = 7 }, true},
		{"the drain rate", func(s *Spec) { s.DrainRate = 7 }, true},
		{"hold-down", func(s *Spec) { s.HoldDown = 0 }, true},
		{"the dead criteria", func(s *Spec) { s.DeadCriteria.Tries = 7 }, true},
		{"the algorithm", func(s *Spec) { s.Algorithm = client.Direct }, true},
		{"the group that it monitors", func(s *Spec) { s.MonitorGroup = "" }, true},
		{"where it has the NAS's session id", func(s *Spec) { s.NASSessionID = radius.ID{} }, true},
		{"where it has the user", func(s *Spec) { s.UserID = radius.ID{} }, true},
		{"what marks a resync", func(s *Spec) { s.ResyncMark = radius.ID{} }, true},
		{"whether it adds NAS-Identifier", func(s *Spec) { s.AddNASIdentifier = false }, true},
		{"a secret", func(s *Spec) { s.Servers[1].Secret = "new" }, false},
		{"a port", func(s *Spec) { s.Servers[1].Port++ }, false},
		{"a server less", func(s *Spec) { s.Servers = s.Servers[:2] }, false},
		{"the source address", func(s *Spec) { s.Source = netip.MustParseAddr("192.0.2.8") }, false},
		{"who it says that we are", func(s *Spec) { s.AcctOnOff.Attributes = "\x20\x04cd" }, false},
		{"whether it blocks", func(s *Spec) { s.AcctOnOff.Blocks = false }, false},
		{"what it controls", func(s *Spec) { s.AcctOnOff.Controls = "" }, false},
		{"it announces nothing", func(s *Spec) { s.AcctOnOff = nil }, false},
	} {
		changed := full()
		tt.change(changed)
		if apply, err := opened.Reconfigure(changed); err != nil || (apply != nil) != tt.want {
			t.Errorf("%s: %v, %v, want %v", tt.name, apply != nil, err, tt.want)
		}
	}
	if apply, err := opened.Reconfigure(otherSpec{full()}); apply != nil || err != nil {
		t.Errorf("another transport: %v", err)
	}
}

// TestSpecReconfigureAdds: the records after a change have the attributes that the new Spec adds.
func TestSpecReconfigureAdds(t *testing.T) {
	server := newFakeServer(t, always(answer))
	spec := Spec{Group: "isp", Window: 10, Client: client.New(client.Config{}), Servers: []client.Member{
		{Identity: client.Identity{Name: "r0", Host: "127.0.0.1", Port: server.addr.Port(), Secret: testSecret}, Schedule: retry.Schedule{Timeout: patience}},
	}}
	opened, err := spec.Open(func() {}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- opened.Run(ctx) }()
	with := spec
	with.UserID, with.AddNASIdentifier = radius.ID{Type: 222}, true
	for _, to := range []Spec{spec, with, spec} {
		change, err := opened.Reconfigure(&to)
		if err != nil || change == nil {
			t.Fatalf("the group has to be opened again: %v", err)
		}
		change()
		send(t, opened.Method, testRecord(13, time.Now())).want(t, nil)
	}
	var got []string
	for _, r := range server.got() {
		got = append(got, string(r.Get(222))+" "+string(r.Get(layeh.Type(radius.NASIdentifier))))
	}
	if diff := cmp.Diff([]string{" ", "nemo 192.168.1.16", " "}, got); diff != "" {
		t.Error(diff)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestSpecDelivery: which fields of a group affect the delivery to it.
func TestSpecDelivery(t *testing.T) {
	several, single, without := fullSpec(), fullSpec(), fullSpec()
	single.Servers = single.Servers[:1]
	without.Servers = without.Servers[1:]
	for _, tt := range []struct {
		name string
		spec *Spec
		want accounting.MethodConfig
	}{
		{"several servers, back-off", several, accounting.MethodConfig{DrainRate: 300, Rounds: 2}},
		{"one server, back-off", single, accounting.MethodConfig{DrainRate: 300, Rounds: 1}},
		{"no back-off", without, accounting.MethodConfig{DrainRate: 300}},
	} {
		if diff := cmp.Diff(tt.want, tt.spec.Delivery()); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestSpecOpen: a group delivers and announces, whether its server has an address or a name. Its
// status has the statistics.
func TestSpecOpen(t *testing.T) {
	server := newFakeServer(t, always(answer))
	for _, host := range []string{"127.0.0.1", "r.example"} {
		t.Run(host, func(t *testing.T) {
			c := client.New(client.Config{Lookup: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}})
			spec := &Spec{Group: "isp", Window: 10, Client: c, Servers: []client.Member{
				{Identity: client.Identity{Name: "r0", Host: host, Port: server.addr.Port(), Secret: testSecret}, Schedule: retry.Schedule{Timeout: patience}},
			}}
			opened, err := spec.Open(func() {}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- opened.Run(ctx) }()
			send(t, opened.Method, testRecord(13, time.Now())).want(t, nil)
			o := outcome{make(chan error, 1)}
			opened.Announce(testRecord(13, time.Now()), func(_ string, err error) { o.ch <- err })
			o.want(t, nil)
			opened.Abandon()
			g, ok := StatusOf(spec, opened.Method)
			if s := g.Stats.Servers; !ok || len(s) != 1 || s[0].Name != "r0" || s[0].Responses != 2 || g.Spec != spec {
				t.Errorf("its status is %+v, %v", g, ok)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if _, ok := StatusOf(otherSpec{spec}, opened.Method); ok {
				t.Error("a method of another transport is a group")
			}
		})
	}
}

// TestSpecCannotOpen: a wrong Spec is an error, and nothing is logged.
func TestSpecCannotOpen(t *testing.T) {
	spec := fullSpec()
	spec.Servers = spec.Servers[:1]
	spec.Window = 1 << 20
	if _, err := spec.Open(nil, nil); err == nil || !strings.Contains(err.Error(), `"isp"`) {
		t.Errorf("got %v", err)
	}
}

// TestSpecHosts: a server is the same if its address and port are, whatever its name and secret
// (S1: "The combination of an IP address and a UDP port number creates a unique identifier").
func TestSpecHosts(t *testing.T) {
	spec := fullSpec()
	spec.Servers[0].Name, spec.Servers[0].Secret = "r9", "other"
	want := []string{"192.0.2.1:1814 from 192.0.2.9", "unknown.example:1813 from 192.0.2.9", "192.0.2.1:1815 from 192.0.2.9"}
	if diff := cmp.Diff(want, spec.Hosts()); diff != "" {
		t.Error(diff)
	}
	spec.Source = netip.Addr{}
	if got := spec.Hosts()[0]; got != "192.0.2.1:1814" {
		t.Errorf("got %q", got)
	}
}
