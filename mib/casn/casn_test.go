package casn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/mib"
	"aaasess/mibs"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/termination"
)

var (
	entry   = Root.Append(1, 3, 1)
	begin   = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	testNAS = sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}
)

type fixture struct {
	table   *sessions.Table
	journal *sessionstest.Journal
	tree    *mib.Tree
	term    *termination.Terminator
	now     time.Time
	allowed bool
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{journal: sessionstest.NewJournal(), now: begin, allowed: true}
	t.Cleanup(f.journal.Close)
	f.table = sessions.New(sessions.Config{Now: func() time.Time { return f.now }}, f.journal)
	f.term = termination.New(termination.Config{}, f.table, nil, nil)
	var err error
	f.tree, err = mib.New(New(Config{Disconnect: func() bool { return f.allowed }}, f.table, f.term))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// runTerminator gives the fixture a Terminator that asks a NAS, and runs it until end is called.
func (f *fixture) runTerminator(t testing.TB, nas termination.Disconnector) (end func()) {
	t.Helper()
	f.term = termination.New(termination.Config{}, f.table, nas, slog.New(slog.DiscardHandler))
	var err error
	if f.tree, err = mib.New(New(Config{Disconnect: func() bool { return true }}, f.table, f.term)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.term.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func (f *fixture) apply(t testing.TB, ev sessions.Event) {
	t.Helper()
	ev.NAS, ev.Kind = testNAS, sessions.Network
	if ev.At.IsZero() {
		ev.At = begin
	}
	ev.Attrs += radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, ev.AcctSessionID))
	done := make(chan error, 1)
	if err := f.table.Apply(ev, func(err error) { done <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func user(name string, ip uint32) radius.Attributes {
	return radius.Attributes(radius.AppendUint32(radius.AppendAttribute(nil, radius.UserName, name), radius.FramedIPAddress, ip))
}

// TestAgainstModuleText compares every object's OID, type and access with the module that we
// publish.
func TestAgainstModuleText(t *testing.T) {
	objects, err := mibs.Objects("CISCO-AAA-SESSION-MIB")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, o := range objects {
		if o.Access != "not-accessible" {
			want[o.Name] = fmt.Sprint(mib.OID(o.OID), " ", o.Base, " ", o.Access)
		}
	}
	// Several SMI types have the same type on the wire (RFC 2578 section 7.1).
	base := map[mib.Type]string{mib.Integer32: "INTEGER"}
	got := map[string]string{}
	for _, d := range newFixture(t).tree.Defs() {
		name := d.Type.String()
		if d.Name == "casnCallTrackerId" {
			name = "Unsigned32"
		}
		if b, ok := base[d.Type]; ok && d.Name != "casnVaiIfIndex" {
			name = b
		}
		got[d.Name] = fmt.Sprint(d.OID, " ", name, " ", d.Access)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("text (-) and code (+) differ:\n%s", diff)
	}
}

// TestIdentity: our row of sysORTable names the module that Root is the first node of:
// casnMIBObjects is { ciscoAAASessionMIB 1 }.
func TestIdentity(t *testing.T) {
	ids := newFixture(t).tree.Identities()
	if len(ids) != 1 || ids[0].ID.Append(1).Compare(Root) != 0 || !strings.HasPrefix(ids[0].Descr, "CISCO-AAA-SESSION-MIB: ") {
		t.Errorf("identities %+v", ids)
	}
}

func show(v *mib.Value) string {
	switch v.Type {
	case mib.OctetString:
		return fmt.Sprintf("%q", v.Str)
	case mib.ObjectIdentifier:
		return v.OID.String()
	case mib.IpAddress:
		return netip.AddrFrom4([4]byte{byte(v.Num >> 24), byte(v.Num >> 16), byte(v.Num >> 8), byte(v.Num)}).String()
	case mib.Integer32, mib.Gauge32, mib.Counter32:
		return fmt.Sprint(v.Num)
	}
	return v.Type.String()
}

// TestWalk reads the whole module as a manager does, in order.
func TestWalk(t *testing.T) {
	f := newFixture(t)
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a", Attrs: user("alice", 0x0a010102)})
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "b", IfIndex: 12, PortIfIndex: 7})
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "c"})
	f.apply(t, sessions.Event{Type: sessions.Stop, AcctSessionID: "c"})
	if _, err := f.table.Disconnect([]sessions.ID{2}, nil); err != nil {
		t.Fatal(err)
	}
	f.apply(t, sessions.Event{Type: sessions.Interim, AcctSessionID: "a", At: begin.Add(5 * time.Second), Sent: sessions.WholeUsage, Usage: sessions.Usage{InputOctets: 1, SessionTime: 5}})
	f.now = begin.Add(20*time.Second + 900*time.Millisecond)

	var got []string
	r := f.tree.NewReader()
	at := Root
	for {
		var vb mib.Varbind
		r.Next(at, false, nil, &vb)
		if vb.Value.Type == mib.EndOfMibView {
			break
		}
		got = append(got, strings.TrimPrefix(vb.Name.String(), Root.String())+" "+show(&vb.Value))
		at = vb.Name
	}
	want := []string{
		".1.1.0 2", ".1.2.0 3",
		`.1.3.1.2.1 "alice"`, `.1.3.1.2.2 ""`,
		".1.3.1.3.1 10.1.1.2", ".1.3.1.3.2 0.0.0.0",
		".1.3.1.4.1 15", ".1.3.1.4.2 20",
		".1.3.1.5.1 2", ".1.3.1.5.2 1",
		".1.3.1.6.1 0", ".1.3.1.6.2 0",
		".1.3.1.7.1 .0.0", ".1.3.1.7.2 .1.3.6.1.2.1.2.2.1.1.7",
		".1.3.1.8.1 0", ".1.3.1.8.2 12",
		".2.1.0 3", ".2.2.0 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCasnUserID(t *testing.T) {
	tests := []struct{ name, user, want string }{
		{"plain", "alice", "alice"},
		{"none", "", ""},
		{"blanks and signs", `DOM\a l"i'ce`, `DOM\a l"i'ce`},
		{"UTF-8", "Zoë", `Zo\xc3\xab`},
		{"control octets", "a\x00b\n", `a\x00b\x0a`},
		{"not plain, with a backslash", "\xff\\", `\xff\\`},
		{"255 octets", strings.Repeat("x", 255), strings.Repeat("x", 255)},
		{"too long", strings.Repeat("x", 300), strings.Repeat("x", 255)},
		{"too long when escaped", strings.Repeat("\xff", 100), strings.Repeat(`\xff`, 63)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := displayable(tt.user); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func assign(id uint32, value int32) mib.Varbind {
	return mib.Varbind{Name: entry.Append(5, id), Value: mib.Value{Type: mib.Integer32, Num: uint64(uint32(value))}}
}

// TestSetCasnDisconnect has every error of R4, and shows that a PDU is all or nothing.
func TestSetCasnDisconnect(t *testing.T) {
	tests := []struct {
		name   string
		vbs    []mib.Varbind
		status mib.ErrorStatus
		index  int
		marked string // the sessions 1..4 afterwards, x means terminating; initially only 4 is
	}{
		{"true", []mib.Varbind{assign(2, 1)}, mib.NoError, 0, ".x.x"},
		{"true for many", []mib.Varbind{assign(3, 1), assign(1, 1)}, mib.NoError, 0, "x.xx"},
		{"true twice", []mib.Varbind{assign(3, 1), assign(3, 1)}, mib.NoError, 0, "..xx"},
		{"true again", []mib.Varbind{assign(4, 1)}, mib.NoError, 0, "...x"},
		{"false has no effect", []mib.Varbind{assign(1, 2)}, mib.NoError, 0, "...x"},
		{"false does not cancel", []mib.Varbind{assign(1, 1), assign(4, 2)}, mib.InconsistentValue, 2, "...x"},
		{"true and false", []mib.Varbind{assign(1, 1), assign(1, 2)}, mib.InconsistentValue, 2, "...x"},
		{"no such row", []mib.Varbind{assign(1, 1), assign(9, 1)}, mib.NoCreation, 2, "...x"},
		{"an index of two", []mib.Varbind{{Name: entry.Append(5, 1, 1), Value: assign(1, 1).Value}}, mib.NoCreation, 1, "...x"},
		{"value 0", []mib.Varbind{assign(1, 0)}, mib.WrongValue, 1, "...x"},
		{"value 3", []mib.Varbind{assign(1, 1), assign(2, 3)}, mib.WrongValue, 2, "...x"},
		{"wrong type", []mib.Varbind{{Name: entry.Append(5, 1), Value: mib.Value{Type: mib.Gauge32, Num: 1}}}, mib.WrongType, 1, "...x"},
		{"a read-only column", []mib.Varbind{assign(1, 1), {Name: entry.Append(4, 1), Value: mib.Value{Type: mib.Gauge32}}}, mib.NotWritable, 2, "...x"},
		{"a scalar", []mib.Varbind{{Name: Root.Append(2, 2, 0), Value: mib.Value{Type: mib.Counter32}}}, mib.NotWritable, 1, "...x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			for i := range 4 {
				f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: fmt.Sprint(i)})
			}
			if _, err := f.table.Disconnect([]sessions.ID{4}, nil); err != nil {
				t.Fatal(err)
			}
			f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "0"}) // a copy: waits for the events before it
			set, err := f.tree.Test(tt.vbs)
			if err == nil {
				err = set.Commit()
				set.Cleanup()
			}
			if se, _ := errors.AsType[*mib.SetError](err); tt.status == mib.NoError && err != nil ||
				tt.status != mib.NoError && (se == nil || se.Status != tt.status || se.Index != tt.index) {
				t.Errorf("got %v, want %s at %d", err, tt.status, tt.index)
			}
			marked := ""
			for s := range f.table.View().All() {
				marked += map[bool]string{true: "x", false: "."}[s.State == sessions.Terminating]
			}
			if marked != tt.marked {
				t.Errorf("terminating %s, want %s", marked, tt.marked)
			}
			if n := f.table.View().Disconnected; n != uint64(strings.Count(marked, "x")) {
				t.Errorf("casnDisconnectedSessions is %d", n)
			}
		})
	}
}

