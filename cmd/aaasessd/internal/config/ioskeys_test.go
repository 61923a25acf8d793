package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// iosCommands are the accounting commands in the examples, tables and sentences of S1, S2 and S4.
var iosCommands = []string{
	"aaa accounting network acct_tac1 stop-only group tacacs+ group radius",
	"aaa accounting network default stop-only group radius",
	"aaa accounting network default start-stop group loginrad",
	"aaa accounting network red1 start-stop group radius group tacacs+",
	"aaa accounting network network2 start-stop group radius group tacacs+",
	"aaa accounting network default start-stop broadcast group isp group isp_customer",
	"aaa accounting network default",
	"action-type start-stop periodic interval 5",
	"action-type start-stop periodic disable",
	"action-type stop-only",
	"aaa accounting exec default start-stop group radius",
	"aaa accounting connection default start-stop group radius",
	"aaa accounting commands 15 default stop-only group tacacs+",
	"aaa accounting resource default stop-failure group radius",
	"aaa accounting resource default start-stop group radius",
	"aaa accounting resource method-list stop-failure group server-group",
	"aaa accounting resource method-list start-stop group server-group",
	"aaa accounting system default start-stop",
	"aaa accounting system default start-stop group radius",
	"no aaa accounting system guarantee-first",
	"aaa accounting vrrs default start-stop group radius",
	"aaa dnis map enable",
	"aaa dnis map 7777 accounting network start-stop broadcast group isp group isp_customer",
	"accounting arap default",
	"accounting exec default",
	"accounting connection default",
	"accounting commands 15 default",
	"ppp accounting red1",
	"aaa accounting suppress null-username",
	"aaa accounting update newinfo",
	"aaa accounting update periodic 1",
	"aaa accounting update newinfo periodic 5",
	"ssg accounting interval 60",
	"subscriber service accounting interim-interval 10",
	"aaa accounting send stop-record authentication failure",
	"aaa accounting nested",
	"aaa accounting commands visible-keys",
	"aaa accounting redundancy suppress system-records",
	"radius-server accounting system host-config",
	"accounting system host-config",
	"aaa group server radius loginrad",
	"aaa group server tacacs+ devices",
	"tacacs-server host 172.31.255.0",
	"tacacs-server host 172.31.255.0 port 49",
	"tacacs-server host 172.31.255.0 key goaway",
	"tacacs-server host 172.31.255.0 timeout 5",
	"tacacs-server host 172.31.255.0 single-connection",
	"tacacs-server key goaway",
	"tacacs-server timeout 5",
	"ip tacacs source-interface Loopback0",
	"server-private 10.0.0.1",
	"aaa session-mib disconnect",
	"show accounting",
	"debug aaa accounting",
	// Of the model of IOS XE (R13, R45a).
	"aaa accounting delay-start",
	"aaa accounting delay-start all",
	"aaa accounting send counters ipv6",
	"aaa accounting send stop-record always",
	"aaa accounting send stop-record authentication success remote-server",
	"accounting acknowledge broadcast",
	"load-balance method least-outstanding",
	"ip radius source-interface Loopback0",
	"aaa session-mib populate setup",
	"aaa session-mib populate start",
}

// authCommands are the commands of authentication in the examples and sentences of S0, S3 and S4.
var authCommands = []string{
	"aaa authentication ppp default group radius",
	"radius-server host 10.100.1.34",
	"radius-server key myRaDiUSpassWoRd",
	"radius-server host 192.0.2.1 auth-port 1645",
	"radius-server host 192.0.2.1 acct-port 1646",
	"radius-server host 192.0.2.1 key goaway",
	"radius-server host 192.0.2.1 timeout 5",
	"radius-server host 192.0.2.1 retransmit 3",
	"radius-server host 192.0.2.1 alias 192.0.2.2",
	"radius-server host 192.0.2.1 test username test1",
	"radius-server host 192.0.2.1 idle-time 60",
	"radius-server host 192.0.2.1 ignore-auth-port",
	"radius-server host 192.0.2.1 ignore-acct-port",
	"radius-server attribute 44 include-in-access-req",
	"radius-server attribute 44 extend-with-addr",
	"radius-server attribute 44 sync-with-client",
	"acct-on-off oper-state-change",
	"acct-on-off oper-state-change group group-1",
	"acct-on-off monitor-group group-1",
}

