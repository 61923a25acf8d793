package notify

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// TestForgedAnswers: something else arrives instead of the response. It settles nothing and does
// not change the state of the engine; the valid response afterwards is accepted.
func TestForgedAnswers(t *testing.T) {
	all := user(usm.HMACSHA256, usm.AES128)
	report := func(stat uint32) []mib.Varbind {
		vb := mib.Varbind{Name: usmStats.Append(stat, 0)}
		vb.Value.SetCounter32(1)
		return []mib.Varbind{vb}
	}
	// Each function returns what arrives instead of the valid response octets.
	tests := []struct {
		name   string
		target Target
		forge  func(p *pair, octets []byte) []byte
	}{
		{"v2c: other community", communityTarget(), func(p *pair, octets []byte) []byte {
			return bytes.Replace(octets, []byte("public"), []byte("publik"), 1)
		}},
		{"v2c: other request-id", communityTarget(), func(p *pair, octets []byte) []byte {
			return community("public", wire.Response, p.m.pending[0].requestID+1)
		}},
		{"v2c: not a response", communityTarget(), func(p *pair, octets []byte) []byte {
			return community("public", wire.InformRequest, p.m.pending[0].requestID)
		}},
		{"v2c: a report", communityTarget(), func(p *pair, octets []byte) []byte {
			return community("public", wire.Report, p.m.pending[0].requestID)
		}},
		{"v2c: v1", communityTarget(), func(p *pair, octets []byte) []byte {
			return bytes.Replace(octets, []byte{2, 1, 1}, []byte{2, 1, 0}, 1)
		}},
		{"v2c: v3", communityTarget(), func(p *pair, octets []byte) []byte {
			other := newPair(t, informTarget(all))
			other.add()
			return bytes.Clone(other.m.next(other.now))
		}},
		{"v2c: an octet more", communityTarget(), func(p *pair, octets []byte) []byte { return append(octets, 0) }},
		{"nothing at all", informTarget(all), func(p *pair, octets []byte) []byte { return nil }},
		{"v2c to v3", informTarget(all), func(p *pair, octets []byte) []byte {
			return community("public", wire.Response, p.m.pending[0].requestID)
		}},
		{"response without security", informTarget(all), func(p *pair, octets []byte) []byte {
			return forged(p, octets, &wire.PDU{RequestID: p.m.pending[0].requestID}, wire.Response, nil)
		}},
		{"our own message", informTarget(all), func(p *pair, octets []byte) []byte {
			return bytes.Clone(p.sent[len(p.sent)-1])
		}},
		{"an old response", informTarget(all), func(p *pair, octets []byte) []byte { return p.first() }},
		{"shortened digest", informTarget(all), func(p *pair, octets []byte) []byte {
			return shorten(p, octets, 1)
		}},
		{"empty digest", informTarget(all), func(p *pair, octets []byte) []byte { return shorten(p, octets, 0) }},
		{"wrong digests, says one", informTarget(all), func(p *pair, octets []byte) []byte {
			return forged(p, octets, &wire.PDU{}, wire.Report, report(5))
		}},
		{"outside its time window, says one", informTarget(all), func(p *pair, octets []byte) []byte {
			return forged(p, octets, &wire.PDU{}, wire.Report, report(2))
		}},
		{"an unheard of counter, says one", informTarget(all), func(p *pair, octets []byte) []byte {
			return forged(p, octets, &wire.PDU{}, wire.Report, report(1<<32-1))
		}},
		{"unknown engine, says the known one", informTarget(all), func(p *pair, octets []byte) []byte {
			return forged(p, octets, &wire.PDU{}, wire.Report, report(4))
		}},
		{"report of nothing", informTarget(all), func(p *pair, octets []byte) []byte {
			return forged(p, octets, &wire.PDU{}, wire.Report, nil)
		}},
		{"report of another engine to no message", informTarget(all), func(p *pair, octets []byte) []byte {
			var f wire.Frame // regression: msgID 0 matched a finished discovery
			f.Reset()
			f.ClosePDU(wire.Report, 0, 0, 0)
			f.CloseScoped(theirID, nil)
			params := wire.SecurityParameters{EngineID: []byte("another engine"), Boots: 9, Time: 9}
			f.CloseV3(&wire.HeaderV3{ID: 0, MaxSize: 65507, Model: wire.ModelUSM}, &params)
			return f.Bytes()
		}},
		{"a request", informTarget(all), func(p *pair, octets []byte) []byte {
			return forged(p, octets, &wire.PDU{}, wire.GetRequest, nil)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, tt.target)
			p.add()
			p.run()
			known := p.m.remote
			if known != nil {
				known = new(*p.m.remote)
			}
			var right []byte
			p.receiver.answer = func(_ *wire.PDU, octets []byte) []byte {
				right = bytes.Clone(octets)
				return nil
			}
			p.add()
			p.run()
			p.m.receive(tt.forge(p, bytes.Clone(right)), p.now)
			if p.m.next(p.now) != nil {
				t.Error("something is sent because of that")
			}
			if got := p.m.counts.acknowledged; got != 1 || len(p.m.pending) != 1 {
				t.Fatalf("%d acknowledged, %d under way", got, len(p.m.pending))
			}
			if known != nil && (p.m.remote.boots != known.boots || p.m.remote.latest != known.latest ||
				!bytes.Equal(p.m.remote.id, known.id) || p.m.remote.maxSize != known.maxSize) {
				t.Errorf("known is %+v now, was %+v", p.m.remote, known)
			}
			p.m.receive(right, p.now)
			if got := p.m.counts.acknowledged; got != 2 || len(p.m.pending) != 0 {
				t.Errorf("the right response: %d acknowledged, %d under way", got, len(p.m.pending))
			}
		})
	}
}

