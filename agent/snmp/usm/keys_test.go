package usm_test

import (
	"bytes"
	"crypto/hmac"
	"hash"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"aaasess/agent/snmp/usm"
)

// reference returns the HMAC of crypto/hmac for a message, truncated to n octets.
func reference(newHash func() hash.Hash, key, message []byte, n int) []byte {
	h := hmac.New(newHash, key)
	h.Write(message)
	return h.Sum(nil)[:n]
}

func authKeys(t testing.TB, a usm.AuthProtocol) (k *usm.Keys, kul []byte) {
	t.Helper()
	kul = bytes.Repeat([]byte{byte(a), 0xa5}, a.KeyLen()/2)
	k, err := usm.NewKeys(a, kul, usm.NoPriv, nil, testEngineID)
	if err != nil {
		t.Fatal(err)
	}
	return k, kul
}

// TestDigest covers RFC 3414 section 6.3.1 and RFC 7860 section 4.2.
func TestDigest(t *testing.T) {
	for a := usm.HMACMD5; a <= usm.HMACSHA512; a++ {
		k, kul := authKeys(t, a)
		rapid.Check(t, func(t *rapid.T) {
			message := rapid.SliceOfN(rapid.Byte(), 64, 300).Draw(t, "message")
			at := rapid.IntRange(0, len(message)-a.TruncatedLen()).Draw(t, "at")
			field := message[at : at+a.TruncatedLen()]
			clear(field)
			want := reference(usm.NewHash(a), kul, message, a.TruncatedLen())
			k.Digest(field, message)
			if !bytes.Equal(field, want) {
				t.Fatalf("%s: %x, want %x", a, field, want)
			}
			signed := slices.Clone(message)
			if !k.Verify(message, field) {
				t.Fatalf("%s: its own digest is wrong", a)
			}
			if !bytes.Equal(message, signed) {
				t.Fatalf("%s: Verify left %x, not %x", a, message, signed)
			}
			bit := rapid.IntRange(0, 8*len(message)-1).Draw(t, "bit")
			message[bit/8] ^= 1 << (bit % 8)
			changed := slices.Clone(message)
			if k.Verify(message, field) {
				t.Fatalf("%s: right with bit %d changed", a, bit)
			}
			if !bytes.Equal(message, changed) {
				t.Fatalf("%s: Verify left %x, not %x", a, message, changed)
			}
		})
	}
}

// TestCVE20080960: net-snmp compared only as many octets of a digest as the message had. So a
// digest of one octet was right in one of 256 tries, and an empty one always. Only the whole digest
// is right.
func TestCVE20080960(t *testing.T) {
	for a := usm.HMACMD5; a <= usm.HMACSHA512; a++ {
		k, kul := authKeys(t, a)
		whole := a.TruncatedLen()
		for n := range 65 {
			message := make([]byte, 200)
			// The right digest for a message whose field has n zero octets.
			field := message[50 : 50+n]
			sum := reference(usm.NewHash(a), kul, message, a.KeyLen())
			copy(field, sum)
			if got := k.Verify(message, field); got != (n == whole) {
				t.Errorf("%s: a digest of %d octets, of %d: %v", a, n, whole, got)
			}
		}
	}
}

func TestNoAuthKeys(t *testing.T) {
	k, err := usm.NewKeys(usm.NoAuth, nil, usm.NoPriv, nil, testEngineID)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("message")
	k.Digest(message[:0], message)
	if k.Verify(message, nil) || k.Verify(message, message[:2]) {
		t.Error("without a key something is authentic")
	}
	if k.Auth() != usm.NoAuth || k.Priv() != usm.NoPriv {
		t.Error(k.Auth(), k.Priv())
	}
}

func TestNewKeysErrors(t *testing.T) {
	key := func(n int) []byte { return make([]byte, n) }
	tests := []struct {
		name string
		a    usm.AuthProtocol
		auth []byte
		p    usm.PrivProtocol
		priv []byte
		want string // "" means no error
	}{
		{"right", usm.HMACSHA, key(20), usm.AES256, key(20), ""},
		{"right, extended before", usm.HMACSHA, key(20), usm.AES256, key(32), ""},
		{"right, cut before", usm.HMACSHA, key(20), usm.AES128, key(16), ""},
		{"no authentication key", usm.HMACSHA, nil, usm.NoPriv, nil, "key has 0 octets, SHA needs 20"},
		{"short authentication key", usm.HMACSHA, key(16), usm.NoPriv, nil, "key has 16 octets"},
		{"long authentication key", usm.HMACMD5, key(20), usm.NoPriv, nil, "MD5 needs 16"},
		{"authentication key without protocol", usm.NoAuth, key(20), usm.NoPriv, nil, "none needs 0"},
		{"privacy without authentication", usm.NoAuth, nil, usm.AES128, key(16), "without authentication"},
		{"no privacy key", usm.HMACSHA, key(20), usm.AES128, nil, "privacy key has 0 octets"},
		{"privacy key of another length", usm.HMACSHA, key(20), usm.AES256, key(24), "SHA has 20 and AES-256 has 32"},
		{"privacy key without protocol", usm.HMACSHA, key(20), usm.NoPriv, key(20), "no privacy protocol"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, err := usm.NewKeys(tt.a, tt.auth, tt.p, tt.priv, testEngineID)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want == "" && (k.Auth() != tt.a || k.Priv() != tt.p):
				t.Error(k.Auth(), k.Priv())
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestKeysCopied: the caller may overwrite the slices that the keys were made from.
func TestKeysCopied(t *testing.T) {
	kul, priv := bytes.Repeat([]byte{1}, 20), bytes.Repeat([]byte{2}, 20)
	k, err := usm.NewKeys(usm.HMACSHA, kul, usm.AES128, priv, testEngineID)
	if err != nil {
		t.Fatal(err)
	}
	want := reference(usm.NewHash(usm.HMACSHA), kul, []byte("message"), 12)
	clear(kul)
	clear(priv)
	got := make([]byte, 12)
	k.Digest(got, []byte("message"))
	if !bytes.Equal(got, want) {
		t.Error("the digest changed with the key that was passed")
	}
}

// TestKeysShared: many goroutines use the same keys concurrently.
func TestKeysShared(t *testing.T) {
	k := mustKeys(t, newUser("wes", usm.HMACSHA256, usm.AES256), testEngineID)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			plain := bytes.Repeat([]byte{byte(g)}, 333)
			for range 200 {
				b := slices.Clone(plain)
				var salt [8]byte
				k.Encrypt(b, 1, 2, &salt)
				message := append(make([]byte, 24), b...)
				k.Digest(message[:24], message)
				if !k.Verify(message, message[:24]) {
					t.Error("a wrong digest")
				}
				if err := k.Decrypt(b, 1, 2, salt[:]); err != nil || !bytes.Equal(b, plain) {
					t.Errorf("%v: %x", err, b)
				}
			}
		})
	}
	wg.Wait()
}
