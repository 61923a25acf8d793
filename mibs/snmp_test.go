package mibs

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Base types of SNMPv2-TC, for the facts below.
var abbreviations = strings.NewReplacer(
	"StorageType", "INTEGER{other(1),volatile(2),nonVolatile(3),permanent(4),readOnly(5)}",
	"RowStatus", "INTEGER{active(1),notInService(2),notReady(3),createAndGo(4),createAndWait(5),destroy(6)}",
	"TestAndIncr", "INTEGER(0..2147483647)",
	"SnmpSecurityLevel", "INTEGER{noAuthNoPriv(1),authNoPriv(2),authPriv(3)}",
)

// snmpObjects are the facts of the RFCs, in the order of the OIDs: the objects of the embedded
// responder.
var snmpObjects = map[string]string{
	"SNMPv2-MIB": `
sysDescr                1.3.6.1.2.1.1.1     OCTET STRING(SIZE(0..255))      read-only
sysObjectID             1.3.6.1.2.1.1.2     OBJECT IDENTIFIER               read-only
sysUpTime               1.3.6.1.2.1.1.3     TimeTicks                       read-only
sysContact              1.3.6.1.2.1.1.4     OCTET STRING(SIZE(0..255))      read-write
sysName                 1.3.6.1.2.1.1.5     OCTET STRING(SIZE(0..255))      read-write
sysLocation             1.3.6.1.2.1.1.6     OCTET STRING(SIZE(0..255))      read-write
sysServices             1.3.6.1.2.1.1.7     INTEGER(0..127)                 read-only
sysORLastChange         1.3.6.1.2.1.1.8     TimeTicks                       read-only
sysORTable              1.3.6.1.2.1.1.9     SEQUENCE OF                     not-accessible
sysOREntry              1.3.6.1.2.1.1.9.1   SEQUENCE                        not-accessible
sysORIndex              1.3.6.1.2.1.1.9.1.1 INTEGER(1..2147483647)          not-accessible
sysORID                 1.3.6.1.2.1.1.9.1.2 OBJECT IDENTIFIER               read-only
sysORDescr              1.3.6.1.2.1.1.9.1.3 OCTET STRING(SIZE(0..255))      read-only
sysORUpTime             1.3.6.1.2.1.1.9.1.4 TimeTicks                       read-only
snmpInPkts              1.3.6.1.2.1.11.1    Counter32                       read-only
snmpOutPkts             1.3.6.1.2.1.11.2    Counter32                       read-only
snmpInBadVersions       1.3.6.1.2.1.11.3    Counter32                       read-only
snmpInBadCommunityNames 1.3.6.1.2.1.11.4    Counter32                       read-only
snmpInBadCommunityUses  1.3.6.1.2.1.11.5    Counter32                       read-only
snmpInASNParseErrs      1.3.6.1.2.1.11.6    Counter32                       read-only
snmpInTooBigs           1.3.6.1.2.1.11.8    Counter32                       read-only
snmpInNoSuchNames       1.3.6.1.2.1.11.9    Counter32                       read-only
snmpInBadValues         1.3.6.1.2.1.11.10   Counter32                       read-only
snmpInReadOnlys         1.3.6.1.2.1.11.11   Counter32                       read-only
snmpInGenErrs           1.3.6.1.2.1.11.12   Counter32                       read-only
snmpInTotalReqVars      1.3.6.1.2.1.11.13   Counter32                       read-only
snmpInTotalSetVars      1.3.6.1.2.1.11.14   Counter32                       read-only
snmpInGetRequests       1.3.6.1.2.1.11.15   Counter32                       read-only
snmpInGetNexts          1.3.6.1.2.1.11.16   Counter32                       read-only
snmpInSetRequests       1.3.6.1.2.1.11.17   Counter32                       read-only
snmpInGetResponses      1.3.6.1.2.1.11.18   Counter32                       read-only
snmpInTraps             1.3.6.1.2.1.11.19   Counter32                       read-only
snmpOutTooBigs          1.3.6.1.2.1.11.20   Counter32                       read-only
snmpOutNoSuchNames      1.3.6.1.2.1.11.21   Counter32                       read-only
snmpOutBadValues        1.3.6.1.2.1.11.22   Counter32                       read-only
snmpOutGenErrs          1.3.6.1.2.1.11.24   Counter32                       read-only
snmpOutGetRequests      1.3.6.1.2.1.11.25   Counter32                       read-only
snmpOutGetNexts         1.3.6.1.2.1.11.26   Counter32                       read-only
snmpOutSetRequests      1.3.6.1.2.1.11.27   Counter32                       read-only
snmpOutGetResponses     1.3.6.1.2.1.11.28   Counter32                       read-only
snmpOutTraps            1.3.6.1.2.1.11.29   Counter32                       read-only
snmpEnableAuthenTraps   1.3.6.1.2.1.11.30   INTEGER{enabled(1),disabled(2)} read-write
snmpSilentDrops         1.3.6.1.2.1.11.31   Counter32                       read-only
snmpProxyDrops          1.3.6.1.2.1.11.32   Counter32                       read-only
snmpTrapOID             1.3.6.1.6.3.1.1.4.1 OBJECT IDENTIFIER               accessible-for-notify
snmpTrapEnterprise      1.3.6.1.6.3.1.1.4.3 OBJECT IDENTIFIER               accessible-for-notify
snmpSetSerialNo         1.3.6.1.6.3.1.1.6.1 TestAndIncr                     read-write`,
	"SNMP-FRAMEWORK-MIB": `
snmpEngineID             1.3.6.1.6.3.10.2.1.1 OCTET STRING(SIZE(5..32)) read-only
snmpEngineBoots          1.3.6.1.6.3.10.2.1.2 INTEGER(1..2147483647)    read-only
snmpEngineTime           1.3.6.1.6.3.10.2.1.3 INTEGER(0..2147483647)    read-only
snmpEngineMaxMessageSize 1.3.6.1.6.3.10.2.1.4 INTEGER(484..2147483647)  read-only`,
	"SNMP-MPD-MIB": `
snmpUnknownSecurityModels 1.3.6.1.6.3.11.2.1.1 Counter32 read-only
snmpInvalidMsgs           1.3.6.1.6.3.11.2.1.2 Counter32 read-only
snmpUnknownPDUHandlers    1.3.6.1.6.3.11.2.1.3 Counter32 read-only`,
	"SNMP-TARGET-MIB": `
snmpTargetSpinLock            1.3.6.1.6.3.12.1.1     TestAndIncr                 read-write
snmpTargetAddrTable           1.3.6.1.6.3.12.1.2     SEQUENCE OF                 not-accessible
snmpTargetAddrEntry           1.3.6.1.6.3.12.1.2.1   SEQUENCE                    not-accessible
snmpTargetAddrName            1.3.6.1.6.3.12.1.2.1.1 OCTET STRING(SIZE(1..32))   not-accessible
snmpTargetAddrTDomain         1.3.6.1.6.3.12.1.2.1.2 OBJECT IDENTIFIER           read-create
snmpTargetAddrTAddress        1.3.6.1.6.3.12.1.2.1.3 OCTET STRING(SIZE(1..255))  read-create
snmpTargetAddrTimeout         1.3.6.1.6.3.12.1.2.1.4 INTEGER(0..2147483647)      read-create
snmpTargetAddrRetryCount      1.3.6.1.6.3.12.1.2.1.5 Integer32(0..255)           read-create
snmpTargetAddrTagList         1.3.6.1.6.3.12.1.2.1.6 OCTET STRING(SIZE(0..255))  read-create
snmpTargetAddrParams          1.3.6.1.6.3.12.1.2.1.7 OCTET STRING(SIZE(1..32))   read-create
snmpTargetAddrStorageType     1.3.6.1.6.3.12.1.2.1.8 StorageType                 read-create
snmpTargetAddrRowStatus       1.3.6.1.6.3.12.1.2.1.9 RowStatus                   read-create
snmpTargetParamsTable         1.3.6.1.6.3.12.1.3     SEQUENCE OF                 not-accessible
snmpTargetParamsEntry         1.3.6.1.6.3.12.1.3.1   SEQUENCE                    not-accessible
snmpTargetParamsName          1.3.6.1.6.3.12.1.3.1.1 OCTET STRING(SIZE(1..32))   not-accessible
snmpTargetParamsMPModel       1.3.6.1.6.3.12.1.3.1.2 INTEGER(0..2147483647)      read-create
snmpTargetParamsSecurityModel 1.3.6.1.6.3.12.1.3.1.3 INTEGER(1..2147483647)      read-create
snmpTargetParamsSecurityName  1.3.6.1.6.3.12.1.3.1.4 OCTET STRING(SIZE(0..255))  read-create
snmpTargetParamsSecurityLevel 1.3.6.1.6.3.12.1.3.1.5 SnmpSecurityLevel           read-create
snmpTargetParamsStorageType   1.3.6.1.6.3.12.1.3.1.6 StorageType                 read-create
snmpTargetParamsRowStatus     1.3.6.1.6.3.12.1.3.1.7 RowStatus                   read-create
snmpUnavailableContexts       1.3.6.1.6.3.12.1.4     Counter32                   read-only
snmpUnknownContexts           1.3.6.1.6.3.12.1.5     Counter32                   read-only`,
	"SNMP-NOTIFICATION-MIB": `
snmpNotifyTable       1.3.6.1.6.3.13.1.1     SEQUENCE OF                not-accessible
snmpNotifyEntry       1.3.6.1.6.3.13.1.1.1   SEQUENCE                   not-accessible
snmpNotifyName        1.3.6.1.6.3.13.1.1.1.1 OCTET STRING(SIZE(1..32))  not-accessible
snmpNotifyTag         1.3.6.1.6.3.13.1.1.1.2 OCTET STRING(SIZE(0..255)) read-create
snmpNotifyType        1.3.6.1.6.3.13.1.1.1.3 INTEGER{trap(1),inform(2)} read-create
snmpNotifyStorageType 1.3.6.1.6.3.13.1.1.1.4 StorageType                read-create
snmpNotifyRowStatus   1.3.6.1.6.3.13.1.1.1.5 RowStatus                  read-create`,
	"SNMP-COMMUNITY-MIB": `
snmpCommunityTable           1.3.6.1.6.3.18.1.1     SEQUENCE OF                not-accessible
snmpCommunityEntry           1.3.6.1.6.3.18.1.1.1   SEQUENCE                   not-accessible
snmpCommunityIndex           1.3.6.1.6.3.18.1.1.1.1 OCTET STRING(SIZE(1..32))  not-accessible
snmpCommunityName            1.3.6.1.6.3.18.1.1.1.2 OCTET STRING               read-create
snmpCommunitySecurityName    1.3.6.1.6.3.18.1.1.1.3 OCTET STRING(SIZE(1..32))  read-create
snmpCommunityContextEngineID 1.3.6.1.6.3.18.1.1.1.4 OCTET STRING(SIZE(5..32))  read-create
snmpCommunityContextName     1.3.6.1.6.3.18.1.1.1.5 OCTET STRING(SIZE(0..32))  read-create
snmpCommunityTransportTag    1.3.6.1.6.3.18.1.1.1.6 OCTET STRING(SIZE(0..255)) read-create
snmpCommunityStorageType     1.3.6.1.6.3.18.1.1.1.7 StorageType                read-create
snmpCommunityStatus          1.3.6.1.6.3.18.1.1.1.8 RowStatus                  read-create
snmpTargetAddrExtTable       1.3.6.1.6.3.18.1.2     SEQUENCE OF                not-accessible
snmpTargetAddrExtEntry       1.3.6.1.6.3.18.1.2.1   SEQUENCE                   not-accessible
snmpTargetAddrTMask          1.3.6.1.6.3.18.1.2.1.1 OCTET STRING(SIZE(0..255)) read-create
snmpTargetAddrMMS            1.3.6.1.6.3.18.1.2.1.2 Integer32(0|484..2147483647) read-create
snmpTrapAddress              1.3.6.1.6.3.18.1.3     IpAddress                  accessible-for-notify
snmpTrapCommunity            1.3.6.1.6.3.18.1.4     OCTET STRING               accessible-for-notify`,
	"SNMP-USER-BASED-SM-MIB": `
usmStatsUnsupportedSecLevels 1.3.6.1.6.3.15.1.1.1      Counter32                  read-only
usmStatsNotInTimeWindows     1.3.6.1.6.3.15.1.1.2      Counter32                  read-only
usmStatsUnknownUserNames     1.3.6.1.6.3.15.1.1.3      Counter32                  read-only
usmStatsUnknownEngineIDs     1.3.6.1.6.3.15.1.1.4      Counter32                  read-only
usmStatsWrongDigests         1.3.6.1.6.3.15.1.1.5      Counter32                  read-only
usmStatsDecryptionErrors     1.3.6.1.6.3.15.1.1.6      Counter32                  read-only
usmUserSpinLock              1.3.6.1.6.3.15.1.2.1      TestAndIncr                read-write
usmUserTable                 1.3.6.1.6.3.15.1.2.2      SEQUENCE OF                not-accessible
usmUserEntry                 1.3.6.1.6.3.15.1.2.2.1    SEQUENCE                   not-accessible
usmUserEngineID              1.3.6.1.6.3.15.1.2.2.1.1  OCTET STRING(SIZE(5..32))  not-accessible
usmUserName                  1.3.6.1.6.3.15.1.2.2.1.2  OCTET STRING(SIZE(1..32))  not-accessible
usmUserSecurityName          1.3.6.1.6.3.15.1.2.2.1.3  OCTET STRING(SIZE(0..255)) read-only
usmUserCloneFrom             1.3.6.1.6.3.15.1.2.2.1.4  OBJECT IDENTIFIER          read-create
usmUserAuthProtocol          1.3.6.1.6.3.15.1.2.2.1.5  OBJECT IDENTIFIER          read-create
usmUserAuthKeyChange         1.3.6.1.6.3.15.1.2.2.1.6  OCTET STRING               read-create
usmUserOwnAuthKeyChange      1.3.6.1.6.3.15.1.2.2.1.7  OCTET STRING               read-create
usmUserPrivProtocol          1.3.6.1.6.3.15.1.2.2.1.8  OBJECT IDENTIFIER          read-create
usmUserPrivKeyChange         1.3.6.1.6.3.15.1.2.2.1.9  OCTET STRING               read-create
usmUserOwnPrivKeyChange      1.3.6.1.6.3.15.1.2.2.1.10 OCTET STRING               read-create
usmUserPublic                1.3.6.1.6.3.15.1.2.2.1.11 OCTET STRING(SIZE(0..32))  read-create
usmUserStorageType           1.3.6.1.6.3.15.1.2.2.1.12 StorageType                read-create
usmUserStatus                1.3.6.1.6.3.15.1.2.2.1.13 RowStatus                  read-create`,
	"SNMP-VIEW-BASED-ACM-MIB": `
vacmContextTable               1.3.6.1.6.3.16.1.1       SEQUENCE OF                      not-accessible
vacmContextEntry               1.3.6.1.6.3.16.1.1.1     SEQUENCE                         not-accessible
vacmContextName                1.3.6.1.6.3.16.1.1.1.1   OCTET STRING(SIZE(0..32))        read-only
vacmSecurityToGroupTable       1.3.6.1.6.3.16.1.2       SEQUENCE OF                      not-accessible
vacmSecurityToGroupEntry       1.3.6.1.6.3.16.1.2.1     SEQUENCE                         not-accessible
vacmSecurityModel              1.3.6.1.6.3.16.1.2.1.1   INTEGER(1..2147483647)           not-accessible
vacmSecurityName               1.3.6.1.6.3.16.1.2.1.2   OCTET STRING(SIZE(1..32))        not-accessible
vacmGroupName                  1.3.6.1.6.3.16.1.2.1.3   OCTET STRING(SIZE(1..32))        read-create
vacmSecurityToGroupStorageType 1.3.6.1.6.3.16.1.2.1.4   StorageType                      read-create
vacmSecurityToGroupStatus      1.3.6.1.6.3.16.1.2.1.5   RowStatus                        read-create
vacmAccessTable                1.3.6.1.6.3.16.1.4       SEQUENCE OF                      not-accessible
vacmAccessEntry                1.3.6.1.6.3.16.1.4.1     SEQUENCE                         not-accessible
vacmAccessContextPrefix        1.3.6.1.6.3.16.1.4.1.1   OCTET STRING(SIZE(0..32))        not-accessible
vacmAccessSecurityModel        1.3.6.1.6.3.16.1.4.1.2   INTEGER(0..2147483647)           not-accessible
vacmAccessSecurityLevel        1.3.6.1.6.3.16.1.4.1.3   SnmpSecurityLevel                not-accessible
vacmAccessContextMatch         1.3.6.1.6.3.16.1.4.1.4   INTEGER{exact(1),prefix(2)}      read-create
vacmAccessReadViewName         1.3.6.1.6.3.16.1.4.1.5   OCTET STRING(SIZE(0..32))        read-create
vacmAccessWriteViewName        1.3.6.1.6.3.16.1.4.1.6   OCTET STRING(SIZE(0..32))        read-create
vacmAccessNotifyViewName       1.3.6.1.6.3.16.1.4.1.7   OCTET STRING(SIZE(0..32))        read-create
vacmAccessStorageType          1.3.6.1.6.3.16.1.4.1.8   StorageType                      read-create
vacmAccessStatus               1.3.6.1.6.3.16.1.4.1.9   RowStatus                        read-create
vacmViewSpinLock               1.3.6.1.6.3.16.1.5.1     TestAndIncr                      read-write
vacmViewTreeFamilyTable        1.3.6.1.6.3.16.1.5.2     SEQUENCE OF                      not-accessible
vacmViewTreeFamilyEntry        1.3.6.1.6.3.16.1.5.2.1   SEQUENCE                         not-accessible
vacmViewTreeFamilyViewName     1.3.6.1.6.3.16.1.5.2.1.1 OCTET STRING(SIZE(1..32))        not-accessible
vacmViewTreeFamilySubtree      1.3.6.1.6.3.16.1.5.2.1.2 OBJECT IDENTIFIER                not-accessible
vacmViewTreeFamilyMask         1.3.6.1.6.3.16.1.5.2.1.3 OCTET STRING(SIZE(0..16))        read-create
vacmViewTreeFamilyType         1.3.6.1.6.3.16.1.5.2.1.4 INTEGER{included(1),excluded(2)} read-create
vacmViewTreeFamilyStorageType  1.3.6.1.6.3.16.1.5.2.1.5 StorageType                      read-create
vacmViewTreeFamilyStatus       1.3.6.1.6.3.16.1.5.2.1.6 RowStatus                        read-create`,
}

