package notify

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// fuzzTargets are the kinds of targets in FuzzReceive.
var fuzzTargets = []Target{
	informTarget(user(usm.HMACSHA256, usm.AES128)), informTarget(user(usm.HMACSHA512, usm.AES256)),
	informTarget(user(usm.HMACMD5, usm.DES)), informTarget(user(usm.HMACSHA, usm.NoPriv)),
	informTarget(user(usm.NoAuth, usm.NoPriv)), communityTarget(),
}

// awaiting is a pair whose machine waits for an answer.
type awaiting struct {
	*pair
	right []byte // the valid answer
}

// awaitings creates them. All use the same two engines, because opening one is slow.
type awaitings struct{ ours, theirs *usm.Engine }

// begin creates one that waits, depending on step, for the engine id, the clock or a response. One
// that needs no engine id or clock waits for nothing at later steps. Its user has its own keys, so
// no recorded octets of another user are valid.
func (e *awaitings) begin(t testing.TB, kind, step byte) *awaiting {
	t.Helper()
	target := fuzzTargets[int(kind)%len(fuzzTargets)]
	for _, s := range []*usm.Secret{&target.User.AuthSecret, &target.User.PrivSecret} {
		if s.Password != "" { // a password would take long
			*s = usm.Secret{MasterKey: make([]byte, target.User.Auth.KeyLen())}
			rand.Read(s.MasterKey)
		}
	}
	clock := newClock()
	a := &awaiting{pair: &pair{clock: clock, t: t, common: newCommonOf(e.ours)}}
	var users []usm.User
	if target.Version == wire.Version3 {
		users = append(users, target.User)
	}
	a.receiver = newFakeReceiver(t, e.theirs, users...)
	s, err := newSender(a.common, target)
	if err != nil {
		t.Fatal(err)
	}
	a.m = s.machine
	a.add()
	for range int(step)%3 + 1 {
		if a.right != nil {
			a.m.receive(bytes.Clone(a.right), a.now)
		}
		if b := a.m.next(a.now); b != nil {
			a.right = bytes.Clone(a.receiver.handle(b))
		}
	}
	return a
}

// FuzzReceive passes a machine octets or, if there are none, the valid answer with some octets
// replaced. The machine never panics. Only the right response settles an inform of a user with
// authentication, and nothing else changes the engine's clock.
func FuzzReceive(f *testing.F) {
	clock := newClock()
	e := &awaitings{openEngine(f, engineFile(f), ourID, clock.Now), openEngine(f, engineFile(f), theirID, clock.Now)}
	clock.advance(1000 * time.Second)
	for kind := range byte(len(fuzzTargets)) {
		for step := range byte(3) {
			a := e.begin(f, kind, step)
			f.Add(kind, step, uint16(0), []byte{}, []byte{})
			f.Add(kind, step, uint16(3), []byte{0}, []byte{})
			f.Add(kind, step, uint16(20), []byte{5}, []byte{})
			f.Add(kind, step, uint16(len(a.right)-1), []byte{0}, []byte{})
			f.Add(kind, step, uint16(0), []byte{}, a.right)
			if len(a.m.pending) > 0 && a.m.receiver.Version == wire.Version3 {
				pdu := wire.PDU{RequestID: a.m.pending[0].requestID}
				f.Add(kind, step, uint16(0), []byte{}, forged(a.pair, a.right, &pdu, wire.Response, nil))
				f.Add(kind, step, uint16(0), []byte{}, forged(a.pair, a.right, &pdu, wire.Report, nil))
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind, step byte, at uint16, with, octets []byte) {
		a := e.begin(t, kind, step)
		m, before, waits := a.m, a.m.counts, len(a.m.pending) > 0
		var known remote
		if m.remote != nil {
			known = *m.remote
		}
		if len(octets) == 0 {
			octets = bytes.Clone(a.right)
			copy(octets[min(int(at), len(octets)):], with)
		}
		m.receive(bytes.Clone(octets), a.now)
		settled := m.counts.acknowledged + m.counts.refused - before.acknowledged - before.refused
		right, auth := bytes.Equal(octets, a.right), m.receiver.User.Auth != usm.NoAuth
		switch {
		case right && waits && before.ignored != m.counts.ignored:
			t.Errorf("the right answer is ignored: %x", octets)
		case right || !auth:
		case settled > 0:
			t.Errorf("settled by %x", octets)
		case bytes.Equal(m.remote.id, known.id) && (m.remote.boots != known.boots || m.remote.latest != known.latest ||
			m.remote.lastAuthentic != known.lastAuthentic || m.remote.maxSize != known.maxSize):
			t.Errorf("the clock was changed by %x", octets)
		}
		for n := 0; m.next(a.now) != nil; n++ {
			if n > 2 {
				t.Fatal("no end of messages")
			}
		}
		if m.counts.timedOut != before.timedOut || len(m.pending)+int(m.counts.acknowledged+m.counts.refused) != 1 {
			t.Errorf("counts %+v, %d under way", m.counts, len(m.pending))
		}
	})
}
