package link

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"aaasess/internal/logtest"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// bubble is a table with a Reader on a kernel, on the clock of a synctest bubble.
type bubble struct {
	t       *testing.T
	kernel  *kernel
	table   *sessions.Table
	journal *sessionstest.Journal
	reader  *Reader
	log     *logtest.Buffer
	end     func()
}

func inBubble(t *testing.T, test func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, kernel: newKernel(), journal: sessionstest.NewJournal(), log: &logtest.Buffer{}}
		defer b.journal.Close()
		b.kernel.names["ppp0"] = 7
		b.kernel.set(7, sessions.Traffic{1000, 2000, 10, 20})
		b.table = sessions.New(sessions.Config{}, b.journal)
		b.run()
		defer func() { b.end() }()
		test(b)
	})
}

func (b *bubble) run() {
	b.reader = New(Config{Host: 1, Dial: b.kernel.Dial, Logger: slog.New(slog.NewTextHandler(b.log, nil))}, b.table)
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error)
	go func() { ended <- b.reader.Run(ctx) }()
	<-b.reader.Ready()
	b.end = func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	}
}

// restart ends the Reader and runs another one for a table that is loaded from the journal.
func (b *bubble) restart(while func()) {
	b.t.Helper()
	b.end()
	synctest.Wait()
	while()
	b.table = sessions.New(sessions.Config{}, b.journal)
	if err := b.table.Load(b.journal.Load); err != nil {
		b.t.Fatal(err)
	}
	b.run()
}

// send applies an event of a session, with its interface if a name is given.
func (b *bubble) send(typ sessions.EventType, sid, name string) {
	b.t.Helper()
	ev := sessions.Event{
		Type: typ, NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(),
		Attrs: radius.Attributes(radius.AppendAttribute(radius.AppendAttribute(nil, radius.UserName, "user-"+sid), radius.AcctSessionID, sid)),
	}
	if name != "" {
		i, err := b.reader.Lookup(name)
		if err != nil {
			b.t.Fatal(err)
		}
		ev.IfIndex, ev.Link = i.Index, i.Link
	}
	sessionstest.Await(b.t, func(done func(error)) error { return b.table.Apply(ev, done) })
	synctest.Wait()
}

// wantRow checks the counters and the idle time of a session.
func (b *bubble) wantRow(id sessions.ID, in uint64, idle uint32) {
	b.t.Helper()
	b.table.RefreshLinks()
	s := b.table.View().Get(id)
	if s == nil {
		b.t.Fatalf("session %s is not live", id)
	}
	if u, _ := s.Used(); u.InputOctets != in || s.IdleTime(b.table.Clock()) != idle {
		b.t.Errorf("session %s: %d octets, idle for %d s; want %d and %d", id, u.InputOctets, s.IdleTime(b.table.Clock()), in, idle)
	}
}

// stops returns the stop notices so far.
func (b *bubble) stops() (stops []sessions.Notice) {
	synctest.Wait()
	for _, n := range b.journal.Notices() {
		if n.Type == sessions.Stop {
			stops = append(stops, n)
		}
	}
	return stops
}

// wantStop checks the only stop record: ours after the interface disappeared.
func (b *bubble) wantStop(in uint64, at time.Time) {
	b.t.Helper()
	stops := b.stops()
	if len(stops) != 1 {
		b.t.Fatalf("%d stops, want 1", len(stops))
	}
	if n := stops[0]; n.Cause != sessions.CauseLostCarrier || n.Session.Usage.InputOctets != in || !n.At.Equal(at) {
		b.t.Errorf("cause %d, %d octets, %v; want %d and %v", n.Cause, n.Session.Usage.InputOctets, n.At, in, at)
	}
}

// TestRefresh: there is one dump a second at most, for all who ask, and one in ten seconds if nobody asks;
// none without sessions that have an interface.
func TestRefresh(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.table.RefreshLinks()
		time.Sleep(time.Minute)
		if n := b.kernel.dumped(); n != 0 {
			t.Fatalf("%d dumps without a session", n)
		}
		b.send(sessions.Start, "a", "ppp0")
		time.Sleep(fresh)
		before := b.kernel.dumped()
		b.kernel.set(7, sessions.Traffic{1500, 2000, 12, 20})
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { b.wantRow(1, 500, 0) })
		}
		all.Wait()
		for range 9 {
			time.Sleep(fresh / 10)
			b.table.RefreshLinks()
		}
		if n := b.kernel.dumped() - before; n != 1 {
			t.Errorf("%d dumps within a second", n)
		}
		time.Sleep(fresh / 10)
		b.wantRow(1, 500, 1)
		if n := b.kernel.dumped() - before; n != 2 {
			t.Errorf("%d dumps after a second", n)
		}
		time.Sleep(10*every - time.Millisecond)
		if n := b.kernel.dumped() - before; n != 11 {
			t.Errorf("%d dumps, of which 9 by the timer", n)
		}
	})
}

