package vacm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

func policy(t testing.TB, views []*View, access []AccessEntry, members []Member, list ...Community) *Policy {
	t.Helper()
	p, err := New(views, access, members, list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAccess: RFC 3415 section 3.2, and which of several entries vacmAccessTable selects.
func TestAccess(t *testing.T) {
	view := func(name string) *View { return mustView(t, name, included("1.3.6.1.2.1")) }
	plain, signed, secret, any1, any3 := view("plain"), view("signed"), view("secret"), view("any1"), view("any3")
	p := policy(t, []*View{plain, signed, secret, any1, any3},
		[]AccessEntry{
			{Group: "steps", Model: wire.ModelUSM, Level: wire.AuthPriv, Read: secret, Write: secret},
			{Group: "steps", Model: wire.ModelUSM, Level: wire.NoAuthNoPriv, Read: plain},
			{Group: "steps", Model: wire.ModelUSM, Level: wire.AuthNoPriv, Read: signed},
			{Group: "high", Model: wire.ModelUSM, Level: wire.AuthPriv, Read: secret},
			{Group: "mixed", Model: AnyModel, Level: wire.NoAuthNoPriv, Read: any1},
			{Group: "mixed", Model: AnyModel, Level: wire.AuthPriv, Read: any3},
			{Group: "mixed", Model: wire.ModelUSM, Level: wire.AuthNoPriv, Read: signed},
			{Group: "other", Model: wire.ModelV1, Level: wire.NoAuthNoPriv, Read: plain},
			{Group: "blind", Model: wire.ModelUSM, Level: wire.NoAuthNoPriv},
		},
		[]Member{
			{wire.ModelUSM, "steps", "steps"},
			{wire.ModelUSM, "high", "high"},
			{wire.ModelUSM, "mixed", "mixed"},
			{wire.ModelV2c, "mixed", "mixed"},
			{wire.ModelUSM, "other", "other"},
			{wire.ModelUSM, "blind", "blind"},
			{wire.ModelUSM, "lonely", "no entries"},
			{wire.ModelV2c, "twins", "high"},
			{wire.ModelUSM, "twins", "steps"},
		})
	tests := []struct {
		name     string
		model    wire.SecurityModel
		security string
		level    wire.SecurityLevel
		want     Status
		read     *View
	}{
		{"nobody", wire.ModelUSM, "nobody", wire.AuthPriv, NoGroupName, nil},
		{"no name", wire.ModelUSM, "", wire.AuthPriv, NoGroupName, nil},
		{"the beginning of a name", wire.ModelUSM, "step", wire.AuthPriv, NoGroupName, nil},
		{"a name with more behind", wire.ModelUSM, "steps\x00", wire.AuthPriv, NoGroupName, nil},
		{"known under another model", wire.ModelV2c, "steps", wire.NoAuthNoPriv, NoGroupName, nil},
		{"any is no model of a message", AnyModel, "mixed", wire.NoAuthNoPriv, NoGroupName, nil},
		{"a model of tomorrow", 4, "steps", wire.AuthPriv, NoGroupName, nil},
		{"a group without entries", wire.ModelUSM, "lonely", wire.AuthPriv, NoAccessEntry, nil},
		{"entries for another model", wire.ModelUSM, "other", wire.AuthPriv, NoAccessEntry, nil},
		{"the level is too low", wire.ModelUSM, "high", wire.AuthNoPriv, NoAccessEntry, nil},
		{"no level", wire.ModelUSM, "steps", 0, NoAccessEntry, nil},
		{"a level that does not exist", wire.ModelUSM, "steps", 4, NoAccessEntry, nil},
		{"the level asked for", wire.ModelUSM, "high", wire.AuthPriv, Allowed, secret},
		{"the highest level not above: 1", wire.ModelUSM, "steps", wire.NoAuthNoPriv, Allowed, plain},
		{"the highest level not above: 2", wire.ModelUSM, "steps", wire.AuthNoPriv, Allowed, signed},
		{"the highest level not above: 3", wire.ModelUSM, "steps", wire.AuthPriv, Allowed, secret},
		{"any model, where its own has nothing", wire.ModelUSM, "mixed", wire.NoAuthNoPriv, Allowed, any1},
		{"its own model before any", wire.ModelUSM, "mixed", wire.AuthNoPriv, Allowed, signed},
		{"its own model before a higher level of any", wire.ModelUSM, "mixed", wire.AuthPriv, Allowed, signed},
		{"any model, lower level", wire.ModelV2c, "mixed", wire.AuthNoPriv, Allowed, any1},
		{"any model, highest level", wire.ModelV2c, "mixed", wire.AuthPriv, Allowed, any3},
		{"an entry without a view", wire.ModelUSM, "blind", wire.AuthPriv, Allowed, nil},
		{"one name, two models: v2c", wire.ModelV2c, "twins", wire.NoAuthNoPriv, NoAccessEntry, nil},
		{"one name, two models: usm", wire.ModelUSM, "twins", wire.NoAuthNoPriv, Allowed, plain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, status := p.Access(tt.model, tt.security, tt.level)
			if status != tt.want || (e != nil) != (status == Allowed) {
				t.Fatalf("%v, %s, want %s", e, status, tt.want)
			}
			if e != nil && e.Read != tt.read {
				t.Errorf("read view %q, want %q", e.Read.Name(), tt.read.Name())
			}
		})
	}
}

func TestStatusString(t *testing.T) {
	for s, want := range map[Status]string{Allowed: "accessAllowed", NoGroupName: "noGroupName", NoAccessEntry: "noAccessEntry", 0: "Status(0)"} {
		if got := s.String(); got != want {
			t.Errorf("%d is %s, want %s", uint8(s), got, want)
		}
	}
}

func TestNewErrors(t *testing.T) {
	v, foreign := mustView(t, "v"), mustView(t, "foreign")
	entry := AccessEntry{Group: "g", Model: wire.ModelUSM, Level: wire.AuthPriv, Read: v}
	member := Member{wire.ModelUSM, "bob", "g"}
	with := func(change func(e *AccessEntry)) []AccessEntry {
		e := entry
		change(&e)
		return []AccessEntry{e}
	}
	tests := []struct {
		name    string
		views   []*View
		access  []AccessEntry
		members []Member
		list    []Community
		want    string
	}{
		{"views of one name", []*View{v, foreign, mustView(t, "v")}, nil, nil, nil, `view "v" is defined twice`},
		{"a view of another policy", []*View{v}, with(func(e *AccessEntry) { e.Write = foreign }), nil, nil, `group "g" with usm, authPriv: view "foreign" is not`},
		{"a view of the same name", []*View{v}, with(func(e *AccessEntry) { e.Notify = mustView(t, "v") }), nil, nil, `view "v" is not`},
		{"a group without name", []*View{v}, with(func(e *AccessEntry) { e.Group = "" }), nil, nil, "name has 0 octets"},
		{"percent signs", []*View{v}, with(func(e *AccessEntry) { e.Group, e.Level = "100%d", 0 }), nil, nil, `"100%d" with usm, SecurityLevel(0): unknown security level`},
		{"no level", []*View{v}, with(func(e *AccessEntry) { e.Level = 0 }), nil, nil, "unknown security level"},
		{"a level too high", []*View{v}, with(func(e *AccessEntry) { e.Level = 4 }), nil, nil, "unknown security level"},
		{"a model below any", []*View{v}, with(func(e *AccessEntry) { e.Model = -1 }), nil, nil, "unknown security model"},
		{"an entry twice", []*View{v}, []AccessEntry{entry, {Group: "a", Level: 1}, entry}, nil, nil, `group "g" with usm, authPriv: entry is defined twice`},
		{"a member of two groups", nil, nil, []Member{member, {wire.ModelUSM, "bob", "h"}}, nil, `already`},
		{"a member without name", nil, nil, []Member{{wire.ModelUSM, "", "g"}}, nil, "name has 0 octets"},
		{"a member of a group without name", nil, nil, []Member{{wire.ModelUSM, "bob", ""}}, nil, "group: name has 0 octets"},
		{"a member for any model", nil, nil, []Member{{AnyModel, "bob", "g"}}, nil, `"bob" of group "g" with any: security model is missing`},
		{"a community", nil, nil, nil, []Community{{SecurityName: "r"}}, `community 1, of "r": name has 0 octets`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.views, tt.access, tt.members, tt.list); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	t.Run("all faults at once", func(t *testing.T) {
		_, err := New([]*View{v, v}, with(func(e *AccessEntry) { e.Level = 9 }), []Member{member, member}, []Community{{}})
		for _, want := range []string{`view "v" is defined twice`, "unknown security level", "already", "community 1"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v is without %q", err, want)
			}
		}
	})
}

// TestTables: everything is in the order of the tables of SNMP-VIEW-BASED-ACM-MIB: the length of a
// name precedes its octets.
func TestTables(t *testing.T) {
	long, b, a := mustView(t, "long"), mustView(t, "b"), mustView(t, "a")
	views := []*View{long, b, a}
	entries := []AccessEntry{
		{Group: "bb", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv},
		{Group: "c", Model: wire.ModelUSM, Level: wire.AuthPriv},
		{Group: "c", Model: wire.ModelUSM, Level: wire.AuthNoPriv},
		{Group: "c", Model: AnyModel, Level: wire.AuthPriv},
		{Group: "aa", Model: wire.ModelUSM, Level: wire.NoAuthNoPriv},
	}
	members := []Member{{wire.ModelUSM, "zz", "c"}, {wire.ModelUSM, "aaa", "c"}, {wire.ModelV2c, "zzzz", "c"}}
	p := policy(t, views, entries, members)

	if diff := cmp.Diff([]string{"a", "b", "long"}, []string{p.Views()[0].Name(), p.Views()[1].Name(), p.Views()[2].Name()}); diff != "" {
		t.Error(diff)
	}
	wantEntries := []AccessEntry{entries[3], entries[2], entries[1], entries[4], entries[0]}
	if diff := cmp.Diff(wantEntries, p.Entries()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Member{members[2], members[0], members[1]}, p.Members()); diff != "" {
		t.Error(diff)
	}
	if views[0] != long || entries[0].Group != "bb" || members[0].SecurityName != "zz" {
		t.Error("New has sorted the slices of its caller")
	}
}

// TestPolicyIsIndependent: later changes of the caller's slices have no effect.
func TestPolicyIsIndependent(t *testing.T) {
	v := mustView(t, "v", included("1.3"))
	entries := []AccessEntry{{Group: "g", Model: wire.ModelUSM, Level: wire.AuthPriv, Read: v}}
	members := []Member{{wire.ModelUSM, "bob", "g"}}
	p := policy(t, []*View{v}, entries, members)
	entries[0].Read, members[0].Group = nil, "other"
	e, status := p.Access(wire.ModelUSM, "bob", wire.AuthPriv)
	if status != Allowed || !e.Read.Contains(mib.OID{1, 3}) || p.Members()[0].Group != "g" {
		t.Errorf("%v, %s", e, status)
	}
}

func TestAccessDoesNotAllocate(t *testing.T) {
	name := []byte(strings.Repeat("n", maxName))
	p := policy(t, nil, []AccessEntry{{Group: "g", Model: wire.ModelUSM, Level: wire.AuthPriv}}, []Member{{wire.ModelUSM, string(name), "g"}})
	if n := testing.AllocsPerRun(100, func() {
		if _, status := p.Access(wire.ModelUSM, string(name), wire.AuthPriv); status != Allowed {
			t.Error(status)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
