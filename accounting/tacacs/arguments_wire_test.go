package tacacs

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExamplesOnTheWire: what a server gets of the examples is what it printed. The rules for ports
// come with a reload, while the group runs.
func TestExamplesOnTheWire(t *testing.T) {
	inBubble(t, []string{"192.0.2.1"}, func(b *bench) {
		to := *b.spec
		to.Arguments.Ports = ports
		apply, err := b.opened.Reconfigure(&to)
		if err != nil || apply == nil {
			t.Fatalf("no change while it runs: %v", err)
		}
		apply()
		all := printedRecords(t)
		var want, got []printed
		for i, p := range all {
			if mustGet(&p, "service") == "system" {
				continue // see package methods
			}
			reported := slices.DeleteFunc(slices.Clone(all[:i+1]), func(q printed) bool { return mustGet(&q, "task_id") != mustGet(&p, "task_id") })
			if err := b.send(record(t, reported)); err != nil {
				t.Fatal(err)
			}
			p.args = p.corrected()
			want = append(want, p)
		}
		for i, a := range b.net["192.0.2.1:49"].Arrivals() {
			r := a.Request
			got = append(got, printed{want[i].name, want[i].at, r.User, r.Port, r.RemAddr, flagNames[r.Flags], r.Args})
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(printed{})); diff != "" {
			t.Errorf("printed (-) and at the server (+):\n%s", diff)
		}
	})
}
