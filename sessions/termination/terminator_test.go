package termination_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/termination"
)

// askedNAS answers attempts from a list, and notes when they came. It repeats the last answer.
type askedNAS struct {
	began   time.Time
	answers []termination.Outcome
	asked   []time.Duration
}

func (n *askedNAS) Disconnect(context.Context, *termination.Attempt) termination.Outcome {
	n.asked = append(n.asked, time.Since(n.began))
	return n.answers[min(len(n.asked), len(n.answers))-1]
}

var (
	ack          = termination.Outcome{Answer: termination.ACK}
	silence      = termination.Outcome{}
	unsent       = termination.Outcome{Err: errors.New("no secret for this NAS")}
	nak406       = termination.Outcome{Answer: termination.NAK, ErrorCause: radius.UnsupportedExtension}
	nak503       = termination.Outcome{Answer: termination.NAK, ErrorCause: radius.SessionContextNotFound}
	bareNAK      = termination.Outcome{Answer: termination.NAK}
	inconclusive = termination.Outcome{Answer: termination.NAK, ErrorCause: radius.SessionContextNotFound, Inconclusive: true}
	closed       = termination.Outcome{Err: termination.ErrPortUnreachable}
	startEnd     = []string{"Start 1", "Stop 1 cause 6"}
	itsOwn       = []string{"Start 1", "Stop 1"} // the NAS's stop, with its own cause
)

func TestTerminator(t *testing.T) {
	s := time.Second
	tests := []struct {
		name    string
		answers []termination.Outcome
		stopAt  time.Duration // when the NAS sends its stop; 0: never
		asked   []time.Duration
		after   time.Duration        // when the records and the status are checked
		want    []string             // the records
		status  termination.Progress // zero: the session is not being ended
	}{
		{"ACK and the stop", []termination.Outcome{ack}, 1 * s, []time.Duration{0}, 30 * s, startEnd, termination.Progress{}},
		{"ACK, no stop: it is closed", []termination.Outcome{ack}, 0, []time.Duration{0}, 31 * s, startEnd, termination.Progress{}},
		{"ACK, no stop yet", []termination.Outcome{ack}, 0, []time.Duration{0}, 29 * s, startEnd[:1], termination.Progress{Attempts: 1, Last: ack}},
		{"NAK 503: it is closed", []termination.Outcome{nak503}, 0, []time.Duration{0}, 1 * s, startEnd, termination.Progress{}},
		{"NAK 406: asked again while it lives", []termination.Outcome{nak406}, 0, []time.Duration{0, 2 * s, 6 * s, 14 * s}, 20 * s, startEnd[:1], termination.Progress{Attempts: 4, Last: nak406}},
		{"bare NAK, then the stop", []termination.Outcome{bareNAK}, 1 * s, []time.Duration{0}, 20 * s, itsOwn, termination.Progress{}},
		{"silence, then ACK", []termination.Outcome{silence, silence, ack}, 0, []time.Duration{0, 2 * s, 6 * s}, 37 * s, startEnd, termination.Progress{}},
		{"inconclusive NAK 503: asked again while it lives", []termination.Outcome{inconclusive}, 0, []time.Duration{0, 2 * s, 6 * s}, 10 * s, startEnd[:1], termination.Progress{Attempts: 3, Last: inconclusive}},
		{"bare NAKs close nothing", []termination.Outcome{bareNAK}, 0, []time.Duration{0, 2 * s, 6 * s}, 10 * s, startEnd[:1], termination.Progress{Attempts: 3, Last: bareNAK}},
		{"closed port, as silence", []termination.Outcome{closed}, 0, []time.Duration{0, 2 * s, 6 * s}, 10 * s, startEnd[:1], termination.Progress{Attempts: 3, Last: closed}},
		{"cannot be sent", []termination.Outcome{unsent}, 0, []time.Duration{0, 2 * s}, 5 * s, startEnd[:1], termination.Progress{Attempts: 2, Last: unsent}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
				f.Table = sessions.New(sessions.Config{}, f.journal)
				nas := &askedNAS{began: time.Now(), answers: tt.answers}
				term := termination.New(termination.Config{}, f.Table, nas, slog.New(slog.DiscardHandler))
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- term.Run(ctx) }()
				f.send(t, sessions.Start, "a", 0)
				sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{1}, done); return err })
				term.Start(1)
				if tt.stopAt != 0 {
					time.Sleep(tt.stopAt)
					f.send(t, sessions.Stop, "a", 1)
				}
				time.Sleep(tt.after - tt.stopAt)
				synctest.Wait()
				if diff := cmp.Diff(tt.asked, nas.asked); diff != "" {
					t.Error("attempts:", diff)
				}
				if diff := cmp.Diff(tt.want, f.journal.Accounted()); diff != "" {
					t.Error(diff)
				}
				status, underWay := term.Status(1)
				status.Next = time.Time{}
				if underWay != (tt.status.Attempts > 0) || status != tt.status {
					t.Errorf("status %+v (%v), want %+v", status, underWay, tt.status)
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				f.journal.Close()
			})
		})
	}
}

