package snmpmib

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
	"aaasess/mibs"
)

var (
	begin        = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	testEngineID = []byte{0x80, 0x00, 0x7e, 0xd9, 0x05, 0xab, 0xcd}
)

type fixture struct {
	cfg     Config
	now     time.Time
	policy  *vacm.Policy
	targets *[]notify.Target
	system  *System
	counts  Counts
	tree    *mib.Tree
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{now: begin, policy: testPolicy(t)}
	engine, err := usm.OpenEngine(filepath.Join(t.TempDir(), "engine"), testEngineID, func() time.Time { return f.now })
	if err != nil {
		t.Fatal(err)
	}
	f.system = &System{
		Descr: "a test", ObjectID: mib.MustOID("1.3.6.1.4.1.32473.1"), Contact: "ops", Name: "host", Location: "rack 1", Services: 72,
	}
	f.cfg = Config{
		System:  func() *System { return f.system },
		Modules: []mib.Identity{{ID: mib.MustOID("1.3.6.1.4.1.9.9.150"), Descr: "CISCO-AAA-SESSION-MIB"}},
		Engine:  engine, USM: usm.New(engine, testUsers(t, "bob", "alice")),
		Policy:         func() *vacm.Policy { return f.policy },
		Targets:        func() *[]notify.Target { return f.targets },
		Counts:         func() Counts { return f.counts },
		MaxMessageSize: 65507,
	}
	f.tree = newTree(t, f.cfg)
	return f
}

