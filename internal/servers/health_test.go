package servers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// at returns the time that many seconds after the start of the tests.
func at(seconds int) time.Time { return time.Unix(1_700_000_000+int64(seconds), 0) }

// The rules for servers in these tests.
var (
	byDefault  = DeathRule{HoldDown: 30 * time.Second}
	byCriteria = DeathRule{DeadCriteria{Time: 10 * time.Second, Tries: 3}, 30 * time.Second}
)

func TestHealth(t *testing.T) {
	for _, tc := range []struct {
		name      string
		rule      DeathRule
		do        func(s *Health, r DeathRule) bool
		changed   bool
		state     State
		downUntil int // the first second when it may be probed; 0 means that it is not down
	}{
		{"new", byDefault, func(*Health, DeathRule) bool { return false }, false, Unknown, 0},
		{"answered", byDefault, func(s *Health, _ DeathRule) bool { return s.Answered(at(1)) }, false, Up, 0},
		{"failed", byDefault, func(s *Health, r DeathRule) bool { return s.Failed(at(0), at(20), true, r) }, true, Dead, 50},
		{"failed again while down", byDefault, func(s *Health, r DeathRule) bool {
			s.Failed(at(0), at(20), true, r)
			return s.Failed(at(3), at(23), true, r)
		}, false, Dead, 53},
		{"failed again after the hold-down", byDefault, func(s *Health, r DeathRule) bool {
			s.Failed(at(0), at(20), true, r)
			return s.Failed(at(51), at(71), true, r)
		}, false, Dead, 101},
		{"one transmission of a back-off, when dead", byDefault, func(s *Health, r DeathRule) bool {
			s.Failed(at(0), at(20), true, r)
			return s.Failed(at(60), at(65), false, r)
		}, false, Dead, 95},
		{"one transmission of a back-off, when up", byDefault, func(s *Health, r DeathRule) bool {
			s.Answered(at(1))
			return s.Failed(at(60), at(65), false, r)
		}, false, Up, 0},
		{"answers others", byDefault, func(s *Health, r DeathRule) bool {
			s.Answered(at(5))
			return s.Failed(at(0), at(20), true, r)
		}, false, Up, 0},
		{"answered in the moment of sending", byDefault, func(s *Health, r DeathRule) bool {
			s.Answered(at(5))
			return s.Failed(at(5), at(25), true, r)
		}, false, Up, 0},
		{"answered before", byDefault, func(s *Health, r DeathRule) bool {
			s.Answered(at(5))
			return s.Failed(at(6), at(26), true, r)
		}, true, Dead, 56},
		{"comes back", byDefault, func(s *Health, r DeathRule) bool {
			s.Failed(at(0), at(20), true, r)
			return s.Answered(at(21))
		}, true, Up, 0},
		{"comes back after the hold-down", byDefault, func(s *Health, r DeathRule) bool {
			s.Failed(at(0), at(20), true, r)
			return s.Answered(at(50))
		}, true, Up, 0},
		{"accepts nothing", byDefault, func(s *Health, r DeathRule) bool { return s.Refused(at(20), r) }, true, Dead, 50},
		{"accepts nothing, again", byDefault, func(s *Health, r DeathRule) bool {
			s.Refused(at(20), r)
			return s.Refused(at(60), r)
		}, false, Dead, 90},
		{"accepts nothing, without hold-down", DeathRule{}, func(s *Health, r DeathRule) bool { return s.Refused(at(20), r) }, false, Up, 0},
		{"accepts nothing, and accepts something", byDefault, func(s *Health, r DeathRule) bool {
			s.Refused(at(20), r)
			return s.Answered(at(30))
		}, true, Up, 0},
		{"no hold-down", DeathRule{}, func(s *Health, r DeathRule) bool {
			return s.Failed(at(0), at(20), true, r)
		}, false, Unknown, 0},
		{"timeouts alone, by default", byDefault, func(s *Health, r DeathRule) bool { return timeouts(s, r, 1, 20) }, false, Unknown, 0},
		{"never heard, too few timeouts", byCriteria, func(s *Health, r DeathRule) bool { return timeouts(s, r, 1, 2) }, false, Unknown, 0},
		{"never heard, enough timeouts", byCriteria, func(s *Health, r DeathRule) bool { return timeouts(s, r, 1, 3) }, true, Dead, 33},
		{"heard too short a time ago", byCriteria, func(s *Health, r DeathRule) bool {
			s.Answered(at(1))
			return timeouts(s, r, 2, 9)
		}, false, Up, 0},
		{"heard just long enough ago", byCriteria, func(s *Health, r DeathRule) bool {
			s.Answered(at(1))
			return timeouts(s, r, 2, 10)
		}, true, Dead, 41},
		{"timeouts not in a row", byCriteria, func(s *Health, r DeathRule) bool {
			timeouts(s, r, 1, 2)
			s.Answered(at(3))
			return timeouts(s, r, 60, 2)
		}, false, Up, 0},
		{"criteria: a record that failed is not enough", byCriteria, func(s *Health, r DeathRule) bool {
			return s.Failed(at(0), at(20), true, r)
		}, false, Unknown, 0},
		{"criteria: held down again", byCriteria, func(s *Health, r DeathRule) bool {
			timeouts(s, r, 1, 3)
			return s.Failed(at(40), at(60), true, r)
		}, false, Dead, 90},
		{"criteria: timeouts alone do not hold it down again", byCriteria, func(s *Health, r DeathRule) bool {
			return timeouts(s, r, 1, 30)
		}, false, Dead, 33},
		{"tries alone", DeathRule{DeadCriteria{Tries: 1}, time.Second}, func(s *Health, r DeathRule) bool {
			s.Answered(at(1))
			return timeouts(s, r, 2, 1)
		}, true, Dead, 3},
		{"time alone", DeathRule{DeadCriteria{Time: 5 * time.Second}, time.Second}, func(s *Health, r DeathRule) bool {
			s.Answered(at(1))
			return timeouts(s, r, 2, 5)
		}, true, Dead, 7},
		{"criteria without hold-down", DeathRule{DeadCriteria{Tries: 1}, 0}, func(s *Health, r DeathRule) bool {
			return timeouts(s, r, 1, 1)
		}, false, Unknown, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Health{since: at(0)}
			if got := tc.do(&s, tc.rule); got != tc.changed {
				t.Errorf("changed = %v, want %v", got, tc.changed)
			}
			if got := s.state(); got != tc.state {
				t.Errorf("state %v, want %v", got, tc.state)
			}
			if tc.downUntil == 0 {
				if s.Down(at(0)) || s.Down(at(1000)) {
					t.Errorf("down until %v, want up", s.downUntil)
				}
				return
			}
			before, then := at(tc.downUntil-1), at(tc.downUntil)
			if !s.Down(before) || s.Down(then) || s.Usable(before) || !s.Usable(then) {
				t.Errorf("down until %v, want %v", s.downUntil, then)
			}
		})
	}
}

