package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/mib"
)

var modelNames = map[wire.SecurityModel]string{wire.ModelV1: "v1", wire.ModelV2c: "v2c", wire.ModelUSM: "usm"}

// entryText formats an access entry: model, level, and the views to read, write and notify.
func entryText(e vacm.AccessEntry) string {
	name := func(v *vacm.View) string {
		if v == nil {
			return "-"
		}
		return v.Name()
	}
	return fmt.Sprint(modelNames[e.Model], " ", e.Level, " ", name(e.Read), " ", name(e.Write), " ", name(e.Notify))
}

// policyText returns the rows of all tables, sorted. The names of communities are secrets.
func policyText(p *vacm.Policy) (rows []string) {
	for _, v := range p.Views() {
		text := v.Name()
		for _, f := range v.Families() {
			sign := " +"
			if f.Excluded {
				sign = " -"
			}
			text += sign + strings.TrimPrefix(f.Subtree.String(), ".")
		}
		rows = append(rows, text)
	}
	for _, e := range p.Entries() {
		rows = append(rows, e.Group+" "+entryText(e))
	}
	for _, m := range p.Members() {
		rows = append(rows, fmt.Sprint(m.SecurityName, " ", modelNames[m.Model], " ", m.Group))
	}
	for _, c := range p.Communities() {
		rows = append(rows, fmt.Sprint(c.SecurityName, " from ", c.From))
	}
	return sorted(rows)
}

func sorted(rows []string) []string {
	rows = slices.Clone(rows)
	slices.Sort(rows)
	return rows
}

// implied are the views that always exist.
var implied = []string{
	"all +1.3.6.1",
	"common +1.3.6.1 -1.3.6.1.6.3.12 -1.3.6.1.6.3.13 -1.3.6.1.6.3.15 -1.3.6.1.6.3.16 -1.3.6.1.6.3.18",
	"sessions +1.3.6.1.2.1.1 +1.3.6.1.4.1.9.9.150.1",
}

// TestBuiltInViews: which modules are in the views that always exist. common and sessions have no names
// and addresses of the administration of SNMP, and sessions, which groups may have to write, has no
// servers.
func TestBuiltInViews(t *testing.T) {
	modules := []struct {
		oid, name        string
		common, sessions bool
	}{
		{"1.3.6.1.2.1.1", "system group", true, true},
		{"1.3.6.1.2.1.11", "snmp group", true, false},
		{"1.3.6.1.6.3.10", "SNMP-FRAMEWORK-MIB", true, false},
		{"1.3.6.1.4.1.9.9.150.1", "CISCO-AAA-SESSION-MIB", true, true},
		{"1.3.6.1.4.1.9.10.56", "CISCO-AAA-SERVER-MIB", true, false},
		{"1.3.6.1.2.1.67.1.2", "RADIUS-AUTH-CLIENT-MIB", true, false},
		{"1.3.6.1.2.1.67.2.2", "RADIUS-ACC-CLIENT-MIB", true, false},
		{"1.3.6.1.2.1.145", "RADIUS-DYNAUTH-CLIENT-MIB", true, false},
		{"1.3.6.1.6.3.12", "SNMP-TARGET-MIB", false, false},
		{"1.3.6.1.6.3.13", "SNMP-NOTIFICATION-MIB", false, false},
		{"1.3.6.1.6.3.15", "SNMP-USER-BASED-SM-MIB", false, false},
		{"1.3.6.1.6.3.16", "SNMP-VIEW-BASED-ACM-MIB", false, false},
		{"1.3.6.1.6.3.18", "SNMP-COMMUNITY-MIB", false, false},
	}
	views := map[string]*vacm.View{}
	for _, v := range mustParse(t, "snmp: {responder: {}}\n", ".").SNMP.Responder.Policy.Views() {
		views[v.Name()] = v
	}
	for _, m := range modules {
		id := mib.MustOID(m.oid)
		for view, want := range map[string]bool{config.ViewAll: true, config.ViewCommon: m.common, config.ViewSessions: m.sessions} {
			if got := views[view].Covers(id); got != want || got != views[view].Contains(id.Append(1, 1)) {
				t.Errorf("%s has all of %s: %v, want %v", view, m.name, got, want)
			}
		}
	}
}

// TestAccessEntries compares vacmAccessTable with the groups of the file.
func TestAccessEntries(t *testing.T) {
	tests := []struct {
		name, group, insecure string
		want                  []string
	}{
		{"reads", `read: some, notify: ""`, "false", []string{"v2c noAuthNoPriv some - -", "usm authPriv some - -"}},
		{"writes", "read: all, write: some", "false", []string{"v2c noAuthNoPriv all - all", "usm authPriv all some all"}},
		{"writes at a lower level", `read: all, write: all, notify: "", level: noAuthNoPriv`, "false", []string{"v2c noAuthNoPriv all - -", "usm noAuthNoPriv all - -", "usm authNoPriv all - -", "usm authPriv all all -"}},
		{"writes insecurely, but not without any proof", `read: all, write: all, notify: "", level: noAuthNoPriv`, "true", []string{"v2c noAuthNoPriv all all -", "usm noAuthNoPriv all - -", "usm authNoPriv all all -", "usm authPriv all all -"}},
		{"writes insecurely", `read: all, write: all, notify: "", level: authNoPriv`, "true", []string{"v2c noAuthNoPriv all all -", "usm authNoPriv all all -", "usm authPriv all all -"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkV1Entry(t, tt.group, tt.insecure, tt.want)
			c := mustParse(t, `snmp:
  responder:
    allow-insecure-set: `+tt.insecure+`
    views: [{name: some, include: [1.3.6.1], exclude: [1.3.6.1.6]}]
    groups: [{name: g, `+tt.group+`}]
`, ".")
			var got []string
			for _, e := range c.SNMP.Responder.Policy.Entries() {
				got = append(got, entryText(e))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// checkV1Entry: a group with a community of SNMPv1 has one more entry, which allows what that of
// SNMPv2c allows.
func checkV1Entry(t *testing.T, group, insecure string, without []string) {
	t.Helper()
	c := mustParse(t, `snmp:
  responder:
    allow-insecure-set: `+insecure+`
    views: [{name: some, include: [1.3.6.1], exclude: [1.3.6.1.6]}]
    groups: [{name: g, `+group+`}]
    communities: [{community: c, from: [192.0.2.1], group: g, versions: [v1]}]
`, ".")
	var got []string
	for _, e := range c.SNMP.Responder.Policy.Entries() {
		got = append(got, entryText(e))
	}
	want := append([]string{strings.Replace(without[0], "v2c", "v1", 1)}, without...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
