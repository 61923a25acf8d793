package mibs

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	session = "CISCO-AAA-SESSION-MIB"
	own     = "AAASESS-MIB"
)

// casn returns the OID of a node below ciscoAAASessionMIB.
func casn(arcs ...uint32) []uint32 {
	return append([]uint32{1, 3, 6, 1, 4, 1, 9, 9, 150}, arcs...)
}

// The facts of the published module, revision 2006-03-21.
var sessionObjects = []Object{
	{"casnActiveTableEntries", casn(1, 1, 1), "Gauge32", "Gauge32", "", "", "read-only", "current", nil, ""},
	{"casnActiveTableHighWaterMark", casn(1, 1, 2), "Gauge32", "Gauge32", "", "", "read-only", "current", nil, ""},
	{"casnActiveTable", casn(1, 1, 3), "SEQUENCE OF CasnActiveEntry", "SEQUENCE OF", "", "", "not-accessible", "current", nil, ""},
	{"casnActiveEntry", casn(1, 1, 3, 1), "CasnActiveEntry", "SEQUENCE", "", "", "not-accessible", "current", []string{"casnSessionId"}, ""},
	{"casnSessionId", casn(1, 1, 3, 1, 1), "CasnSessionId", "Unsigned32", "(1..4294967295)", "", "not-accessible", "current", nil, ""},
	{"casnUserId", casn(1, 1, 3, 1, 2), "DisplayString", "OCTET STRING", "(SIZE(0..255))", "", "read-only", "current", nil, ""},
	{"casnIpAddr", casn(1, 1, 3, 1, 3), "IpAddress", "IpAddress", "", "", "read-only", "current", nil, ""},
	{"casnIdleTime", casn(1, 1, 3, 1, 4), "Gauge32", "Gauge32", "", "seconds", "read-only", "current", nil, ""},
	{"casnDisconnect", casn(1, 1, 3, 1, 5), "TruthValue", "INTEGER", "{true(1),false(2)}", "", "read-write", "current", nil, ""},
	{"casnCallTrackerId", casn(1, 1, 3, 1, 6), "CctCallId", "Unsigned32", "", "", "read-only", "current", nil, ""},
	{"casnNasPort", casn(1, 1, 3, 1, 7), "RowPointer", "OBJECT IDENTIFIER", "", "", "read-only", "current", nil, ""},
	{"casnVaiIfIndex", casn(1, 1, 3, 1, 8), "InterfaceIndexOrZero", "Integer32", "(0..2147483647)", "", "read-only", "current", nil, ""},
	{"casnTotalSessions", casn(1, 2, 1), "Counter32", "Counter32", "", "", "read-only", "current", nil, ""},
	{"casnDisconnectedSessions", casn(1, 2, 2), "Counter32", "Counter32", "", "", "read-only", "current", nil, ""},
}

func TestObjects(t *testing.T) {
	got, err := Objects(session)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sessionObjects, got); diff != "" {
		t.Errorf("facts (-) and text (+):\n%s", diff)
	}
}

// TestObjectsOfBaseModules compares the objects that the session table refers to with RFC 2863.
func TestObjectsOfBaseModules(t *testing.T) {
	const want = `
ifNumber      1.3.6.1.2.1.2.1          Integer32                read-only
ifTable       1.3.6.1.2.1.2.2          SEQUENCE OF              not-accessible
ifEntry       1.3.6.1.2.1.2.2.1        SEQUENCE                 not-accessible
ifIndex       1.3.6.1.2.1.2.2.1.1      Integer32(1..2147483647) read-only
ifDescr       1.3.6.1.2.1.2.2.1.2      OCTET STRING(SIZE(0..255)) read-only
ifSpeed       1.3.6.1.2.1.2.2.1.5      Gauge32                  read-only
ifAdminStatus 1.3.6.1.2.1.2.2.1.7      INTEGER{up(1),down(2),testing(3)} read-write
ifOperStatus  1.3.6.1.2.1.2.2.1.8      INTEGER{up(1),down(2),testing(3),unknown(4),dormant(5),notPresent(6),lowerLayerDown(7)} read-only
ifInOctets    1.3.6.1.2.1.2.2.1.10     Counter32                read-only
ifOutOctets   1.3.6.1.2.1.2.2.1.16     Counter32                read-only
ifXTable      1.3.6.1.2.1.31.1.1       SEQUENCE OF              not-accessible
ifXEntry      1.3.6.1.2.1.31.1.1.1     SEQUENCE                 not-accessible
ifName        1.3.6.1.2.1.31.1.1.1.1   OCTET STRING(SIZE(0..255)) read-only
ifHCInOctets  1.3.6.1.2.1.31.1.1.1.6   Counter64                read-only
ifHCOutOctets 1.3.6.1.2.1.31.1.1.1.10  Counter64                read-only
ifHighSpeed   1.3.6.1.2.1.31.1.1.1.15  Gauge32                  read-only
ifAlias       1.3.6.1.2.1.31.1.1.1.18  OCTET STRING(SIZE(0..64)) read-write`
	if diff := cmp.Diff(facts(want), objectLines(t, "IF-MIB")); diff != "" {
		t.Errorf("facts (-) and text (+):\n%s", diff)
	}
	if got := objectLines(t, "CISCO-SMI"); len(got) > 0 {
		t.Errorf("objects in CISCO-SMI: %q", got)
	}
}

