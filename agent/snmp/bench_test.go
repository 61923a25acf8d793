package snmp

import (
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/mib"
)

// readRequests returns requests as walks and polls send them.
func readRequests(t testing.TB) map[string][]byte {
	bulk := func(repetitions uint32, oids ...mib.OID) []byte {
		p := request(t, "public", gosnmp.GetBulkRequest, names(oids...)...)
		p.MaxRepetitions = repetitions
		return marshal(t, p)
	}
	name, count, oid := testEntry.Append(1, 500), testEntry.Append(2, 500), testEntry.Append(3, 500)
	return map[string][]byte{
		"get":                   marshal(t, request(t, "public", gosnmp.GetRequest, names(name)...)),
		"next":                  marshal(t, request(t, "public", gosnmp.GetNextRequest, names(name)...)),
		"bulk, one column":      bulk(50, name),
		"bulk, three columns":   bulk(20, name, count, oid),
		"bulk, scalars and all": bulk(20, testNumber, name),
	}
}

// readRequestsV1 returns read requests of SNMPv1, among them one that skips Counter64 and one that
// finds nothing.
func readRequestsV1(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"v1 get":             marshal(t, requestV1(t, "public", gosnmp.GetRequest, names(testEntry.Append(1, 500))...)),
		"v1 next":            marshal(t, requestV1(t, "public", gosnmp.GetNextRequest, names(testEntry.Append(1, 500))...)),
		"v1 next, Counter64": marshal(t, requestV1(t, "public", gosnmp.GetNextRequest, names(testEntry.Append(2, 500))...)),
		"v1 get of nothing":  marshal(t, requestV1(t, "public", gosnmp.GetRequest, names(testEntry.Append(2, 500))...)),
	}
}

// TestAllocations: read requests allocate nothing once the buffers have grown.
func TestAllocations(t *testing.T) {
	const most = 1 << 30
	f := newV1Fixture(t, func(c *Config) {
		c.Limits = Limits{Requests: most, ResponseOctets: most, TotalResponseOctets: most, Failures: most}
	})
	requests := readRequests(t)
	for name, p := range readRequestsV1(t) {
		requests[name] = p
	}
	for name, in := range requests {
		e := f.acquire()
		do := func() {
			e.n, e.from = copy(e.in[:], in), manager
			if e.process() != answered {
				t.Fatalf("%s: no answer", name)
			}
		}
		do()
		if n := testing.AllocsPerRun(200, do); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkProcess(b *testing.B) {
	f := newFixture(b)
	for name, in := range readRequests(b) {
		b.Run(name, func(b *testing.B) {
			e := f.acquire()
			b.ReportAllocs()
			for b.Loop() {
				e.n, e.from = copy(e.in[:], in), manager
				if e.process() != answered {
					b.Fatal("no answer")
				}
			}
			cells := len(decode(b, e.frame.Bytes()).Variables)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*cells), "ns/cell")
		})
	}
}
