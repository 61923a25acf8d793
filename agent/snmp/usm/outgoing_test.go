package usm_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// open decodes an answer as a manager does and returns its scopedPDU.
func open(b []byte, keys *usm.Keys) (m wire.Message, p wire.SecurityParameters, scoped []byte, err error) {
	if err := errors.Join(m.Parse(b), p.Parse(m.SecurityParameters)); err != nil {
		return m, p, nil, err
	}
	if m.Flags&wire.FlagAuth != 0 && !keys.Verify(b, p.AuthenticationParameters) {
		return m, p, nil, usm.ErrWrongDigest
	}
	if m.Flags&wire.FlagPriv != 0 {
		err = keys.Decrypt(m.Data, p.Boots, p.Time, p.PrivacyParameters)
	}
	return m, p, m.Data, err
}

// flagsOf returns the msgFlags of a level.
func flagsOf(l wire.SecurityLevel) uint8 {
	return map[wire.SecurityLevel]uint8{wire.NoAuthNoPriv: 0, wire.AuthNoPriv: wire.FlagAuth, wire.AuthPriv: wire.FlagAuth | wire.FlagPriv}[l]
}

// TestOutgoing: a manager accepts the answer of every combination.
func TestOutgoing(t *testing.T) {
	users := combinations()
	model, c := newUSM(t, users...)
	c.advance(5e9)
	var s usm.Session
	for _, u := range users {
		for _, size := range []int{0, 1, 2, 3, 4, 5, 6, 7, 60, 300, 40000} {
			m := newManager(t, u)
			if _, _, err := incoming(t, model, &s, m.request()); err != nil {
				t.Fatalf("%s: %v", u.Name, err)
			}
			var f wire.Frame
			f.Reset()
			vb := mib.Varbind{Name: sysUpTime}
			vb.Value.SetOctets(strings.Repeat("x", size))
			f.AppendVarbind(&vb)
			f.ClosePDU(wire.Response, requestID, 0, 0)
			pdu := f.Len()
			f.CloseScoped(testEngineID, nil)
			out := wire.HeaderV3{ID: 0x7fffffff, MaxSize: 0x7fffffff, Flags: 0xff, Model: 77}
			announced := s.Size(pdu, &out)
			if err := model.Outgoing(&f, &s, s.Level, &out); err != nil {
				t.Fatalf("%s: %v", u.Name, err)
			}
			if f.Len() != announced {
				t.Errorf("%s: %d octets, %d were announced", u.Name, f.Len(), announced)
			}
			if around := f.Len() - pdu; around > s.Overhead() {
				t.Errorf("%s: %d octets around %d, at most %d were announced", u.Name, around, pdu, s.Overhead())
			}
			h, p, scoped, err := open(f.Bytes(), m.keys)
			if err != nil {
				t.Fatalf("%s: %v", u.Name, err)
			}
			if h.Flags != flagsOf(u.Level())|wire.FlagReportable || h.Model != wire.ModelUSM || h.ID != 0x7fffffff || h.MaxSize != 0x7fffffff {
				t.Errorf("%s: header %+v", u.Name, h)
			}
			if !bytes.Equal(p.EngineID, testEngineID) || p.Boots != testBoots || p.Time != testTime+5 || string(p.UserName) != u.Name {
				t.Errorf("%s: parameters %+v", u.Name, p)
			}
			if got, err := pduOf(scoped, u.Priv == usm.DES); err != nil || got.RequestID != requestID || got.Varbinds[0].Value.Str != vb.Value.Str {
				t.Errorf("%s: %d octets: %v", u.Name, size, err)
			}
		}
	}
}

