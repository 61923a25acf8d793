package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/accounting/policy"
	"aaasess/cmd/internal/strictyaml"
)

// The keys of lists and of the DNIS map reach the policy.
func TestPolicyKeys(t *testing.T) {
	c := mustParse(t, `
accounting:
  suppress-null-username: true
  nested: true
  send-stop-record: {authentication-failure: true, authentication-success-remote-server: true}
  visible-keys: true
  network:
    default: {record: start-stop, broadcast: true, broadcast-interims: false, methods: [local]}
  exec:
    default: {record: start-stop, broadcast: true, broadcast-interims: true, methods: [local]}
  connection:
    default: {record: stop-only, broadcast: true, methods: [local]}
  resource:
    default: {record: start-stop, broadcast: true, methods: [local]}
    both: {record: [stop-failure, start-stop], methods: [local]}
    failed: {record: [stop-failure], methods: [local]}
    quiet: {record: none}
    turned: {record: [start-stop, stop-failure], methods: [local]}
  commands:
    15: {default: {record: stop-only, broadcast: true, methods: [local]}}
    0: {default: {record: none}}
  vrrs:
    default: {record: start-stop, broadcast: true, methods: [local]}
  apply:
    - {nas-port: [1], resource: failed, commands: {15: default, 0: default}, vrrs: default}
  dnis-map:
    enable: true
    numbers: {7777: {record: start-stop, broadcast: true, broadcast-interims: false, methods: [local]}}
`, ".")
	list := func(typ policy.Type, record accounting.RecordType, toFirst bool) policy.List {
		return policy.List{Type: typ, Name: policy.Default, Methods: policy.Methods{
			Record: record, Broadcast: true, InterimsToFirst: toFirst, Methods: []accounting.MethodName{accounting.Local},
		}}
	}
	call := func(name string, record accounting.RecordType) policy.List {
		return policy.List{Type: policy.Resource, Name: name, Methods: policy.Methods{Record: record, Methods: []accounting.MethodName{accounting.Local}}}
	}
	rule := func(typ policy.Type, name string) policy.Rule {
		return policy.Rule{Type: typ, List: name, Ports: []policy.PortRange{{First: 1, Last: 1}}}
	}
	first := list(policy.Network, accounting.StartStop, true)
	want := policy.Policy{
		Lists: []policy.List{
			first, list(policy.Exec, accounting.StartStop, false), list(policy.Connection, accounting.StopOnly, false),
			call("both", accounting.StartStop), list(policy.Resource, accounting.StartStop, false), call("failed", accounting.StopFailure),
			{Type: policy.Resource, Name: "quiet"},
			call("turned", accounting.StartStop),
			list(policy.VRRS, accounting.StartStop, false),
			{Type: policy.Commands(0), Name: policy.Default},
			list(policy.Commands(15), accounting.StopOnly, false),
		},
		Rules: []policy.Rule{
			rule(policy.Resource, "failed"), rule(policy.VRRS, policy.Default),
			rule(policy.Commands(0), policy.Default), rule(policy.Commands(15), policy.Default),
		},
		DNIS: []policy.Number{{Number: "7777", Methods: first.Methods}}, SuppressNullUsername: true, AuthenticationFailures: true, AuthenticationSuccesses: true,
		Update: policy.Update{Minimum: time.Minute},
	}
	if diff := cmp.Diff(want, c.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if _, err := policy.New(&c.Policy); err != nil {
		t.Error(err)
	}
	if !c.VisibleKeys || !c.Nested || slices.ContainsFunc(c.Warnings(), func(w *strictyaml.Error) bool { return strings.Contains(w.Error(), "nested") }) {
		t.Errorf("nested %t, warnings %q", c.Nested, c.Warnings())
	}
}
