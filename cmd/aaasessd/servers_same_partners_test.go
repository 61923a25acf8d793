//go:build partners

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/partner"
	"aaasess/sessions/radius/radiustest"
)

// clocks are the columns that grow while nothing happens, by their subtree.
var clocks = map[string]*regexp.Regexp{
	casRoot:               regexp.MustCompile(`^\.2\.1\.1\.(26|28)\.`), // casCurrentStateDuration, casTotalDeadTime
	".1.3.6.1.2.1.67.2.2": regexp.MustCompile(`^\.1\.1\.4\.1\.15\.`),   // radiusAccClientCounterDiscontinuity
	".1.3.6.1.2.1.67.1.2": regexp.MustCompile(`^\.1\.1\.4\.1\.17\.`),   // radiusAuthClientCounterDiscontinuity
	".1.3.6.1.2.1.145":    regexp.MustCompile(`^\.1\.2\.1\.32\.`),      // radiusDynAuthClientCounterDiscontinuity
}

// TestServersSame: snmpd and the responder return the tables of servers octet for octet alike: with
// servers of both protocols, alive and dead, with a relay for authentication, and with a NAS that was asked
// to end a session.
func TestServersSame(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	r := startServers(t, 2, 0, false)
	text := with(t, r.text(2),
		`secret: "nas secret"}`, fmt.Sprintf(`secret: "nas secret", disconnect: {port: %d}}`, nas.AddrPort().Port()),
		"accounting:\n  network", fmt.Sprintf(`  authentication: {listen: ["127.0.0.1:%d"]}
tacacs:
  servers:
    - {name: t0, address: 127.0.0.9, port: 49, key: shared}
    - {name: t6, address: "2001:db8::1", key: shared}
accounting:
  network`, partner.FreeUDPPort(t)),
		"\nstore:", "\nauthentication: {lists: {default: {methods: [group radius]}}}\nstore:")
	r.write(text)
	r.end(15)
	r.run()
	r.servers[0].Kill()
	for session := range 3 {
		r.started(session)
	}
	if out, err := r.aaasess("disconnect", "00000001", "--yes"); err != nil {
		t.Fatal(out, err)
	}
	nas.Next()
	// What agents show is up to 100 ms old.
	eventually(t, "the second server has answered, and the NAS", func() bool {
		out, err := r.tool(r.addr, "snmpget", "-Oqv", "casAcctTransactionSuccesses.radius.2", "radiusDynAuthClientDisconAcks.1")
		return err == nil && strings.HasPrefix(out, "3\n1 ")
	})
	total := 0
	for subtree, growing := range clocks {
		theirs, ours := rawWalkOf(t, r.snmpd.Addr, subtree), rawWalkOf(t, r.addr, subtree)
		eventually(t, subtree+" is at rest", func() bool {
			theirs, ours = rawWalkOf(t, r.snmpd.Addr, subtree), rawWalkOf(t, r.addr, subtree)
			for name, v := range ours {
				o := theirs[name]
				if a, b := number(o.Value), number(v.Value); growing.MatchString(name) && o.Tag == v.Tag && o.Name == v.Name && b >= a && b-a < 500 {
					ours[name] = o
				}
			}
			return cmp.Equal(theirs, ours)
		})
		if len(theirs) == 0 {
			t.Errorf("%s is empty", subtree)
		}
		total += len(theirs)
	}
	t.Logf("%d variables", total)

	// The tools print the same for each version and each kind of walk.
	printed := func(out string, err error) []string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(strings.Split(strings.TrimSpace(out), "\n"), func(l string) bool {
			return strings.Contains(l, "Duration") || strings.Contains(l, "DeadTime") || strings.Contains(l, "Discontinuity")
		})
	}
	for _, subtree := range []string{"cAAAServerMIBObjects", "radiusAccClient", "radiusAuthClient", "radiusDynAuthClientMIB"} {
		want := printed(r.tool(r.snmpd.Addr, "snmpwalk", subtree))
		for name, got := range map[string][]string{
			"snmpwalk":                    printed(r.tool(r.addr, "snmpwalk", subtree)),
			"snmpbulkwalk":                printed(r.tool(r.addr, "snmpbulkwalk", "-Cr50", subtree)),
			"snmpbulkwalk through snmpd":  printed(r.tool(r.snmpd.Addr, "snmpbulkwalk", "-Cr50", subtree)),
			"snmpbulkwalk, v3, over IPv6": printed(partner.Try(t, limit, "snmpbulkwalk", slices.Concat([]string{"-M", mibDir, "-m", "ALL"}, nocArgs(), []string{r.addr6, subtree})...)),
		} {
			if diff := cmp.Diff(want, got); diff != "" || len(want) < 3 {
				t.Errorf("%s of %s (-snmpwalk through snmpd +got):\n%s", name, subtree, diff)
			}
		}
	}
}

