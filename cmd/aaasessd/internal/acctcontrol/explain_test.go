package acctcontrol

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/cmd/internal/api"
	"aaasess/sessions"
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
