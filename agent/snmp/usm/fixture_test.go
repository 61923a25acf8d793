package usm_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// The engine of all recorded messages, and of most tests.
const (
	testBoots = 7
	testTime  = 1234
)

var (
	testEngineID = unhex("80007ed90501020304050607")
	sysUpTime    = mib.MustOID("1.3.6.1.2.1.1.3.0")
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// clock changes only by advance.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()) }

func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// newEngine returns an engine with testEngineID and the given boots and time.
func newEngine(t testing.TB, boots int32, seconds int64) (*usm.Engine, *clock) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "engine")
	if boots > 1 {
		text := fmt.Sprintf("engineID %x\nboots %d\n", testEngineID, boots-1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := &clock{}
	e, err := usm.OpenEngine(file, testEngineID, c.now)
	if err != nil {
		t.Fatal(err)
	}
	c.advance(time.Duration(seconds) * time.Second)
	return e, c
}

const (
	authPassword = "authpassword"
	privPassword = "privpassword"
)

// newUser returns a user with the passwords of the tests.
func newUser(name string, a usm.AuthProtocol, p usm.PrivProtocol) usm.User {
	u := usm.User{Name: name, Auth: a, Priv: p}
	if a != usm.NoAuth {
		u.AuthSecret.Password = authPassword
	}
	if p != usm.NoPriv {
		u.PrivSecret.Password = privPassword
	}
	return u
}

// combinations returns one user for each combination of protocols, in a fixed order.
func combinations() (users []usm.User) {
	users = append(users, newUser("none-none", usm.NoAuth, usm.NoPriv))
	for a := usm.HMACMD5; a <= usm.HMACSHA512; a++ {
		for p := usm.NoPriv; p <= usm.AES256C; p++ {
			users = append(users, newUser(a.String()+"-"+p.String(), a, p))
		}
	}
	return users
}

// newUSM returns the model of the test engine with users.
func newUSM(t testing.TB, users ...usm.User) (*usm.USM, *clock) {
	t.Helper()
	e, c := newEngine(t, testBoots, testTime)
	return usm.New(e, newUsers(t, users...)), c
}

func newUsers(t testing.TB, users ...usm.User) *usm.Users {
	t.Helper()
	set, err := usm.NewUsers(testEngineID, users, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func mustKeys(t testing.TB, u usm.User, engineID []byte) *usm.Keys {
	t.Helper()
	k, err := u.Keys(engineID)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// manager encodes requests, which are valid unless its fields are changed.
type manager struct {
	keys        *usm.Keys
	user        string
	engineID    []byte
	boots, time int32
	flags       uint8
	auth        func(auth []byte) []byte // replaces the digest; nil keeps it
	salt        func(salt []byte) []byte // replaces the salt
	data        func(data []byte) []byte // replaces the data
	text        []byte                   // replaces the scopedPDU; nil keeps it
	padding     func(size int) int       // octets behind a scopedPDU of that size; nil: as DES needs
	size        int                      // octets of filling in the varbinds
}

func newManager(t testing.TB, u usm.User) *manager {
	m := &manager{
		keys: mustKeys(t, u, testEngineID), user: u.Name, engineID: testEngineID,
		boots: testBoots, time: testTime, flags: wire.FlagReportable,
	}
	if u.Auth != usm.NoAuth {
		m.flags |= wire.FlagAuth
	}
	if u.Priv != usm.NoPriv {
		m.flags |= wire.FlagPriv
	}
	return m
}

const requestID = 4711

// request encodes a GetRequest for sysUpTime.0.
func (m *manager) request() []byte {
	var f wire.Frame
	f.Reset()
	f.AppendVarbind(&mib.Varbind{Name: sysUpTime, Value: mib.Value{Type: mib.Null}})
	for left := m.size; left > 0; left -= 100 {
		f.AppendVarbind(&mib.Varbind{Name: sysUpTime, Value: mib.Value{Type: mib.OctetString, Str: strings.Repeat("x", min(left, 100))}})
	}
	f.ClosePDU(wire.GetRequest, requestID, 0, 0)
	f.CloseScoped(m.engineID, nil)
	if m.text != nil {
		f.Reset()
		f.AppendRaw(m.text)
	}
	p := wire.SecurityParameters{EngineID: m.engineID, Boots: m.boots, Time: m.time, UserName: []byte(m.user)}
	if m.flags&wire.FlagPriv != 0 {
		switch {
		case m.padding != nil:
			f.Pad(m.padding(f.Len()))
		case m.keys.Priv() == usm.DES:
			f.Pad(-f.Len() & 7)
		}
		var salt [8]byte
		if m.keys.Priv() != usm.NoPriv {
			m.keys.Encrypt(f.Bytes(), m.boots, m.time, &salt)
		}
		p.PrivacyParameters = salt[:]
		if m.salt != nil {
			p.PrivacyParameters = m.salt(salt[:])
		}
		if m.data != nil {
			data := m.data(append([]byte(nil), f.Bytes()...))
			f.Reset()
			f.AppendRaw(data)
		}
		f.CloseOctets()
	}
	if m.flags&wire.FlagAuth != 0 {
		p.AuthenticationParameters = make([]byte, m.keys.Auth().TruncatedLen())
		if m.auth != nil {
			p.AuthenticationParameters = m.auth(p.AuthenticationParameters)
		}
	}
	auth := f.CloseV3(&wire.HeaderV3{ID: 99, MaxSize: 65507, Flags: m.flags, Model: wire.ModelUSM}, &p)
	if m.flags&wire.FlagAuth != 0 && m.auth == nil {
		m.keys.Digest(auth, f.Bytes())
	}
	return append([]byte(nil), f.Bytes()...)
}

// incoming passes a message to the model.
func incoming(t testing.TB, u *usm.USM, s *usm.Session, b []byte) (wire.Message, []byte, error) {
	t.Helper()
	var m wire.Message
	if err := m.Parse(b); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	scoped, err := u.Incoming(b, &m, s)
	return m, scoped, err
}

// pduOf parses a scopedPDU.
func pduOf(scoped []byte, padded bool) (pdu wire.PDU, err error) {
	var sp wire.ScopedPDU
	if err := sp.Parse(scoped, padded); err != nil {
		return pdu, err
	}
	return pdu, pdu.Parse(sp.PDU)
}
