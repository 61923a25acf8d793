package main

import (
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/mib"
)

// The objects of TestCommunitiesAndTargets.
var (
	snmpCommunityName     = mib.MustOID("1.3.6.1.6.3.18.1.1.1.2")
	snmpTargetAddrTagList = mib.MustOID("1.3.6.1.6.3.12.1.2.1.6")
	snmpNotifyType        = mib.MustOID("1.3.6.1.6.3.13.1.1.1.3")
)

// TestCommunitiesAndTargets: managers see the communities and targets of the file, and those of the new
// one after a reload. Communities are shown at authPriv only, and the view common has none of it.
func TestCommunitiesAndTargets(t *testing.T) {
	_, port := receiveTraps(t)
	text := with(t, responderConfig(t, port), "write: sessions, level", "read: all, write: sessions, level")
	l := launch(t, text, environment{})
	column := func(g *gosnmp.GoSNMP, column mib.OID) string {
		t.Helper()
		var rows []string
		err := g.BulkWalk(column.String(), func(v gosnmp.SnmpPDU) error {
			value, _ := v.Value.([]byte)
			rows = append(rows, string(value))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(rows, ", ")
	}
	check := func(name string, g *gosnmp.GoSNMP, communities, tags string, types int) {
		t.Helper()
		if got := column(g, snmpCommunityName); got != communities {
			t.Errorf("%s: communities %q, want %q", name, got, communities)
		}
		if got := column(g, snmpTargetAddrTagList); got != tags {
			t.Errorf("%s: tags %q, want %q", name, got, tags)
		}
		rows, err := g.BulkWalkAll(snmpNotifyType.String())
		if err != nil || len(rows) != types {
			t.Errorf("%s: %d rows in snmpNotifyTable, want %d: %v", name, len(rows), types, err)
		}
	}
	const tags = "trap notify/here, from/watchers"
	check("authPriv", l.manager(user("noc")), "traps, public", tags, 1)
	check("authNoPriv", l.manager(user("desk")), "", tags, 1)
	check("a community", l.manager(nil), "", tags, 1)

	next := with(t, text, "community: public", "community: secret", "name: watchers, read: all", "name: watchers, read: common", "version: v2c, community: traps}", "version: v3, type: inform, user: noc}")
	l.reload(next, "configuration loaded")
	check("authPriv after the reload", l.manager(user("noc")), "secret", "inform, from/watchers", 1)
	check("the view common", l.manager(func(g *gosnmp.GoSNMP) { g.Community = "secret" }), "", "", 0)

	start := strings.Index(next, "  notifications:")
	end := start + strings.Index(next[start:], "\n")
	l.reload(next[:start]+next[end+1:], "configuration loaded")
	check("without targets", l.manager(user("noc")), "secret", "from/watchers", 0)
}
