package vacm

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/mib"
)

func included(oid string) Family { return Family{Subtree: mib.MustOID(oid)} }
func excluded(oid string) Family { return Family{Subtree: mib.MustOID(oid), Excluded: true} }

func mustView(t testing.TB, name string, families ...Family) *View {
	t.Helper()
	v, err := NewView(name, families)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func oids(texts ...string) []mib.OID {
	var out []mib.OID
	for _, s := range texts {
		out = append(out, mib.MustOID(s))
	}
	return out
}

func TestContains(t *testing.T) {
	tests := []struct {
		name     string
		families []Family
		in, out  []mib.OID
	}{
		{"no families", nil, nil, append(oids("1", "1.3.6.1"), nil)},
		{
			"one subtree",
			[]Family{included("1.3.6")},
			oids("1.3.6", "1.3.6.0", "1.3.6.4294967295.1"), append(oids("1", "1.3", "1.3.5", "1.3.5.9", "1.3.7", "1.3.60", "1.4", "2"), nil),
		},
		{
			"an exclusion inside",
			[]Family{included("1.3.6"), excluded("1.3.6.1")},
			oids("1.3.6", "1.3.6.0", "1.3.6.0.9", "1.3.6.2", "1.3.6.2.1"), oids("1.3.6.1", "1.3.6.1.0", "1.3.6.1.9.9", "1.3.7"),
		},
		{
			"exclude inside include inside exclude inside include",
			[]Family{included("1.3"), excluded("1.3.6"), included("1.3.6.1"), excluded("1.3.6.1.4")},
			oids("1.3", "1.3.5", "1.3.6.1", "1.3.6.1.3.9", "1.3.6.1.5", "1.3.7"), oids("1", "1.3.6", "1.3.6.0", "1.3.6.1.4", "1.3.6.1.4.1", "1.3.6.2", "1.4"),
		},
		{
			"include inside exclude, with nothing around",
			[]Family{excluded("1.3"), included("1.3.6.1")},
			oids("1.3.6.1", "1.3.6.1.9"), oids("1.2", "1.3", "1.3.6", "1.3.6.2", "1.4"),
		},
		{"nothing but an exclusion", []Family{excluded("1.3")}, nil, oids("1", "1.3", "1.3.6", "1.4")},
		{
			"the longest decides, not the last",
			[]Family{excluded("1.3.6.1.2"), included("1.3.6")},
			oids("1.3.6", "1.3.6.1", "1.3.6.1.3"), oids("1.3.6.1.2", "1.3.6.1.2.1"),
		},
		{
			"neighbours",
			[]Family{included("1.3.1"), included("1.3.2"), excluded("1.3.3"), included("1.3.4")},
			oids("1.3.1", "1.3.1.4294967295", "1.3.2", "1.3.2.5", "1.3.4"), oids("1.3", "1.3.0", "1.3.3", "1.3.3.1", "1.3.5"),
		},
		{
			"an inclusion within an inclusion changes nothing",
			[]Family{included("1.3"), included("1.3.6")},
			oids("1.3", "1.3.5", "1.3.6", "1.3.6.1", "1.3.7"), oids("1.2", "1.4"),
		},
		{
			"the last sub-identifier there is",
			[]Family{included("1.4294967295"), excluded("1.4294967295.4294967295")},
			oids("1.4294967295", "1.4294967295.4294967294.1"), oids("1.4294967295.4294967295", "1.4294967295.4294967295.0", "2"),
		},
		{
			"behind the last subtree there is nothing",
			[]Family{included("4294967295")},
			oids("4294967295", "4294967295.4294967295"), oids("1", "4294967294.9"),
		},
		{
			"far apart",
			[]Family{included("1.3.6.1.2.1.1"), included("1.3.6.1.4.1.9.9.150"), excluded("1.3.6.1.4.1.9.9.150.1.1.3.1.5"), included("1.3.6.1.6.3")},
			oids("1.3.6.1.2.1.1.3.0", "1.3.6.1.4.1.9.9.150.1.1.3.1.2.7", "1.3.6.1.4.1.9.9.150.1.1.3.1.6.7", "1.3.6.1.6.3.10"),
			oids("1.3.6.1.2.1.2", "1.3.6.1.4.1.9.9.149", "1.3.6.1.4.1.9.9.150.1.1.3.1.5.7", "1.3.6.1.4.1.9.9.151", "1.3.6.1.6.4"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := mustView(t, "v", tt.families...)
			for _, oid := range tt.in {
				if !v.Contains(oid) {
					t.Errorf("%s is outside", oid)
				}
			}
			for _, oid := range tt.out {
				if v.Contains(oid) {
					t.Errorf("%q is inside", oid)
				}
			}
		})
	}
}

func TestAfter(t *testing.T) {
	nested := []Family{included("1.3"), excluded("1.3.6"), included("1.3.6.1"), excluded("1.3.6.1.4")}
	tests := []struct {
		name     string
		families []Family
		oid      string
		want     string // "": none
	}{
		{"no families", nil, "1.3", ""},
		{"before", []Family{included("1.3.6")}, "1.2.9.9", "1.3.6"},
		{"a beginning of it", []Family{included("1.3.6")}, "1.3", "1.3.6"},
		{"behind", []Family{included("1.3.6")}, "1.3.7", ""},
		{"in an exclusion", []Family{included("1.3.6"), excluded("1.3.6.1")}, "1.3.6.1.4.1.9", "1.3.6.2"},
		{"at an exclusion", []Family{included("1.3.6"), excluded("1.3.6.1")}, "1.3.6.1", "1.3.6.2"},
		{"an exclusion at the end", []Family{included("1.3.6"), excluded("1.3.6.4294967295")}, "1.3.6.4294967295.1", ""},
		{"an exclusion at the end, and more", []Family{included("1"), excluded("1.3.4294967295")}, "1.3.4294967295.1", "1.4"},
		{"two exclusions side by side", []Family{included("1.3"), excluded("1.3.6"), excluded("1.3.7")}, "1.3.6.1", "1.3.8"},
		{"exclusion, inclusion below", nested, "1.3.6.0.9", "1.3.6.1"},
		{"the inner exclusion ends within the inclusion", nested, "1.3.6.1.4.1", "1.3.6.1.5"},
		{"the outer exclusion", nested, "1.3.6.2", "1.3.7"},
		{"inside: where the view next ends and begins", nested, "1.3.5", "1.3.6.1"},
		{"inside, and nothing behind", nested, "1.3.7", ""},
		{"inside without an end", []Family{included("4294967295")}, "4294967295.1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := mustView(t, "v", tt.families...)
			dst := make(mib.OID, 3, 32)
			got, ok := v.After(mib.MustOID(tt.oid), dst)
			if ok != (tt.want != "") || ok && got.Compare(mib.MustOID(tt.want)) != 0 || !ok && len(got) != 0 {
				t.Fatalf("After(%s) = %q, %v, want %q", tt.oid, got, ok, tt.want)
			}
			if &got[:1][0] != &dst[0] {
				t.Error("dst is not used")
			}
			same := append(make(mib.OID, 0, 32), mib.MustOID(tt.oid)...)
			if again, _ := v.After(same, same); again.Compare(got) != 0 {
				t.Errorf("into its own memory: %s, want %s", again, got)
			}
		})
	}
}

