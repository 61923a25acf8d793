package notify

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// TestLossyNetwork: messages and answers are lost, duplicated, reordered or modified, and the
// receiver restarts or is replaced. Each inform ends in time and has one outcome, and none is
// acknowledged without having arrived.
func TestLossyNetwork(t *testing.T) {
	targets := []Target{
		communityTarget(), informTarget(user(usm.NoAuth, usm.NoPriv)), informTarget(user(usm.HMACSHA, usm.NoPriv)),
		informTarget(user(usm.HMACSHA256, usm.AES128)),
	}
	rapid.Check(t, func(rt *rapid.T) {
		target := rapid.SampledFrom(targets).Draw(rt, "target")
		p := newPair(t, target)
		defer func() {
			if t.Failed() {
				rt.Fatal("see above")
			}
		}()
		var answers [][]byte // answers
		var outcomes []chan Outcome
		fate := rapid.IntRange(0, 9)
		total := rapid.IntRange(1, 40).Draw(rt, "informs")
		left := total
		for step := 0; left > 0 || len(p.m.pending) > 0; step++ {
			if step > 100*total {
				rt.Fatalf("%d informs under way after %d steps", len(p.m.pending), step)
			}
			for left > 0 && p.m.hasRoom() && fate.Draw(rt, "add") > 1 {
				p.add()
				outcomes = append(outcomes, p.watchLast())
				left--
			}
			for b := p.m.next(p.now); b != nil; b = p.m.next(p.now) {
				for range [...]int{0, 1, 1, 1, 1, 1, 1, 1, 1, 2}[fate.Draw(rt, "copies")] {
					if a := p.receiver.handle(b); a != nil {
						answers = append(answers, bytes.Clone(a))
					}
				}
			}
			for len(answers) > 0 && fate.Draw(rt, "deliver") > 0 {
				i := rapid.IntRange(0, len(answers)-1).Draw(rt, "which")
				a := answers[i]
				answers = slices.Delete(answers, i, i+1)
				switch fate.Draw(rt, "answer") {
				case 0: // lost
				case 1:
					if target.User.Auth != usm.NoAuth { // otherwise nobody detects it
						a[rapid.IntRange(0, len(a)-1).Draw(rt, "octet")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
					}
					p.m.receive(a, p.now)
				default:
					p.m.receive(a, p.now)
				}
			}
			if at := p.m.wakeAt(); !at.IsZero() && fate.Draw(rt, "wait") < 5 {
				p.advance(max(0, at.Sub(p.now)))
			}
			p.disturb(rt, target)
		}
		got := p.m.counts
		if got.acknowledged+got.timedOut != uint64(total) || got.refused != 0 {
			rt.Fatalf("counts %+v of %d informs", got, total)
		}
		arrived := map[int32]bool{}
		for _, a := range p.receiver.arrivals() {
			arrived[a.requestID] = true
		}
		if uint64(len(arrived)) < got.acknowledged {
			rt.Fatalf("%d arrived, %d acknowledged", len(arrived), got.acknowledged)
		}
		told := uint64(0)
		for i, outcome := range outcomes {
			if len(outcome) == 0 {
				rt.Fatalf("inform %d has no outcome", i)
			}
			if o := <-outcome; o.Err == nil {
				told++
			}
		}
		if told != got.acknowledged {
			rt.Fatalf("%d informs are told to be acknowledged, %d were", told, got.acknowledged)
		}
	})
}

// watchLast waits for the outcome of the inform that was added last. A second outcome would block.
func (p *pair) watchLast() chan Outcome {
	outcome := make(chan Outcome, 1)
	in := p.m.pending[len(p.m.pending)-1]
	in.note = &notification{varbinds: in.note.varbinds, begun: p.now, outcome: outcome}
	return outcome
}

// disturb restarts or replaces the receiver now and then.
func (p *pair) disturb(rt *rapid.T, target Target) {
	if target.Version != wire.Version3 {
		return
	}
	switch rapid.IntRange(0, 30).Draw(rt, "disturb") {
	case 0:
		p.advance(time.Second)
		p.reboot(p.receiver.model.Engine().ID(), target.User)
	case 1:
		p.reboot([]byte(rapid.StringN(5, 5, 5).Draw(rt, "id")), target.User)
	}
}
