package notify

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

func (b *bubble) wantSent(want uint64) {
	b.t.Helper()
	synctest.Wait()
	if got := b.Sent(); got != want {
		b.t.Errorf("%d sent, want %d", got, want)
	}
}

// TestSent counts notifications while targets are added and removed.
func TestSent(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES128)
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.net.listen("trap:162")
		b.net.listen("inform:162", u)
		silent := b.net.listen("silent:162")
		silent.answer = func(*wire.PDU, []byte) []byte { return nil }
		trap, inform := v2c("trap", "trap:162"), asInform(v3("inform", "inform:162", u))
		lost := asInform(v2c("silent", "silent:162"))
		lost.Timeout, lost.Retries = time.Second, 5
		b.targets(trap, inform, lost, v2c("nowhere", "nowhere:162"))
		if err := b.notify(1); err != nil {
			t.Fatal(err)
		}
		b.wantSent(0) // it does not run yet
		b.run()
		b.wantSent(3)
		time.Sleep(10 * time.Second)
		if got := b.stat(2); got.Retransmitted != 5 || got.TimedOut != 1 {
			t.Errorf("stats %+v", got)
		}
		b.wantSent(3)

		b.targets(trap)
		b.wantSent(3)
		if err := b.notify(2); err != nil {
			t.Fatal(err)
		}
		b.wantSent(4)
		trap.Community = "other" // another target
		b.targets(trap)
		b.wantSent(4)
		b.targets()
		if err := b.notify(3); err != nil {
			t.Fatal(err)
		}
		b.wantSent(4)
		b.targets(trap, inform)
		b.net.set(conditions{delay: time.Second / 2})
		if err := b.notify(4); err != nil {
			t.Fatal(err)
		}
		b.wantSent(4)
		b.end() // sends what waits
		b.wantSent(6)
	})
}

// TestSentNot: messages that cannot be sent do not count, and the counter never decreases.
func TestSentNot(t *testing.T) {
	for _, asked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t)
			r := b.net.listen("a:162")
			target := v2c("a", "a:162")
			target.Inform = asked
			b.targets(target)
			b.run()
			defer b.end()
			b.send()
			b.wantSent(1)
			b.net.set(conditions{writeErr: syscall.ENETUNREACH})
			b.send()
			b.wantSent(1)
			b.net.set(conditions{})
			time.Sleep(time.Second)
			b.wantSent(2)
			b.wantNumbers(r, 1, 1)
			b.net.set(conditions{writeErr: syscall.EMSGSIZE})
			b.send()
			b.wantSent(2)
		})
	}
}
