package client

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

func TestConfig(t *testing.T) {
	one := Server{Addr: netip.MustParseAddrPort("192.0.2.1:1813"), Secret: "s"}
	with := func(s retry.Schedule) setup {
		return setup{Servers: []Server{{Addr: one.Addr, Secret: "s", Schedule: s}}}
	}
	for _, tc := range []struct {
		name string
		cfg  setup
		want string // in the error; "" means no error
	}{
		{"least", setup{Servers: []Server{one}}, ""},
		{"same host, other port", setup{Servers: []Server{one, {Addr: netip.MustParseAddrPort("192.0.2.1:1646"), Secret: "s"}}}, ""},
		{"source", setup{Servers: []Server{one}, Source: netip.MustParseAddr("::ffff:192.0.2.9")}, ""},
		{"no server", setup{Name: "g"}, `group "g": has 0 servers`},
		{"65 servers", setup{Servers: make([]Server, 65)}, "65 servers"},
		{"no address", setup{Servers: []Server{one, {Secret: "s"}}}, "server 2: no address"},
		{"no port", setup{Servers: []Server{{Addr: netip.MustParseAddrPort("192.0.2.1:0"), Secret: "s"}}}, "server 1: no address or port"},
		{"no secret", setup{Servers: []Server{{Name: "a", Addr: one.Addr}}}, "server a: no secret"},
		{"twice", setup{Servers: []Server{one, {Addr: netip.MustParseAddrPort("[::ffff:192.0.2.1]:1813"), Secret: "t"}}}, "192.0.2.1:1813 is configured twice"},
		{"source of another family", setup{Servers: []Server{one}, Source: netip.MustParseAddr("::1")}, "different address families"},
		{"negative timeout", with(retry.Schedule{Timeout: -1}), "server 192.0.2.1:1813: timeout -1ns is negative"},
		{"negative max-delay", with(retry.Schedule{MaxDelay: -1, BackoffRetry: 1}), "max-delay -1ns is negative"},
		{"negative backoff-retry", with(retry.Schedule{BackoffRetry: -1}), "backoff-retry -1 is negative"},
		{"as many transmissions as can be", with(retry.Schedule{Retransmit: -1, BackoffRetry: 65534}), ""},
		{"too many transmissions", with(retry.Schedule{Retransmit: 2, BackoffRetry: 65533}), "exceed the limit of 65535"},
		{"no such algorithm", setup{Servers: []Server{one}, Algorithm: 3}, "unknown algorithm 3"},
		{"negative batch", setup{Servers: []Server{one}, BatchSize: -1}, "batch-size is -1"},
		{"negative dead time", setup{Servers: []Server{one}, DeadCriteria: servers.DeadCriteria{Time: -1}}, "dead criteria"},
		{"negative dead tries", setup{Servers: []Server{one}, DeadCriteria: servers.DeadCriteria{Tries: -1}}, "dead criteria"},
		{"too many in flight", setup{Servers: []Server{one}, MaxInFlight: 65537}, "want 1..65536"},
		{"negative in flight", setup{Servers: []Server{one}, MaxInFlight: -1}, "want 1..65536"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := newGroup(tc.cfg)
			switch {
			case tc.want == "" && err != nil:
				t.Error(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("err = %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	servers := []Server{{Addr: netip.MustParseAddrPort("192.0.2.1:1813"), Secret: "s"}}
	g, err := newGroup(setup{Name: "main", Servers: servers})
	if err != nil {
		t.Fatal(err)
	}
	c := g.cfg
	if c.HoldDown != 30*time.Second || g.Window() != 1024 || c.Algorithm != Direct || c.BatchSize != 25 ||
		c.Members[0].Name != "192.0.2.1:1813" {
		t.Errorf("defaults: %+v", c)
	}
	if g, err = newGroup(setup{Servers: servers, HoldDown: -1}); err != nil || g.cfg.HoldDown != 0 {
		t.Errorf("none: %+v, %v", g.cfg, err)
	}
	if servers[0].Name != "" || servers[0].Schedule.Timeout != 0 {
		t.Error("the caller's servers were changed")
	}
	for _, tc := range []struct{ in, want retry.Schedule }{
		{retry.Schedule{}, retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3}},
		{retry.Schedule{Timeout: time.Second, Retransmit: -7}, retry.Schedule{Timeout: time.Second}},
		{retry.Schedule{BackoffRetry: 32}, retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32}},
		{
			retry.Schedule{Timeout: 1, Retransmit: 2, MaxDelay: 3, BackoffRetry: 4},
			retry.Schedule{Timeout: 1, Retransmit: 2, MaxDelay: 3, BackoffRetry: 4},
		},
	} {
		if got := (Member{Schedule: tc.in}).withDefaults(Accounting).Schedule; got != tc.want {
			t.Errorf("%+v is %+v, want %+v", tc.in, got, tc.want)
		}
	}
}

func TestAlgorithm(t *testing.T) {
	for _, a := range []Algorithm{Direct, RoundRobin, LeastOutstanding} {
		var got Algorithm
		if err := got.UnmarshalText([]byte(a.String())); got != a || err != nil {
			t.Errorf("%v: %v, %v", a, got, err)
		}
	}
	if Direct.String() != "direct" || RoundRobin.String() != "round-robin" || LeastOutstanding.String() != "least-outstanding" || Algorithm(9).String() != "algorithm 9" {
		t.Error("names:", Direct, RoundRobin, LeastOutstanding, Algorithm(9))
	}
	if err := new(Algorithm).UnmarshalText([]byte("Direct")); err == nil || !strings.Contains(err.Error(), `"Direct"`) {
		t.Errorf("err = %v", err)
	}
}
