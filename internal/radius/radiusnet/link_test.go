package radiusnet

import (
	"container/heap"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// shares counts the results of many datagrams.
type shares struct {
	Arrived, Answered, Overtaken int
}

// sendThrough sends many requests over a link, one millisecond apart.
func sendThrough(t *testing.T, seed uint64, l Link, requests int) (all []string, s shares) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := New(seed)
		n.Add(Server{Addr: addr, Secret: secret, Link: l})
		c := newClient(t, n)
		for i := range requests {
			c.send(request1(t, string(rune('A'+i%26))+time.Duration(i).String(), nil))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		all = sorted(n.Arrivals())
		s.Arrived, s.Answered = len(all), len(c.got)
		came := n.Arrivals()
		for i := range came {
			if i > 0 && came[i].At.Before(came[i-1].At) {
				t.Error("arrivals are not in the order of time")
			}
		}
		order := map[string]int{}
		for i := range requests {
			order[string(rune('A'+i%26))+time.Duration(i).String()] = i
		}
		for i := 1; i < len(came); i++ {
			if order[came[i].SessionID] < order[came[i-1].SessionID] {
				s.Overtaken++
			}
		}
	})
	return all, s
}

func TestLink(t *testing.T) {
	const requests = 2000
	within := func(n, want, slack int) bool { return n >= want-slack && n <= want+slack }
	for _, tc := range []struct {
		name  string
		link  Link
		right func(s shares) bool
	}{
		{"nothing wrong", Link{}, func(s shares) bool { return s == shares{requests, requests, 0} }},
		{"delay", Link{Delay: time.Second}, func(s shares) bool { return s == shares{requests, requests, 0} }},
		{"loss", Link{Loss: 0.2}, func(s shares) bool {
			return within(s.Arrived, 1600, 100) && within(s.Answered, 1280, 100)
		}},
		{"all is lost", Link{Loss: 1}, func(s shares) bool { return s == shares{} }},
		{"duplicates", Link{Duplicate: 0.1}, func(s shares) bool {
			return within(s.Arrived, 2200, 60) && within(s.Answered, 2420, 80) && s.Overtaken == 0
		}},
		{"all doubled, late", Link{Duplicate: 1, Delay: 1}, func(s shares) bool { return s == shares{2 * requests, 4 * requests, 0} }},
		{"jitter", Link{Jitter: 10 * time.Millisecond}, func(s shares) bool {
			return s.Arrived == requests && s.Answered == requests && s.Overtaken > requests/10
		}},
		{"jitter less than the distance", Link{Jitter: time.Millisecond}, func(s shares) bool { return s == shares{requests, requests, 0} }},
		{"dead at first", Link{Dead: []Interval{{0, 500 * time.Millisecond}}}, func(s shares) bool {
			return s == shares{1500, 1500, 0}
		}},
		{"dead twice, in the end for ever", Link{Dead: []Interval{{100 * time.Millisecond, 300 * time.Millisecond}, {From: time.Second}}}, func(s shares) bool {
			return s == shares{800, 800, 0}
		}},
		{"dead when it would arrive", Link{Delay: 100 * time.Millisecond, Dead: []Interval{{100 * time.Millisecond, 200 * time.Millisecond}}}, func(s shares) bool {
			return s == shares{1800, 1800, 0} // lost: those sent in the first 100 ms, dead on arrival, and in the second
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first, s := sendThrough(t, 1, tc.link, requests)
			if !tc.right(s) {
				t.Errorf("%+v", s)
			}
			if again, _ := sendThrough(t, 1, tc.link, requests); !slices.Equal(first, again) {
				t.Error("another time it is not the same")
			}
		})
	}
	one, _ := sendThrough(t, 1, Link{Loss: 0.5}, requests)
	two, _ := sendThrough(t, 2, Link{Loss: 0.5}, requests)
	if slices.Equal(one, two) {
		t.Error("another seed does the same")
	}
}

// TestDeliveriesOfConcurrent: the treatment of a datagram does not depend on the order of
// goroutines.
func TestDeliveriesOfConcurrent(t *testing.T) {
	var first []string
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			n := New(3)
			n.Add(Server{Addr: addr, Secret: secret, Link: Link{Loss: 0.3, Duplicate: 0.3, Jitter: time.Second}})
			c := newClient(t, n)
			var wg sync.WaitGroup
			for i := range 200 {
				wg.Go(func() { _, _ = c.WriteToUDPAddrPort(request1(t, time.Duration(i).String(), nil), addr) })
			}
			wg.Wait()
			time.Sleep(time.Minute)
			all := sorted(n.Arrivals())
			if first == nil {
				first = all
			}
			if diff := cmp.Diff(first, all); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestServersDiffer: two servers with equal links lose different datagrams.
func TestServersDiffer(t *testing.T) {
	n := New(3)
	lossy := Link{Loss: 0.5}
	other := netip.MustParseAddrPort("192.0.2.1:1646")
	a := n.Add(Server{Name: "a", Addr: addr, Secret: secret, Link: lossy})
	b := n.Add(Server{Name: "b", Addr: other, Secret: secret, Link: lossy})
	s, err := n.Listen("udp4", netip.AddrPort{})
	must(t, err)
	for i := range 100 {
		raw := request1(t, time.Duration(i).String(), nil)
		_, _ = s.WriteToUDPAddrPort(raw, addr)
		_, _ = s.WriteToUDPAddrPort(raw, other)
	}
	if slices.Equal(sorted(a.Arrivals()), sorted(b.Arrivals())) {
		t.Error("both got the same")
	}
}

// TestDeliveryOrder: datagrams are delivered by time, and those of the same time in the order of
// sending.
func TestDeliveryOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q deliveryQueue
		type entry struct {
			due    time.Duration
			number uint64
		}
		var model []entry
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				q.number++
				e := entry{time.Duration(rapid.IntRange(0, 5).Draw(t, "due")), q.number}
				heap.Push(&q.pending, &delivery{due: e.due, number: e.number})
				model = append(model, e)
			},
			"pop": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip("empty")
				}
				first := slices.MinFunc(model, func(a, b entry) int {
					if a.due != b.due {
						return int(a.due - b.due)
					}
					return int(a.number) - int(b.number)
				})
				model = slices.DeleteFunc(model, func(e entry) bool { return e == first })
				if d := heap.Pop(&q.pending).(*delivery); d.due != first.due || d.number != first.number {
					t.Fatalf("%v, %d, want %+v", d.due, d.number, first)
				}
			},
			"": func(t *rapid.T) {
				if len(q.pending) != len(model) {
					t.Fatalf("%d deliveries, want %d", len(q.pending), len(model))
				}
			},
		})
	})
}
