package accounting

import (
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"
)

// benchNotice is the network stop of S1, from a NAS that sends only what it must.
func benchNotice(b *testing.B) sessions.Notice {
	b.Helper()
	var stop, lasting []byte
	for _, line := range PrintedRecords(b)[2].lines() {
		name, value, _ := strings.Cut(line, " = ")
		typ := typeNamed(b, name)
		a := radius.AppendAttribute(nil, typ, value[:min(len(value), 4)])
		stop = append(stop, a...)
		if typ < radius.AcctStatusType || typ == radius.AcctSessionID {
			lasting = append(lasting, a...)
		}
	}
	lasting = append(lasting, repeated(radius.Class, 2, 30)...)
	return sessions.Notice{
		Type: sessions.Stop, At: time.Unix(1_000_000_000, 0), Attrs: radius.Attributes(stop),
		Session: &sessions.Session{ID: 14, Kind: sessions.Network, NAS: nas4, Attrs: radius.Attributes(lasting)},
	}
}

// BenchmarkCompose measures the cost of an event here: attributes and record, without the store.
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

// BenchmarkRouterCommit includes the store: 256 events in flight, each durable.
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
