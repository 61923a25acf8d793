package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting/policy"
	"aaasess/cmd/aaasessd/internal/config"
)

// TestDelayStart: how long starts of a list, or of a number, wait for an address.
func TestDelayStart(t *testing.T) {
	const text = `accounting:
  network:
    default: {record: start-stop, methods: [local], delay-start: 10s}
    other: {record: start-stop, methods: [local]}
  apply: [{nas-port: [1], network: other}]
  dnis-map: {enable: true, numbers: {7777: {record: start-stop, methods: [local], delay-start: 1m}}}
`
	p := mustParse(t, text, ".").Policy
	got := map[string]time.Duration{"7777": p.DNIS[0].DelayStart}
	for _, l := range p.Lists {
		got[l.Name] = l.DelayStart
	}
	want := map[string]time.Duration{"default": 10 * time.Second, "other": 0, "7777": time.Minute}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The key's maximum is that of the policy.
	delayed := func(d time.Duration) string { return strings.Replace(text, "10s", d.String(), 1) }
	if l := mustParse(t, delayed(policy.MaxDelayStart), ".").Policy.Lists; !slices.ContainsFunc(l, func(l policy.List) bool { return l.DelayStart == policy.MaxDelayStart }) {
		t.Errorf("no list waits %v: %+v", policy.MaxDelayStart, l)
	}
	if _, err := config.Parse("aaasess.yaml", []byte(delayed(policy.MaxDelayStart+time.Second)), "."); err == nil || !strings.Contains(err.Error(), "3:66: accounting.network.default.delay-start: ") {
		t.Errorf("longer than the policy allows: %v", err)
	}
}

// TestUpdate: the keys about interims, of all lists and of one.
func TestUpdate(t *testing.T) {
	const text = `accounting:
  network:
    default: {record: start-stop, methods: [local]}
    fast: {record: start-stop, methods: [local], periodic: 30s}
    never: {record: stop-only, methods: [local], periodic: disable}
  apply: [{nas-port: [1], network: fast}, {nas-port: [2], network: never}]
  dnis-map: {enable: true, numbers: {7777: {record: start-stop, methods: [local], periodic: 1193h2m}}}
  update: {periodic: 10m, service-periodic: 71582m, minimum: 30s, newinfo: false}
`
	p := mustParse(t, text, ".").Policy
	if want := (policy.Update{Periodic: 10 * time.Minute, ServicePeriodic: policy.MaxPeriod, Minimum: 30 * time.Second, WithoutNewInfo: true}); p.Update != want {
		t.Errorf("%+v, want %+v", p.Update, want)
	}
	got := map[string]time.Duration{"7777": p.DNIS[0].Periodic}
	for _, l := range p.Lists {
		got[l.Name] = l.Periodic
	}
	want := map[string]time.Duration{"default": 0, "fast": 30 * time.Second, "never": policy.NoInterims, "7777": policy.MaxPeriod}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestServicePeriodic: S2 "subscriber service accounting interim-interval minutes", "from 1 to 71582
// minutes".
func TestServicePeriodic(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
	}{
		{"{}", 0},
		{"{periodic: 10m}", 0},
		{"{service-periodic: 1m}", time.Minute},
		{"{service-periodic: 10m, minimum: 10m}", 10 * time.Minute},
		{"{service-periodic: 1193h2m}", policy.MaxPeriod},
		{"{service-periodic: disable}", policy.NoInterims},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if got := mustParse(t, "accounting: {update: "+tt.text+"}\n", ".").Policy.Update.ServicePeriodic; got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
