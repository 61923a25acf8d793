//go:build partners

package stand

import (
	"fmt"
	"strings"
	"testing"

	"aaasess/bench/snmpclient"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"
)

// The columns whose values differ: cannedudp has the values of row 1 in all rows, and our
// casnIdleTime is a clock.
const (
	columnUserID   = 2
	columnIPAddr   = 3
	columnIdleTime = 4
	columnNASPort  = 7
)

// answered is a cell in an answer.
type answered struct {
	Name   string
	Type   string
	Length int // of the value: octets, or sub-identifiers; 0 for numbers
	Value  string
}

// walkGo walks the table with gosnmp, 50 cells per request.
func walkGo(t *testing.T, snmp *gosnmp.GoSNMP) (cells []answered) {
	t.Helper()
	snmp.MaxRepetitions = snmpclient.RepetitionsOne
	if err := snmp.Connect(); err != nil {
		t.Fatal(err)
	}
	defer snmp.Close()
	err := snmp.BulkWalk(snmpclient.CasnEntry, func(v gosnmp.SnmpPDU) error {
		cells = append(cells, answeredOf(v))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

func answeredOf(v gosnmp.SnmpPDU) answered {
	a := answered{Name: strings.TrimPrefix(v.Name, snmpclient.CasnEntry), Type: v.Type.String(), Value: fmt.Sprint(v.Value)}
	switch value := v.Value.(type) {
	case []byte:
		a.Length, a.Value = len(value), string(value)
	case string:
		a.Length = strings.Count(value, ".")
	}
	return a
}

// wantAnswers returns casnActiveTable with the rows 1 to n of peers/rows.h.
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

// without returns the cells without the values of some columns.
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
func openNamed(t *testing.T, name string, rows int) *Stand {
	t.Helper()
	h := Host{CPUs: "0", Dir: t.TempDir()}
	programs, err := BuildResponders(t.Context(), h.Dir, []string{name})
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenResponder(t.Context(), h, name, programs[name], rows)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// The comparison is fair only if all responders answer with the same cells. Names, types and
// lengths are those of rows.h, and so are the values of most columns. Rows above 16,383 have an
// index of three octets.
func TestRespondersServeTheSameCells(t *testing.T) {
	const rows = 16_400
	want := wantAnswers(rows)
	for _, tt := range []struct {
		name string
		free []int // columns whose values differ
	}{
		{PeerInSNMPD, nil},
		{PeerInSNMPDNext, nil},
		{PeerCannedUDP, []int{columnUserID, columnIPAddr, columnNASPort}},
		{PeerOurs, []int{columnIdleTime}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openNamed(t, tt.name, rows)
			clients := map[string]*gosnmp.GoSNMP{"v2c": snmpclient.New(s.Port)}
			if HasSNMPv3(tt.name) {
				clients["v3"] = snmpclient.NewSecure(s.Port)
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

// For names that are not cells, all responders have the same exceptions and the same next names.
func TestRespondersAgreeBesideTheCells(t *testing.T) {
	const rows = 200
	for _, name := range Responders {
		t.Run(name, func(t *testing.T) {
			s := openNamed(t, name, rows)
			snmp := snmpclient.New(s.Port)
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
				if got := answerTo(t, snmp.Get, snmpclient.CasnEntry+tt.ask); got.Name != tt.ask || got.Type != tt.get {
					// For a column that does not exist the exception may also be noSuchObject.
					if got.Type != "NoSuchObject" || tt.get != "NoSuchInstance" {
						t.Errorf("GET %s: %+v, want %s", tt.ask, got, tt.get)
					}
				}
				if got := answerTo(t, snmp.GetNext, snmpclient.CasnEntry+tt.ask); got.Name != tt.next {
					t.Errorf("GETNEXT %s: %+v, want %s", tt.ask, got, tt.next)
				}
			}
			if got := answerTo(t, snmp.GetNext, strings.TrimSuffix(snmpclient.CasnEntry, ".150.1.1.3.1")); got.Name != ".2.1" && name != PeerOurs {
				t.Errorf("GETNEXT before the table: %+v", got)
			}
			if got := answerTo(t, snmp.GetNext, snmpclient.CasnEntry+".8.200"); strings.HasPrefix(got.Name, ".8.") && got.Type != "EndOfMibView" {
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

// A GetBulkRequest with two columns at different rows and repetitions beyond the end of a column.
// insnmpd makes its repetitions itself, without the library.
func TestRespondersRepeat(t *testing.T) {
	const rows = 5
	want := []string{".2.4", ".3.3", ".2.5", ".3.4", ".3.1", ".3.5", ".3.2", ".4.1", ".3.3", ".4.2"}
	for _, name := range Responders {
		t.Run(name, func(t *testing.T) {
			s := openNamed(t, name, rows)
			snmp := snmpclient.New(s.Port)
			if err := snmp.Connect(); err != nil {
				t.Fatal(err)
			}
			defer snmp.Close()
			p, err := snmp.GetBulk([]string{snmpclient.CasnEntry + ".2.3", snmpclient.CasnEntry + ".3.2"}, 0, 5)
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

// Several clients are measured together, and each walks the whole table.
func TestTogether(t *testing.T) {
	const rows, clients = 100, 3
	s := openNamed(t, PeerCannedUDP, rows)
	m, err := s.Together(clients, snmpclient.ModeTable, rows*snmpclient.ColumnCount)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Cells != clients*rows*snmpclient.ColumnCount || m.Wall <= 0 || m.CPU <= 0 {
		t.Errorf("%+v", m)
	}
	s.Rows++ // one more than the responder has: the walk ends early
	if _, err := s.Together(clients, snmpclient.ModeGet, 10_000)(t.Context()); err == nil || !strings.Contains(err.Error(), "no value at") {
		t.Errorf("error %v", err)
	}
}

// If a responder ends, the error has its output, and comes at once.
func TestResponderNamesWhatEnded(t *testing.T) {
	h := Host{CPUs: "0", Dir: t.TempDir()}
	programs, err := BuildResponders(t.Context(), h.Dir, []string{PeerCannedUDP})
	if err != nil {
		t.Fatal(err)
	}
	first, err := OpenResponder(t.Context(), h, PeerCannedUDP, programs[PeerCannedUDP], 1)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second := &Stand{Host: h, Rows: 1, Port: first.Port}
	defer second.Close()
	if err := second.startResponder(t.Context(), h.Dir, PeerCannedUDP, programs[PeerCannedUDP]); err != nil {
		t.Fatal(err)
	}
	err = second.poll(t.Context(), "the end", func() bool { return false })
	if err == nil || !strings.Contains(err.Error(), "cannot listen") {
		t.Errorf("error %v", err)
	}
}