// first returns the response to the first settled inform, built again.
func (p *pair) first() []byte {
	p.receiver.answer = nil
	return p.receiver.handle(p.sent[len(p.sent)-2])
}

func community(name string, kind wire.PDUType, requestID int32) []byte {
	var f wire.Frame
	f.Reset()
	f.ClosePDU(kind, requestID, 0, 0)
	f.CloseCommunity(wire.Version2c, []byte(name))
	return f.Bytes()
}

// shorten cuts the digest of a message to n octets (CVE-2008-0960: implementations compared only
// the octets present, so every 256th digest of one octet was right).
func shorten(p *pair, octets []byte, n int) []byte {
	var m wire.Message
	var params wire.SecurityParameters
	if err := m.Parse(octets); err != nil {
		p.t.Fatal(err)
	}
	if err := params.Parse(m.SecurityParameters); err != nil {
		p.t.Fatal(err)
	}
	params.AuthenticationParameters = params.AuthenticationParameters[:n]
	var f wire.Frame
	f.Reset()
	f.AppendRaw(m.Data)
	f.CloseOctets()
	f.CloseV3(&wire.HeaderV3{ID: m.ID, MaxSize: m.MaxSize, Flags: m.Flags, Model: m.Model}, &params)
	return f.Bytes()
}

// TestResponseTooEarly: a Response arrives for a message that was not sent yet.
func TestResponseTooEarly(t *testing.T) {
	p := newPair(t, communityTarget())
	p.add()
	p.m.receive(community("public", wire.Response, p.m.pending[0].requestID), p.now)
	p.want(counts{ignored: 1})
}

// TestForgedEngine: an attacker answers the discovery with another engine id. This settles no
// inform, and the receiver's own report corrects it.
func TestForgedEngine(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES128)
	p := newPair(t, informTarget(u))
	n := 0
	p.receiver.answer = func(pdu *wire.PDU, octets []byte) []byte {
		if n++; n == 1 {
			return bytes.Replace(octets, theirID, []byte("\x80\x00\x7e\xd9\x05attacker"), 1)
		}
		return octets
	}
	p.add()
	p.run()
	p.want(acknowledged(1, 2))
	if !bytes.Equal(p.m.remote.id, theirID) {
		t.Errorf("engine id %q", p.m.remote.id)
	}
}

// TestUnsteadyEngine: a receiver reports another engine id each time. It causes only a few messages
// in each timeout.
func TestUnsteadyEngine(t *testing.T) {
	p := newPair(t, informTarget(user(usm.HMACSHA256, usm.AES128)))
	n := byte(0)
	p.receiver.answer = func(pdu *wire.PDU, octets []byte) []byte {
		n++
		return bytes.Replace(octets, theirID, slices.Concat(theirID[:len(theirID)-1], []byte{n}), 1)
	}
	p.add()
	p.wait()
	if got := p.m.counts; got.timedOut != 1 || got.acknowledged != 0 {
		t.Errorf("counts %+v", got)
	}
	if len(p.sent) > 1+3*(1+maxRepeats) {
		t.Errorf("%d messages", len(p.sent))
	}
}

// TestLateResponse: the response to the first message of an inform arrives after the second was
// sent, which is lost.
func TestLateResponse(t *testing.T) {
	for name, target := range map[string]Target{
		"v2c": communityTarget(), "authPriv": informTarget(user(usm.HMACSHA512, usm.AES256)),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, target)
			p.add()
			p.run()
			p.add()
			late := bytes.Clone(p.receiver.handle(p.m.next(p.now)))
			p.advance(target.Timeout)
			if p.m.next(p.now) == nil {
				t.Fatal("not sent again")
			}
			p.m.receive(bytes.Clone(late), p.now)
			if got := p.m.counts; got.acknowledged != 2 || len(p.m.pending) != 0 {
				t.Errorf("counts %+v", got)
			}
			p.m.receive(late, p.now)
			if got := p.m.counts; got.acknowledged != 2 || got.ignored != 1 {
				t.Errorf("the same once more: counts %+v", got)
			}
		})
	}
}

