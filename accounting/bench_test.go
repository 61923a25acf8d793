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
	r := newRouter(b, nil, policy)
	n.Session.Route = sessions.NewRoute(r.Route(n.Session))
	var d draft
	b.ReportAllocs()
	for b.Loop() {
		d.appends, d.buf = d.appends[:0], d.buf[:0]
		r.record(&d, &n)
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
	n.Session.Route = sessions.NewRoute(r.Route(n.Session))
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
			m := &instant{window: 256, left: int64(total), last: cancel}
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
	window int
	left   int64
	last   func()
}

func (m *instant) Window() int { return m.window }

func (m *instant) Send(_ *Record, _ Progress, done func(error)) {
	done(nil)
	if atomic.AddInt64(&m.left, -1) == 0 {
		m.last()
	}
}

// BenchmarkDelivererSteady is records that are committed one by one and answered at once, 1024 under
// way: what a deliverer costs in a day like any other. The store, in memory, has its part.
func BenchmarkDelivererSteady(b *testing.B) {
	s := openStore(b, store.NewDisk())
	n := benchNotice(b)
	attrs, _ := Compose(nil, &n)
	ctx, cancel := context.WithCancel(b.Context())
	m := &instant{window: 1024, left: int64(b.N), last: cancel}
	d := NewDeliverer(DelivererConfig{}, s, Group("radius"), m, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	room := make(chan struct{}, 256)
	done := func(error) { <-room }
	r := Record{Type: sessions.Stop, At: n.At, List: "network/default", Next: []MethodName{Local}, Attrs: sessions.Attributes(attrs)}
	var data []byte
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		r.Session = sessions.ID(i + 1)
		data = AppendRecord(data[:0], &r)
		room <- struct{}{}
		s.Commit(store.Change{Appends: []store.Append{{Queue: "group/radius", Data: data}}}, done)
	}
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkSupersede is what the search for superseded interims costs a record; one of four is dropped.
func BenchmarkSupersede(b *testing.B) {
	s := openStore(b, store.NewDisk())
	n := benchNotice(b)
	attrs, _ := Compose(nil, &n)
	r := Record{Type: sessions.Interim, At: n.At, List: "network/default", Attrs: sessions.Attributes(attrs)}
	for i := 0; i < b.N; {
		var c store.Change
		for range min(1000, b.N-i) {
			r.Session = sessions.ID(i - i%4/3) // the third and fourth of four are one session's
			c.Appends = append(c.Appends, store.Append{Queue: "group/radius", Data: AppendRecord(nil, &r)})
			i++
		}
		durable := make(chan error, 1)
		s.Commit(c, func(err error) { durable <- err })
		if err := <-durable; err != nil {
			b.Fatal(err)
		}
	}
	d := NewDeliverer(DelivererConfig{}, s, Group("radius"), &instant{}, slog.New(slog.DiscardHandler))
	d.hold, d.scan.more = Held, true
	b.ReportAllocs()
	b.ResetTimer()
	for d.scan.more {
		if err := d.supersede(d.made.Add(time.Hour)); err != nil {
			b.Fatal(err)
		}
	}
	if got, want := d.count.Superseded, uint64(b.N/4); got != want {
		b.Errorf("%d superseded, want %d", got, want)
	}
}
