package delivery

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/retry"
	"aaasess/sessions"
	"aaasess/store"
)

// benchTime and benchAttributes belong to a stop with as many attributes as NASes send.
var (
	benchTime       = time.Unix(1_000_000_000, 0)
	benchAttributes = func() radius.Attributes {
		var a []byte
		for t := range radius.Type(12) {
			a = append(a, radius.AppendAttribute(nil, t+40, strings.Repeat("v", 6+int(t)))...)
		}
		return radius.Attributes(a)
	}()
)

func newDelivery(s *store.Store, m accounting.Method) *Delivery {
	d := New(Config{}, s, quiet)
	d.SetMethod(accounting.Group("radius"), m, accounting.MethodConfig{})
	return d
}

// BenchmarkDelivery measures how fast a backlog goes to a method that answers at once.
func BenchmarkDelivery(b *testing.B) {
	for _, perSession := range []int{1, 3} {
		b.Run(fmt.Sprintf("records of a session=%d", perSession), func(b *testing.B) {
			s := openStore(b, store.NewDisk())
			total := b.N
			for id := 0; id < total; {
				var c store.Change
				for range min(1000, total-id) {
					r := accounting.Record{
						Session: sessions.ID(id/perSession + 1), Type: sessions.Stop, At: benchTime, List: "network/default",
						Next: []accounting.MethodName{accounting.Local}, Attrs: benchAttributes,
					}
					c.Appends = append(c.Appends, store.Append{Queue: "group/radius", Data: accounting.AppendRecord(nil, &r)})
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
			d := newDelivery(s, m)
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

func (m *instant) Send(_ *accounting.Record, _ retry.Progress, done func(error)) {
	done(nil)
	if atomic.AddInt64(&m.left, -1) == 0 {
		m.last()
	}
}

// BenchmarkDeliverySteady measures the cost of a Delivery in normal operation: records are
// committed one by one and answered at once, with 1024 in flight. The cost includes the store,
// which is in memory.
func BenchmarkDeliverySteady(b *testing.B) {
	s := openStore(b, store.NewDisk())
	ctx, cancel := context.WithCancel(b.Context())
	m := &instant{window: 1024, left: int64(b.N), last: cancel}
	d := newDelivery(s, m)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	room := make(chan struct{}, 256)
	done := func(error) { <-room }
	r := accounting.Record{Type: sessions.Stop, At: benchTime, List: "network/default", Next: []accounting.MethodName{accounting.Local}, Attrs: benchAttributes}
	var data []byte
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		r.Session = sessions.ID(i + 1)
		data = accounting.AppendRecord(data[:0], &r)
		room <- struct{}{}
		s.Commit(store.Change{Appends: []store.Append{{Queue: "group/radius", Data: data}}}, done)
	}
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkSupersede measures what the search for superseded interims costs per record. One of four
// records is dropped.
func BenchmarkSupersede(b *testing.B) {
	d, q := longQueue(b, b.N, Held)
	if err := d.read(d.created); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for now := d.created; q.scan.more; now = now.Add(time.Hour) {
		if err := d.supersede(q, now); err != nil {
			b.Fatal(err)
		}
	}
	if got, want := q.count.Superseded, uint64(b.N/4); got != want {
		b.Errorf("%d superseded, want %d", got, want)
	}
}

// longQueue returns a queue of n interims and its method's hold. The third and fourth of every four belong
// to one session. The records of two in four may also go to other methods.
func longQueue(tb testing.TB, n int, hold Hold, others ...accounting.MethodName) (*Delivery, *queue) {
	s := openStore(tb, store.NewDisk())
	r := accounting.Record{Type: sessions.Interim, At: benchTime, List: "network/default", Attrs: benchAttributes}
	for i := 0; i < n; {
		var c store.Change
		for range min(1000, n-i) {
			if r.Session, r.Next = sessions.ID(i-i%4/3), nil; i%4 < 2 {
				r.Next = others
			}
			c.Appends = append(c.Appends, store.Append{Queue: "group/radius", Data: accounting.AppendRecord(nil, &r)})
			i++
		}
		durable := make(chan error, 1)
		s.Commit(c, func(err error) { durable <- err })
		if err := <-durable; err != nil {
			tb.Fatal(err)
		}
	}
	d := newDelivery(s, &instant{window: 1})
	d.SetHold(accounting.Group("radius"), hold)
	for _, name := range others {
		d.SetMethod(name, &instant{window: 1}, accounting.MethodConfig{})
	}
	d.collect(tb.Context())
	return d, d.queueNamed(tb.Context(), "group/radius")
}
