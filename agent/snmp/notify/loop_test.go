package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

func TestUnresolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		good := b.net.listen("good:162")
		b.targets(v2c("good", "good:162"), v2c("bad", "bad:162"))
		b.run()
		defer b.end()
		begun := time.Now()
		if err := b.notify(1, 2, 3, 4); err != nil {
			t.Fatal(err)
		}
		b.wantNumbers(good, 1, 2, 3, 4)
		time.Sleep(2*time.Minute - time.Second/2)
		err := b.notify(5)
		if !errors.Is(err, ErrQueueFull) || !strings.Contains(err.Error(), `target "bad"`) || strings.Contains(err.Error(), "good") {
			t.Errorf("error %v", err)
		}
		b.wantNumbers(good, 1, 2, 3, 4, 5)
		var pauses []time.Duration
		for _, at := range b.net.dialed("bad:162") {
			pauses = append(pauses, at.Sub(begun)/time.Second)
		}
		if want := []time.Duration{0, 1, 3, 7, 15, 31, 61, 91}; !slices.Equal(pauses, want) {
			t.Errorf("resolved after %d s, want %d", pauses, want)
		}
		if got := b.stat(1); got.Waiting != 4 || got.Dropped != 1 || got.Sent != 0 || got.LastError == nil {
			t.Errorf("stats %+v", got)
		}
		bad := b.net.listen("bad:162")
		time.Sleep(30 * time.Second)
		b.wantNumbers(bad, 1, 2, 3, 4)
		if got := b.stat(1); got.Waiting != 0 || got.Sent != 4 {
			t.Errorf("stats %+v", got)
		}
	})
}

func TestBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		b.targets(v2c("a", "a:162"))
		if err := b.notify(1, 2, 3, 4, 5); !errors.Is(err, ErrQueueFull) {
			t.Errorf("error %v", err)
		}
		b.run()
		b.wantNumbers(r, 1, 2, 3, 4)
		b.end()
		if err := b.notify(6); !errors.Is(err, ErrStopped) {
			t.Errorf("after the end: error %v", err)
		}
	})
}

// TestWriteError: the network rejects datagrams for a while.
func TestWriteError(t *testing.T) {
	for _, asked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t)
			r := b.net.listen("a:162")
			target := v2c("a", "a:162")
			target.Inform = asked
			b.targets(target)
			b.run()
			defer b.end()
			b.net.set(conditions{writeErr: syscall.ENETUNREACH})
			if err := b.notify(1, 2); err != nil {
				t.Fatal(err)
			}
			if got := b.stat(0); !errors.Is(got.LastError, syscall.ENETUNREACH) || got.Sent != 0 || got.Waiting+got.UnderWay != 2 {
				t.Errorf("stats %+v", got)
			}
			b.net.set(conditions{})
			time.Sleep(time.Second)
			b.wantNumbers(r, 1, 2)
			if got := b.stat(0); got.Sent != 2 || got.Retransmitted != 0 {
				t.Errorf("stats %+v", got)
			}

			b.net.set(conditions{writeErr: syscall.EMSGSIZE})
			if err := b.notify(3); err != nil {
				t.Fatal(err)
			}
			if got := b.stat(0); !errors.Is(got.LastError, ErrTooLarge) || got.Sent != 2 || got.Refused != 1 || got.Waiting != 0 {
				t.Errorf("stats %+v", got)
			}
			b.net.set(conditions{})
			if err := b.notify(4); err != nil {
				t.Fatal(err)
			}
			b.wantNumbers(r, 1, 2, 4)

			b.net.set(conditions{writeErr: syscall.ECONNREFUSED, once: true}) // about an earlier datagram
			if err := b.notify(5); err != nil {
				t.Fatal(err)
			}
			b.wantNumbers(r, 1, 2, 4, 5)
			b.net.set(conditions{writeErr: syscall.ECONNREFUSED})
			if err := b.notify(6); err != nil {
				t.Fatal(err)
			}
			if got := b.stat(0); got.Sent != 5 || len(b.net.dialed("a:162")) != 2 {
				t.Errorf("stats %+v", got)
			}
		})
	}
}

// TestHangUp: reading from the socket fails.
func TestHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		b.targets(v2c("a", "a:162"))
		b.run()
		defer b.end()
		if err := b.notify(1); err != nil {
			t.Fatal(err)
		}
		b.wantNumbers(r, 1)
		b.net.hangUp()
		if err := b.notify(2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		b.wantNumbers(r, 1, 2)
		if b.stat(0).LastError == nil {
			t.Error("no error")
		}
	})
}

// TestRefused: the receiver's port is closed for a while; the socket stays.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		target := asInform(v2c("a", "a:162"))
		target.Timeout, target.Retries = time.Second, 3
		b.targets(target)
		b.run()
		defer b.end()
		b.net.set(conditions{refuse: true})
		if err := b.notify(1); err != nil {
			t.Fatal(err)
		}
		if got := b.stat(0); !errors.Is(got.LastError, syscall.ECONNREFUSED) || got.UnderWay != 1 {
			t.Errorf("stats %+v", got)
		}
		b.net.set(conditions{})
		time.Sleep(time.Second)
		b.wantNumbers(r, 1)
		if got := b.stat(0); got.Acknowledged != 1 || len(b.net.dialed("a:162")) != 1 {
			t.Errorf("stats %+v, dialed %s", got, b.net.dialed("a:162"))
		}
	})
}

