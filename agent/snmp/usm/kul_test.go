package usm_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aaasess/agent/snmp/usm"
)

// rfcEngineID is the engine of the examples in RFC 3414 appendix A.
var rfcEngineID = unhex("000000000000000000000002")

// TestPasswordToKey has the examples of RFC 3414 sections A.3.1, A.3.2, A.5.1 and A.5.2.
func TestPasswordToKey(t *testing.T) {
	tests := []struct {
		name     string
		auth     usm.AuthProtocol
		password string
		ku, kul  string
	}{
		{"A.3.1 MD5", usm.HMACMD5, "maplesyrup", "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"},
		{"A.3.2 SHA", usm.HMACSHA, "maplesyrup", "9fb5cc0381497b3793528939ff788d5d79145211", "6695febc9288e36282235fc7151f128497b38f3f"},
		{"A.5.1 MD5, new key", usm.HMACMD5, "newsyrup", "01add273107c4e596b4b00f82b1d42a7", "87021d7bd9d101ba05ea6e3bf9d9bd4a"},
		{"A.5.2 SHA, new key", usm.HMACSHA, "newsyrup", "3a51a6d736aa347b83dc4a87e3e55ee4d698ac71", "78e2dcce79d59403b58c1bbaa5bff46391f1cd25"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ku, err := usm.PasswordToKey(tt.auth, []byte(tt.password))
			if err != nil || !bytes.Equal(ku, unhex(tt.ku)) {
				t.Errorf("Ku %x, %v, want %s", ku, err, tt.ku)
			}
			if kul := usm.Localize(tt.auth, ku, rfcEngineID); !bytes.Equal(kul, unhex(tt.kul)) {
				t.Errorf("Kul %x, want %s", kul, tt.kul)
			}
		})
	}
}

func TestPasswordLengths(t *testing.T) {
	for _, n := range []int{0, 1, 7} {
		if _, err := usm.PasswordToKey(usm.HMACSHA, bytes.Repeat([]byte("x"), n)); err == nil {
			t.Errorf("a password of %d octets is taken", n)
		}
	}
	if ku, err := usm.PasswordToKey(usm.NoAuth, []byte("maplesyrup")); ku != nil || err != nil {
		t.Errorf("NoAuth: %x, %v", ku, err)
	}
	if kul := usm.Localize(usm.NoAuth, nil, rfcEngineID); kul != nil {
		t.Errorf("NoAuth: %x", kul)
	}
}

// TestPasswordToKeyPlainly compares with the definition: 2^20 octets of the repeated password.
func TestPasswordToKeyPlainly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.SliceOfN(rapid.Byte(), 8, 300).Draw(t, "password")
		got, err := usm.PasswordToKey(usm.HMACSHA256, password)
		if err != nil {
			t.Fatal(err)
		}
		repeated := bytes.Repeat(password, 1<<20/len(password)+1)[:1<<20]
		if want := usm.HashOf(usm.HMACSHA256, repeated); !bytes.Equal(got, want) {
			t.Fatalf("password %x: %x, want %x", password, got, want)
		}
	})
}

// TestExtend has the examples of draft-reeder-snmpv3-usm-3desede-00 sections B.1 and B.2, whose
// keys of 32 octets are those of AES-256-C, and results of other implementations of
// draft-blumenthal-aes-usm-04.
func TestExtend(t *testing.T) {
	const (
		md5 = "526f5eed9fcce26f8964c2930787d82b"
		sha = "6695febc9288e36282235fc7151f128497b38f3f"
	)
	tests := []struct {
		name string
		auth usm.AuthProtocol
		kul  string
		priv usm.PrivProtocol
		want string
	}{
		{"nothing to do", usm.HMACMD5, md5, usm.AES128, md5},
		{"cut", usm.HMACSHA, sha, usm.AES128, sha[:32]},
		{"cut for DES", usm.HMACSHA, sha, usm.DES, sha[:32]},
		{"Reeder MD5", usm.HMACMD5, md5, usm.AES256C, md5 + "79eff44a90650ee0a3a40abfac5acc12"},
		{"Reeder SHA", usm.HMACSHA, sha, usm.AES256C, sha + "9b8b6d78936ba6e7d19dfd9c"},
		{"Reeder SHA 192", usm.HMACSHA, sha, usm.AES192C, sha + "9b8b6d78"},
		{"Blumenthal SHA", usm.HMACSHA, sha, usm.AES256, sha + "505e07eb9af25568fa1f5dbe"},
		{"Blumenthal SHA 192", usm.HMACSHA, sha, usm.AES192, sha + "505e07eb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kul := unhex(tt.kul)
			got := usm.Extend(tt.auth, kul, tt.priv, rfcEngineID)
			if !bytes.Equal(got, unhex(tt.want)) {
				t.Errorf("%x, want %s", got, tt.want)
			}
			if !bytes.Equal(kul, unhex(tt.kul)) {
				t.Error("Kul was written to")
			}
		})
	}
}

// TestExtendLongHashes: with hashes of 32 octets and more both variants are equal.
func TestExtendLongHashes(t *testing.T) {
	for a := usm.HMACSHA256; a <= usm.HMACSHA512; a++ {
		kul := bytes.Repeat([]byte{7}, a.KeyLen())
		b, c := usm.Extend(a, kul, usm.AES256, rfcEngineID), usm.Extend(a, kul, usm.AES256C, rfcEngineID)
		if !bytes.Equal(b, c) || !bytes.Equal(b, kul[:32]) {
			t.Errorf("%s: %x and %x", a, b, c)
		}
	}
}

