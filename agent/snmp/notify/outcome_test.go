package notify

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// watched sends a notification that carries a number to a target, or to all.
func (b *bubble) watched(target string, number int32) []Delivery {
	b.t.Helper()
	vb := mib.Varbind{Name: mib.MustOID("1.3.6.1.4.1.32473.1.0")}
	vb.Value.SetInteger32(number)
	out, err := b.NotifyWatched(target, ColdStart, vb)
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// TestOutcome: each way in which a notification can end at a target.
func TestOutcome(t *testing.T) {
	silent := func(*wire.PDU, []byte) []byte { return nil }
	u := user(usm.HMACSHA256, usm.AES128)
	for _, tt := range []struct {
		name   string
		target Target
		change func(b *bubble, r *fakeReceiver) // before it is sent
		later  func(b *bubble)                  // afterwards; nil: nothing
		want   error                            // nil: sent or acknowledged
		took   time.Duration
	}{
		{"a trap is sent", v2c("a", "a:162"), nil, nil, nil, 0},
		{"a trap of v3 is sent", v3("a", "a:162", u), nil, nil, nil, 0},
		{"an inform is acknowledged", asInform(v2c("a", "a:162")), nil, nil, nil, 0},
		{"an inform of v3 is acknowledged", asInform(v3("a", "a:162", u)), nil, nil, nil, 0},
		{"the second attempt is acknowledged", retried(v2c("a", "a:162")), func(_ *bubble, r *fakeReceiver) {
			n := 0
			r.answer = func(_ *wire.PDU, octets []byte) []byte {
				if n++; n == 1 {
					return nil
				}
				return octets
			}
		}, nil, nil, 2 * time.Second},
		{"an inform is not answered", retried(v2c("a", "a:162")), func(_ *bubble, r *fakeReceiver) { r.answer = silent }, nil, ErrNoResponse, 8 * time.Second},
		{"an inform is refused", asInform(v2c("a", "a:162")), func(_ *bubble, r *fakeReceiver) { r.status = 5 }, nil, &RefusedError{Status: 5}, 0},
		{"a trap is too large for the network", v2c("a", "a:162"), tooLong, nil, ErrTooLarge, 0},
		{"an inform is too large for the network", asInform(v2c("a", "a:162")), tooLong, nil, ErrTooLarge, 0},
		{"the queue is full", v2c("a", "none:162"), func(b *bubble, _ *fakeReceiver) { _ = b.notify(1, 2, 3, 4) }, nil, ErrQueueFull, 0},
		{"the name does not resolve for a while", v2c("a", "late:162"), nil, func(b *bubble) { b.net.listen("late:162") }, nil, time.Second},
		{"a target is removed before a trap is sent", v2c("a", "none:162"), nil, func(b *bubble) { b.targets() }, ErrNotSent, drainTime},
		{"a target is removed before the answer", asInform(v2c("a", "a:162")), func(_ *bubble, r *fakeReceiver) { r.answer = silent }, func(b *bubble) { b.targets() }, ErrNotSent, drainTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t)
				r := b.net.listen("a:162", u)
				r.senders = []*usm.USM{newUSM(t, b.common.engine, u)}
				b.targets(tt.target)
				b.run()
				defer b.end()
				if tt.change != nil {
					tt.change(b, r)
				}
				deliveries := b.watched("", 7)
				if len(deliveries) != 1 || deliveries[0].Target != "a" || deliveries[0].Inform != tt.target.Inform {
					t.Fatalf("deliveries %+v", deliveries)
				}
				synctest.Wait()
				if tt.later != nil {
					tt.later(b)
				}
				got := <-deliveries[0].Outcome
				if !isOutcome(got.Err, tt.want) || got.Took != tt.took {
					t.Errorf("%v after %v, want %v after %v", got.Err, got.Took, tt.want, tt.took)
				}
			})
		})
	}
}

func tooLong(b *bubble, _ *fakeReceiver) { b.net.set(conditions{writeErr: syscall.EMSGSIZE}) }

// retried makes a target one of informs with retransmissions.
func retried(t Target) Target {
	t = asInform(t)
	t.Timeout, t.Retries = 2*time.Second, 3
	return t
}

