package sessions_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

const testHost = 77

// onLink gives an event an interface that has counted so much.
func onLink(ifIndex uint32, t sessions.Traffic) func(*sessions.Event) {
	return func(ev *sessions.Event) {
		ev.IfIndex, ev.Link = ifIndex, &sessions.Link{Host: testHost, Traffic: t}
	}
}

// reporting gives an event counters that the NAS has.
func reporting(u sessions.Usage) func(*sessions.Event) {
	return func(ev *sessions.Event) {
		ev.Usage, ev.Sent = u, sessions.WholeUsage
		b := radius.AppendUint32([]byte(ev.Attrs), radius.AcctInputOctets, uint32(u.InputOctets))
		b = radius.AppendUint32(b, radius.AcctInputGigawords, uint32(u.InputOctets>>32))
		b = radius.AppendUint32(b, radius.AcctOutputOctets, uint32(u.OutputOctets))
		b = radius.AppendUint32(b, radius.AcctSessionTime, u.SessionTime)
		ev.Attrs = radius.Attributes(b)
	}
}

// refresh is what a reader of the interfaces does. It returns those that have disappeared.
func refresh(t *sessions.Table, samples ...sessions.Sample) []uint32 {
	return t.Refreshed(t.BeginRefresh(), testHost, samples)
}

func sample(ifIndex uint32, in, out uint64) sessions.Sample {
	return sessions.Sample{IfIndex: ifIndex, Traffic: sessions.Traffic{in, out, in / 100, out / 100}}
}

func check(t *testing.T, table *sessions.Table) {
	t.Helper()
	if err := table.Invariants(); err != nil {
		t.Error(err)
	}
}

// wantUsed checks the counters of a session.
func wantUsed(t *testing.T, when string, s *sessions.Session, in, out uint64) {
	t.Helper()
	if u, known := s.Used(); u.InputOctets != in || u.OutputOctets != out || known&(sessions.InputOctets|sessions.OutputPackets) == 0 {
		t.Errorf("%s: %+v, known %b, want %d in and %d out", when, u, known, in, out)
	}
}

// TestLinkCounters: the counters of the interface since the session began count, without a commit, also
// after a restart and a reset of the interface.
func TestLinkCounters(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{1000, 2000, 10, 20}))
	row := func() *sessions.Session { return f.View().Get(1) }
	wantUsed(t, "at the start", row(), 0, 0)
	if missing := refresh(f.Table, sample(7, 1500, 2600), sample(8, 1, 1)); missing != nil {
		t.Errorf("%d are missing", missing)
	}
	wantUsed(t, "after a sample", row(), 500, 600)
	refresh(f.Table, sample(7, 1<<40+1000, 2600))
	wantUsed(t, "above 32 bits", row(), 1<<40, 600)
	refresh(f.Table, sample(7, 300, 100))
	wantUsed(t, "after a reset", row(), 1<<40+300, 700)

	sessionstest.Await(t, f.SaveTraffic)
	refresh(f.Table, sample(7, 400, 100))
	again := f.restart(t)
	wantUsed(t, "after a restart", again.View().Get(1), 1<<40+300, 700)
	refresh(again, sample(7, 450, 100))
	wantUsed(t, "after a restart and a sample", again.View().Get(1), 1<<40+450, 700)
	check(t, again)
}

// TestLinkIdle: the idle time counts from the newest sample that had grown; what the NAS reports does
// not count then (R2).
func TestLinkIdle(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{}))
	wantIdle := func(when string, table *sessions.Table, want uint32) {
		t.Helper()
		if got := table.View().Get(1).IdleTime(table.Clock()); got != want {
			t.Errorf("%s: %d s, want %d s", when, got, want)
		}
	}
	f.now = f.now.Add(10 * time.Second)
	wantIdle("nothing has flowed", f.Table, 10)
	refresh(f.Table, sample(7, 100, 0))
	wantIdle("at a sample that has grown", f.Table, 0)
	f.now = f.now.Add(5 * time.Second)
	refresh(f.Table, sample(7, 100, 0))
	f.send(t, sessions.Interim, "a", 0, reporting(sessions.Usage{InputOctets: 1 << 20, SessionTime: 15}))
	wantIdle("at one that has not, and an interim", f.Table, 5)
	refresh(f.Table, sessions.Sample{IfIndex: 7, Traffic: sessions.Traffic{100, 0, 2, 0}})
	wantIdle("at one with another packet", f.Table, 0)
	f.now = f.now.Add(3 * time.Second)
	wantIdle("later", f.Table, 3)
	sessionstest.Await(t, f.SaveTraffic)
	wantIdle("after a restart", f.restart(t), 3)
}

