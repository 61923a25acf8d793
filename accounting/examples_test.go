package accounting

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// example is a RADIUS accounting record as S1 and S2 show it.
type example struct {
	name string
	kind sessions.Kind
	text string
}

// examples are all examples, in the order of the documents. The start of a session comes before its
// stop.
var examples = []example{
	{"network through exec: exec start", sessions.Exec, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 5
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "562"
Acct-Status-Type = Start
Acct-Authentic = RADIUS
Service-Type = Exec-User
Acct-Session-Id = "0000000D"
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"network through exec: network start", sessions.Network, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 5
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "562"
Acct-Status-Type = Start
Acct-Authentic = RADIUS
Service-Type = Framed
Acct-Session-Id = "0000000E"
Framed-IP-Address = "10.1.1.2"
Framed-Protocol = PPP
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"network through exec: network stop", sessions.Network, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 5
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "562"
Acct-Status-Type = Stop
Acct-Authentic = RADIUS
Service-Type = Framed
Acct-Session-Id = "0000000E"
Framed-IP-Address = "10.1.1.2"
Framed-Protocol = PPP
Acct-Input-Octets = 3075
Acct-Output-Octets = 167
Acct-Input-Packets = 39
Acct-Output-Packets = 9
Acct-Session-Time = 171
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"network through exec: exec stop", sessions.Exec, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 5
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "408"
Acct-Status-Type = Stop
Acct-Authentic = RADIUS
Service-Type = Exec-User
Acct-Session-Id = "0000000D"
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"network through autoselect: start", sessions.Network, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 3
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "562"
Acct-Status-Type = Start
Acct-Authentic = RADIUS
Service-Type = Framed
Acct-Session-Id = "0000000B"
Framed-Protocol = PPP
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"network through autoselect: stop", sessions.Network, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 3
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "562"
Acct-Status-Type = Stop
Acct-Authentic = RADIUS
Service-Type = Framed
Acct-Session-Id = "0000000B"
Framed-Protocol = PPP
Framed-IP-Address = "10.1.1.1"
Acct-Input-Octets = 8630
Acct-Output-Octets = 5722
Acct-Input-Packets = 94
Acct-Output-Packets = 64
Acct-Session-Time = 357
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"telnet connection: start", sessions.Connection, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 2
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "5622329477"
Acct-Status-Type = Start
Acct-Authentic = RADIUS
Service-Type = Login
Acct-Session-Id = "00000008"
Login-Service = Telnet
Login-IP-Host = "10.68.202.158"
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"telnet connection: stop", sessions.Connection, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 2
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "5622329477"
Acct-Status-Type = Stop
Acct-Authentic = RADIUS
Service-Type = Login
Acct-Session-Id = "00000008"
Login-Service = Telnet
Login-IP-Host = "10.68.202.158"
Acct-Input-Octets = 10774
Acct-Output-Octets = 112
Acct-Input-Packets = 91
Acct-Output-Packets = 99
Acct-Session-Time = 39
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"rlogin connection: start", sessions.Connection, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 2
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "5622329477"
Acct-Status-Type = Start
Acct-Authentic = RADIUS
Service-Type = Login
Acct-Session-Id = "0000000A"
Login-Service = Rlogin
Login-IP-Host = "10.68.202.158"
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"rlogin connection: stop", sessions.Connection, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 2
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "5622329477"
Acct-Status-Type = Stop
Acct-Authentic = RADIUS
Service-Type = Login
Acct-Session-Id = "0000000A"
Login-Service = Rlogin
Login-IP-Host = "10.68.202.158"
Acct-Input-Octets = 18686
Acct-Output-Octets = 86
Acct-Input-Packets = 90
Acct-Output-Packets = 68
Acct-Session-Time = 22
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"dial-in exec: start", sessions.Exec, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 1
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "5622329483"
Acct-Status-Type = Start
Acct-Authentic = RADIUS
Service-Type = Exec-User
Acct-Session-Id = "00000006"
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"dial-in exec: stop", sessions.Exec, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 1
User-Name = "username1"
Client-Port-DNIS = "4327528"
Caller-ID = "5622329483"
Acct-Status-Type = Stop
Acct-Authentic = RADIUS
Service-Type = Exec-User
Acct-Session-Id = "00000006"
Acct-Session-Time = 62
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"telnet user exec: start", sessions.Exec, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 26
User-Name = "username1"
Caller-ID = "10.68.202.158"
Acct-Status-Type = Start
Acct-Authentic = RADIUS
Service-Type = Exec-User
Acct-Session-Id = "00000010"
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
	{"telnet user exec: stop", sessions.Exec, `
NAS-IP-Address = "172.16.25.15"
NAS-Port = 26
User-Name = "username1"
Caller-ID = "10.68.202.158"
Acct-Status-Type = Stop
Acct-Authentic = RADIUS
Service-Type = Exec-User
Acct-Session-Id = "00000010"
Acct-Session-Time = 14
Acct-Delay-Time = 0
User-Id = "username1"
NAS-Identifier = "172.16.25.15"`},
}

// s1Names and s1Values are names in the examples that differ from the dictionary.
var (
	s1Names  = map[string]string{"Client-Port-DNIS": "Called-Station-Id", "Caller-ID": "Calling-Station-Id"}
	s1Values = map[string]string{"Exec-User": "NAS-Prompt-User", "Framed": "Framed-User", "Login": "Login-User"}
)

// typeNamed returns the attribute type with a name.
func typeNamed(t testing.TB, name string) radius.Type {
	t.Helper()
	def, _, err := radius.Standard().Lookup(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return def.Type
}

// lines returns the attributes of an example, each as "NAME = VALUE" with the names of the
// dictionary. It omits the attribute of the transport (Acct-Delay-Time) and that of the server
// (User-Id, its echo of User-Name).
func (e example) lines() (lines []string) {
	for line := range strings.Lines(strings.TrimSpace(e.text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		if name == "User-Id" || name == "Acct-Delay-Time" {
			continue
		}
		value = strings.Trim(value, `"`)
		if rfc, ok := s1Names[name]; ok {
			name = rfc
		}
		if rfc, ok := s1Values[value]; ok {
			value = rfc
		}
		lines = append(lines, name+" = "+value)
	}
	return lines
}

// packet returns the packet of a NAS that has its own name for the session, and a delay.
func (e example) packet(t *testing.T) radius.Attributes {
	t.Helper()
	var b []byte
	for _, line := range e.lines() {
		name, value, _ := strings.Cut(line, " = ")
		if name == "Acct-Session-Id" {
			value = "nas-4711"
		}
		b = appendNamed(t, b, name, value)
	}
	return radius.Attributes(radius.AppendUint32(b, radius.AcctDelayTime, 3))
}

// appendNamed appends a value that is written in readable form.
func appendNamed(t *testing.T, b []byte, name, value string) []byte {
	t.Helper()
	typ, v, err := radius.Standard().Parse(name, value)
	if err != nil {
		t.Fatalf("%s = %q: %v", name, value, err)
	}
	return radius.AppendAttribute(b, typ, v)
}

// show returns attributes as lines.
func show(attrs []byte) (lines []string) {
	for p := range radius.Standard().Print(radius.Attributes(attrs)) {
		lines = append(lines, p.Name+" = "+p.Text)
	}
	return lines
}

func (e example) id(t *testing.T) sessions.ID {
	t.Helper()
	for _, line := range e.lines() {
		if hex, ok := strings.CutPrefix(line, "Acct-Session-Id = "); ok {
			n, err := strconv.ParseUint(hex, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			return sessions.ID(n)
		}
	}
	t.Fatal("example without Acct-Session-Id")
	return 0
}

func (e example) isStop() bool { return strings.Contains(e.text, "= Stop") }

// startOf returns the example of the start of a stop's session.
func startOf(t *testing.T, stop example) example {
	t.Helper()
	for _, e := range examples {
		if !e.isStop() && e.id(t) == stop.id(t) {
			return e
		}
	}
	t.Fatal("no start")
	return example{}
}

// journal keeps the changes of a table.
type journal struct{ notices []sessions.Notice }

func (j *journal) Accepting() error  { return nil }
func (j *journal) AfterBatch(func()) {}

func (j *journal) Route(*sessions.Session) string { return "" }

func (j *journal) Adopt(old []*sessions.Session) ([]string, error) {
	return make([]string, len(old)), nil
}

func (j *journal) Commit(c sessions.Change, _ func(error)) {
	j.notices = append(j.notices, c.Notices...)
}

var exampleAt = time.Date(2001, 6, 27, 4, 47, 46, 0, time.UTC)

const stampLine = "Event-Timestamp = 2001-06-27T04:47:46Z"

// events sends packets to a table, and returns the notice of the last one with the example's id.
func events(t *testing.T, kind sessions.Kind, id sessions.ID, packets ...sessions.Event) sessions.Notice {
	t.Helper()
	var j journal
	table := sessions.New(sessions.Config{}, &j)
	for _, ev := range packets {
		ev.NAS = sessions.NAS{Addr: netip.MustParseAddr("172.16.25.15"), IPv4: netip.MustParseAddr("172.16.25.15")}
		ev.AcctSessionID, ev.Kind = ev.Attrs.Text(radius.AcctSessionID), kind
		if ev.At.IsZero() {
			ev.At = exampleAt
		}
		if err := table.Apply(ev, nil); err != nil {
			t.Fatal(err)
		}
	}
	n := j.notices[len(j.notices)-1]
	s := *n.Session
	s.ID = id
	n.Session = &s
	return n
}

func (e example) event(t *testing.T) sessions.Event {
	t.Helper()
	typ := sessions.Start
	if e.isStop() {
		typ = sessions.Stop
	}
	return sessions.Event{Type: typ, Attrs: e.packet(t)}
}

func TestComposeExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			packets := []sessions.Event{e.event(t)}
			if e.isStop() {
				packets = append([]sessions.Event{startOf(t, e).event(t)}, packets...)
			}
			n := events(t, e.kind, e.id(t), packets...)
			got, dropped := Compose(nil, &n)
			if diff := cmp.Diff(append(e.lines(), stampLine), show(got)); diff != "" || dropped != (Dropped{}) {
				t.Errorf("dropped %v; example (-) and record (+):\n%s", dropped, diff)
			}
		})
	}
}