// TestOverhead: the announced octets suffice when all numbers have their maximum, and are not much
// too large.
func TestOverhead(t *testing.T) {
	engine, _ := newEngine(t, usm.MaxBoots-1, math.MaxInt32-10)
	users := combinations()
	model := usm.New(engine, newUsers(t, users...))
	for _, u := range users {
		m := newManager(t, u)
		m.boots, m.time = engine.BootsTime()
		var s usm.Session
		if _, _, err := incoming(t, model, &s, m.request()); err != nil {
			t.Fatalf("%s: %v", u.Name, err)
		}
		for pad := range 8 {
			var f wire.Frame
			f.Reset()
			f.AppendRaw(make([]byte, 40000+pad))
			f.ClosePDU(wire.Response, requestID, 0, 0)
			pdu := f.Len()
			f.CloseScoped(testEngineID, nil)
			if err := model.Outgoing(&f, &s, s.Level, &wire.HeaderV3{ID: math.MaxInt32, MaxSize: math.MaxInt32}); err != nil {
				t.Fatalf("%s: %v", u.Name, err)
			}
			spare := s.Overhead() - (f.Len() - pdu)
			if most := 2 + map[usm.PrivProtocol]int{usm.DES: 7}[u.Priv]; spare < 0 || spare > most {
				t.Fatalf("%s: %d octets too many were announced for %d", u.Name, spare, pdu)
			}
		}
	}
}

// TestOutgoingLower: a request may be answered at a lower level, as by a report.
func TestOutgoingLower(t *testing.T) {
	u := newUser("wes", usm.HMACSHA, usm.AES128)
	model, _ := newUSM(t, u)
	m := newManager(t, u)
	var s usm.Session
	if _, _, err := incoming(t, model, &s, m.request()); err != nil {
		t.Fatal(err)
	}
	for level := wire.NoAuthNoPriv; level <= wire.AuthPriv; level++ {
		var f wire.Frame
		f.Reset()
		f.ClosePDU(wire.Report, 1, 0, 0)
		f.CloseScoped(testEngineID, nil)
		if err := model.Outgoing(&f, &s, level, &wire.HeaderV3{MaxSize: 484}); err != nil {
			t.Fatal(err)
		}
		if h, _, scoped, err := open(f.Bytes(), m.keys); err != nil || h.Flags != flagsOf(level) {
			t.Errorf("%s: flags %d, %v", level, h.Flags, err)
		} else if pdu, err := pduOf(scoped, false); err != nil || pdu.Type != wire.Report {
			t.Errorf("%s: %+v, %v", level, pdu, err)
		}
	}
}