// TestLinkRecords: interims and the stop of the program that reports the session have the counters of
// the interface, each if it is larger; those that we make have them, too.
func TestLinkRecords(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{}))
	refresh(f.Table, sample(7, 1<<33+5, 300))
	f.now = f.now.Add(20 * time.Second)
	f.send(t, sessions.Interim, "a", 0)
	f.send(t, sessions.Interim, "a", 1, reporting(sessions.Usage{InputOctets: 1, OutputOctets: 400, SessionTime: 20}))
	refresh(f.Table, sample(7, 1<<33+6, 300))
	f.send(t, sessions.Stop, "a", 2, reporting(sessions.Usage{InputOctets: 2, OutputOctets: 401, SessionTime: 22}))
	var got []map[string]uint32
	for _, n := range f.journal.Notices() {
		counters := map[string]uint32{}
		for name, typ := range map[string]radius.Type{
			"in": radius.AcctInputOctets, "in high": radius.AcctInputGigawords, "out": radius.AcctOutputOctets,
			"out high": radius.AcctOutputGigawords, "packets in": radius.AcctInputPackets, "time": radius.AcctSessionTime,
		} {
			if v, ok := n.Attrs.Uint32(typ); ok {
				counters[name] = v
			}
		}
		got = append(got, counters)
	}
	packets := uint32((1<<33 + 5) / 100)
	want := []map[string]uint32{
		{},
		{"in": 5, "in high": 2, "out": 300, "packets in": packets},
		{"in": 5, "in high": 2, "out": 400, "packets in": packets, "time": 20},
		{"in": 6, "in high": 2, "out": 401, "packets in": packets, "time": 22},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	last := f.journal.Notices()[3].Session
	wantUsed(t, "in the stop", last, 1<<33+6, 401)
	if last.HasLink() || f.HasLinks() {
		t.Error("the interface is still used")
	}
	check(t, f.Table)
}

// TestLinkLost: a session whose interface has disappeared ends when its program has had time to report
// the stop, with the last counters, at that moment.
func TestLinkLost(t *testing.T) {
	tests := []struct {
		name string
		do   func(t *testing.T, f *fixture)
		in   uint64 // octets of the stop that is made; 0: none is made
		time uint32 // its session time
		at   time.Duration
	}{
		{"told with the last counters", func(t *testing.T, f *fixture) {
			f.LinkLost(testHost, 7, &sessions.Traffic{900, 5, 9, 1})
		}, 900, 60, time.Minute},
		{"told with counters that have fallen", func(t *testing.T, f *fixture) {
			f.LinkLost(testHost, 7, &sessions.Traffic{0, 5, 0, 1})
		}, 500, 60, time.Minute},
		{"missing in a dump", func(t *testing.T, f *fixture) {
			if missing := refresh(f.Table); len(missing) != 1 || missing[0] != 7 {
				t.Errorf("missing: %d", missing)
			}
			f.LinkLost(testHost, 7, nil)
		}, 500, 50, 50 * time.Second},
		{"of another boot", func(t *testing.T, f *fixture) {
			f.Refreshed(f.BeginRefresh(), testHost+1, []sessions.Sample{sample(7, 3, 3)})
		}, 500, 50, 50 * time.Second},
		{"the program reports the stop", func(t *testing.T, f *fixture) {
			f.LinkLost(testHost, 7, &sessions.Traffic{900, 5, 9, 1})
			f.send(t, sessions.Stop, "a", 1)
		}, 0, 0, 0},
		{"the program reports another interface", func(t *testing.T, f *fixture) {
			f.LinkLost(testHost, 7, &sessions.Traffic{900, 5, 9, 1})
			f.send(t, sessions.Interim, "a", 1, onLink(9, sessions.Traffic{40, 0, 0, 0}))
			refresh(f.Table, sample(9, 50, 0))
			wantUsed(t, "with another interface", f.View().Get(1), 910, 5)
		}, 0, 0, 0},
		{"another interface", func(t *testing.T, f *fixture) { f.LinkLost(testHost, 8, nil) }, 0, 0, 0},
		{"the same number in another namespace", func(t *testing.T, f *fixture) { f.LinkLost(testHost+1, 7, nil) }, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, sessions.Config{})
			start := f.now
			f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{}))
			f.now = start.Add(50 * time.Second)
			refresh(f.Table, sample(7, 500, 5))
			f.now = start.Add(time.Minute)
			tt.do(t, f)
			f.now = start.Add(64 * time.Second)
			f.endLost(t, 0)
			f.now = start.Add(65 * time.Second)
			if tt.in == 0 {
				f.endLost(t, 0)
				return
			}
			f.endLost(t, 1)
			f.waitForCommits(t)
			stop := f.journal.Notices()[1]
			if stop.Type != sessions.Stop || stop.Cause != sessions.CauseLostCarrier || stop.Attrs != "" || !stop.At.Equal(start.Add(tt.at)) || stop.Session.Usage.SessionTime != tt.time {
				t.Errorf("%+v with %+v", stop, stop.Session.Usage)
			}
			wantUsed(t, "in the stop", stop.Session, tt.in, 5)
			if f.NextLost(0) != 0 {
				t.Error("more sessions are to be ended")
			}
		})
	}
}