func TestAfterKeepsTheView(t *testing.T) {
	v := mustView(t, "v", included("1.3.6"))
	got, _ := v.After(mib.OID{1}, nil)
	got[0] = 9
	if !v.Contains(mib.OID{1, 3, 6}) {
		t.Error("the result of After shares memory with the view")
	}
}

func TestCovers(t *testing.T) {
	v := mustView(t, "v", included("1.3"), excluded("1.3.6.1"), included("1.3.6.1.4"), included("1.5"), included("1.6"), included("4294967295"))
	tests := []struct {
		name, oid string
		want      bool
	}{
		{"the family's subtree, with a hole", "1.3", false},
		{"above the hole", "1.3.6", false},
		{"the hole", "1.3.6.1", false},
		{"in the hole", "1.3.6.1.3", false},
		{"included in the hole", "1.3.6.1.4", true},
		{"below that", "1.3.6.1.4.1.9", true},
		{"before the hole", "1.3.6.0", true},
		{"behind the hole", "1.3.6.2", true},
		{"between families", "1.4", false},
		{"a whole family", "1.5", true},
		{"above the families", "1", false},
		{"the last one there is", "4294967295", true},
		{"the last one in that", "4294967295.4294967295", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := v.Covers(mib.MustOID(tt.oid)); got != tt.want {
				t.Errorf("Covers(%s) = %v", tt.oid, got)
			}
		})
	}
}

func TestNilView(t *testing.T) {
	var v *View
	oid := mib.MustOID("1.3.6.1")
	if _, ok := v.After(oid, nil); ok || v.Contains(oid) || v.Covers(oid) || v.Name() != "" || v.Families() != nil {
		t.Error("it has something")
	}
}

func TestNewViewErrors(t *testing.T) {
	long := func(n int) mib.OID { return slices.Repeat(mib.OID{1}, n) }
	tests := []struct {
		name, view string
		families   []Family
		want       string // "": no error
	}{
		{"nothing wrong", "v", []Family{included("1.3")}, ""},
		{"no name", "", nil, "name has 0 octets"},
		{"the longest name", strings.Repeat("n", 32), nil, ""},
		{"too long a name", strings.Repeat("n", 33), nil, "name has 33 octets"},
		{"a name that is no text", "\xff", nil, "not UTF-8"},
		{"an empty subtree", "v", []Family{{}}, "subtree has 0 sub-identifiers"},
		{"the longest subtree that has a row", "v", []Family{{Subtree: long(113)}}, ""},
		{"one more", "v", []Family{{Subtree: long(114)}}, "subtree has 114 sub-identifiers, want 1 to 113"},
		{"a subtree twice", "v", []Family{included("1.3"), included("1.4"), excluded("1.3")}, "subtree .1.3 is listed twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewView(tt.view, tt.families)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestFamiliesInTableOrder(t *testing.T) {
	given := []Family{included("2"), excluded("1.3.6.1"), included("1.4"), included("1.3")}
	v := mustView(t, "v", given...)
	want := []Family{included("2"), included("1.3"), included("1.4"), excluded("1.3.6.1")}
	if diff := cmp.Diff(want, v.Families()); diff != "" {
		t.Error(diff)
	}
	given[0].Subtree[0] = math.MaxUint32
	if v.Contains(given[0].Subtree) || !v.Contains(mib.OID{2}) {
		t.Error("the view shares memory with its caller")
	}
}

func TestViewsDoNotAllocate(t *testing.T) {
	v := mustView(t, "v", included("1.3.6.1"), excluded("1.3.6.1.4.1"), included("1.3.6.1.4.1.9.9.150"))
	in, out := mib.MustOID("1.3.6.1.4.1.9.9.150.1.1.3.1.2.7"), mib.MustOID("1.3.6.1.4.1.8")
	dst := make(mib.OID, 0, 16)
	if n := testing.AllocsPerRun(100, func() {
		if !v.Contains(in) || v.Contains(out) || !v.Covers(in) {
			t.Error("wrong")
		}
		dst, _ = v.After(out, dst)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
