package aaasess

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/mib"
	"aaasess/mibs"
)

const kibibyte = 1 << 10

// full is a view whose values all differ.
func full() *View {
	return NewView(View{
		Version: "1.2.3", UpTime: 1500 * time.Millisecond, Reasons: 3, Sessions: 4,
		Store: Store{Refused: true, Free: 5*kibibyte + 1023, MinFree: 6 * kibibyte, WarnFree: 7 * kibibyte},
		Spool: Spool{
			Over: true, Records: 8, Oldest: 9*time.Second + 999*time.Millisecond, Size: 10 * kibibyte, MaxSize: 11 * kibibyte,
			WarnRecords: 12, WarnAge: 13 * time.Second, WarnSize: 14 * kibibyte, SetAside: 15,
		},
	}, []Method{
		{Name: "group isp", Protocol: RADIUS, Servers: 16, ServersUp: 17, Records: 18, Oldest: 19 * time.Second, Since: 20 * time.Second, Reason: AccountingOn},
		{Name: "local", Protocol: File},
	})
}

// variables is what a walk of full reads.
var variables = []string{
	`aaasessVersion.0 "1.2.3"`, "aaasessUpTime.0 TimeTicks 150", "aaasessVerdict.0 Integer32 2", "aaasessReasons.0 Gauge32 3", "aaasessSessions.0 Gauge32 4",
	"aaasessEventState.0 Integer32 2", "aaasessDiskState.0 Integer32 1", "aaasessDiskFree.0 Gauge32 5", "aaasessDiskMinFree.0 Gauge32 6", "aaasessDiskWarnFree.0 Gauge32 7",
	"aaasessSpoolState.0 Integer32 2", "aaasessSpoolRecords.0 Gauge32 8", "aaasessSpoolOldest.0 Gauge32 9", "aaasessSpoolSize.0 Gauge32 10", "aaasessSpoolMaxSize.0 Gauge32 11",
	"aaasessSpoolWarnRecords.0 Gauge32 12", "aaasessSpoolWarnAge.0 Gauge32 13", "aaasessSpoolWarnSize.0 Gauge32 14", "aaasessSpoolSetAside.0 Gauge32 15",
	"aaasessMethodProtocol.local Integer32 3", "aaasessMethodProtocol.group isp Integer32 2",
	"aaasessMethodServers.local Gauge32 0", "aaasessMethodServers.group isp Gauge32 16",
	"aaasessMethodServersUp.local Gauge32 0", "aaasessMethodServersUp.group isp Gauge32 17",
	"aaasessMethodRecords.local Gauge32 0", "aaasessMethodRecords.group isp Gauge32 18",
	"aaasessMethodOldest.local Gauge32 0", "aaasessMethodOldest.group isp Gauge32 19",
	"aaasessMethodState.local Integer32 1", "aaasessMethodState.group isp Integer32 2",
	"aaasessMethodStateTime.local Gauge32 0", "aaasessMethodStateTime.group isp Gauge32 20",
	"aaasessMethodReason.local Integer32 1", "aaasessMethodReason.group isp Integer32 3",
}