// endLost ends sessions that have lost their interface for five seconds.
func (f *fixture) endLost(t *testing.T, want int) {
	t.Helper()
	check(t, f.Table)
	sessionstest.Await(t, func(done func(error)) error {
		ended, err := f.EndLost(5*time.Second, done)
		if len(ended) != want {
			t.Errorf("%d ended, want %d", len(ended), want)
		}
		return err
	})
	check(t, f.Table)
}

// TestLinkLostWhileDown: after a restart an interface that is not there any more has disappeared at an
// unknown time, so the stop has that of the last traffic.
func TestLinkLostWhileDown(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{}))
	refresh(f.Table, sample(7, 500, 5))
	f.now = f.now.Add(time.Minute)
	refresh(f.Table, sample(7, 500, 6))
	last := f.now
	sessionstest.Await(t, f.SaveTraffic)
	f.now = f.now.Add(time.Hour)
	again := f.restart(t)
	if missing := refresh(again, sample(8, 1, 1)); len(missing) != 1 {
		t.Fatalf("missing: %d", missing)
	}
	again.LinkLost(testHost, 7, nil)
	sessionstest.Await(t, func(done func(error)) error {
		ended, err := again.EndLost(0, done)
		if len(ended) != 1 {
			t.Errorf("ended %v", ended)
		}
		wantUsed(t, "at the end", ended[0], 500, 6)
		if !again.Date(ended[0].ActiveAt()).Equal(last) {
			t.Errorf("last traffic at %v", again.Date(ended[0].ActiveAt()))
		}
		return err
	})
	if again.HasLinks() {
		t.Error("the interface is still used")
	}
}

// TestLinkShared: nobody knows whose traffic an interface counts that two live sessions have named. They
// end with it.
func TestLinkShared(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{}))
	refresh(f.Table, sample(7, 500, 5))
	f.send(t, sessions.Start, "b", 0, onLink(7, sessions.Traffic{500, 5, 5, 0}))
	refresh(f.Table, sample(7, 900, 9))
	check := func(when string, table *sessions.Table) {
		t.Helper()
		wantUsed(t, when, table.View().Get(1), 500, 5)
		if u, known := table.View().Get(2).Used(); u != (sessions.Usage{}) || known != 0 {
			t.Errorf("%s: %+v, known %b", when, u, known)
		}
	}
	check("in the table", f.Table)
	check("after a restart", f.restart(t))
	f.send(t, sessions.Interim, "b", 5, reporting(sessions.Usage{InputOctets: 30, SessionTime: 5}))
	f.now = f.now.Add(5 * time.Second)
	if s := f.View().Get(2); s.IdleTime(f.Clock()) != 0 {
		t.Errorf("idle for %d s", s.IdleTime(f.Clock()))
	}
	f.LinkLost(testHost, 7, nil)
	f.now = f.now.Add(5 * time.Second)
	f.endLost(t, 2)
}

// TestLinkBegunDuringRefresh: a sample of a refresh that had begun before the session got the interface
// may be older than what the interface had counted by then. It is no reset of the counters.
func TestLinkBegunDuringRefresh(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	number := f.BeginRefresh()
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{5000, 50, 0, 0}))
	if missing := f.Refreshed(number, testHost, []sessions.Sample{sample(7, 4900, 49)}); len(missing) > 0 {
		t.Errorf("missing: %d", missing)
	}
	refresh(f.Table, sample(7, 5100, 60))
	wantUsed(t, "after two refreshes", f.View().Get(1), 100, 10)
}

// TestLinkOfLateStart: a start that comes after an interim names the interface, too.
func TestLinkOfLateStart(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.now = f.now.Add(time.Minute)
	f.send(t, sessions.Interim, "a", 1)
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{10, 1, 0, 0}), func(ev *sessions.Event) { ev.At = f.now.Add(-time.Second) })
	s := f.View().Get(1)
	if s.IfIndex() != 7 || !s.HasLink() || f.View().Len() != 1 {
		t.Fatalf("%d rows, ifIndex %d", f.View().Len(), s.IfIndex())
	}
	refresh(f.Table, sample(7, 15, 3))
	wantUsed(t, "after a late start", s, 5, 2)
}

