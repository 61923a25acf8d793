package termination_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/termination"
)

// end is how a session is ended in TestWatch.
type end struct {
	Answers []int           // of the NAS, as indexes of watchOutcomes; the last one is repeated
	Takes   []time.Duration // how long each answer takes
	Stop    time.Duration   // when the NAS sends its stop; 0: with an ACK
	ByApply bool            // the stop goes through Terminator.Apply, which may delay it
}

var watchOutcomes = []termination.Outcome{ack, silence, nak406, nak503, inconclusive, closed}

func drawEnd(rt *rapid.T, i int) end {
	n := rapid.IntRange(1, 4).Draw(rt, fmt.Sprint("answers of ", i))
	e := end{ByApply: rapid.Bool().Draw(rt, "by Terminator.Apply")}
	for range n {
		e.Answers = append(e.Answers, rapid.IntRange(0, len(watchOutcomes)-1).Draw(rt, "answer"))
		e.Takes = append(e.Takes, rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second, 3 * time.Second}).Draw(rt, "takes"))
	}
	if rapid.Bool().Draw(rt, "stop of its own") {
		e.Stop = time.Duration(rapid.IntRange(1, 9000).Draw(rt, "stop")) * time.Millisecond
	}
	return e
}

// watchedNAS answers as planned, and notes the outcomes.
type watchedNAS struct {
	plan []end
	stop func(id sessions.ID, byApply bool)

	mu    sync.Mutex
	given map[sessions.ID][]termination.Outcome
}

func (n *watchedNAS) Disconnect(ctx context.Context, a *termination.Attempt) termination.Outcome {
	e := n.plan[a.ID-1]
	n.mu.Lock()
	i := min(len(n.given[a.ID]), len(e.Answers)-1)
	n.mu.Unlock()
	out := watchOutcomes[e.Answers[i]]
	select {
	case <-time.After(e.Takes[i]):
	case <-ctx.Done():
		if time.Sleep(time.Millisecond); !e.ByApply { // else the answer has arrived
			out = termination.Outcome{Err: context.Cause(ctx)}
		}
	}
	n.mu.Lock()
	n.given[a.ID] = append(n.given[a.ID], out)
	n.mu.Unlock()
	if out.Answer == termination.ACK && e.Stop == 0 {
		go n.stop(a.ID, e.ByApply)
	}
	return out
}

// TestWatch: for each session a watcher gets the outcomes of the NAS, in their order, and one
// SessionEnded. A slow watcher gets the newest events of each session.
func TestWatch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plan := make([]end, rapid.IntRange(1, 6).Draw(rt, "sessions"))
		for i := range plan {
			plan[i] = drawEnd(rt, i)
		}
		every := time.Duration(rapid.IntRange(1, 200_000).Draw(rt, "the slow watcher reads every ms")) * time.Millisecond
		synctest.Test(t, func(t *testing.T) { watchAll(t, rt, plan, every) })
	})
}

