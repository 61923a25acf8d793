package api_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/cmd/internal/api"
)

// prefixes compares addresses.
var prefixes = cmpopts.EquateComparable(netip.Prefix{})

func TestParseEventFilter(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		want        api.EventFilter
		err         string // a part of the error
	}{
		{"nothing", "", api.EventFilter{}, ""},
		{"everything", "group=isp&id=0000000D&kind=exec&user=a+b", api.EventFilter{Filter: api.Filter{IDs: []api.ID{13}, User: "a b", Kind: "exec"}, Group: "isp"}, ""},
		{"calls", "kind=resource", api.EventFilter{Filter: api.Filter{Kind: "resource"}}, ""},
		{"an unknown kind", "kind=x", api.EventFilter{}, `kind "x": want one of network, exec, connection, resource, commands`},
		{"an empty kind", "kind=", api.EventFilter{}, `"kind" is empty`},
		{"an empty group", "group=", api.EventFilter{}, `"group" is empty`},
		{"two groups", "group=a&group=b", api.EventFilter{}, `"group" is given 2 times`},
		{"a state", "state=active", api.EventFilter{}, "events cannot be selected by the state of their session"},
		{"a misspelt filter", "grop=a", api.EventFilter{}, `unknown parameter "grop"`},
		{"an order", "sort=id", api.EventFilter{}, `unknown parameter "sort"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := api.ParseEventFilter(values)
			if tt.err != "" {
				if !errors.Is(err, api.ErrQuery) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got, prefixes); diff != "" || err != nil {
				t.Fatalf("%v %s", err, diff)
			}
			if again := got.Values().Encode(); again != tt.query {
				t.Errorf("values %s", again)
			}
		})
	}
}

// FuzzEventFilter: what is parsed can be written and parsed again.
func FuzzEventFilter(f *testing.F) {
	for _, seed := range []string{"", "group=isp", "user=alice&group=a%2Fb", "state=active", "id=1&id=0xd", "group=%ff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		one, err := api.ParseEventFilter(values)
		if err != nil {
			return
		}
		two, err := api.ParseEventFilter(one.Values())
		if diff := cmp.Diff(one, two, prefixes); err != nil || diff != "" {
			t.Errorf("%q: %v %s", text, err, diff)
		}
	})
}

// TestEventLine: a line has either an event or the number of those that were left out.
func TestEventLine(t *testing.T) {
	b, err := json.Marshal(api.EventLine{LeftOut: 12})
	if err != nil || string(b) != `{"leftOut":12}` {
		t.Errorf("%s, %v", b, err)
	}
	var l api.EventLine
	if err := json.Unmarshal([]byte(`{"type":"Start","user":"alice"}`), &l); err != nil || l.AccountableEvent == nil || l.User != "alice" || l.LeftOut != 0 {
		t.Errorf("%+v, %v", l, err)
	}
}
