package agentx

import (
	"testing"

	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"aaasess/mib"
)

// seven returns ranges in seven columns behind a row, as snmpd requests them for a GETBULK of seven
// columns.
func seven(row uint32) []SearchRange {
	var rs []SearchRange
	for c := uint32(2); c <= 8; c++ {
		rs = append(rs, SearchRange{Start: value.OID(FixtureTable.Append(c, row)), End: value.OID(FixtureRoot.Append(3))})
	}
	return rs
}

var readCases = []struct {
	name  string
	pdu   Payload
	cells int // in the answer
}{
	{"Get one", &Get{Ranges: seven(5000)[:1]}, 1},
	{"Get seven", &Get{Ranges: seven(5000)}, 7},
	{"GetNext one", &GetNext{Ranges: seven(5000)[:1]}, 1},
	{"GetNext seven", &GetNext{Ranges: seven(5000)}, 7},
	{"GetBulk ten of seven", &GetBulk{MaxRepetitions: 10, Ranges: seven(5000)}, 70},
	{"GetNext at the end", &GetNext{Ranges: []SearchRange{{Start: value.OID(FixtureOther.Append(1, 0))}}}, 1},
	{"Get of what is not there", &Get{Ranges: []SearchRange{{Start: value.OID(mib.MustOID("1.3.6.1.4.1.1"))}}}, 1},
}

// TestReadsDoNotAllocate: in the steady state no read PDU allocates.
func TestReadsDoNotAllocate(t *testing.T) {
	m := established(t, NewFixture(t, 10000))
	for _, c := range readCases {
		for _, flags := range []pdu.Flags{0, pdu.FlagNetworkByteOrder} {
			h := session7(1, 1)
			h.Flags = flags
			b := AppendPDU(nil, h, c.pdu)
			var out []byte
			allocs := testing.AllocsPerRun(100, func() {
				h, size, err := nextPDU(b)
				if err != nil || size != len(b) {
					t.Fatal(size, err)
				}
				if out, err = m.handle(h, b, out[:0], testTime); err != nil {
					t.Fatal(err)
				}
			})
			if allocs != 0 {
				t.Errorf("%s %s: %v allocations", c.name, flags, allocs)
			}
			_, p, err := ParsePDU(out)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(p.(*Response).Varbinds); n != c.cells {
				t.Errorf("%s: %d cells, want %d", c.name, n, c.cells)
			}
		}
	}
}

func BenchmarkMachine(b *testing.B) {
	m := established(b, NewFixture(b, 10000))
	for _, c := range readCases {
		b.Run(c.name, func(b *testing.B) {
			in := AppendPDU(nil, session7(1, 1), c.pdu)
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				h, size, err := nextPDU(in)
				if err != nil {
					b.Fatal(err)
				}
				if out, err = m.handle(h, in[:size], out[:0], testTime); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.cells), "ns/cell")
		})
	}
}
