package cas

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/servers"
	"aaasess/mib"
	"aaasess/mibs"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// daemon has the servers of a configuration file, to which it applies overlays.
type daemon struct {
	mu      sync.Mutex
	file    []servers.Entry
	overlay servers.Overlay
	view    *servers.View
	enabled bool

	keyless  map[servers.Protocol]bool // protocols without a global key
	readOnly bool
	now      time.Time
	applies  int
	limit    time.Duration // of the last Apply; its caller has the turn
	fail     func() error  // of Apply and SetStateChangeEnabled; nil: they succeed

	part mib.Part
	tree *mib.Tree
	mod  *module
}

func newDaemon(t testing.TB, file ...servers.Entry) *daemon {
	t.Helper()
	return newLoggingDaemon(t, nil, file...)
}

func newLoggingDaemon(t testing.TB, logger *slog.Logger, file ...servers.Entry) *daemon {
	t.Helper()
	d := &daemon{file: file, now: begin, keyless: map[servers.Protocol]bool{}}
	d.build()
	m := New(Config{
		View:     func() *servers.View { d.mu.Lock(); defer d.mu.Unlock(); return d.view },
		Writable: func() bool { return !d.readOnly },
		Overlay:  func() servers.Overlay { d.mu.Lock(); defer d.mu.Unlock(); return d.overlay },
		Apply: func(next servers.Overlay, limit time.Duration) error {
			d.limit = limit
			return d.apply(next)
		},
		Restore:            func(before servers.Overlay) error { return d.apply(before) },
		GlobalKey:          func(p servers.Protocol) bool { return !d.keyless[p] },
		StateChangeEnabled: func() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.enabled },
		SetStateChangeEnabled: func(on bool) error {
			if d.fail != nil {
				if err := d.fail(); err != nil {
					return err
				}
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			d.enabled = on
			return nil
		},
		Now:    func() time.Time { d.mu.Lock(); defer d.mu.Unlock(); return d.now },
		Logger: logger,
	})
	d.part, d.mod = m, m.Writer.(*module)
	var err error
	if d.tree, err = mib.New(m); err != nil {
		t.Fatal(err)
	}
	return d
}

