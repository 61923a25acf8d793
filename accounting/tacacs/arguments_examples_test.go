package tacacs

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/tacacs"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"

	"github.com/google/go-cmp/cmp"
)

// printed is a TACACS+ record of S1 and S2.
type printed struct {
	name                      string // "HEADING: RECORD", with a heading of docs/records.md
	at                        time.Time
	user, port, remAddr, flag string
	args                      []string
}

func printedRecords(t *testing.T) (all []printed) {
	t.Helper()
	b, err := os.ReadFile("../testdata/tacacs-examples.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(b), "\n== ")[1:] {
		name, line, _ := strings.Cut(strings.TrimSpace(block), "\n")
		f := strings.Split(line, "\t")
		at, err := time.Parse("Mon Jan 2 15:04:05 2006", f[0])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, printed{name, at, f[2], f[3], f[4], f[5], f[6:]})
	}
	return all
}

// get returns the value of an argument, the last one if it is there twice.
func (p *printed) get(name string) (value string, ok bool) {
	for _, argument := range p.args {
		if n, v, _ := strings.Cut(argument, "="); n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// corrected returns the arguments in the order that docs/records.md decides: addr once, and after
// service and protocol.
func (p *printed) corrected() []string {
	if p.args[1] != "addr="+mustGet(p, "addr") {
		return p.args
	}
	rest := slices.Delete(slices.Clone(p.args), 1, 2)
	if _, again := (&printed{args: rest}).get("addr"); again {
		return rest
	}
	return append(rest, p.args[1])
}

func mustGet(p *printed, name string) string { value, _ := p.get(name); return value }

// ports name the ports of the examples: a NAS reports their numbers.
var ports = []PortRule{
	{Types: []uint32{0}, Last: 99, Text: "Async%d"}, // NAS-Port-Type Async
	{Types: []uint32{5}, Last: 99, Text: "tty%d"},   // Virtual
}

func named(t *testing.T, b []byte, name, value string) []byte {
	t.Helper()
	typ, octets, err := radius.Standard().Parse(name, value)
	if err != nil {
		t.Fatalf("%s = %s: %v", name, value, err)
	}
	return radius.AppendAttribute(b, typ, octets)
}

// packet returns what a NAS that speaks RADIUS reports of an example.
func (p *printed) packet(t *testing.T) (kind sessions.Kind, attrs radius.Attributes) {
	t.Helper()
	var b []byte
	add := func(name, value string) {
		if value != "" {
			b = named(t, b, name, value)
		}
	}
	add("User-Name", p.user)
	for _, line := range [][2]string{{"tty", "Virtual"}, {"Async", "Async"}} {
		if number, ok := strings.CutPrefix(p.port, line[0]); ok {
			add("NAS-Port", number)
			add("NAS-Port-Type", line[1])
		}
	}
	calling, called, _ := strings.Cut(p.remAddr, "/")
	add("Calling-Station-Id", calling)
	add("Called-Station-Id", called)
	add("Acct-Authentic", "RADIUS")
	switch mustGet(p, "service") {
	case "shell":
		kind = sessions.Exec
		add("Service-Type", "NAS-Prompt-User")
	case "ppp":
		kind = sessions.Network
		add("Service-Type", "Framed-User")
		add("Framed-Protocol", "PPP")
		add("Framed-IP-Address", mustGet(p, "addr"))
	case "connection":
		kind = sessions.Connection
		add("Service-Type", "Login-User")
		add("Login-Service", map[string]string{"telnet": "Telnet", "rlogin": "Rlogin", "lat": "LAT"}[mustGet(p, "protocol")])
		host := "Login-IP-Host"
		if mustGet(p, "protocol") == "lat" {
			host = "Login-LAT-Node"
		}
		add(host, mustGet(p, "addr"))
	}
	if typed := mustGet(p, "cmd"); kind == sessions.Connection { // RADIUS has no attribute of its own for it
		add("Cisco-AVPair", "cmd="+typed)
	}
	for _, argument := range [][2]string{
		{"bytes_in", "Acct-Input-Octets"},
		{"bytes_out", "Acct-Output-Octets"},
		{"paks_in", "Acct-Input-Packets"},
		{"paks_out", "Acct-Output-Packets"},
		{"elapsed_time", "Acct-Session-Time"},
	} {
		add(argument[1], mustGet(p, argument[0]))
	}
	return kind, radius.Attributes(b)
}

var types = map[string]sessions.EventType{"start": sessions.Start, "update": sessions.Interim, "stop": sessions.Stop}

// nas is the device of the examples.
var nas = sessions.NAS{Addr: netip.MustParseAddr("172.16.25.15"), IPv4: netip.MustParseAddr("172.16.25.15")}

// record reports the examples of a session to a table, and returns the record of the last one.
func record(t *testing.T, reported []printed) *accounting.Record {
	t.Helper()
	j := sessionstest.NewJournal()
	defer j.Close()
	j.RouteBy(func(*sessions.Session) string { return "a route" })
	table := sessions.New(sessions.Config{}, j)
	for _, p := range reported {
		sessionstest.Await(t, func(done func(error)) error { return p.report(t, table, done) })
	}
	n := j.Notices()[len(j.Notices())-1]
	task, err := strconv.ParseUint(mustGet(&reported[0], "task_id"), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	s := *n.Session
	s.ID, n.Session = sessions.ID(task), &s
	attrs, _ := accounting.Compose(nil, &n)
	return &accounting.Record{Session: s.ID, Type: n.Type, Kind: s.Kind, At: n.At, Attrs: radius.Attributes(attrs)}
}

// report reports an example to a table, with the name that the NAS gives the session.
func (p *printed) report(t *testing.T, table *sessions.Table, done func(error)) error {
	t.Helper()
	kind, attrs := p.packet(t)
	if level, is := p.get("priv-lvl"); is {
		n, err := strconv.Atoi(level)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.TrimSuffix(mustGet(p, "cmd"), " <cr>")
		_, err = table.Record(sessions.OneOff{Kind: sessions.Command, NAS: nas, At: p.at, Attrs: attrs, Level: n, Text: text}, done)
		return err
	}
	b := radius.AppendAttribute([]byte(attrs), radius.AcctSessionID, "of the NAS")
	return table.Apply(sessions.Event{Type: types[p.flag], Kind: kind, At: p.at, NAS: nas, Attrs: radius.Attributes(b), AcctSessionID: "of the NAS"}, done)
}

// flagNames are the types as S1 prints them.
var flagNames = map[tacacs.AcctFlags]string{tacacs.AcctFlagStart: "start", tacacs.AcctFlagStop: "stop", tacacs.AcctFlagWatchdog: "update"}

// TestExamples: each TACACS+ record of S1 and S2 leaves as it is printed, argument by argument and in
// order, as far as docs/records.md does not decide otherwise (R46).
func TestExamples(t *testing.T) {
	all := printedRecords(t)
	if len(all) != 26 {
		t.Fatalf("%d examples", len(all))
	}
	var same int
	for i, p := range all {
		if mustGet(&p, "service") == "system" {
			continue // see TestSystemExamples
		}
		t.Run(p.name, func(t *testing.T) {
			ofSession := func(q printed) bool { return mustGet(&q, "task_id") == mustGet(&p, "task_id") }
			rec := record(t, slices.DeleteFunc(slices.Clone(all[:i+1]), func(q printed) bool { return !ofSession(q) }))
			r := (&Arguments{Ports: ports}).Request(rec, p.at.Add(time.Second))
			got := printed{p.name, p.at, r.User, r.Port, r.RemAddr, flagNames[r.Flags], r.Args}
			want := p
			want.args = p.corrected()
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(printed{})); diff != "" {
				t.Errorf("printed (-) and sent (+):\n%s", diff)
			}
			if slices.Equal(p.args, got.args) {
				same++
			}
		})
	}
	if same != 21 { // without the three that docs/records.md decides
		t.Errorf("%d examples leave exactly as printed", same)
	}
}

// TestExamplesFixedFields: what a server's log does not print of the examples.
func TestExamplesFixedFields(t *testing.T) {
	all := printedRecords(t)
	for _, tt := range []struct {
		name string
		want tacacs.AcctRequest
	}{
		{"Network: PPP by autoselect: start", tacacs.AcctRequest{AuthenMethod: tacacs.AuthenMethodRADIUS, PrivLvl: 1, AuthenService: tacacs.AuthenServicePPP}},
		{"EXEC: dial-in: start", tacacs.AcctRequest{AuthenMethod: tacacs.AuthenMethodRADIUS, PrivLvl: 1, AuthenService: tacacs.AuthenServiceLogin}},
		{"Connection: LAT: start", tacacs.AcctRequest{AuthenMethod: tacacs.AuthenMethodRADIUS, PrivLvl: 1, AuthenService: tacacs.AuthenServiceLogin}},
		{"Commands: level 15: first", tacacs.AcctRequest{AuthenMethod: tacacs.AuthenMethodRADIUS, PrivLvl: 15, AuthenService: tacacs.AuthenServiceLogin}},
	} {
		i := slices.IndexFunc(all, func(p printed) bool { return p.name == tt.name })
		rec := record(t, all[i:i+1])
		r := new(Arguments).Request(rec, all[i].at)
		got := tacacs.AcctRequest{AuthenMethod: r.AuthenMethod, PrivLvl: r.PrivLvl, AuthenType: r.AuthenType, AuthenService: r.AuthenService}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
