package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/groups"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
)

// accountant starts a daemon with an Accounting.
func accountant(t *testing.T, a *controltest.Accounting) *controltest.Daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d, err := controltest.Start(dir, func(cfg *control.Config) { cfg.Accounting = a })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestAccountingDialogues runs each command line against its own daemon. It does not compare an out
// of "-": TestAccountingScreens does.
func TestAccountingDialogues(t *testing.T) {
	const p1, p3 = "aaa-server-policy-1", "aaa-server-policy-3"
	const wrong = "aaasess: usage error: "
	tests := []struct {
		name, args, in string
		code           int
		out, err       string
		done           string // the calls that the daemon's Accounting recorded
	}{
		{"groups", "show server-group", "", 0, "-", "3 server groups\n", ""},
		{"a group", "show server-group " + p1, "", 0, "-", "", ""},
		{"a group's acct-on-off", "show server-group " + p1 + " acct-on-off", "", 0, "-", "", ""},
		{"no such group", "show server-group x\x1by", "", 4, "", `aaasess: no such server group: "x\x1by"` + "\n", ""},
		{"something else of a group", "show server-group " + p1 + " acct-on", "", 2, "", wrong + `unknown argument "acct-on": want acct-on-off` + "\n", ""},
		{"too much of a group", "show server-group " + p1 + " acct-on-off x", "", 2, "", wrong + "want at most 2 arguments, got 3\n", ""},
		{"acct-on-off-groups", "show acct-on-off-group", "", 0, "-", "", ""},
		{"an acct-on-off-group", "show acct-on-off-group group-1", "", 0, "-", "", ""},
		{"no such acct-on-off-group", "show acct-on-off-group x", "", 4, "", `aaasess: no such acct-on-off-group: "x"` + "\n", ""},
		{"two acct-on-off-groups", "show acct-on-off-group x y", "", 2, "", wrong + "want at most 1 argument, got 2\n", ""},
		{"statistics", "show radius statistics", "", 0, "-", "", ""},
		{"statistics of a group", "show radius statistics " + p3, "", 0, "-", "", ""},
		{"statistics of no group", "show radius statistics x", "", 4, "", `aaasess: no such server group: "x"` + "\n", ""},
		{"show radius", "show radius", "", 2, "", "-", ""},
		{"statistics of TACACS+", "show tacacs statistics", "", 0, "", "", ""},
		{"statistics of a group of the other protocol", "show tacacs statistics " + p3, "", 1, "", `aaasess: server group "` + p3 + `" has RADIUS servers, not TACACS+` + "\n", ""},
		{"show tacacs", "show tacacs", "", 2, "", "-", ""},
		{"show spool", "show spool", "", 0, "-", "", ""},
		{"words behind", "show spool x", "", 2, "", wrong + `unknown command "x" for "aaasess show spool"` + "\n", ""},

		{"acct-on", "perform acct-on " + p1 + " --force", "", 0, p1 + "  sendAcctOn\n", "", "acct-on " + p1 + " force"},
		{"acct-on, acknowledged", "perform acct-on " + p1, "", 1, "", `aaasess: server group "` + p1 + `": already acknowledged; --force sends another one` + "\n", ""},
		{"acct-on, being sent", "perform acct-on " + p3, "", 0, p3 + "  sendAcctOn\n", "", "acct-on " + p3},
		{"acct-on of a monitor", "perform acct-on aaa-server-policy-2", "", 1, "", `aaasess: server group "aaa-server-policy-2": sends neither Accounting-On nor Accounting-Off` + "\n", ""},
		{"acct-on of none", "perform acct-on x", "", 4, "", `aaasess: server group "x": no such server group` + "\n", ""},
		{"acct-off", "perform acct-off " + p1, "", 0, p1 + "  sendAcctOff\n", "", "acct-off " + p1},
		{"acct-off of all", "perform acct-off --acct-terminate-cause 6", "", 0, p1 + "  sendAcctOff\n" + p3 + "  sendAcctOff\n", "", "acct-off " + p1 + " 6\nacct-off " + p3 + " 6"},
		{"acct-on of all", "perform acct-on --force", "", 0, p1 + "  sendAcctOn\n" + p3 + "  sendAcctOn\n", "", "acct-on " + p1 + " force\nacct-on " + p3 + " force"},
		{"acct-on of all, one refuses", "perform acct-on", "", 1, p3 + "  sendAcctOn\n", `aaasess: server group "` + p1 + `": already acknowledged; --force sends another one` + "\n", "acct-on " + p3},
		{"cause 0", "perform acct-off --acct-terminate-cause 0", "", 2, "", wrong + "--acct-terminate-cause 0: want at least 1\n", ""},
		{"cause too large", "perform acct-off --acct-terminate-cause 4294967296", "", 2, "", "-", ""},
		{"cause of an acct-on", "perform acct-on --acct-terminate-cause 6", "", 2, "", wrong + "unknown flag: --acct-terminate-cause\n", ""},
		{"two groups", "perform acct-on a b", "", 2, "", wrong + "want at most 1 argument, got 2\n", ""},
		{"perform", "perform", "", 2, "", "-", ""},
		{"perform something else", "perform reboot", "", 2, "", wrong + `unknown command "reboot" for "aaasess perform"` + "\n", ""},

		{"list", "spool list", "", 0, "-", "3 records\n", ""},
		{"list, limited", "spool list --after 3 --limit 1", "", 0, "SEQ  SINCE                      FROM       SESSION  TYPE  USER  REASON\n  4  2013-02-24T16:00:00+02:00  group/isp  -        -     -     damaged: it ends early, after 3 octets\n", "1 record; list more with --after 4\n", ""},
		{"list, limited to what there is", "spool list --after 4 --limit 1", "", 0, "-", "1 record\n", ""},
		{"list behind the end", "spool list --after 9", "", 0, "", "0 records\n", ""},
		{"list after less than nothing", "spool list --after -1", "", 2, "", "-", ""},
		{"show", "spool show 3", "", 0, "-", "", ""},
		{"show what is not there", "spool show 5", "", 4, "", "aaasess: record 5: not set aside\n", ""},
		{"show nothing", "spool show", "", 2, "", wrong + "want SEQ, got 0 arguments\n", ""},
		{"show 0", "spool show 0", "", 2, "", wrong + `"0" is not a record number` + "\n", ""},
		{"replay", "spool replay 3", "", 0, "", "1 record replayed\n", "replay 3"},
		{"replay two", "spool replay 9 3 9", "", 0, "", "2 records replayed\n", "replay 3 9"},
		{"replay all", "spool replay --all", "", 0, "", "2 records replayed\n", "replay all"},
		{"replay a damaged one", "spool replay 3 4", "", 1, "", "aaasess: record 4: damaged, so it cannot be replayed\n", ""},
		{"replay what is not there", "spool replay 3 5", "", 4, "", "aaasess: record 5: not set aside\n", ""},
		{"replay what", "spool replay", "", 2, "", wrong + "give either SEQs or --all\n", ""},
		{"replay both", "spool replay --all 3", "", 2, "", wrong + "give either SEQs or --all\n", ""},
		{"replay no number", "spool replay 3 x", "", 2, "", wrong + `"x" is not a record number` + "\n", ""},
		{"drop", "spool drop 4", "\n", 0, "", "1 record dropped\n", "drop 4"},
		{"drop what is not there", "spool drop 5", "", 4, "", "aaasess: record 5: not set aside\n", ""},
		{"drop all without a terminal", "spool drop --all", "", 2, "", wrong + "--all needs --yes if the standard input is not a terminal\n", ""},
		{"drop all, yes", "spool drop --all --yes", "", 0, "", "3 records dropped\n", "drop all"},
		{"drop all, asked, yes", "spool drop --all", "YES\n", 0, "", "Drop ALL set-aside records, 3 now? [y/N] 3 records dropped\n", "drop all"},
		{"drop all, asked, no", "spool drop --all", "\n", 1, "", "Drop ALL set-aside records, 3 now? [y/N] aaasess: canceled: no record was dropped\n", ""},
		{"drop both", "spool drop --all 3 --yes", "", 2, "", wrong + "give either SEQs or --all\n", ""},
		{"reroute one that is configured", "spool reroute group/isp exec/default --yes", "", 1, "", `aaasess: queue "group/isp": its method is configured, so it cannot be rerouted` + "\n", ""},
		{"reroute nothing", "spool reroute group/isp", "", 2, "", wrong + "want QUEUE and LIST, got 1 argument\n", ""},
		{"spool", "spool", "", 2, "", "-", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := books(time.Local)
			got := command(t, accountant(t, a).Socket, tt.in, strings.Fields(tt.args)...)
			if tt.out == "-" && got.out != "" {
				got.out = "-"
			}
			if tt.err == "-" {
				got.err = "-"
			}
			if diff := cmp.Diff(outcome{tt.code, tt.out, tt.err}, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
			if done := strings.Join(a.Done(), "\n"); done != tt.done {
				t.Errorf("%q was done, want %q", done, tt.done)
			}
		})
	}
}

