package notify

import (
	"bytes"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// pair is the machine of a target and its receiver, in one test's time.
type pair struct {
	*clock
	t        testing.TB
	common   *common
	m        *machine
	receiver *fakeReceiver
	file     string // of the receiver's engine
	sent     [][]byte
	// lose says of the n-th message, from 1, whether it gets lost on its way.
	lose func(n int) bool
}

// newPair makes a pair for a target; its receiver has the same user.
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

// reboot begins another life of the receiver's engine, with the same users.
func (p *pair) reboot(id []byte, users ...usm.User) {
	p.t.Helper()
	p.receiver.become(newUSM(p.t, openEngine(p.t, p.file, id, p.Now), users...))
}

func (p *pair) add() { p.m.add(event(p.t, p.common, 10), p.now) }

// run lets messages go to and fro until there are no more.
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
			if p.lose != nil && p.lose(i+1) {
				continue
			}
			if answer := p.receiver.take(p.sent[i]); answer != nil {
				p.m.receive(bytes.Clone(answer), p.now)
			}
		}
	}
	p.t.Fatal("no end of messages")
}

// wait goes on in time until nothing is under way any more, or for an hour.
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

// want checks what has become of the informs.
func (p *pair) want(want counts) {
	p.t.Helper()
	if p.m.counts != want {
		p.t.Errorf("counts %+v, want %+v; last error: %v", p.m.counts, want, p.m.err)
	}
}

// acknowledged are the counts after n informs that needed so many messages more.
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
