package resync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

const isp = accounting.MethodName("group isp")

// bubble is a table with Resyncs, on the clock of a synctest bubble.
type bubble struct {
	t       *testing.T
	table   *sessions.Table
	journal *sessionstest.Journal
	resyncs *Resyncs
	begun   int           // sessions
	waiting atomic.Uint64 // records in the queue
	gone    atomic.Bool   // the method is not configured
	end     func()
}

// inBubble runs a test with n sessions and Resyncs that run.
func inBubble(t *testing.T, n int, test func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, journal: sessionstest.NewJournal()}
		defer b.journal.Close()
		b.table = sessions.New(sessions.Config{}, b.journal)
		b.begin(n)
		time.Sleep(time.Second)
		b.run()
		defer func() { b.end() }()
		test(b)
	})
}

// run runs new Resyncs until b.end.
func (b *bubble) run() {
	b.t.Helper()
	b.resyncs = New(Config{
		Table: b.table, Logger: slog.New(slog.DiscardHandler),
		Decide: func(s *sessions.Session, m accounting.MethodName, wanted sessions.EventType) (sessions.EventType, accounting.LeftOut) {
			if strings.HasSuffix(s.AcctSessionID(), "00") {
				return 0, accounting.StopOnlyList
			}
			return wanted, accounting.Included
		},
		Waiting: func(m accounting.MethodName) (uint64, bool) { return b.waiting.Load(), m == isp && !b.gone.Load() },
	})
	if err := b.journal.Load(b.resyncs.Load); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error)
	go func() { ended <- b.resyncs.Run(ctx) }()
	b.end = func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	}
	<-b.resyncs.Ready()
}

// restart ends the Resyncs and runs others with what is stored.
func (b *bubble) restart() {
	b.t.Helper()
	b.end()
	b.load()
}

// load runs other Resyncs with what is stored, after the end of those before.
func (b *bubble) load() {
	b.t.Helper()
	synctest.Wait()
	b.table = sessions.New(sessions.Config{}, b.journal)
	if err := b.table.Load(b.journal.Load); err != nil {
		b.t.Fatal(err)
	}
	b.run()
}

// begin begins n sessions.
func (b *bubble) begin(n int) {
	b.t.Helper()
	for range n {
		b.begun++
		b.send(sessions.Start, b.begun)
	}
	synctest.Wait()
}

// send sends an event of a session.
func (b *bubble) send(typ sessions.EventType, number int) {
	b.t.Helper()
	sid := fmt.Sprint(number)
	err := b.table.Apply(sessions.Event{
		Type: typ, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(),
		Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, sid)),
	}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bubble) start(rate uint32) Status {
	b.t.Helper()
	s, err := b.resyncs.Start(isp, sessions.Interim, rate)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bubble) status() Status {
	b.t.Helper()
	synctest.Wait()
	s, ok := b.resyncs.Status(isp)
	if !ok {
		b.t.Fatal("there is no resync")
	}
	return s
}

// records returns the sessions that were told again, and the times of these records.
func (b *bubble) records() (ids []sessions.ID, at []time.Time) {
	synctest.Wait()
	for _, n := range b.journal.Notices() {
		if n.Only != "" {
			ids, at = append(ids, n.Session.ID), append(at, n.At)
		}
	}
	return ids, at
}

// check checks that each of the first n sessions was told of once, in order, except those that are
// left out, and that the status says so.
func (b *bubble) check(n int) {
	b.t.Helper()
	var want []sessions.ID
	for id := range sessions.ID(n) {
		if (id+1)%100 != 0 {
			want = append(want, id+1)
		}
	}
	if ids, _ := b.records(); !slices.Equal(ids, want) {
		b.t.Errorf("%d records, want %d", len(ids), len(want))
	}
	s := b.status()
	if s.State != Done || s.Ended.IsZero() || s.Sessions != uint64(n) || s.Records != uint64(len(want)) || s.LeftOut[accounting.StopOnlyList] != uint64(n-len(want)) {
		b.t.Errorf("%+v", s)
	}
}