func TestSetWhenDisconnectIsOff(t *testing.T) {
	f := newFixture(t)
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
	f.allowed = false
	_, err := f.tree.Test([]mib.Varbind{assign(1, 1)})
	if se, _ := errors.AsType[*mib.SetError](err); se == nil || se.Status != mib.NotWritable {
		t.Errorf("got %v", err)
	}
}

// TestSetOnRowThatEnds: the session ends between test and commit; nothing of the request is done.
func TestSetOnRowThatEnds(t *testing.T) {
	f := newFixture(t)
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "b"})
	set, err := f.tree.Test([]mib.Varbind{assign(1, 1), assign(2, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f.apply(t, sessions.Event{Type: sessions.Stop, AcctSessionID: "b"})
	err = set.Commit()
	if se, _ := errors.AsType[*mib.SetError](err); se == nil || se.Status != mib.CommitFailed || se.Index != 2 {
		t.Errorf("got %v", err)
	}
	if v := f.table.View(); v.Get(1).State != sessions.Active || v.Disconnected != 0 {
		t.Error("the other session was marked")
	}
}

func TestSetUndone(t *testing.T) {
	f := newFixture(t)
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "b"})
	if _, err := f.table.Disconnect([]sessions.ID{2}, nil); err != nil {
		t.Fatal(err)
	}
	set, err := f.tree.Test([]mib.Varbind{assign(1, 1), assign(2, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(set.Commit(), set.Undo()); err != nil {
		t.Fatal(err)
	}
	f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
	v := f.table.View()
	if v.Get(1).State != sessions.Active || v.Get(2).State != sessions.Terminating || v.Disconnected != 1 {
		t.Errorf("states %s %s, counted %d", v.Get(1).State, v.Get(2).State, v.Disconnected)
	}
}

// TestSetWhenDiskHangs: a commit answers within the master's second and leaves no session marked.
func TestSetWhenDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: "a"})
		set, err := f.tree.Test([]mib.Varbind{assign(1, 1)})
		if err != nil {
			t.Fatal(err)
		}
		f.journal.Hold(true)
		asked := time.Now()
		err = set.Commit()
		if se, _ := errors.AsType[*mib.SetError](err); se == nil || se.Status != mib.CommitFailed || !errors.Is(err, errNotDurable) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(asked); d >= time.Second {
			t.Errorf("took %v", d)
		}
		f.journal.Hold(false)
		synctest.Wait()
		if v := f.table.View(); v.Get(1).State != sessions.Active || v.Disconnected != 0 {
			t.Error("still marked")
		}
	})
}