// TestServerTables: snmptable prints the tables by name, the same through both agents.
func TestServerTables(t *testing.T) {
	r := startServers(t, 2, 0, false)
	r.started(1)
	eventually(t, "the first server has answered", func() bool {
		out, err := r.tool(r.addr, "snmpget", "-Oqv", "casAcctTransactionSuccesses.radius.1")
		return err == nil && out == "1\n"
	})
	for _, tt := range []struct {
		table   string
		columns []string
		want    [][]string // of these columns
	}{
		{"casConfigTable", []string{"index", "casAddress", "casPriority", "casConfigRowStatus", "casKey"}, [][]string{{"radius.1", "127.0.0.1", "1", "active", ""}, {"radius.2", "127.0.0.2", "2", "active", ""}}},
		{"casStatisticsTable", []string{"index", "casAcctRequests", "casAcctTransactionSuccesses", "casState", "casDeadCount"}, [][]string{{"radius.1", "1", "1", "up", "0"}, {"radius.2", "0", "0", "up", "0"}}},
		{"radiusAccServerExtTable", []string{"index", "radiusAccServerInetAddressType", "radiusAccClientExtRequests", "radiusAccClientExtResponses"}, [][]string{{"1", "ipv4", "1 packets", "1 packets"}, {"2", "ipv4", "0 packets", "0 packets"}}},
		{"radiusAccServerTable", []string{"index", "radiusAccServerAddress", "radiusAccClientRequests"}, [][]string{{"1", "127.0.0.1", "1 packets"}, {"2", "127.0.0.2", "0 packets"}}},
	} {
		for name, agent := range r.agents() {
			out, err := r.tool(agent, "snmptable", "-Ci", "-Cf", "|", tt.table)
			if err != nil {
				t.Fatal(err)
			}
			var titles []string
			var got [][]string
			for line := range strings.Lines(out) {
				cells := strings.Split(strings.TrimRight(line, "\n"), "|")
				switch {
				case len(cells) < 3:
				case titles == nil:
					titles = cells
				default:
					var row []string
					for _, column := range tt.columns {
						if i := slices.Index(titles, column); i >= 0 && i < len(cells) {
							row = append(row, cells[i])
						}
					}
					got = append(got, row)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s by %s (-want +got):\n%s\n%s", tt.table, name, diff, out)
			}
		}
	}
}

// TestTestNotificationPartners: snmptrapd prints the test notification by name, of all kinds.
func TestTestNotificationPartners(t *testing.T) {
	r := startServers(t, 1, 0, true)
	out, err := r.aaasess("test", "notification")
	if err != nil {
		t.Fatal(out, err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	took := regexp.MustCompile(`after [0-9.]+(µs|ms|s)`)
	for i, line := range lines {
		lines[i] = took.ReplaceAllString(line, "after T")
	}
	slices.Sort(lines)
	want := []string{
		"master agent: accepted after T; it sends it to its own targets", "v2c-inform: inform acknowledged after T", "v2c-trap: trap sent; nobody acknowledges a trap",
		"v3-inform: inform acknowledged after T", "v3-trap: trap sent; nobody acknowledges a trap",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	arrived := map[string]int{}
	eventually(t, "each kind has arrived", func() bool {
		clear(arrived)
		for _, line := range r.trapd.Got() {
			if strings.Contains(line, "NET-SNMP-EXAMPLES-MIB::netSnmpExampleHeartbeatNotification") {
				if !strings.Contains(line, "netSnmpExampleHeartbeatName.0 = STRING: "+testText) {
					t.Errorf("without its text: %s", line)
				}
				kind, _, _ := strings.Cut(line, "|")
				arrived[kind]++
			}
		}
		return len(arrived) == len(kinds)
	}, &arrived)
	for _, kind := range kinds {
		if arrived[kind] != 1 {
			t.Errorf("%q arrived %d times", kind, arrived[kind])
		}
	}
}
