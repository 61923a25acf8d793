package termination_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/logtest"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/termination"
)

// scriptedNAS runs a function for each attempt.
type scriptedNAS func(ctx context.Context, a *termination.Attempt) termination.Outcome

func (n scriptedNAS) Disconnect(ctx context.Context, a *termination.Attempt) termination.Outcome {
	return n(ctx, a)
}

// terminating runs a test with a Terminator and a NAS. Session 1, "a", is being ended.
func terminating(t *testing.T, nas scriptedNAS, test func(f *fixture, term *termination.Terminator, log func() string)) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
		f.Table = sessions.New(sessions.Config{}, f.journal)
		log := &logtest.Buffer{}
		cfg := termination.Config{ClientName: func(netip.Addr) string { return "lab" }}
		term := termination.New(cfg, f.Table, nas, slog.New(slog.NewTextHandler(log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- term.Run(ctx) }()
		f.send(t, sessions.Start, "a", 0)
		sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{1}, done); return err })
		term.Start(1)
		synctest.Wait()
		test(f, term, log.String)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		f.journal.Close()
	})
}

// TestEndOfSessionCancelsAttempt: whatever ends the session, the attempt under way is cancelled at
// that moment.
func TestEndOfSessionCancelsAttempt(t *testing.T) {
	ends := map[string]func(t *testing.T, f *fixture){
		"stop": func(t *testing.T, f *fixture) { f.send(t, sessions.Stop, "a", 1) },
		"Accounting-On": func(t *testing.T, f *fixture) {
			f.now = time.Now()
			f.accountingOn(t, nas1)
		},
		"Table.Clear": func(t *testing.T, f *fixture) {
			sessionstest.Await(t, func(done func(error)) error { return f.Clear([]sessions.ID{1, 1}, done) })
		},
		"Table.End": func(t *testing.T, f *fixture) {
			sessionstest.Await(t, func(done func(error)) error { return f.End(1, sessions.CauseLostCarrier, time.Now(), done) })
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			var cause error
			var took time.Duration
			nas := func(ctx context.Context, a *termination.Attempt) termination.Outcome {
				began := time.Now()
				<-ctx.Done()
				cause, took = context.Cause(ctx), time.Since(began)
				return termination.Outcome{Err: cause}
			}
			terminating(t, nas, func(f *fixture, term *termination.Terminator, log func() string) {
				time.Sleep(time.Second)
				end(t, f)
				synctest.Wait()
				if cause != termination.ErrSessionEnded || took != time.Second {
					t.Errorf("cancelled with %v after %v", cause, took)
				}
				if _, underWay := term.Status(1); underWay {
					t.Error("the session is still being ended")
				}
				if !strings.Contains(log(), "disconnect: session ended during the attempt") || strings.Contains(log(), "next=") {
					t.Error(log())
				}
			})
		})
	}
}

// TestNoMeans: a session whose NAS has no means to end it, because of a reload since the SET, is stuck
// after the first attempt, and the log says why, once.
func TestNoMeans(t *testing.T) {
	nas := func(context.Context, *termination.Attempt) termination.Outcome {
		return termination.Outcome{Err: fmt.Errorf("profile none: %w", termination.ErrNoMeans)}
	}
	terminating(t, nas, func(_ *fixture, term *termination.Terminator, log func() string) {
		time.Sleep(time.Minute)
		synctest.Wait()
		if status, _ := term.Status(1); !status.Stuck || status.Next.IsZero() || term.Stuck() != 1 {
			t.Errorf("%+v", status)
		}
		warning := strings.Split(log(), "\n")[0]
		if strings.Count(log(), "level=WARN") != 1 || !strings.Contains(warning, "level=WARN") || !strings.Contains(warning, `outcome="not sent: profile none: nothing can end the session"`) {
			t.Error(log())
		}
	})
}

