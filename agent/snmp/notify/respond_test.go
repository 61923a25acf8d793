package notify

import (
	"slices"
	"testing"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// answerParts builds a Response from its parts, with the right digest if it has one.
type answerParts struct {
	authority
	msgID, requestID int32
	context          []byte
	name             string
	flags            uint8 // in addition to those of the level
	unset            uint8 // removed from those of the level
	padding          int   // octets behind the scopedPDU
}

func (a *answerParts) build() []byte {
	var f wire.Frame
	f.Reset()
	f.ClosePDU(wire.Response, a.requestID, 0, 0)
	f.CloseScoped(a.context, []byte(a.name))
	f.Pad(a.padding)
	h := wire.HeaderV3{ID: a.msgID, MaxSize: 65507, Model: wire.ModelUSM, Flags: a.flags}
	params := wire.SecurityParameters{EngineID: a.engineID, Boots: a.boots, Time: a.time, UserName: []byte(a.user)}
	var salt [8]byte
	if a.level == wire.AuthPriv {
		a.keys.Encrypt(f.Bytes(), a.boots, a.time, &salt)
		params.PrivacyParameters = salt[:]
		h.Flags |= wire.FlagPriv
	}
	if h.Flags&wire.FlagPriv != 0 {
		f.CloseOctets()
	}
	if a.level >= wire.AuthNoPriv {
		params.AuthenticationParameters = zeros[:a.keys.Auth().TruncatedLen()]
		h.Flags |= wire.FlagAuth
	}
	h.Flags &^= a.unset
	digest := f.CloseV3(&h, &params)
	if len(digest) > 0 {
		a.keys.Digest(digest, f.Bytes())
	}
	return f.Bytes()
}

// TestWrongResponse: Responses that are valid except for one part.
func TestWrongResponse(t *testing.T) {
	tests := []struct {
		name   string
		change func(*answerParts)
		want   bool
	}{
		{"the right one", func(*answerParts) {}, true},
		{"a little later", func(p *answerParts) { p.time += 100 }, true},
		{"restarted since", func(p *answerParts) { p.boots, p.time = p.boots+1, 0 }, true},
		{"other context engine", func(p *answerParts) { p.context = theirID }, false},
		{"other context", func(p *answerParts) { p.name = "x" }, false},
		{"other request-id", func(p *answerParts) { p.requestID++ }, false},
		{"other msgID", func(p *answerParts) { p.msgID++ }, false},
		{"other engine", func(p *answerParts) { p.engineID = []byte("another engine") }, false},
		{"no engine", func(p *answerParts) { p.engineID = nil }, false},
		{"other user", func(p *answerParts) { p.user = "other" }, false},
		{"no user", func(p *answerParts) { p.user = "" }, false},
	}
	secure := []struct {
		name   string
		change func(*answerParts)
		want   bool
	}{
		{"not encrypted", func(p *answerParts) { p.level = wire.AuthNoPriv }, false},
		{"no digest", func(p *answerParts) { p.level = wire.NoAuthNoPriv }, false},
		{"encrypted, no digest", func(p *answerParts) { p.level, p.flags = wire.NoAuthNoPriv, wire.FlagPriv }, false},
		{"encrypted, says that the digest is none", func(p *answerParts) { p.unset = wire.FlagAuth }, false},
		{"of an earlier life", func(p *answerParts) { p.boots-- }, false},
		{"too old", func(p *answerParts) { p.time -= timeWindow + 1 }, false},
		{"old", func(p *answerParts) { p.time -= timeWindow }, true},
		{"padded to a block of AES", func(p *answerParts) { p.padding = 16 }, true},
		{"padded, not encrypted", func(p *answerParts) { p.level, p.padding = wire.AuthNoPriv, 16 }, false},
	}
	for _, u := range []usm.User{user(usm.NoAuth, usm.NoPriv), user(usm.HMACSHA256, usm.AES128)} {
		cases := tests
		if u.Auth != usm.NoAuth {
			cases = append(slices.Clone(tests), secure...)
		}
		for _, tt := range cases {
			t.Run(u.Level().String()+" "+tt.name, func(t *testing.T) {
				p := newPair(t, informTarget(u))
				p.add()
				p.run()
				p.add()
				p.m.next(p.now)
				in, r := p.m.pending[0], p.m.remote
				is := answerParts{
					authority: authority{theirID, r.boots, r.latest, u.Name, u.Level(), r.keys},
					msgID:     in.msgIDs[0], requestID: in.requestID, context: ourID,
				}
				tt.change(&is)
				p.m.receive(is.build(), p.now)
				if got := p.m.counts.acknowledged == 2; got != tt.want {
					t.Errorf("acknowledged: %t", got)
				}
				if ignored := p.m.counts.ignored == 1; ignored == tt.want {
					t.Errorf("ignored: %t", ignored)
				}
			})
		}
	}
}

// TestWrongClock: an authentic message of another engine, or for another user, has a time.
func TestWrongClock(t *testing.T) {
	for name, change := range map[string]func(*answerParts){
		"other engine": func(p *answerParts) { p.engineID = []byte("another engine") },
		"other user":   func(p *answerParts) { p.user = "other" },
	} {
		u := user(usm.HMACSHA256, usm.AES128)
		p := newPair(t, informTarget(u))
		p.add()
		p.run()
		p.add()
		p.m.next(p.now)
		in, r := p.m.pending[0], p.m.remote
		is := answerParts{
			authority: authority{theirID, r.boots, r.latest + 50, u.Name, u.Level(), r.keys},
			msgID:     in.msgIDs[0], requestID: in.requestID, context: ourID,
		}
		before := r.latest
		change(&is)
		if p.m.receive(is.build(), p.now); r.latest != before {
			t.Errorf("%s: its time was taken", name)
		}
	}
}

// TestResponseWithoutEngine: a Response arrives while the engine id is unknown.
func TestResponseWithoutEngine(t *testing.T) {
	for _, u := range []usm.User{user(usm.NoAuth, usm.NoPriv), user(usm.HMACSHA256, usm.AES128)} {
		p := newPair(t, informTarget(u))
		p.add()
		p.run()
		p.add()
		p.m.next(p.now)
		in := p.m.pending[0]
		p.m.remote.forget()
		is := answerParts{
			authority: authority{nil, 1, 1000, u.Name, u.Level(), p.m.remote.keys},
			msgID:     in.msgIDs[0], requestID: in.requestID, context: ourID,
		}
		p.m.receive(is.build(), p.now)
		if got := p.m.counts; got.acknowledged != 1 || got.ignored != 1 {
			t.Errorf("%s: counts %+v", u.Level(), got)
		}
	}
}