// TestSNMPObjects compares the modules about the responder itself with the RFCs.
func TestSNMPObjects(t *testing.T) {
	for _, module := range slices.Sorted(maps.Keys(snmpObjects)) {
		t.Run(module, func(t *testing.T) {
			if diff := cmp.Diff(facts(snmpObjects[module]), objectLines(t, module)); diff != "" {
				t.Errorf("facts (-) and text (+):\n%s", diff)
			}
		})
	}
}

// facts converts a table to the form of objectLines. An abbreviation is a word of its own.
func facts(table string) []string {
	lines := strings.Split(strings.TrimSpace(table), "\n")
	for i, line := range lines {
		name, rest, _ := strings.Cut(line, " ")
		lines[i] = name + " " + abbreviations.Replace(strings.TrimSpace(regexp.MustCompile(` +`).ReplaceAllString(rest, " ")))
	}
	return lines
}

// objectLines returns the objects of a module in the order of their OIDs.
func objectLines(t *testing.T, module string) []string {
	t.Helper()
	objs, err := Objects(module)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(objs, func(a, b Object) int { return slices.Compare(a.OID, b.OID) })
	lines := make([]string, len(objs))
	for i, o := range objs {
		lines[i] = o.Name + " " + dotted(o.OID) + " " + o.Base + o.Refinement + " " + o.Access
	}
	return lines
}

