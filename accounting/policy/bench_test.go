package policy

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// largePolicy has 32 rules, the last of which names a broadcast to four groups, 1,000 NASes and 100
// numbers.
func largePolicy(tb testing.TB) *Plan {
	p := Policy{Lists: []List{{network, Default, startStop("radius")}, {network, "four", broadcastTo("a", "b", "c", "d")}}}
	for i := range 1000 {
		p.Clients = append(p.Clients, Client{fmt.Sprint("nas-", i), netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32)})
	}
	for i := range 100 {
		p.DNIS = append(p.DNIS, Number{fmt.Sprint(7700 + i), startStop("dnis")})
	}
	for i := range uint32(31) {
		p.Rules = append(p.Rules, Rule{Type: network, List: Default, Clients: []string{"nas-1"}, Ports: []PortRange{{100 * i, 100*i + 9}}})
	}
	p.Rules = append(p.Rules, Rule{Type: network, List: "four", Clients: []string{"nas-999"}, PortIDs: []string{"Gi0/*"}})
	return newPlan(tb, p)
}

// dialIn is a session that only the last rule of largePolicy matches.
func dialIn() *sessions.Session {
	return call{kind: network, from: "10.0.3.231", port: 4001, portID: "Gi0/0/0.100", protocol: ppp, called: "4327528"}.session()
}

func TestDecideAllocatesNothing(t *testing.T) {
	plan, s := largePolicy(t), dialIn()
	if got := decided(t, plan, call{kind: network, from: "10.0.3.231", portID: "Gi0/0/0.100"}); got != "network/four start-stop broadcast group a group b group c group d (client nas-999, NAS-Port-Id Gi0/*)" {
		t.Fatal(got)
	}
	if n := testing.AllocsPerRun(100, func() { _ = plan.Route(sessions.Network, s) }); n != 0 {
		t.Errorf("%v allocations for a decision", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	plan, s := largePolicy(b), dialIn()
	b.ReportAllocs()
	for b.Loop() {
		_ = plan.Route(sessions.Network, s)
	}
}

// BenchmarkInterimPeriod: with and without service-periodic, for a session and for a service.
func BenchmarkInterimPeriod(b *testing.B) {
	for _, tt := range []struct {
		name   string
		update Update
		attrs  radius.Attributes
	}{
		{"session", Update{Periodic: time.Hour}, ""},
		{"session, service-periodic", Update{Periodic: time.Hour, ServicePeriodic: time.Hour}, ""},
		{"service, service-periodic", Update{Periodic: time.Hour, ServicePeriodic: time.Hour}, service("INTERNET")},
	} {
		b.Run(tt.name, func(b *testing.B) {
			plan := newPlan(b, Policy{Lists: []List{{network, Default, startStop("radius")}}, Update: tt.update})
			s := dialIn()
			s.Route = sessions.NewRoute(plan.Route(sessions.Network, s))
			s.Attrs += tt.attrs
			b.ReportAllocs()
			for b.Loop() {
				plan.InterimPeriod(s)
			}
		})
	}
}
