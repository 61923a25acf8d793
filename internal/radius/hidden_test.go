package radius

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	layeh "layeh.com/radius"
)

// The two exchanges between which values are moved in tests.
var (
	nasSide    = Protection{"xyzzy5461", Authenticator([]byte("0123456789abcdef"))}
	serverSide = Protection{"another secret, which is longer than a block", Authenticator([]byte("fedcba9876543210"))}
)

func attribute(t Type, value []byte) []byte { return AppendAttribute(nil, t, string(value)) }

// ofVendor returns a Vendor-Specific with attributes of a vendor.
func ofVendor(vendor uint32, attrs ...[]byte) []byte {
	return attribute(VendorSpecific, append(binary.BigEndian.AppendUint32(nil, vendor), bytes.Join(attrs, nil)...))
}

// recryptAll moves all encrypted values of a list of attributes, which it changes.
func recryptAll(attrs []byte, from, to Protection, salt uint16) error {
	var list []HiddenValue
	for at := 0; at < len(attrs); at += int(attrs[at+1]) {
		var err error
		if list, err = Standard().AppendHidden(list, attrs[at:at+int(attrs[at+1])], at); err != nil {
			return err
		}
	}
	r := Recrypter{From: from, To: to, Salt: salt}
	for _, v := range list {
		if err := r.Recrypt(attrs, v); err != nil {
			return err
		}
	}
	return nil
}

// TestRecryptUserPassword: layeh reads the password, whatever its length.
func TestRecryptUserPassword(t *testing.T) {
	for n := range 129 {
		password := []byte(strings.Repeat("p4ssw0rd", 16)[:n])
		b, err := layeh.NewUserPassword(password, []byte(nasSide.Secret), nasSide.Request[:])
		if err != nil {
			t.Fatal(err)
		}
		attr := attribute(UserPassword, b)
		if err := recryptAll(attr, nasSide, serverSide, 0); err != nil {
			t.Fatalf("%d octets: %v", n, err)
		}
		want, err := layeh.NewUserPassword(password, []byte(serverSide.Secret), serverSide.Request[:])
		if err != nil || !bytes.Equal(attr[2:], want) {
			t.Errorf("%d octets: %x, layeh makes %x, %v", n, attr[2:], want, err)
		}
	}
}

