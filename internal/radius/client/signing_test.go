package client_test

import (
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// TestSigning: which answers are taken, in the three modes. Each answer is one to a request of its
// own; those before it are already there.
func TestSigning(t *testing.T) {
	const signed, unsigned, wrong = radiusnet.Right, radiusnet.Unsigned, radiusnet.WronglySigned
	for _, tc := range []struct {
		name    string
		mode    radius.Signing
		answers []radiusnet.Answer
		taken   string // a 1 for each answer that is taken
	}{
		{"required", radius.SigningRequired, []radiusnet.Answer{unsigned, signed, wrong, unsigned}, "0100"},
		{"auto", radius.SigningAuto, []radiusnet.Answer{unsigned, wrong, unsigned, signed, unsigned, signed}, "101101"},
		{"legacy", radius.SigningLegacy, []radiusnet.Answer{unsigned, signed, wrong, unsigned}, "1101"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			withRig(t, func(r *rig) {
				var next radiusnet.Answer
				r.authHost("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction { return radiusnet.Reaction{Answer: next} })
				m := both("192.0.2.1")
				m.Signing, m.Schedule = tc.mode, retry.Schedule{Timeout: time.Minute}
				g := r.authGroup(m)
				bad := 0
				for i, kind := range tc.answers {
					next = kind
					l := r.login(g, i)
					r.sleep(float64(i) + 0.5)
					if tc.taken[i] == '1' {
						l.check("answered by of 192.0.2.1")
						continue
					}
					l.check("")
					bad++
				}
				if s := g.Stats().Servers[0]; int(s.BadAuthenticators) != bad || int(s.Accepts) != len(tc.answers) {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// TestSignedEAP: a Message-Authenticator beside an EAP-Message must be there, so it does not make auto
// require one in other answers. FreeRADIUS 3.2.1 has none in those.
func TestSignedEAP(t *testing.T) {
	withRig(t, func(r *rig) {
		eap := radius.Attributes(radius.AppendAttribute(nil, radius.EAPMessage, "\x03\x01\x00\x04"))
		var next radiusnet.Reaction
		r.authHost("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction { return next })
		m := both("192.0.2.1")
		m.Signing, m.Schedule = radius.SigningAuto, retry.Schedule{Timeout: time.Minute}
		g := r.authGroup(m)
		for i, step := range []struct {
			answer radiusnet.Reaction
			taken  bool
		}{
			{radiusnet.Reaction{Attributes: eap}, true},
			{radiusnet.Reaction{Answer: radiusnet.Unsigned}, true},
			{radiusnet.Reaction{Answer: radiusnet.Unsigned, Attributes: eap}, false},
			{radiusnet.Reaction{}, true},
			{radiusnet.Reaction{Answer: radiusnet.Unsigned}, false},
		} {
			next = step.answer
			l := r.login(g, i)
			r.sleep(float64(i) + 0.5)
			if step.taken {
				l.check("answered by of 192.0.2.1")
			} else {
				l.check("")
			}
		}
	})
}

// TestUnsignedIsLogged: the log names the setting, at most once a minute.
func TestUnsignedIsLogged(t *testing.T) {
	withRig(t, func(r *rig) {
		r.authHost("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction {
			return radiusnet.Reaction{Answer: radiusnet.Unsigned}
		})
		g := r.authGroup(both("192.0.2.1"))
		for i := range 30 {
			r.login(g, i)
		}
		r.sleep(10)
		if text := r.log.String(); strings.Count(text, "RADIUS answer dropped: it is not signed") != 1 || strings.Count(text, "message-authenticator") != 1 || !strings.Contains(text, "address=192.0.2.1:1812") {
			t.Error("log is not as expected")
		}
	})
}

// TestSigningOfAccounting: Accounting-Responses need no Message-Authenticator in any mode.
func TestSigningOfAccounting(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", nil)
		g := r.group(client.GroupConfig{}, to("192.0.2.1"))
		s := r.send(g, 1)
		r.sleep(1)
		s.check("answered by of 192.0.2.1")
	})
}

// TestSigningIsRemembered: auto stays required over a change of the settings, and over a new group.
func TestSigningIsRemembered(t *testing.T) {
	withRig(t, func(r *rig) {
		kind := radiusnet.Right
		r.authHost("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction { return radiusnet.Reaction{Answer: kind} })
		m := both("192.0.2.1")
		m.Signing = radius.SigningAuto
		g := r.authGroup(m)
		first := r.login(g, 1)
		r.sleep(1)
		first.check("answered by of 192.0.2.1")
		kind = radiusnet.Unsigned
		cfg := client.GroupConfig{Purpose: client.Authentication}
		m.Signing = radius.SigningLegacy
		r.reconfigure(g, cfg, m)
		legacy := r.login(g, 2)
		r.sleep(2)
		legacy.check("answered by of 192.0.2.1")
		m.Signing = radius.SigningAuto
		r.reconfigure(g, cfg, m)
		again := r.login(g, 3)
		r.sleep(5)
		again.check(nobody)
		cfg.Name = "another"
		other := r.login(r.group(cfg, m), 4)
		r.sleep(8)
		other.check(nobody)
	})
}

// TestDeadAuthPortMoves: a reload that corrects the AuthPort of a server makes it one that is not dead, so
// that it is used at once, and tells that.
func TestDeadAuthPortMoves(t *testing.T) {
	withRig(t, func(r *rig) {
		var told []servers.Change // one goroutine at a time appends to it
		r.client = client.New(client.Config{Dial: client.OverUDP(r.net.Listen), Changed: func(c servers.Change) { told = append(told, c) }})
		r.authHost("192.0.2.1", silent)
		r.net.Add(radiusnet.Server{Name: "moved", Addr: documentation("192.0.2.1", 1645), Secret: "s", Purpose: client.Authentication})
		r.authHost("192.0.2.2", nil)
		r.host("192.0.2.1", nil)
		cfg := client.GroupConfig{HoldDown: time.Hour}
		acct := r.group(cfg, both("192.0.2.1"))
		cfg.Purpose = client.Authentication
		m, second := both("192.0.2.1"), both("192.0.2.2")
		g := r.group(cfg, m, second)
		l := r.login(g, 1)
		r.sleep(10)
		l.check("answered by of 192.0.2.2")
		if s := acct.Stats().Servers[0]; s.State != servers.Dead {
			t.Errorf("accounting before: %+v", s)
		}
		m.AuthPort = 1645
		r.reconfigure(g, cfg, m, second)
		if n := len(told); n != 2 || !told[0].Dead || told[1].Dead {
			t.Errorf("told %+v", told)
		}
		if s := acct.Stats().Servers[0]; s.State == servers.Dead {
			t.Errorf("accounting: %+v", s)
		}
		l = r.login(g, 2)
		r.sleep(11)
		l.check("answered by of 192.0.2.1")
	})
}

// TestAuthPortMoves: requests in flight go to a new AuthPort at once, and the server's state stays.
func TestAuthPortMoves(t *testing.T) {
	withRig(t, func(r *rig) {
		r.authHost("192.0.2.1", silent)
		moved := r.net.Add(radiusnet.Server{Name: "moved", Addr: documentation("192.0.2.1", 1645), Secret: "s", Purpose: client.Authentication})
		r.host("192.0.2.1", nil)
		acct := r.group(client.GroupConfig{}, both("192.0.2.1"))
		r.send(acct, 1)
		m := both("192.0.2.1")
		g := r.authGroup(m)
		l := r.login(g, 2)
		r.sleep(0.5)
		before := acct.Stats().Servers[0]
		m.AuthPort = 1645
		r.reconfigure(acct, client.GroupConfig{}, m) // a group of the same server
		r.sleep(0.6)
		l.check("answered by of 192.0.2.1")
		if s := g.Stats().Servers[0]; s.Addr.Port() != 1645 || s.Requests != 2 || s.PendingRequests != 0 {
			t.Errorf("%+v", s)
		}
		if after := acct.Stats().Servers[0]; after != before || len(moved.Arrivals()) != 1 {
			t.Errorf("accounting: %+v, before %+v", after, before)
		}
	})
}