// TestTree reads every node of the module by a pattern, independently of the parser, and compares
// the whole tree with the facts.
func TestTree(t *testing.T) {
	want := map[string]string{
		"ciscoAAASessionMIB": "", "casnMIBObjects": ".1", "casnActive": ".1.1", "casnGeneral": ".1.2",
		"casnMIBNotificationPrefix": ".2", "casnMIBNotifications": ".2.1",
		"casnMIBConformance": ".3", "casnMIBCompliances": ".3.1", "casnMIBGroups": ".3.2",
		"casnMIBCompliance": ".3.1.1", "casnMIBComplianceRev1": ".3.1.2",
		"casnActiveGroup": ".3.2.1", "casnGeneralGroup": ".3.2.2", "casnActiveGroupSup1": ".3.2.3",
	}
	for _, o := range sessionObjects {
		want[o.Name] = strings.TrimPrefix(dotted(o.OID), "1.3.6.1.4.1.9.9.150")
	}
	if diff := cmp.Diff(want, patternTree(t, moduleText(t, session))); diff != "" {
		t.Errorf("facts (-) and text (+):\n%s", diff)
	}
}

// patternTree returns the position of each node of a text below ciscoMgmt 150.
func patternTree(t *testing.T, text string) map[string]string {
	t.Helper()
	text = regexp.MustCompile(`(?s)"[^"]*"|--[^\n]*`).ReplaceAllString(text, "")
	re := regexp.MustCompile(`(?ms)^([a-z]\w*)\s+(?:OBJECT IDENTIFIER|[A-Z-]+)[^:]*?::=\s*\{ (\w+) (\d+) \}`)
	tree := map[string]string{}
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		name, parent, arc := m[1], m[2], m[3]
		if parent == "ciscoMgmt" && arc == "150" {
			tree[name] = ""
			continue
		}
		above, ok := tree[parent]
		if !ok {
			t.Errorf("%s hangs from %s, which is not above it in the text", name, parent)
		}
		tree[name] = above + "." + arc
	}
	return tree
}

// TestGroups compares the members of the conformance groups with the facts.
func TestGroups(t *testing.T) {
	want := map[string][]string{
		"casnActiveGroup": {
			"casnActiveTableEntries", "casnActiveTableHighWaterMark", "casnUserId", "casnIpAddr",
			"casnIdleTime", "casnDisconnect", "casnCallTrackerId",
		},
		"casnGeneralGroup":    {"casnTotalSessions", "casnDisconnectedSessions"},
		"casnActiveGroupSup1": {"casnNasPort", "casnVaiIfIndex"},
	}
	got := map[string][]string{}
	re := regexp.MustCompile(`(?s)(\w+) OBJECT-GROUP\s+OBJECTS \{(.*?)\}`)
	for _, m := range re.FindAllStringSubmatch(moduleText(t, session), -1) {
		got[m[1]] = strings.FieldsFunc(m[2], func(r rune) bool { return strings.ContainsRune(" \n,", r) })
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-) and text (+):\n%s", diff)
	}
}

// TestFolder: each text is parsed completely, all of its imports are in the folder, and the README
// names it.
func TestFolder(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	names := moduleNames(t)
	want := []string{
		own, "CISCO-AAA-SERVER-MIB", session, "CISCO-SMI", "IF-MIB", "INET-ADDRESS-MIB", "RADIUS-ACC-CLIENT-MIB", "RADIUS-AUTH-CLIENT-MIB",
		"RADIUS-DYNAUTH-CLIENT-MIB", "SNMP-COMMUNITY-MIB", "SNMP-FRAMEWORK-MIB", "SNMP-MPD-MIB", "SNMP-NOTIFICATION-MIB", "SNMP-TARGET-MIB", "SNMP-USER-BASED-SM-MIB",
		"SNMP-USM-AES-MIB", "SNMP-USM-HMAC-SHA2-MIB", "SNMP-VIEW-BASED-ACM-MIB", "SNMPv2-CONF", "SNMPv2-MIB", "SNMPv2-SMI", "SNMPv2-TC", "SNMPv2-TM",
		"TRANSPORT-ADDRESS-MIB",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("modules in the folder (+):\n%s", diff)
	}
	for _, name := range names {
		if _, err := Objects(name); err != nil {
			t.Error(err)
		}
		for _, m := range regexp.MustCompile(`FROM ([\w-]+)`).FindAllStringSubmatch(moduleText(t, name), -1) {
			if !slices.Contains(names, m[1]) {
				t.Errorf("%s imports from %s, which is not in the folder", name, m[1])
			}
		}
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("README.md does not name %s", name)
		}
	}
}

// moduleNames returns the modules of FS in order.
func moduleNames(t testing.TB) []string {
	t.Helper()
	files, err := fs.Glob(FS, "*")
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(f, ".txt")
	}
	return names
}

func moduleText(t testing.TB, name string) string {
	t.Helper()
	b, err := FS.ReadFile(name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func dotted(id []uint32) string {
	s := make([]string, len(id))
	for i, n := range id {
		s[i] = strconv.FormatUint(uint64(n), 10)
	}
	return strings.Join(s, ".")
}
