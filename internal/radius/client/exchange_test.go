package client

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/retry"

	"github.com/google/go-cmp/cmp"
)

// transmissionAt is a transmission: seconds after the start of the test, and the server.
type transmissionAt struct{ Second, Server int }

// plannedRequest is a request that is sent at a second, with its transmissions and its end. After a
// Later it is sent again.
type plannedRequest struct {
	Begin         int
	Transmissions []transmissionAt
	FailedAt      int // when it failed
}

// simulation is a group without sockets or goroutines. Its clock jumps from deadline to deadline.
type simulation struct {
	now time.Time
	g   *Group
}

func simulate(t *testing.T, cfg setup, servers ...retry.Schedule) *simulation {
	t.Helper()
	s := &simulation{now: at(0)}
	for i, schedule := range servers {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(1813+i))
		cfg.Servers = append(cfg.Servers, Server{Addr: addr, Secret: testSecret, Schedule: schedule})
	}
	cfg.Now = func() time.Time { return s.now }
	g, err := newGroup(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g.phase = running
	s.g = g
	return s
}

func (s *simulation) second() int { return int(s.now.Sub(at(0)) / time.Second) }

// simulationRun is one run of a simulation.
type simulationRun struct {
	*simulation
	t        *testing.T
	requests []plannedRequest
	journeys map[*exchange]int
	sends    map[int][]func() // sends by second
	open     int              // requests that are not settled
}

// run sends requests at these seconds and returns their transmissions. heard is when a server
// answers something else: second, server.
func (s *simulation) run(t *testing.T, begins []int, heard map[int]int) []plannedRequest {
	t.Helper()
	p := &simulationRun{s, t, make([]plannedRequest, len(begins)), map[*exchange]int{}, map[int][]func(){}, len(begins)}
	for i, b := range begins {
		p.requests[i].Begin = b
		p.sends[b] = append(p.sends[b], func() { p.send(i, retry.Progress{}) })
	}
	for second := 0; p.open > 0; second++ {
		s.now = at(second)
		if server, ok := heard[second]; ok {
			s.g.states[server].Answered(s.now)
		}
		for _, send := range p.sends[second] {
			send()
		}
		due, over, wait := s.g.expire(nil, nil)
		if wait <= 0 {
			t.Fatalf("%d s: would look again after %v", second, wait)
		}
		for _, x := range due {
			p.transmit(x)
		}
		for _, e := range over {
			p.end(p.journeys[e.exchange], e.err)
		}
	}
	if s.g.deadlines.Len() != 0 {
		t.Errorf("%d records are still there", s.g.deadlines.Len())
	}
	for i := range s.g.Stats().Servers {
		if p := s.g.Stats().Servers[i].PendingRequests; p != 0 {
			t.Errorf("server %d: %d pending", i, p)
		}
		if n := s.g.paths[i].server.assigned; n != 0 {
			t.Errorf("server %d still counts %d requests", i, n)
		}
	}
	return p.requests
}

func (r *simulationRun) send(journey int, from retry.Progress) {
	x := newExchange(r.g, testRequest(r.now), from)
	r.journeys[x] = journey
	if due, err := r.g.accept(x); err != nil {
		r.end(journey, err)
	} else if due {
		r.transmit(x)
	}
}

func (r *simulationRun) transmit(x *exchange) {
	j := &r.requests[r.journeys[x]]
	j.Transmissions = append(j.Transmissions, transmissionAt{r.second(), x.server})
	r.g.beginTransmission(x, none, r.now)
}

func (r *simulationRun) end(journey int, err error) {
	var later *retry.Later
	switch {
	case errors.As(err, &later):
		second := r.second() + int(later.After/time.Second)
		if later.After < time.Second {
			r.t.Fatalf("goes on after %v", later.After)
		}
		r.sends[second] = append(r.sends[second], func() { r.send(journey, later.At) })
	case errors.Is(err, ErrNoResponse):
		r.requests[journey].FailedAt = r.second()
		r.open--
	default:
		r.t.Errorf("journey %d: %v", journey, err)
	}
}

