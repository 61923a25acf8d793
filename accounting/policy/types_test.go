package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

func stopFailure(names ...string) Methods {
	return Methods{Record: accounting.StopFailure, Methods: groups(names...)}
}

// toFile records in a file, the only method of commands.
func toFile(record accounting.RecordType) Methods {
	return Methods{Record: record, Methods: []accounting.MethodName{accounting.Local}}
}

// Each case has the sentence of S1 and S2 that it shows.
func TestDecideTypes(t *testing.T) {
	calls := Policy{
		Lists: []List{
			{network, Default, startStop("radius")},
			{Resource, Default, startStop("radius")},
			{Resource, "wholesale", stopFailure("isp", "isp_customer")},
			{Resource, "quiet", Methods{}},
		},
		Rules: []Rule{
			{Type: Resource, List: "wholesale", Ports: []PortRange{{1, 16}}},
			{Type: Resource, List: "quiet", PortIDs: []string{"Serial*"}},
		},
		DNIS:                 []Number{{"7777", broadcastTo("isp", "isp_customer")}},
		SuppressNullUsername: true,
	}
	shells := Policy{
		Lists: []List{
			{exec, Default, startStop("radius")},
			{Commands(15), Default, toFile(accounting.StartStop)},
			{Commands(15), "admins", toFile(accounting.StopOnly)},
			{Commands(1), Default, toFile(accounting.None)},
			{Commands(0), "admins", toFile(accounting.StopOnly)},
			{VRRS, Default, startStop("radius")},
		},
		Rules: []Rule{
			{Type: Commands(15), List: "admins", Ports: []PortRange{{1, 16}}},
			{Type: Commands(0), List: "admins", Ports: []PortRange{{1, 16}}},
		},
		SuppressNullUsername: true,
	}
	failures := Policy{
		Lists:                  []List{{exec, Default, startStop("radius")}, {network, Default, stopOnly("radius")}},
		DNIS:                   []Number{{"7777", broadcastTo("isp", "isp_customer")}},
		AuthenticationFailures: true,
	}
	nullFailures := failures
	nullFailures.SuppressNullUsername = true
	successes := failures
	successes.AuthenticationFailures, successes.AuthenticationSuccesses = false, true
	nullSuccesses := successes
	nullSuccesses.SuppressNullUsername = true
	const failed, accepted = sessions.AuthenticationFailed, sessions.AuthenticatedRemotely
	tests := []struct {
		sentence string
		policy   Policy
		call     call
		want     string
	}{
		{"send a start record at each call setup, followed by a corresponding stop record at the call disconnect", calls, call{kind: Resource}, "resource/default start-stop group radius"},
		{"Creates a method list to provide accounting records for calls that failed to be authenticated", calls, call{kind: Resource, port: 16}, "resource/wholesale stop-failure group isp group isp_customer (NAS-Port 1-16)"},
		{"To stop all accounting activities on this line or interface, use the none keyword", calls, call{kind: Resource, portID: "Serial0:1"}, "not accounted"},
		{"aaa dnis map accounting network: the map is not for calls", calls, call{kind: Resource, called: "7777"}, "resource/default start-stop group radius"},
		{"... but for the user's session in the call", calls, call{kind: network, called: "7777"}, "network/dnis:7777 start-stop broadcast (if it has a User-Name) group isp group isp_customer"},
		{"If no default method list is defined, then no accounting takes place", shells, call{kind: Resource}, "not accounted"},
		{"all EXEC mode commands, including global configuration commands, associated with a specific privilege level", shells, call{kind: Commands(15)}, "commands/15/default start-stop local"},
		{"... on the lines of a named list", shells, call{kind: Commands(15), port: 3}, "commands/15/admins stop-only local (NAS-Port 1-16)"},
		{"... another level has none", shells, call{kind: Commands(1), port: 3}, "not accounted"},
		{"... a level with a named list only, on its lines", shells, call{kind: Commands(0), port: 3}, "commands/0/admins stop-only local (NAS-Port 1-16)"},
		{"... and elsewhere", shells, call{kind: Commands(0)}, "not accounted"},
		{"... and a level without a list", shells, call{kind: Commands(14), port: 3}, "not accounted"},
		{"Accounting method lists are specific to the type: the user's shell", shells, call{kind: exec, port: 3}, "exec/default start-stop (if it has a User-Name) group radius"},
		{"Provides information about Virtual Router Redundancy Service", shells, call{kind: VRRS}, "vrrs/default start-stop group radius"},
		{"users whose username string is NULL: a command without one", shells, call{kind: Commands(15), nameless: true}, "not accounted"},
		{"does not generate accounting records for users who fail login authentication", shells, call{kind: exec, unstarted: failed}, "not accounted"},
		{"stop records for users who fail to authenticate at login", failures, call{kind: exec, unstarted: failed}, "exec/default start-stop group radius"},
		{"... or during session negotiation", failures, call{kind: network, unstarted: failed}, "network/default stop-only group radius"},
		{"... by the number that was called", failures, call{kind: network, called: "7777", unstarted: failed}, "network/dnis:7777 start-stop broadcast group isp group isp_customer"},
		{"... without a list", failures, call{kind: Connection, unstarted: failed}, "not accounted"},
		{"... of a user whose username string is NULL", nullFailures, call{kind: exec, unstarted: failed, nameless: true}, "not accounted"},
		{"... of another user", nullFailures, call{kind: exec, unstarted: failed}, "exec/default start-stop (if it has a User-Name) group radius"},
		{"send stop-record authentication success remote-server", successes, call{kind: network, unstarted: accepted}, "network/default stop-only group radius"},
		{"... by the number that was called", successes, call{kind: network, called: "7777", unstarted: accepted}, "network/dnis:7777 start-stop broadcast group isp group isp_customer"},
		{"... without a list", successes, call{kind: Connection, unstarted: accepted}, "not accounted"},
		{"... of a user whose username string is NULL", nullSuccesses, call{kind: exec, unstarted: accepted, nameless: true}, "not accounted"},
		{"... of another user", nullSuccesses, call{kind: exec, unstarted: accepted}, "exec/default start-stop (if it has a User-Name) group radius"},
		{"... does not record failures", successes, call{kind: exec, unstarted: failed}, "not accounted"},
		{"... and authentication failure does not record these", failures, call{kind: exec, unstarted: accepted}, "not accounted"},
		{"no type", shells, call{kind: 0}, "not accounted"},
		{"a type after the last", shells, call{kind: types}, "not accounted"},
	}
	for _, tt := range tests {
		t.Run(tt.sentence, func(t *testing.T) {
			if got := decided(t, newPlan(t, tt.policy), tt.call); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestCommandRoute: the level of a command is in its attributes.
func TestCommandRoute(t *testing.T) {
	p := newPlan(t, Policy{Lists: []List{{Commands(15), Default, toFile(accounting.StartStop)}, {Commands(1), Default, toFile(accounting.StopOnly)}}})
	for level, want := range map[string]string{"15": "commands/15/default", "1": "commands/1/default", "2": ""} {
		s := &sessions.Session{Kind: sessions.Command, NAS: &sessions.NAS{}, Attrs: radius.Attributes(radius.AppendAVPair(nil, "priv-lvl", level))}
		if list, _, _ := accounting.RouteList(p.Route(s.Kind, s)); list != want {
			t.Errorf("level %s has the list %q, want %q", level, list, want)
		}
	}
}

func TestTypeFaults(t *testing.T) {
	of := func(typ Type, m Methods) Policy { return Policy{Lists: []List{{typ, Default, m}}} }
	toFirst := broadcastTo("a", "b")
	toFirst.InterimsToFirst = true
	tests := []struct {
		name   string
		policy Policy
		want   string // "" for none
	}{
		{"resource start-stop", of(Resource, startStop("a")), ""},
		{"resource stop-failure", of(Resource, stopFailure("a")), ""},
		{"resource stop-only", of(Resource, stopOnly("a")), "resource/default: record type stop-only is not allowed for resource"},
		{"resource without a method", of(Resource, stopFailure()), "resource/default: a stop-failure list needs a method"},
		{"resource with interims", of(Resource, every(DefaultMinimum, startStop("a"))), "resource/default: a resource list has no interims"},
		{"resource with interims of a broadcast", of(Resource, toFirst), "resource/default: a resource list has no interims"},
		{"network stop-failure", of(network, stopFailure("a")), "network/default: record type stop-failure is not allowed for network"},
		{"exec stop-failure", of(exec, stopFailure("a")), "exec/default: record type stop-failure is not allowed for exec"},
		{"commands stop-failure", of(Commands(15), stopFailure()), "commands/15/default: record type stop-failure is not allowed for commands/15"},
		{"a number with stop-failure", Policy{DNIS: []Number{{"7", stopFailure("a")}}}, "DNIS number 7: record type stop-failure is not allowed for network"},
		{"commands to a file", of(Commands(0), toFile(accounting.StopOnly)), ""},
		{"The Cisco implementation of RADIUS does not support command accounting", of(Commands(15), startStop("radius")), "commands/15/default: method \"group radius\": RADIUS has no command accounting"},
		{"commands to TACACS+", withTACACS(of(Commands(15), startStop("tacacs+")), "tacacs+"), ""},
		{"commands to both", withTACACS(of(Commands(15), startStop("tacacs+", "radius")), "tacacs+"), "commands/15/default: method \"group radius\": RADIUS has no command accounting"},
		{"vrrs", of(VRRS, broadcastTo("a", "b")), ""},
		{"a level after the last", of(Commands(MaxLevel+1), toFile(accounting.StopOnly)), "type(22)/default: unknown accounting type"},
		{"a rule of no type", Policy{Rules: []Rule{{List: "red", PortIDs: []string{"*"}}}}, "rule 1: unknown accounting type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(&tt.policy)
			if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), ErrPolicy.Error()+": "+tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	policy := of(Commands(15), startStop("radius"))
	if _, err := New(&policy); !errors.Is(err, ErrCommandsToRADIUS) || !errors.Is(err, ErrPolicy) {
		t.Errorf("%v is not ErrCommandsToRADIUS and ErrPolicy", err)
	}
}

// withTACACS returns a policy with groups of TACACS+ servers.
func withTACACS(p Policy, groups ...string) Policy {
	for _, name := range groups {
		p.TACACS = append(p.TACACS, accounting.Group(name))
	}
	return p
}

func TestTypeNames(t *testing.T) {
	names := map[string]bool{}
	for typ := Network; typ < types; typ++ {
		names[fmt.Sprint(typ)] = true
	}
	if len(names) != int(types)-1 || !names["commands/0"] || !names["commands/15"] || !names["resource"] {
		t.Errorf("%d types have the names %v", types-1, names)
	}
	for k, want := range map[sessions.Kind]Type{sessions.Network: Network, sessions.Connection: Connection, sessions.Resource: Resource, sessions.VRRS: VRRS, sessions.Command: 0, 99: 0} {
		if got := TypeOf(k); got != want {
			t.Errorf("%v: %v, want %v", k, got, want)
		}
	}
}

func TestListRoute(t *testing.T) {
	plan := newPlan(t, Policy{
		Lists: []List{{network, "red1", startStop("a")}, {exec, "quiet", Methods{}}},
		Rules: []Rule{{Type: network, List: "red1", Ports: []PortRange{{5, 5}}}},
		DNIS:  []Number{{"7777", broadcastTo("b", "c")}},
	})
	for list, want := range map[string]string{"network/red1": "group a", "network/dnis:7777": "group b", "exec/quiet": "", "network/none": ""} {
		r, err := accounting.ParseRoute(plan.ListRoute(list))
		switch {
		case (err == nil) != (want != ""):
			t.Errorf("%s: %v", list, err)
		case err == nil && (string(r.Methods[0]) != want || r.List != list || r.Reason != ""):
			t.Errorf("%s: %+v", list, r)
		}
	}
}
