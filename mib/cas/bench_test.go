package cas

import (
	"fmt"
	"testing"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// manyServers returns a daemon with n servers of each protocol and some rows in the making.
func manyServers(t testing.TB, n int) *daemon {
	t.Helper()
	var file []servers.Entry
	for i := range n {
		addr := fmt.Sprintf("10.0.%d.%d", i>>8, i&255)
		file = append(file, entryOf(servers.TACACS, uint32(i+1), addr), entryOf(servers.RADIUS, uint32(i+1), addr))
	}
	d := newDaemon(t, file...)
	for i := range 10 {
		d.must(t, fmt.Sprintf("casConfigRowStatus.2.%d=5", 100_000+i))
	}
	return d
}

// TestNextDoesNotAllocate covers every column.
func TestNextDoesNotAllocate(t *testing.T) {
	d := manyServers(t, 30)
	r := d.tree.NewReader()
	var at, vb mib.Varbind
	at.Name = append(at.Name, Root...)
	allocs := testing.AllocsPerRun(5000, func() {
		r.Next(at.Name, false, nil, &vb)
		r.Release()
		if vb.Value.Type == mib.EndOfMibView {
			at.Name = append(at.Name[:0], Root...)
			return
		}
		at, vb = vb, at
	})
	if allocs != 0 {
		t.Errorf("%v allocations a step", allocs)
	}
}

// BenchmarkGetNext walks a table, one column after the other.
func BenchmarkGetNext(b *testing.B) {
	for name, entry := range map[string]mib.OID{"casConfigTable": configEntry, "casStatisticsTable": statisticsEntry} {
		for _, n := range []int{4, 1000} {
			b.Run(fmt.Sprintf("%s/servers=%d", name, n), func(b *testing.B) {
				d := manyServers(b, n)
				r := d.tree.NewReader()
				var at, vb mib.Varbind
				at.Name = append(at.Name, entry...)
				b.ReportAllocs()
				for b.Loop() {
					r.Next(at.Name, false, nil, &vb)
					r.Release()
					if !vb.Name.HasPrefix(entry) {
						vb.Name = append(vb.Name[:0], entry...)
					}
					at, vb = vb, at
				}
			})
		}
	}
}
