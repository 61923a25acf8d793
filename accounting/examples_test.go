package accounting

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// Printed is an accounting record as S1 and S2 print it.
type Printed struct {
	Name string // "HEADING: RECORD", with a heading of docs/records.md
	At   time.Time
	kind sessions.Kind
	text []string // its lines after the one with the time, as printed
}

// PrintedRecords returns the RADIUS records of S1 and S2.
func PrintedRecords(t testing.TB) (all []Printed) {
	t.Helper()
	kinds := map[string]sessions.Kind{"Network": sessions.Network, "EXEC": sessions.Exec, "Connection": sessions.Connection}
	for _, block := range blocks(t, "testdata/radius-examples.txt") {
		at, err := time.Parse("Mon Jan 2 15:04:05 2006", block[1])
		if err != nil {
			t.Fatal(err)
		}
		e := Printed{Name: block[0], At: at, text: block[2:]}
		kind, _, _ := strings.Cut(e.Name, ":")
		if strings.HasSuffix(e.Name, ": exec start") || strings.HasSuffix(e.Name, ": exec stop") {
			kind = "EXEC"
		}
		e.kind = kinds[kind]
		all = append(all, e)
	}
	return all
}

// PrintedByTime returns the RADIUS records of S1 and S2 in the order of their times.
func PrintedByTime(t testing.TB) []Printed {
	t.Helper()
	return slices.SortedStableFunc(slices.Values(PrintedRecords(t)), func(a, b Printed) int { return a.At.Compare(b.At) })
}

// blocks returns the lines of each block of a file. A block begins with "== NAME", of which the
// first line is NAME. Comments before the first block do not count.
func blocks(t testing.TB, file string) (all [][]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(b), "\n== ")[1:] {
		all = append(all, strings.Split(strings.TrimSpace(block), "\n"))
	}
	return all
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

// Lines returns the attributes of an example, each as "NAME = VALUE" with the names of the
// dictionary.
func (e Printed) Lines() (lines []string) {
	for _, line := range e.text {
		name, value, _ := strings.Cut(line, " = ")
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

// lines returns Lines without the attribute of the transport (Acct-Delay-Time) and without User-Id,
// which S1's server added.
func (e Printed) lines() []string {
	return slices.DeleteFunc(e.Lines(), func(line string) bool {
		return strings.HasPrefix(line, "User-Id = ") || strings.HasPrefix(line, "Acct-Delay-Time = ")
	})
}

// packet returns the packet of a NAS that has its own name for the session, and a delay.
func (e Printed) packet(t *testing.T) radius.Attributes {
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

// ID returns the session id.
func (e Printed) ID(t testing.TB) sessions.ID {
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

func (e Printed) isStop() bool { return slices.Contains(e.text, "Acct-Status-Type = Stop") }

// IsStart reports whether the example is the start of its session.
func (e Printed) IsStart() bool { return !e.isStop() }

// startOf returns the example of the start of a stop's session.
func startOf(t *testing.T, stop Printed) Printed {
	t.Helper()
	for _, e := range PrintedRecords(t) {
		if !e.isStop() && e.ID(t) == stop.ID(t) {
			return e
		}
	}
	t.Fatal("no start")
	return Printed{}
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

func (e Printed) event(t *testing.T) sessions.Event {
	t.Helper()
	typ := sessions.Start
	if e.isStop() {
		typ = sessions.Stop
	}
	return sessions.Event{Type: typ, Attrs: e.packet(t)}
}

func TestComposeExamples(t *testing.T) {
	for _, e := range PrintedRecords(t) {
		t.Run(e.Name, func(t *testing.T) {
			packets := []sessions.Event{e.event(t)}
			if e.isStop() {
				packets = append([]sessions.Event{startOf(t, e).event(t)}, packets...)
			}
			n := events(t, e.kind, e.ID(t), packets...)
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
	for _, e := range PrintedRecords(t) {
		if !e.isStop() {
			continue
		}
		t.Run(e.Name, func(t *testing.T) {
			start := startOf(t, e)
			var bare []byte
			for typ, v := range e.packet(t).All() {
				if was, ok := start.packet(t).Get(typ); !ok || was != v || typ == radius.AcctSessionID {
					bare = radius.AppendAttribute(bare, typ, v)
				}
			}
			n := events(t, e.kind, e.ID(t), start.event(t), sessions.Event{Type: sessions.Stop, Attrs: radius.Attributes(bare)})
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
	for _, e := range PrintedRecords(t) {
		if !e.isStop() || e.Name == "Network: PPP after EXEC: exec stop" { // the only stop without a session time
			continue
		}
		t.Run(e.Name, func(t *testing.T) {
			number := func(typ radius.Type) uint32 { n, _ := e.packet(t).Uint32(typ); return n }
			interim := e.event(t)
			interim.Type, interim.Sent = sessions.Interim, sessions.WholeUsage
			interim.Usage = sessions.Usage{
				InputOctets: uint64(number(radius.AcctInputOctets)), OutputOctets: uint64(number(radius.AcctOutputOctets)),
				InputPackets: uint64(number(radius.AcctInputPackets)), OutputPackets: uint64(number(radius.AcctOutputPackets)),
				SessionTime: number(radius.AcctSessionTime),
			}
			n := events(t, e.kind, e.ID(t), startOf(t, e).event(t), interim)
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
