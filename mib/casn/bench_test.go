package casn

import (
	"fmt"
	"runtime"
	"testing"

	"aaasess/internal/radius"
	"aaasess/mib"
	"aaasess/sessions"
)

// fill creates a table of n sessions like a provider's.
func fill(b *testing.B, n int) *fixture {
	b.Helper()
	f := newFixture(b)
	for i := range n {
		attrs := radius.AppendAttribute(nil, radius.UserName, fmt.Sprintf("user%07d@isp.example", i))
		attrs = radius.AppendUint32(attrs, radius.FramedIPAddress, 0x0a000000+uint32(i))
		attrs = radius.AppendUint32(attrs, radius.NASPort, uint32(i))
		attrs = radius.AppendAttribute(attrs, radius.NASIdentifier, "bras-1.isp.example")
		attrs = radius.AppendAttribute(attrs, radius.CallingStationID, fmt.Sprintf("02:00:00:%02x:%02x:%02x", i>>16&255, i>>8&255, i&255))
		attrs = radius.AppendAttribute(attrs, radius.Class, "0123456789abcdef")
		sid := fmt.Sprintf("%016X", i)
		attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, sid)
		ev := sessions.Event{Type: sessions.Start, NAS: testNAS, Kind: sessions.Network, At: begin, AcctSessionID: sid, Attrs: radius.Attributes(attrs)}
		if i < n-1 {
			if err := f.table.Apply(ev, nil); err != nil {
				b.Fatal(err)
			}
			continue
		}
		done := make(chan error)
		if err := f.table.Apply(ev, func(err error) { done <- err }); err != nil {
			b.Fatal(err)
		}
		<-done
	}
	return f
}

// BenchmarkGetNext walks the table, one column after the other.
func BenchmarkGetNext(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint("rows=", n), func(b *testing.B) {
			f := fill(b, n)
			r := f.tree.NewReader()
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

// BenchmarkGet reads casnUserId of sessions with distant ids.
func BenchmarkGet(b *testing.B) {
	f := fill(b, 1_000_000)
	r := f.tree.NewReader()
	name := entry.Append(2, 0)
	var v mib.Value
	n := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		n = n*1664525 + 1013904223
		name[len(name)-1] = n%1_000_000 + 1
		r.Get(name, &v)
		r.Release()
	}
}

// BenchmarkMemory reports the memory of a session in a table of a million.
func BenchmarkMemory(b *testing.B) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const n = 1_000_000
	before := heap()
	f := fill(b, n)
	f.journal.Forget()
	size := float64(heap()-before) / n
	for b.Loop() {
		_ = f.table.View()
	}
	b.ReportMetric(size, "B/session")
	b.ReportMetric(0, "ns/op")
}
