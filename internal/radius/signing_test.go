package radius

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"math/rand/v2"
	"strings"
	"testing"

	"aaasess/internal/radius/captured"
)

// TestSigningText: each value has a name that is read back; other texts are errors and change
// nothing.
func TestSigningText(t *testing.T) {
	for want, name := range map[Signing]string{SigningRequired: "required", SigningAuto: "auto", SigningLegacy: "legacy"} {
		text, err := want.MarshalText()
		got := Signing(9)
		if parseErr := got.UnmarshalText(text); err != nil || parseErr != nil || got != want || string(text) != name {
			t.Errorf("%v: %q, read back as %v: %v %v", want, text, got, err, parseErr)
		}
	}
	for _, text := range []string{"", "Required", "no", "auto "} {
		got := SigningAuto
		if err := got.UnmarshalText([]byte(text)); err == nil || got != SigningAuto {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if got := Signing(9).String(); got != "Signing(9)" {
		t.Error(got)
	}
}

// packetOf returns a packet with these attributes.
func packetOf(t *testing.T, code Code, attrs ...Type) Packet {
	t.Helper()
	b := AppendHeader(nil, code, 1)
	for _, a := range attrs {
		if a == MessageAuthenticator {
			b = AppendMessageAuthenticator(b)
		} else {
			b = AppendAttribute(b, a, "x")
		}
	}
	Seal(b, 0, Authenticator{}, "s")
	p, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSigningRequires(t *testing.T) {
	type modes struct{ required, auto, autoSigns, legacy bool }
	for _, tt := range []struct {
		name string
		p    Packet
		want modes
	}{
		{"request", packetOf(t, CodeAccessRequest, UserName), modes{required: true, autoSigns: true}},
		{"request through a proxy", packetOf(t, CodeAccessRequest, UserName, ProxyState), modes{required: true, auto: true, autoSigns: true}},
		{"request with EAP", packetOf(t, CodeAccessRequest, EAPMessage), modes{true, true, true, true}},
		{"Accept", packetOf(t, CodeAccessAccept), modes{required: true, autoSigns: true}},
		{"Accept through a proxy", packetOf(t, CodeAccessAccept, ProxyState), modes{required: true, autoSigns: true}},
		{"Challenge with EAP", packetOf(t, CodeAccessChallenge, EAPMessage), modes{true, true, true, true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := modes{
				SigningRequired.Requires(tt.p, false), SigningAuto.Requires(tt.p, false),
				SigningAuto.Requires(tt.p, true), SigningLegacy.Requires(tt.p, true),
			}
			if got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestShowsSigning(t *testing.T) {
	for _, tt := range []struct {
		attrs []Type
		want  bool
	}{
		{nil, false},
		{[]Type{UserName}, false},
		{[]Type{MessageAuthenticator, UserName}, true},
		{[]Type{UserName, MessageAuthenticator}, true},
		{[]Type{EAPMessage, MessageAuthenticator}, false},
	} {
		if got := packetOf(t, CodeAccessRequest, tt.attrs...).ShowsSigning(); got != tt.want {
			t.Errorf("%v: %v", tt.attrs, got)
		}
	}
}

// TestSignedPackets: SealRequest and SealResponse make the octets that another implementation makes,
// and Signed and Authentic accept them.
func TestSignedPackets(t *testing.T) {
	for _, tt := range []struct {
		name, golden string
		request      string // the packet that it answers; "" for a request
	}{
		{"Access-Request", captured.GoldenSignedAccess, ""},
		{"Status-Server", captured.GoldenStatus, ""},
		{"Access-Accept", captured.GoldenAccept, captured.GoldenAccess},
		{"Access-Challenge", captured.GoldenChallenge, captured.GoldenSignedAccess},
		{"Access-Accept to a Status-Server", captured.GoldenStatusAccept, captured.GoldenStatus},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := captured.Octets(t, tt.golden)
			p, err := Parse(want)
			if err != nil {
				t.Fatal(err)
			}
			b := AppendSignedHeader(nil, p.Code(), p.Identifier())
			b = append(b, p.Attributes()[SignatureLen:]...)
			request, ok := p.Authenticator(), false
			if tt.request == "" {
				SealRequest(b, request, captured.GoldenSecret)
				ok, _ = p.Signed(request, captured.GoldenSecret, nil)
			} else {
				request = Authenticator(captured.Octets(t, tt.request)[4:HeaderLen])
				SealResponse(b, request, captured.GoldenSecret)
				ok, _ = p.Authentic(request, captured.GoldenSecret, nil)
			}
			if string(b) != string(want) {
				t.Errorf("%x, want %x", b, want)
			}
			if !ok {
				t.Error("the golden packet is not accepted")
			}
		})
	}
}

// TestSignatures compares with package hmac, for secrets of more than a block too, and checks that
// rejecting a packet allocates nothing.
func TestSignatures(t *testing.T) {
	random := rand.New(rand.NewPCG(16, 1))
	var scratch []byte
	for size := 1; size < 200; size++ {
		secret := make([]byte, size)
		for i := range secret {
			secret[i] = byte(random.Uint32())
		}
		b := AppendSignedHeader(nil, CodeAccessRequest, byte(size))
		for range random.IntN(16) {
			b = AppendAttribute(b, VendorSpecific, strings.Repeat("v", random.IntN(253)))
		}
		SealRequest(b, Authenticator{byte(size)}, Secret(secret))
		zeroed := bytes.Clone(b)
		clear(zeroed[FirstSigned : FirstSigned+AuthLen])
		mac := hmac.New(md5.New, secret)
		mac.Write(zeroed)
		if want := mac.Sum(nil); !bytes.Equal(b[FirstSigned:FirstSigned+AuthLen], want) {
			t.Errorf("a secret of %d octets, a packet of %d: %x, want %x", size, len(b), b[FirstSigned:FirstSigned+AuthLen], want)
		}
		p, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		var ok bool
		if ok, scratch = p.Signed(p.Authenticator(), Secret(secret), scratch); !ok {
			t.Errorf("a secret of %d octets: not accepted", size)
		}
		other := Secret(secret[1:])
		if n := testing.AllocsPerRun(1, func() { ok, scratch = p.Signed(p.Authenticator(), other, scratch) }); ok || n != 0 && len(other) <= md5.BlockSize {
			t.Errorf("a wrong secret of %d octets: accepted %v, %v allocations", size-1, ok, n)
		}
	}
}