// TestSuspect: a port that is dead because of the other one is up when that one answers, unless it has
// not answered itself.
func TestSuspect(t *testing.T) {
	for _, tc := range []struct {
		name      string
		do        func(s *Health)
		suspected bool
		cleared   bool // by an answer on the other port
		state     State
	}{
		{"suspected", func(s *Health) { s.Suspect(at(1), byDefault) }, true, true, Up},
		{"suspected after an answer", func(s *Health) {
			s.Answered(at(0))
			s.Suspect(at(1), byDefault)
		}, true, true, Up},
		{"no hold-down", func(s *Health) { s.Suspect(at(1), DeathRule{}) }, false, false, Unknown},
		{"dead already", func(s *Health) {
			s.Failed(at(0), at(1), true, byDefault)
			s.Suspect(at(1), byDefault)
		}, false, false, Dead},
		{"suspected, and failed itself", func(s *Health) {
			s.Suspect(at(1), byDefault)
			s.Failed(at(2), at(3), true, byDefault)
		}, false, false, Dead},
		{"suspected, and answered itself", func(s *Health) {
			s.Suspect(at(1), byDefault)
			s.Answered(at(2))
		}, false, false, Up},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := NewHealth(at(0))
			tc.do(&s)
			if got := s.Suspected(); got != tc.suspected {
				t.Errorf("suspected = %v", got)
			}
			if got := s.Clear(at(5)); got != tc.cleared {
				t.Errorf("cleared = %v", got)
			}
			if got := s.state(); got != tc.state {
				t.Errorf("state %v, want %v", got, tc.state)
			}
		})
	}
}