// TestIdleBetween: traffic that nobody asked about is noticed within ten seconds.
func TestIdleBetween(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.send(sessions.Start, "a", "ppp0")
		time.Sleep(every / 2)
		b.kernel.set(7, sessions.Traffic{1001, 2000, 11, 20})
		time.Sleep(time.Minute - every/2)
		b.wantRow(1, 1, uint32((time.Minute-every)/time.Second))
	})
}

// TestGone: a session whose interface disappears ends after the grace, with the last counters.
func TestGone(t *testing.T) {
	t.Run("a notification tells it", func(t *testing.T) {
		inBubble(t, func(b *bubble) {
			b.send(sessions.Start, "a", "ppp0")
			time.Sleep(3 * time.Second)
			b.kernel.set(7, sessions.Traffic{1700, 0, 0, 0})
			gone := time.Now()
			b.kernel.notify(linkOf(unix.RTM_DELLINK, unix.AF_BRIDGE, 7, sessions.Traffic{}), nil)
			b.kernel.notify(linkOf(unix.RTM_NEWLINK, unix.AF_UNSPEC, 7, sessions.Traffic{}), nil)
			b.kernel.remove(7, true)
			time.Sleep(grace - time.Millisecond)
			if n := len(b.stops()); n != 0 {
				t.Errorf("%d stops during the grace", n)
			}
			time.Sleep(2 * time.Millisecond)
			b.wantStop(700, gone)
			if !strings.Contains(b.log.String(), "session=00000001 user=user-a") {
				t.Errorf("log: %s", b.log)
			}
		})
	})
	t.Run("the program reports the stop", func(t *testing.T) {
		inBubble(t, func(b *bubble) {
			b.send(sessions.Start, "a", "ppp0")
			b.kernel.remove(7, true)
			time.Sleep(grace / 2)
			b.send(sessions.Stop, "a", "")
			time.Sleep(time.Minute)
			if stops := b.stops(); len(stops) != 1 || stops[0].Cause != 0 {
				t.Errorf("%+v", stops)
			}
		})
	})
	t.Run("the notification is lost", func(t *testing.T) {
		inBubble(t, func(b *bubble) {
			b.send(sessions.Start, "a", "ppp0")
			time.Sleep(2 * time.Second)
			b.kernel.set(7, sessions.Traffic{1600, 0, 0, 0})
			b.wantRow(1, 600, 0)
			seen := time.Now()
			b.kernel.remove(7, false)
			time.Sleep(every + grace + time.Second)
			b.wantStop(600, seen)
		})
	})
	t.Run("notifications are lost, and the kernel says so", func(t *testing.T) {
		inBubble(t, func(b *bubble) {
			b.send(sessions.Start, "a", "ppp0")
			b.kernel.remove(7, false)
			b.kernel.notify(linkOf(unix.RTM_NEWLINK, unix.AF_UNSPEC, 9, sessions.Traffic{}), unix.ENOBUFS)
			time.Sleep(grace + time.Millisecond)
			if n := len(b.stops()); n != 1 {
				t.Errorf("%d stops", n)
			}
			b.kernel.set(8, sessions.Traffic{})
			b.kernel.do(func() { b.kernel.names["ppp1"] = 8 })
			b.send(sessions.Start, "b", "ppp1")
			b.kernel.remove(8, true)
			time.Sleep(grace + time.Millisecond)
			if n := len(b.stops()); n != 2 || strings.Count(b.log.String(), "were lost") != 1 {
				t.Errorf("%d stops; log: %s", n, b.log)
			}
		})
	})
	t.Run("a dump lacks it, but it is there", func(t *testing.T) {
		inBubble(t, func(b *bubble) {
			b.send(sessions.Start, "a", "ppp0")
			b.kernel.do(func() { b.kernel.hidden[7] = true })
			b.kernel.set(7, sessions.Traffic{1800, 0, 0, 0})
			time.Sleep(2*every + grace)
			b.wantRow(1, 800, uint32((every+grace)/time.Second))
		})
	})
	t.Run("it disappears before the session is known", func(t *testing.T) {
		inBubble(t, func(b *bubble) {
			b.send(sessions.Start, "a", "ppp0")
			b.kernel.onDump(func() { b.kernel.remove(7, false) })
			time.Sleep(every + grace + time.Second)
			if n := len(b.stops()); n != 1 {
				t.Errorf("%d stops", n)
			}
		})
	})
}

