package radius

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	layeh "layeh.com/radius"
	"pgregory.net/rapid"
)

// rawPacket is a packet of any code with these attribute octets and no valid authenticator.
func rawPacket(code byte, attrs string) []byte {
	b := append(beginPacket(nil, code, 1), attrs...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// withLength changes the Length of a packet.
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
		{name: "Length below a header", packet: withLength(rawPacket(4, ""), 19), problem: "length is not 20..4096"},
		{name: "Length above the largest", packet: withLength(make([]byte, 5000), 4097), problem: "length is not 20..4096"},
		{name: "Length beyond the datagram", packet: withLength(rawPacket(4, ""), 21), problem: "shorter than its length"},
		{name: "attribute without length", packet: rawPacket(4, "\x01"), problem: "User-Name: cut off"},
		{name: "attribute of length 1", packet: rawPacket(4, "\x01\x01\x00"), problem: "User-Name: cut off"},
		{name: "attribute of length 0", packet: rawPacket(4, "\x01\x00\x00"), problem: "User-Name: cut off"},
		{name: "attribute longer than the rest", packet: rawPacket(4, "\xfa\x04a"), problem: "attribute 250: cut off"},
		{name: "short Message-Authenticator", packet: rawPacket(4, "\x50\x03a"), problem: "Message-Authenticator: not 16 octets once"},
		{name: "two Message-Authenticators", packet: rawPacket(4, signature+signature), problem: "Message-Authenticator: not 16 octets once"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := parsePacket(tt.packet)
			if tt.problem != "" {
				if err == nil || err.Error() != tt.problem {
					t.Fatalf("error %v, want %s", err, tt.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := string(p.attributes()); got != tt.attrs {
				t.Errorf("attributes %q, want %q", got, tt.attrs)
			}
			if p.signedAt != tt.signed {
				t.Errorf("signedAt %d, want %d", p.signedAt, tt.signed)
			}
		})
	}
}

// TestAuthentic flips each bit of real packets: none may pass, and only the right secret may.
func TestAuthentic(t *testing.T) {
	for _, name := range []string{"radclient-start.hex", "radclient-stop.hex", "hostapd-on.hex"} {
		t.Run(name, func(t *testing.T) {
			data := goldenPacket(t, name)
			check := func(secret Secret) bool {
				p, err := parsePacket(data)
				if err != nil {
					return false
				}
				ok, _ := p.authentic(zeros, secret, nil)
				return ok
			}
			if !check(goldenSecret) {
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
					if check(goldenSecret) {
						t.Errorf("accepted with bit %d of octet %d changed", bit, i)
					}
					data[i] ^= 1 << bit
				}
			}
		})
	}
}

// TestMessageAuthenticatorAlone: a right Request Authenticator does not make up for a wrong
// Message-Authenticator.
func TestMessageAuthenticatorAlone(t *testing.T) {
	data := goldenPacket(t, "radclient-stop.hex")
	p, err := parsePacket(data)
	if err != nil || p.signedAt == 0 {
		t.Fatalf("signedAt %d, error %v: the golden packet has a Message-Authenticator", p.signedAt, err)
	}
	data[p.signedAt] ^= 1
	seal(data[:len(data):len(data)], 0, zeros, goldenSecret)
	if !layeh.IsAuthenticRequest(data, []byte(goldenSecret)) {
		t.Fatal("the Request Authenticator was to be right")
	}
	if ok, _ := p.authentic(zeros, goldenSecret, nil); ok {
		t.Error("accepted with a wrong Message-Authenticator")
	}
}

// TestSeal compares what seal makes with what layeh.com/radius makes.
func TestSeal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringN(1, 40, 100).Draw(t, "secret")
		request := authenticator(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "request"))
		id := rapid.Byte().Draw(t, "identifier")
		user := rapid.SliceOfN(rapid.Byte(), 1, 253).Draw(t, "user")
		for _, code := range []byte{codeAccountingRequest, codeAccountingResponse, codeDisconnectRequest, codeDisconnectACK, codeDisconnectNAK} {
			auth := request
			if code == codeAccountingRequest || code == codeDisconnectRequest {
				auth = zeros
			}
			b := beginPacket(nil, code, id)
			b = append(append(b, 1, byte(len(user)+2)), user...)
			seal(b, 0, auth, Secret(secret))

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

// TestSealed: what seal signs, authentic accepts, with and without spare memory behind the packet.
func TestSealed(t *testing.T) {
	for _, spare := range []int{0, 4096} {
		b := beginPacket(make([]byte, 0, headerLen+2+authLen+spare), codeDisconnectACK, 3)
		b = beginMessageAuth(b)
		request := authenticator{1, 2, 3}
		seal(b, headerLen+2, request, "s")
		p, err := parsePacket(b)
		if err != nil {
			t.Fatal(err)
		}
		if ok, _ := p.authentic(request, "s", nil); !ok {
			t.Errorf("spare %d: not authentic", spare)
		}
		if ok, _ := p.authentic(authenticator{1, 2, 4}, "s", nil); ok {
			t.Errorf("spare %d: authentic for another request", spare)
		}
	}
}

func TestSecretDoesNotPrint(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	c := Client{Name: "x", Secret: "hunter2"}
	log.Info("m", "secret", c.Secret, "client", c)
	fmt.Fprintf(&out, "%v %+v %#v %s %q", c, c, c, c.Secret, c.Secret)
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), hex.EncodeToString([]byte("hunter2"))) {
		t.Errorf("the secret was printed: %s", out.String())
	}
	if n := strings.Count(out.String(), "<secret>"); n < 6 {
		t.Errorf("%d times <secret> in: %s", n, out.String())
	}
}

// goldenNames is all packets in testdata.
func goldenNames(tb testing.TB) []string {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		tb.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".hex") {
			names = append(names, e.Name())
		}
	}
	return names
}
