package radius

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"pgregory.net/rapid"

	"aaasess/sessions"
)

// Packets made with another implementation of MD5 and HMAC, secret xyzzy5461: a start of session
// 0000000D, User-Name nemo, NAS-IP-Address 192.168.1.16, Acct-Delay-Time 7; a bare answer to it; one
// with Message-Authenticator and Proxy-State; one whose Message-Authenticator is zeros but whose
// authenticator is right.
const (
	goldenRequest   = "041c003690e50afadd896ee701f7cc58410063232806000000012c0a303030303030304401066e656d6f0406c0a80110290600000007"
	goldenResponse  = "051c001485f771bd7a71730934f25313166cd9ff"
	goldenSigned    = "051c0029e05ed910cb131f8a85d9b4c7a80db15550123ecd35ea70e8ff5e65a1339b978e1ff8210307"
	goldenForgedMAC = "051c00296061efe2097bb09d13c485b197a73c2c501200000000000000000000000000000000210307"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAppendRequestGolden(t *testing.T) {
	want := unhex(t, goldenRequest)
	attrs := sessions.Attributes(want[headerLen : len(want)-delayAttrLen])
	got, auth := appendRequest(nil, 0x1c, attrs, 7, testSecret)
	if diff := cmp.Diff(hex.EncodeToString(want), hex.EncodeToString(got)); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(auth[:], want[4:headerLen]) {
		t.Errorf("authenticator %x, the packet has %x", auth, want[4:headerLen])
	}
}

// The secret must not be left where the socket would send it, nor the buffer's old octets.
func TestAppendRequestReusesMemory(t *testing.T) {
	buf := bytes.Repeat([]byte{0xff}, maxPacket)
	attrs := sessions.Attributes(sessions.AppendAttribute(nil, sessions.UserName, "nemo"))
	got, _ := appendRequest(buf[:0], 1, attrs, 0, testSecret)
	fresh, _ := appendRequest(nil, 1, attrs, 0, testSecret)
	if !bytes.Equal(got, fresh) || len(got) != headerLen+len(attrs)+delayAttrLen {
		t.Errorf("got %x, in fresh memory %x", got, fresh)
	}
}

func TestAppendRequestIsAuthenticElsewhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var attrs []byte
		for range rapid.IntRange(0, 15).Draw(t, "attributes") {
			v := rapid.SliceOfN(rapid.Byte(), 0, 253).Draw(t, "value")
			attrs = sessions.AppendAttribute(attrs, sessions.AttributeType(rapid.Byte().Draw(t, "type")), string(v))
		}
		secret := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "secret")
		delay := rapid.Uint32().Draw(t, "delay")
		b, auth := appendRequest(nil, rapid.Byte().Draw(t, "id"), sessions.Attributes(attrs), delay, Secret(secret))
		if !layeh.IsAuthenticRequest(b, secret) {
			t.Fatalf("%x is not authentic", b)
		}
		p, err := parsePacket(b)
		if p.signedAt == 0 && err != nil { // a random Message-Authenticator may be wrong
			t.Logf("parse: %v", err)
		}
		req, err := layeh.Parse(b, secret)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := req.Response(layeh.CodeAccountingResponse).Encode()
		if err != nil {
			t.Fatal(err)
		}
		rp, err := parsePacket(resp)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rp.verify(auth, Secret(secret), nil); err != nil {
			t.Fatalf("an answer of theirs: %v", err)
		}
	})
}

