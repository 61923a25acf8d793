package snmp

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// sizer asks a responder at random: with a community or as a user of any protocols, at any engine
// time. It changes the largest message of the responder or, in v3, that of the request.
type sizer struct {
	f         *fixture
	keys      *usm.Keys // nil: a community
	community string
	msgID     int32
	requestID int32
	byRequest bool // the largest message is that of the request
}

// newSizer draws who asks and when.
func newSizer(t *rapid.T, f *fixture, clock *time.Time) *sizer {
	s := &sizer{
		f: f, requestID: rapid.Int32().Draw(t, "request-id"), msgID: rapid.Int32Min(0).Draw(t, "msgID"),
		byRequest: rapid.Bool().Draw(t, "by request"),
	}
	*clock = clock.Add(rapid.SampledFrom([]time.Duration{0, 100, 150, 40_000, 9_000_000}).Draw(t, "later") * time.Second)
	user := usm.User{
		Name: "noc", AuthSecret: usm.Secret{Password: authPassword}, PrivSecret: usm.Secret{Password: privPassword},
		Auth: usm.AuthProtocol(rapid.IntRange(int(usm.NoAuth), int(usm.HMACSHA512)).Draw(t, "auth")),
		Priv: usm.PrivProtocol(rapid.IntRange(int(usm.NoPriv), int(usm.AES256C)).Draw(t, "priv")),
	}
	if user.Auth == usm.NoAuth {
		s.community = strings.Repeat("c", rapid.SampledFrom([]int{1, 100, 126, 127, 128, 129, 200}).Draw(t, "community"))
		return s
	}
	if user.Priv == usm.NoPriv {
		user.PrivSecret = usm.Secret{}
	}
	users, err := usm.NewUsers(f.cfg.Engine.ID(), []usm.User{user}, f.cfg.USM.Users())
	if err != nil {
		t.Fatal(err)
	}
	f.cfg.USM.SetUsers(users)
	if s.keys, err = user.Keys(f.cfg.Engine.ID()); err != nil {
		t.Fatal(err)
	}
	return s
}

// request encodes a request that accepts answers of size octets.
func (s *sizer) request(kind wire.PDUType, size, second, third int32, vbs ...mib.Varbind) []byte {
	var f wire.Frame
	f.Reset()
	for i := range vbs {
		f.AppendVarbind(&vbs[i])
	}
	f.ClosePDU(kind, s.requestID, second, third)
	if s.keys == nil {
		f.CloseCommunity(wire.Version2c, []byte(s.community))
		return f.Bytes()
	}
	engine := s.f.cfg.Engine
	f.CloseScoped(engine.ID(), nil)
	h := wire.HeaderV3{ID: s.msgID, MaxSize: size, Flags: wire.FlagReportable | wire.FlagAuth, Model: wire.ModelUSM}
	p := wire.SecurityParameters{EngineID: engine.ID(), UserName: []byte("noc"), AuthenticationParameters: make([]byte, s.keys.Auth().TruncatedLen())}
	p.Boots, p.Time = engine.BootsTime()
	if s.keys.Priv() != usm.NoPriv {
		var salt [8]byte
		f.Pad(-f.Len() & 7)
		s.keys.Encrypt(f.Bytes(), p.Boots, p.Time, &salt)
		f.CloseOctets()
		h.Flags, p.PrivacyParameters = h.Flags|wire.FlagPriv, salt[:]
	}
	s.keys.Digest(f.CloseV3(&h, &p), f.Bytes())
	return f.Bytes()
}

// ask sends a request whose answer may have size octets, and returns the answer's PDU and size.
func (s *sizer) ask(t *rapid.T, size int, kind wire.PDUType, second, third int32, vbs ...mib.Varbind) (pdu wire.PDU, octets int) {
	s.f.cfg.MaxMessageSize = size
	if s.byRequest && s.keys != nil {
		s.f.cfg.MaxMessageSize = MaxMessageSize
	}
	out := s.f.exchange(manager, s.request(kind, int32(size), second, third, vbs...))
	octets = len(out)
	if octets > size {
		t.Fatalf("an answer of %d octets, at most %d are accepted", octets, size)
	}
	var m wire.Message
	if err := m.Parse(out); err != nil {
		t.Fatalf("%x: %v", out, err)
	}
	data := m.Data
	if s.keys != nil {
		var p wire.SecurityParameters
		var scoped wire.ScopedPDU
		err := p.Parse(m.SecurityParameters)
		if err == nil && s.keys.Priv() != usm.NoPriv {
			err = s.keys.Decrypt(data, p.Boots, p.Time, p.PrivacyParameters)
		}
		if err := errors.Join(err, scoped.Parse(data, true)); err != nil {
			t.Fatal(err)
		}
		data = scoped.PDU
	}
	if err := pdu.Parse(data); err != nil {
		t.Fatal(err)
	}
	return pdu, octets
}