// TestRecryptExample is the example of RFC 2865 section 7.1.
func TestRecryptExample(t *testing.T) {
	authenticator, _ := hex.DecodeString("0f403f9473978057bd83d5cb98f4227a")
	from := Protection{"xyzzy5461", Authenticator(authenticator)}
	password, _ := hex.DecodeString("0dbe708d93d413ce3196e43f782a0aee")
	attr := attribute(UserPassword, password)
	if err := recryptAll(attr, from, serverSide, 0); err != nil {
		t.Fatal(err)
	}
	got, err := layeh.UserPassword(attr[2:], []byte(serverSide.Secret), serverSide.Request[:])
	if err != nil || string(got) != "arctangent" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestRecryptZeroOctets: a password with zero octets, or with more padding than it needs, stays
// whole. layeh would end it at the first one.
func TestRecryptZeroOctets(t *testing.T) {
	attr := attribute(UserPassword, []byte("a\x00b"+strings.Repeat("\x00", 29)))
	if err := recryptAll(attr, Protection{}, nasSide, 0); err != nil { // some value
		t.Fatal(err)
	}
	before := bytes.Clone(attr)
	if err := errors.Join(recryptAll(attr, nasSide, serverSide, 0), recryptAll(attr, serverSide, nasSide, 0)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(attr, before) {
		t.Errorf("%x is now %x", before, attr)
	}
}

// TestRecryptSalted: layeh reads keys and passwords of tunnels, and their salts are ours.
func TestRecryptSalted(t *testing.T) {
	for n := range 240 {
		plain := []byte(strings.Repeat("k", n))
		b, err := layeh.NewTunnelPassword(plain, []byte{0x80, 1}, []byte(serverSide.Secret), serverSide.Request[:])
		if err != nil {
			t.Fatal(err)
		}
		tagged := append([]byte{7}, b...)
		attrs := attribute(TunnelPassword, tagged)
		if len(b) > 240 {
			continue // no room in a Vendor-Specific
		}
		attrs = append(attrs, ofVendor(311, attribute(16, b))...)
		if err := recryptAll(attrs, serverSide, nasSide, 0x7fff); err != nil {
			t.Fatalf("%d octets: %v", n, err)
		}
		if attrs[2] != 7 {
			t.Errorf("%d octets: tag %d, want 7", n, attrs[2])
		}
		for i, got := range [][]byte{attrs[3 : 2+len(tagged)], attrs[2+len(tagged)+8:]} {
			decrypted, salt, err := layeh.TunnelPassword(got, []byte(nasSide.Secret), nasSide.Request[:])
			if err != nil || !bytes.Equal(decrypted, plain) {
				t.Errorf("%d octets: %q, %v", n, decrypted, err)
			}
			if want := [][]byte{{0xff, 0xff}, {0x80, 0x00}}[i]; !bytes.Equal(salt, want) {
				t.Errorf("%d octets: salt %x, want %x", n, salt, want)
			}
		}
	}
}

// TestRecryptWrongLength: such a value is an error, whatever is in it.
func TestRecryptWrongLength(t *testing.T) {
	salted := func(length byte) []byte { // one block whose plain text claims this length
		value := append([]byte{0x80, 0, length}, make([]byte, 15)...)
		pad := new(Recrypter).pad(serverSide.Secret, serverSide.Request, value[:2])
		subtle.XORBytes(value[2:], value[2:], pad[:])
		return value
	}
	for _, tt := range []struct {
		name string
		attr []byte
		want string
	}{
		{"an empty password", attribute(UserPassword, nil), "User-Password: the length of an encrypted value is wrong"},
		{"a password of 15 octets", attribute(UserPassword, make([]byte, 15)), "User-Password: the length of an encrypted value is wrong"},
		{"a password of 144 octets", attribute(UserPassword, make([]byte, 144)), "User-Password: the length of an encrypted value is wrong"},
		{"a tunnel password without tag", attribute(TunnelPassword, make([]byte, 18)), "Tunnel-Password: the length of an encrypted value is wrong"},
		{"a tunnel password without text", attribute(TunnelPassword, make([]byte, 3)), "Tunnel-Password: the length of an encrypted value is wrong"},
		{"a key with a tag", ofVendor(311, attribute(17, make([]byte, 19))), "Vendor-Specific: the length of an encrypted value is wrong"},
		{"the second attribute of a vendor", ofVendor(311, attribute(8, make([]byte, 4)), attribute(17, make([]byte, 17))), "Vendor-Specific: the length of an encrypted value is wrong"},
		{"a key of WiMAX in several attributes", ofVendor(wimax, attribute(5, append([]byte{wimaxContinues}, make([]byte, 18)...))), "Vendor-Specific: an encrypted value is in several attributes"},
		{"a key of WiMAX without third octet", ofVendor(wimax, attribute(5, nil)), "Vendor-Specific: the length of an encrypted value is wrong"},
		{"a key that fills its block", ofVendor(311, attribute(17, salted(15))), "<nil>"},
		{"a key that is longer than its block", ofVendor(311, attribute(17, salted(16))), "Vendor-Specific: cannot be decrypted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := recryptAll(bytes.Clone(tt.attr), serverSide, nasSide, 0); fmt.Sprint(err) != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// TestEncryptions: the dictionary knows the kinds.
func TestEncryptions(t *testing.T) {
	for _, tt := range []struct {
		name string
		attr []byte
		want Encryption
	}{
		{"User-Name", attribute(UserName, []byte("u")), Plain},
		{"User-Password", attribute(UserPassword, make([]byte, 16)), UserPasswordEncryption},
		{"Tunnel-Password", attribute(TunnelPassword, make([]byte, 19)), TaggedEncryption},
		{"MS-CHAP-MPPE-Keys", ofVendor(311, attribute(12, make([]byte, 32))), UserPasswordEncryption},
		{"MS-MPPE-Send-Key", ofVendor(311, attribute(16, make([]byte, 18))), SaltedEncryption},
		{"LCS-IKEv2-Local-Password", ofVendor(2356, attribute(19, make([]byte, 19))), TaggedEncryption},
		{"ERX-LI-Action", ofVendor(4874, attribute(58, make([]byte, 18))), SaltedEncryption},
		{"WiMAX-MSK", ofVendor(wimax, attribute(5, make([]byte, 1+18))), SaltedEncryption},
		{"an attribute of WiMAX in several", ofVendor(wimax, attribute(1, []byte{wimaxContinues, 1})), Plain},
		{"a type of a vendor that we do not know", ofVendor(99999, attribute(16, make([]byte, 18))), Plain},
		{"another format of a vendor that we know", attribute(VendorSpecific, []byte{0, 0, 1, 55, 16, 0}), Plain},
		{"no vendor", attribute(VendorSpecific, []byte{0, 0, 1}), Plain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := Standard().AppendHidden(nil, tt.attr, 100)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == Plain {
				if len(list) != 0 {
					t.Errorf("%v is encrypted", list)
				}
				return
			}
			if len(list) != 1 || list[0].Encryption != tt.want || list[0].End != 100+len(tt.attr) {
				t.Errorf("%v, want one of kind %d that ends at %d", list, tt.want, 100+len(tt.attr))
			}
		})
	}
}

// TestRecryptThereAndBack: whatever the plain text is, it comes back.
func TestRecryptThereAndBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 16))
	for range 1000 {
		size := 16 * (1 + rnd.IntN(8))
		value := make([]byte, size)
		for i := range value {
			value[i] = byte(rnd.Uint32())
		}
		attrs := append(attribute(UserPassword, value), ofVendor(311, attribute(12, value[:16]))...)
		before := bytes.Clone(attrs)
		if err := errors.Join(recryptAll(attrs, nasSide, serverSide, 0), recryptAll(attrs, serverSide, nasSide, 0)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(attrs, before) {
			t.Fatalf("%x is now %x", before, attrs)
		}
	}
}

// FuzzRecrypt: any attributes are moved there and back without a panic, and what is not encrypted
// stays.
func FuzzRecrypt(f *testing.F) {
	key, _ := layeh.NewTunnelPassword([]byte("key"), []byte{0x80, 1}, []byte(serverSide.Secret), serverSide.Request[:])
	f.Add(string(attribute(TunnelPassword, append([]byte{1}, key...))))
	f.Add(string(append(ofVendor(311, attribute(16, key), attribute(17, key)), attribute(UserName, []byte("u"))...)))
	f.Add(string(attribute(UserPassword, make([]byte, 128))))
	f.Add(string(ofVendor(wimax, attribute(5, append([]byte{0}, key...)))))
	f.Add(string(attribute(VendorSpecific, []byte{0, 0, 1, 55, 16})))
	f.Fuzz(func(t *testing.T, list string) {
		if !Attributes(list).Valid() {
			return
		}
		attrs := []byte(list)
		if recryptAll(attrs, serverSide, nasSide, 1) != nil {
			return
		}
		if len(attrs) != len(list) {
			t.Fatalf("%d octets, want %d", len(attrs), len(list))
		}
		if err := recryptAll(attrs, nasSide, serverSide, 1); err != nil {
			t.Fatalf("there, but not back: %v", err)
		}
		// Only salts may differ now.
		first := bytes.Clone(attrs)
		if err := errors.Join(recryptAll(attrs, serverSide, nasSide, 1), recryptAll(attrs, nasSide, serverSide, 1)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, attrs) {
			t.Errorf("%x is now %x", first, attrs)
		}
	})
}

func BenchmarkRecryptUserPassword(b *testing.B) {
	attr := attribute(UserPassword, make([]byte, 16))
	list, _ := Standard().AppendHidden(nil, attr, 0)
	r := Recrypter{From: nasSide, To: serverSide}
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Recrypt(attr, list[0])
	}
}

func BenchmarkRecryptUserPasswordLayeh(b *testing.B) {
	value := make([]byte, 16)
	b.ReportAllocs()
	for b.Loop() {
		plain, _ := layeh.UserPassword(value, []byte(nasSide.Secret), nasSide.Request[:])
		_, _ = layeh.NewUserPassword(plain, []byte(serverSide.Secret), serverSide.Request[:])
	}
}
