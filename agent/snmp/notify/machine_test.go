package notify

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

func TestInformCommunity(t *testing.T) {
	p := newPair(t, communityTarget())
	p.add()
	p.add()
	p.run()
	p.want(acknowledged(2, 0))
	got := p.receiver.arrivals()
	if len(got) != 2 || got[0].kind != wire.InformRequest || got[0].requestID == got[1].requestID {
		t.Fatalf("arrived: %+v", got)
	}
	names := []string{".1.3.6.1.2.1.1.3.0", ".1.3.6.1.6.3.1.1.4.1.0", ".1.3.6.1.2.1.1.5.0"}
	for i, vb := range got[0].varbinds {
		if i >= len(names) || vb.Name.String() != names[i] {
			t.Errorf("variable %d: %s", i+1, vb.Name)
		}
	}
	if v := got[0].varbinds[1].Value; v.Type != mib.ObjectIdentifier || v.OID.Compare(ColdStart) != 0 {
		t.Errorf("snmpTrapOID is %v", v)
	}
}

// TestInformProtocols: informs are acknowledged with all protocols. The first one needs discovery,
// and the clock if there is authentication; the second needs neither.
func TestInformProtocols(t *testing.T) {
	for _, a := range auths {
		for _, p := range privs {
			if a == usm.NoAuth && p != usm.NoPriv {
				continue
			}
			for _, fixed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s %t", a, p, fixed), func(t *testing.T) {
					target := informTarget(user(a, p))
					messages := 1
					if fixed {
						target.EngineID = theirID
					} else {
						messages++ // discovery
					}
					clock := uint64(0)
					if a != usm.NoAuth {
						clock = 1
					}
					pair := newPair(t, target)
					pair.add()
					pair.run()
					pair.want(acknowledged(1, clock))
					if want := messages + int(clock); len(pair.sent) != want {
						t.Errorf("%d messages, want %d", len(pair.sent), want)
					}
					pair.add()
					pair.run()
					pair.want(acknowledged(2, clock))
					got := pair.receiver.arrivals()
					if len(got) != 2 || got[1].level != target.User.Level() || got[1].context != string(ourID) {
						t.Errorf("arrived: %+v", got)
					}
				})
			}
		}
	}
}

// TestInformRetry loses messages or their answers.
func TestInformRetry(t *testing.T) {
	targets := map[string]Target{
		"v2c": communityTarget(), "noAuthNoPriv": informTarget(user(usm.NoAuth, usm.NoPriv)),
		"authPriv": informTarget(user(usm.HMACSHA256, usm.AES128)),
	}
	for name, target := range targets {
		for _, answers := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %t", name, answers), func(t *testing.T) {
				p := newPair(t, target)
				p.add()
				p.run() // learn the engine id and the clock
				known := len(p.sent)
				p.m.counts = counts{}
				lost := func(n int) bool { return n <= known+2 }
				if answers {
					n := 0
					p.receiver.answer = func(_ *wire.PDU, octets []byte) []byte {
						if n++; n <= 2 {
							return nil
						}
						return octets
					}
				} else {
					p.drops = lost
				}
				begun := p.now
				p.add()
				p.wait()
				p.want(acknowledged(1, 2))
				if took := p.now.Sub(begun); took != 2*target.Timeout {
					t.Errorf("took %s, want two timeouts", took)
				}
				var msgIDs, requestIDs []int32
				for _, b := range p.sent[known:] {
					msgID, requestID := ids(t, p, b)
					msgIDs, requestIDs = append(msgIDs, msgID), append(requestIDs, requestID)
				}
				if requestIDs[0] != requestIDs[1] || requestIDs[0] != requestIDs[2] {
					t.Errorf("request-ids %d are not the same", requestIDs)
				}
				if target.Version == wire.Version3 && (msgIDs[0] == msgIDs[1] || msgIDs[1] == msgIDs[2]) {
					t.Errorf("msgIDs %d are the same", msgIDs)
				}
			})
		}
	}
}

// ids returns the msgID and the request-id of a message of a pair.
func ids(t *testing.T, p *pair, b []byte) (msgID, requestID int32) {
	t.Helper()
	b = bytes.Clone(b)
	var m wire.Message
	var pdu wire.PDU
	if err := m.Parse(b); err != nil {
		t.Fatal(err)
	}
	data := m.Data
	if m.Version == wire.Version3 {
		var params wire.SecurityParameters
		if err := params.Parse(m.SecurityParameters); err != nil {
			t.Fatal(err)
		}
		if m.Flags&wire.FlagPriv != 0 {
			if err := p.m.remote.keys.Decrypt(data, params.Boots, params.Time, params.PrivacyParameters); err != nil {
				t.Fatal(err)
			}
		}
		var scoped wire.ScopedPDU
		if err := scoped.Parse(data, true); err != nil {
			t.Fatal(err)
		}
		data = scoped.PDU
	}
	if err := pdu.Parse(data); err != nil {
		t.Fatal(err)
	}
	return m.ID, pdu.RequestID
}

