package snmp

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/gosnmp/gosnmp"
	"pgregory.net/rapid"

	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// bothVersions is for testPolicy: the communities accept SNMPv1 and SNMPv2c.
var bothVersions = []wire.SecurityModel{wire.ModelV1, wire.ModelV2c}

// newV1Fixture returns a fixture whose communities accept SNMPv1 and SNMPv2c.
func newV1Fixture(t testing.TB, change ...func(*Config)) *fixture {
	t.Helper()
	f := newFixture(t, change...)
	f.SetPolicy(testPolicy(t, bothVersions...))
	return f
}

// requestV1 returns a request of SNMPv1 as gosnmp encodes it.
func requestV1(t testing.TB, community string, kind gosnmp.PDUType, vars ...gosnmp.SnmpPDU) *gosnmp.SnmpPacket {
	t.Helper()
	p := request(t, community, kind, vars...)
	p.Version = gosnmp.Version1
	return p
}

// withCounter64 returns variables with values that SNMPv1 does not have.
func withCounter64(oids ...mib.OID) []gosnmp.SnmpPDU {
	vars := names(oids...)
	for i := range vars {
		vars[i].Type, vars[i].Value = gosnmp.Counter64, uint64(1)
	}
	return vars
}

// TestReadV1 covers RFC 1157 sections 4.1.2 and 4.1.3, and RFC 3584 section 4.2.2.
func TestReadV1(t *testing.T) {
	name, count, last := testEntry.Append(1), testEntry.Append(2), testEntry.Append(3)
	get, next := gosnmp.GetRequest, gosnmp.GetNextRequest
	tests := []struct {
		name      string
		community string
		kind      gosnmp.PDUType
		vars      []gosnmp.SnmpPDU
		want      string
	}{
		{"get a scalar", "public", get, names(testNumber.Append(0)), "1.0=7"},
		{"get several", "public", get, names(testText.Append(0), last.Append(2), testText.Append(0)), "3.0=hello, 2.1.3.2=2, 3.0=hello"},
		{"get nothing", "public", get, nil, ""},
		{"get no instance", "public", get, names(testNumber.Append(0), testNumber.Append(1)), "NoSuchName 2 1.0=Null, 1.1=Null"},
		{"get no object", "public", get, names(testRoot.Append(9, 0)), "NoSuchName 1 9.0=Null"},
		{"get several that are not there: the first", "public", get, names(testNumber.Append(0), testNumber, testRoot.Append(9, 0)), "NoSuchName 2 1.0=Null, 1=Null, 9.0=Null"},
		{"get a Counter64", "public", get, names(testNumber.Append(0), count.Append(2)), "NoSuchName 2 1.0=Null, 2.1.2.2=Null"},
		{"the value of a request counts for nothing", "public", get, withCounter64(testNumber.Append(0), testText.Append(0)), "1.0=7, 3.0=hello"},
		{"it comes back with an error, octet for octet", "public", get, withCounter64(testNumber.Append(1)), "NoSuchName 1 1.1=1"},
		{"next with values", "public", next, withCounter64(testRoot), "1.0=7"},
		{"get outside of the view", "limited", get, names(name.Append(1), testNumber.Append(0)), "NoSuchName 1 2.1.1.1=Null, 1.0=Null"},
		{"next", "public", next, names(testRoot, testNumber.Append(0), name.Append(1)), "1.0=7, 2.1.1.1=a row of the table, 2.1.1.2=a row of the table"},
		{"next jumps over Counter64", "public", next, names(name.Append(1000), count, count.Append(7), count.Append(1000)), "2.1.3.1=1, 2.1.3.1=1, 2.1.3.1=1, 2.1.3.1=1"},
		{"next of the last", "public", next, names(testNumber.Append(0), testText.Append(0)), "NoSuchName 2 1.0=Null, 3.0=Null"},
		{"next jumps over what the view has not", "limited", next, names(testNumber.Append(0), name.Append(500)), "3.0=hello, 3.0=hello"},
		{"next at the end of the view", "limited", next, names(testText.Append(0)), "NoSuchName 1 3.0=Null"},
		{"no access entry has no view", "orphan", get, names(testText.Append(0), testText.Append(0)), "NoSuchName 1 3.0=Null, 3.0=Null"},
		{"an entry without a view", "blind", get, names(testText.Append(0)), "NoSuchName 1 3.0=Null"},
		{"the same, next", "blind", next, names(testText.Append(0)), "NoSuchName 1 3.0=Null"},
		{"the same, of nothing", "blind", get, nil, "NoSuchName 0 "},
		{"unknown community", "secret", get, names(testText.Append(0)), "none"},
	}
	f := newV1Fixture(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := f.ask(manager, requestV1(t, tt.community, tt.kind, tt.vars...))
			if got := show(answer); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if answer != nil && (answer.Version != gosnmp.Version1 || answer.RequestID != 4711 || answer.PDUType != gosnmp.GetResponse || answer.Community != tt.community) {
				t.Errorf("version %v, request-id %d, PDU %v, community %q", answer.Version, answer.RequestID, answer.PDUType, answer.Community)
			}
		})
	}
}