func watchAll(t *testing.T, rt *rapid.T, plan []end, every time.Duration) {
	f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
	defer f.journal.Close()
	f.Table = sessions.New(sessions.Config{}, f.journal)
	nas := &watchedNAS{plan: plan, given: map[sessions.ID][]termination.Outcome{}}
	cfg := termination.Config{RetryMax: 10 * time.Second, Parallel: 3}
	term := termination.New(cfg, f.Table, nas, slog.New(slog.DiscardHandler))
	nas.stop = func(id sessions.ID, byApply bool) {
		sid := fmt.Sprint(uint32(id))
		ev := sessions.Event{
			Type: sessions.Stop, NAS: nas1, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(),
			Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, sid)),
		}
		apply := f.Apply
		if byApply {
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
	all, some, slow := term.Watch(ctx, ids), term.Watch(ctx, ids[len(ids)/2:]), term.Watch(ctx, ids)
	var byAll, bySome []termination.Event
	read := func() { byAll, bySome = append(byAll, all.Read()...), append(bySome, some.Read()...) }
	sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect(ids, done); return err })
	term.Start(ids...)
	for i, e := range plan {
		if e.Stop > 0 {
			time.AfterFunc(e.Stop, func() { nas.stop(sessions.ID(i+1), e.ByApply) })
		}
	}
	bySlow := map[uint64]termination.Event{}
	readSlow := func() {
		events := slow.Read()
		if limit := 4 * len(ids); len(events) > limit {
			rt.Errorf("%d events waited, at most %d may", len(events), limit)
		}
		for i, e := range events {
			if bySlow[e.Seq] = e; i > 0 && e.Seq <= events[i-1].Seq {
				rt.Errorf("event %d comes after %d", e.Seq, events[i-1].Seq)
			}
		}
	}
	lastRead, began := time.Now(), time.Now()
	for f.View().Len() > 0 && time.Since(began) < 10*time.Minute {
		time.Sleep(500 * time.Millisecond) // no session has five events in this time
		for i, e := range plan {           // if there is no ACK, the NAS sends a stop at last
			if e.Stop == 0 && time.Since(began) > 5*time.Minute {
				nas.stop(sessions.ID(i+1), e.ByApply)
			}
		}
		if read(); time.Since(lastRead) >= every {
			readSlow()
			lastRead = time.Now()
		}
	}
	time.Sleep(time.Minute)
	read()
	readSlow()
	checkWatched(rt, nas, ids, byAll)
	checkWatched(rt, nas, ids[len(ids)/2:], bySome)
	checkNewest(rt, byAll, bySlow)
	cancel()
	if err := <-ended; err != nil {
		rt.Error(err)
	}
}

