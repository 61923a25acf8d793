package snmpmib

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// get reads one variable by the name of its object.
func (f *fixture) get(t *testing.T, name string, instance ...uint32) string {
	t.Helper()
	for _, d := range f.tree.Defs() {
		if d.Name == name {
			var v mib.Value
			f.tree.NewReader().Get(d.OID.Append(instance...), &v)
			return show(&v)
		}
	}
	t.Fatalf("there is no %s", name)
	return ""
}

// TestCounts: each counter shows the field with its name, modulo 2^32.
func TestCounts(t *testing.T) {
	f := newFixture(t)
	fields := reflect.TypeFor[Counts]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		f.counts = Counts{}
		reflect.ValueOf(&f.counts).Elem().Field(i).SetUint(1<<32 + 77)
		got := map[string]string{}
		for _, line := range walk(t, f.tree, f.tree.NewReader()) {
			object, value, _ := strings.Cut(line, ".0 = ")
			if value == "77" {
				got[object] = value
			}
		}
		if diff := cmp.Diff(map[string]string{"snmp" + name: "77"}, got); diff != "" {
			t.Errorf("%s (-) is shown by (+):\n%s", name, diff)
		}
	}
}

func TestUSMCounts(t *testing.T) {
	f := newFixture(t)
	fields := reflect.TypeFor[usm.Counts]()
	for i := range fields.NumField() {
		m := usmMIB(f.cfg)
		pin := m.Pin
		m.Pin = func() *usmState {
			s := *pin()
			reflect.ValueOf(&s.Counts).Elem().Field(i).SetUint(1<<32 + 77)
			return &s
		}
		tree, err := mib.New(m)
		if err != nil {
			t.Fatal(err)
		}
		want := "usmStats" + fields.Field(i).Name + ".0 = 77"
		var got []string
		for _, line := range walk(t, tree, tree.NewReader()) {
			if strings.HasSuffix(line, " = 77") {
				got = append(got, line)
			}
		}
		if diff := cmp.Diff([]string{want}, got); diff != "" {
			t.Errorf("want (-), got (+):\n%s", diff)
		}
	}
}

// TestOptional: the optional fields of Config may be missing.
func TestOptional(t *testing.T) {
	f := newFixture(t)
	f.cfg.Counts, f.cfg.System = nil, func() *System { return new(System) }
	f.tree = newTree(t, f.cfg)
	for name, want := range map[string]string{
		"snmpInPkts": "0", "snmpEnableAuthenTraps": "2", "sysDescr": `""`, "sysObjectID": ".0.0", "sysServices": "0",
	} {
		if got := f.get(t, name, 0); got != want {
			t.Errorf("%s.0 is %s, want %s", name, got, want)
		}
	}
}

func TestAuthenTraps(t *testing.T) {
	f := newFixture(t)
	for traps, want := range map[bool]string{true: "1", false: "2"} {
		f.system = &System{AuthenTraps: traps}
		if got := f.get(t, "snmpEnableAuthenTraps", 0); got != want {
			t.Errorf("%t: %s, want %s", traps, got, want)
		}
	}
}

// TestTimes: sysUpTime wraps after 497 days, snmpEngineTime does not.
func TestTimes(t *testing.T) {
	f := newFixture(t)
	f.now = begin.Add((1<<32 + 250) * 10 * time.Millisecond)
	if got := f.get(t, "sysUpTime", 0); got != "250" {
		t.Errorf("sysUpTime is %s, want 250", got)
	}
	if got, want := f.get(t, "snmpEngineTime", 0), fmt.Sprint((1<<32+250)/100); got != want {
		t.Errorf("snmpEngineTime is %s, want %s", got, want)
	}
}

