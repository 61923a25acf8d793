package onoff

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGroupsBlocks(t *testing.T) {
	blocked, silent := Block{Blocked: true}, Block{Blocked: true, NoResponse: true}
	status := func(b Block) Status { return Status{Block: b} }
	pair := Groups{{Name: "group-1", Controller: "acct", Monitors: []string{"auth", "third"}}}
	tests := []struct {
		name     string
		groups   Groups
		statuses map[string]Status
		want     map[string]Block
	}{
		{"no groups", nil, nil, map[string]Block{}},
		{"no groups", nil, map[string]Status{"a": status(blocked), "b": {}}, map[string]Block{"a": blocked, "b": {}}},
		{"the controlling one is blocked", pair, map[string]Status{"acct": status(blocked)}, map[string]Block{"acct": blocked, "auth": blocked, "third": blocked}},
		{"no server answers it", pair, map[string]Status{"acct": status(silent)}, map[string]Block{"acct": silent, "auth": silent, "third": silent}},
		{"it is answered", pair, map[string]Status{"acct": {}}, map[string]Block{"acct": {}, "auth": {}, "third": {}}},
		{"another one is blocked", pair, map[string]Status{"acct": {}, "b": status(blocked)}, map[string]Block{"acct": {}, "auth": {}, "third": {}, "b": blocked}},
		{"it sends nothing", pair, map[string]Status{}, map[string]Block{"auth": {}, "third": {}}},
		{
			"two of them", append(Groups{{Name: "group-2", Controller: "b", Monitors: []string{"c"}}}, pair...),
			map[string]Status{"acct": status(silent), "b": status(blocked)},
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

func TestGroupsValidate(t *testing.T) {
	tests := []struct {
		name   string
		groups Groups
		want   string // lines of the error, without their common prefix
	}{
		{"none", nil, ""},
		{"S3", Groups{{Name: "group-1", Controller: "p1", Monitors: []string{"p2"}}, {Name: "group-2", Controller: "p3"}}, ""},
		{"no name", Groups{{Name: "", Controller: "p1"}}, "a group has no name"},
		{"one name twice", Groups{{Name: "g", Controller: "p1"}, {Name: "g", Controller: "p2"}}, "g: the name is used twice"},
		{"no controller", Groups{{Name: "g", Controller: "", Monitors: []string{"p"}}}, "g: no server group controls it"},
		{"controls two", Groups{{Name: "g", Controller: "p"}, {Name: "h", Controller: "p"}}, "h: server group p is already in g"},
		{"controls what it monitors", Groups{{Name: "g", Controller: "p", Monitors: []string{"p"}}}, "g: server group p is already in g"},
		{"monitors two", Groups{{Name: "g", Controller: "p", Monitors: []string{"q"}}, {Name: "h", Controller: "r", Monitors: []string{"q"}}}, "h: server group q is already in g"},
		{"controls one and monitors another", Groups{{Name: "g", Controller: "p"}, {Name: "h", Controller: "r", Monitors: []string{"p"}}}, "h: server group p is already in g"},
		{"all faults", Groups{{Name: "g", Controller: ""}, {Name: "g", Controller: "p"}}, "g: no server group controls it\ng: the name is used twice"},
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
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("got %v", err)
			}
			if got := strings.ReplaceAll(err.Error(), ErrConfig.Error()+"-group: ", ""); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
