package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/aaasess/internal/agents"
	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/cmd/internal/snmpmanager"
	"aaasess/cmd/internal/snmpmanager/managertest"
	"aaasess/mib"
	"aaasess/mib/casn"
)

// agentOf starts an agent with these sessions, which answers the community public.
func agentOf(t *testing.T, rows map[uint32]managertest.Row) *managertest.Agent {
	t.Helper()
	a, err := managertest.Start("public", rows)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// twoAgents starts two agents. The text of one is hostile.
func twoAgents(t *testing.T) (a, b *managertest.Agent) {
	t.Helper()
	a = agentOf(t, map[uint32]managertest.Row{
		13: {User: "alice@example.net", Address: "10.0.0.98", Idle: 61, Port: ".1.3.6.1.2.1.2.2.1.1.7", IfIndex: 9},
		14: {User: "bob", Disconnect: true, Port: ".1.3.6.1.4.1.9"},
	})
	b = agentOf(t, map[uint32]managertest.Row{
		1<<32 - 1: {User: "evil\x1b[31m\n\xff\u202e", Address: "10.0.0.99", Idle: 100_000},
	})
	return a, b
}

// asAgents runs a command line in which A and B are the addresses of agents, as in what it prints. env
// has further environment variables.
func asAgents(t *testing.T, a, b *managertest.Agent, env map[string]string, in, line string) outcome {
	t.Helper()
	args := strings.Fields(line)
	for i, arg := range args {
		args[i] = map[string]string{"A": a.Addr, "B": b.Addr}[arg]
		if args[i] == "" {
			args[i] = arg
		}
	}
	var out, errs strings.Builder
	code := run(t.Context(), cli.Environment{
		In: strings.NewReader(in), Out: &out, Err: &errs, Terminal: in != "", Getenv: func(name string) string { return env[name] },
	}, args)
	if slices.Contains(args, "--json") {
		for line := range strings.Lines(out.String()) {
			if json.Valid([]byte(line)) {
				if bad, err := controltest.BadKeys([]byte(line)); err != nil || len(bad) > 0 {
					t.Errorf("%q: keys %q, %v", args, bad, err)
				}
			}
		}
	}
	if strings.ContainsAny(out.String()+errs.String(), "\x1b\u202e") {
		t.Errorf("%s: control characters: %q %q", line, &out, &errs)
	}
	names := strings.NewReplacer(a.Addr+strings.Repeat(" ", max(0, len(b.Addr)-len(a.Addr))), "A", a.Addr, "A", b.Addr+strings.Repeat(" ", max(0, len(a.Addr)-len(b.Addr))), "B", b.Addr, "B")
	return outcome{code, names.Replace(out.String()), names.Replace(errs.String())}
}

func TestSNMPSessions(t *testing.T) {
	a, b := twoAgents(t)
	for name, tt := range map[string]struct {
		args string
		code int
		out  string // "-": not compared; lines without runs of spaces
		err  string
	}{
		"one host": {"snmp sessions A -c public", 0, "HOST ID USER ADDRESS IDLE PORT INTERFACE STATE\n" +
			"A 0000000D alice@example.net 10.0.0.98 1m01s 7 9 active\nA 0000000E bob - 0s 1.3.6.1.4.1.9 - terminating\n", "2 sessions at 1 host\n"},
		"sorted": {"snmp sessions A B -c public --sort idle --limit 2", 0, "HOST ID USER ADDRESS IDLE PORT INTERFACE STATE\n" +
			`B FFFFFFFF evil\x1b[31m\x0a\xff\u{202e} 10.0.0.99 1d03h - - active` + "\nA 0000000D alice@example.net 10.0.0.98 1m01s 7 9 active\n", "2 of 3 sessions at 2 hosts\n"},
		"in reverse": {"snmp sessions A -c public --sort -user --limit 1", 0, "HOST ID USER ADDRESS IDLE PORT INTERFACE STATE\n" +
			"A 0000000E bob - 0s 1.3.6.1.4.1.9 - terminating\n", "1 of 2 sessions at 1 host\n"},
		"an id":             {"snmp sessions A -c public --id 0000000D --number 14 --user bob", 0, "-", "1 session at 1 host\n"},
		"a prefix":          {"snmp sessions A B -c public --address 10.0.0.98/31", 0, "-", "2 sessions at 2 hosts\n"},
		"no match":          {"snmp sessions A B -c public --user zoe", 4, "", "0 sessions at 2 hosts\naaasess: no session matches\n"},
		"a wrong community": {"snmp sessions A -c another --timeout 30ms", 1, "", "aaasess: A: no answer\naaasess: not all hosts have answered: 1 of 1 failed\n"},
		"no community":      {"snmp sessions A", 2, "", "aaasess: usage error: invalid credentials: neither a community (SNMPv2c) nor a user (SNMPv3) is given\n"},
		"no host":           {"snmp sessions -c public", 2, "", "aaasess: usage error: requires at least 1 arg(s), only received 0\n"},
		"a bad host":        {"snmp sessions a:b -c public", 2, "", "aaasess: usage error: malformed host \"a:b\": a port is 1 to 65535\n"},
		"a host twice":      {"snmp sessions A A -c public", 2, "", "aaasess: usage error: malformed host: A is the same as A\n"},
		"a bad state":       {"snmp sessions A -c public --state stuck", 2, "", "aaasess: usage error: state \"stuck\": want active or terminating\n"},
		"a bad order":       {"snmp sessions A -c public --sort octets", 2, "", "aaasess: usage error: cannot sort by \"octets\": want one of host, id, idle, user\n"},
		"a bad address":     {"snmp sessions A -c public --address x", 2, "", "aaasess: usage error: invalid query: address \"x\": want an IPv4 or IPv6 address or prefix\n"},
		"number 0":          {"snmp sessions A -c public --number 0", 2, "", "aaasess: usage error: no session has the number 0\n"},
		"an empty filter":   {"snmp sessions A -c public --user=", 2, "", "aaasess: usage error: invalid query: \"user\" is empty\n"},
		"two communities":   {"snmp sessions A -c public --community-file x", 2, "", "aaasess: usage error: --community and --community-file exclude each other\n"},
		"no file":           {"snmp sessions A --community-file /nonexistent", 1, "", "aaasess: open /nonexistent: no such file or directory\n"},
		"both versions":     {"snmp sessions A -c public -u noc", 2, "", "aaasess: usage error: invalid credentials: give a community (SNMPv2c) or a user (SNMPv3), not both\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := asAgents(t, a, b, nil, "", tt.args)
			if tt.out == "-" {
				tt.out, got.out = "", ""
			}
			var lines []string
			for line := range strings.Lines(got.out) {
				lines = append(lines, strings.Join(strings.Fields(line), " ")+"\n")
			}
			got.out = strings.Join(lines, "")
			if diff := cmp.Diff(outcome{tt.code, tt.out, tt.err}, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSNMPHostFails: a host that fails is told, and the others are printed.
func TestSNMPHostFails(t *testing.T) {
	a, b := twoAgents(t)
	b.Change(func(b *managertest.Agent) { b.NoMIB = true })
	got := asAgents(t, a, b, map[string]string{"AAASESS_SNMP_COMMUNITY": "public"}, "", "snmp sessions A B --json")
	golden(t, "snmp-sessions.json", got.out)
	const want = "aaasess: B: no CISCO-AAA-SESSION-MIB: the agent does not have it, or does not show it to this community or user\n" +
		"aaasess: not all hosts have answered: 1 of 2 failed\n"
	if got.code != 1 || got.err != want {
		t.Errorf("%d %s", got.code, got.err)
	}
}

func TestSNMPTable(t *testing.T) {
	var out strings.Builder
	list := []snmpmanager.Session{
		{Host: "router-1", Number: 13, User: "alice@example.net", Address: netip.MustParseAddr("10.0.0.98"), Idle: 61, PortIfIndex: 7, IfIndex: 9},
		{Host: "router-1", Number: 14, User: strings.Repeat("x", 255), Idle: 1<<32 - 1, Terminating: true},
		{Host: "192.0.2.1:1161", Number: 1<<32 - 1, User: "evil\x1b[31m", Port: "1.3.6.1.4.1.9"},
	}
	table := agents.NewTable(&cli.Global{Environment: cli.Environment{Out: &out}}, []snmpmanager.Target{{Name: "router-1"}, {Name: "192.0.2.1:1161"}})
	for _, s := range list {
		if err := table.Row(agents.Cells(&s)...); err != nil {
			t.Fatal(err)
		}
		if err := table.Flush(); err != nil { // a host at a time
			t.Fatal(err)
		}
	}
	golden(t, "snmp-sessions.txt", out.String())
}

func TestSNMPDisconnect(t *testing.T) {
	for name, tt := range map[string]struct {
		args, in string
		code     int
		out, err string
		sets     []uint32 // at A
	}{
		"an id":           {"--id 0000000D", "", 0, "A  0000000D  alice@example.net  being disconnected\n", "1 session being disconnected\n", []uint32{13}},
		"a refused one":   {"--user bob", "", 1, "A  0000000E  bob  notWritable\n", "0 sessions being disconnected\naaasess: not all sessions have ended: 1 of 1 are left\n", nil},
		"no match":        {"--user zoe", "", 4, "", "aaasess: no session matches\n", nil},
		"several":         {"--address 10.0.0.0/8", "", 2, "", "aaasess: usage error: 2 sessions match; more than one needs --yes if the standard input is not a terminal\n", nil},
		"all":             {"--all", "", 2, "", "aaasess: usage error: --all needs --yes if the standard input is not a terminal\n", nil},
		"all, asked, no":  {"--all", "n\n", 1, "", "Disconnect ALL sessions, 3 now at 2 hosts? [y/N] aaasess: canceled: no session was disconnected\n", nil},
		"asked, yes":      {"--address 10.0.0.0/8 --state active", "y\n", 0, "-", "Disconnect 2 sessions at 2 hosts? [y/N] 2 sessions being disconnected\n", []uint32{13}},
		"several, --yes":  {"--address 10.0.0.0/8 --yes", "", 0, "-", "2 sessions being disconnected\n", []uint32{13}},
		"nothing":         {"", "", 2, "", "aaasess: usage error: give --id, --number, a filter or --all\n", nil},
		"all and a user":  {"--all --user bob", "", 2, "", "aaasess: usage error: --all excludes IDs and filters\n", nil},
		"JSON":            {"--user alice@example.net --json", "", 0, "-", "", []uint32{13}},
		"JSON, no match":  {"--user zoe --json", "", 4, `{"hosts":[{"host":"A","matched":0,"entries":2,"highWaterMark":1000,"total":2000,"disconnected":0},{"host":"B","matched":0,"entries":1,"highWaterMark":1000,"total":2000,"disconnected":0}],"matched":0,"marked":0,"sessions":[` + "\n]}\n", "aaasess: no session matches\n", nil},
		"a silent host":   {"--user alice@example.net --timeout 1s", "silent", 1, "A  0000000D  alice@example.net  being disconnected\n", "aaasess: B: no answer\n1 session being disconnected\naaasess: not all hosts have answered: 1 of 2 failed\n", []uint32{13}},
		"both are silent": {"--user alice@example.net --timeout 30ms", "all silent", 1, "", "-", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := twoAgents(t)
			a.Change(func(a *managertest.Agent) {
				a.Refuse, a.Silent = map[uint32]gosnmp.SNMPError{14: gosnmp.NotWritable}, tt.in == "all silent"
			})
			b.Change(func(b *managertest.Agent) { b.Silent = strings.Contains(tt.in, "silent") })
			got := asAgents(t, a, b, map[string]string{"AAASESS_SNMP_COMMUNITY": "public"}, strings.TrimSuffix(strings.TrimPrefix(tt.in, "all "), "silent"), "snmp disconnect A B "+tt.args)
			if name == "asked, yes" || name == "several, --yes" {
				if !strings.Contains(got.out, `B  FFFFFFFF  evil\x1b[31m\x0a\xff\u{202e}  being disconnected`+"\n") {
					t.Errorf("%s", got.out)
				}
			}
			if name == "JSON" && !strings.Contains(got.out, `"matched":1,"marked":1,"sessions":[`+"\n"+`{"host":"A","id":"0000000D","number":13,"user":"alice@example.net","address":"10.0.0.98","idle":61,"state":"terminating"`) {
				t.Errorf("%s", got.out)
			}
			if tt.out == "-" {
				tt.out, got.out = "", ""
			}
			if tt.err == "-" {
				tt.err, got.err = "", ""
			}
			if diff := cmp.Diff(outcome{tt.code, tt.out, tt.err}, got, cmp.AllowUnexported(outcome{})); diff != "" {
				t.Error(diff)
			}
			if sets := a.Sets(); !slices.Equal(sets, tt.sets) {
				t.Errorf("SETs of %d, want %d", sets, tt.sets)
			}
		})
	}
}

// TestSNMPWatch: the lines of a watch, while sessions of an agent change.
func TestSNMPWatch(t *testing.T) {
	a, b := twoAgents(t)
	var out strings.Builder
	changed := &signalled{on: "2 sessions", then: func() {
		go a.Change(func(a *managertest.Agent) {
			a.SetRows(map[uint32]managertest.Row{15: {User: "dave \x1b"}, 14: {User: "bob", Address: "10.0.0.1", Disconnect: true}})
		})
	}}
	env := cli.Environment{
		In: strings.NewReader(""), Out: changed, Err: &out, Width: 80,
		Getenv: func(name string) string { return map[string]string{"AAASESS_SNMP_COMMUNITY": "public"}[name] },
	}
	if code := run(t.Context(), env, []string{"snmp", "watch", a.Addr, "--interval", "1s", "--count", "3"}); code != 0 {
		t.Errorf("%d %s", code, &out)
	}
	var got []string
	for line := range strings.Lines(changed.String()) {
		got = append(got, strings.Join(strings.Fields(strings.ReplaceAll(line, a.Addr, "A"))[1:], " "))
	}
	want := []string{"A 2 sessions", "A ended 0000000D alice@example.net 10.0.0.98", "A changed 0000000E bob 10.0.0.1", `A new 0000000F "dave \x1b"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := asAgents(t, a, b, nil, "", "snmp watch A -c public --interval 1ms"); got.code != 2 || !strings.Contains(got.err, "want 1s to 1h") {
		t.Errorf("%+v", got)
	}
}

func TestReportText(t *testing.T) {
	target := snmpmanager.Target{Name: "router-1"}
	session := snmpmanager.Session{Host: "router-1", Number: 13, User: "alice", Address: netip.MustParseAddr("10.0.0.98")}
	reports := []snmpmanager.Report{
		{Target: target, Time: now, First: true, Live: 1},
		{Target: target, Time: now, Change: snmpmanager.Change{Event: snmpmanager.Began, Session: session}, Live: 2},
		{Target: target, Time: now, Change: snmpmanager.Change{Event: snmpmanager.Ended, Session: snmpmanager.Session{Host: "router-1", Number: 1}}, Live: 1},
		{Target: target, Time: now, Err: snmpmanager.ErrNoAnswer},
	}
	var out strings.Builder
	for _, asJSON := range []bool{false, true} {
		g := &cli.Global{Environment: cli.Environment{Out: &out}, JSON: asJSON}
		if err := agents.PrintReports(t.Context(), g, slices.Values(reports), len("router-10"), 0); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "snmp-watch.txt", out.String())
}

// responder serves the sessions of a daemon by SNMP: the community public reads, the user noc may do
// everything at authPriv, and the user guest may do nothing.
func responder(t *testing.T, d *controltest.Daemon) string {
	t.Helper()
	engine, err := usm.OpenEngine(filepath.Join(t.TempDir(), "engine"), nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	secret := func(text string) usm.Secret { return usm.Secret{Password: text} }
	users, err := usm.NewUsers(engine.ID(), []usm.User{
		{Name: "noc", Auth: usm.HMACSHA256, Priv: usm.AES256C, AuthSecret: secret("password of noc"), PrivSecret: secret("privacy of noc")},
		{Name: "guest", Auth: usm.HMACSHA, AuthSecret: secret("password of guest")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := vacm.NewView("all", []vacm.Family{{Subtree: mib.MustOID("1.3.6.1")}})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := vacm.New([]*vacm.View{all}, []vacm.AccessEntry{
		{Group: "watchers", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: all},
		{Group: "operators", Model: wire.ModelUSM, Level: wire.AuthPriv, Read: all, Write: all},
	}, []vacm.Member{
		{Model: wire.ModelV2c, SecurityName: "watchers", Group: "watchers"},
		{Model: wire.ModelUSM, SecurityName: "noc", Group: "operators"},
	}, []vacm.Community{{Name: "public", SecurityName: "watchers", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := snmp.New(snmp.Config{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Engine: engine, USM: usm.New(engine, users), System: snmpmib.System{Name: "test"},
	}, policy, casn.New(casn.Config{Disconnect: func() bool { return true }}, d.Table, d.Terminator))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(t.Context()) }()
	t.Cleanup(func() { <-ended })
	<-r.Ready()
	return r.Addrs()[0].String()
}

// TestSNMPResponder: the commands against another aaasessd, with a community and with users.
func TestSNMPResponder(t *testing.T) {
	d := daemon(t)
	addr := responder(t, d)
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	auth, priv := file("password of noc\r\nnot this"), file("privacy of noc")
	noc := map[string]string{"AAASESS_SNMP_SECURITY_NAME": "noc", "AAASESS_SNMP_AUTH": "SHA-256", "AAASESS_SNMP_PRIV": "AES-256-C", "AAASESS_SNMP_COMMUNITY": ""}
	with := func(name, value string) map[string]string {
		env := map[string]string{name: value}
		for k, v := range noc {
			if env[k] == "" {
				env[k] = v
			}
		}
		return env
	}
	files := "--auth-password-file " + auth + " --priv-password-file " + priv
	for _, tt := range []struct {
		name, args string
		env        map[string]string
		code       int
		out, err   string // parts
	}{
		{"a community", "sessions A -c public", noc, 0, "  00000003  bob    10.0.0.1", "5 sessions at 1 host\n"},
		{"a community from a file", "sessions A --community-file " + file("public\n"), nil, 0, "bob", "5 sessions at 1 host\n"},
		{"a community that may not SET", "disconnect A -c public --id 00000001", nil, 1, "00000001  alice  authorizationError\n", "1 of 1 are left"},
		{"a user, in the environment", "sessions A --user bob", with("AAASESS_SNMP_AUTH_PASSWORD", "password of noc"), 2, "", "the privacy password has 0 octets"},
		{"a user, in files", "sessions A --user bob " + files, noc, 0, "bob", "1 session at 1 host\n"},
		{"a user by flags", "sessions A -u noc -a SHA-256 -x AES-256-C " + files, map[string]string{"AAASESS_SNMP_COMMUNITY": "other"}, 0, "carol", "5 sessions at 1 host\n"},
		{"an unknown user", "sessions A -u eve " + files, noc, 1, "", "aaasess: A: refused: the agent has no such user (usmStatsUnknownUserNames)\n"},
		{"a wrong password", "sessions A --auth-password-file " + priv + " --priv-password-file " + priv, noc, 1, "", "refused: wrong authentication password or protocol (usmStatsWrongDigests)\n"},
		{"a wrong privacy password", "sessions A --auth-password-file " + auth + " --priv-password-file " + auth, noc, 1, "", "refused: wrong privacy password or protocol (usmStatsDecryptionErrors)\n"},
		{"without privacy", "sessions A -u noc -a SHA-256 --auth-password-file " + auth, nil, 1, "", "authorizationError\n"},
		{"an empty file", "sessions A -u noc -a SHA-256 --auth-password-file " + file("\n"), nil, 1, "", "the first line is empty\n"},
		{"no session", "disconnect A --id 00000063 " + files, noc, 4, "", "no session matches\n"},
		{"disconnect", "disconnect A --user bob " + files, noc, 0, "00000003  bob  being disconnected\n", "1 session being disconnected\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"snmp"}, strings.Fields(tt.args)...)
			args[2] = addr
			var out, errs strings.Builder
			code := run(t.Context(), cli.Environment{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(name string) string { return tt.env[name] }}, args)
			text := strings.ReplaceAll(errs.String(), addr, "A")
			if code != tt.code || !strings.Contains(out.String(), tt.out) || !strings.Contains(text, tt.err) {
				t.Errorf("%d, %q, %q, want %d, %q, %q", code, &out, text, tt.code, tt.out, tt.err)
			}
			if strings.Contains(text, "password of") || strings.Contains(text, "privacy of") {
				t.Errorf("the error has a secret: %q", text)
			}
		})
	}
	eventually := time.Now().Add(10 * time.Second)
	for d.Table.View().Disconnected == 0 && time.Now().Before(eventually) {
		<-d.Commits
	}
	if got := command(t, d.Socket, "", "show", "sessions", "--user", "bob", "--state", "active"); got.code != 4 {
		t.Errorf("the session is not being ended: %+v", got)
	}
}

// TestSNMPComplete: shells get the values of the hosts that are in the command line.
func TestSNMPComplete(t *testing.T) {
	a, b := twoAgents(t)
	for line, want := range map[string]string{
		"__complete snmp disconnect A B -c public --user X": "alice@example.net bob :4",
		"__complete snmp sessions A -c public --id X":       "0000000D 0000000E :4",
		"__complete snmp sessions A -c public --number X":   "13 14 :4",
		"__complete snmp watch A -c public --address X":     "10.0.0.98 :4",
		"__complete snmp sessions A -c another --user X":    ":4",
		"__complete snmp sessions A --user X":               ":4",
		"__complete snmp sessions A --auth X":               "SHA SHA-224 SHA-256 SHA-384 SHA-512 :4",
		"__complete snmp sessions A --sort X":               "host id idle user :4",
		"__complete snmp sessions A --state X":              "active terminating :4",
		"__complete snmp X":                                 "disconnect\tEnd sessions of SNMP agents",
	} {
		args := strings.Fields(line)
		for i, arg := range args {
			args[i] = strings.NewReplacer("A", a.Addr, "B", b.Addr, "X", "").Replace(arg)
		}
		var out strings.Builder
		run(t.Context(), cli.Environment{In: strings.NewReader(""), Out: &out, Err: &strings.Builder{}, Getenv: func(string) string { return "" }}, args)
		got := strings.Join(strings.Split(strings.TrimSpace(out.String()), "\n"), " ")
		words := strings.Split(got, " ")
		slices.Sort(words[:max(0, len(words)-1)])
		if got = strings.Join(words, " "); !strings.HasPrefix(want, "disconnect") && got != want || strings.HasPrefix(want, "disconnect") && !strings.Contains(out.String(), want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
