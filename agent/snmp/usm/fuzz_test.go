package usm_test

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"slices"
	"testing"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// FuzzIncoming: no message causes a panic. An accepted authentic message has the right HMAC and
// time; a rejected one is not modified; and every one can be answered.
func FuzzIncoming(f *testing.F) {
	users := []usm.User{
		newUser("SHA-AES-128", usm.HMACSHA, usm.AES128),
		newUser("SHA-256-AES-256", usm.HMACSHA256, usm.AES256),
		newUser("SHA-512-none", usm.HMACSHA512, usm.NoPriv),
		newUser("MD5-DES", usm.HMACMD5, usm.DES),
		newUser("none-none", usm.NoAuth, usm.NoPriv),
	}
	model, _ := newUSM(f, users...)
	kuls := map[string][]byte{}
	auths := map[string]usm.AuthProtocol{}
	for _, u := range users {
		if auths[u.Name] = u.Auth; u.Auth != usm.NoAuth {
			ku, err := usm.PasswordToKey(u.Auth, []byte(authPassword))
			if err != nil {
				f.Fatal(err)
			}
			kuls[u.Name] = usm.Localize(u.Auth, ku, testEngineID)
		}
	}
	recorded := golden(f)
	for _, u := range users {
		b := recorded[u.Name]
		f.Add(b)
		f.Add(b[:len(b)-1])
		changed := slices.Clone(b)
		changed[len(b)-1] ^= 1
		f.Add(changed)
		m := newManager(f, u)
		m.boots, m.time = 0, 0
		f.Add(m.request())
		m.engineID = nil
		f.Add(m.request())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m wire.Message
		if m.Parse(b) != nil || m.Version != wire.Version3 {
			return
		}
		var s usm.Session
		whole := slices.Clone(b)
		if err := m.Parse(whole); err != nil {
			t.Fatal(err)
		}
		scoped, err := model.Incoming(whole, &m, &s)
		if err != nil && !errors.Is(err, usm.ErrDecryption) && !bytes.Equal(whole, b) {
			t.Fatalf("refused (%v), but written to", err)
		}
		if _, err := respond(model, &usm.Session{}, slices.Clone(b)); err != nil {
			if _, ok := errors.AsType[*usm.Failure](err); !ok && !errors.Is(err, wire.ErrMalformed) {
				t.Fatalf("no answer: %v", err)
			}
		}
		if err != nil {
			return
		}
		if s.Level == wire.NoAuthNoPriv {
			if m.Flags&(wire.FlagAuth|wire.FlagPriv) != 0 || auths[string(s.UserName)] == usm.NoAuth && string(s.UserName) != "none-none" {
				t.Fatalf("accepted at %s with flags %d of %q", s.Level, m.Flags, s.UserName)
			}
			return
		}
		checkAuthentic(t, b, kuls[string(s.UserName)], auths[string(s.UserName)])
		if len(scoped) == 0 && m.Flags&wire.FlagPriv != 0 {
			t.Fatal("accepted, but nothing was in it")
		}
	})
}

// checkAuthentic is an independent implementation of RFC 3414 section 6.3.2.
func checkAuthentic(t *testing.T, b, kul []byte, a usm.AuthProtocol) {
	t.Helper()
	var m wire.Message
	var p wire.SecurityParameters
	whole := slices.Clone(b)
	if err := errors.Join(m.Parse(whole), p.Parse(m.SecurityParameters)); err != nil {
		t.Fatal(err)
	}
	digest := slices.Clone(p.AuthenticationParameters)
	clear(p.AuthenticationParameters)
	h := hmac.New(usm.NewHash(a), kul)
	h.Write(whole)
	if len(kul) == 0 || !bytes.Equal(h.Sum(nil)[:a.TruncatedLen()], digest) {
		t.Fatalf("accepted with digest %x", digest)
	}
	if !bytes.Equal(p.EngineID, testEngineID) || p.Boots != testBoots || p.Time < testTime-150 || p.Time > testTime+150 {
		t.Fatalf("accepted for engine %x, boots %d, time %d", p.EngineID, p.Boots, p.Time)
	}
}

// FuzzEngineFile: a parsed file can be written, and parses to the same state again.
func FuzzEngineFile(f *testing.F) {
	f.Add("engineID 80007ed90501020304050607\nboots 3\n")
	f.Add("# comment\nboots 2147483647\nengineID 8000000001\n")
	f.Add("boots 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		id, boots, err := usm.ParseEngineFile(text)
		if err != nil {
			return
		}
		if len(id) < 5 || len(id) > 32 || boots < 1 {
			t.Fatalf("id %x, boots %d", id, boots)
		}
		id2, boots2, err := usm.ParseEngineFile(usm.EngineFile(id, boots))
		if err != nil || !bytes.Equal(id, id2) || boots != boots2 {
			t.Fatalf("%v: id %x, boots %d, after id %x, boots %d", err, id2, boots2, id, boots)
		}
	})
}
