package snmpmib

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

func withCommunities(t testing.TB, list ...vacm.Community) *vacm.Policy {
	t.Helper()
	p, err := vacm.New(nil, nil, []vacm.Member{{Model: wire.ModelUSM, SecurityName: "notify/taken", Group: "g"}}, list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, s := range texts {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

var (
	v1Only = []wire.SecurityModel{wire.ModelV1}
	both   = []wire.SecurityModel{wire.ModelV1, wire.ModelV2c}
)

// adminCommunities are the communities of adminTables.
var adminCommunities = []vacm.Community{
	{Name: "s3cret", SecurityName: "ops", From: prefixes("192.0.2.0/25", "2001:db8::/32")},
	{Name: "0ther", SecurityName: "ops", From: prefixes("10.9.9.9/8", "::ffff:198.51.100.0/120"), Models: v1Only},
	{Name: "open", SecurityName: "all", From: prefixes("0.0.0.0/0", "::/0"), Models: both},
	{Name: "open4", SecurityName: "four", From: prefixes("0.0.0.0/0"), Models: both},
	{Name: "anyone", SecurityName: "none"},
}

// adminTargets are the targets of adminTables.
var adminTargets = []notify.Target{
	{Name: "nms", Address: "192.0.2.9:162", Version: wire.Version2c, Community: "tr4p", Timeout: 1500 * time.Millisecond, Retries: 7},
	{Name: "six", Address: "[2001:db8::9]:1162", Version: wire.Version3, Inform: true, User: usm.User{Name: "noc", Auth: usm.HMACSHA256, Priv: usm.AES128}, Retries: 3},
	{Name: "name", Address: "nms.example.net:162", Version: wire.Version3, User: usm.User{Name: "clerk", Auth: usm.HMACSHA}},
	{Name: "mapped", Address: "[::ffff:192.0.2.7]:162", Version: wire.Version3, User: usm.User{Name: "guest"}},
	{Name: "zone", Address: "[fe80::1%7]:162", Version: wire.Version3, User: usm.User{Name: "guest"}},
	{Name: "taken", Address: "192.0.2.8:162", Version: wire.Version2c, Inform: true, Community: "inf0rm"},
}

// adminTables is a walk over the tables with these rows. An index is printed as text.
const adminTables = `
snmpTargetAddrTDomain.mapped = .1.3.6.1.6.1.1
snmpTargetAddrTDomain.name = .1.3.6.1.2.1.100.1.14
snmpTargetAddrTDomain.nms = .1.3.6.1.6.1.1
snmpTargetAddrTDomain.six = .1.3.6.1.2.1.100.1.2
snmpTargetAddrTDomain.zone = .1.3.6.1.2.1.100.1.4
snmpTargetAddrTDomain.four/1 = .1.3.6.1.6.1.1
snmpTargetAddrTDomain.ops/1 = .1.3.6.1.6.1.1
snmpTargetAddrTDomain.ops/2 = .1.3.6.1.2.1.100.1.2
snmpTargetAddrTDomain.ops/2/1 = .1.3.6.1.6.1.1
snmpTargetAddrTDomain.ops/2/2 = .1.3.6.1.6.1.1
snmpTargetAddrTDomain.taken = .1.3.6.1.6.1.1
snmpTargetAddrTAddress.mapped = "\xc0\x00\x02\a\x00\xa2"
snmpTargetAddrTAddress.name = "nms.example.net:162"
snmpTargetAddrTAddress.nms = "\xc0\x00\x02\t\x00\xa2"
snmpTargetAddrTAddress.six = " \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\t\x04\x8a"
snmpTargetAddrTAddress.zone = "\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\a\x00\xa2"
snmpTargetAddrTAddress.four/1 = "\x00\x00\x00\x00\x00\x00"
snmpTargetAddrTAddress.ops/1 = "\xc0\x00\x02\x00\x00\x00"
snmpTargetAddrTAddress.ops/2 = " \x01\r\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
snmpTargetAddrTAddress.ops/2/1 = "\n\x00\x00\x00\x00\x00"
snmpTargetAddrTAddress.ops/2/2 = "\xc63d\x00\x00\x00"
snmpTargetAddrTAddress.taken = "\xc0\x00\x02\b\x00\xa2"
snmpTargetAddrTimeout.mapped = 500
snmpTargetAddrTimeout.nms = 150
snmpTargetAddrTimeout.ops/1 = 1500
snmpTargetAddrRetryCount.nms = 7
snmpTargetAddrRetryCount.six = 3
snmpTargetAddrRetryCount.zone = 0
snmpTargetAddrRetryCount.ops/1 = 3
snmpTargetAddrTagList.mapped = "trap"
snmpTargetAddrTagList.nms = "trap notify/nms"
snmpTargetAddrTagList.six = "inform"
snmpTargetAddrTagList.taken = "inform notify/taken"
snmpTargetAddrTagList.four/1 = "from/four"
snmpTargetAddrTagList.ops/1 = "from/ops"
snmpTargetAddrTagList.ops/2 = "from/ops"
snmpTargetAddrTagList.ops/2/1 = "from/ops/2"
snmpTargetAddrTagList.ops/2/2 = "from/ops/2"
snmpTargetAddrParams.nms = "nms"
snmpTargetAddrParams.ops/1 = "ops"
snmpTargetAddrParams.ops/2 = "ops"
snmpTargetAddrParams.ops/2/1 = "ops/2"
snmpTargetAddrStorageType.nms = 5
snmpTargetAddrRowStatus.ops/1 = 1
snmpTargetParamsMPModel.nms = 1
snmpTargetParamsMPModel.ops = 1
snmpTargetParamsMPModel.six = 3
snmpTargetParamsMPModel.four = 1
snmpTargetParamsMPModel.ops/2 = 0
snmpTargetParamsSecurityModel.nms = 2
snmpTargetParamsSecurityModel.six = 3
snmpTargetParamsSecurityModel.four = 2
snmpTargetParamsSecurityModel.ops/2 = 1
snmpTargetParamsSecurityName.name = "clerk"
snmpTargetParamsSecurityName.nms = "notify/nms"
snmpTargetParamsSecurityName.six = "noc"
snmpTargetParamsSecurityName.taken = "notify/taken/2"
snmpTargetParamsSecurityName.ops/2 = "ops"
snmpTargetParamsSecurityLevel.name = 2
snmpTargetParamsSecurityLevel.nms = 1
snmpTargetParamsSecurityLevel.six = 3
snmpTargetParamsSecurityLevel.zone = 1
snmpTargetParamsStorageType.six = 5
snmpTargetParamsRowStatus.six = 1
snmpNotifyTag.inform = "inform"
snmpNotifyTag.trap = "trap"
snmpNotifyType.inform = 2
snmpNotifyType.trap = 1
snmpNotifyStorageType.trap = 5
snmpNotifyRowStatus.inform = 1
snmpCommunityName.all = "open"
snmpCommunityName.four = "open4"
snmpCommunityName.none = "anyone"
snmpCommunityName.ops = "s3cret"
snmpCommunityName.ops/2 = "0ther"
snmpCommunityName.notify/nms = "tr4p"
snmpCommunityName.notify/taken = "inf0rm"
snmpCommunitySecurityName.ops = "ops"
snmpCommunitySecurityName.ops/2 = "ops"
snmpCommunitySecurityName.notify/nms = "notify/nms"
snmpCommunitySecurityName.notify/taken = "notify/taken/2"
snmpCommunityContextEngineID.ops = "\x80\x00~\xd9\x05\xab\xcd"
snmpCommunityContextName.ops = ""
snmpCommunityTransportTag.all = ""
snmpCommunityTransportTag.four = "from/four"
snmpCommunityTransportTag.none = ""
snmpCommunityTransportTag.ops = "from/ops"
snmpCommunityTransportTag.ops/2 = "from/ops/2"
snmpCommunityTransportTag.notify/nms = "notify/nms"
snmpCommunityTransportTag.notify/taken = "notify/taken"
snmpCommunityStorageType.ops = 5
snmpCommunityStatus.notify/nms = 1
snmpTargetAddrTMask.nms = ""
snmpTargetAddrTMask.four/1 = "\x00\x00\x00\x00\x00\x00"
snmpTargetAddrTMask.ops/1 = "\xff\xff\xff\x80\x00\x00"
snmpTargetAddrTMask.ops/2 = "\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
snmpTargetAddrTMask.ops/2/1 = "\xff\x00\x00\x00\x00\x00"
snmpTargetAddrTMask.ops/2/2 = "\xff\xff\xff\x00\x00\x00"
snmpTargetAddrMMS.ops/1 = 0
`

// adminRowsOf walks the tables. It returns the values by object and index, as in adminTables.
func adminRowsOf(t testing.TB, f *fixture) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, line := range walk(t, f.tree, f.tree.NewReader()) {
		name, value, _ := strings.Cut(line, " = ")
		object, index, _ := strings.Cut(name, ".")
		if !strings.HasPrefix(object, "snmpTargetAddr") && !strings.HasPrefix(object, "snmpTargetParams") &&
			!strings.HasPrefix(object, "snmpNotify") && !strings.HasPrefix(object, "snmpCommunity") {
			continue
		}
		text := ""
		for sub := range strings.SplitSeq(index, ".") {
			var n byte
			if _, err := fmt.Sscan(sub, &n); err != nil {
				t.Fatalf("index of %s: %v", line, err)
			}
			text += string(n)
		}
		got[object+"."+text] = value
	}
	return got
}

// TestAdminTables: the values of each column, and which rows the tables have.
func TestAdminTables(t *testing.T) {
	f := newFixture(t)
	f.policy = withCommunities(t, adminCommunities...)
	f.targets = &adminTargets
	got := adminRowsOf(t, f)
	columns := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(adminTables)) {
		name, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " = ")
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
		object, _, _ := strings.Cut(name, ".")
		columns[object] = true
	}
	rows := map[string]int{}
	for name := range got {
		object, _, _ := strings.Cut(name, ".")
		rows[object]++
		if !columns[object] {
			t.Errorf("no value of %s is tested", object)
		}
	}
	for object, n := range rows {
		want := map[string]int{"snmpTargetAddr": 11, "snmpTargetParam": 9, "snmpNotify": 2, "snmpCommunity": 7}
		for prefix, w := range want {
			if strings.HasPrefix(object, prefix) && n != w {
				t.Errorf("%s has %d rows, want %d", object, n, w)
			}
		}
	}
}