// TestInformTimeout: the receiver does not answer, or answers wrongly.
func TestInformTimeout(t *testing.T) {
	all := user(usm.HMACSHA256, usm.AES128)
	other := func(change func(*usm.User)) func(*pair) {
		return func(p *pair) {
			u := all
			change(&u)
			p.reboot(theirID, u)
		}
	}
	lowered := func(p *pair) { // a Response without security
		p.receiver.answer = func(pdu *wire.PDU, octets []byte) []byte {
			if pdu.Type != wire.Response && pdu.Type != wire.InformRequest {
				return octets
			}
			return forged(p, octets, pdu, wire.Response, nil)
		}
	}
	tests := []struct {
		name   string
		target Target
		change func(*pair)
		want   string // in the error, besides ErrNoResponse
		sent   uint64
	}{
		{"v2c: away", communityTarget(), func(p *pair) { p.drops = func(int) bool { return true } }, "in 3 attempts", 1},
		{"v2c: other community", communityTarget(), func(p *pair) { p.receiver.community = "other" }, "", 1},
		{"away", informTarget(all), func(p *pair) { p.drops = func(int) bool { return true } }, "in 3 attempts", 0},
		{"gone after discovery", informTarget(all), func(p *pair) { p.drops = func(n int) bool { return n > 1 } }, "", 1},
		{"wrong password", informTarget(all), other(func(u *usm.User) { u.AuthSecret = password("other password") }), "usmStatsWrongDigests", 1},
		{"wrong privacy password", informTarget(all), other(func(u *usm.User) { u.PrivSecret = password("other password") }), "usmStatsDecryptionErrors", 1},
		{"wrong protocol", informTarget(all), other(func(u *usm.User) { u.Auth = usm.HMACSHA512 }), "usmStatsWrongDigests", 1},
		{"no such user", informTarget(all), other(func(u *usm.User) { u.Name = "other" }), "usmStatsUnknownUserNames", 1},
		{"no privacy there", informTarget(all), other(func(u *usm.User) { u.Priv, u.PrivSecret = usm.NoPriv, usm.Secret{} }), "usmStatsUnsupportedSecLevels", 1},
		{"another engine than configured", func() Target {
			target := informTarget(all)
			target.EngineID = []byte("elsewhere")
			return target
		}(), func(*pair) {}, "usmStatsUnknownEngineIDs", 1},
		{"our engine id", informTarget(all), func(p *pair) { p.reboot(ourID, all) }, "in 3 attempts", 0},
		{"response without security", informTarget(all), lowered, "", 1},
		{"altered response", informTarget(all), func(p *pair) {
			p.receiver.answer = func(pdu *wire.PDU, octets []byte) []byte {
				if pdu.Type == wire.InformRequest {
					octets[len(octets)-1] ^= 1
				}
				return octets
			}
		}, "wrong digest", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, tt.target)
			tt.change(p)
			p.add()
			p.wait()
			if p.m.counts.acknowledged != 0 || p.m.counts.timedOut != 1 || p.m.counts.sent != tt.sent || len(p.m.pending) != 0 {
				t.Errorf("counts %+v, %d pending", p.m.counts, len(p.m.pending))
			}
			if !errors.Is(p.m.err, ErrNoResponse) || !strings.Contains(p.m.err.Error(), tt.want) {
				t.Errorf("error %v, want ErrNoResponse with %q", p.m.err, tt.want)
			}
			if messages := len(p.sent); messages > 3*(1+maxRepeats) {
				t.Errorf("%d messages", messages)
			}
		})
	}
}

// forged returns an unauthenticated message in place of the answer octets.
func forged(p *pair, octets []byte, pdu *wire.PDU, kind wire.PDUType, varbinds []mib.Varbind) []byte {
	var m wire.Message
	var params wire.SecurityParameters
	if err := m.Parse(octets); err != nil {
		p.t.Fatal(err)
	}
	if err := params.Parse(m.SecurityParameters); err != nil {
		p.t.Fatal(err)
	}
	var f wire.Frame
	f.Reset()
	for i := range varbinds {
		f.AppendVarbind(&varbinds[i])
	}
	f.ClosePDU(kind, pdu.RequestID, 0, 0)
	f.CloseScoped(ourID, nil)
	params.AuthenticationParameters, params.PrivacyParameters = nil, nil
	f.CloseV3(&wire.HeaderV3{ID: m.ID, MaxSize: 65507, Model: wire.ModelUSM}, &params)
	return f.Bytes()
}

// TestInformRestart: the receiver restarts between informs and increments its boots.
func TestInformRestart(t *testing.T) {
	u := user(usm.HMACSHA, usm.AES128)
	p := newPair(t, informTarget(u))
	for restart := range uint64(5) {
		for range maxUnderWay {
			p.add()
		}
		p.run()
		// Each message is answered with the report, and sent again.
		p.want(acknowledged(maxUnderWay*(restart+1), 1+maxUnderWay*restart))
		p.advance(time.Minute)
		p.reboot(theirID, u)
	}
}

