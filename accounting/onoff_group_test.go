package accounting

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnOffGroupsBlocks(t *testing.T) {
	blocked, silent := Block{Blocked: true}, Block{Blocked: true, NoResponse: true}
	status := func(b Block) OnOffStatus { return OnOffStatus{Block: b} }
	pair := OnOffGroups{{Name: "group-1", Controller: "acct", Monitors: []string{"auth", "third"}}}
	tests := []struct {
		name     string
		groups   OnOffGroups
		statuses map[string]OnOffStatus
		want     map[string]Block
	}{
		{"nobody", nil, nil, map[string]Block{}},
		{"no groups", nil, map[string]OnOffStatus{"a": status(blocked), "b": {}}, map[string]Block{"a": blocked, "b": {}}},
		{"the controlling one is blocked", pair, map[string]OnOffStatus{"acct": status(blocked)}, map[string]Block{"acct": blocked, "auth": blocked, "third": blocked}},
		{"nobody answers it", pair, map[string]OnOffStatus{"acct": status(silent)}, map[string]Block{"acct": silent, "auth": silent, "third": silent}},
		{"it is answered", pair, map[string]OnOffStatus{"acct": {}}, map[string]Block{"acct": {}, "auth": {}, "third": {}}},
		{"another one is blocked", pair, map[string]OnOffStatus{"acct": {}, "b": status(blocked)}, map[string]Block{"acct": {}, "auth": {}, "third": {}, "b": blocked}},
		{"it sends nothing", pair, map[string]OnOffStatus{}, map[string]Block{"auth": {}, "third": {}}},
		{
			"two of them", append(OnOffGroups{{Name: "group-2", Controller: "b", Monitors: []string{"c"}}}, pair...),
			map[string]OnOffStatus{"acct": status(silent), "b": status(blocked)},
			map[string]Block{"acct": silent, "auth": silent, "third": silent, "b": blocked, "c": blocked},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.groups.Blocks(tt.statuses)); diff != "" {
				t.Errorf("want (-) and got (+):\n%s", diff)
			}
		})
	}
	if got := pair.Controls("acct"); got != "group-1" {
		t.Errorf("acct controls %q", got)
	}
	if got := pair.Controls("auth"); got != "" {
		t.Errorf("auth controls %q", got)
	}
}

func TestOnOffGroupsValidate(t *testing.T) {
	tests := []struct {
		name   string
		groups OnOffGroups
		want   string // lines of the error, without what all begin with
	}{
		{"none", nil, ""},
		{"S3", OnOffGroups{{"group-1", "p1", []string{"p2"}}, {"group-2", "p3", nil}}, ""},
		{"no name", OnOffGroups{{"", "p1", nil}}, "one has no name"},
		{"one name twice", OnOffGroups{{"g", "p1", nil}, {"g", "p2", nil}}, "g: twice"},
		{"no controller", OnOffGroups{{"g", "", []string{"p"}}}, "g: no server group controls it"},
		{"controls two", OnOffGroups{{"g", "p", nil}, {"h", "p", nil}}, "h: server group p is in g already"},
		{"controls what it monitors", OnOffGroups{{"g", "p", []string{"p"}}}, "g: server group p is in g already"},
		{"monitors two", OnOffGroups{{"g", "p", []string{"q"}}, {"h", "r", []string{"q"}}}, "h: server group q is in g already"},
		{"controls one and monitors another", OnOffGroups{{"g", "p", nil}, {"h", "r", []string{"p"}}}, "h: server group p is in g already"},
		{"all that is wrong", OnOffGroups{{"g", "", nil}, {"g", "p", nil}}, "g: no server group controls it\ng: twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.groups.Validate()
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, ErrOnOff) {
				t.Fatalf("got %v", err)
			}
			if got := strings.ReplaceAll(err.Error(), ErrOnOff.Error()+"-group: ", ""); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
