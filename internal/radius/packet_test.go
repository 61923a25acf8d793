package radius

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	layeh "layeh.com/radius"
	"pgregory.net/rapid"

	"aaasess/internal/radius/captured"
)

// rawPacket encodes a packet of any code with these attribute octets and no valid authenticator.
func rawPacket(code Code, attrs string) []byte {
	b := append(AppendHeader(nil, code, 1), attrs...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// withLength returns a packet with another Length field.
func withLength(b []byte, n int) []byte {
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return b
}

func TestParsePacket(t *testing.T) {
	signature := "\x50\x12" + strings.Repeat("s", 16)
	tests := []struct {
		name    string
		packet  []byte
		attrs   string
		signed  int
		problem string
	}{
		{name: "no attributes", packet: rawPacket(4, "")},
		{name: "attributes", packet: rawPacket(4, "\x01\x03a\x2c\x02"), attrs: "\x01\x03a\x2c\x02"},
		{name: "octets behind Length are ignored", packet: append(rawPacket(4, "\x01\x03a"), "junk"...), attrs: "\x01\x03a"},
		{name: "Message-Authenticator", packet: rawPacket(4, "\x01\x03a"+signature), attrs: "\x01\x03a" + signature, signed: 25},
		{name: "nothing", packet: nil, problem: "shorter than 20 octets"},
		{name: "half a header", packet: make([]byte, 19), problem: "shorter than 20 octets"},
		{name: "Length below a header", packet: withLength(rawPacket(4, ""), 19), problem: "Length field is not 20..4096"},
		{name: "Length above the largest", packet: withLength(make([]byte, 5000), 4097), problem: "Length field is not 20..4096"},
		{name: "Length beyond the datagram", packet: withLength(rawPacket(4, ""), 21), problem: "shorter than its Length field"},
		{name: "attribute without length", packet: rawPacket(4, "\x01"), problem: "User-Name: truncated"},
		{name: "attribute of length 1", packet: rawPacket(4, "\x01\x01\x00"), problem: "User-Name: truncated"},
		{name: "attribute of length 0", packet: rawPacket(4, "\x01\x00\x00"), problem: "User-Name: truncated"},
		{name: "attribute longer than the rest", packet: rawPacket(4, "\xfa\x04a"), problem: "attribute 250: truncated"},
		{name: "short Message-Authenticator", packet: rawPacket(4, "\x50\x03a"), problem: "Message-Authenticator: does not occur once with 16 octets"},
		{name: "two Message-Authenticators", packet: rawPacket(4, signature+signature), problem: "Message-Authenticator: does not occur once with 16 octets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse(tt.packet)
			if tt.problem != "" {
				if err == nil || err.Error() != tt.problem {
					t.Fatalf("error %v, want %s", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := string(p.Attributes()); got != tt.attrs {
				t.Errorf("attributes %q, want %q", got, tt.attrs)
			}
			if p.signedAt != tt.signed {
				t.Errorf("signedAt %d, want %d", p.signedAt, tt.signed)
			}
		})
	}
}

// TestAuthentic flips each bit of real packets: none is accepted, and no other secret either.
func TestAuthentic(t *testing.T) {
	for _, name := range []string{"radclient-start.hex", "radclient-stop.hex", "hostapd-on.hex"} {
		t.Run(name, func(t *testing.T) {
			data := captured.Packet(t, name)
			check := func(secret Secret) bool {
				p, err := Parse(data)
				if err != nil {
					return false
				}
				ok, _ := p.Authentic(Authenticator{}, secret, nil)
				return ok
			}
			if !check(captured.Secret) {
				t.Fatal("the packet as it is was not accepted")
			}
			for _, wrong := range []Secret{"", "testing12", "testing1234", "Testing123"} {
				if check(wrong) {
					t.Errorf("accepted with secret %q", string(wrong))
				}
			}
			for i := range data {
				for bit := range 8 {
					data[i] ^= 1 << bit
					if check(captured.Secret) {
						t.Errorf("accepted with bit %d of octet %d changed", bit, i)
					}
					data[i] ^= 1 << bit
				}
			}
		})
	}
}

// TestMessageAuthenticatorAlone: a right Request Authenticator does not excuse a wrong
// Message-Authenticator.
func TestMessageAuthenticatorAlone(t *testing.T) {
	data := captured.Packet(t, "radclient-stop.hex")
	p, err := Parse(data)
	if err != nil || p.signedAt == 0 {
		t.Fatalf("signedAt %d, error %v: the golden packet has a Message-Authenticator", p.signedAt, err)
	}
	data[p.signedAt] ^= 1
	Seal(data[:len(data):len(data)], 0, Authenticator{}, captured.Secret)
	if !layeh.IsAuthenticRequest(data, []byte(captured.Secret)) {
		t.Fatal("the Request Authenticator was to be right")
	}
	if ok, _ := p.Authentic(Authenticator{}, captured.Secret, nil); ok {
		t.Error("accepted with a wrong Message-Authenticator")
	}
}

// TestSeal compares Seal with layeh.com/radius.
func TestSeal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringN(1, 40, 100).Draw(t, "secret")
		request := Authenticator(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "request"))
		id := rapid.Byte().Draw(t, "identifier")
		user := rapid.SliceOfN(rapid.Byte(), 1, 253).Draw(t, "user")
		for _, code := range []Code{CodeAccountingRequest, CodeAccountingResponse, CodeDisconnectRequest, CodeDisconnectACK, CodeDisconnectNAK} {
			auth := request
			if code == CodeAccountingRequest || code == CodeDisconnectRequest {
				auth = Authenticator{}
			}
			b := AppendHeader(nil, code, id)
			b = append(append(b, 1, byte(len(user)+2)), user...)
			Seal(b, 0, auth, Secret(secret))

			want := &layeh.Packet{Code: layeh.Code(code), Identifier: id, Authenticator: auth, Secret: []byte(secret)}
			want.Add(1, user)
			wire, err := want.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b, wire) {
				t.Fatalf("code %d:\n got %x\nwant %x", code, b, wire)
			}
		}
	})
}

