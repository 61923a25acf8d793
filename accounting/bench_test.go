package accounting

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/store"
)

// benchNotice is the network stop of S1, from a NAS that sends no more than it must.
func benchNotice(b *testing.B) sessions.Notice {
	b.Helper()
	var stop, lasting []byte
	for _, line := range examples[2].lines() {
		name, value, _ := strings.Cut(line, " = ")
		typ := typeNamed(b, name)
		a := sessions.AppendAttribute(nil, typ, value[:min(len(value), 4)])
		stop = append(stop, a...)
		if typ < sessions.AcctStatusType || typ == sessions.AcctSessionID {
			lasting = append(lasting, a...)
		}
	}
	lasting = append(lasting, repeated(sessions.Class, 2, 30)...)
	return sessions.Notice{
		Type: sessions.Stop, At: time.Unix(1_000_000_000, 0), Attrs: sessions.Attributes(stop),
		Session: &sessions.Session{ID: 14, Kind: sessions.Network, NAS: nas4, Attrs: sessions.Attributes(lasting)},
	}
}

// BenchmarkCompose is what an event costs here: attributes and record, without the store.
func BenchmarkCompose(b *testing.B) {
	n := benchNotice(b)
	r := &Router{}
	tail := appendRoute(nil, "network/default", []MethodName{Local})
	routes := &routes{sessions.Network: &route{record: StartStop, queue: "group/radius", tail: tail}}
	var d draft
	b.ReportAllocs()
	for b.Loop() {
		d.appends, d.buf = d.appends[:0], d.buf[:0]
		r.record(&d, routes, &n)
	}
	b.SetBytes(int64(len(d.buf)))
}

// BenchmarkRouterCommit has the store in it: 256 events in flight, each durable.
func BenchmarkRouterCommit(b *testing.B) {
	s, err := store.Open(b.TempDir(), store.Config{MinFree: -1, Ballast: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r := newRouter(b, s, policy)
	n := benchNotice(b)
	change := sessions.Change{
		State:   []sessions.Put{{Key: []byte("s0001"), Value: make([]byte, 200)}, {Key: []byte("c"), Value: make([]byte, 10)}},
		Notices: []sessions.Notice{n},
	}
	room := make(chan struct{}, 256)
	done := func(error) { <-room }
	b.ReportAllocs()
	for b.Loop() {
		room <- struct{}{}
		r.Commit(change, done)
	}
	for range cap(room) {
		room <- struct{}{}
	}
}

// BenchmarkDeliverer is how fast a backlog goes to a method that answers at once.
func BenchmarkDeliverer(b *testing.B) {
	for _, perSession := range []int{1, 3} {
		b.Run(fmt.Sprintf("records of a session=%d", perSession), func(b *testing.B) {
			s := openStore(b, store.NewDisk())
			n := benchNotice(b)
			attrs, _ := Compose(nil, &n)
			total := b.N
			for id := 0; id < total; {
				var c store.Change
				for range min(1000, total-id) {
					r := Record{
						Session: sessions.ID(id/perSession + 1), Type: sessions.Stop, At: n.At, List: "network/default",
						Next: []MethodName{Local}, Attrs: sessions.Attributes(attrs),
					}
					c.Appends = append(c.Appends, store.Append{Queue: "group/radius", Data: AppendRecord(nil, &r)})
					id++
				}
				durable := make(chan error, 1)
				s.Commit(c, func(err error) { durable <- err })
				if err := <-durable; err != nil {
					b.Fatal(err)
				}
			}
			ctx, cancel := context.WithCancel(b.Context())
			m := &instant{left: int64(total), last: cancel}
			d := NewDeliverer(DelivererConfig{}, s, Group("radius"), m, slog.New(slog.DiscardHandler))
			b.ReportAllocs()
			b.ResetTimer()
			if err := d.Run(ctx); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// instant delivers at once.
type instant struct {
	left int64
	last func()
}

func (m *instant) Window() int { return 256 }

func (m *instant) Send(_ *Record, _ Progress, done func(error)) {
	done(nil)
	if atomic.AddInt64(&m.left, -1) == 0 {
		m.last()
	}
}
