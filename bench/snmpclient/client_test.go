package snmpclient

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
)

// fakeAgent answers GET and GETBULK for casnActiveTable over UDP. shortColumn, if not 0, has one
// row less than the others. Its counts may be read after it has stopped.
type fakeAgent struct {
	rows        int
	shortColumn int
	asked       int // requests
	repetitions uint32
}

func (f *fakeAgent) listen(t *testing.T) (port uint16, stop func()) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65535)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if _, err := conn.WriteTo(f.answer(t, buf[:n]), from); err != nil {
				return
			}
		}
	}()
	return uint16(conn.LocalAddr().(*net.UDPAddr).Port), func() {
		conn.Close()
		<-done
	}
}

func (f *fakeAgent) answer(t *testing.T, b []byte) []byte {
	codec := gosnmp.GoSNMP{Version: gosnmp.Version2c}
	request, err := codec.SnmpDecodePacket(b)
	if err != nil {
		t.Errorf("request: %v", err)
		return nil
	}
	f.asked++
	f.repetitions = request.MaxRepetitions
	reply := gosnmp.SnmpPacket{
		Version: gosnmp.Version2c, Community: request.Community,
		PDUType: gosnmp.GetResponse, RequestID: request.RequestID,
	}
	if request.PDUType == gosnmp.GetRequest {
		reply.Variables = []gosnmp.SnmpPDU{f.get(request.Variables[0].Name)}
	} else {
		names := make([]string, len(request.Variables))
		for i, v := range request.Variables {
			names[i] = v.Name
		}
		for range request.MaxRepetitions {
			for i := range names {
				v := f.next(names[i])
				names[i] = v.Name
				reply.Variables = append(reply.Variables, v)
			}
		}
	}
	out, err := reply.MarshalMsg()
	if err != nil {
		t.Errorf("reply: %v", err)
	}
	return out
}

func (f *fakeAgent) height(column int) int {
	if column == f.shortColumn {
		return f.rows - 1
	}
	return f.rows
}

func (f *fakeAgent) get(name string) gosnmp.SnmpPDU {
	column, row := cellOf(name)
	if row < 1 || row > f.height(column) {
		return gosnmp.SnmpPDU{Name: name, Type: gosnmp.NoSuchInstance}
	}
	return gosnmp.SnmpPDU{Name: name, Type: gosnmp.Integer, Value: row}
}

func (f *fakeAgent) next(name string) gosnmp.SnmpPDU {
	column, row := cellOf(name)
	if row++; row > f.height(column) {
		column, row = column+1, 1
	}
	if column >= FirstColumn+ColumnCount {
		return gosnmp.SnmpPDU{Name: name, Type: gosnmp.EndOfMibView}
	}
	return gosnmp.SnmpPDU{Name: fmt.Sprintf("%s.%d.%d", CasnEntry, column, row), Type: gosnmp.Integer, Value: row}
}

func cellOf(name string) (column, row int) {
	c, r, _ := strings.Cut(strings.TrimPrefix(name, CasnEntry+"."), ".")
	column, _ = strconv.Atoi(c)
	row, _ = strconv.Atoi(r)
	return column, row
}

func runMode(t *testing.T, f *fakeAgent, mode string, rows, count int) (Measurement, error) {
	port, stop := f.listen(t)
	defer stop()
	var out strings.Builder
	err := Run([]string{
		"-port", fmt.Sprint(port), "-mode", mode,
		"-rows", fmt.Sprint(rows), "-count", fmt.Sprint(count),
	}, &out)
	if err != nil {
		return Measurement{}, err
	}
	var m Measurement
	if err := json.Unmarshal([]byte(out.String()), &m); err != nil {
		t.Fatalf("%q: %v", out.String(), err)
	}
	return m, nil
}

func TestClientModes(t *testing.T) {
	for _, tt := range []struct {
		name        string
		mode        string
		rows, count int
		cells       int
		asked       int
		repetitions uint32
	}{
		{"table, not a multiple of 14", ModeTable, 100, 0, 700, 8, 14},
		{"table, a multiple of 14", ModeTable, 28, 0, 196, 2, 14},
		{"table of one row", ModeTable, 1, 0, 7, 1, 14},
		{"sample of one column", ModeSampleOne, 1000, 1900, 2000, 40, 50},
		{"sample of all columns", ModeSampleAll, 70, 1000, 1470, 15, 14},
		{"get", ModeGet, 10, 300, 300, 300, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeAgent{rows: tt.rows}
			m, err := runMode(t, f, tt.mode, tt.rows, tt.count)
			if err != nil {
				t.Fatal(err)
			}
			if m.Cells != tt.cells || f.asked != tt.asked || f.repetitions != tt.repetitions {
				t.Errorf("%d cells in %d requests of %d repetitions, want %d in %d of %d",
					m.Cells, f.asked, f.repetitions, tt.cells, tt.asked, tt.repetitions)
			}
			if age := time.Since(m.Begin); age < m.Wall || age > time.Minute {
				t.Errorf("began %v ago and took %v", age, m.Wall)
			}
			if m.Wall <= 0 || m.CPU <= 0 || (m.P50 > 0) != (tt.mode == ModeGet) || m.P50 > m.Wall {
				t.Errorf("times %+v", m)
			}
		})
	}
}

func TestClientErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		agent fakeAgent
		mode  string
		rows  int
		want  string
	}{
		{"columns of different height", fakeAgent{rows: 20, shortColumn: 4}, ModeTable, 20, "end at different rows after 133"},
		{"too few rows to sample", fakeAgent{rows: 249}, ModeSampleOne, 249, "249 rows are too few"},
		{"the table is shorter than said", fakeAgent{rows: 490}, ModeSampleAll, 5000, "ended after"},
		{"no such cell", fakeAgent{rows: 5}, ModeGet, 1_000_000, "no value at"},
		{"unknown mode", fakeAgent{rows: 5}, "all", 5, `unknown mode "all"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := runMode(t, &tt.agent, tt.mode, tt.rows, 10_000)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
