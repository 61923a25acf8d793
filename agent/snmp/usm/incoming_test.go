package usm_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// The usmStats (RFC 3414 section 5).
const (
	usmStats             = ".1.3.6.1.6.3.15.1.1."
	unsupportedSecLevels = usmStats + "1.0"
	notInTimeWindows     = usmStats + "2.0"
	unknownUserNames     = usmStats + "3.0"
	unknownEngineIDs     = usmStats + "4.0"
	wrongDigests         = usmStats + "5.0"
	decryptionErrors     = usmStats + "6.0"
	malformed            = "malformed"
)

// step is one message that is accepted or rejected at one step of RFC 3414 section 3.2.
type step struct {
	name   string
	user   string             // "" means priv
	change func(m *manager)   // changes the manager's request
	after  func(b []byte)     // changes the encoded message
	move   time.Duration      // advances the engine's clock
	want   string             // the counter, malformed, or "" for accepted
	report wire.SecurityLevel // 0 means noAuthNoPriv
}

func (m *manager) plain()  { m.flags &^= wire.FlagPriv }
func (m *manager) noAuth() { m.flags &^= wire.FlagPriv | wire.FlagAuth }

func steps() []step {
	window := usm.TimeWindow * time.Second
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return append([]byte(nil), b[:n]...) } }
	grow := func(b []byte) []byte { return append(slices.Clone(b), 0) }
	return []step{
		{name: "right"},
		{name: "right, DES", user: "des"},
		{name: "right, authNoPriv", change: (*manager).plain},
		{name: "right, noAuthNoPriv", change: (*manager).noAuth},
		{name: "right, user without keys", user: "open"},
		{name: "right, unknown flags", change: func(m *manager) { m.flags |= 0xf8 }},

		{name: "1: parameters are rubbish", after: func(b []byte) { b[bytes.Index(b, testEngineID)-2] = 0x05 }, want: malformed},
		{name: "1: privacy without authentication", change: func(m *manager) { m.flags &^= wire.FlagAuth }, want: malformed},

		{name: "3: discovery", user: "discovery", change: func(m *manager) { m.engineID, m.boots, m.time = nil, 0, 0 }, want: unknownEngineIDs},
		{name: "3: no engine id, authenticated", change: func(m *manager) { m.engineID = nil }, want: unknownEngineIDs},
		{name: "3: another engine", change: func(m *manager) { m.engineID = rfcEngineID }, want: unknownEngineIDs},
		{name: "3: longer engine id", change: func(m *manager) { m.engineID = append(slices.Clone(testEngineID), 0) }, want: unknownEngineIDs},
		{name: "3: shorter engine id", change: func(m *manager) { m.engineID = testEngineID[:11] }, want: unknownEngineIDs},
		{name: "3: other engine before other user", user: "nobody", change: func(m *manager) { m.engineID = rfcEngineID }, want: unknownEngineIDs},

		{name: "4: unknown user", user: "nobody", want: unknownUserNames},
		{name: "4: unknown user, noAuthNoPriv", user: "nobody", change: (*manager).noAuth, want: unknownUserNames},
		{name: "4: no user name", change: func(m *manager) { m.noAuth(); m.user = "" }, want: unknownUserNames},
		{name: "4: name in capitals", change: func(m *manager) { m.user = "PRIV" }, want: unknownUserNames},
		{name: "4: name and a zero", change: func(m *manager) { m.user += "\x00" }, want: unknownUserNames},

		{name: "5: authNoPriv of a user without keys", user: "open", change: func(m *manager) { m.flags |= wire.FlagAuth }, want: unsupportedSecLevels},
		{name: "5: authPriv of a user without keys", user: "open", change: func(m *manager) { m.flags |= wire.FlagAuth | wire.FlagPriv }, want: unsupportedSecLevels},
		{name: "5: authPriv of a user without privacy", user: "auth", change: func(m *manager) { m.flags |= wire.FlagPriv }, want: unsupportedSecLevels},
		{name: "5: level before digest", user: "auth", change: func(m *manager) { m.flags |= wire.FlagPriv; m.auth = cut(0) }, want: unsupportedSecLevels},

		{name: "6: no digest", change: func(m *manager) { m.auth = cut(0) }, want: wrongDigests},
		{name: "6: digest of zeros", change: func(m *manager) { m.auth = cut(12) }, want: wrongDigests},
		{name: "6: digest of one octet", change: func(m *manager) { m.auth = cut(1) }, want: wrongDigests},
		{name: "6: digest too short", change: func(m *manager) { m.auth = cut(11) }, want: wrongDigests},
		{name: "6: digest too long", change: func(m *manager) { m.auth = grow }, want: wrongDigests},
		{name: "6: changed on its way", after: func(b []byte) { b[len(b)-1] ^= 1 }, want: wrongDigests},
		{name: "6: header changed on its way", after: func(b []byte) { b[bytes.Index(b, []byte{0x04, 1, 7})+2] |= 0x80 }, want: wrongDigests},
		{name: "6: digest before time", change: func(m *manager) { m.auth = cut(12); m.boots-- }, want: wrongDigests},
		{name: "6: digest before decryption", change: func(m *manager) { m.auth = cut(12); m.salt = cut(3) }, want: wrongDigests},
		{name: "6: keys of another engine", change: func(m *manager) { m.keys = otherKeys(rfcEngineID, authPassword) }, want: wrongDigests},
		{name: "6: another password", change: func(m *manager) { m.keys = otherKeys(testEngineID, "somethingelse") }, want: wrongDigests},

		{name: "7: the end of the window", move: window},
		{name: "7: after the window", move: window + time.Second, want: notInTimeWindows, report: wire.AuthNoPriv},
		{name: "7: the beginning of the window", move: -window},
		{name: "7: before the window", move: -window - time.Second, want: notInTimeWindows, report: wire.AuthNoPriv},
		{name: "7: the life before", change: func(m *manager) { m.boots-- }, want: notInTimeWindows, report: wire.AuthNoPriv},
		{name: "7: the next life", change: func(m *manager) { m.boots++ }, want: notInTimeWindows, report: wire.AuthNoPriv},
		{name: "7: not synchronized yet", change: func(m *manager) { m.boots, m.time = 0, 0 }, want: notInTimeWindows, report: wire.AuthNoPriv},
		{name: "7: authNoPriv", change: func(m *manager) { m.plain(); m.time += 151 }, want: notInTimeWindows, report: wire.AuthNoPriv},
		{name: "7: DES", user: "des", change: func(m *manager) { m.time = math.MaxInt32 }, want: notInTimeWindows, report: wire.AuthNoPriv},
		{name: "7: noAuthNoPriv has no time", change: func(m *manager) { m.noAuth(); m.boots, m.time = 0, 0 }},
		{name: "7: time before decryption", change: func(m *manager) { m.boots--; m.salt = cut(3) }, want: notInTimeWindows, report: wire.AuthNoPriv},

		{name: "8: no salt", change: func(m *manager) { m.salt = cut(0) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: short salt", change: func(m *manager) { m.salt = cut(7) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: long salt", change: func(m *manager) { m.salt = grow }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: another salt", change: func(m *manager) { m.salt = func(b []byte) []byte { b[0]++; return b } }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: another privacy password", change: func(m *manager) { m.keys = otherPrivacy(usm.AES128) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: another privacy protocol", change: func(m *manager) { m.keys = otherPrivacy(usm.AES192) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: nothing", change: func(m *manager) { m.data = cut(0) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: one octet", change: func(m *manager) { m.data = cut(1) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: cut", change: func(m *manager) { m.data = cut(30) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: DES, part of a block", user: "des", change: func(m *manager) { m.data = grow }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: DES, a block missing", user: "des", change: func(m *manager) { m.data = cut(40) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: DES, short salt", user: "des", change: func(m *manager) { m.salt = cut(4) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: a SEQUENCE that is no scopedPDU, as another key makes one of 7,000", change: func(m *manager) { m.text = append([]byte{0x30, 40}, bytes.Repeat([]byte{0x5a}, 40)...) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: the same with DES", user: "des", change: func(m *manager) { m.text = append([]byte{0x30, 40}, bytes.Repeat([]byte{0x5a}, 40)...) }, want: decryptionErrors, report: wire.AuthNoPriv},
		{name: "8: padding to a block of AES", change: func(m *manager) { m.padding = func(n int) int { return -n & 15 } }},
		{name: "8: padding of a whole block of AES", change: func(m *manager) { m.padding = func(int) int { return 16 } }},
		{name: "8: padding of one octet", change: func(m *manager) { m.padding = func(int) int { return 1 } }},
		{name: "8: DES, padding of a whole block more", user: "des", change: func(m *manager) { m.padding = func(n int) int { return -n&7 + 8 } }},
		{name: "8: padding behind a wrong digest", change: func(m *manager) { m.auth = cut(12); m.padding = func(int) int { return 16 } }, want: wrongDigests},
		{name: "8: not encrypted at all", change: func(m *manager) { m.data = func([]byte) []byte { return bytes.Repeat([]byte{0x30}, 60) } }, want: decryptionErrors, report: wire.AuthNoPriv},
	}
}

var stepUsers = []usm.User{
	newUser("priv", usm.HMACSHA, usm.AES128),
	newUser("des", usm.HMACSHA, usm.DES),
	newUser("auth", usm.HMACSHA, usm.NoPriv),
	newUser("open", usm.NoAuth, usm.NoPriv),
}

// unknownKeys are users that the engine does not know.
var unknownKeys = []usm.User{
	newUser("nobody", usm.HMACSHA, usm.AES128),
	newUser("discovery", usm.NoAuth, usm.NoPriv),
}

func otherKeys(engineID []byte, password string) *usm.Keys {
	u := newUser("priv", usm.HMACSHA, usm.AES128)
	u.AuthSecret.Password = password
	k, err := u.Keys(engineID)
	if err != nil {
		panic(err)
	}
	return k
}

func otherPrivacy(p usm.PrivProtocol) *usm.Keys {
	u := newUser("priv", usm.HMACSHA, p)
	if p == usm.AES128 {
		u.PrivSecret.Password = "somethingelse"
	}
	k, err := u.Keys(testEngineID)
	if err != nil {
		panic(err)
	}
	return k
}

// message encodes the step's message.
func (s step) message(t *testing.T) []byte {
	t.Helper()
	name := s.user
	if name == "" {
		name = "priv"
	}
	known := append(slices.Clone(stepUsers), unknownKeys...)
	m := newManager(t, known[slices.IndexFunc(known, func(u usm.User) bool { return u.Name == name })])
	if s.change != nil {
		s.change(m)
	}
	b := m.request()
	if s.after != nil {
		s.after(b)
	}
	return b
}

func TestIncoming(t *testing.T) {
	users := newUsers(t, stepUsers...)
	for _, tt := range steps() {
		t.Run(tt.name, func(t *testing.T) {
			engine, c := newEngine(t, testBoots, testTime)
			c.advance(tt.move)
			model := usm.New(engine, users)
			var s usm.Session
			b := tt.message(t)
			original := slices.Clone(b)
			m, scoped, err := incoming(t, model, &s, b)
			checkStep(t, tt, model, &s, err)
			if err == nil {
				if pdu, err := pduOf(scoped, m.Flags&wire.FlagPriv != 0); err != nil || pdu.Type != wire.GetRequest || pdu.RequestID != requestID {
					t.Errorf("%+v, %v", pdu, err)
				}
				return
			}
			if scoped != nil {
				t.Errorf("refused, but there is %x", scoped)
			}
			// Only authentic messages are decrypted.
			if !strings.HasPrefix(tt.name, "8") && !bytes.Equal(b, original) {
				t.Errorf("the message was written to: %x, of %x", b, original)
			}
		})
	}
}

// checkStep compares the result of the model with the step's expectation.
func checkStep(t *testing.T, tt step, model *usm.USM, s *usm.Session, err error) {
	t.Helper()
	counts := map[string]uint64{}
	c := model.Counts()
	for oid, n := range map[string]uint64{
		unsupportedSecLevels: c.UnsupportedSecLevels, notInTimeWindows: c.NotInTimeWindows, unknownUserNames: c.UnknownUserNames,
		unknownEngineIDs: c.UnknownEngineIDs, wrongDigests: c.WrongDigests, decryptionErrors: c.DecryptionErrors,
	} {
		if n > 0 {
			counts[oid] = n
		}
	}
	want := map[string]uint64{}
	failure, failed := errors.AsType[*usm.Failure](err)
	switch tt.want {
	case "":
		if err != nil {
			t.Fatalf("%v", err)
		}
	case malformed:
		if !errors.Is(err, wire.ErrMalformed) || failed {
			t.Fatalf("%v", err)
		}
	default:
		want[tt.want] = 1
		level := max(tt.report, wire.NoAuthNoPriv)
		if !failed || failure.Counter.String() != tt.want || failure.Value != 1 || failure.ReportLevel != level {
			t.Fatalf("%v: %+v, want %s at %s", err, failure, tt.want, level)
		}
		if failure.IsWrongDigest() != (tt.want == wrongDigests) || !strings.HasPrefix(failure.Error(), "usm: ") {
			t.Errorf("%v", failure)
		}
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
}

// TestReports: each failure has a report, which is authenticated if and only if the sender has
// proved that it has the keys.
func TestReports(t *testing.T) {
	users := newUsers(t, stepUsers...)
	for _, tt := range steps() {
		if tt.want == "" || tt.want == malformed {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			engine, c := newEngine(t, testBoots, testTime)
			c.advance(tt.move)
			model := usm.New(engine, users)
			var s usm.Session
			answer, err := respond(model, &s, tt.message(t))
			if _, ok := errors.AsType[*usm.Failure](err); !ok {
				t.Fatal(err)
			}
			var m wire.Message
			var p wire.SecurityParameters
			if err := errors.Join(m.Parse(answer), p.Parse(m.SecurityParameters)); err != nil {
				t.Fatal(err)
			}
			boots, seconds := engine.BootsTime()
			if !bytes.Equal(p.EngineID, testEngineID) || p.Boots != boots || p.Time != seconds || len(p.PrivacyParameters) != 0 {
				t.Errorf("parameters %+v", p)
			}
			signed := m.Flags == wire.FlagAuth
			if m.Flags&^wire.FlagAuth != 0 || signed != (tt.report == wire.AuthNoPriv) || signed == (len(p.AuthenticationParameters) == 0) {
				t.Errorf("flags %d, digest %x", m.Flags, p.AuthenticationParameters)
			}
			if keys := usm.KeysOf(users, string(p.UserName)); signed && !keys.Verify(answer, p.AuthenticationParameters) {
				t.Error("wrong digest")
			}
			pdu, err := pduOf(m.Data, false)
			if err != nil || pdu.Type != wire.Report || len(pdu.Varbinds) != 1 || pdu.Varbinds[0].Name.String() != tt.want || pdu.Varbinds[0].Value.Num != 1 {
				t.Errorf("%+v, %v", pdu, err)
			}
			// An unauthenticated sender gets no other answer.
			for level := s.Level; tt.report == 0 && level > wire.NoAuthNoPriv; level-- {
				var f wire.Frame
				f.Reset()
				if err := model.Outgoing(&f, &s, level, &wire.HeaderV3{}); err == nil {
					t.Errorf("an answer at %s", level)
				}
			}
		})
	}
}

// TestBootsLatched: an engine whose boots have reached the maximum accepts no authentic message.
func TestBootsLatched(t *testing.T) {
	engine, _ := newEngine(t, usm.MaxBoots, 0)
	model := usm.New(engine, newUsers(t, stepUsers...))
	m := newManager(t, stepUsers[0])
	m.boots, m.time = usm.MaxBoots, 0
	var s usm.Session
	if _, _, err := incoming(t, model, &s, m.request()); !errors.Is(err, usm.ErrNotInTimeWindow) {
		t.Error(err)
	}
}

// TestCountersGrow: the report has the counter's value.
func TestCountersGrow(t *testing.T) {
	model, _ := newUSM(t, stepUsers...)
	m := newManager(t, unknownKeys[0])
	var s usm.Session
	for n := range uint32(5) {
		_, _, err := incoming(t, model, &s, m.request())
		if f, ok := errors.AsType[*usm.Failure](err); !ok || f.Value != n+1 || f.Error() != fmt.Sprintf("usm: unknown user name (%d times)", n+1) {
			t.Fatalf("%v", err)
		}
	}
	if got := model.Counts(); got != (usm.Counts{UnknownUserNames: 5}) {
		t.Errorf("%+v", got)
	}
}

// TestSetUsers: after SetUsers only the new users are known. A pending answer is authenticated with
// the keys of its request.
func TestSetUsers(t *testing.T) {
	old, changed := newUser("wes", usm.HMACSHA, usm.AES128), newUser("wes", usm.HMACSHA, usm.AES128)
	changed.AuthSecret.Password = "another password"
	model, _ := newUSM(t, old)
	before, after := newManager(t, old), newManager(t, changed)
	var s usm.Session
	_, scoped, err := incoming(t, model, &s, before.request())
	if err != nil {
		t.Fatal(err)
	}
	users := newUsers(t, changed)
	model.SetUsers(users)
	if model.Users() != users {
		t.Error("other users than set")
	}
	var f wire.Frame
	f.Reset()
	f.AppendRaw(scoped)
	if err := model.Outgoing(&f, &s, s.Level, &wire.HeaderV3{MaxSize: 65507}); err != nil {
		t.Fatal(err)
	}
	var m wire.Message
	var p wire.SecurityParameters
	if err := errors.Join(m.Parse(f.Bytes()), p.Parse(m.SecurityParameters)); err != nil || !before.keys.Verify(f.Bytes(), p.AuthenticationParameters) {
		t.Errorf("%v, signed with other keys", err)
	}
	if _, _, err := incoming(t, model, &s, before.request()); !errors.Is(err, usm.ErrWrongDigest) {
		t.Errorf("the old password: %v", err)
	}
	if _, _, err := incoming(t, model, &s, after.request()); err != nil {
		t.Errorf("the new password: %v", err)
	}
}