// TestLinkStoredAsTold: an interim of ours does not tell more than what is stored with it, though the
// interface counts on before the record is written.
func TestLinkStoredAsTold(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{}))
	refresh(f.Table, sample(7, 500, 5))
	f.now = f.now.Add(time.Minute)
	sessionstest.Await(t, func(done func(error)) error {
		n, err := f.MakeInterims([]sessions.DueInterim{{ID: 1, Quiet: time.Minute}}, done)
		refresh(f.Table, sample(7, 900, 9))
		if n != 1 {
			t.Errorf("%d interims", n)
		}
		return err
	})
	f.waitForCommits(t)
	notices := f.journal.Notices()
	wantUsed(t, "in the interim", notices[len(notices)-1].Session, 500, 5)
	wantUsed(t, "after a restart", f.restart(t).View().Get(1), 500, 5)
	wantUsed(t, "in the table", f.View().Get(1), 900, 9)
}

// TestLinkRevived: the interim of a session that is alive after its stop has what the interface of the
// session has counted.
func TestLinkRevived(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{}))
	refresh(f.Table, sample(7, 500, 5))
	f.now = f.now.Add(time.Second)
	f.send(t, sessions.Stop, "a", 1)
	f.now = f.now.Add(2 * time.Minute)
	f.send(t, sessions.Interim, "a", 121, onLink(7, sessions.Traffic{700, 7, 0, 0}), reporting(sessions.Usage{InputOctets: 30, SessionTime: 121}))
	f.waitForCommits(t)
	notices := f.journal.Notices()
	if octets, _ := notices[len(notices)-1].Attrs.Uint32(radius.AcctInputOctets); len(notices) != 3 || octets != 500 {
		t.Errorf("%d notices, %d octets", len(notices), octets)
	}
	refresh(f.Table, sample(7, 701, 7))
	wantUsed(t, "after the revival", f.View().Get(1), 501, 5)
}

// TestLinkRefused: while the store refuses events, no session ends.
func TestLinkRefused(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{}))
	f.LinkLost(testHost, 7, nil)
	refusal := errors.New("disk full")
	f.journal.Refuse(refusal)
	if _, err := f.EndLost(0, nil); !errors.Is(err, refusal) {
		t.Errorf("ended: %v", err)
	}
	if err := f.SaveTraffic(nil); !errors.Is(err, refusal) {
		t.Errorf("saved: %v", err)
	}
	f.journal.Refuse(nil)
	f.endLost(t, 0)
	f.now = f.now.Add(5 * time.Second)
	f.endLost(t, 1)
}

// TestLinkModel: whatever samples, reports and restarts come, a session's counters are what its
// interfaces have counted since they became its own, and never fall.
func TestLinkModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t, sessions.Config{})
		table := f.Table
		before := rapid.Uint64Range(0, 1000).Draw(rt, "before")
		f.send(t, sessions.Start, "a", 0, onLink(7, sessions.Traffic{before, 0, 0, 0}))
		counted, used, shown, reported := before, uint64(0), uint64(0), uint64(0)
		for range rapid.IntRange(0, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"traffic", "reset", "report", "restart"}).Draw(rt, "step") {
			case "traffic":
				n := rapid.Uint64Range(0, 1<<33).Draw(rt, "octets")
				counted, used = counted+n, used+n
				refresh(table, sessions.Sample{IfIndex: 7, Traffic: sessions.Traffic{counted, 0, 0, 0}})
			case "reset":
				n := rapid.Uint64Range(0, counted).Draw(rt, "octets")
				if n == counted {
					continue
				}
				counted, used = n, used+n
				refresh(table, sessions.Sample{IfIndex: 7, Traffic: sessions.Traffic{counted, 0, 0, 0}})
			case "report":
				reported += rapid.Uint64Range(0, 1<<33).Draw(rt, "reported")
				if table != f.Table {
					continue
				}
				f.now = f.now.Add(time.Second)
				f.send(t, sessions.Interim, "a", 0, reporting(sessions.Usage{InputOctets: reported}))
			case "restart":
				if table != f.Table {
					continue
				}
				sessionstest.Await(t, f.SaveTraffic)
				table = f.restart(t)
			}
			want := max(used, shown)
			if table == f.Table {
				want = max(want, reported)
			}
			u, _ := table.View().Get(1).Used()
			if u.InputOctets != want {
				rt.Fatalf("%d octets, want %d", u.InputOctets, want)
			}
			shown = u.InputOctets
		}
	})
}