// TestPace: records are made at a level rate.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		rate uint32
		n    int
	}{{1, 20}, {30, 300}, {1000, 10_000}, {40_000, 200_000}} {
		t.Run(fmt.Sprint(tt.rate), func(t *testing.T) {
			inBubble(t, tt.n, func(b *bubble) {
				started := time.Now()
				if s := b.start(tt.rate); s.State != Running || s.Total != uint64(tt.n) {
					t.Errorf("%+v", s)
				}
				time.Sleep(time.Duration(tt.n)*time.Second/time.Duration(tt.rate) + time.Second)
				b.check(tt.n)
				_, all := b.records()
				perSecond := map[time.Duration]int{}
				for _, at := range all {
					perSecond[at.Sub(started)/time.Second]++
				}
				slack := max(1, float64(tt.rate)/20)
				for second := range time.Duration(len(perSecond) - 1) {
					if n := float64(perSecond[second]); n < float64(tt.rate)-slack || n > float64(tt.rate)+slack {
						t.Errorf("%v records in second %d", n, second)
					}
				}
			})
		})
	}
}

// TestWaits: while the queue is full, the method is not configured, or the store accepts nothing or
// is slow, few or no records are made. Afterwards all sessions are told of.
func TestWaits(t *testing.T) {
	const n, rate = 4000, 1000
	const part = rate / partsPerSecond
	for name, tt := range map[string]struct {
		stall  func(b *bubble, on bool)
		atMost int // records that are made until the moment after the stall
		why    string
	}{
		"the queue is full": {func(b *bubble, on bool) { b.waiting.Store(map[bool]uint64{true: 2000, false: 1999}[on]) }, 0, "2000 records wait in the queue group/isp"},
		"not configured":    {func(b *bubble, on bool) { b.gone.Store(on) }, 0, "group isp is not configured"},
		"the store refuses": {func(b *bubble, on bool) { b.journal.Refuse(map[bool]error{true: errors.New("full")}[on]) }, 0, "sessions: full"},
		"the disk is slow":  {func(b *bubble, on bool) { b.journal.Hold(on) }, maxUnderWay*part + int(rate*maxBehind/time.Second) + 2*part, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, n, func(b *bubble) {
				b.start(rate)
				time.Sleep(time.Second)
				tt.stall(b, true)
				time.Sleep(time.Second)
				before := b.status()
				time.Sleep(time.Minute)
				if s := b.status(); s.Waiting != tt.why || s.Records != before.Records || s.State != Running {
					t.Errorf("%+v, before %+v", s, before)
				}
				tt.stall(b, false)
				ids, _ := b.records()
				if most := int(before.Records) + tt.atMost; len(ids) > most {
					t.Errorf("%d records, at most %d", len(ids), most)
				}
				resumed := time.Now()
				time.Sleep(time.Second)
				_, all := b.records()
				burst := 0
				for _, at := range all {
					if at.After(resumed) {
						burst++
					}
				}
				if most := int(rate * (1 + maxBehind.Seconds() + 0.1)); burst > most {
					t.Errorf("%d records in the next second, at most %d", burst, most)
				}
				time.Sleep(time.Minute)
				b.check(n)
			})
		})
	}
}

// TestRestart: a resync continues after restarts where it was: no session is told of twice, none is
// missing.
func TestRestart(t *testing.T) {
	const n, rate = 5000, 1000
	inBubble(t, n, func(b *bubble) {
		began := b.start(rate).Began
		for range 4 {
			time.Sleep(777 * time.Millisecond)
			b.restart()
		}
		if s := b.status(); s.State != Running || s.Records < 2000 || !s.Began.Equal(began) {
			t.Errorf("%+v", s)
		}
		b.begin(10) // these are not told again
		time.Sleep(time.Minute)
		b.check(n)
		b.restart()
		b.check(n)
	})
}

