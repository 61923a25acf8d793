package radiusclient

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/servers"
	"aaasess/mib"
	"aaasess/mibs"
	"aaasess/sessions/radius/dae"
)

// model is a walk of the simplest kind: all variables in a list.
type model struct {
	names []mib.OID
}

// add adds all columns of an entry, from one to the other, for rows with these numbers.
func (m *model) add(entry mib.OID, from, to int, numbers ...uint32) {
	for sub := from; sub <= to; sub++ {
		for _, n := range numbers {
			m.names = append(m.names, entry.Append(uint32(sub), n))
		}
	}
}

// next returns the first name after start, or at it; nil if there is none.
func (m *model) next(start mib.OID, include bool) mib.OID {
	for _, n := range m.names {
		if c := n.Compare(start); c > 0 || c == 0 && include {
			return n
		}
	}
	return nil
}

func (m *model) sort() { slices.SortFunc(m.names, mib.OID.Compare) }

// drawView draws servers and NASes. It returns the model of the variables that they have.
func drawView(t *rapid.T) (*servers.View, *dae.NASView, *model) {
	m := &model{}
	for _, root := range []mib.OID{accRoot, authRoot} {
		m.names = append(m.names, root.Append(1, 1, 0), root.Append(1, 2, 0))
	}
	m.names = append(m.names, dynAuthRoot.Append(1, 1, 0), dynAuthRoot.Append(1, 2, 0))
	number := rapid.OneOf(rapid.Uint32Range(1, 12), rapid.Uint32Range(1, 1<<31-1))
	v := &servers.View{Now: now}
	for i, n := range rapid.SliceOfNDistinct(number, 0, 12, rapid.ID[uint32]).Draw(t, "servers") {
		e := servers.Entry{Index: uint32(i + 1), Number: n}
		e.Protocol = rapid.SampledFrom([]servers.Protocol{servers.TACACS, servers.RADIUS, servers.RADIUS}).Draw(t, "protocol")
		e.AuthPort, e.AcctPort = rapid.SampledFrom([]uint16{0, 1812}).Draw(t, "auth"), rapid.SampledFrom([]uint16{0, 1813}).Draw(t, "acct")
		addr := rapid.SampledFrom([]string{"", "192.0.2.1", "2001:db8::1"}).Draw(t, "address")
		e.Addr, _ = netip.ParseAddr(addr)
		v.Entries = append(v.Entries, e)
		if e.Protocol == servers.RADIUS && e.AcctPort != 0 {
			m.add(accRoot.Append(1, 4, 1), 2, 15, n)
			if e.Addr.Is4() {
				m.add(accRoot.Append(1, 3, 1), 2, 13, n)
			}
		}
		if e.Protocol == servers.RADIUS && e.AuthPort != 0 {
			m.add(authRoot.Append(1, 4, 1), 2, 17, n)
			if e.Addr.Is4() {
				m.add(authRoot.Append(1, 3, 1), 2, 15, n)
			}
		}
	}
	nases := &dae.NASView{Now: now}
	indexes := rapid.SliceOfNDistinct(number, 0, 12, rapid.ID[uint32]).Draw(t, "NASes")
	slices.Sort(indexes)
	for _, n := range indexes {
		nases.List = append(nases.List, dae.NASStats{Index: n})
		m.add(dynAuthRoot.Append(2, 1), 2, 32, n)
	}
	m.sort()
	return v, nases, m
}

// drawStart draws a name near the variables of a model.
func drawStart(t *rapid.T, m *model) mib.OID {
	start := slices.Clone(rapid.SampledFrom(m.names).Draw(t, "near"))
	switch rapid.IntRange(0, 3).Draw(t, "change") {
	case 1:
		start = start[:rapid.IntRange(1, len(start)).Draw(t, "length")]
	case 2:
		start = append(start, rapid.SliceOfN(rapid.Uint32Range(0, 3), 1, 3).Draw(t, "longer")...)
	case 3:
		at := rapid.IntRange(0, len(start)-1).Draw(t, "at")
		start[at] = rapid.OneOf(rapid.Just(start[at]+1), rapid.Just(start[at]-1), rapid.Uint32()).Draw(t, "sub-identifier")
	}
	return start
}