func TestSchedule(t *testing.T) {
	// to returns four transmissions to a server, five seconds apart.
	to := func(server, from int) []transmissionAt {
		return []transmissionAt{{from, server}, {from + 5, server}, {from + 10, server}, {from + 15, server}}
	}
	join := func(parts ...[]transmissionAt) (all []transmissionAt) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for _, tc := range []struct {
		name    string
		cfg     setup
		servers int
		heard   map[int]int
		want    []plannedRequest
	}{
		{"one server", setup{}, 1, nil, []plannedRequest{{0, to(0, 0), 20}}},
		{"two servers", setup{}, 2, nil, []plannedRequest{{0, join(to(0, 0), to(1, 20)), 40}}},
		{"later records skip the one that failed", setup{}, 2, map[int]int{30: 1}, []plannedRequest{
			{0, join(to(0, 0), to(1, 20)), 40},
			{25, to(1, 25), 45}, // server 1 answered another request at 30, so it is up and 0 is skipped
			{50, join(to(0, 50), to(1, 70)), 90},
		}},
		{"all down: in order", setup{}, 2, nil, []plannedRequest{
			{0, join(to(0, 0), to(1, 20)), 40},
			{41, join(to(0, 41), to(1, 61)), 81},
		}},
		{"hold-down of 5 s", setup{HoldDown: 5 * time.Second}, 2, map[int]int{24: 1}, []plannedRequest{
			{0, join(to(0, 0), to(1, 20)), 40},
			{24, to(1, 24), 44},                  // the hold-down of 0 is over then, but the next request is its probe
			{25, join(to(0, 25), to(1, 45)), 65}, // the probe
		}},
		{"no hold-down", setup{HoldDown: -1}, 2, nil, []plannedRequest{
			{0, join(to(0, 0), to(1, 20)), 40},
			{21, join(to(0, 21), to(1, 41)), 61},
		}},
		{"a record that only is not wanted holds nobody down", setup{}, 2, map[int]int{12: 0, 33: 1}, []plannedRequest{
			{0, join(to(0, 0), to(1, 20)), 40},
			{21, join(to(0, 21), to(1, 41)), 61},
		}},
		{"back before the hold-down is over", setup{}, 2, map[int]int{22: 0}, []plannedRequest{
			{0, join(to(0, 0), to(1, 20)), 40},
			{23, join(to(0, 23), to(1, 43)), 63},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var begins []int
			for _, j := range tc.want {
				begins = append(begins, j.Begin)
			}
			got := simulate(t, tc.cfg, make([]retry.Schedule, tc.servers)...).run(t, begins, tc.heard)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScheduleStats(t *testing.T) {
	s := simulate(t, setup{}, retry.Schedule{}, retry.Schedule{})
	s.run(t, []int{0, 0}, nil)
	for i, got := range s.g.Stats().Servers {
		if got.Requests != 2 || got.Retransmissions != 6 || got.Timeouts != 8 || got.Failures != 2 || got.Successes != 0 {
			t.Errorf("server %d: %+v, want 2 requests, 6 retransmissions, 8 timeouts, 2 failures", i, got)
		}
	}
}

func TestDownUntil(t *testing.T) {
	s := simulate(t, setup{}, retry.Schedule{})
	s.run(t, []int{0}, nil) // fails at 20
	for _, tc := range []struct {
		second int
		want   time.Time
	}{{49, at(50)}, {50, time.Time{}}} {
		s.now = at(tc.second)
		if got := s.g.Stats().Servers[0].DownUntil; !got.Equal(tc.want) {
			t.Errorf("at %d s down until %v, want %v", tc.second, got, tc.want)
		}
	}
}

// TestExpiryBeforeFirstTransmission: an expiry before a request's first transmission was made does
// not count as a transmission.
func TestExpiryBeforeFirstTransmission(t *testing.T) {
	s := simulate(t, setup{}, retry.Schedule{}, retry.Schedule{})
	x := newExchange(s.g, testRequest(s.now), retry.Progress{})
	if _, err := s.g.accept(x); err != nil {
		t.Fatal(err)
	}
	s.now = at(5)
	due, over, _ := s.g.expire(nil, nil)
	if len(due) != 1 || len(over) != 0 || x.server != 0 || x.tries != 0 {
		t.Errorf("%d due, %d over, to server %d after %d tries", len(due), len(over), x.server, x.tries)
	}
	if got := s.g.Stats().Servers[0]; got.Timeouts != 0 || got.PendingRequests != 0 {
		t.Errorf("counted %+v", got)
	}
}