// TestWalkWhileTableChanges: each permanent row is seen exactly once, and ids ascend.
func TestWalkWhileTableChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t)
		const n = 40
		for i := range n {
			f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: fmt.Sprint(i)})
		}
		stays := map[uint32]bool{}
		for i := range n {
			stays[uint32(i+1)] = true
		}
		column := entry.Append(2)
		r := f.tree.NewReader()
		at, seen, added := column, map[uint32]int{}, 0
		for {
			if rapid.Bool().Draw(rt, "change") {
				if i := rapid.IntRange(0, n-1).Draw(rt, "stop"); stays[uint32(i+1)] {
					f.apply(t, sessions.Event{Type: sessions.Stop, AcctSessionID: fmt.Sprint(i)})
					delete(stays, uint32(i+1))
				}
				if added < 20 {
					added++
					f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: fmt.Sprint("new", added)})
				}
			}
			var vb mib.Varbind
			r.Next(at, false, nil, &vb)
			r.Release()
			if !vb.Name.HasPrefix(column) {
				break
			}
			if vb.Name.Compare(at) <= 0 {
				rt.Fatalf("%s after %s", vb.Name, at)
			}
			seen[vb.Name[len(vb.Name)-1]]++
			at = vb.Name
		}
		for id := range stays {
			if seen[id] != 1 {
				rt.Fatalf("row %d seen %d times", id, seen[id])
			}
		}
	})
}

// TestNextDoesNotAllocate covers every column.
func TestNextDoesNotAllocate(t *testing.T) {
	f := newFixture(t)
	for i := range 100 {
		f.apply(t, sessions.Event{Type: sessions.Start, AcctSessionID: fmt.Sprint(i), Attrs: user("alice", 1), PortIfIndex: 3})
	}
	r := f.tree.NewReader()
	var at, vb mib.Varbind
	at.Name = append(at.Name, Root...)
	allocs := testing.AllocsPerRun(2000, func() {
		r.Next(at.Name, false, nil, &vb)
		r.Release()
		if vb.Value.Type == mib.EndOfMibView {
			at.Name = append(at.Name[:0], Root...)
			return
		}
		at, vb = vb, at
	})
	if allocs != 0 {
		t.Errorf("%v allocations a step", allocs)
	}
}
