package accounting

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// shown is a record of either protocol as docs/records.md shows it: "NAME = VALUE", in order.
type shown struct {
	protocol, name string // as the cells of a table's header
	at             time.Time
	session        string // Acct-Session-Id or task_id
	lines          []string
}

// tacacsColumns name the fields of a TACACS+ example before its arguments (RFC 8907 section 7.1).
var tacacsColumns = []string{"user", "port", "rem_addr", "flags"}

// allShown returns the examples of both protocols.
func allShown(t *testing.T) (all []shown) {
	t.Helper()
	for _, e := range PrintedRecords(t) {
		all = append(all, shown{"RADIUS", e.Name, e.At, e.ID(t).String(), e.Lines()})
	}
	for _, block := range blocks(t, "testdata/tacacs-examples.txt") {
		fields := strings.Split(block[1], "\t")
		at, err := time.Parse("Mon Jan 2 15:04:05 2006", fields[0])
		if err != nil || len(block) != 2 || len(fields) < 7 || fields[1] != "172.16.25.15" {
			t.Fatalf("%q: %v", block, err)
		}
		s := shown{protocol: "TACACS+", name: block[0], at: at, session: strings.TrimPrefix(fields[6], "task_id=")}
		for i, name := range tacacsColumns {
			s.lines = append(s.lines, name+" = "+fields[2+i])
		}
		for _, argument := range fields[6:] {
			name, value, _ := strings.Cut(argument, "=")
			s.lines = append(s.lines, name+" = "+value)
		}
		all = append(all, s)
	}
	return all
}

func (s *shown) get(name string) string {
	for _, line := range s.lines {
		if value, ok := strings.CutPrefix(line, name+" = "); ok {
			return value
		}
	}
	return ""
}

// names returns the names of the lines, each once, in order.
func (s *shown) names() (all []string) {
	for _, line := range s.lines {
		if name, _, _ := strings.Cut(line, " = "); !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// contradictions returns in which points the examples contradict each other or their own times.
func contradictions(all []shown) (found []string) {
	starts := map[string]*shown{}
	order := map[[3]string]bool{} // protocol, A, B: A stands before B in a record
	for i := range all {
		s := &all[i]
		where := s.protocol + ", " + s.name + ": "
		for _, point := range slices.Concat(s.repeated(), s.reordered(order), s.differsFrom(starts[s.protocol+s.session])) {
			found = append(found, where+point)
		}
		if starts[s.protocol+s.session] == nil {
			starts[s.protocol+s.session] = s
		}
	}
	return found
}

func (s *shown) repeated() (points []string) {
	for _, name := range s.names() {
		if n := strings.Count("\n"+strings.Join(s.lines, "\n"), "\n"+name+" = "); n > 1 {
			points = append(points, fmt.Sprintf("%s %d times", name, n))
		}
	}
	return points
}

// reordered returns the pairs of attributes that stand in the other order in earlier records. Each
// pair is found once.
func (s *shown) reordered(order map[[3]string]bool) (points []string) {
	names := s.names()
	for i, a := range names {
		for _, b := range names[i+1:] {
			if order[[3]string{s.protocol, b, a}] && !order[[3]string{s.protocol, a, b}] {
				points = append(points, fmt.Sprintf("%s before %s", a, b))
			}
			order[[3]string{s.protocol, a, b}] = true
		}
	}
	return points
}

// differsFrom compares a record with the start of its session.
func (s *shown) differsFrom(start *shown) (points []string) {
	if start == nil {
		return nil
	}
	for _, name := range []string{"User-Name", "NAS-Port", "Called-Station-Id", "Calling-Station-Id", "Service-Type", "user", "port", "rem_addr", "service"} {
		if was, is := start.get(name), s.get(name); was != is {
			points = append(points, fmt.Sprintf("%s %s, the start has %s", name, is, was))
		}
	}
	duration := map[string]string{"RADIUS": "Acct-Session-Time", "TACACS+": "elapsed_time"}[s.protocol]
	lasted := fmt.Sprint(int(s.at.Sub(start.at).Seconds()))
	switch is := s.get(duration); {
	case is == "" && (s.get("Acct-Status-Type") == "Stop" || s.get("flags") == "stop"):
		points = append(points, "no "+duration)
	case is != "" && is != lasted:
		points = append(points, fmt.Sprintf("%s %s, but %s s after the start", duration, is, lasted))
	}
	return points
}

// readContradictions are those that only a reader finds.
var readContradictions = []string{
	"TACACS+, all: starttask_id, stoptask_id, updatetask_id",
	"TACACS+, Network: PPP after EXEC: network update: updattask_id in S2",
	"TACACS+, System: accounting off and on: off is a start, on is a stop",
	"TACACS+, show accounting: address=10.0.0.98",
}

// section returns what stands below a heading of the page, up to the next heading of its level.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	level, _, _ := strings.Cut(heading, " ")
	_, text, found := strings.Cut(page, "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/records.md has no heading %q", heading)
	}
	for line := range strings.Lines(text) {
		if mark, _, ok := strings.Cut(line, " "); ok && mark != "" && strings.Trim(mark, "#") == "" && len(mark) <= len(level) {
			text, _, _ = strings.Cut(text, line)
			break
		}
	}
	return text
}

