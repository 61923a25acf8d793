package notify

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/agent/snmp/wire"
)

// TestReport plays a target's events second by second, and checks what is logged when.
func TestReport(t *testing.T) {
	gone := syscall.ENETUNREACH
	type event struct {
		at  int   // second
		err error // nil means that it worked
	}
	tests := []struct {
		name   string
		events []event
		want   []string // second, and W or I with the contents of the line
	}{
		{"works", []event{{1, nil}, {2, nil}}, nil},
		{"back", []event{{1, gone}, {5, nil}, {6, nil}}, []string{"1 W", "5 I 4s"}},
		{"back later", []event{{1, gone}, {30, gone}, {70, gone}, {100, nil}}, []string{"1 W", "70 W", "100 I 1m39s"}},
		{"second time unlogged", []event{{1, gone}, {5, nil}, {10, gone}, {12, nil}}, []string{"1 W", "5 I 4s"}},
		{"second time logged", []event{{1, gone}, {5, nil}, {10, gone}, {61, gone}, {70, nil}}, []string{"1 W", "5 I 4s", "61 W", "70 I 1m0s"}},
		{"held back", []event{{1, gone}, {60, nil}, {62, gone}, {64, nil}}, []string{"1 W", "60 I 59s", "62 W", "120 I 2s"}},
		{
			"held back, no longer true",
			[]event{{1, gone}, {60, nil}, {62, gone}, {64, nil}, {70, gone}, {121, nil}},
			[]string{"1 W", "60 I 59s", "62 W", "121 I 51s"},
		},
		{"one too large", []event{{1, ErrTooLarge}, {5, nil}}, []string{"1 W"}},
		{"one refused", []event{{1, &RefusedError{Status: 1}}, {5, nil}}, []string{"1 W"}},
		{"queue full", []event{{1, fmt.Errorf("a: %w", ErrQueueFull)}, {5, nil}}, []string{"1 W"}},
		{"queue full when away", []event{{1, ErrQueueFull}, {2, gone}, {61, ErrQueueFull}, {65, nil}}, []string{"1 W", "61 W", "65 I 1m3s"}},
		{"too large before", []event{{1, ErrTooLarge}, {2, gone}, {5, nil}}, []string{"1 W"}},
		{"no response", []event{{1, fmt.Errorf("%w in 4", ErrNoResponse)}, {5, nil}}, []string{"1 W", "5 I 4s"}},
		{"no engine", []event{{1, ErrEngine}, {5, nil}}, []string{"1 W", "5 I 4s"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines := &logLines{}
			r := report{log: slog.New(slog.NewTextHandler(lines, nil))}
			var got []string
			for second := range 200 {
				now := epoch.Add(time.Duration(second) * time.Second)
				for _, e := range tt.events {
					switch {
					case e.at != second:
					case e.err == nil:
						r.recovered(now)
					default:
						r.fail(e.err, now)
					}
				}
				due := r.due()
				before := len(lines.all())
				r.flush(now)
				for _, line := range lines.all()[before:] {
					got = append(got, fmt.Sprintf("%d %s", second, brief(line)))
				}
				if next := r.due(); !next.IsZero() && (!next.After(now) || !due.IsZero() && due != next) {
					t.Errorf("second %d: due at %s", second, next)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("logged %q, want %q", got, tt.want)
			}
		})
	}
}

// brief returns the part of a log line that tests compare.
func brief(line string) string {
	if strings.Contains(line, `level=WARN msg="notify: target has a problem"`) {
		return "W"
	}
	if _, away, ok := strings.Cut(line, " away="); ok && strings.Contains(line, `level=INFO msg="notify: target works again"`) {
		return "I " + strings.TrimSpace(away)
	}
	return line
}

// wantLog checks the log lines so far.
func (b *bubble) wantLog(want ...string) {
	b.t.Helper()
	synctest.Wait()
	var got []string
	for _, line := range b.log.all() {
		got = append(got, brief(line))
		if !strings.Contains(line, " target=a address=a:162 ") {
			b.t.Errorf("line %q", line)
		}
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("logged %q, want %q", got, want)
	}
}

// send sends one notification, which must be accepted.
func (b *bubble) send() {
	b.t.Helper()
	if err := b.notify(1); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

func TestInformWorksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		r.answer = func(*wire.PDU, []byte) []byte { return nil }
		target := asInform(v2c("a", "a:162"))
		target.Timeout, target.Retries = time.Second, 1
		b.targets(target)
		b.run()
		defer b.end()
		b.send()
		b.wantLog()
		time.Sleep(2 * time.Second)
		b.wantLog("W")
		time.Sleep(2 * time.Second) // too short for resolving the address again
		r.mu.Lock()
		r.answer = nil
		r.mu.Unlock()
		b.send()
		b.wantLog("W", "I 2s")
		b.send()
		time.Sleep(time.Hour)
		b.wantLog("W", "I 2s")

		// The network fails, and works again after the inform has been given up.
		b.net.set(conditions{writeErr: syscall.ENETUNREACH})
		b.send()
		b.wantLog("W", "I 2s", "W")
		time.Sleep(2 * time.Minute)
		b.net.set(conditions{})
		b.send()
		time.Sleep(time.Minute)
		if lines := b.log.all(); !strings.HasPrefix(brief(lines[len(lines)-1]), "I ") || len(lines) > 5 {
			t.Errorf("logged %q", lines)
		}
	})
}