// TestPinned: the data that a request has seen does not change until the request ends.
func TestPinned(t *testing.T) {
	f := newFixture(t)
	r := f.tree.NewReader()
	before := walk(t, f.tree, r)
	f.now, f.counts.InPkts = begin.Add(time.Hour), 12
	f.policy = newPolicy(t, nil, nil, nil)
	f.cfg.USM.SetUsers(testUsers(t, "carol"))
	if diff := cmp.Diff(before, walk(t, f.tree, r)); diff != "" {
		t.Errorf("it changed within a request:\n%s", diff)
	}
	r.Release()
	after := strings.Join(walk(t, f.tree, r), "\n")
	for _, gone := range []string{`"bob"`, `"readers"`, "vacmViewTreeFamilyMask.", "sysUpTime.0 = 0", "snmpInPkts.0 = 0"} {
		if strings.Contains(after, gone) {
			t.Errorf("in the next request there is still %s", gone)
		}
	}
	if !strings.Contains(after, `usmUserSecurityName.7.128.0.126.217.5.171.205.5.99.97.114.111.108 = "carol"`) {
		t.Errorf("there is no carol in:\n%s", after)
	}
}

// TestNotWritable: without Settings every SET except that of snmpSetSerialNo fails, for existing and
// other instances, with a value of the right type.
func TestNotWritable(t *testing.T) {
	f := newFixture(t)
	f.targets = &adminTargets
	rows := map[string]mib.OID{ // a row of each table that has columns with MAX-ACCESS read-create
		"usmUser": appendName(appendName(nil, string(testEngineID)), "bob"), "vacmSec": appendName(mib.OID{3}, "bob"),
		"vacmGro": appendName(mib.OID{3}, "bob"), "vacmAcc": append(appendName(appendName(nil, "ops"), ""), 3, 3),
		"vacmVie": append(appendName(nil, "all"), 4, 1, 3, 6, 1), "snmpTar": impliedName("nms"),
		"snmpNot": impliedName("trap"), "snmpCom": impliedName("notify/nms"),
	}
	r := f.tree.NewReader()
	writable := 0
	for _, d := range f.tree.Defs() {
		if d.Access != mib.ReadWrite || d.Name == "snmpSetSerialNo" {
			continue
		}
		writable++
		vb := mib.Varbind{Name: d.OID.Append(0)}
		if r.Get(vb.Name, &vb.Value); vb.Value.Type == mib.NoSuchInstance {
			vb.Name = d.OID.Append(rows[d.Name[:7]]...)
			r.Get(vb.Name, &vb.Value)
		}
		if vb.Value.Type != d.Type {
			t.Errorf("%s is %s", vb.Name, vb.Value.Type)
		}
		_, err := f.tree.Test([]mib.Varbind{vb})
		wantSetError(t, err, mib.NotWritable, 1)
		vb.Name = d.OID.Append(9, 9)
		_, err = f.tree.Test([]mib.Varbind{vb})
		wantSetError(t, err, mib.NotWritable, 1)
	}
	if writable != 3+1+15+4+11+14+9 {
		t.Errorf("%d objects with MAX-ACCESS read-write or read-create", writable)
	}
}

