package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/records"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// accountedDaemon starts a daemon whose clock stands still. Session 5 is that of S1 table 14: its
// user username2 is on tty1 of bras-1 since 52 seconds. The sessions of guests are not accounted.
func accountedDaemon(t *testing.T) *controltest.Daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d, err := controltest.Start(dir, func(cfg *control.Config) {
		cfg.Accounting, cfg.Now = &controltest.Accounting{}, func() time.Time { return now }
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	d.Journal.RouteBy(func(s *sessions.Session) string {
		if s.User() == "guest" {
			return ""
		}
		return s.Kind.String() + "/default"
	})
	bras1 := func(ev *sessions.Event) {
		ev.NAS = sessions.NAS{Addr: netip.MustParseAddr("192.0.2.7"), Identifier: "bras-1"}
	}
	exec := func(ev *sessions.Event) { ev.Kind = sessions.Exec }
	with, second := controltest.With, func(ev *sessions.Event) { ev.AcctSessionID += "2" }
	for i, s := range []struct {
		user string
		age  time.Duration
		more []func(*sessions.Event)
	}{
		{"username1", 357 * time.Second, []func(*sessions.Event){with(radius.NASPort, "\x00\x00\x00\x05"), exec, with(radius.ServiceType, "\x00\x00\x00\x06")}},
		{"username1", 100*time.Hour + time.Minute, []func(*sessions.Event){with(radius.NASPort, "\x00\x00\x00\x05"), second, with(radius.FramedProtocol, "\x00\x00\x00\x01")}},
		{"guest", 0, nil},
		{"e\x1b[31m\nvil", 0, nil},
		{"username2", 52 * time.Second, []func(*sessions.Event){
			bras1, with(radius.NASPortID, "tty1"), with(radius.FramedProtocol, "\x00\x00\x00\x01"), with(radius.FramedIPAddress, "\x0a\x00\x00\x62"),
		}},
		{"guest", 0, []func(*sessions.Event){bras1, with(radius.NASPortID, "tty2")}},
	} {
		if err := d.Begin(s.user, now.Add(-s.age), s.more...); err != nil {
			t.Fatal(i, err)
		}
	}
	return d
}

// s1Accounting is the output of "show accounting" in S1 table 14 and S2 table 4.
const s1Accounting = `Active Accounted actions on tty1, User username2 Priv 1
Task ID 5, Network Accounting record, 00:00:52 Elapsed
task_id=5 service=ppp protocol=ip address=10.0.0.98
`

func TestShowAccounting(t *testing.T) {
	d := accountedDaemon(t)
	const wrong = "aaasess: usage error: "
	for _, tt := range []struct {
		name, args string
		code       int
		out, err   string
	}{
		{"the example of S1", "show accounting --nas bras-1 --line tty1", 0, s1Accounting, "1 accounted session matched, 0 not accounted, 6 live\n"},
		{"of one user", "show accounting --user username2", 0, strings.Replace(s1Accounting, "Priv 1", "Priv 1, NAS bras-1", 1), "1 accounted session matched, 0 not accounted, 6 live\n"},
		{"by the task's ID", "show accounting --number 5 --nas 192.0.2.7", 0, s1Accounting, "1 accounted session matched, 0 not accounted, 6 live\n"},
		{"by ID", "show accounting --id 00000005 --nas 192.0.2.7", 0, s1Accounting, "1 accounted session matched, 0 not accounted, 6 live\n"},
		{"of a NAS", "show accounting --nas bras-1", 0, s1Accounting, "1 accounted session matched, 1 not accounted, 6 live\n"},
		{"limited", "show accounting --limit 1", 0, strings.Replace(s1Accounting, "Priv 1", "Priv 1, NAS bras-1", 1), "1 of 4 accounted sessions, 2 live sessions not accounted\n"},
		{"one that is not accounted", "show accounting --line tty2", 4, "", "aaasess: no accounted session matches (1 session matched, none accounted, 6 live)\n"},
		{"no match", "show accounting --user zoe", 4, "", "aaasess: no session matches (6 sessions live)\n"},
		{"no such order", "show accounting --sort user", 2, "", wrong + "unknown flag: --sort\n"},
		{"empty line", "show accounting --line=", 2, "", wrong + "invalid query: \"line\" is empty\n"},
		{"words behind", "show accounting alice", 2, "", wrong + "unknown command \"alice\" for \"aaasess show accounting\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := command(t, d.Socket, "", strings.Fields(tt.args)...)
			if diff := cmp.Diff(outcome{tt.code, tt.out, tt.err}, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	all := command(t, d.Socket, "", "show", "accounting")
	golden(t, "accounting.txt", all.out+all.err)
	golden(t, "accounting.json", command(t, d.Socket, "", "show", "accounting", "--json").out)
	golden(t, "help-accounting.txt", command(t, "", "", "show", "accounting", "--help").out)
}

// TestShowAccountingJSON: the document of a filter without a match is valid, and has no session.
func TestShowAccountingJSON(t *testing.T) {
	d := accountedDaemon(t)
	for args, want := range map[string]struct {
		code int
		head api.AccountedHead
		ids  []string
	}{
		"--nas bras-1": {0, api.AccountedHead{Total: 6, Matched: 2, Accounted: 1}, []string{"00000005"}},
		"--user guest": {4, api.AccountedHead{Total: 6, Matched: 2}, nil},
		"--user zoe":   {4, api.AccountedHead{Total: 6}, nil},
	} {
		got := command(t, d.Socket, "", append([]string{"show", "accounting", "--json"}, strings.Fields(args)...)...)
		var list struct {
			api.AccountedHead
			Sessions []api.AccountedSession `json:"sessions"`
		}
		if err := json.Unmarshal([]byte(got.out), &list); err != nil || got.code != want.code {
			t.Errorf("%s: %+v %v", args, got, err)
		}
		var ids []string
		for i := range list.Sessions {
			ids = append(ids, list.Sessions[i].ID)
		}
		if diff := cmp.Diff(want.ids, ids); diff != "" || list.AccountedHead != want.head {
			t.Errorf("%s: %+v %s", args, list.AccountedHead, diff)
		}
	}
}

// TestShowAccountingWithoutDaemon: the exit code is that of the other commands.
func TestShowAccountingWithoutDaemon(t *testing.T) {
	if got := command(t, t.TempDir()+"/none", "", "show", "accounting"); got.code != cli.ExitNoDaemon {
		t.Errorf("%+v", got)
	}
}

// TestAccountingHeadings: one heading stands for the sessions of one user on one line of one NAS.
func TestAccountingHeadings(t *testing.T) {
	port := uint32(5)
	session := func(nas, id string, port *uint32, user string) api.AccountedSession {
		return api.AccountedSession{Session: api.Session{NAS: nas, NASPortID: id, NASPort: port, User: user, Kind: "exec"}, Privilege: 1}
	}
	list := []api.AccountedSession{
		session("a", "tty1", &port, "u"), session("a", "tty1", nil, "u"), // the NAS-Port-Id is the line
		session("a", "tty1", nil, "v"),
		session("a", "tty2", nil, "v"),
		session("b", "tty2", nil, "v"),
		session("b", "", &port, "v"), session("b", "", &port, "v"),
		session("b", "", nil, "v"), session("b", "", nil, "v"), // perhaps two lines
		session("c", "", nil, ""),
	}
	var out strings.Builder
	n, err := records.PrintAccounting(&out, yield(list), true)
	if n != len(list) || err != nil {
		t.Fatal(n, err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "Active Accounted actions on "); ok {
			got = append(got, text)
		}
	}
	want := []string{
		"tty1, User u Priv 1, NAS a", "tty1, User v Priv 1, NAS a", "tty2, User v Priv 1, NAS a", "tty2, User v Priv 1, NAS b",
		"NAS-Port 5, User v Priv 1, NAS b", "unknown, User v Priv 1, NAS b", "unknown, User v Priv 1, NAS b", "unknown, User unknown Priv 1, NAS c",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func yield(list []api.AccountedSession) iter.Seq2[api.AccountedSession, error] {
	return func(yield func(api.AccountedSession, error) bool) {
		for i := range list {
			if !yield(list[i], nil) {
				return
			}
		}
	}
}

// TestAccountingElapsed: hours have two digits or more.
func TestAccountingElapsed(t *testing.T) {
	for seconds, want := range map[uint32]string{0: "00:00:00", 52: "00:00:52", 3599: "00:59:59", 86400: "24:00:00", 1<<32 - 1: "1193046:28:15"} {
		s := api.AccountedSession{Session: api.Session{Number: 1, Kind: "connection"}, Elapsed: seconds}
		if got, want := records.RecordText(&s), fmt.Sprintf("Task ID 1, Connection Accounting record, %s Elapsed\n", want); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