// TestAdminTablesChange: a new policy and new targets show in the next request, each alone, and not in
// one that is being answered.
func TestAdminTablesChange(t *testing.T) {
	f := newFixture(t)
	f.policy = withCommunities(t, adminCommunities[0])
	if got := adminRowsOf(t, f); got["snmpCommunityName.ops"] != `"s3cret"` || got["snmpNotifyTag.trap"] != "" {
		t.Errorf("before: %v", got)
	}
	reader := f.tree.NewReader()
	before := walk(t, f.tree, reader)
	f.targets = &adminTargets
	if got := adminRowsOf(t, f); got["snmpNotifyTag.trap"] != `"trap"` || got["snmpTargetAddrTagList.nms"] == "" || got["snmpCommunityName.ops"] == "" {
		t.Errorf("with targets: %v", got)
	}
	f.policy = withCommunities(t, adminCommunities[4])
	if got := adminRowsOf(t, f); got["snmpCommunityName.none"] != `"anyone"` || got["snmpCommunityName.ops"] != "" || got["snmpNotifyTag.trap"] == "" {
		t.Errorf("with another policy: %v", got)
	}
	if diff := cmp.Diff(before, walk(t, f.tree, reader)); diff != "" {
		t.Errorf("a request in progress has seen the change:\n%s", diff)
	}
	f.targets = nil
	if got := adminRowsOf(t, f); got["snmpNotifyTag.trap"] != "" || got["snmpTargetAddrTagList.nms"] != "" || got["snmpCommunityName.none"] == "" {
		t.Errorf("without targets: %v", got)
	}
}

