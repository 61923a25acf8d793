package policy

import (
	"strings"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Attribute 85 takes precedence over the list, and the list over the period of all lists.
func TestPeriod(t *testing.T) {
	const m = time.Minute
	ten := Update{Periodic: 10 * m}
	tests := []struct {
		name        string
		update      Update
		wanted, own time.Duration
		want        time.Duration
	}{
		{"nothing is configured", Update{}, 0, 0, 0},
		{"aaa accounting update periodic 10", ten, 0, 0, 10 * m},
		{"the list has its own", ten, 0, 5 * m, 5 * m},
		{"the list has its own, and there is no other", Update{}, 0, 5 * m, 5 * m},
		{"the list disables them", ten, 0, NoInterims, 0},
		{"attribute 85", ten, 7 * m, 5 * m, 7 * m},
		{"attribute 85, and nothing is configured", Update{}, 7 * m, 0, 7 * m},
		{"attribute 85, and the list disables them", ten, 7 * m, NoInterims, 7 * m},
		{"attribute 85 is below a minute", ten, 59 * time.Second, 0, m},
		{"attribute 85 is below a smaller minimum", Update{Minimum: 2 * time.Second}, time.Second, 0, 2 * time.Second},
		{"attribute 85 is below a larger minimum", Update{Minimum: 5 * m}, m, 0, 5 * m},
		{"attribute 85 is the largest number", ten, (1<<32 - 1) * time.Second, 0, MaxPeriod},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.update.period(tt.wanted, tt.own); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// every returns methods with a period.
func every(d time.Duration, m Methods) Methods {
	m.Periodic = d
	return m
}

// The period of a session is that of its list, even if the list was changed after its start.
func TestInterimPeriod(t *testing.T) {
	const m = time.Minute
	plan := newPlan(t, Policy{
		Lists: []List{
			{network, Default, startStop("a")},
			{network, "five", every(5*m, startStop("a"))},
			{network, "never", every(NoInterims, startStop("a"))},
			{Resource, Default, startStop("a")},
			{exec, Default, stopOnly("a")},
		},
		Rules:  []Rule{{Type: network, List: "five", Ports: []PortRange{{5, 5}}}, {Type: network, List: "never", Ports: []PortRange{{6, 6}}}},
		DNIS:   []Number{{"7777", every(7*m, startStop("a"))}},
		Update: Update{Periodic: 10 * m},
	})
	gone := (&accounting.Route{List: "network/gone", Record: accounting.StartStop, Methods: groups("b")}).Text()
	wasStopOnly := (&accounting.Route{List: "network/five", Record: accounting.StopOnly, Methods: groups("b")}).Text()
	tests := []struct {
		name  string
		call  call
		route string // if not the one that the plan decides
		wants uint32 // attribute 85 of the NAS, 0 for none
		want  time.Duration
		// Of the Access-Accept.
		granted radius.Attributes
	}{
		{"default list", call{kind: network}, "", 0, 10 * m, ""},
		{"list with a period", call{kind: network, port: 5}, "", 0, 5 * m, ""},
		{"list without interims", call{kind: network, port: 6}, "", 0, 0, ""},
		{"number with a period", call{kind: network, called: "7777"}, "", 0, 7 * m, ""},
		{"stop-only", call{kind: exec}, "", 0, 0, ""},
		{"stop-only, attribute 85", call{kind: exec}, "", 600, 0, ""},
		{"attribute 85", call{kind: network, port: 6}, "", 600, 10 * m, ""},
		{"attribute 85 of the Accept", call{kind: network, port: 6}, "", 0, 9 * m, interval(540)},
		{"attribute 85 of the Accept and of the NAS", call{kind: network, port: 6}, "", 600, 9 * m, interval(540)},
		{"attribute 85 of the Accept is 0", call{kind: network, port: 6}, "", 600, 10 * m, interval(0)},
		{"attribute 85 of the Accept is not a number", call{kind: network, port: 5}, "", 0, 5 * m, interval(540)[:5]},
		{"stop-only, attribute 85 of the Accept", call{kind: exec}, "", 0, 0, interval(540)},
		{"its list is gone", call{kind: network}, gone, 0, 10 * m, ""},
		{"its list was stop-only", call{kind: network}, wasStopOnly, 0, 0, ""},
		{"its route cannot be read", call{kind: network}, "\x07x", 0, 0, ""},
		{"not accounted", call{kind: connection}, "", 600, 0, ""},
		{"a call", call{kind: Resource}, "", 0, 0, ""},
		{"a call, attribute 85", call{kind: Resource}, "", 600, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.call.session()
			if tt.route == "" {
				tt.route = plan.Route(s.Kind, s)
			}
			if tt.route != "" {
				s.Route = sessions.NewRoute(tt.route)
			}
			s.Admission = &sessions.Admission{Granted: tt.granted}
			if tt.wants != 0 {
				s.Attrs += interval(tt.wants)
			}
			if got := plan.InterimPeriod(s); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if n := testing.AllocsPerRun(10, func() { plan.InterimPeriod(s) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// service is what an ISG sends of a service of a subscriber beside the attributes of a session.
func service(name string) radius.Attributes {
	b := radius.AppendID(nil, radius.ID{Type: radius.VendorSpecific, Vendor: 9, VendorType: 1}, "parent-session-id=00000012")
	return radius.Attributes(radius.AppendID(b, radius.ID{Type: radius.VendorSpecific, Vendor: 9, VendorType: 251}, "N"+name))
}

// The sentences of S2 "Generating Interim Service Accounting Records".
func TestInterimPeriodOfServices(t *testing.T) {
	const m = time.Minute
	lists := func(own time.Duration) Policy {
		return Policy{Lists: []List{{network, Default, every(own, startStop("a"))}, {exec, Default, stopOnly("a")}}}
	}
	tests := []struct {
		name   string
		update Update
		own    time.Duration // of the list
		kind   sessions.Kind
		attrs  radius.Attributes
		want   time.Duration
	}{
		{
			"Enables the generation of interim service accounting records at periodic intervals for subscribers",
			Update{ServicePeriodic: 10 * m},
			0, sessions.Network, service("INTERNET"), 10 * m,
		},
		{"of services only", Update{ServicePeriodic: 10 * m}, 0, sessions.Network, "", 0},
		{
			"RADIUS Attribute 85 in the user service profile always takes precedence over the configured interim-interval value",
			Update{ServicePeriodic: 10 * m},
			0, sessions.Network, service("INTERNET") + interval(420), 7 * m,
		},
		{"RADIUS Attribute 85, and services are disabled", Update{ServicePeriodic: NoInterims}, 0, sessions.Network, service("INTERNET") + interval(420), 7 * m},
		{
			"If RADIUS Attribute 85 is not in the user service profile, then the interim-interval value configured in Generating Interim Accounting Records is used",
			Update{Periodic: 5 * m},
			0, sessions.Network, service("INTERNET"), 5 * m,
		},
		{"that of the list", Update{Periodic: 5 * m}, 6 * m, sessions.Network, service("INTERNET"), 6 * m},
		{"more special than that of all sessions", Update{Periodic: 5 * m, ServicePeriodic: 10 * m}, 0, sessions.Network, service("INTERNET"), 10 * m},
		{"more special than that of the list", Update{ServicePeriodic: 10 * m}, 6 * m, sessions.Network, service("INTERNET"), 10 * m},
		{"the list disables those of its sessions", Update{ServicePeriodic: 10 * m}, NoInterims, sessions.Network, service("INTERNET"), 10 * m},
		{"services are disabled", Update{Periodic: 5 * m, ServicePeriodic: NoInterims}, 6 * m, sessions.Network, service("INTERNET"), 0},
		{"services are disabled, and this is none", Update{Periodic: 5 * m, ServicePeriodic: NoInterims}, 6 * m, sessions.Network, "", 6 * m},
		{"from 1", Update{ServicePeriodic: m}, 0, sessions.Network, service("INTERNET"), m},
		{"to 71582 minutes", Update{ServicePeriodic: 71582 * m}, 0, sessions.Network, service("INTERNET"), 71582 * m},
		{"stop-only", Update{ServicePeriodic: 10 * m}, 0, sessions.Exec, service("INTERNET"), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			policy := lists(tt.own)
			policy.Update = tt.update
			plan := newPlan(t, policy)
			s := call{}.session()
			s.Kind, s.Route = tt.kind, sessions.NewRoute(plan.Route(tt.kind, s))
			s.Attrs += tt.attrs
			if got := plan.InterimPeriod(s); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if n := testing.AllocsPerRun(10, func() { plan.InterimPeriod(s) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// interval returns an attribute 85.
func interval(seconds uint32) radius.Attributes {
	return radius.Attributes(radius.AppendUint32(nil, radius.AcctInterimInterval, seconds))
}

func TestSamePeriods(t *testing.T) {
	base := func() Policy {
		return Policy{Lists: []List{{network, Default, every(5*time.Minute, startStop("a"))}}, Update: Update{Periodic: 10 * time.Minute}}
	}
	tests := []struct {
		name   string
		change func(*Policy)
		want   bool
	}{
		{"nothing", func(*Policy) {}, true},
		{"other methods", func(p *Policy) { p.Lists[0].Methods.Methods = groups("b") }, true},
		{"newinfo", func(p *Policy) { p.Update.WithoutNewInfo = true }, true},
		{"the default minimum is written out", func(p *Policy) { p.Update.Minimum = time.Minute }, true},
		{"minimum", func(p *Policy) { p.Update.Minimum = 2 * time.Minute }, false},
		{"of all lists", func(p *Policy) { p.Update.Periodic = 11 * time.Minute }, false},
		{"of services", func(p *Policy) { p.Update.ServicePeriodic = 11 * time.Minute }, false},
		{"of a list", func(p *Policy) { p.Lists[0].Periodic = NoInterims }, false},
		{"a list has none any more", func(p *Policy) { p.Lists[0].Periodic = 0 }, false},
		{"a number has one", func(p *Policy) { p.DNIS = []Number{{"7", every(5*time.Minute, startStop("a"))}} }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := base()
			tt.change(&changed)
			a, b := newPlan(t, base()), newPlan(t, changed)
			if a.SamePeriods(b) != tt.want || b.SamePeriods(a) != tt.want {
				t.Errorf("the same: %t", !tt.want)
			}
		})
	}
}

func TestUpdateFaults(t *testing.T) {
	const m = time.Minute
	of := func(d time.Duration, methods Methods) Policy {
		return Policy{Lists: []List{{network, Default, every(d, methods)}}}
	}
	tests := []struct {
		name   string
		policy Policy
		want   string // "" for none
	}{
		{"the shortest", Policy{Update: Update{Periodic: m}}, ""},
		{"below a minute", Policy{Update: Update{Periodic: m - 1}}, "update: interims each 59.999999999s: the period is not between 1m0s and 1193h2m0s"},
		{"below a minute, with a minimum for it", Policy{Update: Update{Periodic: time.Second, Minimum: time.Second}}, ""},
		{"71582 minutes", Policy{Update: Update{Periodic: 71582 * m}}, ""},
		{"71583 minutes", Policy{Update: Update{Periodic: 71583 * m}}, "update: interims each 1193h3m0s"},
		{"negative minimum", Policy{Update: Update{Minimum: -1}}, "update: the minimum -1ns is not between"},
		{"services", Policy{Update: Update{ServicePeriodic: 71582 * m}}, ""},
		{"services, disabled", Policy{Update: Update{ServicePeriodic: NoInterims}}, ""},
		{"services, below a minute", Policy{Update: Update{ServicePeriodic: m - 1}}, "update: interims of services each 59.999999999s: the period is not between 1m0s and 1193h2m0s"},
		{"services, 71583 minutes", Policy{Update: Update{ServicePeriodic: 71583 * m}}, "update: interims of services each 1193h3m0s"},
		{"list", of(5*m, startStop("a")), ""},
		{"list, below a minute", of(time.Second, startStop("a")), "network/default: interims each 1s"},
		{"stop-only list", of(5*m, stopOnly("a")), "network/default: a stop-only list has no interims"},
		{"stop-only list, disabled", of(NoInterims, stopOnly("a")), ""},
		{"number", Policy{DNIS: []Number{{"7777", every(5*m, Methods{})}}}, "DNIS number 7777: a none list has no interims"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(&tt.policy)
			if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), ErrPolicy.Error()+": "+tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