// TestProtocols has the values of RFC 3414, RFC 3826 and RFC 7860, and net-snmp's names.
func TestProtocols(t *testing.T) {
	auths := []struct {
		a                  usm.AuthProtocol
		name, oid          string
		key, truncated     int
		alternatives, none []string
	}{
		{a: usm.NoAuth, name: "none", oid: ".1.3.6.1.6.3.10.1.1.1", alternatives: []string{"NONE"}},
		{usm.HMACMD5, "MD5", ".1.3.6.1.6.3.10.1.1.2", 16, 12, []string{"md5"}, []string{"MD", "MD4"}},
		{usm.HMACSHA, "SHA", ".1.3.6.1.6.3.10.1.1.3", 20, 12, []string{"sha", "SHA1", "SHA-1"}, []string{"SHA-2"}},
		{usm.HMACSHA224, "SHA-224", ".1.3.6.1.6.3.10.1.1.4", 28, 16, []string{"SHA224"}, nil},
		{usm.HMACSHA256, "SHA-256", ".1.3.6.1.6.3.10.1.1.5", 32, 24, []string{"sha256"}, nil},
		{usm.HMACSHA384, "SHA-384", ".1.3.6.1.6.3.10.1.1.6", 48, 32, []string{"SHA384"}, nil},
		{usm.HMACSHA512, "SHA-512", ".1.3.6.1.6.3.10.1.1.7", 64, 48, []string{"SHA512"}, []string{"", "SHA-3"}},
	}
	for _, tt := range auths {
		if tt.a.String() != tt.name || tt.a.OID().String() != tt.oid || tt.a.KeyLen() != tt.key || tt.a.TruncatedLen() != tt.truncated {
			t.Errorf("%s: %s, %d, %d", tt.a, tt.a.OID(), tt.a.KeyLen(), tt.a.TruncatedLen())
		}
		for _, name := range append(tt.alternatives, tt.name) {
			if got, err := usm.ParseAuthProtocol(name); got != tt.a || err != nil {
				t.Errorf("%q: %s, %v", name, got, err)
			}
			var got usm.AuthProtocol
			if err := got.UnmarshalText([]byte(name)); got != tt.a || err != nil {
				t.Errorf("%q as text: %s, %v", name, got, err)
			}
		}
		for _, name := range tt.none {
			if got, err := usm.ParseAuthProtocol(name); err == nil {
				t.Errorf("%q: %s", name, got)
			}
		}
	}
	privs := []struct {
		p         usm.PrivProtocol
		name, oid string
		key       int
		other     string
	}{
		{usm.NoPriv, "none", ".1.3.6.1.6.3.10.1.2.1", 0, "None"},
		{usm.DES, "DES", ".1.3.6.1.6.3.10.1.2.2", 16, "des"},
		{usm.AES128, "AES-128", ".1.3.6.1.6.3.10.1.2.4", 16, "AES"},
		{usm.AES192, "AES-192", ".1.3.6.1.4.1.14832.1.3", 24, "AES192"},
		{usm.AES256, "AES-256", ".1.3.6.1.4.1.14832.1.4", 32, "aes256"},
		{usm.AES192C, "AES-192-C", ".1.3.6.1.4.1.9.12.6.1.1", 24, "AES192C"},
		{usm.AES256C, "AES-256-C", ".1.3.6.1.4.1.9.12.6.1.2", 32, "AES256C"},
	}
	for _, tt := range privs {
		if tt.p.String() != tt.name || tt.p.OID().String() != tt.oid || tt.p.KeyLen() != tt.key {
			t.Errorf("%s: %s, %d", tt.p, tt.p.OID(), tt.p.KeyLen())
		}
		for _, name := range []string{tt.name, tt.other} {
			if got, err := usm.ParsePrivProtocol(name); got != tt.p || err != nil {
				t.Errorf("%q: %s, %v", name, got, err)
			}
			var got usm.PrivProtocol
			if err := got.UnmarshalText([]byte(name)); got != tt.p || err != nil {
				t.Errorf("%q as text: %s, %v", name, got, err)
			}
		}
	}
	if got, err := usm.ParsePrivProtocol("3DES"); err == nil {
		t.Errorf("3DES: %s", got)
	}
}

// TestUnknownProtocols: an undefined protocol number causes no panic.
func TestUnknownProtocols(t *testing.T) {
	a, p := usm.HMACSHA512+1, usm.AES256C+1
	if got := a.String() + " " + p.String(); got != "AuthProtocol(7) PrivProtocol(7)" {
		t.Error(got)
	}
	if a.KeyLen() != 0 || p.KeyLen() != 0 || a.TruncatedLen() != 0 || !slices.Equal(a.OID(), usm.NoAuth.OID()) || !slices.Equal(p.OID(), usm.NoPriv.OID()) {
		t.Error("they have lengths")
	}
	if _, err := usm.NewKeys(a, nil, usm.NoPriv, nil, rfcEngineID); err == nil || !strings.Contains(err.Error(), "AuthProtocol(7)") {
		t.Error(err)
	}
	if _, err := usm.NewKeys(usm.HMACMD5, make([]byte, 16), p, make([]byte, 16), rfcEngineID); err == nil || !strings.Contains(err.Error(), "PrivProtocol(7)") {
		t.Error(err)
	}
}
