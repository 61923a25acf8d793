package acctcontrol

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/sessions"
	"aaasess/store"
)

// TestDecision: a session without a route, or with one that cannot be read, is not accounted.
func TestDecision(t *testing.T) {
	route := accounting.Route{List: "network/red1", Record: accounting.StopOnly, Reason: "client as5200", Methods: []accounting.MethodName{"group isp", "local"}}
	none := api.Decision{Methods: []string{}}
	for name, tt := range map[string]struct {
		route *sessions.Route
		want  api.Decision
	}{
		"no list": {nil, none},
		"damaged": {sessions.NewRoute("\xff"), none},
		"a list": {
			sessions.NewRoute(route.Text()),
			api.Decision{Accounted: true, List: "network/red1", Record: "stop-only", Reason: "client as5200", Methods: []string{"group isp", "local"}},
		},
	} {
		if diff := cmp.Diff(tt.want, (&Accounting{}).Decision(tt.route)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestExplainTurns: an explanation waits for the one that searches, but not after its caller is gone.
func TestExplainTurns(t *testing.T) {
	st, err := store.Open("state", store.Config{Disk: store.NewDisk(), MinFree: -1, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	c := New(Config{Store: st})
	gone, leave := context.WithCancel(t.Context())
	leave()
	c.searching <- struct{}{} // another explanation
	if _, err := c.Explain(gone, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("while another one searches: %v", err)
	}
	<-c.searching
	for range 2 { // the first one must end its turn
		if _, err := c.Explain(t.Context(), 1, nil); !errors.Is(err, control.ErrNothingToExplain) {
			t.Errorf("a session without records: %v", err)
		}
	}
}