// A NAS whose stop has only new attributes (as with strongSwan and OpenVPN, nearly) gives the same
// record, in another order.
func TestComposeExamplesFromBareStop(t *testing.T) {
	for _, e := range examples {
		if !e.isStop() {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			start := startOf(t, e)
			var bare []byte
			for typ, v := range e.packet(t).All() {
				if was, ok := start.packet(t).Get(typ); !ok || was != v || typ == radius.AcctSessionID {
					bare = radius.AppendAttribute(bare, typ, v)
				}
			}
			n := events(t, e.kind, e.id(t), start.event(t), sessions.Event{Type: sessions.Stop, Attrs: radius.Attributes(bare)})
			got, _ := Compose(nil, &n)
			want, have := append(e.lines(), stampLine), show(got)
			slices.Sort(want)
			slices.Sort(have)
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("example (-) and record (+):\n%s", diff)
			}
		})
	}
}

// A stop that we create after the last interim has the same attributes as the NAS's own stop would
// have.
func TestComposeExamplesOwnStop(t *testing.T) {
	for _, e := range examples {
		if !e.isStop() || e.name == "network through exec: exec stop" { // the only stop without a session time
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			number := func(typ radius.Type) uint32 { n, _ := e.packet(t).Uint32(typ); return n }
			interim := e.event(t)
			interim.Type, interim.Sent = sessions.Interim, sessions.WholeUsage
			interim.Usage = sessions.Usage{
				InputOctets: uint64(number(radius.AcctInputOctets)), OutputOctets: uint64(number(radius.AcctOutputOctets)),
				InputPackets: uint64(number(radius.AcctInputPackets)), OutputPackets: uint64(number(radius.AcctOutputPackets)),
				SessionTime: number(radius.AcctSessionTime),
			}
			n := events(t, e.kind, e.id(t), startOf(t, e).event(t), interim)
			n = sessions.Notice{Type: sessions.Stop, Session: n.Session, At: exampleAt, Cause: sessions.CauseLostCarrier}
			got, _ := Compose(nil, &n)
			want, have := append(e.lines(), stampLine, "Acct-Terminate-Cause = Lost-Carrier"), show(got)
			if have[0] != "Acct-Status-Type = Stop" {
				t.Errorf("the first attribute is %s", have[0])
			}
			slices.Sort(want)
			slices.Sort(have)
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("example (-) and record (+):\n%s", diff)
			}
		})
	}
}
