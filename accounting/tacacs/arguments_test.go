package tacacs

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/tacacs"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

var at = time.Date(2001, 6, 27, 4, 0, 35, 0, time.UTC)

// recordOf returns a record with attributes that are given as "NAME = VALUE".
func recordOf(t *testing.T, kind sessions.Kind, typ sessions.EventType, lines ...string) *accounting.Record {
	t.Helper()
	var b []byte
	for _, line := range lines {
		name, value, _ := strings.Cut(line, " = ")
		b = named(t, b, name, value)
	}
	return &accounting.Record{Session: 28, Type: typ, Kind: kind, At: at, Attrs: radius.Attributes(b)}
}

// TestSystemExamples: accounting is turned on with a start and off with a stop (RFC 8907 section
// 8.3). The two texts of S1 are exchanged, so the printed "off" is our On.
func TestSystemExamples(t *testing.T) {
	all := printedRecords(t)
	tasks := map[string]string{}
	for name, typ := range map[string]sessions.EventType{"System: accounting off and on: off": sessions.On, "System: accounting off and on: on": sessions.Off} {
		p := all[slices.IndexFunc(all, func(p printed) bool { return p.name == name })]
		rec := &accounting.Record{
			Type: typ, At: p.at, List: "system/default", Reason: "reconfigure",
			Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, "242FFF0000008F512A3985")),
		}
		r := (&Arguments{Attributes: true, ResyncMark: "m"}).Request(rec, p.at)
		tasks[p.flag] = r.Args[0]
		if flagNames[r.Flags] != p.flag || r.User+r.Port+r.RemAddr != "" || r.AuthenMethod != tacacs.AuthenMethodNone || r.AuthenService != 0 {
			t.Errorf("%s: %+v", name, r)
		}
		if diff := cmp.Diff(p.args[1:], r.Args[1:]); diff != "" {
			t.Errorf("%s: printed (-) and sent (+):\n%s", name, diff)
		}
	}
	if tasks["start"] != "task_id=6168397573" || tasks["stop"] != tasks["start"] {
		t.Errorf("an On and its Off are %v", tasks)
	}
}

// TestVRRS: a group of routers has records like those of the system, with the task of its session.
func TestVRRS(t *testing.T) {
	for typ, flags := range map[sessions.EventType]tacacs.AcctFlags{sessions.Start: tacacs.AcctFlagStart, sessions.Stop: tacacs.AcctFlagStop} {
		rec := recordOf(t, sessions.VRRS, typ, "NAS-Identifier = r1", "Cisco-AVPair = vrrs-name=VI_1", "Acct-Session-Id = 0000001C")
		r := new(Arguments).Request(rec, at)
		want := tacacs.AcctRequest{
			Flags: flags, AuthenMethod: tacacs.AuthenMethodNone,
			Args: []string{"task_id=28", "service=system", "event=vrrs", "vrrs-name=VI_1"},
		}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("%v: want (-) and sent (+):\n%s", typ, diff)
		}
	}
}