// TestStuck: a session that five attempts have not ended is stuck, and the log warns once. An ACK
// ends that.
func TestStuck(t *testing.T) {
	var answer atomic.Pointer[termination.Outcome]
	answer.Store(&silence)
	nas := func(context.Context, *termination.Attempt) termination.Outcome { return *answer.Load() }
	terminating(t, nas, func(_ *fixture, term *termination.Terminator, log func() string) {
		time.Sleep(29 * time.Second) // attempts at 0, 2, 6, 14 and 30 s
		synctest.Wait()
		if status, _ := term.Status(1); status.Attempts != 4 || status.Stuck || term.Stuck() != 0 {
			t.Errorf("%+v", status)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		status, _ := term.Status(1)
		if status.Attempts != 7 || !status.Stuck || term.Stuck() != 1 {
			t.Errorf("%+v", status)
		}
		if !strings.Contains(log(), " client=lab ") {
			t.Error(log())
		}
		if n := strings.Count(log(), "level=WARN msg=\"disconnect: session cannot be ended"); n != 1 {
			t.Errorf("%d warnings: %s", n, log())
		}
		answer.Store(&ack)
		time.Sleep(150 * time.Second)
		synctest.Wait()
		if term.Stuck() != 0 {
			t.Error("stuck after an ACK")
		}
	})
}

// TestNoAttemptAfterEnd: after its end a session that waited for its next attempt gets none.
func TestNoAttemptAfterEnd(t *testing.T) {
	asked := 0
	nas := func(context.Context, *termination.Attempt) termination.Outcome { asked++; return silence }
	terminating(t, nas, func(f *fixture, term *termination.Terminator, _ func() string) {
		f.send(t, sessions.Stop, "a", 1)
		if _, underWay := term.Status(1); underWay {
			t.Error("the session is still being ended")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// TestStopOvertakesAnswer: a stop that arrives during an attempt waits a moment for the answer,
// which decides its cause. Nothing is sent meanwhile.
func TestStopOvertakesAnswer(t *testing.T) {
	ms := time.Millisecond
	tests := []struct {
		name   string
		after  time.Duration // when the answer comes, after the stop
		out    termination.Outcome
		waited time.Duration
		want   []string // the records
	}{
		{"ACK", 5 * ms, ack, 5 * ms, startEnd},
		{"NAK", 5 * ms, nak503, 5 * ms, itsOwn},
		{"ACK too late", 200 * ms, ack, 100 * ms, itsOwn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			nas := func(ctx context.Context, a *termination.Attempt) termination.Outcome {
				<-ctx.Done()
				time.Sleep(tt.after)
				return tt.out
			}
			terminating(t, nas, func(f *fixture, term *termination.Terminator, _ func() string) {
				began := time.Now()
				ev := sessions.Event{
					Type: sessions.Stop, NAS: nas1, AcctSessionID: "a", Kind: sessions.Network, At: began,
					Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, "a")),
				}
				sessionstest.Await(t, func(done func(error)) error { return term.Apply(ev, done) })
				if waited := time.Since(began); waited != tt.waited {
					t.Errorf("answered after %v, want %v", waited, tt.waited)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if diff := cmp.Diff(tt.want, f.journal.Accounted()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestApplyDoesNotDelay: events other than such a stop are applied at once.
func TestApplyDoesNotDelay(t *testing.T) {
	nas := func(ctx context.Context, a *termination.Attempt) termination.Outcome { <-ctx.Done(); return silence }
	terminating(t, nas, func(f *fixture, term *termination.Terminator, _ func() string) {
		began := time.Now()
		for i, typ := range []sessions.EventType{sessions.Start, sessions.Interim, sessions.Stop} {
			ev := sessions.Event{
				Type: typ, NAS: nas1, AcctSessionID: "b", Kind: sessions.Network, At: f.now.Add(time.Duration(i) * time.Second),
				Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, "b")),
			}
			sessionstest.Await(t, func(done func(error)) error { return term.Apply(ev, done) })
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("they took %v", waited)
		}
		if diff := cmp.Diff([]string{"Start 1", "Start 2", "Interim-Update 2", "Stop 2"}, f.journal.Accounted()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestDelayedStopGoesFirst: the next session with the same Acct-Session-Id starts while the stop of
// the session before waits for the ACK. The stop is applied before the start.
func TestDelayedStopGoesFirst(t *testing.T) {
	nas := func(ctx context.Context, _ *termination.Attempt) termination.Outcome {
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		return ack
	}
	terminating(t, nas, func(f *fixture, term *termination.Terminator, _ func() string) {
		done := make(chan error, 2)
		for _, typ := range []sessions.EventType{sessions.Stop, sessions.Start} {
			ev := sessions.Event{
				Type: typ, NAS: nas1, AcctSessionID: "a", Kind: sessions.Network, At: time.Now(),
				Attrs: radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, "a")),
			}
			if err := term.Apply(ev, func(err error) { done <- err }); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		if diff := cmp.Diff([]string{"Start 1", "Stop 1", "Start 2"}, f.journal.Accounted()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOurStopHasTimeOfACK: the time of a stop that we make is that of the ACK, not the time when we
// make it.
func TestOurStopHasTimeOfACK(t *testing.T) {
	nas := func(context.Context, *termination.Attempt) termination.Outcome { time.Sleep(time.Second); return ack }
	terminating(t, nas, func(f *fixture, _ *termination.Terminator, log func() string) {
		acked := time.Now().Add(time.Second)
		time.Sleep(time.Minute)
		synctest.Wait()
		notices := f.journal.Notices()
		if stop := notices[len(notices)-1]; stop.Type != sessions.Stop || !stop.At.Equal(acked) {
			t.Errorf("%s at %v, want a stop at %v", stop.Type, stop.At, acked)
		}
		for _, line := range strings.Split(strings.TrimSpace(log()), "\n") {
			if !strings.Contains(line, "user=user-a") || !strings.Contains(line, "nas=nas-1@192.0.2.1") {
				t.Errorf("a line without user or NAS: %s", line)
			}
		}
	})
}

// TestMemory: a Disconnector finds in an attempt the Memory of the attempt before.
func TestMemory(t *testing.T) {
	var found []any
	nas := func(_ context.Context, a *termination.Attempt) termination.Outcome {
		found = append(found, a.Memory)
		a.Memory = len(found)
		return silence
	}
	terminating(t, nas, func(*fixture, *termination.Terminator, func() string) {
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]any{nil, 1, 2}, found); diff != "" {
			t.Error(diff)
		}
	})
}

// TestAckedAtStart: if the NAS sent an ACK before the start, the Terminator waits for the stop and
// does not ask again.
func TestAckedAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
		defer f.journal.Close()
		f.Table = sessions.New(sessions.Config{}, f.journal)
		f.send(t, sessions.Start, "a", 0)
		sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{1}, done); return err })
		sessionstest.Await(t, func(done func(error)) error { f.Acked(1, done); return nil })
		nas := &askedNAS{answers: []termination.Outcome{ack}}
		term := termination.New(termination.Config{}, f.Table, nas, slog.New(slog.DiscardHandler))
		term.Start(1) // as a SET does
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- term.Run(ctx) }()
		time.Sleep(29 * time.Second)
		synctest.Wait()
		if len(nas.asked) != 0 || f.View().Len() != 1 {
			t.Errorf("asked %v, %d rows", nas.asked, f.View().Len())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff(startEnd, f.journal.Accounted()); diff != "" {
			t.Error(diff)
		}
		cancel()
		<-ended
	})
}