// TestNextAgainstModel: GETNEXT of any name finds what a search of the sorted list of all variables
// finds, and GET finds exactly the variables of the list.
func TestNextAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, nases, m := drawView(t)
		view := func() *servers.View { return v }
		tree, err := mib.New(NewAcc(view), NewAuth(view), NewDynAuth(func() *dae.NASView { return nases }))
		if err != nil {
			t.Fatal(err)
		}
		r := tree.NewReader()
		for range 50 {
			start, include := drawStart(t, m), rapid.Bool().Draw(t, "include")
			var vb mib.Varbind
			r.Next(start, include, nil, &vb)
			want := m.next(start, include)
			if found := vb.Value.Type != mib.EndOfMibView; found != (want != nil) || found && vb.Name.Compare(want) != 0 {
				t.Fatalf("after %v (include %v): %v, want %v", start, include, vb.Name, want)
			}
			var got mib.Value
			r.Get(start, &got)
			has := m.next(start, true).Compare(start) == 0
			if found := got.Type != mib.NoSuchObject && got.Type != mib.NoSuchInstance; found != has {
				t.Fatalf("GET of %v: %v, want one: %v", start, got.Type, has)
			}
			if rapid.Bool().Draw(t, "new request") {
				r.Release()
			}
		}
	})
}

// TestUnusedServer: a server that nothing has used yet has rows of zeros.
func TestUnusedServer(t *testing.T) {
	v := &servers.View{Now: now, Entries: []servers.Entry{{
		Identity: servers.Identity{Protocol: servers.RADIUS, AuthPort: 1812, AcctPort: 1813}, Number: 1, Addr: netip.MustParseAddr("192.0.2.1"),
	}}}
	for _, part := range []mib.Part{NewAcc(func() *servers.View { return v }), NewAuth(func() *servers.View { return v })} {
		n := 0
		for _, line := range walk(t, part) {
			if strings.Contains(line, "ClientCounterDiscontinuity.1 ") || strings.Contains(line, "Requests.1 ") {
				n++
				if !strings.HasSuffix(line, " 0") {
					t.Error(line)
				}
			}
		}
		if n != 5 {
			t.Errorf("%d columns", n)
		}
	}
}

// TestAgainstModuleTexts compares every object's OID, type and access with the modules that we publish.
func TestAgainstModuleTexts(t *testing.T) {
	view := func() *servers.View { return &servers.View{} }
	for module, part := range map[string]mib.Part{
		"RADIUS-ACC-CLIENT-MIB": NewAcc(view), "RADIUS-AUTH-CLIENT-MIB": NewAuth(view),
		"RADIUS-DYNAUTH-CLIENT-MIB": NewDynAuth(func() *dae.NASView { return &dae.NASView{} }),
	} {
		objects, err := mibs.Objects(module)
		if err != nil {
			t.Fatal(err)
		}
		// Several SMI types have the same type on the wire (RFC 2578 section 7.1).
		wire := map[string]string{"INTEGER": "Integer32", "Unsigned32": "Gauge32"}
		want, got := map[string]string{}, map[string]string{}
		for _, o := range objects {
			if o.Access != "not-accessible" {
				base, ok := wire[o.Base]
				if !ok {
					base = o.Base
				}
				want[o.Name] = fmt.Sprint(mib.OID(o.OID), " ", base, " ", o.Access)
			}
		}
		tree, err := mib.New(part)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Defs() {
			got[d.Name] = fmt.Sprint(d.OID, " ", d.Type, " ", d.Access)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: text (-) and code (+) differ:\n%s", module, diff)
		}
	}
}

// TestRowsOfView: a row is that of the view which its request began with, and the next request sees the
// next view.
func TestRowsOfView(t *testing.T) {
	views := []*servers.View{serverView(), serverView()}
	views[1].Entries[2].Accounting.Requests = 77
	at := 0
	tree, err := mib.New(NewAcc(func() *servers.View { return views[at] }))
	if err != nil {
		t.Fatal(err)
	}
	r := tree.NewReader()
	requests := func() (v mib.Value) {
		r.Get(accRoot.Append(1, 4, 1, 6, 2), &v)
		return v
	}
	first := requests()
	at = 1
	if same := requests(); first.Num != 1052 || same.Num != 1052 {
		t.Errorf("%d and then %d in one request, want 1052", first.Num, same.Num)
	}
	r.Release()
	if next := requests(); next.Num != 77 {
		t.Errorf("%d in the next request, want 77", next.Num)
	}
}