// apply makes an overlay the one in use.
func (d *daemon) apply(next servers.Overlay) error {
	if d.fail != nil {
		if err := d.fail(); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.overlay = next
	d.applies++
	d.build()
	return nil
}

// pass lets time pass.
func (d *daemon) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// build makes the View of the file with the overlay. The caller holds mu.
func (d *daemon) build() {
	v := &servers.View{Now: d.now}
	for _, e := range d.file {
		if !slices.Contains(d.overlay.Destroyed, e.Key()) {
			v.Entries = append(v.Entries, e)
		}
	}
	for i := range d.overlay.Created {
		c := &d.overlay.Created[i]
		v.Entries = append(v.Entries, servers.Entry{
			Identity: servers.Identity{Protocol: c.Protocol, Name: c.Name(), Host: c.Addr.String(), AuthPort: c.AuthPort, AcctPort: c.AcctPort, Index: c.Index},
			Index:    c.Index, Number: c.Index, Addr: c.Addr, State: servers.Lifetime{Since: d.now},
		})
	}
	priority := map[servers.Protocol]uint32{}
	for i := range v.Entries {
		priority[v.Entries[i].Protocol]++
		v.Entries[i].Priority = priority[v.Entries[i].Protocol]
	}
	slices.SortFunc(v.Entries, func(a, b servers.Entry) int { return keyOf(&a).compare(keyOf(&b)) })
	d.view = v
}

// entryOf returns a server of the file.
func entryOf(p servers.Protocol, index uint32, addr string) servers.Entry {
	e := servers.Entry{
		Identity: servers.Identity{Protocol: p, Name: fmt.Sprintf("%s%d", p, index), Host: addr, AuthPort: 1812, AcctPort: 1813},
		Index:    index, Number: index, State: servers.Lifetime{Since: begin.Add(-time.Hour)},
	}
	if p == servers.TACACS {
		e.AuthPort, e.AcctPort = 49, 49
	}
	if addr != "" {
		e.Addr = netip.MustParseAddr(addr)
	}
	return e
}

// walk reads the module below an OID as a manager does, one line for each variable.
func (d *daemon) walk(t testing.TB, below mib.OID) (lines []string) {
	t.Helper()
	r := d.tree.NewReader()
	at := below
	for {
		var vb mib.Varbind
		r.Next(at, false, nil, &vb)
		if !vb.Name.HasPrefix(below) || vb.Value.Type == mib.EndOfMibView {
			return lines
		}
		if vb.Name.Compare(at) <= 0 {
			t.Fatalf("%s after %s", vb.Name, at)
		}
		lines = append(lines, d.tree.Describe(vb.Name)+" "+show(&vb.Value))
		at = vb.Name
	}
}

func show(v *mib.Value) string {
	switch v.Type {
	case mib.OctetString:
		return fmt.Sprintf("%q", v.Str)
	case mib.IpAddress:
		return addrOf(v).String()
	case mib.Integer32, mib.Gauge32, mib.Counter32:
		return fmt.Sprint(v.Num)
	}
	return v.Type.String()
}

// get reads one variable of the table, such as "casKey.2.7".
func (d *daemon) get(name string) string {
	column, index, _ := strings.Cut(name, ".")
	var v mib.Value
	d.tree.NewReader().Get(defOf(column).OID.Append(mib.MustOID(index)...), &v)
	return show(&v)
}

func defOf(name string) mib.Def {
	if name == enableName {
		return mib.Def{Name: name, OID: Root.Append(1, 1), Type: mib.Integer32}
	}
	for _, c := range configColumns {
		if c.Name == name {
			c.OID = configEntry.Append(c.OID...)
			return c.Def
		}
	}
	for _, c := range statisticsColumns {
		if c.Name == name {
			c.OID = statisticsEntry.Append(c.OID...)
			return c.Def
		}
	}
	panic("no object " + name)
}

// assign parses variable bindings as "casAddress.2.7=192.0.2.1 casConfigRowStatus.2.7=4". A value of the
// object's type; %q of strings is not needed.
func assign(text string) (vbs []mib.Varbind) {
	for _, field := range strings.Fields(text) {
		name, value, _ := strings.Cut(field, "=")
		column, index, _ := strings.Cut(name, ".")
		def := defOf(column)
		vb := mib.Varbind{Name: def.OID.Append(mib.MustOID(index)...)}
		switch def.Type {
		case mib.OctetString:
			vb.Value.SetOctets(value)
		case mib.IpAddress:
			a := netip.MustParseAddr(value).As4()
			vb.Value.SetIPAddress(uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3]))
		default:
			var n int64
			if _, err := fmt.Sscan(value, &n); err != nil {
				panic(err)
			}
			vb.Value = mib.Value{Type: def.Type, Num: uint64(uint32(n))}
		}
		vbs = append(vbs, vb)
	}
	return vbs
}

// set makes a whole SET.
func (d *daemon) set(vbs []mib.Varbind) error {
	set, err := d.tree.Test(vbs)
	if err != nil {
		return err
	}
	if err := set.Commit(); err != nil {
		return err
	}
	set.Cleanup()
	return nil
}

// must makes SETs that must succeed.
func (d *daemon) must(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := d.set(assign(text)); err != nil {
			t.Fatalf("SET %s: %v", text, err)
		}
	}
}

// statusOf returns the error-status and error-index of a SET.
func statusOf(err error) string {
	if err == nil {
		return mib.NoError.String()
	}
	se, ok := errors.AsType[*mib.SetError](err)
	if !ok {
		return err.Error()
	}
	return fmt.Sprint(se.Status, " ", se.Index)
}