func newTree(t testing.TB, cfg Config) *mib.Tree {
	t.Helper()
	tree, err := mib.New(Parts(cfg)...)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// testUsers returns users, the first with authentication and privacy, the others without.
func testUsers(t testing.TB, names ...string) *usm.Users {
	t.Helper()
	users := make([]usm.User, len(names))
	for i, name := range names {
		users[i].Name = name
	}
	users[0].Auth, users[0].Priv = usm.HMACSHA256, usm.AES128
	users[0].AuthSecret.LocalizedKey, users[0].PrivSecret.LocalizedKey = make([]byte, 32), make([]byte, 32)
	u, err := usm.NewUsers(testEngineID, users, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func newView(t testing.TB, name string, families ...vacm.Family) *vacm.View {
	t.Helper()
	v, err := vacm.NewView(name, families)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newPolicy(t testing.TB, views []*vacm.View, access []vacm.AccessEntry, members []vacm.Member) *vacm.Policy {
	t.Helper()
	p, err := vacm.New(views, access, members, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func testPolicy(t testing.TB) *vacm.Policy {
	all := newView(t, "all",
		vacm.Family{Subtree: mib.MustOID("1.3.6.1.6.3.15"), Excluded: true}, vacm.Family{Subtree: mib.MustOID("1.3.6.1")})
	system := newView(t, "system", vacm.Family{Subtree: mib.MustOID("1.3.6.1.2.1.1")})
	return newPolicy(t, []*vacm.View{system, all},
		[]vacm.AccessEntry{
			{Group: "readers", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: system},
			{Group: "ops", Model: wire.ModelUSM, Level: wire.AuthPriv, Read: all, Write: all, Notify: system},
		},
		[]vacm.Member{
			{Model: wire.ModelUSM, SecurityName: "bob", Group: "ops"},
			{Model: wire.ModelV2c, SecurityName: "public", Group: "readers"},
		})
}

// walk reads everything by GETNEXT, and each variable again by GET. It returns lines like
// "sysDescr.0 = value".
func walk(t testing.TB, tree *mib.Tree, r *mib.Reader) []string {
	t.Helper()
	defs := tree.Defs()
	var (
		lines []string
		at    mib.OID
		vb    mib.Varbind
	)
	for {
		r.Next(at, false, nil, &vb)
		if vb.Value.Type == mib.EndOfMibView {
			return lines
		}
		if vb.Name.Compare(at) <= 0 {
			t.Fatalf("%s comes after %s", vb.Name, at)
		}
		at = append(at[:0], vb.Name...)
		for _, d := range defs {
			if !at.HasPrefix(d.OID) {
				continue
			}
			if vb.Value.Type != d.Type {
				t.Errorf("%s has type %s, its definition %s", d.Name, vb.Value.Type, d.Type)
			}
			var got mib.Value
			r.Get(at, &got)
			if diff := cmp.Diff(show(&vb.Value), show(&got)); diff != "" {
				t.Errorf("%s: GETNEXT (-) and GET (+):\n%s", at, diff)
			}
			lines = append(lines, d.Name+at[len(d.OID):].String()+" = "+show(&vb.Value))
		}
	}
}

func show(v *mib.Value) string {
	switch v.Type {
	case mib.OctetString:
		return fmt.Sprintf("%q", v.Str)
	case mib.ObjectIdentifier:
		return v.OID.String()
	case mib.Integer32:
		return fmt.Sprint(v.Int32())
	case mib.Counter32, mib.TimeTicks:
		return fmt.Sprint(v.Num)
	}
	return v.Type.String()
}

// walked is a walk of the fixture, without the random numbers and the counters of the snmp group.
const walked = `
sysDescr.0 = "a test"
sysObjectID.0 = .1.3.6.1.4.1.32473.1
sysUpTime.0 = 12345
sysContact.0 = "ops"
sysName.0 = "host"
sysLocation.0 = "rack 1"
sysServices.0 = 72
sysORLastChange.0 = 0
sysORID.1 = .1.3.6.1.6.3.1
sysORID.2 = .1.3.6.1.6.3.10.3.1.1
sysORID.3 = .1.3.6.1.6.3.11.3.1.1
sysORID.4 = .1.3.6.1.6.3.12.3.1.1
sysORID.5 = .1.3.6.1.6.3.12.3.2.1
sysORID.6 = .1.3.6.1.6.3.13.3.2.1
sysORID.7 = .1.3.6.1.6.3.15.2.2.1
sysORID.8 = .1.3.6.1.6.3.16.2.2.1
sysORID.9 = .1.3.6.1.6.3.18.2.1.1
sysORID.10 = .1.3.6.1.4.1.9.9.150
sysORDescr.1 = "SNMPv2-MIB: the agent and its SNMP traffic (RFC 3418)"
sysORDescr.2 = "SNMP-FRAMEWORK-MIB: the SNMP engine (RFC 3411)"
sysORDescr.3 = "SNMP-MPD-MIB: message processing (RFC 3412)"
sysORDescr.4 = "SNMP-TARGET-MIB: requests for contexts that are not here (RFC 3413)"
sysORDescr.5 = "SNMP-TARGET-MIB: where notifications go, read-only (RFC 3413)"
sysORDescr.6 = "SNMP-NOTIFICATION-MIB: who gets notifications, read-only (RFC 3413)"
sysORDescr.7 = "SNMP-USER-BASED-SM-MIB: the users, read-only (RFC 3414)"
sysORDescr.8 = "SNMP-VIEW-BASED-ACM-MIB: who may see what, read-only (RFC 3415)"
sysORDescr.9 = "SNMP-COMMUNITY-MIB: the communities, read-only (RFC 3584)"
sysORDescr.10 = "CISCO-AAA-SESSION-MIB"
sysORUpTime.1 = 0
sysORUpTime.2 = 0
sysORUpTime.3 = 0
sysORUpTime.4 = 0
sysORUpTime.5 = 0
sysORUpTime.6 = 0
sysORUpTime.7 = 0
sysORUpTime.8 = 0
sysORUpTime.9 = 0
sysORUpTime.10 = 0
snmpEnableAuthenTraps.0 = 2
snmpEngineID.0 = "\x80\x00~\xd9\x05\xab\xcd"
snmpEngineBoots.0 = 1
snmpEngineTime.0 = 123
snmpEngineMaxMessageSize.0 = 65507
snmpUnknownSecurityModels.0 = 0
snmpInvalidMsgs.0 = 0
snmpUnknownPDUHandlers.0 = 0
snmpUnavailableContexts.0 = 0
snmpUnknownContexts.0 = 0
usmStatsUnsupportedSecLevels.0 = 0
usmStatsNotInTimeWindows.0 = 0
usmStatsUnknownUserNames.0 = 0
usmStatsUnknownEngineIDs.0 = 0
usmStatsWrongDigests.0 = 0
usmStatsDecryptionErrors.0 = 0
usmUserSecurityName.BOB = "bob"
usmUserSecurityName.ALICE = "alice"
usmUserCloneFrom.BOB = .0.0
usmUserCloneFrom.ALICE = .0.0
usmUserAuthProtocol.BOB = .1.3.6.1.6.3.10.1.1.5
usmUserAuthProtocol.ALICE = .1.3.6.1.6.3.10.1.1.1
usmUserAuthKeyChange.BOB = ""
usmUserAuthKeyChange.ALICE = ""
usmUserOwnAuthKeyChange.BOB = ""
usmUserOwnAuthKeyChange.ALICE = ""
usmUserPrivProtocol.BOB = .1.3.6.1.6.3.10.1.2.4
usmUserPrivProtocol.ALICE = .1.3.6.1.6.3.10.1.2.1
usmUserPrivKeyChange.BOB = ""
usmUserPrivKeyChange.ALICE = ""
usmUserOwnPrivKeyChange.BOB = ""
usmUserOwnPrivKeyChange.ALICE = ""
usmUserPublic.BOB = ""
usmUserPublic.ALICE = ""
usmUserStorageType.BOB = 5
usmUserStorageType.ALICE = 5
usmUserStatus.BOB = 1
usmUserStatus.ALICE = 1
vacmContextName.0 = ""
vacmGroupName.2.6.112.117.98.108.105.99 = "readers"
vacmGroupName.3.3.98.111.98 = "ops"
vacmSecurityToGroupStorageType.2.6.112.117.98.108.105.99 = 5
vacmSecurityToGroupStorageType.3.3.98.111.98 = 5
vacmSecurityToGroupStatus.2.6.112.117.98.108.105.99 = 1
vacmSecurityToGroupStatus.3.3.98.111.98 = 1
vacmAccessContextMatch.OPS = 1
vacmAccessContextMatch.READERS = 1
vacmAccessReadViewName.OPS = "all"
vacmAccessReadViewName.READERS = "system"
vacmAccessWriteViewName.OPS = "all"
vacmAccessWriteViewName.READERS = ""
vacmAccessNotifyViewName.OPS = "system"
vacmAccessNotifyViewName.READERS = ""
vacmAccessStorageType.OPS = 5
vacmAccessStorageType.READERS = 5
vacmAccessStatus.OPS = 1
vacmAccessStatus.READERS = 1
vacmViewTreeFamilyMask.ALL.4.1.3.6.1 = ""
vacmViewTreeFamilyMask.ALL.7.1.3.6.1.6.3.15 = ""
vacmViewTreeFamilyMask.SYSTEM.7.1.3.6.1.2.1.1 = ""
vacmViewTreeFamilyType.ALL.4.1.3.6.1 = 1
vacmViewTreeFamilyType.ALL.7.1.3.6.1.6.3.15 = 2
vacmViewTreeFamilyType.SYSTEM.7.1.3.6.1.2.1.1 = 1
vacmViewTreeFamilyStorageType.ALL.4.1.3.6.1 = 5
vacmViewTreeFamilyStorageType.ALL.7.1.3.6.1.6.3.15 = 5
vacmViewTreeFamilyStorageType.SYSTEM.7.1.3.6.1.2.1.1 = 5
vacmViewTreeFamilyStatus.ALL.4.1.3.6.1 = 1
vacmViewTreeFamilyStatus.ALL.7.1.3.6.1.6.3.15 = 1
vacmViewTreeFamilyStatus.SYSTEM.7.1.3.6.1.2.1.1 = 1
`

// TestWalk reads all objects as a manager does, by GETNEXT and by GET.
func TestWalk(t *testing.T) {
	f := newFixture(t)
	f.now = begin.Add(123456 * time.Millisecond)
	want := strings.Split(strings.TrimSpace(strings.NewReplacer(
		"BOB", "7.128.0.126.217.5.171.205.3.98.111.98",
		"ALICE", "7.128.0.126.217.5.171.205.5.97.108.105.99.101",
		"OPS", "3.111.112.115.0.3.3", "READERS", "7.114.101.97.100.101.114.115.0.2.1",
		"ALL", "3.97.108.108", "SYSTEM", "6.115.121.115.116.101.109",
	).Replace(walked)), "\n")
	var got []string
	for _, line := range walk(t, f.tree, f.tree.NewReader()) {
		name, _, _ := strings.Cut(line, ".")
		switch name {
		case "snmpSetSerialNo", "snmpTargetSpinLock", "usmUserSpinLock", "vacmViewSpinLock":
			continue
		}
		if (strings.HasPrefix(name, "snmpIn") || strings.HasPrefix(name, "snmpOut") || strings.HasSuffix(name, "Drops")) && name != "snmpInvalidMsgs" {
			continue
		}
		got = append(got, line)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// published are the module texts that define our objects.
var published = []string{
	"SNMPv2-MIB", "SNMP-FRAMEWORK-MIB", "SNMP-MPD-MIB", "SNMP-TARGET-MIB", "SNMP-NOTIFICATION-MIB", "SNMP-USER-BASED-SM-MIB", "SNMP-VIEW-BASED-ACM-MIB",
	"SNMP-COMMUNITY-MIB",
}

// TestAgainstModuleTexts compares every object's OID, type and access with the modules that we
// publish, and finds every object of those modules in the code.
func TestAgainstModuleTexts(t *testing.T) {
	want := map[string]string{}
	for _, module := range published {
		objects, err := mibs.Objects(module)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			switch o.Access {
			case "not-accessible", "accessible-for-notify":
				continue
			case "read-create": // the tree has one MAX-ACCESS for both: without row creation there is no difference
				o.Access = "read-write"
			}
			if o.Base == "INTEGER" {
				o.Base = "Integer32"
			}
			want[o.Name] = fmt.Sprint(mib.OID(o.OID), " ", o.Base, " ", o.Access)
		}
	}
	got := map[string]string{}
	for _, d := range newFixture(t).tree.Defs() {
		got[d.Name] = fmt.Sprint(d.OID, " ", d.Type, " ", d.Access)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("text (-) and code (+) differ:\n%s", diff)
	}
}

// TestGoldenNames: the set of served objects does not change unnoticed.
func TestGoldenNames(t *testing.T) {
	const golden = `sysDescr sysObjectID sysUpTime sysContact sysName sysLocation sysServices sysORLastChange sysORID sysORDescr sysORUpTime
snmpInPkts snmpOutPkts snmpInBadVersions snmpInBadCommunityNames snmpInBadCommunityUses snmpInASNParseErrs
snmpInTooBigs snmpInNoSuchNames snmpInBadValues snmpInReadOnlys snmpInGenErrs snmpInTotalReqVars snmpInTotalSetVars
snmpInGetRequests snmpInGetNexts snmpInSetRequests snmpInGetResponses snmpInTraps
snmpOutTooBigs snmpOutNoSuchNames snmpOutBadValues snmpOutGenErrs snmpOutGetRequests snmpOutGetNexts snmpOutSetRequests
snmpOutGetResponses snmpOutTraps snmpEnableAuthenTraps snmpSilentDrops snmpProxyDrops
snmpSetSerialNo snmpEngineID snmpEngineBoots snmpEngineTime snmpEngineMaxMessageSize
snmpUnknownSecurityModels snmpInvalidMsgs snmpUnknownPDUHandlers
snmpTargetSpinLock snmpTargetAddrTDomain snmpTargetAddrTAddress snmpTargetAddrTimeout snmpTargetAddrRetryCount snmpTargetAddrTagList
snmpTargetAddrParams snmpTargetAddrStorageType snmpTargetAddrRowStatus snmpTargetParamsMPModel snmpTargetParamsSecurityModel
snmpTargetParamsSecurityName snmpTargetParamsSecurityLevel snmpTargetParamsStorageType snmpTargetParamsRowStatus
snmpUnavailableContexts snmpUnknownContexts snmpNotifyTag snmpNotifyType snmpNotifyStorageType snmpNotifyRowStatus
usmStatsUnsupportedSecLevels usmStatsNotInTimeWindows usmStatsUnknownUserNames usmStatsUnknownEngineIDs usmStatsWrongDigests
usmStatsDecryptionErrors usmUserSpinLock usmUserSecurityName usmUserCloneFrom usmUserAuthProtocol usmUserAuthKeyChange
usmUserOwnAuthKeyChange usmUserPrivProtocol usmUserPrivKeyChange usmUserOwnPrivKeyChange usmUserPublic usmUserStorageType usmUserStatus
vacmContextName vacmGroupName vacmSecurityToGroupStorageType vacmSecurityToGroupStatus
vacmAccessContextMatch vacmAccessReadViewName vacmAccessWriteViewName vacmAccessNotifyViewName vacmAccessStorageType vacmAccessStatus
vacmViewSpinLock vacmViewTreeFamilyMask vacmViewTreeFamilyType vacmViewTreeFamilyStorageType vacmViewTreeFamilyStatus
snmpCommunityName snmpCommunitySecurityName snmpCommunityContextEngineID snmpCommunityContextName snmpCommunityTransportTag
snmpCommunityStorageType snmpCommunityStatus snmpTargetAddrTMask snmpTargetAddrMMS`
	var got []string
	for _, d := range newFixture(t).tree.Defs() {
		got = append(got, d.Name)
	}
	if diff := cmp.Diff(strings.Fields(golden), got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}
