package delivery

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
)

// TestMethodCycle: the sentences of S1 and S2 on the order of methods (R42). RADIUS accounting has no
// answer that denies; a record that a method cannot send takes its place.
func TestMethodCycle(t *testing.T) {
	accepts, silent, denies := answering(nil), answering(accounting.ErrNoResponse), answering(errors.New("denied"))
	type answers []func(*accounting.Record, func(error))
	tests := []struct {
		sentence string
		answers  answers
		tried    []bool
		left     int // records that wait
		aside    int // records that are set aside
	}{
		{"uses the first method listed to support accounting", answers{accepts, accepts, accepts}, []bool{true, false, false}, 0, 0},
		{"if that method fails to respond, selects the next accounting method listed in the method list", answers{silent, accepts, accepts}, []bool{true, true, false}, 0, 0},
		{"This process continues until there is successful communication with a listed accounting method", answers{silent, silent, accepts}, []bool{true, true, true}, 0, 0},
		{"... or all methods defined are exhausted: aaasess keeps the record", answers{silent, silent, silent}, []bool{true, true, true}, 1, 0},
		{"only when there is no response from the previous method: not while it may still answer", answers{neverAnswers, accepts, accepts}, []bool{true, false, false}, 1, 0},
		{"the accounting process stops and no other accounting methods are attempted", answers{denies, accepts, accepts}, []bool{true, false, false}, 0, 1},
		{"If accounting fails at any point in this cycle", answers{silent, denies, accepts}, []bool{true, true, false}, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var methods []*fakeMethod
				for i, name := range []accounting.MethodName{"group a", "group b", accounting.Local} {
					m := newFake(8, tt.answers[i])
					b.deliver(setup{}, name, m)
					methods = append(methods, m)
				}
				b.add("group/a", rec(1, start, "group b", accounting.Local))
				b.advance(time.Second)
				var tried []bool
				for _, m := range methods {
					tried = append(tried, len(m.all()) > 0)
				}
				if diff := cmp.Diff(tt.tried, tried); diff != "" {
					t.Errorf("methods tried: want (-) and got (+):\n%s", diff)
				}
				b.pending("group/a", tt.left)
				if n := len(setAside(t, b.store)); n != tt.aside {
					t.Errorf("%d records set aside, want %d", n, tt.aside)
				}
			})
		})
	}
}