// TestAcknowledgedThenFailed: in one pass of the loop an inform is acknowledged and another one
// cannot be sent.
func TestAcknowledgedThenFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		b.targets(asInform(v2c("a", "a:162")))
		b.run()
		defer b.end()
		r.answer = func(_ *wire.PDU, octets []byte) []byte {
			b.net.set(conditions{writeErr: syscall.ENETUNREACH})
			if err := b.senders[0].queue.push(event(t, b.common, 2)); err != nil { // without wakeUp
				t.Error(err)
			}
			return octets
		}
		b.send()
		b.wantLog("W")
		if got := b.stat(0); got.Acknowledged != 1 || got.UnderWay != 1 {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestTrapWorksAgain(t *testing.T) {
	away := []struct {
		name string
		is   conditions
	}{
		{"not sent", conditions{writeErr: syscall.ENETUNREACH}},
		{"no socket", conditions{err: errors.New("no")}},
	}
	for _, tt := range away {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t)
				r := b.net.listen("a:162")
				b.targets(v2c("a", "a:162"))
				b.run()
				defer b.end()
				b.net.set(tt.is)
				b.send()
				b.wantLog("W")
				b.net.set(conditions{})
				time.Sleep(time.Second)
				b.wantNumbers(r, 1)
				b.wantLog("W")
				time.Sleep(confirmTime)
				b.wantLog("W", "I 1s") // without confirmTime
			})
		})
	}
}

// TestTrapRefused: all traps are sent and refused; the target does not count as working.
func TestTrapRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		b.targets(v2c("a", "a:162"))
		b.run()
		defer b.end()
		b.net.set(conditions{refuse: true})
		for range 10 {
			b.send()
			time.Sleep(5 * time.Second)
		}
		b.wantLog("W")
		if got := b.stat(0); got.Sent != 10 || got.LastError == nil {
			t.Errorf("stats %+v", got)
		}
		b.net.set(conditions{})
		b.send()
		time.Sleep(confirmTime / 2)
		// The next send reports that the previous trap was refused; nothing else reports it.
		b.net.set(conditions{writeErr: syscall.ECONNREFUSED, once: true})
		b.send()
		time.Sleep(confirmTime - 1)
		b.wantLog("W")
		time.Sleep(time.Nanosecond)
		b.wantLog("W", "I 50.5s")
		b.wantNumbers(r, 1, 1)
	})
}

// TestWorksAgainLater: a target recovers twice within a minute, and then there is nothing more to
// send.
func TestWorksAgainLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.net.listen("a:162")
		b.targets(v2c("a", "a:162"))
		b.run()
		defer b.end()
		begun := time.Now()
		sleepTo := func(d time.Duration) { time.Sleep(d - time.Since(begun)) }
		b.net.set(conditions{writeErr: syscall.ENETUNREACH})
		b.send()
		sleepTo(40*time.Second + time.Second/2)
		b.net.set(conditions{})
		sleepTo(42*time.Second - 1) // it was sent at 41 s
		b.wantLog("W")
		sleepTo(42 * time.Second)
		b.wantLog("W", "I 41s")
		sleepTo(61 * time.Second)
		b.net.set(conditions{writeErr: syscall.ENETUNREACH})
		b.send()
		b.net.set(conditions{})
		sleepTo(102*time.Second - 1) // it was sent at 62 s
		b.wantLog("W", "I 41s", "W")
		sleepTo(102 * time.Second)
		b.wantLog("W", "I 41s", "W", "I 1s")
		time.Sleep(time.Hour)
		b.wantLog("W", "I 41s", "W", "I 1s")
	})
}

// TestWorksAgainHeldBack: a target fails and recovers all the time.
func TestWorksAgainHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.net.listen("a:162")
		b.targets(v2c("a", "a:162"))
		b.run()
		defer b.end()
		for range 360 {
			b.net.set(conditions{writeErr: syscall.ENETUNREACH})
			b.send()
			b.net.set(conditions{})
			time.Sleep(10 * time.Second)
		}
		time.Sleep(time.Hour)
		said := map[byte]int{}
		var last string
		for _, line := range b.log.all() {
			last = brief(line)
			said[last[0]]++
		}
		if said['W'] < 50 || said['W'] > 60 || said['I'] < 50 || said['I'] > 60 || last[0] != 'I' {
			t.Errorf("%d warnings, %d that it works, %q at last", said['W'], said['I'], last)
		}
	})
}