// TestIdentities: the rows of sysORTable name the modules that the roots are the first nodes of.
func TestIdentities(t *testing.T) {
	view := func() *servers.View { return &servers.View{} }
	tree, err := mib.New(NewAcc(view), NewAuth(view), NewDynAuth(func() *dae.NASView { return &dae.NASView{} }))
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range tree.Identities() {
		if id.ID.Append(1).Compare(tree.Roots()[i]) != 0 || !strings.Contains(id.Descr, "-CLIENT-MIB: ") {
			t.Errorf("identity %+v of %v", id, tree.Roots()[i])
		}
	}
	if n := len(tree.Identities()); n != 3 {
		t.Errorf("%d identities", n)
	}
}

// fill returns a tree of all three modules with n servers and n NASes, and a function that makes the
// next view.
func fill(tb testing.TB, n int) (*mib.Tree, func()) {
	tb.Helper()
	v, nases := &servers.View{Now: now, NASIdentifier: "nas-1"}, &dae.NASView{Now: now}
	for i := range n {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if i%2 == 1 {
			addr = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)})
		}
		v.Entries = append(v.Entries, servers.Entry{
			Identity: servers.Identity{Protocol: servers.RADIUS, Name: fmt.Sprint(i), AuthPort: 1812, AcctPort: 1813},
			Index:    uint32(i + 1), Number: uint32(i + 1), Addr: addr,
			Authentication: servers.Stats{CountedSince: now.Add(-time.Hour)}, Accounting: servers.Stats{CountedSince: now.Add(-time.Hour)},
		})
		nases.List = append(nases.List, dae.NASStats{Index: uint32(i + 1), Addr: netip.AddrPortFrom(addr, 3799), Identifier: "bras", Since: now.Add(-time.Hour)})
	}
	view := func() *servers.View { return v }
	tree, err := mib.New(NewAcc(view), NewAuth(view), NewDynAuth(func() *dae.NASView { return nases }))
	if err != nil {
		tb.Fatal(err)
	}
	return tree, func() {
		nextView, nextNASes := *v, *nases
		v, nases = &nextView, &nextNASes
	}
}

// step is one request of a walk that begins anew at its end.
func step(r *mib.Reader, at, vb *mib.Varbind) {
	r.Next(at.Name, false, nil, vb)
	r.Release()
	if vb.Value.Type == mib.EndOfMibView {
		vb.Name = append(vb.Name[:0], 1)
	}
	*at, *vb = *vb, *at
}

// TestNextDoesNotAllocate covers every column of the modules.
func TestNextDoesNotAllocate(t *testing.T) {
	tree, _ := fill(t, 20)
	r := tree.NewReader()
	at, vb := mib.Varbind{Name: mib.OID{1}}, mib.Varbind{}
	for range 3 { // the state of the view is made
		step(r, &at, &vb)
	}
	if allocs := testing.AllocsPerRun(3*20*90, func() { step(r, &at, &vb) }); allocs != 0 {
		t.Errorf("%v allocations a step", allocs)
	}
}

// BenchmarkGetNext walks all tables, one column after the other.
func BenchmarkGetNext(b *testing.B) {
	for _, n := range []int{10, 1000, 16384} {
		b.Run(fmt.Sprint("rows=", n), func(b *testing.B) {
			tree, _ := fill(b, n)
			r := tree.NewReader()
			at, vb := mib.Varbind{Name: mib.OID{1}}, mib.Varbind{}
			b.ReportAllocs()
			for b.Loop() {
				step(r, &at, &vb)
			}
		})
	}
}

// BenchmarkNewView is the first request after each view: at most ten in a second.
func BenchmarkNewView(b *testing.B) {
	for _, n := range []int{10, 16384} {
		b.Run(fmt.Sprint("rows=", n), func(b *testing.B) {
			tree, next := fill(b, n)
			r := tree.NewReader()
			at, vb := mib.Varbind{Name: mib.OID{1}}, mib.Varbind{}
			b.ReportAllocs()
			for b.Loop() {
				next()
				step(r, &at, &vb)
			}
		})
	}
}
