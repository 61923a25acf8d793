package control_test

import (
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/admission"
	"aaasess/sessions/sessionstest"

	"github.com/google/go-cmp/cmp"
)

// TestLogins: users who were accepted are listed, the newest first, until their accounting
// starts.
func TestLogins(t *testing.T) {
	journal := sessionstest.NewJournal()
	t.Cleanup(journal.Close)
	now := time.Date(2001, 6, 27, 4, 45, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	table := sessions.New(sessions.Config{Now: clock}, journal)
	store := admission.New(admission.Config{Now: clock}, table)
	_, client := start(t, func(c *control.Config) {
		c.Admissions = func() *admission.Store { return store }
		c.ClientName = func(netip.Addr) string { return "lab" }
	})
	accept := func(user, granted string) *admission.Request {
		now = now.Add(time.Second)
		b := radius.AppendAttribute(nil, radius.UserName, user)
		b = radius.AppendAttribute(b, radius.CallingStationID, "00-11")
		q := &admission.Request{
			NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "nas-1"}, Kind: sessions.Network, At: now,
			Attrs: radius.Attributes(radius.AppendUint32(b, radius.NASPort, 7)),
		}
		store.Ask(q)
		store.Accept(q, radius.Attributes(radius.AppendAttribute(nil, radius.UserName, granted)))
		return q
	}
	first := accept("anonymous", "alice")
	accept("bob\xff", "")
	list, err := client.Logins(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	port := uint32(7)
	alice := api.Login{
		Kind: "network", User: "alice", NAS: "lab", NASIdentifier: "nas-1", NASAddress: "192.0.2.1", CallingStation: "00-11", NASPort: &port,
		Accepted: now.Add(-time.Second), Until: now.Add(-time.Second + admission.DefaultStartWait),
		Attributes: []api.Attribute{{Name: "User-Name", Value: "anonymous"}, {Name: "Calling-Station-Id", Value: "00-11"}, {Name: "NAS-Port", Value: "7"}},
		Granted:    []api.Attribute{{Name: "User-Name", Value: "alice"}},
	}
	bob := alice
	bob.User, bob.Accepted, bob.Until, bob.Granted = `bob\xff`, alice.Accepted.Add(time.Second), alice.Until.Add(time.Second), []api.Attribute{}
	bob.Attributes = append([]api.Attribute{{Name: "User-Name", Value: "0x626f62ff"}}, alice.Attributes[1:]...)
	if diff := cmp.Diff(&api.LoginList{Waiting: 2, Logins: []api.Login{bob, alice}}, list); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
	if list, err = client.Logins(t.Context(), 1); err != nil || len(list.Logins) != 1 || list.Logins[0].User != bob.User {
		t.Errorf("the newest is %+v, %v", list, err)
	}
	sessionstest.Await(t, func(done func(error)) error {
		return table.Apply(sessions.Event{Type: sessions.Start, NAS: first.NAS, Kind: sessions.Network, AcctSessionID: "1", At: now, Attrs: first.Attrs}, done)
	})
	if list, err = client.Logins(t.Context(), 2); err != nil || len(list.Logins) != 1 || list.Logins[0].User != bob.User {
		t.Errorf("after the start of one: %+v, %v", list, err)
	}
}

// TestLoginsRefused: a daemon without authentication says so.
func TestLoginsRefused(t *testing.T) {
	_, client := start(t, nil)
	_, err := client.Logins(t.Context(), 1)
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != http.StatusNotFound || refused.Text != "this daemon relays no authentication" {
		t.Error(err)
	}
}