// iosRow is a row of the table of IOS's keys.
type iosRow struct {
	command      string // "aaa accounting exec LIST RECORD [broadcast] METHODS"
	state, there string
}

// iosRows returns the rows of the table in a page of docs.
func iosRows(t *testing.T, name string) (rows []iosRow) {
	t.Helper()
	page, err := os.ReadFile("../../../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "| IOS | state | in aaasess |\n|---|---|---|\n")
	text, _, _ = strings.Cut(text, "\n\n")
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(line, "|\n"), " | ")
		if len(cells) != 3 {
			t.Fatalf("%q is no row", line)
		}
		command, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(cells[0]), "`"), "`")
		rows = append(rows, iosRow{command, strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])})
	}
	return rows
}

// isOf reports whether a command is one of those that a row describes. In the row, METHODS stands for
// one or more words, another word in capitals for one, and a word in brackets may be missing.
func (r *iosRow) isOf(command string) bool {
	return fitsCommand(strings.Fields(r.command), strings.Fields(strings.TrimPrefix(command, "no ")))
}

func fitsCommand(pattern, words []string) bool {
	switch {
	case len(pattern) == 0:
		return len(words) == 0
	case strings.HasPrefix(pattern[0], "["):
		bare := append([]string{strings.Trim(pattern[0], "[]")}, pattern[1:]...)
		return fitsCommand(bare, words) || fitsCommand(pattern[1:], words)
	case len(words) == 0:
		return false
	case pattern[0] == "METHODS":
		return words[0] == "group"
	case pattern[0] == "RECORD" && !slices.Contains([]string{"start-stop", "stop-only", "stop-failure", "none"}, words[0]):
		return false
	case pattern[0] != words[0] && strings.ToUpper(pattern[0]) != pattern[0]:
		return false
	}
	return fitsCommand(pattern[1:], words[1:])
}

// missingRows returns the commands that do not have exactly one row.
func missingRows(rows []iosRow, commands []string) (missing []string) {
	for _, c := range commands {
		n := 0
		for i := range rows {
			if rows[i].isOf(c) {
				n++
			}
		}
		if n != 1 {
			missing = append(missing, c)
		}
	}
	return missing
}

// TestIOSKeys: each command of the seeds has one row in docs/accounting.md or docs/authentication.md,
// and each row that names a key names one that is there.
func TestIOSKeys(t *testing.T) {
	rows, auth := iosRows(t, "accounting.md"), iosRows(t, "authentication.md")
	if missing := append(missingRows(rows, iosCommands), missingRows(auth, authCommands)...); len(missing) > 0 {
		t.Errorf("commands with no row, or with several: %q", missing)
	}
	paths := map[string]bool{}
	allKeys(func(path string, _ reflect.StructField) { paths[strings.ReplaceAll(path, "[]", "")] = true })
	for _, r := range slices.Concat(rows, auth) {
		if !slices.Contains([]string{"key", "always", "later", "refused"}, r.state) || r.there == "" {
			t.Errorf("%s: %q, %q", r.command, r.state, r.there)
		}
		if r.state != "key" || r.there == "both of these" {
			continue
		}
		_, span, _ := strings.Cut(r.there, "`")
		key := strings.ReplaceAll(span[:strings.IndexAny(span+"`", ":`")], "[]", "")
		if !paths[key] && !paths["accounting."+key] && !paths["accounting.network{}."+key] {
			t.Errorf("%s: there is no key %s", r.command, key)
		}
	}
	for _, name := range []string{"aaa accounting send stop-record always", "aaa accounting vrrs LIST RECORD [broadcast] METHODS"} {
		others := slices.DeleteFunc(slices.Clone(rows), func(r iosRow) bool { return r.command == name })
		if missing := missingRows(others, iosCommands); len(missing) != 1 {
			t.Errorf("without the row of %s, %q are missing", name, missing)
		}
	}
}