// TestSealed: Authentic accepts packets from Seal, with and without spare capacity behind the
// packet.
func TestSealed(t *testing.T) {
	for _, spare := range []int{0, 4096} {
		b := AppendHeader(make([]byte, 0, HeaderLen+2+AuthLen+spare), CodeDisconnectACK, 3)
		b = AppendMessageAuthenticator(b)
		request := Authenticator{1, 2, 3}
		Seal(b, HeaderLen+2, request, "s")
		p, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if ok, _ := p.Authentic(request, "s", nil); !ok {
			t.Errorf("spare %d: not authentic", spare)
		}
		if ok, _ := p.Authentic(Authenticator{1, 2, 4}, "s", nil); ok {
			t.Errorf("spare %d: authentic for another request", spare)
		}
	}
}

// TestResponse: an answer is authentic only for its request and secret, and the check does not
// change it.
func TestResponse(t *testing.T) {
	request := Authenticator(captured.Octets(t, captured.GoldenRequest)[4:HeaderLen])
	flip := func(s string, at int) string {
		b := captured.Octets(t, s)
		b[at] ^= 1
		return hex.EncodeToString(b)
	}
	for _, tc := range []struct {
		name    string
		packet  string
		request Authenticator
		secret  Secret
		ok      bool
	}{
		{"bare", captured.GoldenResponse, request, captured.GoldenSecret, true},
		{"padded", captured.GoldenResponse + "ffff", request, captured.GoldenSecret, true},
		{"with Message-Authenticator", captured.GoldenSigned, request, captured.GoldenSecret, true},
		{"wrong Message-Authenticator", captured.GoldenForged, request, captured.GoldenSecret, false},
		{"another secret", captured.GoldenResponse, request, "xyzzy5462", false},
		{"the secret and more", captured.GoldenResponse, request, captured.GoldenSecret + "\x00", false},
		{"another request", captured.GoldenResponse, Authenticator{}, captured.GoldenSecret, false},
		{"identifier changed", flip(captured.GoldenResponse, 1), request, captured.GoldenSecret, false},
		{"authenticator changed", flip(captured.GoldenResponse, 19), request, captured.GoldenSecret, false},
		{"attribute changed", flip(captured.GoldenSigned, 40), request, captured.GoldenSecret, false},
		{"Message-Authenticator changed", flip(captured.GoldenSigned, 30), request, captured.GoldenSecret, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := captured.Octets(t, tc.packet)
			p, err := Parse(in)
			if err != nil {
				t.Fatal(err)
			}
			before := bytes.Clone(in)
			if ok, _ := p.Authentic(tc.request, tc.secret, make([]byte, 0, 3)); ok != tc.ok {
				t.Errorf("authentic: %v", ok)
			}
			if !bytes.Equal(in, before) {
				t.Error("the packet was changed")
			}
		})
	}
}
