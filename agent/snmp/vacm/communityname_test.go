package vacm

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// TestCommunityNameNeedsAuthPriv: below authPriv no view has snmpCommunityName, and it has everything
// else that the view of the table has.
func TestCommunityNameNeedsAuthPriv(t *testing.T) {
	name, row := CommunityName, CommunityName.Append(97, 98)
	beside := []mib.OID{mib.MustOID("1.3.6.1.6.3.18.1.1.1.1.97"), mib.MustOID("1.3.6.1.6.3.18.1.1.1.3.97"), mib.MustOID("1.3.6.1.2.1.1")}
	for _, tt := range []struct {
		name     string
		families []Family
		has      bool // has row at authPriv
	}{
		{"all", []Family{included("1.3.6.1")}, true},
		{"the column", []Family{included("1.3.6.1.6.3.18.1.1.1.2")}, true},
		{"one row of the column", []Family{included("1.3.6.1.6.3.18.1.1.1.2.97.98")}, true},
		{"a part of a row", []Family{included("1.3.6.1.6.3.18.1.1.1.2.97.98.7")}, false},
		{"the column, and a row excluded", []Family{included("1.3.6.1.6.3.18"), excluded("1.3.6.1.6.3.18.1.1.1.2.97.98")}, false},
		{"the column excluded, and a row included", []Family{included("1.3"), excluded("1.3.6.1.6.3.18.1.1.1.2"), included("1.3.6.1.6.3.18.1.1.1.2.97.98")}, true},
		{"without the module", []Family{included("1.3.6.1"), excluded("1.3.6.1.6.3.18")}, false},
		{"another part", []Family{included("1.3.6.1.2.1")}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := mustView(t, "v", tt.families...)
			p := policy(t, []*View{v}, []AccessEntry{
				{Group: "g", Model: AnyModel, Level: wire.NoAuthNoPriv, Read: v, Write: v, Notify: v},
			}, []Member{{wire.ModelV1, "a", "g"}, {wire.ModelV2c, "a", "g"}, {wire.ModelUSM, "a", "g"}, {wire.ModelUSM, "b", "g"}})
			for _, model := range []wire.SecurityModel{wire.ModelV1, wire.ModelV2c, wire.ModelUSM} {
				for level := wire.NoAuthNoPriv; level <= wire.AuthPriv; level++ {
					e, _ := p.Access(model, "a", level)
					if want := tt.has && level == wire.AuthPriv; e.Read.Contains(row) != want {
						t.Errorf("%s, %s: contains the row: %v, want %v", model, level, !want, want)
					}
					if level < wire.AuthPriv && e.Read.Contains(name) {
						t.Errorf("%s, %s: contains the column", model, level)
					}
					for _, oid := range beside {
						if e.Read.Contains(oid) != v.Contains(oid) {
							t.Errorf("%s, %s: contains %s: %v", model, level, oid, e.Read.Contains(oid))
						}
					}
					if e.Write != v || e.Notify != v || e.Read.Name() != "v" {
						t.Errorf("%s, %s: %+v", model, level, e)
					}
				}
			}
			a, _ := p.Access(wire.ModelUSM, "a", wire.AuthNoPriv)
			b, _ := p.Access(wire.ModelUSM, "b", wire.NoAuthNoPriv)
			if a.Read != b.Read {
				t.Error("two members have two views, so that each change of the user costs time")
			}
			if diff := cmp.Diff(mustView(t, "v", tt.families...).Families(), p.Views()[0].Families()); diff != "" {
				t.Errorf("vacmViewTreeFamilyTable shows other subtrees than configured:\n%s", diff)
			}
		})
	}
}

func TestWithoutMatchesModel(t *testing.T) {
	all := universe()
	rapid.Check(t, func(t *rapid.T) {
		fs := families().Draw(t, "families")
		v, err := NewView("v", fs)
		if err != nil {
			t.Fatal(err)
		}
		subtree := mib.OID(rapid.SliceOfN(rapid.SampledFrom([]uint32{0, 1}), 1, 4).Draw(t, "subtree"))
		w := v.without(subtree)
		same := true
		for _, oid := range all {
			want := modelContains(fs, oid) && !oid.HasPrefix(subtree)
			same = same && want == v.Contains(oid)
			if w.Contains(oid) != want {
				t.Fatalf("%v without %s contains %s: %v", fs, subtree, oid, !want)
			}
		}
		if same && w != v {
			t.Fatalf("%v without %s is another view, although nothing differs", fs, subtree)
		}
	})
	if w := (*View)(nil).without(mib.OID{1}); w != nil {
		t.Errorf("no view without a subtree is %v", w)
	}
}

func TestCommunityNames(t *testing.T) {
	p := policy(t, nil, nil, nil, Community{Name: "b", SecurityName: "w"}, Community{Name: "a", SecurityName: "r"})
	if diff := cmp.Diff([]string{"b", "a"}, p.CommunityNames()); diff != "" {
		t.Error(diff)
	}
	if got := policy(t, nil, nil, nil).CommunityNames(); len(got) > 0 {
		t.Errorf("%q without communities", got)
	}
}
