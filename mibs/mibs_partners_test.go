//go:build partners

package mibs

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// remarks are all messages of smilint at level 9, where even advice is printed. Only inherent and
// inherentPlace are of level 4 or below. The published modules cause all but one of these kinds
// too: only in the abridged IF-MIB does nothing use InterfaceIndexOrZero.
var remarks = map[string]map[string]string{
	session: {
		"identifier-case-match": "casnSessionId and CasnSessionId are the published names",
		"previous-definition":   "belongs to the remark above",
	},
	own:                    {},
	"CISCO-AAA-SERVER-MIB": {"integer-misuse": "the ports are INTEGER in the published module"},
	"INET-ADDRESS-MIB": {
		"type-unref":          "the conventions are for other modules",
		"type-without-format": "RFC 4001 gives InetAddress no display hint",
	},
	"RADIUS-ACC-CLIENT-MIB":     {inherentPlace: "RFC 4670 registers it below its own radiusAccounting"},
	"RADIUS-AUTH-CLIENT-MIB":    {inherentPlace: "RFC 4668 registers it below its own radiusAuthentication"},
	"RADIUS-DYNAUTH-CLIENT-MIB": {},
	"SNMP-TARGET-MIB": {
		"group-unref": "the compliance statements for these groups are in SNMP-NOTIFICATION-MIB",
		"type-unref":  "the conventions are for other modules",
	},
	"CISCO-SMI":   {"module-name-suffix": "the published name does not end in -MIB"},
	"SNMPv2-CONF": {},
	"SNMPv2-SMI": {
		"identifier-basetype-redefined": "smilint has the base types built in, this is where they are defined",
		"node-implicit":                 "zeroDotZero hangs from 0, which has no name",
		"type-without-format":           "base types have no display hint",
	},
	"SNMPv2-TC": {
		"type-unref":          "the conventions are for other modules",
		"type-without-format": "RFC 2579 gives TestAndIncr, TimeStamp, TimeInterval and TAddress no display hint",
	},
	"SNMPv2-TM": {
		"module-name-suffix": "the published name does not end in -MIB",
		"type-unref":         "the conventions are for other modules",
	},
	"TRANSPORT-ADDRESS-MIB": {"type-unref": "the conventions are for other modules"},
	"SNMPv2-MIB": {
		"integer-misuse": "RFC 3418 has INTEGER for sysServices and sysORIndex",
		"group-unref":    "RFC 3418 leaves snmpNotificationGroup out of its compliance statements",
	},
	"SNMP-FRAMEWORK-MIB": {
		"integer-misuse":        "RFC 3411 has INTEGER everywhere",
		"identifier-case-match": "snmpEngineID and SnmpEngineID are the published names",
		"previous-definition":   "belongs to the remark above",
		"type-unref":            "the conventions are for other modules",
		"type-without-format":   "RFC 3411 gives SnmpEngineID and the models no display hint",
	},
	"SNMP-USER-BASED-SM-MIB": {
		"type-without-format": "RFC 3414 gives KeyChange no display hint",
	},
	"SNMP-VIEW-BASED-ACM-MIB": {
		inherent:                  "vacmViewTreeFamilySubtree is an OID, which cannot have a SIZE",
		"index-exceeds-too-large": "follows from the remark above",
	},
	"IF-MIB": {
		"index-element-accessible": "RFC 2863 has ifIndex readable",
		"type-unref":               "InterfaceIndexOrZero is for other modules",
		"group-unref":              "the compliance statement is cut",
	},
}

// inherent is an error of level 3 in RFC 3415 itself, whose text says "should but cannot".
// inherentPlace is a warning of level 4 about RFC 4668 and 4670 themselves.
const (
	inherent      = "index-element-no-size"
	inherentPlace = "module-identity-registration"
)