// TestWalk reads both tables: servers of both protocols, one without rows, and rows in the making.
func TestWalk(t *testing.T) {
	tacacs, radius, v6 := entryOf(servers.TACACS, 3, "192.0.2.3"), entryOf(servers.RADIUS, 1, "192.0.2.1"), entryOf(servers.RADIUS, 2, "2001:db8::1")
	radius.Authentication = servers.Stats{Requests: 1<<32 + 1, Retransmissions: 2, Timeouts: 3, PacketsDropped: 3, LateResponses: 1, Errors: 5, MalformedResponses: 10, BadAuthenticators: 20, UnknownTypes: 30, TimedResponses: 2, ResponseTime: 2468 * time.Millisecond, Successes: 6, Failures: 7}
	radius.Accounting = servers.Stats{Requests: 11}
	radius.State = servers.Lifetime{Dead: true, Since: begin.Add(-90 * time.Second), Previous: 300 * 24 * time.Hour, TotalDead: 91 * time.Second, Deaths: 2}
	d := newDaemon(t, tacacs, radius, v6, entryOf(servers.RADIUS, 9, ""))
	d.must(t, "casConfigRowStatus.1.1=5", "casConfigRowStatus.2.7=5 casAddress.2.7=192.0.2.7 casKey.2.7=secret")

	want := []string{"casServerStateChangeEnable.0 2"}
	column := func(name string, rows ...string) {
		for _, r := range rows {
			want = append(want, name+r)
		}
	}
	column("casAddress", ".1.3 192.0.2.3", ".2.1 192.0.2.1", ".2.7 192.0.2.7")
	column("casAuthenPort", ".1.3 49", ".2.1 1812", ".2.7 1645")
	column("casAcctPort", ".1.1 1646", ".1.3 49", ".2.1 1813", ".2.7 1646")
	column("casKey", `.1.1 ""`, `.1.3 ""`, `.2.1 ""`, `.2.7 ""`)
	column("casPriority", ".1.3 1", ".2.1 1")
	column("casConfigRowStatus", ".1.1 3", ".1.3 1", ".2.1 1", ".2.7 2")
	for i, name := range []string{"Requests", "RequestTimeouts", "UnexpectedResponses", "ServerErrorResponses", "IncorrectResponses", "ResponseTime", "TransactionSuccesses", "TransactionFailures"} {
		column("casAuthen"+name, ".1.3 0", fmt.Sprint(".2.1 ", []int{3, 3, 4, 5, 60, 123, 6, 7}[i]))
	}
	for _, name := range []string{"Requests", "RequestTimeouts", "UnexpectedResponses", "ServerErrorResponses", "IncorrectResponses", "ResponseTime", "TransactionSuccesses", "TransactionFailures"} {
		column("casAuthor"+name, ".1.3 0")
	}
	for i, name := range []string{"Requests", "RequestTimeouts", "UnexpectedResponses", "ServerErrorResponses", "IncorrectResponses", "ResponseTime", "TransactionSuccesses", "TransactionFailures"} {
		column("casAcct"+name, ".1.3 0", fmt.Sprint(".2.1 ", []int{11, 0, 0, 0, 0, 0, 0, 0}[i]))
	}
	column("casState", ".1.3 1", ".2.1 2")
	column("casCurrentStateDuration", ".1.3 360000", ".2.1 9000")
	column("casPreviousStateDuration", ".1.3 0", ".2.1 2147483647")
	column("casTotalDeadTime", ".1.3 0", ".2.1 9100")
	column("casDeadCount", ".1.3 0", ".2.1 2")
	if diff := cmp.Diff(want, d.walk(t, Root)); diff != "" {
		t.Error(diff)
	}
}

