package accounting

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

func TestPolicyRoute(t *testing.T) {
	p := &Policy{Lists: map[sessions.Kind]*List{
		sessions.Network:    {Name: "default", Record: StartStop, Methods: []MethodName{Group("radius")}},
		sessions.Exec:       {Name: "default", Record: StopOnly, Methods: []MethodName{Local}},
		sessions.Connection: {Name: "default", Record: None},
	}}
	withoutExec := &Policy{Lists: map[sessions.Kind]*List{sessions.Network: p.Lists[sessions.Network]}}
	tests := []struct {
		name   string
		policy *Policy
		kind   sessions.Kind
		event  sessions.EventType
		want   bool
	}{
		{"start-stop: start", p, sessions.Network, sessions.Start, true},
		{"start-stop: interim", p, sessions.Network, sessions.Interim, true},
		{"start-stop: stop", p, sessions.Network, sessions.Stop, true},
		{"stop-only: start", p, sessions.Exec, sessions.Start, false},
		{"stop-only: interim", p, sessions.Exec, sessions.Interim, false},
		{"stop-only: stop", p, sessions.Exec, sessions.Stop, true},
		{"none: stop", p, sessions.Connection, sessions.Stop, false},
		{"no list for the kind", withoutExec, sessions.Exec, sessions.Stop, false},
		{"no list at all", &Policy{}, sessions.Network, sessions.Stop, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.policy.Route(tt.kind)
			if recorded := got != nil && got.Record.includes(tt.event); recorded != tt.want {
				t.Errorf("got %v, want it recorded: %t", got, tt.want)
			}
			if got != nil && (got.List != tt.kind.String()+"/default" || !slices.Equal(got.Methods, tt.policy.Lists[tt.kind].Methods)) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestPolicyValidate(t *testing.T) {
	radius := []MethodName{Group("radius")}
	tests := []struct {
		name string
		kind sessions.Kind
		list *List
		want string // "" for none
	}{
		{"good", sessions.Network, &List{Name: "default", Record: StartStop, Methods: []MethodName{Group("radius"), Group("backup"), Local}}, ""},
		{"none needs no method", sessions.Exec, &List{Name: "default"}, ""},
		{"no list", sessions.Exec, nil, ""},
		{"no method", sessions.Exec, &List{Name: "default", Record: StopOnly}, "exec/default: a stop-only list needs a method"},
		{"no name", sessions.Network, &List{Record: StartStop, Methods: radius}, "network/: the name of a list"},
		{"kind", 9, &List{Name: "default", Record: StartStop, Methods: radius}, "kind(9)/default: unknown accounting type"},
		{"record type", sessions.Network, &List{Name: "red", Record: 7, Methods: radius}, "network/red: unknown record type 7"},
		{"twice", sessions.Network, &List{Name: "red", Record: StartStop, Methods: []MethodName{Local, Local}}, `network/red: method "local" is listed twice`},
		{"unknown method", sessions.Network, &List{Name: "red", Record: StartStop, Methods: []MethodName{"radius"}}, `network/red: method "radius" is neither`},
		{"group without a name", sessions.Network, &List{Name: "red", Record: StartStop, Methods: []MethodName{"group "}}, `method "group " is neither`},
		{"group with spaces", sessions.Network, &List{Name: "red", Record: StartStop, Methods: []MethodName{"group a b"}}, `network/red: method "group a b": the name of a group must not contain spaces or control characters`},
		{"long group", sessions.Network, &List{Name: "red", Record: StartStop, Methods: []MethodName{Group(strings.Repeat("x", 101))}}, "at most 100 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := (&Policy{Lists: map[sessions.Kind]*List{tt.kind: tt.list}}).Validate()
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// All faults are reported at once, in the order of the kinds.
func TestPolicyValidateAll(t *testing.T) {
	err := (&Policy{Lists: map[sessions.Kind]*List{
		sessions.Connection: {Name: "default", Record: StartStop},
		sessions.Network:    {Name: "default", Record: StartStop, Methods: []MethodName{"x"}},
	}}).Validate()
	want := `accounting: bad method list: network/default: method "x" is neither "group NAME" nor "local"
accounting: bad method list: connection/default: a start-stop list needs a method`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestMethodQueue(t *testing.T) {
	tests := []struct {
		method       MethodName
		group, queue string
	}{
		{Local, "", "local"},
		{Group("radius"), "radius", "group/radius"},
		{"group local", "local", "group/local"},
	}
	for _, tt := range tests {
		if g, q := tt.method.Group(), tt.method.Queue(); g != tt.group || q != tt.queue {
			t.Errorf("%q: group %q, queue %q, want %q, %q", tt.method, g, q, tt.group, tt.queue)
		}
	}
}

func TestParseRecordType(t *testing.T) {
	for _, want := range []RecordType{None, StartStop, StopOnly} {
		if got, err := ParseRecordType(want.String()); got != want || err != nil {
			t.Errorf("%s: got %s, %v", want, got, err)
		}
	}
	if _, err := ParseRecordType("wait-start"); !errors.Is(err, ErrPolicy) {
		t.Errorf("wait-start: %v", err)
	}
	if s := RecordType(9).String(); s != "record-type(9)" {
		t.Error(s)
	}
}