// timeouts reports n timeouts, one each second, and returns the result of the last.
func timeouts(s *Health, r DeathRule, from, n int) (died bool) {
	for i := range n {
		died = s.TimedOut(at(from+i), r)
	}
	return died
}

func TestProbe(t *testing.T) {
	s := Health{since: at(0)}
	if n := s.BeginProbe(); n != 0 || s.Probing() {
		t.Errorf("a server that is not dead has probe %d", n)
	}
	s.Failed(at(0), at(20), true, byDefault) // until 50
	first := s.BeginProbe()
	if second := s.BeginProbe(); first == 0 || second != 0 || !s.Probing() || s.Usable(at(50)) {
		t.Errorf("probes %d and %d at once", first, second)
	}
	s.Failed(at(20), at(40), true, byDefault)
	s.EndProbe(first)
	if s.Probing() || s.Usable(at(69)) || !s.Usable(at(70)) {
		t.Errorf("after a probe that failed: %+v", s)
	}
	old := s.BeginProbe()
	s.Answered(at(71))
	s.Failed(at(72), at(92), true, byDefault)
	present := s.BeginProbe()
	s.EndProbe(old) // it was still in flight
	s.EndProbe(0)
	if !s.Probing() || present == old {
		t.Errorf("probe %d was ended by %d", present, old)
	}
}

func TestStateTimes(t *testing.T) {
	s := Health{since: at(0)}
	type times struct {
		State          State
		Since          time.Time
		Previous, Dead time.Duration
		Deaths         uint64
	}
	check := func(now int, want times) {
		t.Helper()
		got := times{s.state(), s.since, s.previous, s.totalDeadTime(at(now)), s.deaths}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at %d s: %s", now, diff)
		}
	}
	check(5, times{State: Unknown, Since: at(0)})
	s.Answered(at(10))
	check(10, times{State: Up, Since: at(0)}) // no change of casState
	s.Failed(at(11), at(31), true, byDefault)
	check(40, times{State: Dead, Since: at(31), Previous: 31 * time.Second, Dead: 9 * time.Second, Deaths: 1})
	s.Failed(at(61), at(81), true, byDefault)
	check(100, times{State: Dead, Since: at(31), Previous: 31 * time.Second, Dead: 69 * time.Second, Deaths: 1})
	s.Answered(at(131))
	check(200, times{State: Up, Since: at(131), Previous: 100 * time.Second, Dead: 100 * time.Second, Deaths: 1})
	s.Failed(at(201), at(221), true, byDefault)
	check(222, times{State: Dead, Since: at(221), Previous: 90 * time.Second, Dead: 101 * time.Second, Deaths: 2})
}

