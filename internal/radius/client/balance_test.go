package client

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/retry"
)

// balanced is a group with LeastOutstanding that sends nothing, and the requests that it has.
type balanced struct {
	*rapid.T
	g     *Group
	now   time.Time
	open  []*exchange
	batch batch // what the group's should be
}

func newBalanced(t *rapid.T, servers, batchSize int, holdDown time.Duration) *balanced {
	b := &balanced{T: t, now: at(0)}
	cfg := setup{Algorithm: LeastOutstanding, BatchSize: batchSize, HoldDown: holdDown, Now: func() time.Time { return b.now }}
	for i := range servers {
		addr := netip.AddrPortFrom(documentationAddr.Addr(), uint16(1813+i))
		cfg.Servers = append(cfg.Servers, Server{Addr: addr, Secret: testSecret, Schedule: retry.Schedule{Retransmit: -1}})
	}
	g, err := newGroup(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g.phase = running
	b.g = g
	return b
}

// counts returns how many open requests each server has.
func (b *balanced) counts() []int {
	counts := make([]int, len(b.g.paths))
	for _, x := range b.open {
		counts[x.server]++
	}
	return counts
}

// checkCounts checks the counts of the servers against the open requests.
func (b *balanced) checkCounts() {
	want := b.counts()
	for i, p := range b.g.paths {
		if p.server.assigned != want[i] {
			b.Fatalf("server %d counts %d requests, it has %d", i, p.server.assigned, want[i])
		}
	}
}

// fewest returns the first of these servers that has the fewest open requests.
func (b *balanced) fewest(servers []int) int {
	counts := b.counts()
	return slices.MinFunc(servers, func(a, b int) int { return counts[a] - counts[b] })
}

// want returns the server that a request must go to which was sent to the servers in tried.
func (b *balanced) want(tried uint64) int {
	var up, probes, rest []int
	anyUp := false
	for i, s := range b.g.states {
		dead := s.Dead() && b.g.rule.HoldDown > 0
		anyUp = anyUp || !dead
		switch {
		case tried&(1<<i) != 0:
		case !dead:
			up = append(up, i)
		case s.Usable(b.now):
			probes = append(probes, i)
		default:
			rest = append(rest, i)
		}
	}
	switch {
	case len(probes) > 0:
		return probes[0]
	case len(up) > 0 && tried != 0:
		return b.fewest(up)
	case len(up) > 0:
		if b.batch.left == 0 || !slices.Contains(up, b.batch.server) {
			b.batch = batch{b.fewest(up), b.g.cfg.BatchSize}
		}
		b.batch.left--
		return b.batch.server
	case anyUp || len(rest) == 0:
		return none
	}
	return rest[0]
}

func (b *balanced) send() {
	x, want := newExchange(b.g, testRequest(b.now), retry.Progress{}), b.want(0)
	if _, err := b.g.accept(x); err != nil {
		b.Fatal(err)
	}
	if x.server != want {
		b.Fatalf("the request went to server %d, want %d; requests of the servers: %v, batch %+v", x.server, want, b.counts(), b.batch)
	}
	b.g.beginTransmission(x, none, b.now)
	b.open = append(b.open, x)
}

// end settles a request and removes it from the open ones.
func (b *balanced) end(x *exchange) {
	b.g.settle(x)
	b.open = slices.DeleteFunc(b.open, func(other *exchange) bool { return other == x })
}

func (b *balanced) answer(x *exchange) {
	x.path().state().Answered(b.now)
	b.end(x)
}

// timeOut handles that a request got no answer.
func (b *balanced) timeOut(x *exchange) {
	if at := x.wait.At(); b.now.Before(at) {
		b.now = at
	}
	before := b.counts()
	b.g.timeOut(x, b.now)
	b.g.unanswered(x, b.now)
	b.open = slices.DeleteFunc(b.open, func(other *exchange) bool { return other == x })
	want := b.want(x.tried)
	err := b.g.failOver(x, b.now)
	switch {
	case want == none && err == nil:
		b.Fatalf("a request that had all servers went to server %d", x.server)
	case want == none:
		b.g.settle(x)
	case err != nil || x.server != want:
		b.Fatalf("the next server is %d (%v), want %d; requests of the servers: %v", x.server, err, want, before)
	default:
		b.g.beginTransmission(x, none, b.now)
		b.open = append(b.open, x)
	}
}

// TestLeastOutstandingModel: whatever is answered, not answered, dead and up again, each request
// goes to the server that the documentation says.
func TestLeastOutstandingModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		holdDown := rapid.SampledFrom([]time.Duration{-1, 7 * time.Second, time.Hour}).Draw(t, "hold-down")
		b := newBalanced(t, rapid.IntRange(1, 5).Draw(t, "servers"), rapid.IntRange(1, 6).Draw(t, "batch"), holdDown)
		open := func(t *rapid.T) *exchange {
			if len(b.open) == 0 {
				t.Skip("no request is open")
			}
			return b.open[rapid.IntRange(0, len(b.open)-1).Draw(t, "request")]
		}
		t.Repeat(map[string]func(*rapid.T){
			"send":     func(*rapid.T) { b.send() },
			"again":    func(*rapid.T) { b.send() }, // so that requests gather
			"answer":   func(t *rapid.T) { b.answer(open(t)) },
			"time out": func(t *rapid.T) { b.timeOut(open(t)) },
			"wait":     func(*rapid.T) { b.now = b.now.Add(time.Second) },
			"give up":  func(t *rapid.T) { b.end(open(t)) },
			"":         func(*rapid.T) { b.checkCounts() },
		})
		for len(b.open) > 0 {
			b.end(b.open[0])
		}
		b.checkCounts()
	})
}

