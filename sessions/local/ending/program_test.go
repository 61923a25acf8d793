package ending

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/sessions"
	"aaasess/sessions/termination"
)

var byProgram = &sessions.Ending{Event: true}

func subscribe(t *testing.T, d *Disconnector, source string) *Subscriber {
	t.Helper()
	s, err := d.Subscribe(source, 1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func result(t *testing.T, result, reason string) termination.Outcome {
	t.Helper()
	out, err := ParseResult(result, reason)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestProgram: the program that listens for its source is asked, and its first answer counts.
func TestProgram(t *testing.T) {
	tests := []struct{ result, reason, want string }{
		{ResultACK, "", "ACK"},
		{ResultNAK, "busy\nnow", "NAK: busy now"},
		{ResultNAK, "", "NAK: the program has given no reason"},
		{ResultGone, "no such tty", "NAK 503 (Session-Context-Not-Found): no such tty"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			d := New(Config{})
			first, second, other := subscribe(t, d, "sshd"), subscribe(t, d, "sshd"), subscribe(t, d, "openvpn")
			s := sessionOf(t, "sshd/1", "alice", byProgram)
			outcome := make(chan termination.Outcome)
			go func() { outcome <- d.Disconnect(t.Context(), s, byProgram) }()
			r := <-first.Requests()
			if again := <-second.Requests(); again != r || r.Session != s || time.Until(r.Until) != DefaultProgramWait {
				t.Errorf("%+v, and %+v", r, again)
			}
			for name, err := range map[string]error{
				"another source": d.Answer("openvpn", r.ID, result(t, ResultACK, "")), "another id": d.Answer("sshd", "x", result(t, ResultACK, "")),
			} {
				if !errors.Is(err, ErrNoRequest) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := d.Answer("sshd", r.ID, result(t, tt.result, tt.reason)); err != nil {
				t.Error(err)
			}
			if got := <-outcome; got.String() != tt.want {
				t.Errorf("outcome %q, want %q", got, tt.want)
			}
			if err := d.Answer("sshd", r.ID, result(t, ResultNAK, "")); !errors.Is(err, ErrNoRequest) {
				t.Errorf("a second answer: %v", err)
			}
			if len(other.Requests()) != 0 {
				t.Error("another source is asked")
			}
			first.Close()
			second.Close()
			other.Close()
			if len(d.programs.subscribers) != 0 || len(d.programs.waiting) != 0 {
				t.Errorf("%+v", &d.programs)
			}
		})
	}
}

// TestNoProgram: nobody listens, or whoever listens does not read or answer.
func TestNoProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(Config{})
		s := sessionOf(t, "sshd/1", "alice", byProgram)
		disconnect := func() termination.Outcome { return d.Disconnect(t.Context(), s, byProgram) }
		wantOutcome(t, disconnect(), `not sent: no program of source "sshd" listens`)
		program := subscribe(t, d, "sshd")
		began := time.Now()
		wantOutcome(t, disconnect(), `no answer: the program of source "sshd" has not answered in 10s`)
		if time.Since(began) != DefaultProgramWait {
			t.Errorf("after %v", time.Since(began))
		}
		r := <-program.Requests()
		if err := d.Answer("sshd", r.ID, result(t, ResultACK, "")); !errors.Is(err, ErrNoRequest) || !r.Until.Equal(time.Now()) {
			t.Errorf("a late answer: %v", err)
		}
		for range subscriberQueue {
			program.queue <- Request{}
		}
		wantOutcome(t, disconnect(), `not sent: no program of source "sshd" reads`)
		program.Close()
		wantOutcome(t, disconnect(), `not sent: no program of source "sshd" listens`)
	})
}

// TestLateProgram: a program that begins to listen is asked for what waits, and only of its source.
func TestLateProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(Config{})
		first := subscribe(t, d, "sshd")
		outcome := make(chan termination.Outcome)
		go func() { outcome <- d.Disconnect(t.Context(), sessionOf(t, "sshd/1", "alice", byProgram), byProgram) }()
		want := <-first.Requests()
		first.Close()
		if other := subscribe(t, d, "openvpn"); len(other.Requests()) != 0 {
			t.Error("another source is asked")
		}
		second := subscribe(t, d, "sshd")
		if r := <-second.Requests(); r != want {
			t.Errorf("%+v", r)
		}
		if err := d.Answer("sshd", want.ID, result(t, ResultACK, "")); err != nil {
			t.Error(err)
		}
		wantOutcome(t, <-outcome, "ACK")
		for range maxSubscribers - 1 {
			subscribe(t, d, "sshd")
		}
		if s, err := d.Subscribe("sshd", 2); err != nil {
			t.Errorf("of another user: %v", err)
		} else {
			s.Close()
		}
		if _, err := d.Subscribe("sshd", 1); !errors.Is(err, ErrTooMany) {
			t.Error(err)
		}
	})
}

// TestProgramEnds: the answer may come a moment after the stop. Everything else ends the attempt.
func TestProgramEnds(t *testing.T) {
	for _, tt := range []struct {
		cause   error
		answers bool
		want    string
	}{
		{termination.ErrSessionEnded, true, "ACK"},
		{termination.ErrSessionEnded, false, "given up: the session has ended"},
		{errors.New("the daemon"), true, "not sent: the daemon"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := New(Config{})
			program := subscribe(t, d, "sshd")
			ctx, cancel := context.WithCancelCause(t.Context())
			outcome := make(chan termination.Outcome, 1)
			go func() { outcome <- d.Disconnect(ctx, sessionOf(t, "sshd/1", "alice", byProgram), byProgram) }()
			r := <-program.Requests()
			cancel(tt.cause)
			synctest.Wait()
			if tt.answers {
				_ = d.Answer("sshd", r.ID, result(t, ResultACK, ""))
			}
			wantOutcome(t, <-outcome, tt.want)
		})
	}
}

func TestParseResult(t *testing.T) {
	for _, text := range []string{"", "ACK", "yes"} {
		if _, err := ParseResult(text, ""); err == nil {
			t.Errorf("%q is a result", text)
		}
	}
}