// TestMany: many interfaces disappear at the same moment.
func TestMany(t *testing.T) {
	inBubble(t, func(b *bubble) {
		const n = 300
		for i := range uint32(n) {
			b.kernel.set(100+i, sessions.Traffic{})
			b.kernel.do(func() { b.kernel.names["ppp0"] = 100 + i })
			b.send(sessions.Start, string(rune('A'+i)), "ppp0")
		}
		for i := range uint32(n) {
			b.kernel.remove(100+i, true)
			synctest.Wait()
		}
		time.Sleep(grace + time.Millisecond)
		if got := len(b.stops()); got != n || b.table.HasLinks() {
			t.Errorf("%d of %d stops", got, n)
		}
	})
}

// TestRestart: counters go on after a restart, and sessions end whose interface has disappeared meanwhile.
func TestRestart(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.kernel.set(8, sessions.Traffic{})
		b.kernel.do(func() { b.kernel.names["ppp1"] = 8 })
		b.send(sessions.Start, "a", "ppp0")
		b.send(sessions.Start, "b", "ppp1")
		time.Sleep(3 * time.Second)
		b.kernel.set(7, sessions.Traffic{1400, 0, 0, 0})
		b.kernel.set(8, sessions.Traffic{60, 0, 0, 0})
		seen := time.Now()
		b.restart(func() { b.kernel.remove(8, false); b.kernel.set(7, sessions.Traffic{1450, 0, 0, 0}) })
		b.wantRow(1, 450, 0)
		time.Sleep(grace + time.Millisecond)
		b.wantStop(60, seen)
		b.wantRow(1, 450, 5)
	})
}

// TestUnreadable: if the interfaces cannot be read, nobody waits long, no session ends, and the log says
// it once a minute. Later it goes on.
func TestUnreadable(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.send(sessions.Start, "a", "ppp0")
		time.Sleep(2 * fresh)
		b.kernel.do(func() { b.kernel.failure = unix.EOPNOTSUPP })
		b.wantRow(1, 0, 2)
		b.kernel.do(func() { b.kernel.refuse = errors.New("no sockets") })
		time.Sleep(30 * time.Second)
		b.wantRow(1, 0, 32)
		if n := strings.Count(b.log.String(), "cannot be read"); n != 1 {
			t.Errorf("%d lines: %s", n, b.log)
		}
		b.kernel.do(func() { b.kernel.refuse = nil })
		b.kernel.set(7, sessions.Traffic{1005, 0, 0, 0})
		time.Sleep(fresh)
		b.wantRow(1, 5, 0)
	})
}

// TestSlow: who asks waits only for a while; then the last counters must do.
func TestSlow(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.send(sessions.Start, "a", "ppp0")
		time.Sleep(2 * fresh)
		b.kernel.onDump(func() { time.Sleep(time.Second) })
		asked := time.Now()
		b.wantRow(1, 0, 2)
		if waited := time.Since(asked); waited != patience {
			t.Errorf("waited %v", waited)
		}
		time.Sleep(2 * time.Second)
	})
}

func TestLookup(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.kernel.do(func() { b.kernel.refuse = unix.EMFILE })
		if _, err := b.reader.Lookup("ppp0"); !errors.Is(err, unix.EMFILE) {
			t.Errorf("without a socket: %v", err)
		}
		b.kernel.do(func() { b.kernel.refuse = nil })
		got, err := b.reader.Lookup("ppp0")
		if err != nil || got.Index != 7 || *got.Link != (sessions.Link{Host: 1, Traffic: sessions.Traffic{1000, 2000, 10, 20}}) {
			t.Errorf("%+v, %v", got, err)
		}
		for _, name := range []string{"", "ppp1", "a-name-that-is-too-long"} {
			if got, err := b.reader.Lookup(name); !errors.Is(err, ErrNotFound) {
				t.Errorf("%q: %+v, %v", name, got, err)
			}
		}
		b.kernel.do(func() { b.kernel.refuse = unix.EMFILE })
		if _, err := b.reader.Lookup("ppp0"); err != nil {
			t.Errorf("with the socket of the last request: %v", err)
		}
		b.kernel.do(func() { b.kernel.refuse = nil })
	})
}

// TestHost: the same boot and network namespace give the same number, another boot another one.
func TestHost(t *testing.T) {
	a, err := Host("boot-1")
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Host("boot-1")
	other, _ := Host("boot-2")
	if a != again || a == other || a == 0 {
		t.Errorf("%d, %d, %d", a, again, other)
	}
	if _, err := Host(""); err == nil {
		t.Error("an unknown boot is taken")
	}
}