// TestTimeoutWithoutSocket: the socket fails while an inform is in flight; the inform times out as
// usual.
func TestTimeoutWithoutSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		r.answer = func(*wire.PDU, []byte) []byte { return nil }
		target := asInform(v2c("a", "a:162"))
		target.Timeout, target.Retries = 1100*time.Millisecond, 7
		b.targets(target)
		b.run()
		defer b.end()
		if err := b.notify(1); err != nil {
			t.Fatal(err)
		}
		b.wantNumbers(r, 1)
		b.net.set(conditions{err: errors.New("no more")})
		b.net.hangUp()
		time.Sleep(8*1100*time.Millisecond - 1)
		if got := b.stat(0); got.UnderWay != 1 || got.Retransmitted != 0 {
			t.Errorf("stats %+v", got)
		}
		time.Sleep(time.Nanosecond)
		if got := b.stat(0); got.TimedOut != 1 || got.UnderWay != 0 {
			t.Errorf("stats %+v", got)
		}
	})
}

// TestReceiverSizeKnown: Notify rejects a message that exceeds the size that the receiver
// announced.
func TestReceiverSizeKnown(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES128)
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162", u)
		r.maxSize = 600
		b.targets(asInform(v3("a", "a:162", u)))
		b.run()
		defer b.end()
		big := hello()
		big.Value.SetOctets(strings.Repeat("x", 500))
		if err := b.Notify(ColdStart, big); err != nil {
			t.Errorf("not known yet: %v", err)
		}
		if got := b.stat(0); got.Refused != 1 || !errors.Is(got.LastError, ErrTooLarge) {
			t.Errorf("stats %+v", got)
		}
		if err := b.Notify(ColdStart, big); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "the limit is 600") {
			t.Errorf("error %v", err)
		}
		if err := b.Notify(ColdStart, hello()); err != nil {
			t.Error(err)
		}
		if got := b.stat(0); got.Refused != 2 || got.Acknowledged != 1 {
			t.Errorf("stats %+v", got)
		}
	})
}

// TestLogOnce: a target fails for an hour.
func TestLogOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.targets(v2c("a", "nowhere:162"))
		b.run()
		defer b.end()
		for range 600 {
			b.notify(1) // the queue is full soon
			time.Sleep(6 * time.Second)
		}
		lines := b.log.all()
		if len(lines) < 50 || len(lines) > 60 {
			t.Errorf("%d lines in an hour", len(lines))
		}
		last := lines[len(lines)-1]
		if !strings.Contains(last, "target=a") || !strings.Contains(last, "address=nowhere:162") || !strings.Contains(last, "suppressed=1") {
			t.Errorf("line %q", last)
		}
	})
}

// TestInformTimes checks when an inform is sent, and when it is given up.
func TestInformTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		var times []time.Duration
		begun := time.Now()
		r.answer = func(*wire.PDU, []byte) []byte {
			times = append(times, time.Since(begun))
			return nil
		}
		target := asInform(v2c("a", "a:162"))
		target.Timeout, target.Retries = 3*time.Second, 2
		b.targets(target)
		b.run()
		defer b.end()
		if err := b.notify(1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9*time.Second - 1)
		if got := b.stat(0); got.UnderWay != 1 || got.TimedOut != 0 || got.Sent != 1 || got.Retransmitted != 2 {
			t.Errorf("stats %+v", got)
		}
		time.Sleep(time.Nanosecond)
		if got := b.stat(0); got.UnderWay != 0 || got.TimedOut != 1 || !errors.Is(got.LastError, ErrNoResponse) {
			t.Errorf("stats %+v", got)
		}
		if want := []time.Duration{0, 3 * time.Second, 6 * time.Second}; !slices.Equal(times, want) {
			t.Errorf("sent at %s, want %s", times, want)
		}
		// Its address was resolved again because it did not answer, but not continuously.
		if n := len(b.net.dialed("a:162")); n != 2 {
			t.Errorf("%d dials", n)
		}
	})
}

// TestResolveAgain: an address is resolved again after a minute.
func TestResolveAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		b.targets(v2c("a", "a:162"))
		b.run()
		defer b.end()
		for i := range int32(10) {
			if err := b.notify(i); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
		}
		b.wantNumbers(r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		if n := len(b.net.dialed("a:162")); n != 4 {
			t.Errorf("%d dials", n)
		}
	})
}