func newTree(t testing.TB, enterprise uint32, v *View) *mib.Tree {
	t.Helper()
	tree, err := mib.New(New(enterprise, func() *View { return v }))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// show prints a variable by its name, with the name of a method as text.
func show(tree *mib.Tree, vb *mib.Varbind) string {
	name := tree.Describe(vb.Name)
	if object, index, ok := strings.Cut(name, "."); ok && index != "0" {
		var octets []byte
		for _, n := range vb.Name[len(vb.Name)-strings.Count(index, "."):] {
			octets = append(octets, byte(n))
		}
		name = object + "." + string(octets)
	}
	if vb.Value.Type == mib.OctetString {
		return fmt.Sprintf("%s %q", name, vb.Value.Str)
	}
	return fmt.Sprintf("%s %s %d", name, vb.Value.Type, vb.Value.Num)
}

func walk(t testing.TB, tree *mib.Tree) (all []mib.Varbind) {
	t.Helper()
	r, at := tree.NewReader(), mib.OID{1}
	for {
		var vb mib.Varbind
		r.Next(at, false, nil, &vb)
		if vb.Value.Type == mib.EndOfMibView {
			return all
		}
		var got mib.Value
		r.Get(vb.Name, &got)
		if diff := cmp.Diff(vb.Value, got); diff != "" {
			t.Errorf("GET of %s: %s", tree.Describe(vb.Name), diff)
		}
		all, at = append(all, vb), vb.Name
	}
}

// TestWalk reads every object: one with the value of another would differ.
func TestWalk(t *testing.T) {
	for _, enterprise := range []uint32{1, Enterprise, MaxEnterprise} {
		t.Run(fmt.Sprint(enterprise), func(t *testing.T) {
			tree := newTree(t, enterprise, full())
			var got []string
			for _, vb := range walk(t, tree) {
				if !vb.Name.HasPrefix(mib.MustOID(fmt.Sprintf("1.3.6.1.4.1.%d.1", enterprise))) {
					t.Errorf("%v is elsewhere", vb.Name)
				}
				got = append(got, show(tree, &vb))
			}
			if diff := cmp.Diff(variables, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

// TestText: the objects of the module are those of its text.
func TestText(t *testing.T) {
	types := map[string]mib.Type{"INTEGER": mib.Integer32, "Gauge32": mib.Gauge32, "TimeTicks": mib.TimeTicks, "OCTET STRING": mib.OctetString}
	objects, err := mibs.Objects(name)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []mib.Def
	for _, o := range objects {
		if o.Access != "not-accessible" {
			want = append(want, mib.Def{Name: o.Name, OID: o.OID, Type: types[o.Base], Access: mib.ReadOnly})
		}
	}
	for _, o := range New(Enterprise, full).(*mib.Module[*View]).Objects {
		switch o := o.(type) {
		case scalar:
			got = append(got, o.Def)
		case column:
			got = append(got, o.Def)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("text (-), module (+):\n%s", diff)
	}
	if text := Text(7); strings.Count(text, "{ enterprises 7 }") != 1 || strings.Contains(text, "{ enterprises 32473 }") {
		t.Error("the text for 7 has another number")
	}
}

// TestValues: numbers that an object has no room for.
func TestValues(t *testing.T) {
	for name, tt := range map[string]struct{ got, want uint32 }{
		"more than a Gauge32":     {gauge(uint64(math.MaxUint64)), math.MaxUint32},
		"the largest":             {gauge(uint64(math.MaxUint32)), math.MaxUint32},
		"a negative number":       {gauge(-1), 0},
		"unknown octets":          {kib(-1), math.MaxUint32},
		"less than a KiB":         {kib(1023), 0},
		"4 TiB":                   {kib(1 << 42), math.MaxUint32},
		"4 TiB less a KiB":        {kib(1<<42 - 1024), math.MaxUint32},
		"4 TiB less two KiB":      {kib(1<<42 - 2048), math.MaxUint32 - 1},
		"a clock that went back":  {seconds(-time.Hour), 0},
		"nearly a second":         {seconds(time.Second - 1), 0},
		"the first state":         {uint32(second(false)), 1},
		"two hundred years later": {seconds(200 * 365 * 24 * time.Hour), math.MaxUint32},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("%d, want %d", tt.got, tt.want)
			}
		})
	}
}

// TestNotifications: a notification has the OID and the objects of the text, with the values that a walk
// reads.
func TestNotifications(t *testing.T) {
	const enterprise = 4711
	v := full()
	tree := newTree(t, enterprise, v)
	untested, numbers := map[string]bool{}, map[string]string{}
	re := regexp.MustCompile(`(?s)(\w+) NOTIFICATION-TYPE\s+OBJECTS.*?::= \{ aaasessNotifications (\d+) \}`)
	for _, m := range re.FindAllStringSubmatch(mibs.Own, -1) {
		untested[m[1]], numbers[m[1]] = true, m[2]
	}
	tests := map[string]func(bad bool) (mib.OID, []mib.Varbind){
		"aaasessSpoolOver aaasessSpoolNormal": func(bad bool) (mib.OID, []mib.Varbind) {
			s := v.Spool
			s.Over = bad
			return SpoolChange(enterprise, &s)
		},
		"aaasessDiskShort aaasessDiskEnough": func(bad bool) (mib.OID, []mib.Varbind) {
			s := v.Store
			s.Short = bad
			return DiskChange(enterprise, &s)
		},
		"aaasessEventsRefused aaasessEventsAccepted": func(bad bool) (mib.OID, []mib.Varbind) {
			s := v.Store
			s.Refused = bad
			return EventsChange(enterprise, &s, &v.Spool)
		},
		"aaasessMethodBlocked aaasessMethodFlowing": func(bad bool) (mib.OID, []mib.Varbind) {
			m := v.methods[1].Method
			if !bad {
				m.Reason = Flowing
			}
			return MethodChange(enterprise, &m)
		},
	}
	for pair, change := range tests {
		for i, name := range strings.Fields(pair) {
			t.Run(name, func(t *testing.T) {
				id, list := change(i == 0)
				if want := fmt.Sprintf(".1.3.6.1.4.1.%d.1.0.%s", enterprise, numbers[name]); id.String() != want {
					t.Errorf("it is %v, want %s", id, want)
				}
				delete(untested, name)
				r := tree.NewReader()
				var names []string
				for n, vb := range list {
					object, _, _ := strings.Cut(tree.Describe(vb.Name), ".")
					names = append(names, object)
					var read mib.Value
					r.Get(vb.Name, &read)
					state := n == 0 || object == "aaasessMethodReason"
					switch {
					case read.Type != vb.Value.Type, !state && !cmp.Equal(read, vb.Value):
						t.Errorf("%s is %v, a manager reads %v", object, vb.Value, read)
					case n == 0 && vb.Value.Int32() != int32(2-i):
						t.Errorf("%s is %d", object, vb.Value.Int32())
					}
				}
				want := notificationObjects(t, name)
				if !slices.Equal(names, want) {
					t.Errorf("it has %q, want %q", names, want)
				}
			})
		}
	}
	if len(untested) > 0 {
		t.Errorf("the text also has %q", slices.Sorted(maps.Keys(untested)))
	}
}

func notificationObjects(t *testing.T, name string) []string {
	t.Helper()
	m := regexp.MustCompile(`(?s)\n` + name + ` NOTIFICATION-TYPE\s+OBJECTS\s+\{(.*?)\}`).FindStringSubmatch(mibs.Own)
	if m == nil {
		t.Fatalf("the text has no %s", name)
	}
	return strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(" \n,", r) })
}

// TestRows: any request for a row finds the one that a search from the first row finds.
func TestRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringN(1, 4, 8), func(s string) string { return s }).Draw(t, "names")
		var list []Method
		var indexes []mib.OID
		for _, n := range names {
			list, indexes = append(list, Method{Name: n}), append(indexes, indexOf(n))
		}
		slices.SortFunc(indexes, mib.OID.Compare)
		v := NewView(View{}, list)
		asked := mib.OID(rapid.SliceOfN(rapid.Uint32Range(0, 130), 0, 6).Draw(t, "index"))
		if len(indexes) > 0 && rapid.Bool().Draw(t, "of a row") {
			asked = rapid.SampledFrom(indexes).Draw(t, "row")
		}
		include := rapid.Bool().Draw(t, "include")
		i := slices.IndexFunc(indexes, func(o mib.OID) bool { return o.Compare(asked) > 0 || include && o.Compare(asked) == 0 })
		prefix := mib.OID{1, 2}
		got, r, ok := nextRow(v, asked, include, prefix)
		if ok != (i >= 0) || ok && (got.Compare(prefix.Append(indexes[i]...)) != 0 || r.index.Compare(indexes[i]) != 0) {
			t.Fatalf("the row after %v is %v, %v", asked, got, ok)
		}
		_, found := getRow(v, asked)
		if found != slices.ContainsFunc(indexes, func(o mib.OID) bool { return o.Compare(asked) == 0 }) {
			t.Fatalf("row %v is there: %v", asked, found)
		}
	})
}
