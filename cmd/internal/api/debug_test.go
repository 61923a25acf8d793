package api

import (
	"errors"
	"net/netip"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseDebugFilter(t *testing.T) {
	for query, want := range map[string]map[string]string{
		"topic=radius": {},
		"topic=radius&client=lab&user=a%20b&from=192.0.2.0/24": {"client": "lab", "user": "a b", "from": "192.0.2.0/24"},
		"topic=snmp&from=::1":        {"from": "::1"},
		"topic=tacacs&server=one":    {"server": "one"},
		"":                           nil,
		"topic=store":                nil,
		"topic=snmp&client=lab":      nil,
		"topic=radius&user=":         nil,
		"topic=radius&user=a&user=b": nil,
		"topic=radius&from=lab":      nil,
		"topic=radius&topic=snmp":    nil,
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ParseDebugFilter(values)
		if want == nil {
			if !errors.Is(err, ErrQuery) {
				t.Errorf("%s: %+v, %v", query, f, err)
			}
			continue
		}
		if diff := cmp.Diff(want, f.Values); diff != "" || err != nil || f.From.IsValid() != (want["from"] != "") {
			t.Errorf("%s: %v %s", query, err, diff)
		}
		again, err := ParseDebugFilter(f.URL())
		if diff := cmp.Diff(f, again, cmpopts.EquateComparable(netip.Prefix{})); diff != "" || err != nil {
			t.Errorf("%s, again: %v %s", query, err, diff)
		}
	}
}