// TestAdminNames: whatever the names in the configuration, each community and target has its row, names
// are unique, at most 32 octets of UTF-8, and tags have no delimiters. Each tag and each name that a row
// refers to exists, and no security name of a target is in a group or belongs to a community.
func TestAdminNames(t *testing.T) {
	name := rapid.OneOf(rapid.SampledFrom([]string{"a", "a/2", "notify/a", "a b", strings.Repeat("x", 32), strings.Repeat("é", 16)}), rapid.StringMatching(`[a-zé /\t]{1,20}`))
	rapid.Check(t, func(t *rapid.T) {
		var list []vacm.Community
		for i := range rapid.IntRange(0, 5).Draw(t, "communities") {
			c := vacm.Community{Name: fmt.Sprint("secret", i), SecurityName: cutName(name.Draw(t, "security name"), 32)}
			if rapid.Bool().Draw(t, "restricted") {
				c.From = prefixes("10.0.0.0/8", "2001:db8::/32")
			}
			list = append(list, c)
		}
		policy, err := vacm.New(nil, nil, nil, list)
		if err != nil {
			t.Fatal(err)
		}
		var targets []notify.Target
		for range rapid.IntRange(0, 5).Draw(t, "targets") {
			targets = append(targets, notify.Target{
				Name: strings.Repeat(name.Draw(t, "target"), rapid.IntRange(1, 3).Draw(t, "times")), Address: "192.0.2.1:162",
				Version: rapid.SampledFrom([]wire.Version{wire.Version2c, wire.Version3}).Draw(t, "version"), User: usm.User{Name: "u"},
			})
		}
		checkAdminRows(t, newAdminRows(policy, &targets), list, targets)
	})
}

