package usm_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"aaasess/agent/snmp/usm"
)

func privKeys(t testing.TB, a usm.AuthProtocol, p usm.PrivProtocol, key []byte) *usm.Keys {
	t.Helper()
	k, err := usm.NewKeys(a, make([]byte, a.KeyLen()), p, key, testEngineID)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestCFB has the examples of NIST SP 800-38A sections F.3.13 to F.3.18, whose IV is boots, time
// and salt.
func TestCFB(t *testing.T) {
	const (
		boots, time = 0x00010203, 0x04050607
		plain       = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
			"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
	)
	tests := []struct {
		name, key, sealed string
		priv              usm.PrivProtocol
	}{
		{
			"AES-128", "2b7e151628aed2a6abf7158809cf4f3c",
			"3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b" +
				"26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6", usm.AES128,
		},
		{
			"AES-192", "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
			"cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a" +
				"2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff", usm.AES192,
		},
		{
			"AES-256", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
			"dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b" +
				"df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471", usm.AES256,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := privKeys(t, usm.HMACSHA512, tt.priv, unhex(tt.key))
			for n := range 65 {
				b := unhex(tt.sealed)[:n]
				if err := k.Decrypt(b, boots, time, unhex("08090a0b0c0d0e0f")); err != nil {
					t.Fatal(err)
				}
				if want := unhex(plain)[:n]; !bytes.Equal(b, want) {
					t.Errorf("%d octets: %x, want %x", n, b, want)
				}
			}
		})
	}
}

// TestEncryptPlainly compares with textbook CFB and CBC, and decrypts again.
func TestEncryptPlainly(t *testing.T) {
	for p := usm.DES; p <= usm.AES256C; p++ {
		key := bytes.Repeat([]byte{0x11, byte(p), 0x77, 0xfe}, 8)[:p.KeyLen()]
		k := privKeys(t, usm.HMACSHA512, p, key)
		rapid.Check(t, func(t *rapid.T) {
			plain := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "plain")
			if p == usm.DES {
				plain = plain[:len(plain)&^7]
			}
			boots, time := rapid.Int32Min(0).Draw(t, "boots"), rapid.Int32Min(0).Draw(t, "time")
			got := slices.Clone(plain)
			var salt [8]byte
			k.Encrypt(got, boots, time, &salt)
			if want := sealPlainly(p, key, plain, boots, time, salt); !bytes.Equal(got, want) {
				t.Fatalf("%s: %x, want %x", p, got, want)
			}
			if err := k.Decrypt(got, boots, time, salt[:]); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%s: %v, back to %x, want %x", p, err, got, plain)
			}
		})
	}
}

// sealPlainly implements RFC 3826 section 3.1.3 and RFC 3414 section 8.1.1 one octet at a time.
func sealPlainly(p usm.PrivProtocol, key, plain []byte, boots, time int32, salt [8]byte) []byte {
	out := slices.Clone(plain)
	if p == usm.DES {
		block, err := des.NewCipher(key[:8])
		if err != nil {
			panic(err)
		}
		iv := make([]byte, 8)
		for i := range iv {
			iv[i] = key[8+i] ^ salt[i]
		}
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
		return out
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	register := binary.BigEndian.AppendUint32(nil, uint32(boots))
	register = binary.BigEndian.AppendUint32(register, uint32(time))
	register = append(register, salt[:]...)
	stream := make([]byte, 16)
	for i := range out {
		if i%16 == 0 {
			if i > 0 {
				copy(register, out[i-16:i])
			}
			block.Encrypt(stream, register)
		}
		out[i] ^= stream[i%16]
	}
	return out
}

func TestDecryptErrors(t *testing.T) {
	tests := []struct {
		name string
		priv usm.PrivProtocol
		data int
		salt int
		ok   bool
	}{
		{"AES", usm.AES128, 33, 8, true},
		{"AES of nothing", usm.AES128, 0, 8, true},
		{"AES without salt", usm.AES128, 32, 0, false},
		{"AES with a short salt", usm.AES128, 32, 7, false},
		{"AES with a long salt", usm.AES256, 32, 9, false},
		{"AES with a whole IV", usm.AES256, 32, 16, false},
		{"DES", usm.DES, 32, 8, true},
		{"DES of nothing", usm.DES, 0, 8, true},
		{"DES without salt", usm.DES, 32, 0, false},
		{"DES with a short salt", usm.DES, 32, 7, false},
		{"DES, part of a block", usm.DES, 33, 8, false},
		{"no privacy", usm.NoPriv, 32, 8, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := mustKeys(t, newUser("wes", usm.HMACSHA, tt.priv), testEngineID)
			b := make([]byte, tt.data)
			err := k.Decrypt(b, 1, 1, make([]byte, tt.salt))
			if tt.ok != (err == nil) || !tt.ok && !errors.Is(err, usm.ErrDecryption) {
				t.Errorf("%v", err)
			}
			if !tt.ok && !bytes.Equal(b, make([]byte, tt.data)) {
				t.Error("it was decrypted nevertheless")
			}
		})
	}
}

// TestSalt: no salt repeats, whichever goroutine encrypts (RFC 3826 section 3.1.4.1), and two
// instances of the same keys start with different salts.
func TestSalt(t *testing.T) {
	for _, p := range []usm.PrivProtocol{usm.DES, usm.AES128} {
		k := mustKeys(t, newUser("wes", usm.HMACSHA, p), testEngineID)
		const goroutines, each = 4, 500
		salts := make([][8]byte, goroutines*each)
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				for i := range each {
					k.Encrypt(make([]byte, 8), 3, 4, &salts[g*each+i])
				}
			})
		}
		wg.Wait()
		seen := map[[8]byte]bool{}
		for _, salt := range salts {
			if seen[salt] {
				t.Fatalf("%s: salt %x twice", p, salt)
			}
			seen[salt] = true
			if boots := binary.BigEndian.Uint32(salt[:]); p == usm.DES && boots != 3 {
				t.Fatalf("salt %x does not begin with boots (RFC 3414 section 8.1.1.1)", salt)
			}
		}
		var other [8]byte
		mustKeys(t, newUser("wes", usm.HMACSHA, p), testEngineID).Encrypt(make([]byte, 8), 3, 4, &other)
		if p == usm.AES128 && seen[other] {
			t.Errorf("the same keys, made anew, began with the same salt")
		}
	}
}