// TestEnd checks how Run ends.
func TestEnd(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES128)
	tests := []struct {
		name   string
		target Target
		setUp  func(b *bubble, r *fakeReceiver)
		took   time.Duration
		want   TargetStats // the fields that matter
	}{
		{"nothing to do", v2c("a", "a:162"), func(*bubble, *fakeReceiver) {}, 0, TargetStats{Sent: 3}},
		{
			"traps wait for their socket", v2c("a", "a:162"),
			func(b *bubble, _ *fakeReceiver) { b.net.set(conditions{delay: 600 * time.Millisecond}) }, 600 * time.Millisecond,
			TargetStats{Sent: 3},
		},
		{
			"no socket comes", v2c("a", "a:162"),
			func(b *bubble, _ *fakeReceiver) { b.net.set(conditions{delay: time.Hour}) }, time.Second,
			TargetStats{Dropped: 3},
		},
		{
			"no socket can be had", v2c("a", "a:162"),
			func(b *bubble, _ *fakeReceiver) { b.net.set(conditions{err: errors.New("no")}) }, time.Second,
			TargetStats{Dropped: 3},
		},
		{"informs are acknowledged", asInform(v3("a", "a:162", u)), func(*bubble, *fakeReceiver) {}, 0, TargetStats{Sent: 3, Retransmitted: 1, Acknowledged: 3}},
		{
			"informs are not acknowledged", asInform(v2c("a", "a:162")),
			func(_ *bubble, r *fakeReceiver) { r.answer = func(*wire.PDU, []byte) []byte { return nil } },
			time.Second,
			TargetStats{Sent: 3, Dropped: 3},
		},
		{
			"no engine is discovered", asInform(v3("a", "a:162", u)),
			func(_ *bubble, r *fakeReceiver) { r.answer = func(*wire.PDU, []byte) []byte { return nil } },
			time.Second,
			TargetStats{Dropped: 3},
		},
	}
	for _, tt := range tests {
		for _, removed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %t", tt.name, removed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBubble(t)
					r := b.net.listen("a:162", u)
					tt.setUp(b, r)
					b.targets(tt.target)
					b.run()
					if err := b.notify(1, 2, 3); err != nil {
						t.Fatal(err)
					}
					s := b.senders[0]
					if removed {
						b.targets()
					}
					if took := b.end(); took != tt.took {
						t.Errorf("took %s, want %s", took, tt.took)
					}
					synctest.Wait()
					got := s.stats()
					if got.Waiting != 0 || got.UnderWay != 0 || got.Sent != tt.want.Sent || got.Dropped != tt.want.Dropped ||
						got.Acknowledged != tt.want.Acknowledged || got.Retransmitted != tt.want.Retransmitted {
						t.Errorf("stats %+v", got)
					}
					if dropped := got.Dropped > 0; errors.Is(got.LastError, ErrNotSent) != dropped {
						t.Errorf("last error %v", got.LastError)
					}
					if n := len(r.arrivals()); uint64(n) != tt.want.Sent {
						t.Errorf("%d arrived", n)
					}
				})
			})
		}
	}
}

// TestSetTargets replaces targets while they are busy.
func TestSetTargets(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES128)
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		a, c := b.net.listen("a:162", u), b.net.listen("c:162")
		asking, waiting, leaving := asInform(v3("asking", "a:162", u)), v2c("waiting", "b:162"), v2c("leaving", "c:162")
		b.targets(asking, waiting, leaving)
		b.run()
		if err := b.notify(1, 2); err != nil {
			t.Fatal(err)
		}
		b.wantNumbers(a, 1, 2)
		b.wantNumbers(c, 1, 2)

		coming := v2c("coming", "c:162")
		b.targets(coming, waiting, asking)
		synctest.Wait()
		if err := b.notify(3); err != nil {
			t.Fatal(err)
		}
		b.wantNumbers(a, 1, 2, 3)
		b.wantNumbers(c, 1, 2, 3)
		names := []string{"coming", "waiting", "asking"}
		for i, s := range b.Stats() {
			if s.Name != names[i] {
				t.Errorf("stats %d are of %q", i, s.Name)
			}
		}
		if got := b.stat(2); got.Sent != 3 || got.Acknowledged != 3 || got.Retransmitted != 1 || string(got.EngineID) != "engine of a:162" {
			t.Errorf("asking: its engine was not kept: %+v", got)
		}
		if got := b.stat(1); got.Waiting != 3 {
			t.Errorf("waiting: its queue was not kept: %+v", got)
		}
		if got := b.stat(0); got.Sent != 1 {
			t.Errorf("coming: %+v", got)
		}

		err := b.SetTargets([]Target{coming, coming})
		if err == nil || !strings.Contains(err.Error(), `target 2 ("coming"): another target has the same name`) {
			t.Errorf("error %v", err)
		}
		if err := b.SetTargets([]Target{v2c("", "a:1")}); err == nil || !strings.Contains(err.Error(), "target 1") {
			t.Errorf("error %v", err)
		}
		if n := len(b.Stats()); n != 3 {
			t.Errorf("%d targets after an error", n)
		}

		changed := waiting
		changed.Community = "other"
		b.targets(changed)
		b.net.listen("b:162")
		if err := b.notify(4); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if got := b.stat(0); len(b.Stats()) != 1 || got.Sent != 1 {
			t.Errorf("changed: %+v", got)
		}
		b.end()
		if err := b.SetTargets([]Target{coming}); err != nil {
			t.Errorf("after the end: %v", err)
		}
	})
}