// TestSetV1 covers RFC 1157 section 4.1.5 and the mapping of RFC 3584 section 4.4. Whatever the
// result is, the variable bindings are those of the request.
func TestSetV1(t *testing.T) {
	number := func(n int) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: n}
	}
	text := gosnmp.SnmpPDU{Name: testText.Append(0).String(), Type: gosnmp.OctetString, Value: "x"}
	tests := []struct {
		name      string
		community string
		vars      []gosnmp.SnmpPDU
		want      string
		after     int32
	}{
		{"right", "private", []gosnmp.SnmpPDU{number(42)}, "1.0=42", 42},
		{"a community that reads", "public", []gosnmp.SnmpPDU{number(42)}, "NoSuchName 1 1.0=42", 7},
		{"outside of the view", "private", []gosnmp.SnmpPDU{number(42), {Name: testEntry.Append(1, 1).String(), Type: gosnmp.Integer, Value: 1}}, "NoSuchName 2 1.0=42, 2.1.1.1=1", 7},
		{"not writable", "private", []gosnmp.SnmpPDU{number(42), text}, "NoSuchName 2 1.0=42, 3.0=x", 7},
		{"no such object", "private", []gosnmp.SnmpPDU{{Name: testRoot.Append(9, 0).String(), Type: gosnmp.Integer, Value: 1}}, "NoSuchName 1 9.0=1", 7},
		{"wrong type", "private", []gosnmp.SnmpPDU{{Name: testNumber.Append(0).String(), Type: gosnmp.OctetString, Value: "1"}}, "BadValue 1 1.0=1", 7},
		{"null, as of CVE-2022-44792", "private", []gosnmp.SnmpPDU{{Name: testNumber.Append(0).String(), Type: gosnmp.Null}}, "BadValue 1 1.0=Null", 7},
		{"wrong value", "private", []gosnmp.SnmpPDU{number(1), number(100)}, "BadValue 2 1.0=1, 1.0=100", 7},
		{"no creation", "private", []gosnmp.SnmpPDU{{Name: testNumber.Append(1).String(), Type: gosnmp.Integer, Value: 1}}, "NoSuchName 1 1.1=1", 7},
		{"commit fails", "private", []gosnmp.SnmpPDU{number(13)}, "GenErr 1 1.0=13", 7},
		{"nothing", "private", nil, "", 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newV1Fixture(t)
			in := marshal(t, requestV1(t, tt.community, gosnmp.SetRequest, tt.vars...))
			out := f.exchange(manager, in)
			if got := show(decode(t, out)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if f.numbers.number.Load() != tt.after {
				t.Errorf("the number is %d, want %d", f.numbers.number.Load(), tt.after)
			}
			if c := f.Stats(); strings.HasPrefix(tt.want, "NoSuchName") != (c.OutNoSuchNames == 1) || strings.HasPrefix(tt.want, "BadValue") != (c.OutBadValues == 1) || strings.HasPrefix(tt.want, "GenErr") != (c.OutGenErrs == 1) {
				t.Errorf("noSuchName %d, badValue %d, genErr %d", c.OutNoSuchNames, c.OutBadValues, c.OutGenErrs)
			}
		})
	}
}