// checkWatched checks the events of a watcher of some sessions that has missed none.
func checkWatched(rt *rapid.T, nas *watchedNAS, ids []sessions.ID, events []termination.Event) {
	last := uint64(0)
	outcomes, ended, asking := map[sessions.ID][]termination.Outcome{}, map[sessions.ID]int{}, map[sessions.ID]bool{}
	for _, e := range events {
		if e.Seq <= last {
			rt.Errorf("event %d comes after %d", e.Seq, last)
		}
		last = e.Seq
		switch e.Type {
		case termination.AttemptFinished:
			if outcomes[e.ID] = append(outcomes[e.ID], e.Last); e.Attempts != len(outcomes[e.ID]) || e.Asking {
				rt.Errorf("%+v, want outcome %d", e, len(outcomes[e.ID]))
			}
			if ended[e.ID] > 0 && !asking[e.ID] || ended[e.ID] > 0 && !e.Next.IsZero() {
				rt.Errorf("%+v comes after the end", e)
			}
			asking[e.ID] = false
		case termination.SessionEnded:
			if ended[e.ID]++; !e.Next.IsZero() || e.Asking != (e.Attempts > len(outcomes[e.ID])) {
				rt.Errorf("%+v after %d outcomes", e, len(outcomes[e.ID]))
			}
			asking[e.ID] = e.Asking
			// A stop that overtakes the ACK keeps the NAS's cause, unless Terminator.Apply delays it.
			isDelayed := nas.plan[e.ID-1].ByApply && nas.plan[e.ID-1].Stop == 0
			if isDelayed && e.Attempts > 0 && e.Last == ack && e.Cause != sessions.CauseAdminReset {
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
		if ended[id] != 1 || asking[id] {
			rt.Errorf("session %d ended %d times, asking: %v", id, ended[id], asking[id])
		}
	}
	if len(ended) != len(ids) {
		rt.Errorf("%d sessions ended, want %d", len(ended), len(ids))
	}
}

// checkNewest checks that the slow watcher got nothing wrong, and the newest event of each type of
// each session.
func checkNewest(rt *rapid.T, all []termination.Event, slow map[uint64]termination.Event) {
	newest := map[string]uint64{}
	for _, e := range all {
		newest[fmt.Sprint(e.ID, e.Type)] = e.Seq
		if got, read := slow[e.Seq]; read && !cmp.Equal(e, got, cmp.Comparer(func(a, b error) bool { return a == b })) {
			rt.Errorf("the slow watcher got %+v, want %+v", got, e)
		}
	}
	if len(slow) > len(all) {
		rt.Errorf("the slow watcher got %d events of %d", len(slow), len(all))
	}
	for what, seq := range newest {
		if _, read := slow[seq]; !read {
			rt.Errorf("the slow watcher did not get event %d, the newest of %s", seq, what)
		}
	}
}

// TestWatchEnds: a watcher gets no events after its context is done. A watcher that never reads
// delays nobody.
func TestWatchEnds(t *testing.T) {
	terminating(t, func(context.Context, *termination.Attempt) termination.Outcome { return silence }, func(f *fixture, term *termination.Terminator, _ func() string) {
		ctx, cancel := context.WithCancel(context.Background())
		left, unread := term.Watch(ctx, []sessions.ID{1}), term.Watch(context.Background(), []sessions.ID{1})
		cancel()
		synctest.Wait()
		time.Sleep(time.Hour)
		f.send(t, sessions.Stop, "a", 1)
		if events := left.Read(); len(events) > 0 {
			t.Errorf("%+v", events)
		}
		published := unread.Read()
		if n := len(published); n < 2 || n > 4 || published[n-2].Type != termination.AttemptFinished || published[n-2].Attempts < 12 {
			t.Errorf("%+v, want the newest events", published)
		}
		if last := published[len(published)-1]; last.Type != termination.SessionEnded {
			t.Errorf("the last event is %+v", last)
		}
	})
}

// TestSessionEndedIsDurable: a watcher gets SessionEnded when the end is durable and no view has
// the session.
func TestSessionEndedIsDurable(t *testing.T) {
	terminating(t, func(context.Context, *termination.Attempt) termination.Outcome { return nak503 }, func(f *fixture, term *termination.Terminator, _ func() string) {
		f.send(t, sessions.Start, "b", 0)
		w := term.Watch(context.Background(), []sessions.ID{2})
		sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{2}, done); return err })
		f.journal.Hold(true)
		term.Start(2)
		time.Sleep(time.Second)
		if events := w.Read(); len(events) != 1 || events[0].Type != termination.AttemptFinished {
			t.Errorf("before: %+v", events)
		}
		f.journal.Hold(false)
		<-w.Updated()
		<-w.Updated()
		if events := w.Read(); len(events) != 1 || events[0].Type != termination.SessionEnded || f.View().Get(2) != nil {
			t.Errorf("after: %+v", events)
		}
	})
}

// TestAttemptCutShort: the end of the daemon during an attempt is no outcome. The NAS's answer is one,
// even if it arrives then.
func TestAttemptCutShort(t *testing.T) {
	for _, tc := range []struct {
		name     string
		answer   termination.Outcome
		outcomes int
	}{
		{"the socket closes", termination.Outcome{Err: net.ErrClosed}, 0},
		{"no answer", silence, 0},
		{"the NAS answers", ack, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
				defer f.journal.Close()
				f.Table = sessions.New(sessions.Config{}, f.journal)
				nas := scriptedNAS(func(ctx context.Context, _ *termination.Attempt) termination.Outcome {
					<-ctx.Done()
					return tc.answer
				})
				term := termination.New(termination.Config{}, f.Table, nas, slog.New(slog.DiscardHandler))
				f.send(t, sessions.Start, "a", 0)
				w := term.Watch(t.Context(), []sessions.ID{1})
				sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{1}, done); return err })
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- term.Run(ctx) }()
				term.Start(1)
				synctest.Wait()
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				events := w.Read()
				status, _ := term.Status(1)
				if len(events) != tc.outcomes || status.Asking != (tc.outcomes == 0) || status.Attempts != 1 {
					t.Errorf("events %+v, status %+v", events, status)
				}
			})
		})
	}
}
