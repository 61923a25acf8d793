package notify

import (
	"bytes"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// pair is the machine of a target and its receiver, with a common clock.
type pair struct {
	*clock
	t        testing.TB
	common   *common
	m        *machine
	receiver *fakeReceiver
	file     string // of the receiver's engine
	sent     [][]byte
	// drops reports whether the n-th message, from 1, is lost.
	drops func(n int) bool
}

// newPair returns a pair for a target; its receiver has the same user.
func newPair(t testing.TB, target Target) *pair {
	t.Helper()
	p := &pair{clock: newClock(), t: t, file: engineFile(t)}
	p.common = newCommon(t, p.clock)
	s, err := newSender(p.common, target)
	if err != nil {
		t.Fatal(err)
	}
	var users []usm.User
	if target.Version == wire.Version3 {
		users = []usm.User{target.User}
	}
	p.m = s.machine
	p.receiver = newFakeReceiver(t, openEngine(t, p.file, theirID, p.Now), users...)
	p.advance(1000 * time.Second)
	return p
}

// reboot restarts the receiver's engine, with the same users.
func (p *pair) reboot(id []byte, users ...usm.User) {
	p.t.Helper()
	p.receiver.setModel(newUSM(p.t, openEngine(p.t, p.file, id, p.Now), users...))
}

func (p *pair) add() { p.m.add(event(p.t, p.common, 10), p.now) }

// run exchanges messages until there are no more.
func (p *pair) run() {
	p.t.Helper()
	for range 1000 {
		before := len(p.sent)
		for b := p.m.next(p.now); b != nil; b = p.m.next(p.now) {
			p.sent = append(p.sent, bytes.Clone(b))
		}
		if len(p.sent) == before {
			return
		}
		for i := before; i < len(p.sent); i++ {
			if p.drops != nil && p.drops(i+1) {
				continue
			}
			if answer := p.receiver.handle(p.sent[i]); answer != nil {
				p.m.receive(bytes.Clone(answer), p.now)
			}
		}
	}
	p.t.Fatal("no end of messages")
}

// wait advances the time until nothing is in flight, or for an hour.
func (p *pair) wait() {
	p.t.Helper()
	p.run()
	for end := p.now.Add(time.Hour); p.now.Before(end); p.run() {
		at := p.m.wakeAt()
		if at.IsZero() {
			return
		}
		if !at.After(p.now) {
			p.t.Fatalf("to be woken at %s, now is %s", at, p.now)
		}
		p.now = at
	}
}

// want checks the statistics of the informs.
func (p *pair) want(want counts) {
	p.t.Helper()
	if p.m.counts != want {
		p.t.Errorf("counts %+v, want %+v; last error: %v", p.m.counts, want, p.m.err)
	}
}

// acknowledged returns the counts after n informs with that many retransmissions.
func acknowledged(n, more uint64) counts {
	return counts{sent: n, acknowledged: n, retransmitted: more}
}

func informTarget(u usm.User) Target {
	t := asInform(v3("a", "127.0.0.1:162", u))
	t.Timeout, t.Retries = 2*time.Second, 2
	return t
}

func communityTarget() Target {
	t := asInform(v2c("a", "127.0.0.1:162"))
	t.Timeout, t.Retries = 2*time.Second, 2
	return t
}
