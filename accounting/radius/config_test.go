package radius

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aaasess/accounting"
)

func TestConfig(t *testing.T) {
	one := Server{Addr: netip.MustParseAddrPort("192.0.2.1:1813"), Secret: "s"}
	with := func(s accounting.Schedule) Config {
		return Config{Servers: []Server{{Addr: one.Addr, Secret: "s", Schedule: s}}}
	}
	for _, tc := range []struct {
		name string
		cfg  Config
		want string // in the error; "" is none
	}{
		{"least", Config{Servers: []Server{one}}, ""},
		{"same host, other port", Config{Servers: []Server{one, {Addr: netip.MustParseAddrPort("192.0.2.1:1646"), Secret: "s"}}}, ""},
		{"source", Config{Servers: []Server{one}, Source: netip.MustParseAddr("::ffff:192.0.2.9")}, ""},
		{"no server", Config{Name: "g"}, `group "g": 0 servers`},
		{"65 servers", Config{Servers: make([]Server, 65)}, "65 servers"},
		{"no address", Config{Servers: []Server{one, {Secret: "s"}}}, "server 2: no address"},
		{"no port", Config{Servers: []Server{{Addr: netip.MustParseAddrPort("192.0.2.1:0"), Secret: "s"}}}, "server 1: no address or port"},
		{"no secret", Config{Servers: []Server{{Name: "a", Addr: one.Addr}}}, "server a: no secret"},
		{"twice", Config{Servers: []Server{one, {Addr: netip.MustParseAddrPort("[::ffff:192.0.2.1]:1813"), Secret: "t"}}}, "192.0.2.1:1813 is there twice"},
		{"source of another family", Config{Servers: []Server{one}, Source: netip.MustParseAddr("::1")}, "of another family"},
		{"negative timeout", with(accounting.Schedule{Timeout: -1}), "server 192.0.2.1:1813: timeout -1ns is negative"},
		{"negative max-delay", with(accounting.Schedule{MaxDelay: -1, BackoffRetry: 1}), "max-delay -1ns is negative"},
		{"negative backoff-retry", with(accounting.Schedule{BackoffRetry: -1}), "backoff-retry -1 is negative"},
		{"as many transmissions as can be", with(accounting.Schedule{Retransmit: -1, BackoffRetry: 65534}), ""},
		{"too many transmissions", with(accounting.Schedule{Retransmit: 2, BackoffRetry: 65533}), "more than 65535"},
		{"no such algorithm", Config{Servers: []Server{one}, Algorithm: 2}, "there is no algorithm 2"},
		{"negative dead time", Config{Servers: []Server{one}, DeadCriteria: DeadCriteria{Time: -1}}, "dead criteria"},
		{"negative dead tries", Config{Servers: []Server{one}, DeadCriteria: DeadCriteria{Tries: -1}}, "dead criteria"},
		{"too many in flight", Config{Servers: []Server{one}, MaxInFlight: 65537}, "is not 1..65536"},
		{"negative in flight", Config{Servers: []Server{one}, MaxInFlight: -1}, "is not 1..65536"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := New(tc.cfg)
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
	g, err := New(Config{Name: "main", Servers: servers})
	if err != nil {
		t.Fatal(err)
	}
	c := g.cfg
	if c.HoldDown != 30*time.Second || g.Window() != 1024 || c.Algorithm != Direct ||
		c.Servers[0].Name != "192.0.2.1:1813" || g.String() != "accounting group main" {
		t.Errorf("defaults: %+v", c)
	}
	if g, err = New(Config{Servers: servers, HoldDown: -1}); err != nil || g.cfg.HoldDown != 0 {
		t.Errorf("none: %+v, %v", g.cfg, err)
	}
	if servers[0].Name != "" || servers[0].Schedule.Timeout != 0 {
		t.Error("the caller's servers were changed")
	}
	for _, tc := range []struct{ in, want accounting.Schedule }{
		{accounting.Schedule{}, accounting.Schedule{Timeout: 5 * time.Second, Retransmit: 3}},
		{accounting.Schedule{Timeout: time.Second, Retransmit: -7}, accounting.Schedule{Timeout: time.Second}},
		{accounting.Schedule{BackoffRetry: 32}, accounting.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32}},
		{
			accounting.Schedule{Timeout: 1, Retransmit: 2, MaxDelay: 3, BackoffRetry: 4},
			accounting.Schedule{Timeout: 1, Retransmit: 2, MaxDelay: 3, BackoffRetry: 4},
		},
	} {
		if got := (Server{Schedule: tc.in}).withDefaults().Schedule; got != tc.want {
			t.Errorf("%+v is %+v, want %+v", tc.in, got, tc.want)
		}
	}
}

func TestAlgorithm(t *testing.T) {
	for _, a := range []Algorithm{Direct, RoundRobin} {
		if got, err := ParseAlgorithm(a.String()); got != a || err != nil {
			t.Errorf("%v: %v, %v", a, got, err)
		}
	}
	if Direct.String() != "direct" || RoundRobin.String() != "round-robin" || Algorithm(9).String() != "algorithm 9" {
		t.Error("names:", Direct, RoundRobin, Algorithm(9))
	}
	if _, err := ParseAlgorithm("Direct"); err == nil || !strings.Contains(err.Error(), `"Direct"`) {
		t.Errorf("err = %v", err)
	}
}

func TestErrors(t *testing.T) {
	for _, err := range []error{ErrStopped, ErrOverflow} {
		if !errors.Is(err, accounting.ErrStopped) {
			t.Errorf("%v would be taken for a refusal", err)
		}
	}
	if errors.Is(ErrUnsendable, accounting.ErrStopped) || errors.Is(ErrUnsendable, accounting.ErrNoResponse) {
		t.Error("a record that never can be sent would be tried for ever")
	}
}