// TestEmptyName: an empty argument is an error, not the name of a group.
func TestEmptyName(t *testing.T) {
	d := accountant(t, books(time.Local))
	for _, args := range [][]string{
		{"show", "server-group", ""},
		{"show", "acct-on-off-group", ""},
		{"show", "radius", "statistics", ""},
		{"perform", "acct-on", ""},
		{"spool", "reroute", "", "network/default", "--yes"},
		{"spool", "reroute", "group/a", "", "--yes"},
	} {
		got := command(t, d.Socket, "", args...)
		if diff := cmp.Diff(outcome{2, "", "aaasess: usage error: the name is empty\n"}, got, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("%q: %s", args, diff)
		}
	}
}

// TestNothingThere: a daemon without groups and records, and one without an Accounting.
func TestNothingThere(t *testing.T) {
	empty := accountant(t, &controltest.Accounting{})
	without := daemon(t)
	const noAccounting = "aaasess: this daemon has no server groups and no spool\n"
	for args, want := range map[string]outcome{
		"show server-group":                           {0, "", "0 server groups\n"},
		"show server-group --json":                    {0, "{\n  \"groups\": [],\n  \"managed\": {\n    \"created\": [],\n    \"destroyed\": [],\n    \"givenUp\": []\n  }\n}\n", ""},
		"show acct-on-off-group":                      {0, "-", ""},
		"show radius statistics":                      {0, "", ""},
		"show tacacs statistics":                      {0, "", ""},
		"perform acct-on":                             {4, "", "aaasess: no server group sends Accounting-On and Accounting-Off\n"},
		"spool list":                                  {0, "", "0 records\n"},
		"spool list --json":                           {0, "{\"records\":[\n]}\n", ""},
		"spool replay --all":                          {4, "", "aaasess: no set-aside record matches\n"},
		"spool replay --all --json":                   {4, "{\n  \"records\": 0\n}\n", "aaasess: no set-aside record matches\n"},
		"spool drop --all --yes":                      {4, "", "aaasess: no set-aside record matches\n"},
		"show server-group x":                         {4, "", `aaasess: no such server group: "x"` + "\n"},
		"show acct-on-off-group x":                    {4, "", `aaasess: no such acct-on-off-group: "x"` + "\n"},
		"spool show 1":                                {4, "", "aaasess: record 1: not set aside\n"},
		"perform acct-off x --force":                  {4, "", `aaasess: server group "x": no such server group` + "\n"},
		"show spool":                                  {0, "-", ""},
		"spool reroute group/a network/default --yes": {4, "", `aaasess: queue "group/a": no such queue` + "\n"},
		"show radius statistics none":                 {4, "", `aaasess: no such server group: "none"` + "\n"},
	} {
		got := command(t, empty.Socket, "", strings.Fields(args)...)
		if want.out == "-" {
			got.out = "-"
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
		got = command(t, without.Socket, "", strings.Fields(args)...)
		if diff := cmp.Diff(outcome{4, "", noAccounting}, got, cmp.AllowUnexported(outcome{})); diff != "" {
			t.Errorf("%s, without an Accounting: %s", args, diff)
		}
	}
	asked := command(t, empty.Socket, "y\n", "spool", "drop", "--all")
	if diff := cmp.Diff(outcome{4, "", "aaasess: no set-aside record matches\n"}, asked, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Error(diff)
	}
	none := filepath.Join(t.TempDir(), "none")
	for _, args := range []string{"show server-group", "show acct-on-off-group", "show spool", "spool list", "spool drop --all --yes", "spool reroute a b --yes", "perform acct-on"} {
		if got := command(t, none, "", strings.Fields(args)...); got.code != cli.ExitNoDaemon || got.out != "" {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// TestAccountingJSON: the documents field by field, as other programs read them.
func TestAccountingJSON(t *testing.T) {
	a := books(time.UTC)
	a.Groups = append(a.Groups, *tacacsGroup(), *unprintableGroup())
	last := &a.Groups[len(a.Groups)-1].Servers[0].Statistics
	last.StateSince = time.Date(2013, 2, 24, 16, 6, 41, 0, time.UTC)
	last.DownUntil = last.StateSince.Add(time.Minute)
	a.Status.Queues = append(a.Status.Queues, api.Queue{
		Queue: "local", Bytes: pointer(uint64(0)), OperState: "down", DownSince: last.StateSince, NextProbe: last.StateSince.Add(time.Minute), Hold: api.HoldAway, Draining: true,
	}, api.Queue{Queue: "group/old", Lost: true, Rerouted: "network/default", Elsewhere: 5, OperState: "unknown"})
	d := accountant(t, a)
	for file, args := range map[string]string{
		"server-group.json":      "show server-group aaa-server-policy-1",
		"server-groups.json":     "show server-group",
		"acct-on-off.json":       "show server-group aaa-server-policy-2 acct-on-off",
		"acct-on-off-group.json": "show acct-on-off-group group-1", "acct-on-off-groups.json": "show acct-on-off-group",
		"tacacs-statistics.json": "show tacacs statistics",
		"radius-statistics.json": "show radius statistics aaa-server-policy-3",
		"spool.json":             "show spool",
		"spool-list.json":        "spool list --limit 2",
		"spool-list-all.json":    "spool list",
		"spool-show.json":        "spool show 3",
	} {
		got := command(t, d.Socket, "", append(strings.Fields(args), "--json")...)
		if got.code != 0 || got.err != "" || !json.Valid([]byte(got.out)) || strings.ContainsAny(got.out, "\x1b\u202e") {
			t.Errorf("%s: %+v", args, got)
		}
		golden(t, file, got.out)
	}
	got := command(t, d.Socket, "", "perform", "acct-on", "--json")
	var list struct{ Groups []groups.Performed }
	if err := json.Unmarshal([]byte(got.out), &list); err != nil || got.code != 1 || len(list.Groups) != 3 {
		t.Fatalf("%+v %v", got, err)
	}
	if first, second := list.Groups[0], list.Groups[1]; second.AcctOnOff.State != api.SendAcctOn || second.Error != "" ||
		first.AcctOnOff != nil || first.Error != `server group "aaa-server-policy-1": already acknowledged; --force sends another one` {
		t.Errorf("%+v", list)
	}
	if got = command(t, d.Socket, "", "spool", "replay", "3", "--json"); got != (outcome{0, "{\n  \"records\": 1\n}\n", ""}) {
		t.Errorf("%+v", got)
	}
}

// TestLongSpoolList: a list of many parts is one list, as a table and as JSON.
func TestLongSpoolList(t *testing.T) {
	a := &controltest.Accounting{}
	for seq := range uint64(2500) {
		a.Aside = append(a.Aside, api.SetAside{Seq: seq + 1, Type: "stop"})
	}
	d := accountant(t, a)
	for args, want := range map[string]struct {
		records, last int
		err           string
	}{
		"spool list":              {2500, 2500, "2500 records\n"},
		"spool list --limit 2500": {2500, 2500, "2500 records\n"},
		"spool list --limit 1500": {1500, 1500, "1500 records; list more with --after 1500\n"},
		"spool list --after 2400": {100, 2500, "100 records\n"},
	} {
		got := command(t, d.Socket, "", strings.Fields(args)...)
		if lines := strings.Count(got.out, "\n"); lines != want.records+1 || got.err != want.err || got.code != 0 {
			t.Errorf("%s: %d lines, %q", args, lines, got.err)
		}
		got = command(t, d.Socket, "", strings.Fields(args+" --json")...)
		var list api.SetAsideList
		if err := json.Unmarshal([]byte(got.out), &list); err != nil || len(list.Records) != want.records || got.err != "" {
			t.Fatalf("%s: %d records, %v", args, len(list.Records), err)
		}
		if last := list.Records[want.records-1].Seq; last != uint64(want.last) || (list.Next != 0) != strings.Contains(want.err, "more") {
			t.Errorf("%s: last %d, next %d", args, last, list.Next)
		}
	}
}

// TestDamage: unreadable records set a line, a state and the exit code until the report is cleared.
func TestDamage(t *testing.T) {
	a := books(time.Local)
	at := time.Date(2013, 2, 24, 16, 0, 0, 0, time.Local)
	a.Status.Damage = []api.Damage{
		{Records: 35, At: at, Reason: "table 000012.sst"},
		{Queue: "group/isp", First: 4711, Last: 4727, Records: 17, At: at, Reason: "checksum mismatch"},
	}
	d := accountant(t, a)
	const damaged = "aaasess: damaged: part of the store could not be read and is lost\n"
	got := command(t, d.Socket, "", "show", "spool")
	for _, want := range []string{
		"damaged      at most 35 keys of the state, lost at the next start, since 2013-02-24T16:00:00+02:00: table 000012.sst\n",
		"damaged      17 records of group/isp, numbers 4711 to 4727, lost since 2013-02-24T16:00:00+02:00: checksum mismatch\n",
		"  damaged\n",
	} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not in\n%s", want, got.out)
		}
	}
	if got.code != cli.ExitDamaged || got.err != damaged {
		t.Errorf("%d %q", got.code, got.err)
	}
	got = command(t, d.Socket, "", "show", "spool", "--json")
	var status api.SpoolStatus
	if err := json.Unmarshal([]byte(got.out), &status); err != nil || len(status.Damage) != 2 || got.code != cli.ExitDamaged {
		t.Errorf("%d damaged, exit code %d, %v", len(status.Damage), got.code, err)
	}
	if got := command(t, d.Socket, "", "spool", "forget-damage"); got != (outcome{0, "", "1 report of damage cleared\n"}) {
		t.Errorf("%+v", got)
	}
	if got := command(t, d.Socket, "", "show", "spool"); got.code != cli.ExitDamaged {
		t.Errorf("the state is forgotten: %+v", got)
	}
	if got := command(t, d.Socket, "", "spool", "forget-damage", "--json"); got != (outcome{0, "{\n  \"entries\": 0\n}\n", ""}) {
		t.Errorf("%+v", got)
	}
}

// TestPerformFailsInTheMiddle: if the daemon stops answering, perform prints the groups done until
// then.
func TestPerformFailsInTheMiddle(t *testing.T) {
	a := books(time.Local)
	a.Groups[2].AcctOnOff.State = api.StateOff
	a.Hold = map[string]bool{"aaa-server-policy-3": true}
	d := accountant(t, a)
	got := command(t, d.Socket, "", "perform", "acct-on", "--force", "--timeout", "200ms")
	want := outcome{1, "aaa-server-policy-1  sendAcctOn\n", "aaasess: the daemon does not answer in time\n"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Error(diff)
	}
}

// TestAccountingHelp: the help explains every column.
func TestAccountingHelp(t *testing.T) {
	for file, args := range map[string]string{
		"help-server-group.txt":      "show server-group",
		"help-acct-on-off-group.txt": "show acct-on-off-group",
		"help-radius-statistics.txt": "show radius statistics",
		"help-tacacs-statistics.txt": "show tacacs statistics",
		"help-show-spool.txt":        "show spool",
		"help-spool.txt":             "spool",
		"help-spool-list.txt":        "spool list",
		"help-spool-replay.txt":      "spool replay",
		"help-spool-drop.txt":        "spool drop",
		"help-spool-reroute.txt":     "spool reroute",
		"help-spool-forget.txt":      "spool forget-damage",
		"help-perform-acct-on.txt":   "perform acct-on",
		"help-perform-resync.txt":    "perform resync",
		"help-perform-acct-off.txt":  "perform acct-off",
	} {
		golden(t, file, command(t, "", "", append(strings.Fields(args), "--help")...).out)
	}
}

// TestAccountingCompletion: names and numbers come from the daemon.
func TestAccountingCompletion(t *testing.T) {
	a := books(time.Local)
	a.Groups = append(a.Groups, *unprintableGroup())
	d := accountant(t, a)
	const groups = "aaa-server-policy-1 aaa-server-policy-2 aaa-server-policy-3"
	for args, want := range map[string]string{
		"show|server-group|":        groups,
		"show|server-group|x|":      "acct-on-off",
		"show|server-group|x|y|":    "",
		"show|radius|statistics|":   groups,
		"show|radius|statistics|x|": "",
		"show|tacacs|statistics|":   "",
		"show|acct-on-off-group|":   "group-1 group-2",
		"show|acct-on-off-group|x|": "",
		"perform|acct-on|":          "aaa-server-policy-1 aaa-server-policy-3",
		"perform|acct-off|--force|": "aaa-server-policy-1 aaa-server-policy-3",
		"perform|acct-off|x|":       "",
		"spool|show|":               "3 4 9",
		"spool|show|3|":             "",
		"spool|replay|3|":           "3 4 9",
		"spool|drop|":               "3 4 9",
		"spool|":                    "drop Delete set-aside records forget-damage Clear the report of unreadable records list List the set-aside records replay Send set-aside records again reroute Deliver the records of a queue by another method list show Show a set-aside record with its attributes",
	} {
		got := command(t, d.Socket, "", append([]string{"__complete"}, strings.Split(args, "|")...)...)
		words, _, _ := strings.Cut("\n"+got.out, "\n:")
		if got := strings.Join(strings.Fields(words), " "); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	for _, args := range []string{"show|server-group|", "spool|drop|", "show|acct-on-off-group|"} {
		if got := command(t, none, "", append([]string{"__complete"}, strings.Split(args, "|")...)...); got.code != 0 {
			t.Errorf("without a daemon: %+v", got)
		}
	}
}