// isOutcome compares the errors of outcomes.
func isOutcome(got, want error) bool {
	if refused, ok := errors.AsType[*RefusedError](want); ok {
		other, same := errors.AsType[*RefusedError](got)
		return same && *other == *refused
	}
	return errors.Is(got, want)
}

// TestNotifyWatchedOrder: a watched notification does not overtake others, and others do not wait for it.
func TestNotifyWatchedOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		r := b.net.listen("a:162")
		other := b.net.listen("b:162")
		b.targets(v2c("a", "a:162"), asInform(v2c("b", "b:162")))
		if err := b.notify(1, 2); err != nil {
			t.Fatal(err)
		}
		to := b.watched("b", 3)
		if err := b.notify(4); err != nil {
			t.Fatal(err)
		}
		b.run()
		defer b.end()
		b.wantNumbers(r, 1, 2, 4)
		b.wantNumbers(other, 1, 2, 3, 4)
		if got := <-to[0].Outcome; got.Err != nil {
			t.Error(got.Err)
		}
	})
}

// TestNotifyWatchedErrors: nothing is queued.
func TestNotifyWatchedErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		if out, err := b.NotifyWatched("", ColdStart); len(out) > 0 || err != nil {
			t.Errorf("without targets: %v, %v", out, err)
		}
		b.targets(v2c("a", "a:162"))
		if _, err := b.NotifyWatched("b", ColdStart); !errors.Is(err, ErrNoTarget) || err.Error() != `notify: target "b": no such target` {
			t.Errorf("an unknown target: %v", err)
		}
		if _, err := b.NotifyWatched("a", nil); err == nil {
			t.Error("no trap: no error")
		}
		if got := b.Stats()[0]; got.Waiting != 0 {
			t.Errorf("stats %+v", got)
		}
		b.run()
		b.end()
		if _, err := b.NotifyWatched("a", ColdStart); !errors.Is(err, ErrStopped) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// prefix is a View of one subtree.
type prefix mib.OID

func (p prefix) Contains(oid mib.OID) bool { return oid.HasPrefix(mib.OID(p)) }

// TestView: a target gets only what is in the notify view of its user; others get it all the same.
func TestView(t *testing.T) {
	trap, within, beside := mib.MustOID("1.3.6.1.4.1.8072.1"), mib.MustOID("1.3.6.1.4.1.8072.2.0"), mib.MustOID("1.3.6.1.4.1.9.1.0")
	number := func(name mib.OID) mib.Varbind {
		vb := mib.Varbind{Name: name}
		vb.Value.SetInteger32(1)
		return vb
	}
	for _, tt := range []struct {
		name string
		trap mib.OID
		vb   mib.Varbind
		want bool
	}{
		{"all of it", trap, number(within), true},
		{"not the notification", beside, number(within), false},
		{"not a variable", trap, number(beside), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t)
				all, some := b.net.listen("all:162"), b.net.listen("some:162")
				limited := v2c("some", "some:162")
				limited.View = prefix(mib.MustOID("1.3.6.1.4.1.8072"))
				b.targets(v2c("all", "all:162"), limited)
				b.run()
				defer b.end()
				if err := b.Notify(tt.trap, tt.vb); err != nil {
					t.Error(err)
				}
				deliveries, err := b.NotifyWatched("some", tt.trap, tt.vb)
				if err != nil {
					t.Fatal(err)
				}
				got := <-deliveries[0].Outcome
				if tt.want != (got.Err == nil) || !tt.want && !errors.Is(got.Err, ErrNotInView) {
					t.Errorf("outcome %v", got.Err)
				}
				synctest.Wait()
				if n := len(all.arrivals()); n != 1 {
					t.Errorf("%d arrived where all of it may", n)
				}
				if n := len(some.arrivals()); (n == 2) != tt.want {
					t.Errorf("%d arrived", n)
				}
				if st := b.Stats()[1]; st.Refused+st.Dropped > 0 || st.LastError != nil {
					t.Errorf("stats %+v", st)
				}
			})
		})
	}
}