// TestLeastOutstandingBalance: with servers that answer at the same speed, the numbers of their
// requests never differ by more than a batch.
func TestLeastOutstandingBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBalanced(t, rapid.IntRange(2, 6).Draw(t, "servers"), rapid.IntRange(1, 30).Draw(t, "batch"), time.Minute)
		check := func() {
			if counts := b.counts(); slices.Max(counts)-slices.Min(counts) > b.g.cfg.BatchSize {
				t.Fatalf("the servers have %v requests, batches have %d", counts, b.g.cfg.BatchSize)
			}
		}
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			for range rapid.IntRange(0, 40).Draw(t, "requests") {
				b.send()
				check()
			}
			for range rapid.IntRange(0, 9).Draw(t, "answers of each server") {
				for i := range b.g.paths {
					if first := slices.IndexFunc(b.open, func(x *exchange) bool { return x.server == i }); first >= 0 {
						b.answer(b.open[first])
					}
				}
				check()
			}
		}
	})
}

// TestLeastOutstandingDead: a dead server gets nothing but its probe, which is in no batch. The
// batch of a server that dies ends.
func TestLeastOutstandingDead(t *testing.T) {
	once := retry.Schedule{Retransmit: -1}
	s := simulate(t, setup{Algorithm: LeastOutstanding, BatchSize: 3, HoldDown: 30 * time.Second}, once, once, once)
	heard := map[int]int{}
	for second := 4; second < 60; second++ { // servers 1 and 2 answer others
		heard[second] = 1 + second%2
	}
	got := s.run(t, []int{0, 1, 6, 7, 8, 36, 37, 38}, heard)
	want := []plannedRequest{
		{0, []transmissionAt{{0, 0}, {5, 1}, {10, 2}}, 15}, // server 0 is dead until 35
		{1, []transmissionAt{{1, 0}, {6, 1}, {11, 2}}, 16},
		{6, []transmissionAt{{6, 2}, {11, 1}}, 16}, // a batch begins, because server 0 is dead
		{7, []transmissionAt{{7, 2}, {12, 1}}, 17},
		{8, []transmissionAt{{8, 2}, {13, 1}}, 18},
		{36, []transmissionAt{{36, 0}, {41, 2}, {46, 1}}, 51}, // the probe; server 1 has the batch
		{37, []transmissionAt{{37, 1}, {42, 2}}, 47},
		{38, []transmissionAt{{38, 1}, {43, 2}}, 48},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