// TestOutgoingWithoutKeys: nothing is authenticated for a sender that has not proved its identity,
// whatever the session was used for before.
func TestOutgoingWithoutKeys(t *testing.T) {
	priv, auth := newUser("priv", usm.HMACSHA, usm.AES128), newUser("auth", usm.HMACSHA, usm.NoPriv)
	model, _ := newUSM(t, priv, auth)
	var used usm.Session
	if _, _, err := incoming(t, model, &used, newManager(t, priv).request()); err != nil {
		t.Fatal(err)
	}
	answer := func(s *usm.Session, level wire.SecurityLevel) error {
		var f wire.Frame
		f.Reset()
		f.ClosePDU(wire.Response, 1, 0, 0)
		return model.Outgoing(&f, s, level, &wire.HeaderV3{MaxSize: 484})
	}
	for _, tt := range []struct {
		name   string
		change func(m *manager)
	}{
		{"wrong digest", func(m *manager) { m.auth = func(b []byte) []byte { return b } }},
		{"unauthenticated", (*manager).noAuth},
		{"unknown user", func(m *manager) { m.user = "nobody" }},
	} {
		m := newManager(t, priv)
		tt.change(m)
		_, _, _ = incoming(t, model, &used, m.request())
		if err := answer(&used, wire.AuthNoPriv); err == nil || !strings.Contains(err.Error(), "no keys for an answer at authNoPriv") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, _, err := incoming(t, model, &used, newManager(t, auth).request()); err != nil {
		t.Fatal(err)
	}
	if err := answer(&used, wire.AuthPriv); err == nil {
		t.Error("encrypted for a user without privacy")
	}
	if err := answer(&usm.Session{}, wire.AuthNoPriv); err == nil {
		t.Error("a session without a message signs")
	}
}

// TestRFC3414A4 has the parameters of RFC 3414 section A.4, with engine 9.132.3.1 and user bert.
func TestRFC3414A4(t *testing.T) {
	engineID := unhex("80000002 01 09840301")
	users, err := usm.NewUsers(engineID, []usm.User{newUser("bert", usm.HMACMD5, usm.DES)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	parameters := unhex("302e 0409800000020109840301 020101 02020101 040462657274 040c0123456789abcdeffedcba98 04080123456789abcdef")
	parameters[1] = byte(len(parameters) - 2)
	var p wire.SecurityParameters
	if err := p.Parse(parameters); err != nil {
		t.Fatal(err)
	}
	if usm.KeysOf(users, string(p.UserName)).Verify(parameters, p.AuthenticationParameters) {
		t.Error("the sample digest is right")
	}
	if !bytes.Equal(p.EngineID, users.EngineID()) || p.Boots != 1 || p.Time != 257 || len(p.PrivacyParameters) != 8 {
		t.Errorf("%+v", p)
	}
}

// TestConcurrent runs workers with a session each, while users are replaced and counters read.
func TestConcurrent(t *testing.T) {
	users := []usm.User{newUser("a", usm.HMACSHA, usm.AES128), newUser("b", usm.HMACSHA256, usm.AES256), newUser("c", usm.HMACMD5, usm.DES)}
	model, _ := newUSM(t, users...)
	requests := make([][]byte, len(users))
	for i, u := range users {
		requests[i] = newManager(t, u).request()
	}
	nobody := newManager(t, unknownKeys[0]).request()
	const workers, each = 6, 100
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			var s usm.Session
			for i := range each {
				u := (w + i) % len(users)
				answer, err := respond(model, &s, bytes.Clone(requests[u]))
				if err != nil {
					t.Errorf("%s: %v", users[u].Name, err)
					return
				}
				if _, _, scoped, err := open(answer, usm.KeysOf(model.Users(), users[u].Name)); err != nil || len(scoped) == 0 {
					t.Errorf("%s: %v", users[u].Name, err)
				}
				if _, err := respond(model, &s, bytes.Clone(nobody)); !errors.Is(err, usm.ErrUnknownUserName) {
					t.Errorf("unknown user: %v", err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			next, err := usm.NewUsers(testEngineID, users, model.Users())
			if err != nil {
				t.Error(err)
			}
			model.SetUsers(next)
			model.Counts()
		}
	})
	wg.Wait()
	if got := model.Counts(); got != (usm.Counts{UnknownUserNames: workers * each}) {
		t.Errorf("%+v", got)
	}
}

// TestSizeKeepsTime: an answer has the announced size, even if the engine's time needs one more
// octet by then.
func TestSizeKeepsTime(t *testing.T) {
	u := newUser("wes", usm.HMACSHA, usm.AES128)
	engine, c := newEngine(t, testBoots, 127)
	model := usm.New(engine, newUsers(t, u))
	m := newManager(t, u)
	m.time = 127
	var s usm.Session
	if _, _, err := incoming(t, model, &s, m.request()); err != nil {
		t.Fatal(err)
	}
	var f wire.Frame
	f.Reset()
	f.ClosePDU(wire.Response, requestID, 0, 0)
	h := wire.HeaderV3{ID: 1, MaxSize: 484}
	announced := s.Size(f.Len(), &h)
	f.CloseScoped(testEngineID, nil)
	c.advance(1e9)
	if err := model.Outgoing(&f, &s, s.Level, &h); err != nil || f.Len() != announced {
		t.Errorf("%d octets, %d were announced: %v", f.Len(), announced, err)
	}
	if _, p, _, err := open(f.Bytes(), m.keys); err != nil || p.Time != 127 {
		t.Errorf("time %d, %v", p.Time, err)
	}
}