// cells returns the cells of the table rows in a text, without marks of code.
func cells(text string) (rows [][]string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "|") {
			row := strings.Split(strings.Trim(line, "|"), "|")
			for i := range row {
				row[i] = strings.ReplaceAll(strings.TrimSpace(row[i]), "`", "")
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// inTables returns the records that the tables of a section show, by protocol and name.
func inTables(heading, text string) map[string][]string {
	got := map[string][]string{}
	var header []string
	for _, row := range cells(text) {
		if row[0] == "RADIUS" || row[0] == "TACACS+" {
			header = row
			continue
		}
		for i := 1; i < min(len(row), len(header)); i++ {
			if row[i] != "" && !strings.HasPrefix(row[i], "---") {
				key := header[0] + ", " + heading + ": " + header[i]
				got[key] = append(got[key], row[0]+" = "+row[i])
			}
		}
	}
	return got
}

// TestRecordsPage: docs/records.md shows each example of S1 and S2, attribute by attribute and in
// the printed order, and no others.
func TestRecordsPage(t *testing.T) {
	b, err := os.ReadFile("../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	want, got := map[string][]string{}, map[string][]string{}
	for _, s := range allShown(t) {
		want[s.protocol+", "+s.name] = s.lines
		heading := s.name[:strings.LastIndex(s.name, ": ")]
		maps.Copy(got, inTables(heading, section(t, page, "### "+heading)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("examples (-) and docs/records.md (+):\n%s", diff)
	}
}

// TestRecordsPageContradictions: docs/records.md decides each point in which the examples contradict
// each other, and says why.
func TestRecordsPageContradictions(t *testing.T) {
	b, err := os.ReadFile("../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range cells(section(t, string(b), "## Where the examples contradict themselves"))[2:] {
		got = append(got, row[0])
		if len(row) != 3 || row[1] == "" || row[2] == "" {
			t.Errorf("%s: no decision, or no reason", row[0])
		}
	}
	want := slices.Concat(contradictions(allShown(t)), readContradictions)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contradictions (-) and docs/records.md (+):\n%s", diff)
	}
}

// TestRecordsPageArguments: docs/records.md says of each argument of the TACACS+ examples in which
// records it is and where it comes from, by names of attributes that exist. The order of the
// table is that of the examples, except for the points in which they contradict each other.
func TestRecordsPageArguments(t *testing.T) {
	b, err := os.ReadFile("../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds, order := map[string][]string{}, map[[2]string]bool{}
	for _, s := range allShown(t) {
		if s.protocol != "TACACS+" {
			continue
		}
		kind := map[string]string{"shell": "exec", "ppp": "network"}[s.get("service")]
		if kind == "" {
			kind = s.get("service")
		}
		if s.get("priv-lvl") != "" {
			kind = "commands"
		}
		names := s.names()
		for i, name := range names {
			if !slices.Contains(kinds[name], kind) {
				kinds[name] = append(kinds[name], kind)
			}
			for _, later := range names[i+1:] {
				if name != "addr" && later != "addr" { // see the contradictions
					order[[2]string{name, later}] = true
				}
			}
		}
	}
	got := map[string][]string{}
	var before []string
	for _, row := range cells(section(t, string(b), "### TACACS+ arguments"))[2:] {
		for _, name := range strings.Split(row[0], ", ") {
			switch got[name] = strings.Split(row[1], ", "); {
			case row[1] == "all":
				got[name] = slices.Clone(kinds["user"])
			case got[name][0] == "sessions": // the examples need not show all of them
				got[name] = slices.Clone(kinds[name])
				if !isOfSessions(kinds[name]) {
					t.Errorf("%s is in the records of %q", name, kinds[name])
				}
			}
			for _, b := range before {
				if order[[2]string{name, b}] {
					t.Errorf("%s is after %s", name, b)
				}
			}
			before = append(before, name)
		}
		for _, name := range regexp.MustCompile(`[A-Z][A-Za-z0-9]*(-[A-Za-z0-9]+)+`).FindAllString(row[2], -1) {
			if _, _, err := radius.Standard().Lookup(name); err != nil {
				t.Errorf("%s: %s: %v", row[0], name, err)
			}
		}
		if row[2] == "" {
			t.Errorf("%s comes from nowhere", row[0])
		}
	}
	for _, all := range []map[string][]string{kinds, got} {
		for name := range all {
			slices.Sort(all[name])
		}
	}
	if diff := cmp.Diff(kinds, got); diff != "" {
		t.Errorf("examples (-) and docs/records.md (+):\n%s", diff)
	}
}

// isOfSessions reports whether kinds are kinds of sessions of users only.
func isOfSessions(kinds []string) bool {
	return len(kinds) > 0 && !slices.ContainsFunc(kinds, func(k string) bool { return k != "network" && k != "exec" && k != "connection" })
}

// TestRecordsPageGranted: docs/records.md says of each attribute of an Access-Accept that a session
// remembers whether its records have it, and whether it is the Accept's or the NAS's.
func TestRecordsPageGranted(t *testing.T) {
	b, err := os.ReadFile("../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, row := range cells(section(t, string(b), "## What authentication granted"))[2:] {
		if len(row) == 5 {
			for _, name := range strings.Split(row[0], ", ") {
				got[name] = strings.Join(row[1:4], "; ")
			}
		}
	}
	want := map[string]string{}
	for typ := range octets(t, grantedOctets).All() {
		of := "network"
		if whoseValue(t, typ, sessions.Exec, false) == whoseValue(t, typ, sessions.Network, false) {
			of = "all"
		}
		want[radius.Standard().Name(typ)] = whoseValue(t, typ, sessions.Network, false) + "; " + whoseValue(t, typ, sessions.Network, true) + "; " + of
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sent (-) and docs/records.md (+):\n%s", diff)
	}
}

// whoseValue returns whose value of an attribute is in the start, interim and stop of a session that
// was granted all.
func whoseValue(t *testing.T, typ radius.Type, kind sessions.Kind, nasHas bool) string {
	t.Helper()
	var packet radius.Attributes
	nas := map[radius.Type]string{
		radius.FramedIPAddress: "0806 0a000001", radius.FramedInterfaceID: "600a 0000000000000001", radius.FramedIPv6Prefix: "6104 0000",
		radius.DelegatedIPv6Prefix: "7b04 0000", radius.FramedIPv6Address: "a812 20010db8000000000000000000000001",
	}
	if packet = attrs(typ, 1); nas[typ] != "" {
		packet = octets(t, nas[typ])
	}
	granted := octets(t, grantedOctets)
	whose := ""
	for _, event := range []sessions.EventType{sessions.Start, sessions.Interim, sessions.Stop} {
		n := sessions.Notice{Type: event, Session: &sessions.Session{ID: 7, Kind: kind, NAS: nas4, Admission: &sessions.Admission{Granted: granted}}, Attrs: attrs(radius.AcctSessionID, "1")}
		if nasHas {
			n.Attrs += packet
		}
		record, _ := Compose(nil, &n)
		is := "something else"
		switch v := values(radius.Attributes(record), typ); {
		case len(v) == 0:
			is = "none"
		case slices.Equal(v, values(granted, typ)):
			is = "the Accept's"
		case slices.Equal(v, values(packet, typ)):
			is = "the NAS's"
		}
		if whose != "" && whose != is {
			t.Errorf("%s: %s and %s", radius.Standard().Name(typ), whose, is)
		}
		whose = is
	}
	return whose
}
