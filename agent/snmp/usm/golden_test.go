package usm_test

import (
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// goldenFile has a request of net-snmp's snmpget for each of combinations. TestRecord records it
// again:
//
//	go test -tags partners -run TestRecord -update
const goldenFile = "testdata/netsnmp.txt"

// pysnmpFile has a request of pysnmp 4 for each of pysnmpUsers. TestRecordPysnmp records it again.
// Those with AES have padding behind the scopedPDU.
const pysnmpFile = "testdata/pysnmp4.txt"

// pysnmpUsers returns a user for each pair of protocols that pysnmp 4 supports, with the names that
// ../testdata/pysnmp4.py has.
func pysnmpUsers() (users []usm.User) {
	for a := usm.HMACMD5; a <= usm.HMACSHA512; a++ {
		for p := usm.DES; p <= usm.AES256C; p++ {
			users = append(users, newUser(a.String()+"."+strings.Replace(p.String(), "AES-128", "AES", 1), a, p))
		}
	}
	return users
}

// golden returns the recorded messages of net-snmp by user name.
func golden(t testing.TB) map[string][]byte {
	t.Helper()
	return recorded(t, goldenFile)
}

// recorded returns the messages of a file by user name.
func recorded(t testing.TB, file string) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	messages := map[string][]byte{}
	for line := range strings.Lines(string(text)) {
		if name, octets, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			b, err := hex.DecodeString(octets)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			messages[name] = b
		}
	}
	return messages
}

// checkRequest passes a message to the model and checks that it is the user's request for
// sysUpTime.0.
func checkRequest(t *testing.T, model *usm.USM, u usm.User, b []byte) {
	t.Helper()
	var s usm.Session
	_, scoped, err := incoming(t, model, &s, slices.Clone(b))
	if err != nil {
		t.Errorf("%s: %v", u.Name, err)
		return
	}
	pdu, err := pduOf(scoped, u.Priv != usm.NoPriv)
	if err != nil {
		t.Errorf("%s: %v: %x", u.Name, err, scoped)
		return
	}
	if pdu.Type != wire.GetRequest || len(pdu.Varbinds) != 1 || pdu.Varbinds[0].Name.Compare(sysUpTime) != 0 {
		t.Errorf("%s: %+v", u.Name, pdu)
	}
	if s.Level != u.Level() || string(s.UserName) != u.Name {
		t.Errorf("%s: %s of %q", u.Name, s.Level, s.UserName)
	}
}

func TestNetSNMPRequests(t *testing.T) {
	users := combinations()
	model, _ := newUSM(t, users...)
	messages := golden(t)
	if len(messages) != len(users) {
		t.Errorf("%d messages, want %d", len(messages), len(users))
	}
	for _, u := range users {
		checkRequest(t, model, u, messages[u.Name])
	}
	if got, want := model.Counts(), (usm.Counts{}); got != want {
		t.Errorf("counts %+v, want none", got)
	}
}

// TestPysnmpRequests: the padding that pysnmp 4 puts behind a scopedPDU is ignored with each cipher.
func TestPysnmpRequests(t *testing.T) {
	users := pysnmpUsers()
	model, _ := newUSM(t, users...)
	messages := recorded(t, pysnmpFile)
	if len(messages) != len(users) {
		t.Errorf("%d messages, want %d", len(messages), len(users))
	}
	for _, u := range users {
		b := messages[u.Name]
		checkRequest(t, model, u, b)
		var m wire.Message
		if err := m.Parse(b); err != nil {
			t.Fatal(err)
		}
		if u.Priv != usm.DES && len(m.Data)%16 != 0 {
			t.Errorf("%s: %d octets are not padded", u.Name, len(m.Data))
		}
	}
	if got, want := model.Counts(), (usm.Counts{}); got != want {
		t.Errorf("counts %+v, want none", got)
	}
}

// TestChangedOctet: an authenticated message with any octet changed is rejected.
func TestChangedOctet(t *testing.T) {
	users := combinations()
	model, _ := newUSM(t, users...)
	for name, message := range golden(t) {
		if name == "none-none" {
			continue
		}
		for i := range message {
			b := slices.Clone(message)
			b[i] ^= 1 << (i % 8)
			var m wire.Message
			if m.Parse(b) != nil || m.Version != wire.Version3 {
				continue
			}
			if m.Flags&wire.FlagAuth == 0 {
				continue // this message no longer claims to be authentic
			}
			var s usm.Session
			if scoped, err := model.Incoming(b, &m, &s); err == nil {
				t.Fatalf("%s: octet %d changed, and accepted: %x", name, i, scoped)
			} else if f, ok := errors.AsType[*usm.Failure](err); !ok && !errors.Is(err, wire.ErrMalformed) {
				t.Fatalf("%s: octet %d: %v", name, i, err)
			} else if ok && errors.Is(f, usm.ErrDecryption) {
				t.Fatalf("%s: octet %d: decrypted", name, i)
			}
		}
	}
}