// TestTerminatorResumes: a session that was being ended before a restart is asked for again.
func TestTerminatorResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := sessionstest.NewJournal()
		f := &fixture{journal: journal, now: time.Now()}
		f.Table = sessions.New(sessions.Config{}, journal)
		f.send(t, sessions.Start, "a", 0)
		sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{1}, done); return err })

		again := sessions.New(sessions.Config{}, journal)
		if err := again.Load(journal.Load); err != nil {
			t.Fatal(err)
		}
		nas := &askedNAS{began: time.Now(), answers: []termination.Outcome{nak503}}
		ctx, cancel := context.WithCancel(t.Context())
		term := termination.New(termination.Config{}, again, nas, slog.New(slog.DiscardHandler))
		done := make(chan error)
		go func() { done <- term.Run(ctx) }()
		synctest.Wait()
		if len(nas.asked) != 1 || again.View().Len() != 0 {
			t.Errorf("asked %d times, %d rows", len(nas.asked), again.View().Len())
		}
		cancel()
		<-done
		journal.Close()
	})
}

// TestTerminatorWhenNothingIsAccepted: a session that cannot be closed now is closed later.
func TestTerminatorWhenNothingIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
		f.Table = sessions.New(sessions.Config{}, f.journal)
		ctx, cancel := context.WithCancel(t.Context())
		term := termination.New(termination.Config{}, f.Table, &askedNAS{answers: []termination.Outcome{nak503}}, slog.New(slog.DiscardHandler))
		done := make(chan error)
		go func() { done <- term.Run(ctx) }()
		f.send(t, sessions.Start, "a", 0)
		sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{1}, done); return err })
		f.journal.Refuse(errors.New("disk is full"))
		term.Start(1)
		time.Sleep(time.Minute)
		if f.View().Len() != 1 {
			t.Error("the session ended without a stop record")
		}
		f.journal.Refuse(nil)
		time.Sleep(time.Minute)
		if diff := cmp.Diff(startEnd, f.journal.Accounted()); diff != "" {
			t.Error(diff)
		}
		cancel()
		<-done
		f.journal.Close()
	})
}

// TestResumeLeavesOutUndoable: a Terminator that starts does not end a session whose SET can still
// be undone.
func TestResumeLeavesOutUndoable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{journal: sessionstest.NewJournal(), now: time.Now()}
		defer f.journal.Close()
		f.Table = sessions.New(sessions.Config{}, f.journal)
		f.send(t, sessions.Start, "a", 0)
		sessionstest.Await(t, func(done func(error)) error { _, err := f.Disconnect([]sessions.ID{1}, done); return err })
		nas := &askedNAS{}
		terminator := termination.New(termination.Config{}, f.Table, nas, nil)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- terminator.Run(ctx) }()
		synctest.Wait()
		sessionstest.Await(t, func(done func(error)) error { f.Undo([]sessions.ID{1}, done); return nil })
		if s := f.View().Get(1); s.State != sessions.Active {
			t.Errorf("after Undo the session is %s", s.State)
		}
		if _, underWay := terminator.Status(1); underWay {
			t.Error("the session is being ended")
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
