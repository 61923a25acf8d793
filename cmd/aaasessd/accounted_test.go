package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
)

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