func TestChoose(t *testing.T) {
	up, down := Health{}, Health{dead: true, downUntil: at(10)}
	probed := Health{dead: true, downUntil: at(10), probe: 1}
	for _, tc := range []struct {
		name    string
		servers []Health
		tried   uint64
		start   int
		now     int
		want    int
	}{
		{"first", []Health{up, up, up}, 0, 0, 0, 0},
		{"next in order", []Health{up, up, up}, 0b001, 0, 0, 1},
		{"last", []Health{up, up, up}, 0b011, 0, 0, 2},
		{"over", []Health{up, up, up}, 0b111, 0, 0, None},
		{"first is down", []Health{down, up, up}, 0, 0, 0, 1},
		{"middle is down", []Health{up, down, up}, 0b001, 0, 0, 2},
		{"hold-down is over", []Health{down, up, up}, 0, 0, 10, 0},
		{"hold-down is over, but it is being probed", []Health{probed, up, up}, 0, 0, 10, 1},
		{"first came back after the second was tried", []Health{up, up}, 0b10, 0, 0, 0},
		{"all down", []Health{down, down, down}, 0, 0, 0, 0},
		{"all down, first was tried", []Health{down, down, down}, 0b001, 0, 0, 1},
		{"all down and tried", []Health{down, down}, 0b11, 0, 0, None},
		{"all dead, one may be probed", []Health{down, {dead: true, downUntil: at(5)}}, 0, 0, 5, 1},
		{"all dead and being probed", []Health{probed, probed}, 0, 0, 20, 0},
		{"what is left is down", []Health{down, up}, 0b10, 0, 0, None},
		{"what is left is being probed", []Health{probed, up}, 0b10, 0, 20, None},
		{"one", []Health{up}, 0, 0, 0, 0},
		{"one, down", []Health{down}, 0, 0, 0, 0},
		{"the 64th", make([]Health, 64), 1<<63 - 1, 0, 0, 63},
		{"from the second on", []Health{up, up, up}, 0, 1, 0, 1},
		{"cyclically", []Health{up, up, up}, 0b110, 1, 0, 0},
		{"cyclically, past one that is down", []Health{up, up, down}, 0b010, 1, 0, 0},
		{"from the second on, all down", []Health{down, down, down}, 0b010, 1, 0, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Choose(pointers(tc.servers), tc.tried, 0, tc.start, at(tc.now)); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

// stateModel has servers and the requests that are with them, as a group uses both.
type stateModel struct {
	rule    DeathRule
	servers []Health
	now     int
	records []modelRequest
}

// modelRequest is a request that is with a server.
type modelRequest struct {
	server  int
	tried   uint64
	since   int
	probe   uint64
	chosen  bool // chosen by choose while another server was up and this one was dead
	present bool
}

func (l *stateModel) othersUp(server int) bool {
	for i := range l.servers {
		if i != server && !l.servers[i].dead {
			return true
		}
	}
	return false
}

// send has choose find the next server of r.
func (l *stateModel) send(t *rapid.T, r modelRequest) {
	start := rapid.IntRange(0, len(l.servers)-1).Draw(t, "start")
	n := Choose(pointers(l.servers), r.tried, 0, start, at(l.now))
	if n == None {
		return
	}
	if r.tried&(1<<n) != 0 {
		t.Fatalf("server %d was tried: %b", n, r.tried)
	}
	s := &l.servers[n]
	if s.Down(at(l.now)) && l.othersUp(n) {
		t.Fatalf("server %d is held down, others are up", n)
	}
	r.server, r.tried, r.since, r.present = n, r.tried|1<<n, l.now, true
	r.chosen = s.dead && l.othersUp(n)
	r.probe = s.BeginProbe()
	l.records = append(l.records, r)
}

// leave removes a request from its server and from the list.
func (l *stateModel) leave(t *rapid.T) modelRequest {
	if len(l.records) == 0 {
		t.Skip("no record")
	}
	i := rapid.IntRange(0, len(l.records)-1).Draw(t, "record")
	r := l.records[i]
	l.records = append(l.records[:i], l.records[i+1:]...)
	return r
}

func (l *stateModel) check(t *rapid.T) {
	for n := range l.servers {
		s := &l.servers[n]
		probes, chosen := 0, 0
		for _, r := range l.records {
			if r.server == n && r.probe != 0 && r.probe == s.probe {
				probes++
			}
			if r.server == n && r.chosen {
				chosen++
			}
		}
		if probes > 1 || s.dead && chosen > 1 {
			t.Fatalf("server %d: %d probes, %d records sent while others were up", n, probes, chosen)
		}
		if s.Probing() != (probes == 1) {
			t.Fatalf("server %d: probing = %v with %d probes", n, s.Probing(), probes)
		}
		if !s.dead && !s.Usable(at(l.now)) {
			t.Fatalf("server %d is up and not usable", n)
		}
		if s.dead && s.totalDeadTime(at(l.now)) < at(l.now).Sub(s.since) {
			t.Fatalf("server %d: dead time %v", n, s.totalDeadTime(at(l.now)))
		}
	}
}

func TestHealthAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &stateModel{
			rule:    rapid.SampledFrom([]DeathRule{byDefault, byCriteria}).Draw(t, "rule"),
			servers: make([]Health, rapid.IntRange(1, 4).Draw(t, "servers")),
		}
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) { l.now += rapid.IntRange(1, 40).Draw(t, "seconds") },
			"send": func(t *rapid.T) { l.send(t, modelRequest{}) },
			"answered": func(t *rapid.T) {
				r := l.leave(t)
				s := &l.servers[r.server]
				was := s.dead
				if back := s.Answered(at(l.now)); back != was || s.dead || s.Probing() {
					t.Fatalf("server %d answered and is not up", r.server)
				}
				s.EndProbe(r.probe)
				l.clearChosen(r.server)
			},
			"timed out": func(t *rapid.T) {
				if len(l.records) > 0 {
					l.servers[rapid.SampledFrom(l.records).Draw(t, "record").server].TimedOut(at(l.now), l.rule)
				}
			},
			"failed": func(t *rapid.T) {
				r := l.leave(t)
				s := &l.servers[r.server]
				s.Failed(at(r.since), at(l.now), rapid.Bool().Draw(t, "all"), l.rule)
				s.EndProbe(r.probe)
				l.send(t, r)
			},
			"": l.check,
		})
	})
}

