package stale

import (
	"bytes"
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

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/silence"
)

// always returns a policy with the same limits for all NASes.
func always(l silence.Limits) Policy { return func(*sessions.NAS) silence.Limits { return l } }

// bubble is a table with a Closer, on the clock of a synctest bubble.
type bubble struct {
	t       *testing.T
	table   *sessions.Table
	journal *sessionstest.Journal
	closer  *Closer
	step    atomic.Int64 // of the host's clock, in nanoseconds
	log     bytes.Buffer
	begun   time.Time
	end     func()
}

// inBubble runs a test with a Closer that runs.
func inBubble(t *testing.T, p Policy, test func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, journal: sessionstest.NewJournal(), begun: time.Now()}
		defer b.journal.Close()
		b.table = sessions.New(b.config(), b.journal)
		b.run(p)
		defer func() { b.end() }()
		test(b)
	})
}

// now returns the time of the host's clock.
func (b *bubble) now() time.Time { return time.Now().Round(0).Add(time.Duration(b.step.Load())) }

func (b *bubble) config() sessions.Config {
	return sessions.Config{
		Now:     b.now,
		Elapsed: func() time.Duration { return time.Since(b.begun) },
		Boot:    sessions.Boot{ID: "boot", Uptime: time.Since(b.begun)},
	}
}

// run runs a new Closer until b.end.
func (b *bubble) run(p Policy) {
	b.closer = New(Config{Table: b.table, Policy: p, Log: slog.New(slog.NewTextHandler(&b.log, nil))})
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error)
	go func() { ended <- b.closer.Run(ctx) }()
	b.end = func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	}
}

// restart ends the daemon and begins it after a time.
func (b *bubble) restart(p Policy, away time.Duration) {
	b.t.Helper()
	b.end()
	synctest.Wait()
	time.Sleep(away)
	b.table = sessions.New(b.config(), b.journal)
	if err := b.table.Load(b.journal.Load); err != nil {
		b.t.Fatal(err)
	}
	b.run(p)
}

// send sends an event of a session. An interim has counters that grow with the time.
func (b *bubble) send(typ sessions.EventType, sid, nas string) {
	b.t.Helper()
	attrs := radius.AppendAttribute(radius.AppendUint32(nil, radius.AcctStatusType, uint32(typ)), radius.AcctSessionID, sid)
	ev := sessions.Event{
		Type: typ, NAS: sessions.NAS{Addr: netip.MustParseAddr(nas)}, AcctSessionID: sid, Kind: sessions.Network,
		At: b.now(), Attrs: radius.Attributes(attrs),
	}
	if typ != sessions.Start {
		ev.Usage, ev.Sent = sessions.Usage{SessionTime: uint32(time.Since(b.begun) / time.Second), InputOctets: uint64(time.Since(b.begun))}, sessions.WholeUsage
	}
	if err := b.table.Apply(ev, nil); err != nil && !errors.Is(err, errRefused) {
		b.t.Fatal(err)
	}
}

var errRefused = errors.New("no room")

const (
	nas1 = "192.0.2.1"
	nas2 = "192.0.2.2"
)

// report sends interims of a session every five minutes, after a start.
func (b *bubble) report(sid, nas string, interims int) {
	b.t.Helper()
	b.send(sessions.Start, sid, nas)
	for range interims {
		time.Sleep(5 * time.Minute)
		b.send(sessions.Interim, sid, nas)
	}
}

// live returns the Acct-Session-Ids of the NASes of the sessions that are live.
func (b *bubble) live() string {
	synctest.Wait()
	var sids []string
	for s := range b.table.View().All() {
		sids = append(sids, s.AcctSessionID())
	}
	slices.Sort(sids)
	return strings.Join(sids, " ")
}

func (b *bubble) want(when, sids string) {
	b.t.Helper()
	if got := b.live(); got != sids {
		b.t.Errorf("%s: live are %q, want %q", when, got, sids)
	}
}

// stops returns the stop records.
func (b *bubble) stops() (stops []sessions.Notice) {
	synctest.Wait()
	for _, n := range b.journal.Notices() {
		if n.Type == sessions.Stop {
			stops = append(stops, n)
		}
	}
	return stops
}

// late is how much later than its moment a session may be ended.
const late = 45 * time.Second

