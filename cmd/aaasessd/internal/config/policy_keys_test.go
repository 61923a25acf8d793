package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/accounting/policy"
	"aaasess/sessions"
)

// The keys of lists and of the DNIS map reach the policy.
func TestPolicyKeys(t *testing.T) {
	c := mustParse(t, `
accounting:
  suppress-null-username: true
  nested: true
  network:
    default: {record: start-stop, broadcast: true, broadcast-interims: false, methods: [local]}
  exec:
    default: {record: start-stop, broadcast: true, broadcast-interims: true, methods: [local]}
  connection:
    default: {record: stop-only, broadcast: true, methods: [local]}
  dnis-map:
    enable: true
    numbers: {7777: {record: start-stop, broadcast: true, broadcast-interims: false, methods: [local]}}
`, ".")
	list := func(kind sessions.Kind, record accounting.RecordType, toFirst bool) policy.List {
		return policy.List{Kind: kind, Name: policy.Default, Methods: policy.Methods{
			Record: record, Broadcast: true, InterimsToFirst: toFirst, Methods: []accounting.MethodName{accounting.Local},
		}}
	}
	first := list(sessions.Network, accounting.StartStop, true)
	want := policy.Policy{
		Lists: []policy.List{first, list(sessions.Exec, accounting.StartStop, false), list(sessions.Connection, accounting.StopOnly, false)},
		DNIS:  []policy.Number{{Number: "7777", Methods: first.Methods}}, SuppressNullUsername: true,
		Update: policy.Update{Minimum: time.Minute},
	}
	if diff := cmp.Diff(want, c.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if _, err := policy.New(&c.Policy); err != nil {
		t.Error(err)
	}
	if !c.Nested || len(c.Warnings()) > 0 {
		t.Errorf("nested %t, warnings %q", c.Nested, c.Warnings())
	}
}
