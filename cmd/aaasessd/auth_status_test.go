package main

import (
	"encoding/json"
	"reflect"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/relay"
)

// numbered sets each number in a struct to another value, and returns their sum.
func numbered(v reflect.Value, next *int) (sum int) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Struct:
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
