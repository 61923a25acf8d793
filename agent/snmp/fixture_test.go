package snmp

import (
	"cmp"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// The module of the tests: a writable scalar, a table of three columns, and a scalar behind the
// table.
var (
	testRoot   = mib.MustOID("1.3.6.1.4.1.32473.1")
	testNumber = testRoot.Append(1)
	testEntry  = testRoot.Append(2, 1)
	testText   = testRoot.Append(3)
)

var errFullDisk = errors.New("no space left on device")

// numbers is the state of the module. Its number can be set to 0 to 99. The commit of 13 fails; the
// commit of 14 waits for release; the commit of 15 fails and its undo too; the commit of 16 fails and
// undoing tells of its undo.
type numbers struct {
	number  atomic.Int32
	rows    uint32
	text    string
	release chan struct{}
	undoing <-chan error
	cleanup atomic.Int32
	by      atomic.Pointer[mib.Requester] // requester of the last SET that Test saw
}

func (n *numbers) Writable(mib.Def) bool { return true }

func (n *numbers) Test(as []mib.Assignment) (mib.Change, error) {
	c := &numberChange{n: n}
	n.by.Store(&as[0].By)
	for _, a := range as {
		if !slices.Equal(a.Instance, mib.OID{0}) {
			return nil, &mib.SetError{Status: mib.NoCreation, Index: a.Position, Err: errInstance}
		}
		c.to, c.position = a.Value.Int32(), a.Position
	}
	return c, nil
}

type numberChange struct {
	n        *numbers
	to, was  int32
	position int
}

func (c *numberChange) Commit() error {
	switch c.to {
	case 13:
		return &mib.SetError{Status: mib.CommitFailed, Index: c.position, Err: errFullDisk}
	case 14:
		<-c.n.release
	case 16:
		return &mib.SetError{Status: mib.CommitFailed, Index: c.position, Err: errFullDisk, Undoing: c.n.undoing}
	case 15:
		return &mib.SetError{Status: mib.UndoFailed, Index: c.position, Err: errFullDisk}
	}
	c.was = c.n.number.Swap(c.to)
	return nil
}

func (c *numberChange) Undo() error { c.n.number.Store(c.was); return nil }
func (c *numberChange) Cleanup()    { c.n.cleanup.Add(1) }

func (n *numbers) module() mib.Part {
	scalar := func(name string, oid mib.OID, t mib.Type, get func(*numbers, *mib.Value)) mib.Scalar[*numbers] {
		return mib.Scalar[*numbers]{Def: mib.Def{Name: name, OID: oid, Type: t, Access: mib.ReadOnly}, Get: get}
	}
	number := mib.Column[*numbers, struct{}]{
		Def: mib.Def{Name: "testNumber", OID: testNumber, Type: mib.Integer32, Access: mib.ReadWrite},
		Rows: &mib.Rows[*numbers, struct{}]{
			Get: func(_ *numbers, index mib.OID) (struct{}, bool) {
				return struct{}{}, slices.Equal(index, mib.OID{0})
			},
			Next: func(_ *numbers, index mib.OID, include bool, name mib.OID) (mib.OID, struct{}, bool) {
				if len(index) == 0 || include && slices.Equal(index, mib.OID{0}) {
					return append(name, 0), struct{}{}, true
				}
				return name, struct{}{}, false
			},
		},
		Get: func(_ struct{}, v *mib.Value) { v.SetInteger32(n.number.Load()) },
		Test: func(v *mib.Value) mib.ErrorStatus {
			if v.Int32() < 0 || v.Int32() > 99 {
				return mib.WrongValue
			}
			return mib.NoError
		},
	}
	rows := &mib.Rows[*numbers, uint32]{
		Get: func(s *numbers, index mib.OID) (uint32, bool) {
			if len(index) != 1 {
				return 0, false
			}
			return index[0], index[0] >= 1 && index[0] <= s.rows
		},
		Next: func(s *numbers, index mib.OID, include bool, name mib.OID) (mib.OID, uint32, bool) {
			row := uint32(1)
			if len(index) > 0 {
				row = max(1, index[0])
				if index[0] > 0 && (!include || len(index) > 1) {
					row++
				}
			}
			return append(name, row), row, row <= s.rows
		},
	}
	column := func(sub uint32, name string, t mib.Type, get func(uint32, *mib.Value)) mib.Column[*numbers, uint32] {
		return mib.Column[*numbers, uint32]{Def: mib.Def{Name: name, OID: testEntry.Append(sub), Type: t, Access: mib.ReadOnly}, Rows: rows, Get: get}
	}
	return &mib.Module[*numbers]{
		Name: "TEST-MIB", Root: testRoot, Pin: func() *numbers { return n }, Writer: n,
		Objects: []mib.Object[*numbers]{
			number,
			column(1, "testName", mib.OctetString, func(_ uint32, v *mib.Value) { v.SetOctets("a row of the table") }),
			column(2, "testCount", mib.Counter64, func(r uint32, v *mib.Value) { v.SetCounter64(1 << 40 * uint64(r)) }),
			column(3, "testOID", mib.ObjectIdentifier, func(r uint32, v *mib.Value) { v.SetOID(testRoot, r) }),
			scalar("testText", testText, mib.OctetString, func(s *numbers, v *mib.Value) { v.SetOctets(s.text) }),
		},
	}
}

// The configuration of the fixture.
const (
	authPassword = "authentication"
	privPassword = "privacy of it"
)

var (
	manager       = netip.MustParseAddrPort("192.0.2.1:40000")
	unknownSource = netip.MustParseAddrPort("198.51.100.1:40000")
)

// fixture is a responder with users noc (authPriv), helpdesk (authNoPriv) and guest (noAuthNoPriv), and
// the communities public and private of 192.0.2.0/24.
type fixture struct {
	*Responder
	t       testing.TB
	numbers *numbers
}

// views returns the views of the fixture: everything; the module of the tests; the module without
// its table; only its text.
func views(t testing.TB) (all, test, scalars, text *vacm.View) {
	t.Helper()
	make := func(name string, families ...vacm.Family) *vacm.View {
		v, err := vacm.NewView(name, families)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	all = make("all", vacm.Family{Subtree: mib.MustOID("1.3.6.1")})
	test = make("test", vacm.Family{Subtree: testRoot})
	scalars = make("scalars", vacm.Family{Subtree: testRoot}, vacm.Family{Subtree: testRoot.Append(2), Excluded: true})
	text = make("text", vacm.Family{Subtree: testText})
	return all, test, scalars, text
}

// testPolicy returns the policy of the fixture. Its communities accept these versions of SNMP; none
// means the default of package vacm, SNMPv2c.
func testPolicy(t testing.TB, models ...wire.SecurityModel) *vacm.Policy {
	t.Helper()
	all, test, scalars, text := views(t)
	access := []vacm.AccessEntry{
		{Group: "readers", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: test},
		{Group: "watchers", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: all},
		{Group: "writers", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: test, Write: scalars},
		{Group: "limited", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: scalars},
		{Group: "blind", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv},
		{Group: "operators", Model: wire.ModelUSM, Level: wire.AuthNoPriv, Read: all},
		{Group: "operators", Model: wire.ModelUSM, Level: wire.AuthPriv, Read: all, Write: all},
		{Group: "guests", Model: wire.ModelUSM, Level: wire.NoAuthNoPriv, Read: text},
	}
	for _, e := range slices.Clone(access) {
		if e.Model == wire.ModelV2c {
			e.Model = wire.ModelV1
			access = append(access, e)
		}
	}
	from := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	var members []vacm.Member
	var communities []vacm.Community
	for community, group := range map[string]string{"public": "readers", "everything": "watchers", "private": "writers", "limited": "limited", "blind": "blind", "orphan": ""} {
		if group != "" {
			for _, m := range []wire.SecurityModel{wire.ModelV1, wire.ModelV2c} {
				members = append(members, vacm.Member{Model: m, SecurityName: group, Group: group})
			}
		}
		communities = append(communities, vacm.Community{Name: community, SecurityName: cmp.Or(group, "orphan"), From: from, Models: models})
	}
	members = append(members,
		vacm.Member{Model: wire.ModelUSM, SecurityName: "noc", Group: "operators"},
		vacm.Member{Model: wire.ModelUSM, SecurityName: "helpdesk", Group: "operators"},
		vacm.Member{Model: wire.ModelUSM, SecurityName: "guest", Group: "guests"})
	p, err := vacm.New([]*vacm.View{all, test, scalars, text}, access, members, communities)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newNumbers(rows uint32) *numbers {
	n := &numbers{rows: rows, text: "hello", release: make(chan struct{})}
	n.number.Store(7)
	return n
}

func newFixture(t testing.TB, change ...func(*Config)) *fixture {
	t.Helper()
	engine, err := usm.OpenEngine(filepath.Join(t.TempDir(), "engine"), nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	users, err := usm.NewUsers(engine.ID(), []usm.User{
		{Name: "noc", Auth: usm.HMACSHA256, Priv: usm.AES128, AuthSecret: usm.Secret{Password: authPassword}, PrivSecret: usm.Secret{Password: privPassword}},
		{Name: "helpdesk", Auth: usm.HMACSHA, AuthSecret: usm.Secret{Password: authPassword}},
		{Name: "guest"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Engine: engine, USM: usm.New(engine, users), System: snmpmib.System{Descr: "a test", Name: "test"}}
	for _, c := range change {
		c(&cfg)
	}
	n := newNumbers(1000)
	r, err := New(cfg, testPolicy(t), n.module())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{Responder: r, t: t, numbers: n}
}

// exchange passes a message to the responder as its goroutines do, and returns the answer, or nil.
func (f *fixture) exchange(from netip.AddrPort, in []byte) []byte {
	f.t.Helper()
	e := f.acquire()
	defer f.release(e)
	e.n, e.from, e.now = copy(e.in[:], in), from, f.clock()
	v := e.process()
	if v == deferred {
		v, _ = e.set()
	}
	if v != answered {
		return nil
	}
	return slices.Clone(e.frame.Bytes())
}

// request returns a request of SNMPv2c as gosnmp encodes it.
func request(t testing.TB, community string, kind gosnmp.PDUType, vars ...gosnmp.SnmpPDU) *gosnmp.SnmpPacket {
	t.Helper()
	for i := range vars {
		if vars[i].Type == 0 {
			vars[i].Type = gosnmp.Null
		}
	}
	return &gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: community, PDUType: kind, RequestID: 4711, Variables: vars}
}

func marshal(t testing.TB, p *gosnmp.SnmpPacket) []byte {
	t.Helper()
	b, err := p.MarshalMsg()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ask sends a request and decodes the answer with gosnmp; it returns nil if there is no answer.
func (f *fixture) ask(from netip.AddrPort, p *gosnmp.SnmpPacket) *gosnmp.SnmpPacket {
	f.t.Helper()
	out := f.exchange(from, marshal(f.t, p))
	if out == nil {
		return nil
	}
	return decode(f.t, out)
}

func decode(t testing.TB, out []byte) *gosnmp.SnmpPacket {
	t.Helper()
	answer, err := (&gosnmp.GoSNMP{Version: gosnmp.Version2c}).SnmpDecodePacket(out)
	if err != nil {
		t.Fatalf("gosnmp does not read the answer %x: %v", out, err)
	}
	return answer
}

// names returns variables to request.
func names(oids ...mib.OID) []gosnmp.SnmpPDU {
	vars := make([]gosnmp.SnmpPDU, len(oids))
	for i, oid := range oids {
		vars[i] = gosnmp.SnmpPDU{Name: oid.String(), Type: gosnmp.Null}
	}
	return vars
}

func parseAddr(t testing.TB, s string) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var errInstance = errors.New("a scalar has the instance 0 only")