func checkAdminRows(t *rapid.T, rows *adminRows, list []vacm.Community, targets []notify.Target) {
	v2c, sources := 0, 0
	for _, target := range targets {
		if target.Version == wire.Version2c {
			v2c++
		}
	}
	for _, c := range list {
		sources += len(c.From)
	}
	if len(rows.communities) != len(list)+v2c || len(rows.addresses) != len(targets)+sources {
		t.Fatalf("%d communities, %d addresses: %+v", len(rows.communities), len(rows.addresses), rows.addresses)
	}
	tags := map[string]bool{"": true}
	for _, a := range rows.addresses {
		checkRowName(t, a.index)
		for _, tag := range strings.Split(a.row.tags, " ") {
			if strings.ContainsAny(tag, " \t\r\n") || tag == "" {
				t.Fatalf("tags %q", a.row.tags)
			}
			tags[tag] = true
		}
		if _, ok := rows.params.search(impliedName(a.row.paramsOf)); !ok {
			t.Fatalf("there are no parameters %q", a.row.paramsOf)
		}
	}
	for _, p := range rows.params {
		checkRowName(t, p.index)
	}
	configured := map[string]bool{}
	for _, c := range list {
		configured[c.SecurityName] = true
	}
	for _, c := range rows.communities {
		checkRowName(t, c.index)
		if !tags[c.row.tag] || strings.ContainsAny(c.row.tag, " \t") {
			t.Fatalf("no address has the tag %q", c.row.tag)
		}
		if len(c.row.securityName) > 32 || !strings.HasPrefix(c.row.name, "secret") && configured[c.row.securityName] {
			t.Fatalf("security name %q of a target", c.row.securityName)
		}
	}
	for _, n := range rows.notify {
		if !tags[n.row.tag] {
			t.Fatalf("no address has the tag %q", n.row.tag)
		}
	}
}

func checkRowName(t *rapid.T, index mib.OID) {
	b := make([]byte, len(index))
	for i, sub := range index {
		b[i] = byte(sub)
	}
	if len(b) == 0 || len(b) > 32 || !utf8.Valid(b) {
		t.Fatalf("a row is called %q", b)
	}
}

func TestUniqueNames(t *testing.T) {
	long := strings.Repeat("x", 40)
	n := names{}
	var got []string
	for _, name := range []string{"a", "a", "a/2", "a", "a/2", long, long, "é" + strings.Repeat("é", 15), strings.Repeat("é", 17)} {
		got = append(got, n.unique(name))
	}
	want := []string{"a", "a/2", "a/2/2", "a/3", "a/2/3", long[:32], long[:30] + "/2", strings.Repeat("é", 16), strings.Repeat("é", 15) + "/2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}