// TestInformLostBoots: the receiver restarts with old boots. None of its messages is in the time
// window until an inform was given up.
func TestInformLostBoots(t *testing.T) {
	u := user(usm.HMACSHA, usm.AES128)
	for _, fixed := range []bool{false, true} {
		target := informTarget(u)
		if fixed {
			target.EngineID = theirID
		}
		p := newPair(t, target)
		for range 3 {
			p.reboot(theirID, u)
		}
		p.add()
		p.run()
		p.want(acknowledged(1, 1))
		p.file = engineFile(t)
		p.reboot(theirID, u)
		p.advance(time.Minute)
		p.add()
		p.wait()
		if got := p.m.counts; got.timedOut != 1 || !strings.Contains(p.m.err.Error(), "time window") {
			t.Errorf("fixed %t: counts %+v, error %v", fixed, got, p.m.err)
		}
		p.add()
		p.run()
		if got := p.m.counts; got.timedOut != 1 || got.acknowledged != 2 {
			t.Errorf("fixed %t: counts %+v, error %v", fixed, got, p.m.err)
		}
	}
}

// TestInformOtherEngine: another receiver replaces the first one.
func TestInformOtherEngine(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES256C)
	p := newPair(t, informTarget(u))
	p.add()
	p.run()
	p.reboot([]byte("another engine"), u)
	p.m.counts = counts{}
	for range maxUnderWay {
		p.add()
	}
	p.run()
	if got := p.m.counts; got.acknowledged != maxUnderWay || got.timedOut != 0 || got.retransmitted > 2*maxUnderWay {
		t.Errorf("counts %+v, error %v", got, p.m.err)
	}
	if string(p.m.remote.id) != "another engine" {
		t.Errorf("engine id %q", p.m.remote.id)
	}
}

// TestInformOneLost: one inform is never answered, while others are; the engine is not forgotten.
func TestInformOneLost(t *testing.T) {
	target := informTarget(user(usm.HMACSHA256, usm.AES128))
	p := newPair(t, target)
	p.add()
	p.run()
	p.add()
	bad := p.m.pending[0].requestID
	p.receiver.answer = func(pdu *wire.PDU, octets []byte) []byte {
		if pdu.RequestID == bad {
			return nil
		}
		return octets
	}
	p.run()
	p.advance(target.Timeout / 2)
	p.add()
	p.wait()
	if got := p.m.counts; got.timedOut != 1 || got.acknowledged != 2 {
		t.Fatalf("counts %+v", got)
	}
	before := len(p.sent)
	p.add()
	p.run()
	if more := len(p.sent) - before; more != 1 || p.m.counts.acknowledged != 3 {
		t.Errorf("%d messages, counts %+v", more, p.m.counts)
	}
}

// TestInformRepeats: the receiver sends reports for three attempts before it answers.
func TestInformRepeats(t *testing.T) {
	u := user(usm.HMACSHA256, usm.AES128)
	target := informTarget(u)
	target.Retries = 1
	p := newPair(t, target)
	n := 0
	p.receiver.answer = func(pdu *wire.PDU, octets []byte) []byte {
		if n++; n <= 3 { // discovery, and the end of the first attempt
			return bytes.Replace(octets, theirID, []byte(fmt.Sprintf("engine %d number", n))[:len(theirID)], 1)
		}
		return octets
	}
	p.add()
	p.wait()
	if got := p.m.counts; got.acknowledged != 1 || got.timedOut != 0 {
		t.Errorf("counts %+v, error %v", got, p.m.err)
	}
}

// TestInformWindow: one inform reads the clock for all others, which are then sent together.
func TestInformWindow(t *testing.T) {
	p := newPair(t, informTarget(user(usm.HMACSHA256, usm.AES128)))
	for p.m.hasRoom() {
		p.add()
	}
	if len(p.m.pending) != maxUnderWay {
		t.Fatalf("%d under way", len(p.m.pending))
	}
	next := func() []byte { return bytes.Clone(p.m.next(p.now)) }
	for step, want := range []string{"discovery", "first inform"} {
		b := next()
		if b == nil || p.m.next(p.now) != nil {
			t.Fatalf("step %d: not one message, want one: %s", step+1, want)
		}
		p.m.receive(p.receiver.handle(b), p.now)
	}
	var sent [][]byte
	for b := next(); b != nil; b = next() {
		sent = append(sent, b)
	}
	if len(sent) != maxUnderWay {
		t.Errorf("%d messages when the clock is known", len(sent))
	}
	for i := len(sent) - 1; i >= 0; i-- { // answers may arrive in any order
		p.m.receive(p.receiver.handle(sent[i]), p.now)
	}
	p.want(acknowledged(maxUnderWay, 1))
}
