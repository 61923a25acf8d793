package radius

import (
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/accounting"
)

// attemptAt is an attempt: so many seconds after the test's begin, to this server.
type attemptAt struct{ Second, Server int }

// journey is a record that is sent at a second, and what becomes of it.
type journey struct {
	Begin    int
	Attempts []attemptAt
	Over     int // when nobody had answered
}

// simulation is a group without sockets or goroutines, and a clock that jumps from deadline to deadline.
type simulation struct {
	now time.Time
	g   *Group
}

func simulate(t *testing.T, cfg Config, servers int) *simulation {
	t.Helper()
	s := &simulation{now: at(0)}
	for i := range servers {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(1813+i))
		cfg.Servers = append(cfg.Servers, Server{Addr: addr, Secret: testSecret})
	}
	cfg.Now = func() time.Time { return s.now }
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	g.phase = running
	s.g = g
	return s
}

func (s *simulation) second() int { return int(s.now.Sub(at(0)) / time.Second) }

// run plays the journeys of records that are sent at these seconds; hear tells in which second a
// server answers something else.
func (s *simulation) run(t *testing.T, begins []int, hear map[int]int) []journey {
	t.Helper()
	journeys := make([]journey, len(begins))
	of := map[*exchange]*journey{}
	send := func(x *exchange) {
		j := of[x]
		j.Attempts = append(j.Attempts, attemptAt{s.second(), x.server})
		s.g.begin(x, none, s.now)
	}
	for second := range 1000 {
		s.now = at(second)
		if server, ok := hear[second]; ok {
			s.g.states[server].answered(s.now)
		}
		for i, b := range begins {
			if b != second {
				continue
			}
			x := &exchange{rec: testRecord(1, s.now), index: none, server: none, slot: none}
			journeys[i].Begin = second
			of[x] = &journeys[i]
			if ok, err := s.g.accept(x); !ok || err != nil {
				t.Fatalf("not accepted: %v", err)
			}
			send(x)
		}
		due, failed, wait := s.g.expire(nil, nil)
		if wait <= 0 {
			t.Fatalf("%d s: would look again after %v", second, wait)
		}
		for _, x := range due {
			send(x)
		}
		for _, x := range failed {
			of[x].Over = second
		}
	}
	if len(s.g.deadlines) != 0 {
		t.Errorf("%d records are still there", len(s.g.deadlines))
	}
	for i := range s.g.Stats().Servers {
		if p := s.g.Stats().Servers[i].PendingRequests; p != 0 {
			t.Errorf("server %d: %d pending", i, p)
		}
	}
	return journeys
}

