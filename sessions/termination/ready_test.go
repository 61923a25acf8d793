package termination

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestReadyJobs adds jobs, written "NAS number" with a * for a retry, and starts those that can
// start. An attempt lasts until finish is called.
func TestReadyJobs(t *testing.T) {
	r := newReadyJobs(2)
	add := func(jobs ...string) {
		for _, j := range jobs {
			text, asked := strings.CutSuffix(j, "*")
			j := &job{nas: sessions.NAS{Identifier: text[:1]}}
			if _, err := fmt.Sscan(text[1:], &j.id); err != nil {
				t.Fatal(err)
			}
			if asked {
				j.Attempts = 1
			}
			r.add(j)
		}
	}
	start := func() string {
		var out []string
		for j := r.next(); j != nil; j = r.next() {
			out = append(out, fmt.Sprint(j.nas.Identifier, uint32(j.id)))
			r.started(j.nas)
		}
		return strings.Join(out, " ")
	}
	finish := func(names ...string) {
		for _, n := range names {
			r.finished(sessions.NAS{Identifier: n}, quick)
		}
	}
	steps := []struct {
		name string
		do   func()
		want string
	}{
		{"nothing", func() {}, ""},
		{"NASes take turns, two places each", func() { add("a1", "a2", "a3", "a4", "b5", "c6", "c7", "c8") }, "a1 b5 c6 a2 c7"},
		{"first attempts go before retries", func() { add("b9*", "b10"); finish("b") }, "b10 b9"},
		{"a sessions.NAS at its limit gets its own free place", func() { finish("c") }, "c8"},
		{"another sessions.NAS goes first", func() { add("d11*", "a12*") }, "d11"},
		{"a place becomes free", func() { finish("a") }, "a3"},
		{"all places", func() { finish("a", "a", "b", "b", "c", "c", "d") }, "a4 a12"},
		{"nothing is left", func() { finish("a", "a") }, ""},
	}
	for _, st := range steps {
		st.do()
		if got := start(); got != st.want {
			t.Errorf("%s: %q, want %q", st.name, got, st.want)
		}
	}
	if len(r.windows.byNAS)+len(r.firstAttempts.byNAS)+len(r.firstAttempts.order)+len(r.retries.byNAS)+len(r.retries.order) != 0 {
		t.Errorf("not empty at the end: %+v", r)
	}
}

// TestWaitAfter tests the waits between attempts.
func TestWaitAfter(t *testing.T) {
	standard := Config{}.withDefaults()
	long := Config{RetryMin: 24 * time.Hour, RetryMax: math.MaxInt64}.withDefaults()
	silent := Outcome{}
	tests := []struct {
		name     string
		out      Outcome
		attempt  int
		cfg      Config
		wait     time.Duration
		closeNow bool
	}{
		{"ACK", Outcome{Answer: ACK}, 1, standard, 30 * time.Second, false},
		{"NAK 503", Outcome{Answer: NAK, ErrorCause: radius.SessionContextNotFound}, 1, standard, 0, true},
		{"NAK 406", Outcome{Answer: NAK, ErrorCause: radius.UnsupportedExtension}, 2, standard, 4 * time.Second, false},
		{"silence", silent, 1, standard, 2 * time.Second, false},
		{"the last that is less than RetryMax", silent, 8, standard, 256 * time.Second, false},
		{"RetryMax", silent, 9, standard, 5 * time.Minute, false},
		{"RetryMax still", silent, 1_000_000, standard, 5 * time.Minute, false},
		{"RetryMax is no double of RetryMin", silent, 2, Config{RetryMin: 2, RetryMax: 3}, 3, false},
		{"a wait that has no double", silent, 18, long, math.MaxInt64, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if wait, closeNow := waitAfter(tt.out, tt.attempt, tt.cfg); wait != tt.wait || closeNow != tt.closeNow {
				t.Errorf("%v %v, want %v %v", wait, closeNow, tt.wait, tt.closeNow)
			}
		})
	}
}

func TestTerminatorDefaults(t *testing.T) {
	want := Config{StopWait: 30 * time.Second, RetryMin: 2 * time.Second, RetryMax: 5 * time.Minute, Parallel: 256, PerNAS: 32}
	for _, cfg := range []Config{{}, want} {
		got := cfg.withDefaults()
		if since := time.Since(got.Now()); since < 0 || since > time.Hour {
			t.Errorf("now is %v ago", since)
		}
		if got.Now = nil; !reflect.DeepEqual(got, want) {
			t.Errorf("%+v", got)
		}
	}
}

// TestWindowForgotten: the window of a NAS is forgotten when its last jobs need no attempt, because their
// sessions have ended while they waited.
func TestWindowForgotten(t *testing.T) {
	r := newReadyJobs(1)
	nas := sessions.NAS{Identifier: "a"}
	for id := range sessions.ID(3) {
		r.add(&job{id: id, nas: nas})
	}
	r.started(r.next().nas)
	if j := r.next(); j != nil {
		t.Fatalf("job %d has a place", j.id)
	}
	r.finished(nas, quick) // others wait
	r.skipped(r.next().nas)
	if len(r.windows.byNAS) != 1 {
		t.Error("forgotten while a job waits")
	}
	r.skipped(r.next().nas)
	if n := len(r.windows.byNAS); n != 0 {
		t.Errorf("%d windows are kept for ever", n)
	}
	r.skipped(nas)

	r.add(&job{nas: nas})
	r.started(r.next().nas)
	r.skipped(nas)
	if len(r.windows.byNAS) != 1 {
		t.Error("forgotten while an attempt is under way")
	}
}
