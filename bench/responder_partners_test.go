//go:build partners

package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"
)

// The columns whose values cannot be the same everywhere: cannedudp has those of row 1 in all rows, and our
// casnIdleTime is a clock.
const (
	columnUserID   = 2
	columnIPAddr   = 3
	columnIdleTime = 4
	columnNASPort  = 7
)

// answered is a cell as a client in Go sees it.
type answered struct {
	Name   string
	Type   string
	Length int // of the value: octets, or sub-identifiers; 0 for numbers
	Value  string
}

// walkGo walks the table with gosnmp, fifty cells a request.
func walkGo(t *testing.T, snmp *gosnmp.GoSNMP) (cells []answered) {
	t.Helper()
	snmp.MaxRepetitions = repetitionsOne
	if err := snmp.Connect(); err != nil {
		t.Fatal(err)
	}
	defer snmp.Close()
	err := snmp.BulkWalk(casnEntry, func(v gosnmp.SnmpPDU) error {
		cells = append(cells, answeredOf(v))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

func answeredOf(v gosnmp.SnmpPDU) answered {
	a := answered{Name: strings.TrimPrefix(v.Name, casnEntry), Type: v.Type.String(), Value: fmt.Sprint(v.Value)}
	switch value := v.Value.(type) {
	case []byte:
		a.Length, a.Value = len(value), string(value)
	case string:
		a.Length = strings.Count(value, ".")
	}
	return a
}

// want is casnActiveTable with the rows 1 to n of peers/rows.h.
func wantAnswers(n int) (cells []answered) {
	column := func(sub int, syntax gosnmp.Asn1BER, length int, value func(row int) string) {
		for row := 1; row <= n; row++ {
			cells = append(cells, answered{fmt.Sprintf(".%d.%d", sub, row), syntax.String(), length, value(row)})
		}
	}
	is := func(value string) func(int) string { return func(int) string { return value } }
	column(columnUserID, gosnmp.OctetString, 23, func(row int) string { return fmt.Sprintf("user%010d@isp.test", row) })
	column(columnIPAddr, gosnmp.IPAddress, 3, func(row int) string { return fmt.Sprintf("10.%d.%d.%d", row>>16, row>>8&255, row&255) })
	column(columnIdleTime, gosnmp.Gauge32, 0, is("0"))
	column(5, gosnmp.Integer, 0, is("2"))
	column(6, gosnmp.Gauge32, 0, is("0"))
	column(columnNASPort, gosnmp.ObjectIdentifier, 11, func(row int) string { return fmt.Sprintf(".1.3.6.1.2.1.2.2.1.1.%d", 1+row%48) })
	column(8, gosnmp.Integer, 0, is("0"))
	return cells
}

// without takes the values of some columns away.
func without(cells []answered, columns ...int) []answered {
	out := make([]answered, len(cells))
	for i, c := range cells {
		for _, column := range columns {
			if strings.HasPrefix(c.Name, fmt.Sprintf(".%d.", column)) {
				c.Value = ""
			}
		}
		out[i] = c
	}
	return out
}

// openNamed builds and opens one responder.
func openNamed(t *testing.T, name string, rows int) *stand {
	t.Helper()
	h := host{cpus: "0", dir: t.TempDir()}
	programs, err := buildResponders(t.Context(), h.dir, []string{name})
	if err != nil {
		t.Fatal(err)
	}
	s, err := openResponder(t.Context(), h, name, programs[name], rows)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// The comparison is honest only if all responders answer the same questions with the same cells: names, types
// and lengths are those of rows.h, and so are the values that can be. Rows behind 16,383 have an index of three octets.
func TestRespondersServeTheSameCells(t *testing.T) {
	const rows = 16_400
	want := wantAnswers(rows)
	for _, tt := range []struct {
		name string
		free []int // columns with other values
	}{
		{peerInSNMPD, nil},
		{peerInSNMPDNext, nil},
		{peerCannedUDP, []int{columnUserID, columnIPAddr, columnNASPort}},
		{peerOurs, []int{columnIdleTime}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openNamed(t, tt.name, rows)
			clients := map[string]*gosnmp.GoSNMP{"v2c": newSNMP(s.port)}
			if knowsUser(tt.name) {
				clients["v3"] = newSecureSNMP(s.port)
			}
			for version, client := range clients {
				got := walkGo(t, client)
				if diff := cmp.Diff(without(want, tt.free...), without(got, tt.free...)); diff != "" {
					t.Errorf("%s cells (-want +got):\n%.2000s", version, diff)
				}
			}
		})
	}
}

// What lies beside the cells: the same exceptions and the same next names.
func TestRespondersAgreeBesideTheCells(t *testing.T) {
	const rows = 200
	for _, name := range responders {
		t.Run(name, func(t *testing.T) {
			s := openNamed(t, name, rows)
			snmp := newSNMP(s.port)
			if err := snmp.Connect(); err != nil {
				t.Fatal(err)
			}
			defer snmp.Close()
			for _, tt := range []struct{ ask, get, next string }{
				{".2.1", "OctetString", ".2.2"},
				{".2.127", "OctetString", ".2.128"},
				{".2.200", "OctetString", ".3.1"},
				{".7.200", "ObjectIdentifier", ".8.1"},
				{".2.201", "NoSuchInstance", ".3.1"},
				{".2.4294967295", "NoSuchInstance", ".3.1"},
				{".3.0", "NoSuchInstance", ".3.1"},
				{".3.5.1", "NoSuchInstance", ".3.6"},
				{".4", "NoSuchInstance", ".4.1"},
				{".1.7", "NoSuchInstance", ".2.1"},
			} {
				if got := answerTo(t, snmp.Get, casnEntry+tt.ask); got.Name != tt.ask || got.Type != tt.get {
					// What is no column may also be called so.
					if got.Type != "NoSuchObject" || tt.get != "NoSuchInstance" {
						t.Errorf("GET %s: %+v, want %s", tt.ask, got, tt.get)
					}
				}
				if got := answerTo(t, snmp.GetNext, casnEntry+tt.ask); got.Name != tt.next {
					t.Errorf("GETNEXT %s: %+v, want %s", tt.ask, got, tt.next)
				}
			}
			if got := answerTo(t, snmp.GetNext, strings.TrimSuffix(casnEntry, ".150.1.1.3.1")); got.Name != ".2.1" && name != peerOurs {
				t.Errorf("GETNEXT before the table: %+v", got)
			}
			if got := answerTo(t, snmp.GetNext, casnEntry+".8.200"); strings.HasPrefix(got.Name, ".8.") && got.Type != "EndOfMibView" {
				t.Errorf("GETNEXT of the last cell: %+v", got)
			}
		})
	}
}

func answerTo(t *testing.T, request func([]string) (*gosnmp.SnmpPacket, error), name string) answered {
	t.Helper()
	p, err := request([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	if p.Error != gosnmp.NoError || len(p.Variables) != 1 {
		t.Fatalf("%s: error %v, %d variables", name, p.Error, len(p.Variables))
	}
	return answeredOf(p.Variables[0])
}

// A GetBulkRequest over the end of a column, of two columns at different rows, with repetitions for both:
// insnmpd does this itself, in place of its library.
func TestRespondersRepeat(t *testing.T) {
	const rows = 5
	want := []string{".2.4", ".3.3", ".2.5", ".3.4", ".3.1", ".3.5", ".3.2", ".4.1", ".3.3", ".4.2"}
	for _, name := range responders {
		t.Run(name, func(t *testing.T) {
			s := openNamed(t, name, rows)
			snmp := newSNMP(s.port)
			if err := snmp.Connect(); err != nil {
				t.Fatal(err)
			}
			defer snmp.Close()
			p, err := snmp.GetBulk([]string{casnEntry + ".2.3", casnEntry + ".3.2"}, 0, 5)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range p.Variables {
				got = append(got, answeredOf(v).Name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestQuickResponder runs what -quick does, to tables with every rate and ratio; cannedudp has no SNMPv3.
func TestQuickResponder(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: host{cpus: c.cpus, dir: t.TempDir()}, progress: io.Discard}
	text, err := runResponder(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(text.comparisons) != 2 {
		t.Fatalf("%d comparisons, want 2", len(text.comparisons))
	}
	for _, got := range text.comparisons {
		for _, m := range got.metrics {
			for _, peer := range got.contenders {
				v := got.series.values(peer, m.name)
				if has := len(v) == 1 && v[0] > 0; has != (knowsUser(peer) || !strings.HasPrefix(m.name, "v3")) {
					t.Errorf("%s, %s: %v", peer, m.name, v)
				}
			}
		}
	}
	rendered := text.markdown()
	for _, want := range []string{
		"| ours / insnmpd | ours / insnmpd-next | ours / cannedudp |", "### 1,000 rows", "### 4 clients at once, 1,000 rows",
		"ours-4 / ours-1", "insnmpd-4 / insnmpd-1", "ours-4 / insnmpd-4",
	} {
		if !strings.Contains(rendered, want) {
			t.Errorf("no %q in:\n%s", want, rendered)
		}
	}
}

// Several clients are measured together: each walks the whole table.
func TestTogether(t *testing.T) {
	const rows, clients = 100, 3
	s := openNamed(t, peerCannedUDP, rows)
	m, err := s.together(clients, modeTable, rows*columnCount)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Cells != clients*rows*columnCount || m.Wall <= 0 || m.CPU <= 0 {
		t.Errorf("%+v", m)
	}
	s.rows++ // one more than there are: the answer ends before the client's count
	if _, err := s.together(clients, modeGet, 10_000)(t.Context()); err == nil || !strings.Contains(err.Error(), "no value at") {
		t.Errorf("error %v", err)
	}
}

// A responder that cannot serve is an error with its own words, not a wait.
func TestResponderNamesWhatEnded(t *testing.T) {
	h := host{cpus: "0", dir: t.TempDir()}
	programs, err := buildResponders(t.Context(), h.dir, []string{peerCannedUDP})
	if err != nil {
		t.Fatal(err)
	}
	first, err := openResponder(t.Context(), h, peerCannedUDP, programs[peerCannedUDP], 1)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second := &stand{host: h, rows: 1, port: first.port}
	defer second.Close()
	if err := second.startResponder(t.Context(), h.dir, peerCannedUDP, programs[peerCannedUDP]); err != nil {
		t.Fatal(err)
	}
	err = second.poll(t.Context(), "the end", func() bool { return false })
	if err == nil || !strings.Contains(err.Error(), "cannot listen") {
		t.Errorf("error %v", err)
	}
}
