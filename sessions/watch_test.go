package sessions_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// end is how a session is ended in TestWatch.
type end struct {
	Answers []int           // of the NAS, by watchOutcomes; the last holds for ever
	Takes   []time.Duration // each answer, in the same way
	Stop    time.Duration   // when the NAS sends its stop; 0: with the first ACK
	Held    bool            // the stop goes by Terminator.Apply
}

var watchOutcomes = []sessions.Outcome{ack, silence, nak406, nak503, doubted, closed}

func drawEnd(rt *rapid.T, i int) end {
	n := rapid.IntRange(1, 4).Draw(rt, fmt.Sprint("answers of ", i))
	e := end{Held: rapid.Bool().Draw(rt, "held")}
	for range n {
		e.Answers = append(e.Answers, rapid.IntRange(0, len(watchOutcomes)-1).Draw(rt, "answer"))
		e.Takes = append(e.Takes, rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second, 3 * time.Second}).Draw(rt, "takes"))
	}
	if rapid.Bool().Draw(rt, "unasked stop") {
		e.Stop = time.Duration(rapid.IntRange(1, 9000).Draw(rt, "stop")) * time.Millisecond
	}
	return e
}

// watchedNAS answers by the plan, and notes the outcomes that it gave.
type watchedNAS struct {
	plan []end
	stop func(id sessions.ID, held bool)

	mu    sync.Mutex
	given map[sessions.ID][]sessions.Outcome
}

func (n *watchedNAS) Disconnect(ctx context.Context, a *sessions.Attempt) sessions.Outcome {
	e := n.plan[a.ID-1]
	n.mu.Lock()
	i := min(len(n.given[a.ID]), len(e.Answers)-1)
	n.mu.Unlock()
	out := watchOutcomes[e.Answers[i]]
	select {
	case <-time.After(e.Takes[i]):
	case <-ctx.Done():
		if time.Sleep(time.Millisecond); !e.Held { // else the answer is there already
			out = sessions.Outcome{Err: context.Cause(ctx)}
		}
	}
	n.mu.Lock()
	n.given[a.ID] = append(n.given[a.ID], out)
	n.mu.Unlock()
	if out.Answer == sessions.ACK && e.Stop == 0 {
		go n.stop(a.ID, e.Held)
	}
	return out
}

// seen is what a watcher was told.
type seen struct {
	events []sessions.TerminationEvent
	gaps   map[uint64]bool // Seqs of events before which some are missed
}

// read reads what is there.
func (s *seen) read(w *sessions.Watcher) {
	events, missed := w.Read()
	if missed && len(events) > 0 {
		s.gaps[events[0].Seq] = true
	}
	s.events = append(s.events, events...)
}

// TestWatch: a watcher is told, for each session, of the outcomes that the NAS gave, in their order, and once that
// it is gone. One that is slow is told what is newest, and where it has missed something.
func TestWatch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plan := make([]end, rapid.IntRange(1, 6).Draw(rt, "sessions"))
		for i := range plan {
			plan[i] = drawEnd(rt, i)
		}
		limit := rapid.IntRange(1, 8).Draw(rt, "limit of the slow watcher")
		every := time.Duration(rapid.IntRange(1, 5000).Draw(rt, "it reads every ms")) * time.Millisecond
		synctest.Test(t, func(t *testing.T) { watchAll(t, rt, plan, limit, every) })
	})
}

func watchAll(t *testing.T, rt *rapid.T, plan []end, limit int, every time.Duration) {
	f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
	defer f.journal.Close()
	f.Table = sessions.New(sessions.Config{}, f.journal)
	nas := &watchedNAS{plan: plan, given: map[sessions.ID][]sessions.Outcome{}}
	cfg := sessions.TerminatorConfig{RetryMax: 10 * time.Second, Parallel: 3}
	term := sessions.NewTerminator(cfg, f.Table, nas, slog.New(slog.DiscardHandler))
	nas.stop = func(id sessions.ID, held bool) {
		sid := fmt.Sprint(uint32(id))
		ev := sessions.Event{
			Type: sessions.Stop, NAS: nas1, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(),
			Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, sid)),
		}
		apply := f.Apply
		if held {
			apply = term.Apply
		}
		if err := apply(ev, func(error) {}); err != nil {
			rt.Error(err)
		}
	}
	var ids []sessions.ID
	for i := range plan {
		f.send(t, sessions.Start, fmt.Sprint(i+1), 0)
		ids = append(ids, sessions.ID(i+1))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- term.Run(ctx) }()
	all, some, slow := term.WatchAll(ctx, 1000), term.Watch(ctx, 1000, ids[len(ids)/2:]), term.WatchAll(ctx, limit)
	await(t, func(done func(error)) error { _, err := f.Disconnect(ids, done); return err })
	term.Start(ids...)
	for i, e := range plan {
		if e.Stop > 0 {
			time.AfterFunc(e.Stop, func() { nas.stop(sessions.ID(i+1), e.Held) })
		}
	}
	bySlow := seen{gaps: map[uint64]bool{}}
	for began := time.Now(); f.View().Len() > 0 && time.Since(began) < 10*time.Minute; time.Sleep(every) {
		for i, e := range plan { // who never agrees sends a stop some time
			if e.Stop == 0 && time.Since(began) > 5*time.Minute {
				nas.stop(sessions.ID(i+1), e.Held)
			}
		}
		bySlow.read(slow)
	}
	time.Sleep(time.Minute)
	bySlow.read(slow)
	byAll, bySome := seen{gaps: map[uint64]bool{}}, seen{gaps: map[uint64]bool{}}
	byAll.read(all)
	bySome.read(some)
	checkWatched(rt, nas, ids, byAll)
	checkWatched(rt, nas, ids[len(ids)/2:], bySome)
	checkGaps(rt, byAll.events, bySlow)
	cancel()
	if err := <-ended; err != nil {
		rt.Error(err)
	}
}