// TestGet reads single variables, also of rows and columns that are not there.
func TestGet(t *testing.T) {
	d := newDaemon(t, entryOf(servers.TACACS, 3, "192.0.2.3"), entryOf(servers.RADIUS, 1, "192.0.2.1"), entryOf(servers.RADIUS, 4, "::ffff:192.0.2.4"))
	d.must(t, "casConfigRowStatus.1.1=5", "casConfigRowStatus.2.7=5")
	for name, want := range map[string]string{
		"casAddress.2.1": "192.0.2.1", "casAddress.2.4": "192.0.2.4", "casAddress.2.7": "noSuchInstance", "casAddress.2.2": "noSuchInstance",
		"casAddress.2": "noSuchInstance", "casAddress.2.1.0": "noSuchInstance", "casAddress.3.1": "noSuchInstance",
		"casAuthenPort.1.1": "noSuchInstance", "casAuthenPort.2.7": "1645", "casAcctPort.1.1": "1646",
		"casPriority.2.4": "2", "casPriority.2.7": "noSuchInstance",
		"casAuthorRequests.1.3": "0", "casAuthorRequests.2.1": "noSuchInstance", "casState.2.7": "noSuchInstance", "casState.2.1": "1",
		"casConfigRowStatus.2.7": "3", "casConfigRowStatus.2.1": "1",
	} {
		if got := d.get(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// TestNext starts at indexes that no row can have.
func TestNext(t *testing.T) {
	d := newDaemon(t, entryOf(servers.TACACS, 3, "192.0.2.3"), entryOf(servers.RADIUS, 1, "192.0.2.1"), entryOf(servers.RADIUS, 1<<32-1, "192.0.2.4"))
	column := defOf("casAddress").OID
	tests := []struct {
		index   string
		include bool
		want    string
	}{
		{"", false, ".1.3"},
		{"0", false, ".1.3"},
		{"1", true, ".1.3"},
		{"1.3", true, ".1.3"},
		{"1.3", false, ".2.1"},
		{"1.3.0", true, ".2.1"},
		{"1.4294967295", false, ".2.1"},
		{"2.0.9", true, ".2.1"},
		{"2.1", false, ".2.4294967295"},
		{"2.4294967295", true, ".2.4294967295"},
		{"2.4294967295", false, ""},
		{"2.4294967295.0", true, ""},
		{"3", true, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.index, " ", tt.include), func(t *testing.T) {
			at := column
			if tt.index != "" {
				at = column.Append(mib.MustOID(tt.index)...)
			}
			var vb mib.Varbind
			d.tree.NewReader().Next(at, tt.include, nil, &vb)
			got := ""
			if vb.Name.HasPrefix(column) {
				got = vb.Name[len(column):].String()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestPinned: a request reads one state, although the View changes meanwhile.
func TestPinned(t *testing.T) {
	d := newDaemon(t, entryOf(servers.RADIUS, 1, "192.0.2.1"))
	r := d.tree.NewReader()
	var v mib.Value
	r.Get(defOf("casDeadCount").OID.Append(2, 1), &v)
	d.must(t, "casConfigRowStatus.2.1=6")
	if r.Get(defOf("casAddress").OID.Append(2, 1), &v); show(&v) != "192.0.2.1" {
		t.Errorf("in the same request it is %s", show(&v))
	}
	r.Release()
	if r.Get(defOf("casAddress").OID.Append(2, 1), &v); v.Type != mib.NoSuchInstance {
		t.Errorf("in the next request it is %s", show(&v))
	}
}

func TestInterval(t *testing.T) {
	for d, want := range map[time.Duration]int32{
		0: 0, -time.Second: 0, 9999 * time.Microsecond: 0, 10 * time.Millisecond: 1, time.Second: 100,
		21474836470 * time.Millisecond: 2147483647, 400 * 24 * time.Hour: 2147483647, 1<<63 - 1: 2147483647,
	} {
		if got := interval(d); got != want {
			t.Errorf("%s is %d, want %d", d, got, want)
		}
	}
}

func TestStateChange(t *testing.T) {
	e := entryOf(servers.RADIUS, 7, "192.0.2.7")
	e.State = servers.Lifetime{Dead: true, Previous: 2 * time.Second, TotalDead: 3 * time.Second, Since: begin}
	trap, vbs := StateChange(&e)
	if trap.String() != ".1.3.6.1.4.1.9.10.56.2.0.1" {
		t.Errorf("trap %s", trap)
	}
	d := newDaemon(t, e)
	var got []string
	for i := range vbs {
		var v mib.Value
		if d.tree.NewReader().Get(vbs[i].Name, &v); v.Type != vbs[i].Value.Type || v.Num != vbs[i].Value.Num {
			t.Errorf("%s is %s in the table", d.tree.Describe(vbs[i].Name), show(&v))
		}
		got = append(got, d.tree.Describe(vbs[i].Name)+" "+show(&vbs[i].Value))
	}
	if want := []string{"casState.2.7 2", "casPreviousStateDuration.2.7 200", "casTotalDeadTime.2.7 300"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestAgainstModuleText compares every object's OID, type and access with the module that we publish.
func TestAgainstModuleText(t *testing.T) {
	objects, err := mibs.Objects("CISCO-AAA-SERVER-MIB")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, o := range objects {
		if o.Access == "not-accessible" {
			continue
		}
		base := o.Base
		switch base { // several SMI types have the same type on the wire (RFC 2578 section 7.1)
		case "INTEGER":
			base = mib.Integer32.String()
		case "Unsigned32":
			base = mib.Gauge32.String()
		}
		want[o.Name] = fmt.Sprint(mib.OID(o.OID), " ", base, " ", o.Access)
	}
	got := map[string]string{}
	for _, d := range newDaemon(t).tree.Defs() {
		got[d.Name] = fmt.Sprint(d.OID, " ", d.Type, " ", d.Access)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("text (-) and code (+) differ:\n%s", diff)
	}
}

// TestIdentity: our row of sysORTable names the module that Root is the first node of.
func TestIdentity(t *testing.T) {
	ids := newDaemon(t).tree.Identities()
	if len(ids) != 1 || ids[0].ID.Append(1).Compare(Root) != 0 || !strings.HasPrefix(ids[0].Descr, "CISCO-AAA-SERVER-MIB: ") {
		t.Errorf("identities %+v", ids)
	}
}