// TestMissingInterims: a session ends when three interims are missing, and others go on. Its stop
// tells what the NAS reported last. If the NAS reports it again, it returns.
func TestMissingInterims(t *testing.T) {
	inBubble(t, always(silence.Limits{Intervals: 3}), func(b *bubble) {
		b.send(sessions.Start, "no interims", nas1)
		b.report("silent", nas1, 4)
		last := time.Now()
		time.Sleep(3*5*time.Minute + 2*time.Minute)
		b.want("three are missing, the third may be late", "no interims silent")
		time.Sleep(30*time.Second + late)
		b.want("three are missing", "no interims")
		stops := b.stops()
		if len(stops) != 1 {
			t.Fatalf("%d stops", len(stops))
		}
		n := stops[0]
		if !n.At.Equal(last) || n.Lasted != 20*time.Minute || n.Cause != sessions.CauseLostCarrier ||
			n.Session.Usage.SessionTime != 1200 || n.Session.Usage.InputOctets != uint64(20*time.Minute) {
			t.Errorf("the stop: %+v of %+v", n, n.Session)
		}
		if got := b.log.String(); !strings.Contains(got, "stale") || !strings.Contains(got, "session=00000002 ") || b.closer.Ended() != 1 {
			t.Errorf("%d ended, log:\n%s", b.closer.Ended(), got)
		}
		b.send(sessions.Interim, "silent", nas1)
		b.want("a late interim", "no interims silent")
		time.Sleep(24 * time.Hour)
		b.want("its interval is not known any more", "no interims silent")
	})
}

// TestMaxAge: a session ends if it was not heard of for the maximum age, whether it has interims or not.
func TestMaxAge(t *testing.T) {
	inBubble(t, always(silence.Limits{MaxAge: time.Hour}), func(b *bubble) {
		b.send(sessions.Start, "old", nas1)
		b.report("reported", nas1, 11)
		time.Sleep(4 * time.Minute)
		b.want("59 minutes", "old reported")
		time.Sleep(time.Minute + late)
		b.want("an hour", "reported")
	})
}

// TestPolicyByNAS: limits are those of the NAS, and a reload changes them.
func TestPolicyByNAS(t *testing.T) {
	limits := func(n *sessions.NAS) silence.Limits {
		if n.Addr == netip.MustParseAddr(nas1) {
			return silence.Limits{MaxAge: time.Hour}
		}
		return silence.Limits{}
	}
	inBubble(t, limits, func(b *bubble) {
		b.send(sessions.Start, "a", nas1)
		b.send(sessions.Start, "b", nas2)
		b.send(sessions.Start, "c", nas1)
		time.Sleep(time.Hour + late)
		b.want("after an hour", "b")
		b.closer.SetPolicy(always(silence.Limits{MaxAge: 2 * time.Hour}))
		time.Sleep(time.Hour)
		b.want("after two hours", "")
	})
}

// TestDeafness: time in which no NAS could be heard does not count, whatever the reason.
func TestDeafness(t *testing.T) {
	policy := always(silence.Limits{Intervals: 3, MaxAge: 2 * time.Hour})
	for name, be := range map[string]func(*bubble){
		"the daemon was down": func(b *bubble) { b.restart(policy, 24*time.Hour) },
		"it was down twice": func(b *bubble) {
			b.restart(policy, 24*time.Hour)
			b.restart(policy, time.Minute)
		},
		"the store refused events": func(b *bubble) {
			b.journal.Refuse(errRefused)
			b.send(sessions.Interim, "a", nas1)
			time.Sleep(24 * time.Hour)
			b.journal.Refuse(nil)
		},
		"the host's clock was set": func(b *bubble) { b.step.Store(int64(24 * time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, policy, func(b *bubble) {
				b.send(sessions.Start, "b", nas1)
				b.report("a", nas1, 4)
				time.Sleep(10 * time.Minute)
				be(b)
				time.Sleep(late)
				b.want("soon after that", "a b")
				// A restart forgets what was heard since the newest commit, here ten minutes.
				time.Sleep(18 * time.Minute)
				b.want("interims are missing", "b")
				time.Sleep(2 * time.Hour)
				b.want("the maximum age", "")
			})
		})
	}
}

// TestSpread: sessions that are stale at once end at a limited rate.
func TestSpread(t *testing.T) {
	const n = 5_000
	inBubble(t, always(silence.Limits{MaxAge: time.Hour}), func(b *bubble) {
		for i := range n {
			b.send(sessions.Start, fmt.Sprint(i), nas1)
		}
		synctest.Wait()
		time.Sleep(59 * time.Minute)
		was, began := n, time.Time{}
		for was > 0 {
			time.Sleep(pause)
			synctest.Wait()
			is := b.table.View().Len()
			if was-is > 2*chunk {
				t.Fatalf("%d ended within %v", was-is, pause)
			}
			if is < n && began.IsZero() {
				began = time.Now()
			}
			if was = is; time.Since(b.begun) > 2*time.Hour {
				t.Fatalf("%d are left", is)
			}
		}
		if took := time.Since(began); took > 2*n/chunk*pause {
			t.Errorf("it took %v", took)
		}
	})
}

// TestRefusedEnd: if the store accepts nothing when sessions are to end, they end later.
func TestRefusedEnd(t *testing.T) {
	inBubble(t, always(silence.Limits{MaxAge: time.Hour}), func(b *bubble) {
		b.send(sessions.Start, "a", nas1)
		time.Sleep(time.Hour - 10*time.Second)
		b.journal.Refuse(errRefused)
		time.Sleep(time.Hour)
		b.want("the store refuses", "a")
		b.journal.Refuse(nil)
		time.Sleep(10*time.Second + late)
		b.want("it accepts again", "")
	})
}
