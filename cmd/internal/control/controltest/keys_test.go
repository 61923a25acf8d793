package controltest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBadKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		document string
		want     []string
	}{
		"camelCase":       {`{"a": {"snmpEngineID": [{"b2": null}, 7]}, "c": "too_large"}`, nil},
		"snake_case":      {`{"a": {"too_large": 0}}`, []string{".a.too_large"}},
		"a Go field":      {`[{"Records": 0}, {"b": [{"Q": {}}]}]`, []string{"[0].Records", "[1].b[0].Q"}},
		"hyphen, empty":   {`{"a-b": 0, "": 1}`, []string{".", ".a-b"}},
		"names":           {`{"servers": {"group_1": {"bad_key": 0, "servers": [{"Name": ""}]}}}`, []string{".servers.group_1.bad_key", ".servers.group_1.servers[0].Name"}},
		"a name again":    {`{"servers": {"servers": {"bad_key": 0}}}`, []string{".servers.servers.bad_key"}},
		"names elsewhere": {`{"clients": {"group_1": 0}}`, []string{".clients.group_1"}},
	} {
		got, err := BadKeys([]byte(tt.document), "servers")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := BadKeys([]byte("{")); err == nil {
		t.Error("no error for a document that is cut off")
	}
}
