package main

import (
	"slices"
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
		if diff := cmp.Diff(tt.want, (&commands{}).Decision(tt.route)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestAccountedSessions: sessions of lists with the record type none, and of kinds without a list,
// are not accounted.
func TestAccountedSessions(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	l := launch(t, with(
		t, relayConfig(t, "isp", server),
		"  network: {", "  apply: [{nas-port: [1-16], network: quiet}]\n  network: {quiet: {record: none}, ",
	), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice", onPort(7)), packet(acctStart, "S2", "bob", onPort(17)), packet(acctStart, "S3", "carol"))

	list, err := l.client().Accounted(t.Context(), api.Query{})
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	var users []string
	for s, err := range list.AllAccounted() {
		if err != nil {
			t.Fatal(err)
		}
		users = append(users, s.User+" "+s.Decision.List)
	}
	slices.Sort(users)
	want := []string{"bob network/default", "carol network/default"}
	if diff := cmp.Diff(want, users); diff != "" || list.Total != 3 || list.Matched != 3 || list.Accounted != 2 {
		t.Errorf("%d of %d of %d: %s", list.Accounted, list.Matched, list.Total, diff)
	}
}