// clearChosen forgets which requests were chosen while the server was dead: it is up again.
func (l *stateModel) clearChosen(server int) {
	for i := range l.records {
		if l.records[i].server == server {
			l.records[i].chosen = false
		}
	}
}

func pointers(all []Health) (out []*Health) {
	for i := range all {
		out = append(out, &all[i])
	}
	return out
}

// TestReport: statistics show the state of the moment on top of the history of the port.
func TestReport(t *testing.T) {
	h := NewHealth(at(0))
	h.Failed(at(1), at(21), true, byDefault)
	base := Stats{Name: "a", Requests: 7}
	s := base
	h.Report(&s, at(30))
	want := Stats{
		Name: "a", Requests: 7, State: Dead, StateSince: at(21), DownUntil: at(51), PreviousState: 21 * time.Second, TotalDeadTime: 9 * time.Second, DeadCount: 1,
	}
	if s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	want.DownUntil, want.TotalDeadTime = time.Time{}, 39*time.Second
	s = base
	if h.Report(&s, at(60)); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	// A port with a history: its last state counts until this one has changed.
	base.StateSince, base.PreviousState, base.TotalDeadTime, base.DeadCount = at(-9), 4*time.Second, 3*time.Second, 2
	s, h = base, NewHealth(at(0))
	want = base
	want.State = Unknown
	if h.Report(&s, at(1)); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	h.Failed(at(1), at(21), true, byDefault)
	s = base
	h.Report(&s, at(30))
	want.State, want.StateSince, want.PreviousState, want.DownUntil = Dead, at(21), 21*time.Second, at(51)
	want.TotalDeadTime, want.DeadCount = 12*time.Second, 3
	if s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
}

func TestAddResponseTime(t *testing.T) {
	var s Stats
	for _, tc := range []struct{ sample, mean time.Duration }{{800, 800}, {1600, 1200}, {0, 800}} {
		if s.AddResponseTime(tc.sample); s.CasResponseTime() != tc.mean {
			t.Errorf("after %v the mean is %v, want %v", tc.sample, s.CasResponseTime(), tc.mean)
		}
	}
}