// TestStatusV1: every error-status of SNMPv2 has its place in the table of RFC 3584 section 4.4.
func TestStatusV1(t *testing.T) {
	want := [...]mib.ErrorStatus{
		0: 0, 1: 1, 2: 2, 3: 3, 4: mib.GenErr, 5: mib.GenErr, // readOnly, 4, is never generated
		6: noSuchName, 7: badValue, 8: badValue, 9: badValue, 10: badValue, 11: noSuchName, 12: badValue,
		13: mib.GenErr, 14: mib.GenErr, 15: mib.GenErr, 16: noSuchName, 17: noSuchName, 18: noSuchName,
	}
	for s, w := range want {
		if got := v1Status(mib.ErrorStatus(s)); got != w {
			t.Errorf("%v becomes %v, want %v", mib.ErrorStatus(s), got, w)
		}
	}
}

// TestOctetsV1: answers of SNMPv1, octet by octet.
func TestOctetsV1(t *testing.T) {
	const (
		number = " 06 0b 2b 06 01 04 01 81 fd 59 01 01 00" // testNumber.0
		none   = " 06 0b 2b 06 01 04 01 81 fd 59 01 09 00" // behind the last object
	)
	tests := []struct{ name, in, want string }{
		{
			"get",
			"30 29 02 01 00 04 06 70 75 62 6c 69 63 a0 1c 02 01 05 02 01 00 02 01 00 30 11 30 0f" + number + " 05 00",
			"30 2a 02 01 00 04 06 70 75 62 6c 69 63 a2 1d 02 01 05 02 01 00 02 01 00 30 12 30 10" + number + " 02 01 07",
		},
		{
			"noSuchName",
			"30 29 02 01 00 04 06 70 75 62 6c 69 63 a0 1c 02 01 05 02 01 00 02 01 00 30 11 30 0f" + none + " 05 00",
			"30 29 02 01 00 04 06 70 75 62 6c 69 63 a2 1c 02 01 05 02 01 02 02 01 01 30 11 30 0f" + none + " 05 00",
		},
		{
			"the end of the view; a value in the request is echoed",
			"30 2a 02 01 00 04 06 70 75 62 6c 69 63 a1 1d 02 01 05 02 01 00 02 01 00 30 12 30 10" + none + " 02 01 2a",
			"30 2a 02 01 00 04 06 70 75 62 6c 69 63 a2 1d 02 01 05 02 01 02 02 01 01 30 12 30 10" + none + " 02 01 2a",
		},
		{
			"badValue",
			"30 2b 02 01 00 04 07 70 72 69 76 61 74 65 a3 1d 02 01 05 02 01 00 02 01 00 30 12 30 10" + number + " 02 01 64",
			"30 2b 02 01 00 04 07 70 72 69 76 61 74 65 a2 1d 02 01 05 02 01 03 02 01 01 30 12 30 10" + number + " 02 01 64",
		},
		{
			"lengths that are not the shortest are echoed within the variable bindings",
			"30 2a 02 01 00 04 06 70 75 62 6c 69 63 a0 1d 02 01 05 02 01 00 02 01 00 30 12 30 81 0f" + none + " 05 00",
			"30 2a 02 01 00 04 06 70 75 62 6c 69 63 a2 1d 02 01 05 02 01 02 02 01 01 30 12 30 81 0f" + none + " 05 00",
		},
	}
	f := newV1Fixture(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, err := hex.DecodeString(strings.ReplaceAll(tt.in, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("% x", f.exchange(manager, in)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestSizeV1: tooBig has the variable bindings of the request, a name that does not exist has
// priority over it, and there is no answer where not even the request fits.
func TestSizeV1(t *testing.T) {
	f := newV1Fixture(t, func(c *Config) { c.MaxMessageSize = MinMessageSize })
	f.numbers.text = strings.Repeat("x", 300)
	text, none := testText.Append(0), testRoot.Append(9, 0)
	for _, tt := range []struct {
		kind gosnmp.PDUType
		vars []gosnmp.SnmpPDU
		want string
	}{
		{gosnmp.GetRequest, names(text, text), "TooBig 0 3.0=Null, 3.0=Null"},
		{gosnmp.GetNextRequest, names(testText, testText), "TooBig 0 3=Null, 3=Null"},
		{gosnmp.GetRequest, names(text, text, none), "NoSuchName 3 3.0=Null, 3.0=Null, 9.0=Null"},
	} {
		if got := show(f.ask(manager, requestV1(t, "public", tt.kind, tt.vars...))); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.kind, got, tt.want)
		}
	}
	if c := f.Stats(); c.OutTooBigs != 2 || c.OutNoSuchNames != 1 || c.SilentDrops != 0 {
		t.Errorf("tooBig %d, noSuchName %d, silent drops %d", c.OutTooBigs, c.OutNoSuchNames, c.SilentDrops)
	}
	long := gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.OctetString, Value: strings.Repeat("y", 700)}
	unknown := long
	unknown.Name = none.String()
	for _, p := range []*gosnmp.SnmpPacket{requestV1(t, "private", gosnmp.SetRequest, long), requestV1(t, "public", gosnmp.GetRequest, unknown)} {
		if got := show(f.ask(manager, p)); got != "none" {
			t.Errorf("a request that is larger than an answer may be: %s", got)
		}
	}
	if c := f.Stats(); c.OutTooBigs != 2 || c.SilentDrops != 2 {
		t.Errorf("tooBig %d, silent drops %d", c.OutTooBigs, c.SilentDrops)
	}
}

// TestVersions: which version a community accepts, and what counts a message of another one.
func TestVersions(t *testing.T) {
	v1, v2c := gosnmp.Version1, gosnmp.Version2c
	tests := []struct {
		name      string
		models    []wire.SecurityModel // of all communities
		other     []wire.SecurityModel // of one more community
		version   gosnmp.SnmpVersion
		answered  bool
		versions  uint64 // snmpInBadVersions
		community uint64 // snmpInBadCommunityNames, authenticationFailure
	}{
		{"the default, v1", nil, nil, v1, false, 1, 0},
		{"the default, v2c", nil, nil, v2c, true, 0, 0},
		{"another community has v1, v1", nil, bothVersions, v1, false, 0, 1},
		{"another community has v1, v2c", nil, bothVersions, v2c, true, 0, 0},
		{"both, v1", bothVersions, nil, v1, true, 0, 0},
		{"both, v2c", bothVersions, nil, v2c, true, 0, 0},
		{"v1 only, v1", bothVersions[:1], nil, v1, true, 0, 0},
		{"v1 only, v2c", bothVersions[:1], nil, v2c, false, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			failures := uint64(0)
			f := newFixture(t, func(c *Config) { c.AuthenticationFailure = func(netip.AddrPort) { failures++ } })
			f.SetPolicy(testPolicy(t, tt.models...))
			if tt.other != nil {
				f.SetPolicy(policyWith(t, vacm.Community{Name: "other", SecurityName: "readers", Models: tt.other}))
			}
			p := request(t, "public", gosnmp.GetRequest, names(testText.Append(0))...)
			p.Version = tt.version
			if got := f.ask(manager, p); (got != nil) != tt.answered || got != nil && got.Version != tt.version {
				t.Errorf("answered %s", show(got))
			}
			if c := f.Stats(); c.InBadVersions != tt.versions || c.InBadCommunityNames != tt.community || failures != tt.community {
				t.Errorf("%d bad versions, %d bad community names, %d authentication failures", c.InBadVersions, c.InBadCommunityNames, failures)
			}
		})
	}
}

// policyWith returns the policy of the fixture with one more community.
func policyWith(t *testing.T, more vacm.Community) *vacm.Policy {
	t.Helper()
	p := testPolicy(t)
	list := []vacm.Community{{Name: "public", SecurityName: "readers"}, more}
	with, err := vacm.New(p.Views(), p.Entries(), p.Members(), list)
	if err != nil {
		t.Fatal(err)
	}
	return with
}

// TestBadMessagesV1: what a command responder of SNMPv1 drops.
func TestBadMessagesV1(t *testing.T) {
	get := requestV1(t, "public", gosnmp.GetRequest, names(testText.Append(0))...)
	kind := func(k gosnmp.PDUType) []byte {
		p := *get
		p.PDUType = k
		return marshal(t, &p)
	}
	trap := marshal(t, &gosnmp.SnmpPacket{
		Version: gosnmp.Version1, Community: "public", PDUType: gosnmp.Trap,
		SnmpTrap: gosnmp.SnmpTrap{Enterprise: testRoot.String(), AgentAddress: "192.0.2.1", GenericTrap: 2, Timestamp: 12345},
	})
	counter := requestV1(t, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Counter64, Value: uint64(1)})
	tests := []struct {
		name  string
		in    []byte
		count func(Stats) uint64
	}{
		{"a response", kind(gosnmp.GetResponse), func(s Stats) uint64 { return s.UnknownPDUHandlers }},
		{"a trap", trap, func(s Stats) uint64 { return s.UnknownPDUHandlers }},
		{"a trap cut short", append([]byte{0x30, trap[1] - 2}, trap[2:len(trap)-2]...), func(s Stats) uint64 { return s.InASNParseErrs }},
		{"a GETBULK", kind(gosnmp.GetBulkRequest), func(s Stats) uint64 { return s.InASNParseErrs }},
		{"an inform", kind(gosnmp.InformRequest), func(s Stats) uint64 { return s.InASNParseErrs }},
		{"a trap of SNMPv2", kind(gosnmp.SNMPv2Trap), func(s Stats) uint64 { return s.InASNParseErrs }},
		{"a report", kind(gosnmp.Report), func(s Stats) uint64 { return s.InASNParseErrs }},
		// snmpd 5.9.3 answers noSuchName. RFC 1157 section 4.1 discards what is not SNMPv1's ASN.1, and
		// RFC 3584 section 4.4 has no error-status for it.
		{"a SET of a Counter64", marshal(t, counter), func(s Stats) uint64 { return s.InASNParseErrs }},
	}
	f := newV1Fixture(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := f.Stats()
			if out := f.exchange(manager, tt.in); out != nil {
				t.Errorf("answered %x", out)
			}
			if got := tt.count(f.Stats()) - tt.count(before); got != 1 {
				t.Errorf("counted %d times", got)
			}
			if out := f.exchange(manager, marshal(t, get)); out == nil {
				t.Error("the next request is not answered")
			}
		})
	}
}