// TestArguments: what the examples do not show.
func TestArguments(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind sessions.Kind
		typ  sessions.EventType
		in   []string
		want []string // without task_id
	}{
		{"SLIP", sessions.Network, sessions.Start, []string{"Framed-Protocol = SLIP"}, []string{"service=slip"}},
		{"a framing without a name", sessions.Network, sessions.Start, []string{"Framed-Protocol = 261"}, []string{"service=ppp"}},
		{"no address yet", sessions.Network, sessions.Interim, []string{"Framed-IP-Address = 255.255.255.254"}, []string{"service=ppp"}},
		{"an IPv6 address", sessions.Network, sessions.Interim, []string{"Framed-IPv6-Address = 2001:db8::1"}, []string{"service=ppp", "protocol=ipv6", "addr=2001:db8::1"}},
		{
			"both addresses: an argument is there once", sessions.Network, sessions.Interim,
			[]string{"Framed-IP-Address = 10.0.0.1", "Framed-IPv6-Address = 2001:db8::1"},
			[]string{"service=ppp", "protocol=ip", "addr=10.0.0.1"},
		},
		{
			"counters above 2^32", sessions.Network, sessions.Interim,
			[]string{"Acct-Input-Octets = 5", "Acct-Input-Gigawords = 2", "Acct-Output-Gigawords = 1"},
			[]string{"service=ppp", "bytes_in=8589934597", "bytes_out=4294967296"},
		},
		{
			"a cause", sessions.Exec, sessions.Stop,
			[]string{"Acct-Session-Time = 9", "Acct-Terminate-Cause = Idle-Timeout"},
			[]string{"service=shell", "disc-cause=4", "elapsed_time=9"},
		},
		{"a protocol without a name", sessions.Connection, sessions.Start, []string{"Login-Service = TCP-Clear"}, []string{"service=connection", "protocol=unknown"}},
		{"the user chooses the host", sessions.Connection, sessions.Start, []string{"Login-IP-Host = 255.255.255.255"}, []string{"service=connection"}},
		{"a host by IPv6", sessions.Connection, sessions.Start, []string{"Login-IPv6-Host = 2001:db8::1"}, []string{"service=connection", "addr=2001:db8::1"}},
		{"a call", sessions.Resource, sessions.Stop, []string{"Acct-Session-Time = 9"}, []string{"service=resource", "elapsed_time=9"}},
		{
			"Cisco-AVPairs are arguments, unless the record tells the same", sessions.Exec, sessions.Stop,
			[]string{"Cisco-AVPair = disc-cause-ext=1021", "Cisco-AVPair = nas-rx-speed*0", "Cisco-AVPair = task_id=1", "Cisco-AVPair = Call Up", "Cisco-AVPair = =x"},
			[]string{"service=shell", "disc-cause-ext=1021", "nas-rx-speed*0"},
		},
		{"an event of a session", sessions.Network, sessions.Other, []string{"Acct-Status-Type = Tunnel-Stop"}, []string{"service=ppp", "Acct-Status-Type*Tunnel-Stop"}},
		{"a number without a name", sessions.Network, sessions.Other, []string{"Acct-Status-Type = 4711"}, []string{"service=ppp", "Acct-Status-Type*4711"}},
		{
			"a long command", sessions.Command, sessions.Stop,
			[]string{"Cisco-AVPair = priv-lvl=15", "Cisco-AVPair = cmd=access-list 1", "Cisco-AVPair = cmd-arg=permit", "Cisco-AVPair = cmd-arg=any"},
			[]string{"service=shell", "priv-lvl=15", "cmd=access-list 1", "cmd-arg=permit", "cmd-arg=any <cr>"},
		},
		{"a level that is none", sessions.Command, sessions.Stop, []string{"Cisco-AVPair = priv-lvl=16", "Cisco-AVPair = cmd=x"}, []string{"service=shell", "cmd=x <cr>"}},
	} {
		rec := recordOf(t, tt.kind, tt.typ, append(tt.in, "Acct-Session-Id = 0000001C", "NAS-IP-Address = 172.16.25.15")...)
		got := new(Arguments).Request(rec, at).Args
		if diff := cmp.Diff(append([]string{"task_id=28"}, tt.want...), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestTask: a session of ours has its number. Other events have the NAS's name and id, which no
// session has.
func TestTask(t *testing.T) {
	long := strings.Repeat("x", 250)
	for _, tt := range []struct {
		name string
		in   []string
		want string
	}{
		{"of a live session", []string{"Acct-Session-Id = 0000001C"}, "28"},
		{"by address", []string{"Acct-Session-Id = 29", "NAS-IP-Address = 172.16.25.15"}, "172.16.25.15/29"},
		{"by name", []string{"Acct-Session-Id = 29", "NAS-IP-Address = 172.16.25.15", "NAS-Identifier = bras1"}, "bras1/29"},
		{"by IPv6", []string{"Acct-Session-Id = 29", "NAS-IPv6-Address = 2001:db8::1"}, "2001:db8::1/29"},
		{"of nobody", nil, "/"},
		{"too long", []string{"Acct-Session-Id = " + long, "NAS-Identifier = b"}, "28/" + long[:244]},
	} {
		rec := recordOf(t, sessions.Network, sessions.Other, append(tt.in, "Acct-Status-Type = Tunnel-Start")...)
		r := new(Arguments).Request(rec, at)
		if r.Args[0] != "task_id="+tt.want || r.Flags != tacacs.AcctFlagWatchdog {
			t.Errorf("%s: %q, want %q", tt.name, r.Args[0], tt.want)
		}
	}
}

// TestFields: the fields before the arguments.
func TestFields(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []string
		want tacacs.AcctRequest
	}{
		{"nothing", nil, tacacs.AcctRequest{PrivLvl: 1}},
		{"NAS-Port", []string{"NAS-Port = 5"}, tacacs.AcctRequest{PrivLvl: 1, Port: "5"}},
		{"NAS-Port-Id", []string{"NAS-Port = 5", "NAS-Port-Id = Async5"}, tacacs.AcctRequest{PrivLvl: 1, Port: "Async5"}},
		{"only a called number", []string{"Called-Station-Id = 408"}, tacacs.AcctRequest{PrivLvl: 1, RemAddr: "/408"}},
		{"local", []string{"Acct-Authentic = Local"}, tacacs.AcctRequest{PrivLvl: 1, AuthenMethod: tacacs.AuthenMethodLocal}},
		{"remote", []string{"Acct-Authentic = Remote"}, tacacs.AcctRequest{PrivLvl: 1}},
		{"an administrator", []string{"Service-Type = Administrative-User"}, tacacs.AcctRequest{PrivLvl: 15}},
		{"a level", []string{"Cisco-AVPair = priv-lvl=7"}, tacacs.AcctRequest{PrivLvl: 7}},
		{"a name in UTF-8", []string{"User-Name = jürg"}, tacacs.AcctRequest{PrivLvl: 1, User: "jürg"}},
		{"a name with a domain", []string{`User-Name = D\u`}, tacacs.AcctRequest{PrivLvl: 1, User: `D\u`}},
		{"control characters", []string{"User-Name = \ta\\b\x7f\u009b", "Calling-Station-Id = ü\n"}, tacacs.AcctRequest{PrivLvl: 1, User: `\x09a\\b\x7f\xc2\x9b`, RemAddr: `\xc3\xbc\x0a`}},
		{
			"too long",
			[]string{"NAS-Port-Id = " + strings.Repeat("é", 126), "Calling-Station-Id = " + strings.Repeat("1", 253), "Called-Station-Id = 408"},
			tacacs.AcctRequest{PrivLvl: 1, Port: strings.Repeat(`\xc3\xa9`, 31), RemAddr: strings.Repeat("1", 253) + "/4"},
		},
	} {
		r := new(Arguments).Request(recordOf(t, sessions.Resource, sessions.Start, tt.in...), at)
		r.Flags, r.Args = 0, nil
		if diff := cmp.Diff(tt.want, r); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestPorts: rules name the ports that a NAS numbers.
func TestPorts(t *testing.T) {
	rules := []PortRule{
		{Types: []uint32{0, 2}, Last: 9, Text: "Async%d"},
		{First: 10, Last: 19, Text: "tty%d"},
		{First: 20, Last: 20, Text: "con"},
	}
	for _, r := range rules {
		if err := r.Check(); err != nil {
			t.Error(err)
		}
	}
	for want, in := range map[string][]string{
		"Async0": {"NAS-Port = 0", "NAS-Port-Type = Async"},
		"Async5": {"NAS-Port = 5", "NAS-Port-Type = ISDN", "NAS-Port-Id = named"},
		"5":      {"NAS-Port = 5", "NAS-Port-Type = Virtual"},
		"6":      {"NAS-Port = 6"},
		"tty10":  {"NAS-Port = 10"},
		"tty19":  {"NAS-Port = 19", "NAS-Port-Type = Async"},
		"con":    {"NAS-Port = 20"},
		"line":   {"NAS-Port = 21", "NAS-Port-Id = line"},
		"":       {"NAS-Port-Type = Async"},
	} {
		if got := (&Arguments{Ports: rules}).Request(recordOf(t, sessions.Exec, sessions.Start, in...), at).Port; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, r := range []PortRule{
		{}, {First: 2, Last: 1, Text: "x"}, {Text: "%d%d"}, {Text: "%s"}, {Text: "50%"}, {Text: "é"}, {Text: "a\tb"}, {Text: "%d" + strings.Repeat("x", 246)},
	} {
		if err := r.Check(); !errors.Is(err, ErrPortRule) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// TestTimes: a server stamps a record with its own clock, so a late record tells its times.
func TestTimes(t *testing.T) {
	stamp := "Event-Timestamp = 2001-06-27T04:00:35Z"
	stop := recordOf(t, sessions.Exec, sessions.Stop, "Acct-Session-Time = 9", stamp)
	resync := recordOf(t, sessions.Exec, sessions.Start, stamp)
	resync.Resync = true
	late := at.Add(lateAfter + 1)
	on := &accounting.Record{Type: sessions.On, At: at, Reason: "reload"}
	off := &accounting.Record{Type: sessions.Off, At: at, Reason: "reload"}
	for _, tt := range []struct {
		name string
		rec  *accounting.Record
		sent time.Time
		args Arguments
		want string // without task_id
	}{
		{"in time", stop, late.Add(-1), Arguments{}, "service=shell elapsed_time=9"},
		{"late", stop, late, Arguments{}, "start_time=993614426 timezone=UTC service=shell elapsed_time=9 stop_time=993614435"},
		{"never", stop, late, Arguments{Times: TimesNever}, "service=shell elapsed_time=9"},
		{"always", stop, at, Arguments{Times: TimesAlways}, "start_time=993614426 timezone=UTC service=shell elapsed_time=9 stop_time=993614435"},
		{"a stop without a time", recordOf(t, sessions.Exec, sessions.Stop), late, Arguments{}, "timezone=UTC service=shell stop_time=993614435"},
		{"a start", recordOf(t, sessions.Exec, sessions.Start, stamp), late, Arguments{}, "start_time=993614435 timezone=UTC service=shell"},
		{"a resync", resync, at, Arguments{ResyncMark: "mark"}, "start_time=993614435 timezone=UTC service=shell mark*resync"},
		{"an interim", recordOf(t, sessions.Exec, sessions.Interim, "Acct-Session-Time = 5", stamp), late, Arguments{}, "start_time=993614430 timezone=UTC service=shell elapsed_time=5"},
		{"an interim without a time", recordOf(t, sessions.Exec, sessions.Interim, stamp), late, Arguments{}, "service=shell Event-Timestamp*2001-06-27T04:00:35Z"},
		{"an On", on, late, Arguments{}, "start_time=993614435 timezone=UTC service=system event=sys_acct reason=reload"},
		{"an Off", off, late, Arguments{}, "timezone=UTC service=system event=sys_acct reason=reload stop_time=993614435"},
		{"an On in time", on, at, Arguments{}, "service=system event=sys_acct reason=reload"},
	} {
		if got := strings.Join(tt.args.Request(tt.rec, tt.sent).Args[1:], " "); got != tt.want {
			t.Errorf("%s:\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
	for _, want := range []Times{TimesLate, TimesAlways, TimesNever} {
		var got Times
		if err := got.UnmarshalText([]byte(want.String())); got != want || err != nil {
			t.Errorf("%s: got %s, %v", want, got, err)
		}
	}
	if err := new(Times).UnmarshalText([]byte("soon")); err == nil || Times(9).String() != "times(9)" {
		t.Errorf("soon: %v", err)
	}
}

// TestAttributes: with the option, each attribute that nothing else tells is an optional argument.
func TestAttributes(t *testing.T) {
	rec := recordOf(t, sessions.Network, sessions.Stop,
		"Acct-Status-Type = Stop", "Acct-Session-Id = 0000001C", "User-Name = u", "NAS-IP-Address = 172.16.25.15", "NAS-Port = 5", "NAS-Port-Id = Async5",
		"Service-Type = Framed-User", "Framed-Protocol = PPP", "Framed-IP-Address = 10.0.0.1", "Framed-IPv6-Prefix = 2001:db8::/64",
		"Acct-Authentic = RADIUS", "Acct-Input-Octets = 1", "Acct-Session-Time = 2", "Acct-Terminate-Cause = User-Request",
		"Class = 0x01ff", "Class = 0x"+strings.Repeat("ab", 200), "Cisco-AVPair = disc-cause-ext=1021", "Cisco-AVPair = task_id=1", "Cisco-AVPair = priv-lvl=3", "Connect-Info = 100\u00b5",
	)
	rec.NASSession = "of*the=NAS"
	want := []string{
		"task_id=28", "service=ppp", "protocol=ip", "addr=10.0.0.1", "bytes_in=1", "disc-cause=1", "elapsed_time=2",
		"disc-cause-ext=1021", "Acct-Session-Id*of*the=NAS", "NAS-IP-Address*172.16.25.15", "NAS-Port*5", "Framed-IPv6-Prefix*2001:db8::/64",
		"Class*0x01ff", "Cisco-AVPair*task_id=1", `Connect-Info*100\xc2\xb5`,
	}
	if diff := cmp.Diff(want, (&Arguments{Attributes: true}).Request(rec, at).Args); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
}

// TestRecordsPage: docs/records.md names every argument that the table can send.
func TestRecordsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{} // in the first cells of tables
	for line := range strings.Lines(string(page)) {
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for name := range strings.SplitSeq(strings.Trim(cell, "`"), ", ") {
			name, _, _ = strings.Cut(name, optional)
			named[name] = true
		}
	}
	for _, name := range reserved {
		if !named[name] {
			t.Errorf("no table of docs/records.md has %s", name)
		}
	}
}

// TestTaskIDOfUpstreamName: task_id is the number of the session, whatever the servers of RADIUS get as
// its Acct-Session-Id (R55), and with Attributes the NAS's own id is an optional argument.
func TestTaskIDOfUpstreamName(t *testing.T) {
	for _, tt := range []struct {
		name string
		typ  sessions.EventType
		id   string
	}{
		{"a start, extend-with-addr", sessions.Start, "AC10190F0000001C"},
		{"a stop, sync-with-client", sessions.Stop, "5F2A"},
		{"an event of the session", sessions.Other, "AC10190F0000001C"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := recordOf(t, sessions.Exec, tt.typ, "Acct-Status-Type = 15", "Acct-Session-Id = "+tt.id)
			rec.Renamed, rec.NASSession = tt.typ == sessions.Other, "5F2A"
			got := (&Arguments{Attributes: true}).Request(rec, at).Args
			if got[0] != "task_id=28" || !slices.Contains(got, "Acct-Session-Id*5F2A") || slices.Contains(got, "Acct-Session-Id*AC10190F0000001C") {
				t.Errorf("the arguments are %q", got)
			}
		})
	}
}