// TestCancel: a canceled resync makes no further records, also after a restart. One runs at a time,
// and after its end there can be another one.
func TestCancel(t *testing.T) {
	const n, rate = 5000, 1000
	inBubble(t, n, func(b *bubble) {
		ctx := b.t.Context()
		if _, err := b.resyncs.Cancel(ctx, isp); !errors.Is(err, ErrNotRunning) {
			t.Errorf("before the first: %v", err)
		}
		b.start(rate)
		if _, err := b.resyncs.Start(isp, sessions.Start, rate); !errors.Is(err, ErrRunning) {
			t.Errorf("a second one: %v", err)
		}
		time.Sleep(time.Second)
		b.journal.Refuse(errors.New("full")) // it can be canceled all the same
		time.Sleep(time.Second)
		s, err := b.resyncs.Cancel(ctx, isp)
		if err != nil || s.State != Canceled || s.Ended.IsZero() || s.Records < 900 || s.Records > 1100 || s.Waiting != "" {
			t.Fatalf("%+v, %v", s, err)
		}
		if _, err := b.resyncs.Start(isp, sessions.Start, rate); err == nil {
			t.Error("a resync begins while nothing can be stored")
		}
		b.journal.Refuse(nil)
		for range 2 {
			time.Sleep(time.Minute)
			if ids, _ := b.records(); len(ids) != int(s.Records) {
				t.Errorf("%d records, want %d", len(ids), s.Records)
			}
			if again := b.status(); again != s {
				t.Errorf("%+v, want %+v", again, s)
			}
			b.restart()
		}
		if _, err := b.resyncs.Cancel(ctx, isp); !errors.Is(err, ErrNotRunning) {
			t.Errorf("after the end: %v", err)
		}
		b.start(rate)
		time.Sleep(time.Minute)
		if s := b.status(); s.State != Done || s.Records != n-n/100 {
			t.Errorf("another one: %+v", s)
		}
		if all := b.resyncs.Statuses(); len(all) != 1 || all[0] != b.status() {
			t.Errorf("%+v", all)
		}
	})
}

// TestEnds: sessions that end meanwhile, and the store's failure, which ends the daemon.
func TestEnds(t *testing.T) {
	const n, rate = 2000, 1000
	inBubble(t, n, func(b *bubble) {
		b.start(rate)
		time.Sleep(500 * time.Millisecond)
		for i := range n {
			if i%2 == 0 {
				b.send(sessions.Stop, i+1)
			}
		}
		stopped := time.Now()
		time.Sleep(500 * time.Millisecond)
		b.journal.Fail(errors.New("broken disk"))
		time.Sleep(time.Minute)
		if s := b.status(); s.State != Running {
			t.Errorf("%+v", s)
		}
		ids, at := b.records()
		for i, id := range ids {
			if id%2 == 1 && at[i].After(stopped) {
				t.Errorf("session %d was told again after its stop", id)
			}
		}
	})
}

// TestDaemonEnds: the end of the daemon does not wait for a slow disk, and a resync that cannot be
// canceled says so.
func TestDaemonEnds(t *testing.T) {
	inBubble(t, 2000, func(b *bubble) {
		b.start(1000)
		time.Sleep(500 * time.Millisecond)
		b.journal.Hold(true)
		time.Sleep(time.Second)
		b.end()
		b.journal.Hold(false)
		b.load()
		b.journal.Fail(errors.New("broken disk"))
		if s, err := b.resyncs.Cancel(b.t.Context(), isp); !errors.Is(err, ErrNotStored) || s.State != Running {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// TestLoadRefuses: a stored state that cannot be read is an error with the method's name. Keys of
// others are ignored.
func TestLoadRefuses(t *testing.T) {
	r := New(Config{})
	if err := r.Load([]byte("ygroup isp"), []byte("x")); !errors.Is(err, ErrState) || !strings.Contains(err.Error(), `"group isp"`) {
		t.Errorf("%v", err)
	}
	if err := r.Load([]byte("c"), []byte("x")); err != nil || len(r.Statuses()) > 0 {
		t.Errorf("%v, %v", err, r.Statuses())
	}
}

// TestStartAtTheEnd: a resync that begins when the daemon ends is carried out by the next one.
func TestStartAtTheEnd(t *testing.T) {
	inBubble(t, 10, func(b *bubble) {
		b.end()
		if s := b.start(1000); s.State != Running {
			t.Errorf("%+v", s)
		}
		b.load()
		time.Sleep(time.Minute)
		b.check(10)
	})
}

// TestStartBeforeRun: a resync that begins just before Run is carried out once.
func TestStartBeforeRun(t *testing.T) {
	inBubble(t, 10, func(b *bubble) {
		r := New(b.resyncs.cfg)
		began := make(chan error)
		go func() { _, err := r.Start(isp, sessions.Interim, 1000); began <- err }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(b.t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		if err := <-began; err != nil {
			b.t.Error(err)
		}
		time.Sleep(time.Minute)
		cancel()
		<-ended
		if ids, _ := b.records(); len(ids) != 10 {
			b.t.Errorf("%d records, want 10", len(ids))
		}
	})
}