// TestUnknownSourceV1: the source prefix of a community counts in SNMPv1 too.
func TestUnknownSourceV1(t *testing.T) {
	f := newV1Fixture(t)
	if got := f.ask(unknownSource, requestV1(t, "public", gosnmp.GetRequest, names(testText.Append(0))...)); got != nil {
		t.Errorf("answered %s", show(got))
	}
	if c := f.Stats(); c.InBadCommunityNames != 1 {
		t.Errorf("counted %d times", c.InBadCommunityNames)
	}
}

// TestLimitV1: the octets of answers are limited as in SNMPv2c, because anybody can forge a source.
func TestLimitV1(t *testing.T) {
	const perSecond = 1000
	f := newV1Fixture(t, func(c *Config) { c.Limits.ResponseOctets = perSecond })
	in := marshal(t, requestV1(t, "public", gosnmp.GetRequest, names(testText.Append(0))...))
	began := f.clock()
	size, got := len(f.exchange(manager, in)), 1
	want := MaxMessageSize / size // the burst
	sent := 2 * want
	for range sent - 1 {
		if f.exchange(manager, in) != nil {
			got++
		}
	}
	refilled := int(f.clock()-began)*perSecond/int(time.Second)/size + 1
	if got < want || got > want+refilled || f.Stats().OverResponseOctets != uint64(sent-got) {
		t.Errorf("%d of %d answers of %d octets, %d counted", got, sent, size, f.Stats().OverResponseOctets)
	}
}