func TestSchedule(t *testing.T) {
	// to is four attempts with a server, five seconds apart.
	to := func(server, from int) []attemptAt {
		return []attemptAt{{from, server}, {from + 5, server}, {from + 10, server}, {from + 15, server}}
	}
	join := func(parts ...[]attemptAt) (all []attemptAt) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for _, tc := range []struct {
		name    string
		cfg     Config
		servers int
		hear    map[int]int
		want    []journey
	}{
		{"one server", Config{}, 1, nil, []journey{{0, to(0, 0), 20}}},
		{"two servers", Config{}, 2, nil, []journey{{0, join(to(0, 0), to(1, 20)), 40}}},
		{"three servers, no retransmission, 2 s", Config{Retransmit: -1, Timeout: 2 * time.Second}, 3, nil, []journey{
			{0, []attemptAt{{0, 0}, {2, 1}, {4, 2}}, 6},
		}},
		{"later records skip the one that failed", Config{}, 2, map[int]int{30: 1}, []journey{
			{0, join(to(0, 0), to(1, 20)), 40},
			{25, to(1, 25), 45}, // server 1 answered another record at 30: it is up, 0 is skipped
			{50, join(to(0, 50), to(1, 70)), 90},
		}},
		{"all down: in order", Config{}, 2, nil, []journey{
			{0, join(to(0, 0), to(1, 20)), 40},
			{41, join(to(0, 41), to(1, 61)), 81},
		}},
		{"hold-down of 5 s", Config{HoldDown: 5 * time.Second}, 2, map[int]int{24: 1}, []journey{
			{0, join(to(0, 0), to(1, 20)), 40},
			{24, join(to(1, 24), to(0, 44)), 64}, // by then the hold-down of 0 is over
			{25, join(to(0, 25), to(1, 45)), 65},
		}},
		{"no hold-down", Config{HoldDown: -1}, 2, nil, []journey{
			{0, join(to(0, 0), to(1, 20)), 40},
			{21, join(to(0, 21), to(1, 41)), 61},
		}},
		{"a record that only is not wanted holds nobody down", Config{}, 2, map[int]int{12: 0, 33: 1}, []journey{
			{0, join(to(0, 0), to(1, 20)), 40},
			{21, join(to(0, 21), to(1, 41)), 61},
		}},
		{"back before the hold-down is over", Config{}, 2, map[int]int{22: 0}, []journey{
			{0, join(to(0, 0), to(1, 20)), 40},
			{23, join(to(0, 23), to(1, 43)), 63},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var begins []int
			for _, j := range tc.want {
				begins = append(begins, j.Begin)
			}
			got := simulate(t, tc.cfg, tc.servers).run(t, begins, tc.hear)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScheduleStats(t *testing.T) {
	s := simulate(t, Config{}, 2)
	s.run(t, []int{0, 0}, nil)
	for i, got := range s.g.Stats().Servers {
		if got.Requests != 2 || got.Retransmissions != 6 || got.Timeouts != 8 {
			t.Errorf("server %d: %+v, want 2 requests, 6 retransmissions, 8 timeouts", i, got)
		}
	}
}

func TestDownUntil(t *testing.T) {
	s := simulate(t, Config{}, 1)
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

// An expiry that meets a record before its first attempt was made takes no chance from it.
func TestExpiryBeforeFirstAttempt(t *testing.T) {
	s := simulate(t, Config{}, 2)
	x := &exchange{rec: testRecord(1, s.now), index: none, server: none, slot: none}
	if _, err := s.g.accept(x); err != nil {
		t.Fatal(err)
	}
	s.now = at(5)
	due, failed, _ := s.g.expire(nil, nil)
	if len(due) != 1 || len(failed) != 0 || x.server != 0 || x.tries != 0 {
		t.Errorf("%d due, %d failed, to server %d after %d tries", len(due), len(failed), x.server, x.tries)
	}
	if got := s.g.Stats().Servers[0]; got.Timeouts != 0 || got.PendingRequests != 0 {
		t.Errorf("counted %+v", got)
	}
}

func TestDelay(t *testing.T) {
	for _, tc := range []struct {
		name string
		age  time.Duration
		want uint32
	}{
		{"now", 0, 0},
		{"just under a second", 999 * time.Millisecond, 0},
		{"a second", time.Second, 1},
		{"an hour", time.Hour, 3600},
		{"in the future", -time.Hour, 0},
		{"longer than the attribute can say", 200 * 365 * 24 * time.Hour, math.MaxUint32},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := &exchange{rec: &accounting.Record{At: at(0)}}
			if got := x.delay(at(0).Add(tc.age)); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestDeadlinesAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d deadlines
		model := map[*exchange]time.Time{}
		all := make([]*exchange, 8)
		for i := range all {
			all[i] = &exchange{index: none}
		}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				x := rapid.SampledFrom(all).Draw(t, "exchange")
				model[x] = at(rapid.IntRange(0, 20).Draw(t, "second"))
				d.set(x, model[x])
			},
			"remove": func(t *rapid.T) {
				x := rapid.SampledFrom(all).Draw(t, "exchange")
				if x.index == none {
					t.Skip("not in")
				}
				d.remove(x)
				delete(model, x)
			},
			"": func(t *rapid.T) {
				if len(d) != len(model) {
					t.Fatalf("%d, want %d", len(d), len(model))
				}
				for i, x := range d {
					if x.index != i || x.deadline != model[x] || x.deadline.Before(d[0].deadline) {
						t.Fatalf("%d: %+v, want deadline %v, none before %v", i, x, model[x], d[0].deadline)
					}
				}
			},
		})
	})
}

func TestConfig(t *testing.T) {
	one := Server{Addr: netip.MustParseAddrPort("192.0.2.1:1813"), Secret: "s"}
	for _, tc := range []struct {
		name string
		cfg  Config
		want string // in the error; "" is none
	}{
		{"least", Config{Servers: []Server{one}}, ""},
		{"same host, other port", Config{Servers: []Server{one, {Addr: netip.MustParseAddrPort("192.0.2.1:1646"), Secret: "s"}}}, ""},
		{"source", Config{Servers: []Server{one}, Source: netip.MustParseAddr("::ffff:192.0.2.9")}, ""},
		{"no server", Config{Name: "g"}, `group "g": 0 servers`},
		{"65 servers", Config{Servers: make([]Server, 65)}, "65 servers"},
		{"no address", Config{Servers: []Server{one, {Secret: "s"}}}, "server 2: no address"},
		{"no port", Config{Servers: []Server{{Addr: netip.MustParseAddrPort("192.0.2.1:0"), Secret: "s"}}}, "server 1: no address or port"},
		{"no secret", Config{Servers: []Server{{Name: "a", Addr: one.Addr}}}, "server a: no secret"},
		{"twice", Config{Servers: []Server{one, {Addr: netip.MustParseAddrPort("[::ffff:192.0.2.1]:1813"), Secret: "t"}}}, "192.0.2.1:1813 is there twice"},
		{"source of another family", Config{Servers: []Server{one}, Source: netip.MustParseAddr("::1")}, "of another family"},
		{"negative timeout", Config{Servers: []Server{one}, Timeout: -1}, "is negative"},
		{"too many in flight", Config{Servers: []Server{one}, MaxInFlight: 65537}, "is not 1..65536"},
		{"negative in flight", Config{Servers: []Server{one}, MaxInFlight: -1}, "is not 1..65536"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := New(tc.cfg)
			switch {
			case tc.want == "" && err != nil:
				t.Error(err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("err = %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	servers := []Server{{Addr: netip.MustParseAddrPort("192.0.2.1:1813"), Secret: "s"}}
	g, err := New(Config{Name: "main", Servers: servers})
	if err != nil {
		t.Fatal(err)
	}
	c := g.cfg
	if c.Timeout != 5*time.Second || c.Retransmit != 3 || c.HoldDown != 30*time.Second || g.Window() != 1024 ||
		c.Servers[0].Name != "192.0.2.1:1813" || g.String() != "accounting group main" {
		t.Errorf("defaults: %+v", c)
	}
	if g, err = New(Config{Servers: servers, Retransmit: -1, HoldDown: -1}); err != nil || g.cfg.Retransmit != 0 || g.cfg.HoldDown != 0 {
		t.Errorf("none: %+v, %v", g.cfg, err)
	}
	if servers[0].Name != "" {
		t.Error("the caller's servers were changed")
	}
}

func TestErrors(t *testing.T) {
	for _, err := range []error{ErrStopped, ErrOverflow} {
		if !errors.Is(err, accounting.ErrStopped) {
			t.Errorf("%v would be taken for a refusal", err)
		}
	}
	if errors.Is(ErrUnsendable, accounting.ErrStopped) || errors.Is(ErrUnsendable, accounting.ErrNoResponse) {
		t.Error("a record that never can be sent would be tried for ever")
	}
}