// TestSNMPGroups: each readable object is in one group of its module, and groups name nothing else.
func TestSNMPGroups(t *testing.T) {
	for module := range snmpObjects {
		want := map[string]int{}
		objs, err := Objects(module)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objs {
			if o.Access != "not-accessible" {
				want[o.Name] = 1
			}
		}
		got := map[string]int{}
		re := regexp.MustCompile(`(?s)\w+ OBJECT-GROUP\s+OBJECTS\s+\{(.*?)\}`)
		for _, m := range re.FindAllStringSubmatch(moduleText(t, module), -1) {
			for _, name := range strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(" \n,", r) }) {
				got[name]++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: objects (-) and members of groups (+):\n%s", module, diff)
		}
	}
}

// TestProtocols compares with the RFCs the OIDs of authentication and privacy protocols, which are
// values of usmUserTable, of the transports of snmpTargetAddrTable, and of the modules' identities.
func TestProtocols(t *testing.T) {
	want := map[string]string{
		"SNMP-FRAMEWORK-MIB snmpFrameworkMIB":       "1.3.6.1.6.3.10",
		"SNMP-MPD-MIB snmpMPDMIB":                   "1.3.6.1.6.3.11",
		"SNMP-TARGET-MIB snmpTargetMIB":             "1.3.6.1.6.3.12",
		"SNMP-NOTIFICATION-MIB snmpNotificationMIB": "1.3.6.1.6.3.13",
		"SNMP-COMMUNITY-MIB snmpCommunityMIB":       "1.3.6.1.6.3.18",
		"SNMP-USER-BASED-SM-MIB snmpUsmMIB":         "1.3.6.1.6.3.15",
		"SNMP-VIEW-BASED-ACM-MIB snmpVacmMIB":       "1.3.6.1.6.3.16",
		"SNMP-USM-AES-MIB snmpUsmAesMIB":            "1.3.6.1.6.3.20",
		"SNMP-USM-HMAC-SHA2-MIB snmpUsmHmacSha2MIB": "1.3.6.1.2.1.235",

		"SNMPv2-TM snmpv2tm":                            "1.3.6.1.6.3.19",
		"SNMPv2-TM snmpUDPDomain":                       "1.3.6.1.6.1.1",
		"TRANSPORT-ADDRESS-MIB transportAddressMIB":     "1.3.6.1.2.1.100",
		"TRANSPORT-ADDRESS-MIB transportDomainUdpIpv6":  "1.3.6.1.2.1.100.1.2",
		"TRANSPORT-ADDRESS-MIB transportDomainUdpIpv6z": "1.3.6.1.2.1.100.1.4",
		"TRANSPORT-ADDRESS-MIB transportDomainUdpDns":   "1.3.6.1.2.1.100.1.14",

		"SNMP-USER-BASED-SM-MIB usmNoAuthProtocol":            "1.3.6.1.6.3.10.1.1.1",
		"SNMP-USER-BASED-SM-MIB usmHMACMD5AuthProtocol":       "1.3.6.1.6.3.10.1.1.2",
		"SNMP-USER-BASED-SM-MIB usmHMACSHAAuthProtocol":       "1.3.6.1.6.3.10.1.1.3",
		"SNMP-USM-HMAC-SHA2-MIB usmHMAC128SHA224AuthProtocol": "1.3.6.1.6.3.10.1.1.4",
		"SNMP-USM-HMAC-SHA2-MIB usmHMAC192SHA256AuthProtocol": "1.3.6.1.6.3.10.1.1.5",
		"SNMP-USM-HMAC-SHA2-MIB usmHMAC256SHA384AuthProtocol": "1.3.6.1.6.3.10.1.1.6",
		"SNMP-USM-HMAC-SHA2-MIB usmHMAC384SHA512AuthProtocol": "1.3.6.1.6.3.10.1.1.7",
		"SNMP-USER-BASED-SM-MIB usmNoPrivProtocol":            "1.3.6.1.6.3.10.1.2.1",
		"SNMP-USER-BASED-SM-MIB usmDESPrivProtocol":           "1.3.6.1.6.3.10.1.2.2",
		"SNMP-USM-AES-MIB usmAesCfb128Protocol":               "1.3.6.1.6.3.10.1.2.4",
	}
	got := map[string]string{}
	for name := range want {
		text, node, _ := strings.Cut(name, " ")
		l := library{fsys: FS, modules: map[string]*module{}}
		m, err := l.load(text)
		if err != nil {
			t.Fatal(err)
		}
		id, err := l.oid(m, node, maxSubIDs)
		if err != nil {
			t.Error(err)
		}
		got[name] = dotted(id)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-) and text (+):\n%s", diff)
	}
}