// TestLateDiscovery: answers take longer than the timeout.
func TestLateDiscovery(t *testing.T) {
	target := informTarget(user(usm.HMACSHA256, usm.AES128))
	p := newPair(t, target)
	p.add()
	first := bytes.Clone(p.m.next(p.now))
	p.advance(target.Timeout)
	if p.m.next(p.now) == nil {
		t.Fatal("not asked again")
	}
	p.m.receive(p.receiver.handle(first), p.now)
	p.run()
	if got := p.m.counts.acknowledged; got != 1 {
		t.Errorf("counts %+v", p.m.counts)
	}
}

func TestRefusedByReceiver(t *testing.T) {
	tests := []struct {
		status int32
		want   string
	}{
		{1, "the receiver answered tooBig"},
		{5, "the receiver answered genErr"},
		{-7, "the receiver answered error-status -7"},
		{256, "the receiver answered error-status 256"},
	}
	for _, tt := range tests {
		p := newPair(t, informTarget(user(usm.HMACSHA256, usm.AES128)))
		p.receiver.status = tt.status
		p.add()
		p.run()
		var refused *RefusedError
		if !errors.As(p.m.err, &refused) || refused.Status != tt.status || p.m.err.Error() != tt.want {
			t.Errorf("error-status %d: error %v", tt.status, p.m.err)
		}
		if got := p.m.counts; got.refused != 1 || got.acknowledged != 0 || len(p.m.pending) != 0 {
			t.Errorf("error-status %d: counts %+v", tt.status, got)
		}
	}
}

// TestReceiverSize: a receiver accepts only smaller messages than we send. Only an authentic
// message may say so.
func TestReceiverSize(t *testing.T) {
	for _, u := range []usm.User{user(usm.NoAuth, usm.NoPriv), user(usm.HMACSHA256, usm.AES128)} {
		t.Run(u.Level().String(), func(t *testing.T) {
			p := newPair(t, informTarget(u))
			p.receiver.maxSize = 500
			big := event(t, p.common, 500)
			p.m.add(big, p.now)
			b := p.m.next(p.now)
			p.m.receive(p.receiver.handle(b), p.now) // learn the engine id
			if p.m.limit() != DefaultMaxMessageSize {
				t.Errorf("the limit came from a report without security: %d", p.m.limit())
			}
			p.run()
			got := p.m.counts
			if u.Auth != usm.NoAuth && (got.refused != 1 || got.acknowledged != 0 || !errors.Is(p.m.err, ErrTooLarge)) {
				t.Errorf("counts %+v, error %v", got, p.m.err)
			}
			if p.m.limit() != 500 {
				t.Errorf("limit %d", p.m.limit())
			}
			before := len(p.sent)
			p.m.add(big, p.now)
			p.run()
			if len(p.sent) != before || p.m.counts.refused != got.refused+1 || !errors.Is(p.m.err, ErrTooLarge) {
				t.Errorf("%d more messages, counts %+v, error %v", len(p.sent)-before, p.m.counts, p.m.err)
			}
			p.add()
			p.run()
			if p.m.counts.acknowledged != got.acknowledged+1 {
				t.Errorf("a small one: counts %+v, error %v", p.m.counts, p.m.err)
			}
		})
	}
}

// TestUndoSend reverts messages that could not be sent.
func TestUndoSend(t *testing.T) {
	p := newPair(t, informTarget(user(usm.HMACSHA256, usm.AES128)))
	p.add()
	for step, want := range []string{"discovery", "clock", "inform"} {
		b := bytes.Clone(p.m.next(p.now))
		if b == nil || p.m.next(p.now) != nil {
			t.Fatalf("%s: not one message", want)
		}
		before := p.m.counts
		p.m.undoSend()
		if b = bytes.Clone(p.m.next(p.now)); b == nil {
			t.Fatalf("%s: not sent again", want)
		}
		if p.m.counts != before {
			t.Errorf("step %d: counts %+v, before %+v", step+1, p.m.counts, before)
		}
		p.m.receive(p.receiver.handle(b), p.now)
	}
	p.want(acknowledged(1, 1))

	p.add()
	p.m.next(p.now)
	p.m.undoSend()
	p.m.reject(p.m.last, ErrTooLarge, epoch)
	if got := p.m.counts; got.refused != 1 || got.sent != 1 || len(p.m.pending) != 0 {
		t.Errorf("refused: counts %+v", got)
	}
}

// TestSameIDs: the source of ids repeats itself.
func TestSameIDs(t *testing.T) {
	for _, target := range []Target{communityTarget(), informTarget(user(usm.HMACSHA256, usm.AES128))} {
		p := newPair(t, target)
		n := int32(0)
		p.m.newID = func() int32 {
			n++
			return n / 3
		}
		seen := map[int32]bool{}
		for p.m.hasRoom() {
			p.add()
			id := p.m.pending[len(p.m.pending)-1].requestID
			if seen[id] {
				t.Errorf("%s: request-id %d again", target.Version, id)
			}
			seen[id] = true
		}
		p.drops = func(n int) bool { return n == 4 }
		p.wait()
		if got := p.m.counts; got.acknowledged != maxUnderWay || got.ignored != 0 {
			t.Errorf("%s: counts %+v", target.Version, got)
		}
	}
}
