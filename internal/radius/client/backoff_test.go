package client

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/servers"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// s4 is the schedule in the example of S4.
var s4 = retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32}

// s4Transmissions are the transmissions of that example, for a server.
func s4Transmissions(server int) (all []transmissionAt) {
	for _, second := range []int{0, 5, 10, 15, 25, 45, 85, 165, 325, 645, 1285, 2565, 5125, 8725, 12325} {
		all = append(all, transmissionAt{second, server})
	}
	for len(all) < 36 {
		all = append(all, transmissionAt{all[len(all)-1].Second + 3600, server})
	}
	return all
}

func TestBackoff(t *testing.T) {
	to := func(server int, seconds ...int) (all []transmissionAt) {
		for _, s := range seconds {
			all = append(all, transmissionAt{s, server})
		}
		return all
	}
	join := func(parts ...[]transmissionAt) (all []transmissionAt) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	short := retry.Schedule{BackoffRetry: 3} // 0 5 10 15 25 45 85, ends at 90
	end := 12325 + 21*3600 + 5
	for _, tc := range []struct {
		name    string
		cfg     setup
		servers []retry.Schedule
		heard   map[int]int
		want    []plannedRequest
	}{
		{"the example of S4", setup{}, []retry.Schedule{s4}, nil, []plannedRequest{{0, s4Transmissions(0), end}}},
		{"then the next server", setup{}, []retry.Schedule{s4, {}}, nil, []plannedRequest{
			{0, join(s4Transmissions(0), to(1, end, end+5, end+10, end+15)), end + 20},
		}},
		{"schedules of their own", setup{}, []retry.Schedule{
			{Timeout: 2 * time.Second, Retransmit: -1}, {Timeout: 3 * time.Second, Retransmit: 1}, {Retransmit: -1},
		}, nil, []plannedRequest{
			{0, join(to(0, 0), to(1, 2, 5), to(2, 8)), 13},
		}},
		{"no normal retransmissions", setup{}, []retry.Schedule{{Timeout: time.Second, Retransmit: -1, BackoffRetry: 4}}, nil, []plannedRequest{
			{0, to(0, 0, 2, 6, 14, 30), 31},
		}},
		{"back-off with the second server only", setup{}, []retry.Schedule{{Retransmit: 1}, {Retransmit: 1, BackoffRetry: 1}}, nil, []plannedRequest{
			{0, join(to(0, 0, 5), to(1, 10, 15, 25)), 30},
		}},
		{"a backlog is probed with one record", setup{}, []retry.Schedule{short}, nil, []plannedRequest{
			{0, to(0, 0, 5, 10, 15, 25, 45, 85), 90},
			{1, to(0, 1, 6, 11, 16), 91}, // the others are suppressed, and count
		}},
		{"suppressed no more when the server is up", setup{}, []retry.Schedule{short}, map[int]int{47: 0}, []plannedRequest{
			{0, to(0, 0, 5, 10, 15, 25, 45, 85), 90},
			{1, to(0, 1, 6, 11, 16, 86), 91},
		}},
		{"suppressed only while the probe is in flight", setup{}, []retry.Schedule{short}, nil, []plannedRequest{
			{0, to(0, 0, 5, 10, 15, 25, 45, 85), 90},
			{6, to(0, 6, 11, 16, 21, 31, 51, 91), 96},
		}},
		{"new records skip the dead server whose probe is a back-off", setup{}, []retry.Schedule{short, {}}, map[int]int{28: 1, 61: 1}, []plannedRequest{
			{0, join(to(0, 0, 5, 10, 15, 25, 45, 85), to(1, 90, 95, 100, 105)), 110},
			{26, to(1, 26, 31, 36, 41), 46}, // held down until 50
			{58, to(1, 58, 63, 68, 73), 78}, // held down until 80
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var begins []int
			for _, j := range tc.want {
				begins = append(begins, j.Begin)
			}
			got := simulate(t, tc.cfg, tc.servers...).run(t, begins, tc.heard)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBackoffStats(t *testing.T) {
	s := simulate(t, setup{}, s4)
	s.run(t, []int{0, 1}, nil)
	got := s.g.Stats().Servers[0]
	if got.Requests != 2 || got.Retransmissions != 35+3 || got.Timeouts != 36+4 || got.Failures != 2 || got.State != servers.Dead || got.DeadCount != 1 {
		t.Errorf("%+v, want 2 requests, 38 retransmissions, 40 timeouts, 2 failures", got)
	}
}

func TestRoundRobin(t *testing.T) {
	to := func(from int, servers ...int) (all []transmissionAt) {
		for i, s := range servers {
			all = append(all, transmissionAt{from + 5*i, s})
		}
		return all
	}
	once := retry.Schedule{Retransmit: -1}
	s := simulate(t, setup{Algorithm: RoundRobin, HoldDown: -1}, once, once, once)
	want := []plannedRequest{
		{0, to(0, 0, 1, 2), 15}, {1, to(1, 1, 2, 0), 16}, {2, to(2, 2, 0, 1), 17}, {3, to(3, 0, 1, 2), 18},
	}
	if diff := cmp.Diff(want, s.run(t, []int{0, 1, 2, 3}, nil)); diff != "" {
		t.Error(diff)
	}
}

func TestRoundRobinSkipsDead(t *testing.T) {
	once := retry.Schedule{Retransmit: -1}
	s := simulate(t, setup{Algorithm: RoundRobin}, once, once)
	got := s.run(t, []int{0, 6, 7, 36}, map[int]int{6: 1, 8: 1, 9: 1, 37: 1})
	want := []plannedRequest{
		{0, []transmissionAt{{0, 0}, {5, 1}}, 10}, // server 0 is dead until 35
		{6, []transmissionAt{{6, 1}}, 11},
		{7, []transmissionAt{{7, 1}}, 12},            // it was server 0's turn
		{36, []transmissionAt{{36, 1}, {41, 0}}, 46}, // then server 0's probe
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDeadCriteria(t *testing.T) {
	s := simulate(t, setup{DeadCriteria: servers.DeadCriteria{Time: 8 * time.Second, Tries: 2}}, retry.Schedule{}, retry.Schedule{})
	// Server 0 answers at 3. The timeouts at 5, 10 (after 7 s) and 15 (after 12 s) are consecutive,
	// but only the third is late enough.
	got := s.run(t, []int{0, 12, 16}, map[int]int{3: 0, 21: 1, 26: 1, 31: 1, 36: 1})
	want := []plannedRequest{
		{0, []transmissionAt{{0, 0}, {5, 0}, {10, 0}, {15, 0}, {20, 1}, {25, 1}, {30, 1}, {35, 1}}, 40},
		{12, []transmissionAt{{12, 0}, {17, 0}, {22, 0}, {27, 0}, {32, 1}, {37, 1}, {42, 1}, {47, 1}}, 52},
		{16, []transmissionAt{{16, 1}, {21, 1}, {26, 1}, {31, 1}}, 36},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestValidProgress(t *testing.T) {
	g := simulate(t, setup{}, s4, retry.Schedule{}).g
	all := simulate(t, setup{}, make([]retry.Schedule, 64)...).g
	for _, tc := range []struct {
		name string
		g    *Group
		at   retry.Progress
		want bool
	}{
		{"the beginning", g, retry.Progress{}, true},
		{"the first of the back-off", g, retry.Progress{Tried: 1, Transmissions: 4}, true},
		{"the last of the back-off", g, retry.Progress{Tried: 3, Transmissions: 35}, true},
		{"after the last", g, retry.Progress{Tried: 1, Transmissions: 36}, true},
		{"beyond the last", g, retry.Progress{Tried: 1, Transmissions: 37}, false},
		{"a normal transmission", g, retry.Progress{Tried: 1, Transmissions: 3}, false},
		{"a server without back-off", g, retry.Progress{Tried: 2, Server: 1, Transmissions: 4}, false},
		{"no such server", g, retry.Progress{Tried: 1, Server: 2, Transmissions: 4}, false},
		{"a server that it was not sent to", g, retry.Progress{Tried: 2, Transmissions: 4}, false},
		{"sent to a server that is not there", g, retry.Progress{Tried: 5, Transmissions: 4}, false},
		{"of other servers", g, retry.Progress{Tried: 1, Transmissions: 4, Servers: 1}, false},
		{"one server had its chance", g, retry.Progress{Tried: 1}, true},
		{"all had their chance", g, retry.Progress{Tried: 3}, false},
		{"64 servers", all, retry.Progress{Tried: 1<<63 - 1}, true},
		{"64 servers had their chance", all, retry.Progress{Tried: 1<<64 - 1}, false},
	} {
		if tc.at != (retry.Progress{}) && tc.at.Servers == 0 {
			tc.at.Servers = tc.g.membersHash
		}
		if got := tc.g.validProgress(tc.at); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// TestAnyProgress: whatever Progress is passed, a request is sent. It fails without a transmission
// only if its last one was suppressed.
func TestAnyProgress(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := simulate(t, setup{Algorithm: Algorithm(rapid.IntRange(0, 1).Draw(r, "algorithm"))}, s4, retry.Schedule{})
		at := retry.Progress{
			Tried:  rapid.Uint64Range(0, 5).Draw(r, "tried"),
			Server: rapid.Uint16Range(0, 3).Draw(r, "server"), Transmissions: rapid.Uint16Range(0, 40).Draw(r, "transmission"),
			Servers: rapid.SampledFrom([]uint32{s.g.membersHash, s.g.membersHash + 1}).Draw(r, "servers"),
		}
		x := newExchange(s.g, testRequest(s.now), at)
		due, err := s.g.accept(x)
		over := at == retry.Progress{Tried: 3, Transmissions: 36, Servers: s.g.membersHash}
		switch {
		case over && !errors.Is(err, ErrNoResponse), !over && (err != nil || !due):
			r.Fatalf("%+v: %v, %v", at, due, err)
		case !over && x.tried&(1<<x.server) == 0:
			r.Fatalf("%+v: goes to server %d, tried %b", at, x.server, x.tried)
		}
	})
}

// TestExpiryBeforeBackoff: an expiry before a back-off transmission was made does not count it.
func TestExpiryBeforeBackoff(t *testing.T) {
	s := simulate(t, setup{}, s4)
	x := newExchange(s.g, testRequest(s.now), retry.Progress{Tried: 1, Transmissions: 35, Servers: s.g.membersHash})
	if due, err := s.g.accept(x); !due || err != nil {
		t.Fatal(due, err)
	}
	s.now = at(5)
	if due, over, _ := s.g.expire(nil, nil); len(due) != 1 || len(over) != 0 || x.tries != 35 {
		t.Errorf("%d due, %d over, after %d transmissions", len(due), len(over), x.tries)
	}
}

// TestProbeSettledFromElsewhere: a probe that a late answer of another server settles makes room
// for another probe.
func TestProbeSettledFromElsewhere(t *testing.T) {
	s := simulate(t, setup{}, retry.Schedule{})
	s.run(t, []int{0}, nil) // becomes dead at 20
	s.now = at(60)
	x := newExchange(s.g, testRequest(s.now), retry.Progress{})
	if due, err := s.g.accept(x); !due || err != nil {
		t.Fatal(due, err)
	}
	if !s.g.states[0].Probing() {
		t.Fatal("it is no probe")
	}
	s.g.settle(x)
	if s.g.states[0].Probing() || !s.g.states[0].Usable(s.now) {
		t.Error("it still is the probe")
	}
}

// TestSlowSender: if Run has sent a request before a slow caller of Send, the caller does not send
// it again.
func TestSlowSender(t *testing.T) {
	s := simulate(t, setup{Listen: func(string, netip.AddrPort) (Socket, error) { return nil, errors.New("no socket") }}, retry.Schedule{})
	x := newExchange(s.g, testRequest(s.now), retry.Progress{})
	if due, err := s.g.accept(x); !due || err != nil {
		t.Fatal(due, err)
	}
	for range 2 { // Run, and the caller
		s.g.client.transmit(x, nil)
	}
	if got := s.g.Stats().Servers[0]; got.Requests != 1 || got.Retransmissions != 0 || got.PendingRequests != 1 || got.SendErrors != 1 {
		t.Errorf("counted %+v", got)
	}
}
