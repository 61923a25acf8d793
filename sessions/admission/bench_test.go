package admission

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// discard is a journal that keeps nothing.
type discard struct{}

func (discard) Route(*sessions.Session) string                  { return "" }
func (discard) Adopt(old []*sessions.Session) ([]string, error) { return make([]string, len(old)), nil }
func (discard) Accepting() error                                { return nil }
func (discard) AfterBatch(func())                               {}

func (discard) Commit(_ sessions.Change, done func(error)) {
	if done != nil {
		done(nil)
	}
}

// benchStarts returns Access-Requests and the starts of their sessions.
func benchStarts(n int) (requests []*Request, starts []sessions.Event) {
	for i := range n {
		sid := fmt.Sprintf("%016X", i)
		line := []any{radius.NASPort, i, radius.NASPortType, 19, radius.CallingStationID, fmt.Sprintf("02-00-00-%06X", i), radius.NASIdentifier, "nas-1", radius.AcctSessionID, sid}
		user := fmt.Sprint("user", i)
		requests = append(requests, loginAt(nas1, user, line...))
		starts = append(starts, sessions.Event{
			Type: sessions.Start, NAS: nas1, Kind: sessions.Network, AcctSessionID: sid, At: time.Now(),
			Attrs: attrs(radius.UserName, user) + attrs(line...),
		})
	}
	return requests, starts
}

// BenchmarkStart measures the start of a session: without a Store, with one that has nothing to do, that
// has heard of other users, and that has the Accept of its user.
func BenchmarkStart(b *testing.B) {
	const n = 10_000
	requests, starts := benchStarts(n)
	accept := attrs(radius.Class, "0123456789abcdef", radius.UserName, "user@isp", radius.SessionTimeout, 3600)
	for _, name := range []string{"no store", "idle", "others", "accepted"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				table := sessions.New(sessions.Config{}, discard{})
				if name != "no store" {
					s := New(Config{}, table)
					switch name {
					case "others":
						s.Accept(loginAt(nas1, "other"), "")
					case "accepted":
						for _, q := range requests {
							s.Accept(q, accept)
						}
					}
				}
				b.StartTimer()
				for i := range starts {
					_ = table.Apply(starts[i], nil)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/start")
		})
	}
}

// BenchmarkLogin measures what the relay asks and tells of a login of one round.
func BenchmarkLogin(b *testing.B) {
	accept := attrs(radius.Class, "0123456789abcdef", radius.UserName, "user@isp", radius.SessionTimeout, 3600)
	requests, _ := benchStarts(10_000)
	for _, include := range []bool{false, true} {
		b.Run(fmt.Sprint("include ", include), func(b *testing.B) {
			s := New(Config{IncludeInAccessReq: include}, sessions.New(sessions.Config{}, discard{}))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				q := requests[i%len(requests)]
				i++
				s.Ask(q)
				s.Accept(q, accept)
			}
		})
	}
}

// BenchmarkLogins measures logins that begin while the oldest are forgotten.
func BenchmarkLogins(b *testing.B) {
	accept := attrs(radius.Class, "0123456789abcdef", radius.UserName, "user@isp", radius.SessionTimeout, 3600)
	requests, _ := benchStarts(20_000)
	s := New(Config{Max: len(requests) / 2}, sessions.New(sessions.Config{}, discard{}))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s.Accept(requests[i%len(requests)], accept)
		i++
	}
}

// TestLoginMemory: a login needs no more memory than the Store counts.
func TestLoginMemory(t *testing.T) {
	const n = 20_000
	requests, _ := benchStarts(n)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for _, tells := range []bool{true, false} {
		t.Run(fmt.Sprint("NAS tells its session id ", tells), func(t *testing.T) {
			table := sessions.New(sessions.Config{}, discard{})
			before := heap()
			s := New(Config{IncludeInAccessReq: true}, table)
			for _, q := range requests {
				one := *q
				if !tells {
					one.Attrs = withoutID(q.Attrs)
				}
				s.Ask(&one)
				s.Accept(&one, attrs(radius.UserName, "user@isp", radius.Class, "0123456789abcdef"))
			}
			if needs, counted := int(heap()-before)/n, s.Stats().Octets/n; needs > counted || needs < counted/2 {
				t.Errorf("a login needs %d octets, %d are counted", needs, counted)
			}
			runtime.KeepAlive(s)
		})
	}
	runtime.KeepAlive(requests)
}

// withoutID returns the attributes of a request of benchStarts without its Acct-Session-Id, the last.
func withoutID(a radius.Attributes) radius.Attributes { return a[:len(a)-18] }

// BenchmarkKept measures what 100,000 logins are on the heap, and what a collection costs while they are
// kept.
func BenchmarkKept(b *testing.B) {
	accept := attrs(radius.Class, "0123456789abcdef", radius.UserName, "user@isp", radius.SessionTimeout, 3600)
	requests, _ := benchStarts(DefaultMax)
	for _, tells := range []bool{true, false} {
		b.Run(fmt.Sprint("NAS tells its session id ", tells), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s := New(Config{}, sessions.New(sessions.Config{}, discard{}))
			for _, q := range requests {
				one := *q
				if !tells {
					one.Attrs = withoutID(q.Attrs)
				}
				s.Accept(&one, accept)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			for b.Loop() {
				runtime.GC()
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/DefaultMax, "octets/login")
			b.ReportMetric(float64(after.HeapObjects-before.HeapObjects)/DefaultMax, "objects/login")
			runtime.KeepAlive(s)
		})
	}
	runtime.KeepAlive(requests)
}