func TestParsePacket(t *testing.T) {
	head := func(code byte, length uint16, rest ...byte) []byte {
		b := append([]byte{code, 1, byte(length >> 8), byte(length)}, make([]byte, authLen)...)
		return append(b, rest...)
	}
	mac := append([]byte{80, 18}, make([]byte, 16)...)
	for _, tc := range []struct {
		name     string
		in       []byte
		ok       bool
		length   int
		signedAt int
	}{
		{"bare", head(5, 20), true, 20, 0},
		{"padding is ignored", head(5, 20, 1, 2, 3), true, 20, 0},
		{"attributes", head(5, 26, 33, 3, 1, 1, 3, 'a'), true, 26, 0},
		{"Message-Authenticator", head(5, 41, append([]byte{33, 3, 1}, mac...)...), true, 41, 25},
		{"empty", nil, false, 0, 0},
		{"19 octets", head(5, 20)[:19], false, 0, 0},
		{"length 19", head(5, 19), false, 0, 0},
		{"length 0", head(5, 0), false, 0, 0},
		{"cut off", head(5, 26, 33, 3, 1, 1, 3), false, 0, 0},
		{"length 4097", append(head(5, 4097), bytes.Repeat([]byte{1, 2}, 2100)...), false, 0, 0},
		{"attribute of length 0", head(5, 22, 33, 0), false, 0, 0},
		{"attribute of length 1", head(5, 22, 33, 1), false, 0, 0},
		{"attribute reaches over the end", head(5, 23, 33, 4, 1), false, 0, 0},
		{"half an attribute header", head(5, 21, 33), false, 0, 0},
		{"short Message-Authenticator", head(5, 37, mac[:17]...), false, 0, 0},
		{"Message-Authenticator of length 17", head(5, 37, append([]byte{80, 17}, mac[3:]...)...), false, 0, 0},
		{"two Message-Authenticators", head(5, 56, append(mac, mac...)...), false, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := parsePacket(tc.in)
			if (err == nil) != tc.ok || err != nil && !errors.Is(err, errFraming) {
				t.Fatalf("err = %v, want ok: %v", err, tc.ok)
			}
			if len(p.data) != tc.length || p.signedAt != tc.signedAt {
				t.Errorf("length %d, signedAt %d, want %d, %d", len(p.data), p.signedAt, tc.length, tc.signedAt)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	request := authenticator(unhex(t, goldenRequest)[4:headerLen])
	flip := func(s string, at int) string {
		b := unhex(t, s)
		b[at] ^= 1
		return hex.EncodeToString(b)
	}
	for _, tc := range []struct {
		name    string
		packet  string
		request authenticator
		secret  Secret
		ok      bool
	}{
		{"bare", goldenResponse, request, testSecret, true},
		{"padded", goldenResponse + "ffff", request, testSecret, true},
		{"with Message-Authenticator", goldenSigned, request, testSecret, true},
		{"wrong Message-Authenticator", goldenForgedMAC, request, testSecret, false},
		{"another secret", goldenResponse, request, "xyzzy5462", false},
		{"the secret and more", goldenResponse, request, testSecret + "\x00", false},
		{"another request", goldenResponse, authenticator{}, testSecret, false},
		{"identifier changed", flip(goldenResponse, 1), request, testSecret, false},
		{"authenticator changed", flip(goldenResponse, 19), request, testSecret, false},
		{"attribute changed", flip(goldenSigned, 40), request, testSecret, false},
		{"Message-Authenticator changed", flip(goldenSigned, 30), request, testSecret, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := unhex(t, tc.packet)
			p, err := parsePacket(in)
			if err != nil {
				t.Fatal(err)
			}
			before := bytes.Clone(in)
			_, err = p.verify(tc.request, tc.secret, make([]byte, 0, 3))
			if (err == nil) != tc.ok || err != nil && !errors.Is(err, errForged) {
				t.Errorf("err = %v, want ok: %v", err, tc.ok)
			}
			if !bytes.Equal(in, before) {
				t.Error("the packet was changed")
			}
		})
	}
}

func TestSecretDoesNotPrint(t *testing.T) {
	for _, s := range []string{
		sprint("%v", testSecret), sprint("%+v", Server{Secret: testSecret}), sprint("%#v", Server{Secret: testSecret}),
		testSecret.LogValue().String(),
	} {
		if strings.Contains(s, string(testSecret)) || !strings.Contains(s, "<secret>") {
			t.Errorf("printed %s", s)
		}
	}
}

// Whatever comes, parsePacket gives whole attributes or an error, and verify takes only what was
// made with the secret.
func FuzzParsePacket(f *testing.F) {
	for _, s := range []string{goldenRequest, goldenResponse, goldenSigned, goldenForgedMAC, "05", "0501001400"} {
		f.Add(unhex(f, s))
	}
	request := authenticator(unhex(f, goldenRequest)[4:headerLen])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePacket(b)
		if err != nil {
			return
		}
		if attrs := sessions.Attributes(p.data[headerLen:]); !attrs.Valid() {
			t.Errorf("%x: attributes are not whole", b)
		}
		_, err = p.verify(request, testSecret, nil)
		theirs := layeh.IsAuthenticResponse(p.data, append([]byte{4, p.identifier(), 0, 20}, request[:]...), []byte(testSecret))
		if err == nil && !theirs || err != nil && theirs && p.signedAt == 0 {
			t.Errorf("%x: %v, layeh: %v", b, err, theirs)
		}
	})
}
