package main

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/internal/api"
	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/relay"
)

// numbered sets each number in a struct to another value, and returns their sum.
func numbered(v reflect.Value, next *int) (sum int) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
			if f.Type() == reflect.TypeFor[time.Time]() {
				continue // it counts nothing
			}
			sum += numbered(f, next)
		case reflect.Int:
			*next++
			f.SetInt(int64(*next))
			sum += *next
		case reflect.Uint64:
			*next++
			f.SetUint(uint64(*next))
			sum += *next
		}
	}
	return sum
}

// total returns the sum of all numbers in a JSON value.
func total(v any) (sum int) {
	switch v := v.(type) {
	case float64:
		return int(v)
	case []any:
		for _, one := range v {
			sum += total(one)
		}
	case map[string]any:
		for _, one := range v {
			sum += total(one)
		}
	}
	return sum
}

// Each counter of the relay is in its status, once.
func TestAuthenticationStatus(t *testing.T) {
	next := 0
	var group relay.GroupStats
	var one nasradius.AuthClientCounters
	l, r, a := nasradius.AuthStats{}, relay.Stats{}, admission.Stats{}
	want := 0
	for _, v := range []any{&l, &r, &a, &group, &one} {
		want += numbered(reflect.ValueOf(v).Elem(), &next)
	}
	l.Clients, r.Groups = []nasradius.AuthClientCounters{one}, []relay.GroupStats{group}
	b, err := json.Marshal(authenticationStatus(l, r, a))
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if total(got) != want {
		t.Errorf("the counters sum up to %d, want %d: %s", total(got), want, b)
	}
	empty, _ := json.Marshal(authenticationStatus(nasradius.AuthStats{}, relay.Stats{}, admission.Stats{}))
	var back api.AuthenticationStatus
	if err := json.Unmarshal(empty, &back); err != nil || back.Listener.Clients == nil || back.Relay.Groups == nil {
		t.Errorf("%s: %v", empty, err)
	}
}

// TestSilentGroups: the daemon is degraded while nobody can log in by a group.
func TestSilentGroups(t *testing.T) {
	at := time.Date(2001, 6, 27, 4, 45, 0, 0, time.UTC)
	group := func(name string, states ...servers.State) acctcontrol.AuthGroup {
		g := acctcontrol.AuthGroup{Config: client.GroupConfig{Name: name}}
		for i, s := range states {
			g.Stats.Servers = append(g.Stats.Servers, servers.Stats{State: s, StateSince: at.Add(time.Duration(i) * time.Minute)})
		}
		return g
	}
	got := silentGroups([]acctcontrol.AuthGroup{
		group("up", servers.Up), group("new", servers.Unknown), group("half", servers.Dead, servers.Up), group("none"), group("isp", servers.Dead, servers.Dead),
	})
	want := []string{"authentication: no server of the group isp answers since 2001-06-27T04:46:00Z (show radius statistics)"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