// TestSmilint: with only our folder to import from, smilint prints exactly the remarks above.
func TestSmilint(t *testing.T) {
	dir := extract(t)
	// "-c" replaces the machine's configuration and its paths.
	conf := filepath.Join(t.TempDir(), "smi.conf")
	if err := os.WriteFile(conf, []byte("path "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range moduleNames(t) {
		t.Run(name, func(t *testing.T) {
			stdout, stderr := run(t, "smilint", "-c", conf, "-s", "-m", "-l", "9", filepath.Join(dir, name+".txt"))
			if stdout != "" {
				t.Errorf("output: %s", stdout)
			}
			due := remarks[name]
			seen := map[string]bool{}
			for line := range strings.Lines(stderr) {
				m := regexp.MustCompile(`\[(\d)\] \{([\w-]+)\}`).FindStringSubmatch(line)
				if m == nil || m[1] < "5" && m[2] != inherent && m[2] != inherentPlace || due[m[2]] == "" {
					t.Errorf("remark: %s", line)
					continue
				}
				seen[m[2]] = true
			}
			for remark := range due {
				if !seen[remark] {
					t.Errorf("%s is no longer remarked on", remark)
				}
			}
		})
	}
}

// TestSmilintSeesFaults: smilint, run in this way, reports errors.
func TestSmilintSeesFaults(t *testing.T) {
	dir := extract(t)
	path := filepath.Join(dir, session+".txt")
	broken := strings.Replace(moduleText(t, session), "SYNTAX      RowPointer", "SYNTAX      RowPainter", 1)
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "smi.conf")
	if err := os.WriteFile(conf, []byte("path "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr := run(t, "smilint", "-c", conf, "-m", "-l", "4", path)
	if !strings.Contains(stderr, "RowPainter") {
		t.Errorf("smilint says %q", stderr)
	}
}

// TestTranslate: net-snmp reads the modules without a message, from an extracted folder and from
// this one, which also has source files, and finds each object at the OID of Objects.
func TestTranslate(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"extracted": extract(t), "sources": here} {
		t.Run(name, func(t *testing.T) {
			var names, want []string
			for _, module := range moduleNames(t) {
				objs, err := Objects(module)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range objs {
					names = append(names, module+"::"+o.Name+".13")
					want = append(want, "."+dotted(o.OID)+".13")
				}
			}
			got := strings.Fields(translate(t, append([]string{"-M", dir, "-m", "ALL", "-On"}, names...)...))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Objects (-) and snmptranslate (+):\n%s", diff)
			}
		})
	}
}

func TestTranslateToNames(t *testing.T) {
	dir := extract(t)
	tests := map[string]string{
		".1.3.6.1.4.1.9.9.150.1.1.3.1.2.13":                "CISCO-AAA-SESSION-MIB::casnUserId.13",
		".1.3.6.1.4.1.9.9.150.1.1.3.1.5.4294967295":        "CISCO-AAA-SESSION-MIB::casnDisconnect.4294967295",
		".1.3.6.1.2.1.2.2.1.1.7":                           "IF-MIB::ifIndex.7", // a value of casnNasPort
		".0.0":                                             "SNMPv2-SMI::zeroDotZero",
		".1.3.6.1.4.1.9.10.56.2.0.1":                       "CISCO-AAA-SERVER-MIB::casServerStateChange",
		".1.3.6.1.4.1.9.10.56.1.1.2.1.3.2.7":               "CISCO-AAA-SERVER-MIB::casAddress.radius.7",
		".1.3.6.1.4.1.9.10.56.1.2.1.1.25.1.7":              "CISCO-AAA-SERVER-MIB::casState.tacacsplus.7",
		".1.3.6.1.2.1.67.2.2.1.1.4.1.15.7":                 "RADIUS-ACC-CLIENT-MIB::radiusAccClientCounterDiscontinuity.7",
		".1.3.6.1.2.1.67.1.2.1.1.3.1.7.7":                  "RADIUS-AUTH-CLIENT-MIB::radiusAuthClientAccessAccepts.7",
		".1.3.6.1.2.1.145.1.2.1.10.7":                      "RADIUS-DYNAUTH-CLIENT-MIB::radiusDynAuthClientDisconAcks.7",
		".1.3.6.1.6.3.12.1.2.1.3.110.109.115":              `SNMP-TARGET-MIB::snmpTargetAddrTAddress.'nms'`,
		".1.3.6.1.6.3.13.1.1.1.3.116.114.97.112":           `SNMP-NOTIFICATION-MIB::snmpNotifyType.'trap'`,
		".1.3.6.1.6.3.18.1.1.1.2.97.98":                    `SNMP-COMMUNITY-MIB::snmpCommunityName.'ab'`,
		".1.3.6.1.6.3.18.1.2.1.1.97.98":                    `SNMP-COMMUNITY-MIB::snmpTargetAddrTMask.'ab'`,
		".1.3.6.1.4.1.32473.1.0.7":                         "AAASESS-MIB::aaasessMethodBlocked",
		".1.3.6.1.4.1.32473.1.1.4.1.7.5.108.111.99.97.108": `AAASESS-MIB::aaasessMethodState."local"`,
		".1.3.6.1.2.1.1.3.0":                               "SNMPv2-MIB::sysUpTime.0",
		".1.3.6.1.2.1.11.29.0":                             "SNMPv2-MIB::snmpOutTraps.0",
		".1.3.6.1.6.3.1.1.6.1.0":                           "SNMPv2-MIB::snmpSetSerialNo.0",
		".1.3.6.1.6.3.11.2.1.3.0":                          "SNMP-MPD-MIB::snmpUnknownPDUHandlers.0", // reports name these four
		".1.3.6.1.6.3.12.1.5.0":                            "SNMP-TARGET-MIB::snmpUnknownContexts.0",
		".1.3.6.1.6.3.15.1.1.2.0":                          "SNMP-USER-BASED-SM-MIB::usmStatsNotInTimeWindows.0",
		".1.3.6.1.6.3.15.1.1.5.0":                          "SNMP-USER-BASED-SM-MIB::usmStatsWrongDigests.0",
		".1.3.6.1.6.3.10.1.1.1":                            "SNMP-USER-BASED-SM-MIB::usmNoAuthProtocol", // values of usmUserTable
		".1.3.6.1.6.3.10.1.1.7":                            "SNMP-USM-HMAC-SHA2-MIB::usmHMAC384SHA512AuthProtocol",
		".1.3.6.1.6.3.10.1.2.4":                            "SNMP-USM-AES-MIB::usmAesCfb128Protocol",
		".1.3.6.1.6.3.15.1.2.2.1.3.5.128.0.0.9.1.2.65.66":  `SNMP-USER-BASED-SM-MIB::usmUserSecurityName."....."."AB"`,
		".1.3.6.1.6.3.16.1.2.1.3.3.3.98.111.98":            `SNMP-VIEW-BASED-ACM-MIB::vacmGroupName.3."bob"`,
		".1.3.6.1.6.3.16.1.4.1.5.3.111.112.115.0.3.3":      `SNMP-VIEW-BASED-ACM-MIB::vacmAccessReadViewName."ops"."".3.authPriv`,
		".1.3.6.1.6.3.16.1.5.2.1.4.3.97.108.108.4.1.3.6.1": `SNMP-VIEW-BASED-ACM-MIB::vacmViewTreeFamilyType."all".4.1.3.6.1`,
	}
	for id, want := range tests {
		t.Run(id, func(t *testing.T) {
			if got := strings.TrimSpace(translate(t, "-M", dir, "-m", "ALL", id)); got != want {
				t.Errorf("%s is printed as %s, want %s", id, got, want)
			}
		})
	}
	got := strings.TrimSpace(translate(t, "-M", dir, "-m", "ALL", "-On", "CISCO-AAA-SESSION-MIB::casnUserId.13"))
	if want := ".1.3.6.1.4.1.9.9.150.1.1.3.1.2.13"; got != want {
		t.Errorf("casnUserId.13 is %s, want %s", got, want)
	}
}

// tree is the module as net-snmp parses it: types, access, ranges.
const tree = `
+--ciscoAAASessionMIB(150)
   |
   +--casnMIBObjects(1)
   |  |
   |  +--casnActive(1)
   |  |  |
   |  |  +-- -R-- Gauge     casnActiveTableEntries(1)
   |  |  +-- -R-- Gauge     casnActiveTableHighWaterMark(2)
   |  |  |
   |  |  +--casnActiveTable(3)
   |  |     |
   |  |     +--casnActiveEntry(1)
   |  |        |  Index: casnSessionId
   |  |        |
   |  |        +-- ---- Unsigned  casnSessionId(1)
   |  |        |        Textual Convention: CasnSessionId
   |  |        |        Range: 1..4294967295
   |  |        +-- -R-- String    casnUserId(2)
   |  |        |        Textual Convention: DisplayString
   |  |        |        Size: 0..255
   |  |        +-- -R-- IpAddr    casnIpAddr(3)
   |  |        +-- -R-- Gauge     casnIdleTime(4)
   |  |        +-- -RW- EnumVal   casnDisconnect(5)
   |  |        |        Textual Convention: TruthValue
   |  |        |        Values: true(1), false(2)
   |  |        +-- -R-- Unsigned  casnCallTrackerId(6)
   |  |        |        Textual Convention: CctCallId
   |  |        +-- -R-- ObjID     casnNasPort(7)
   |  |        |        Textual Convention: RowPointer
   |  |        +-- -R-- Integer32 casnVaiIfIndex(8)
   |  |                 Textual Convention: InterfaceIndexOrZero
   |  |                 Range: 0..2147483647
   |  |
   |  +--casnGeneral(2)
   |     |
   |     +-- -R-- Counter   casnTotalSessions(1)
   |     +-- -R-- Counter   casnDisconnectedSessions(2)
   |
   +--casnMIBNotificationPrefix(2)
   |  |
   |  +--casnMIBNotifications(1)
   |
   +--casnMIBConformance(3)
      |
      +--casnMIBCompliances(1)
      |  |
      |  +--casnMIBCompliance(1)
      |  +--casnMIBComplianceRev1(2)
      |
      +--casnMIBGroups(2)
         |
         +--casnActiveGroup(1)
         +--casnGeneralGroup(2)
         +--casnActiveGroupSup1(3)
`

func TestTranslateTree(t *testing.T) {
	got := translate(t, "-M", extract(t), "-m", "ALL", "-Tp", ".1.3.6.1.4.1.9.9.150")
	if diff := cmp.Diff(strings.TrimSpace(tree), strings.TrimSpace(got)); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// translate runs snmptranslate, which must not report problems.
func translate(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr := run(t, "snmptranslate", args...)
	if stderr != "" {
		t.Errorf("snmptranslate %q complains: %s", args, stderr)
	}
	return stdout
}

// run runs a program without the machine's own SNMP configuration and modules, and returns its
// output.
func run(t *testing.T, program string, args ...string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	home := t.TempDir()
	// net-snmp creates this folder if it is missing, and reports that on stderr.
	if err := os.Mkdir(filepath.Join(home, "cert_indexes"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "SNMPCONFPATH=" + home, "SNMP_PERSISTENT_DIR=" + home}
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, complaint.String())
	}
	return out.String(), complaint.String()
}

// TestOtherNumber: with another enterprise number the module is elsewhere, and net-snmp and smilint read it
// without a message. net-snmp reads no larger number.
func TestOtherNumber(t *testing.T) {
	dir := extract(t)
	path := filepath.Join(dir, own+".txt")
	if err := os.WriteFile(path, []byte(strings.Replace(Own, "{ enterprises 32473 }", "{ enterprises 2147483647 }", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "AAASESS-MIB::aaasessSpoolRecords.0"
	if got := strings.TrimSpace(translate(t, "-M", dir, "-m", "ALL", ".1.3.6.1.4.1.2147483647.1.1.3.2.0")); got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
	conf := filepath.Join(t.TempDir(), "smi.conf")
	if err := os.WriteFile(conf, []byte("path "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr := run(t, "smilint", "-c", conf, "-s", "-m", "-l", "9", path); stdout+stderr != "" {
		t.Errorf("smilint says %s%s", stdout, stderr)
	}
}

// extract copies the modules, and nothing else, into a folder.
func extract(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, FS); err != nil {
		t.Fatal(err)
	}
	return dir
}