// sizedFixture returns a fixture with the openPolicy whose engine's time is clock.
func sizedFixture(t *testing.T, clock *time.Time) *fixture {
	t.Helper()
	*clock = time.Now()
	f := newFixture(t, func(c *Config) {
		engine, err := usm.OpenEngine(filepath.Join(t.TempDir(), "sized"), nil, func() time.Time { return *clock })
		if err != nil {
			t.Fatal(err)
		}
		users, err := usm.NewUsers(engine.ID(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Engine, c.USM = engine, usm.New(engine, users)
	})
	f.SetPolicy(openPolicy(t))
	return f
}

// openPolicy lets the user noc, and communities of 1 to 200 times "c", read and write everything.
func openPolicy(t *testing.T) *vacm.Policy {
	t.Helper()
	all, _, _, _ := views(t)
	members := []vacm.Member{{Model: wire.ModelUSM, SecurityName: "noc", Group: "all"}, {Model: wire.ModelV2c, SecurityName: "all", Group: "all"}}
	access := []vacm.AccessEntry{
		{Group: "all", Model: wire.ModelUSM, Level: wire.AuthNoPriv, Read: all, Write: all},
		{Group: "all", Model: wire.ModelV2c, Level: wire.NoAuthNoPriv, Read: all, Write: all},
	}
	var communities []vacm.Community
	for n := 1; n <= 200; n++ {
		communities = append(communities, vacm.Community{Name: strings.Repeat("c", n), SecurityName: "all"})
	}
	policy, err := vacm.New([]*vacm.View{all}, access, members, communities)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// TestTooBigExactly: a GET or SET is answered with tooBig if and only if its answer is larger than
// the maximum.
func TestTooBigExactly(t *testing.T) {
	var clock time.Time
	f := sizedFixture(t, &clock)
	const ample = MaxMessageSize
	rapid.Check(t, func(t *rapid.T) {
		s := newSizer(t, f, &clock)
		f.numbers.text = strings.Repeat("x", rapid.IntRange(400, 1000).Draw(t, "text"))
		kind := rapid.SampledFrom([]wire.PDUType{wire.GetRequest, wire.GetNextRequest, wire.SetRequest}).Draw(t, "kind")
		vbs := []mib.Varbind{{Name: testText.Append(0)}}
		vbs[0].Value.Type = mib.Null
		want, index := mib.NoError, int32(0)
		switch kind {
		case wire.GetNextRequest:
			vbs[0].Name = testText
		case wire.SetRequest: // the error has a larger index than success
			vbs = vbs[:0]
			vb := mib.Varbind{Name: testNumber.Append(0)}
			vb.Value.SetInteger32(rapid.Int32Range(0, 99).Filter(func(n int32) bool { return n < 13 || n > 16 }).Draw(t, "to"))
			for range rapid.IntRange(30, 300).Draw(t, "assignments") {
				vbs = append(vbs, vb)
			}
			if rapid.Bool().Draw(t, "refused") {
				vbs[len(vbs)-1].Value.SetInteger32(100)
				want, index = mib.WrongValue, int32(len(vbs))
			}
		}
		pdu, exact := s.ask(t, ample, kind, 0, 0, vbs...)
		if pdu.ErrorStatus != int32(want) || pdu.ErrorIndex != index {
			t.Fatalf("error-status %d, error-index %d", pdu.ErrorStatus, pdu.ErrorIndex)
		}
		_, exact = s.ask(t, exact, kind, 0, 0, vbs...) // its msgMaxSize can be an octet shorter
		if again, octets := s.ask(t, exact, kind, 0, 0, vbs...); again.ErrorStatus != int32(want) || octets != exact {
			t.Fatalf("%d octets are enough, error-status %d in %d octets", exact, again.ErrorStatus, octets)
		}
		if again, _ := s.ask(t, exact-1, kind, 0, 0, vbs...); again.ErrorStatus != int32(tooBig) {
			t.Fatalf("%d octets are needed, error-status %d for %d", exact, again.ErrorStatus, exact-1)
		}
	})
}

// TestBulkFills: a GETBULK has as many variables as fit into the maximum, to the octet.
func TestBulkFills(t *testing.T) {
	var clock time.Time
	f := sizedFixture(t, &clock)
	rapid.Check(t, func(t *rapid.T) {
		s := newSizer(t, f, &clock)
		size := rapid.IntRange(MinMessageSize, 3000).Draw(t, "maximum")
		vb := mib.Varbind{Name: testEntry.Append(rapid.Uint32Range(1, 3).Draw(t, "column"), rapid.Uint32Range(0, 200).Draw(t, "row"))}
		vb.Value.Type = mib.Null
		filled, octets := s.ask(t, size, wire.GetBulkRequest, 0, 400, vb)
		n := int32(len(filled.Varbinds))
		if filled.ErrorStatus != 0 || n == 0 {
			t.Fatalf("error-status %d, %d variables", filled.ErrorStatus, n)
		}
		more, needed := s.ask(t, MaxMessageSize, wire.GetBulkRequest, 0, n+1, vb)
		if int32(len(more.Varbinds)) != n+1 || needed <= size {
			t.Fatalf("%d variables in %d octets, but %d fit into %d, at most %d", n, octets, len(more.Varbinds), needed, size)
		}
		_, needed = s.ask(t, needed, wire.GetBulkRequest, 0, n+1, vb) // its msgMaxSize can be an octet shorter
		if again, _ := s.ask(t, needed, wire.GetBulkRequest, 0, 400, vb); int32(len(again.Varbinds)) < n+1 {
			t.Fatalf("%d variables in %d octets, want %d", len(again.Varbinds), needed, n+1)
		}
		if again, _ := s.ask(t, needed-1, wire.GetBulkRequest, 0, 400, vb); int32(len(again.Varbinds)) != n {
			t.Fatalf("%d variables in %d octets, want %d", len(again.Varbinds), needed-1, n)
		}
	})
}