// walk returns what GETNEXT after GETNEXT shows from a name to the end, each as "name type".
func (f *fixture) walk(version gosnmp.SnmpVersion, community string, from mib.OID) (rows []string) {
	f.t.Helper()
	for name := from.String(); ; {
		p := request(f.t, community, gosnmp.GetNextRequest, gosnmp.SnmpPDU{Name: name})
		p.Version = version
		answer := f.ask(manager, p)
		if answer == nil || len(answer.Variables) != 1 {
			f.t.Fatalf("after %s: %s", name, show(answer))
		}
		v := answer.Variables[0]
		if answer.Error == gosnmp.NoSuchName || v.Type == gosnmp.EndOfMibView {
			return rows
		}
		if answer.Error != gosnmp.NoError || v.Name == name {
			f.t.Fatalf("after %s: %s", name, show(answer))
		}
		name = v.Name
		value := fmt.Sprint(v.Value)
		if v.Type == gosnmp.Counter32 || v.Type == gosnmp.TimeTicks { // they change meanwhile
			value = ""
		}
		rows = append(rows, fmt.Sprintf("%s %v %s", name, v.Type, value))
	}
}

// TestWalkV1: through any view and from any name, a walk of SNMPv1 shows what one of SNMPv2c shows,
// without Counter64. A GET of what it shows has the same value, a GET of anything else noSuchName.
func TestWalkV1(t *testing.T) {
	subtrees := []mib.OID{
		testRoot, testNumber, testRoot.Append(2), testEntry.Append(1), testEntry.Append(2), testEntry.Append(3), testText,
		testEntry.Append(2, 1), testEntry.Append(2, 2), testEntry.Append(3, 3), mib.MustOID("1.3.6.1.2.1.1"), mib.MustOID("1.3.6.1.6.3.16"),
	}
	f := newV1Fixture(t)
	rapid.Check(t, func(t *rapid.T) {
		f.numbers.rows = rapid.Uint32Range(0, 4).Draw(t, "rows")
		var families []vacm.Family
		for _, oid := range rapid.SliceOfNDistinct(rapid.SampledFrom(subtrees), 1, 6, mib.OID.String).Draw(t, "subtrees") {
			families = append(families, vacm.Family{Subtree: oid, Excluded: rapid.Bool().Draw(t, "excluded")})
		}
		view, err := vacm.NewView("drawn", families)
		if err != nil {
			t.Fatal(err)
		}
		var access []vacm.AccessEntry
		var members []vacm.Member
		for _, m := range bothVersions {
			access = append(access, vacm.AccessEntry{Group: "g", Model: m, Level: wire.NoAuthNoPriv, Read: view})
			members = append(members, vacm.Member{Model: m, SecurityName: "g", Group: "g"})
		}
		policy, err := vacm.New([]*vacm.View{view}, access, members, []vacm.Community{{Name: "c", SecurityName: "g", Models: bothVersions}})
		if err != nil {
			t.Fatal(err)
		}
		f.SetPolicy(policy)
		from := rapid.SampledFrom(append(subtrees, mib.MustOID("1.3"), mib.MustOID("2.5"))).Draw(t, "from")
		all := f.walk(gosnmp.Version2c, "c", from)
		want := slices.DeleteFunc(slices.Clone(all), func(row string) bool { return strings.Contains(row, " Counter64 ") })
		if diff := cmp.Diff(want, f.walk(gosnmp.Version1, "c", from), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("v2c without Counter64 (-) and v1 (+):\n%s", diff)
		}
		for _, row := range all {
			name, rest, _ := strings.Cut(row, " ")
			answer := f.ask(manager, requestV1(f.t, "c", gosnmp.GetRequest, gosnmp.SnmpPDU{Name: name}))
			if there := !strings.HasPrefix(rest, "Counter64"); there != (answer.Error == gosnmp.NoError) || !there && answer.Error != gosnmp.NoSuchName {
				t.Errorf("get %s: %s", row, show(answer))
			}
		}
	})
}