// checkWatched checks what a watcher of some sessions was told that has missed nothing.
func checkWatched(rt *rapid.T, nas *watchedNAS, ids []sessions.ID, s seen) {
	if len(s.gaps) > 0 {
		rt.Errorf("something was missed before %v", s.gaps)
	}
	last := uint64(0)
	outcomes, gone, asking := map[sessions.ID][]sessions.Outcome{}, map[sessions.ID]int{}, map[sessions.ID]bool{}
	for _, e := range s.events {
		if e.Seq <= last {
			rt.Errorf("event %d comes after %d", e.Seq, last)
		}
		last = e.Seq
		switch e.Type {
		case sessions.AttemptFinished:
			if outcomes[e.ID] = append(outcomes[e.ID], e.Last); e.Attempts != len(outcomes[e.ID]) || e.Asking {
				rt.Errorf("%+v is outcome %d", e, len(outcomes[e.ID]))
			}
			if gone[e.ID] > 0 && !asking[e.ID] || gone[e.ID] > 0 && !e.Next.IsZero() {
				rt.Errorf("%+v comes after the end", e)
			}
			asking[e.ID] = false
		case sessions.SessionEnded:
			if gone[e.ID]++; !e.Next.IsZero() || e.Asking != (e.Attempts > len(outcomes[e.ID])) {
				rt.Errorf("%+v after %d outcomes", e, len(outcomes[e.ID]))
			}
			asking[e.ID] = e.Asking
			if agreed := e.Attempts > 0 && e.Last == ack; agreed && e.Cause != sessions.CauseAdminReset {
				rt.Errorf("cause %d after an ACK", e.Cause)
			}
		}
	}
	nas.mu.Lock()
	defer nas.mu.Unlock()
	for _, id := range ids {
		if diff := cmp.Diff(nas.given[id], outcomes[id], cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
			rt.Errorf("session %d: %s", id, diff)
		}
		if gone[id] != 1 || asking[id] {
			rt.Errorf("session %d is gone %d times, asked: %v", id, gone[id], asking[id])
		}
	}
	if len(gone) != len(ids) {
		rt.Errorf("told of the end of %d sessions, want %d", len(gone), len(ids))
	}
}

// checkGaps checks what a watcher was told that may have missed something, by what one was told that has not.
func checkGaps(rt *rapid.T, all []sessions.TerminationEvent, s seen) {
	next := uint64(1)
	for _, e := range s.events {
		if gap := e.Seq != next; gap != s.gaps[e.Seq] {
			rt.Errorf("event %d comes where %d should be, missed: %v", e.Seq, next, s.gaps[e.Seq])
		}
		if e.Seq > uint64(len(all)) || !cmp.Equal(e, all[e.Seq-1], cmp.Comparer(func(a, b error) bool { return a == b })) {
			rt.Errorf("event %d is %+v", e.Seq, e)
			return
		}
		next = e.Seq + 1
	}
	if next != uint64(len(all))+1 {
		rt.Errorf("the last event is %d, want %d", next-1, len(all))
	}
}

// TestWatchEnds: a watcher whose context is done is told nothing more, and one that reads nothing holds up nobody.
func TestWatchEnds(t *testing.T) {
	terminating(t, func(context.Context, *sessions.Attempt) sessions.Outcome { return silence }, func(f *fixture, term *sessions.Terminator, _ func() string) {
		ctx, cancel := context.WithCancel(context.Background())
		left, unread := term.Watch(ctx, 10, []sessions.ID{1}), term.WatchAll(context.Background(), 2)
		all := term.WatchAll(context.Background(), 10_000)
		cancel()
		synctest.Wait()
		time.Sleep(time.Hour)
		f.send(t, sessions.Stop, "a", 1)
		if events, missed := left.Read(); len(events) > 0 || missed {
			t.Errorf("%+v, missed: %v", events, missed)
		}
		told, _ := all.Read()
		events, missed := unread.Read()
		if want := told[len(told)-2+len(told)%2:]; !cmp.Equal(want, events) || !missed { // each third event drops two
			t.Errorf("%+v, missed: %v; want the end of %d events", events, missed, len(told))
		}
		if last := told[len(told)-1]; last.Type != sessions.SessionEnded {
			t.Errorf("the last event is %+v", last)
		}
	})
}

// TestGoneIsDurable: a watcher is told that a session is gone when that is durable, and no view has it.
func TestGoneIsDurable(t *testing.T) {
	terminating(t, func(context.Context, *sessions.Attempt) sessions.Outcome { return nak503 }, func(f *fixture, term *sessions.Terminator, _ func() string) {
		f.send(t, sessions.Start, "b", 0)
		w := term.WatchAll(context.Background(), 10)
		await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{2}, done); return err })
		f.journal.Hold(true)
		term.Start(2)
		time.Sleep(time.Second)
		if events, _ := w.Read(); len(events) != 1 || events[0].Type != sessions.AttemptFinished {
			t.Errorf("before: %+v", events)
		}
		f.journal.Hold(false)
		<-w.Updated()
		<-w.Updated()
		if events, _ := w.Read(); len(events) != 1 || events[0].Type != sessions.SessionEnded || f.View().Get(2) != nil {
			t.Errorf("after: %+v", events)
		}
	})
}
