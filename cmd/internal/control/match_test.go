package control

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// FuzzMatch: no filter panics, and an empty filter matches every session.
func FuzzMatch(f *testing.F) {
	for _, seed := range []string{
		"", "user=alice", "line=5", "id=0000000D&id=0xE", "address=10.0.0.1&nas=192.0.2.1", "calling-station=00-11-22-33-44-55",
		"kind=network&state=active", "user=%ff%00", "address=::ffff:10.0.0.1", "acct-session-id=a&x", "search=%ff", "search=ALI",
	} {
		f.Add(seed)
	}
	session := &sessions.Session{
		ID: 13, Kind: sessions.Network, State: sessions.Active, IPv4: 0x0a000001,
		NAS:   &sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "n"},
		Attrs: attributes(radius.UserName, "alice", radius.AcctSessionID, "a", radius.CallingStationID, "001122334455"),
	}
	srv := &Server{cfg: Config{ClientName: func(netip.Addr) string { return "" }}}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := api.ParseQuery(values)
		if err != nil {
			return
		}
		if !srv.match(&q.Filter, session) && q.Filter.IsZero() {
			t.Error("no filter, no match")
		}
		srv.newSearcher(q.Search).match(session)
	})
}

// TestWords: the protocol names kinds and states as package sessions does, and has one more state.
func TestWords(t *testing.T) {
	if diff := cmp.Diff(api.Orders(), slices.Sorted(maps.Keys(orders))); diff != "" {
		t.Error(diff)
	}
	kinds := []string{sessions.Network.String(), sessions.Exec.String(), sessions.Connection.String()}
	if diff := cmp.Diff(api.Kinds(), kinds); diff != "" {
		t.Error(diff)
	}
	states := []string{sessions.Active.String(), sessions.Terminating.String(), "stuck"}
	if diff := cmp.Diff(api.States(), states); diff != "" {
		t.Error(diff)
	}
	if id := sessions.ID(0xd00d); api.ID(id).String() != id.String() {
		t.Errorf("%s is %s", api.ID(id), id)
	}
}