// TestIndexes: rows have the order of their indexes, where a length precedes the octets, and each
// octet is one sub-identifier.
func TestIndexes(t *testing.T) {
	f := newFixture(t)
	names := []string{"zz", "aaa", "b", "é", "B"}
	var (
		views   []*vacm.View
		access  []vacm.AccessEntry
		members []vacm.Member
	)
	for _, name := range names {
		views = append(views, newView(t, name, vacm.Family{Subtree: mib.OID{1}}, vacm.Family{Subtree: mib.OID{1, 3}, Excluded: true}))
		members = append(members, vacm.Member{Model: wire.ModelV2c, SecurityName: name, Group: name}, vacm.Member{Model: wire.ModelUSM, SecurityName: name, Group: name})
		for _, l := range []wire.SecurityLevel{wire.AuthPriv, wire.NoAuthNoPriv, wire.AuthNoPriv} {
			access = append(access, vacm.AccessEntry{Group: name, Model: wire.ModelUSM, Level: l, Notify: views[0]})
		}
	}
	f.policy = newPolicy(t, views, access, members)
	f.cfg.USM.SetUsers(testUsers(t, names...))
	const sorted = "1.66 1.98 2.122.122 2.195.169 3.97.97.97"
	want := map[string][]string{}
	for name := range strings.FieldsSeq(sorted) {
		want["usmUserStatus"] = append(want["usmUserStatus"], "7.128.0.126.217.5.171.205."+name)
		for _, level := range []string{"1", "2", "3"} {
			want["vacmAccessStatus"] = append(want["vacmAccessStatus"], name+".0.3."+level)
		}
		want["vacmViewTreeFamilyStatus"] = append(want["vacmViewTreeFamilyStatus"], name+".1.1", name+".2.1.3")
	}
	for _, model := range []string{"2.", "3."} {
		for name := range strings.FieldsSeq(sorted) {
			want["vacmSecurityToGroupStatus"] = append(want["vacmSecurityToGroupStatus"], model+name)
		}
	}
	got := map[string][]string{}
	for _, line := range walk(t, f.tree, f.tree.NewReader()) {
		name, rest, _ := strings.Cut(line, ".")
		index, value, _ := strings.Cut(rest, " = ")
		if _, ok := want[name]; ok && value == "1" {
			got[name] = append(got[name], index)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// TestEmpty: without users, groups and views the tables have no rows, except the context.
func TestEmpty(t *testing.T) {
	f := newFixture(t)
	f.policy = newPolicy(t, nil, nil, nil)
	users, err := usm.NewUsers(testEngineID, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.cfg.USM.SetUsers(users)
	var got []string
	for _, line := range walk(t, f.tree, f.tree.NewReader()) {
		if strings.HasPrefix(line, "usmUser") || strings.HasPrefix(line, "vacm") {
			name, _, _ := strings.Cut(line, " ")
			got = append(got, name)
		}
	}
	if diff := cmp.Diff([]string{"usmUserSpinLock.0", "vacmContextName.0", "vacmViewSpinLock.0"}, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// TestChangeWhileWalking: managers walk while policy and users are replaced; each walk shows one
// complete policy and one complete set of users. (Run with -race.)
func TestChangeWhileWalking(t *testing.T) {
	f := newFixture(t)
	var mu sync.Mutex
	policies := []*vacm.Policy{testPolicy(t), newPolicy(t, nil, nil, nil), newPolicy(t,
		[]*vacm.View{newView(t, "v", vacm.Family{Subtree: mib.OID{1, 3}})}, nil, []vacm.Member{{Model: wire.ModelUSM, SecurityName: "carol", Group: "g"}})}
	users := []*usm.Users{testUsers(t, "alice", "bob"), testUsers(t, "carol"), testUsers(t, "alice", "bob", "carol", "dave")}
	now := 0
	f.cfg.Policy = func() *vacm.Policy {
		mu.Lock()
		defer mu.Unlock()
		return policies[now%len(policies)]
	}
	f.cfg.Engine, f.cfg.USM = f.cfg.USM.Engine(), usm.New(f.cfg.USM.Engine(), users[0])
	f.tree = newTree(t, f.cfg)

	split := func(lines []string) (u, v string) {
		i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "usmUser") })
		j := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "vacm") })
		return strings.Join(lines[i:j], "\n"), strings.Join(lines[j:], "\n")
	}
	known := map[string]bool{}
	for i := range policies {
		now = i
		f.cfg.USM.SetUsers(users[i])
		u, v := split(walk(t, f.tree, f.tree.NewReader()))
		known[u], known[v] = true, true
	}
	if len(known) != 6 {
		t.Fatalf("%d different tables, want 6", len(known))
	}
	var managers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		managers.Go(func() {
			r := f.tree.NewReader()
			for range 60 {
				u, v := split(walk(t, f.tree, r))
				if !known[u] || !known[v] {
					t.Errorf("a walk shows a mixed state:\n%s\n%s", u, v)
				}
				r.Release()
			}
		})
	}
	go func() {
		managers.Wait()
		close(done)
	}()
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		mu.Lock()
		now = i
		mu.Unlock()
		f.cfg.USM.SetUsers(users[i%len(users)])
	}
}
