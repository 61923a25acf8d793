package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"aaasess/mib"
)

// TestFrameRFC compares the headers of each Close method with a message made by hand.
func TestFrameRFC(t *testing.T) {
	var f Frame
	step := func(what, want string) {
		t.Helper()
		if got := fmt.Sprintf("%x", f.Bytes()); got != strings.ReplaceAll(want, " ", "") {
			t.Fatalf("%s: %s, want %s", what, got, want)
		}
	}
	f.AppendVarbind(&mib.Varbind{Name: sysUpTime0, Value: num(mib.TimeTicks, 333)})
	step("a variable binding", "30 0e 06 08 2b06010201010300 43 02 014d")
	f.ClosePDU(Response, 0x77745bd4, 0, 0)
	step("PDU", "a2 1e 02 04 77745bd4 02 01 00 02 01 00 30 10 30 0e 06 08 2b06010201010300 43 02 014d")
	f.CloseScoped([]byte{0x80, 1, 2, 3, 4}, []byte("c"))
	scoped := "30 2a 04 05 8001020304 04 01 63 a2 1e 02 04 77745bd4 02 01 00 02 01 00 30 10 30 0e 06 08 2b06010201010300 43 02 014d"
	step("ScopedPDU", scoped)
	f.Pad(4)
	step("padding", scoped+"00000000")
	f.CloseOctets()
	step("encryptedPDU", "04 30"+scoped+"00000000")
	auth := f.CloseV3(&HeaderV3{ID: 1, MaxSize: 65507, Flags: FlagAuth | FlagPriv, Model: ModelUSM}, &SecurityParameters{
		EngineID: []byte{0x80, 1, 2, 3, 4}, Boots: 2, Time: 300, UserName: []byte("me"),
		AuthenticationParameters: make([]byte, 12), PrivacyParameters: []byte("saltsalt"),
	})
	copy(auth, "digestdigest")
	step("message", "30 73 02 01 03 30 0e 02 01 01 02 03 00ffe3 04 01 03 02 01 03"+
		"04 2c 30 2a 04 05 8001020304 02 01 02 02 02 012c 04 02 6d65 04 0c"+fmt.Sprintf("%x", "digestdigest")+"04 08"+fmt.Sprintf("%x", "saltsalt")+
		"04 30"+scoped+"00000000")

	f.Reset()
	step("nothing", "")
	f.ClosePDU(GetBulkRequest, -1, 0, 50)
	f.CloseCommunity(Version2c, []byte("public"))
	step("v2c", "30 18 02 01 01 04 06 7075626c6963 a5 0b 02 01 ff 02 01 00 02 01 32 30 00")
}

// TestFrameLengths builds messages around all sizes at which a length needs another octet, and
// beyond the headroom.
func TestFrameLengths(t *testing.T) {
	for _, size := range []int{0, 1, 100, 126, 127, 128, 129, 200, 254, 255, 256, 257, 300, 511, 512, 513, 1000, 4096, 65534, 65535, 65536, 70000} {
		long := bytes.Repeat([]byte("x"), size)
		for name, o := range map[string]*opened{
			"value": {
				Message: Message{Version: Version2c, Community: []byte("public")},
				PDU:     PDU{Type: Response, Varbinds: []mib.Varbind{{Name: sysUpTime0, Value: octets(mib.OctetString, string(long))}}},
			},
			"community": {Message: Message{Version: Version2c, Community: long}, PDU: PDU{Type: Response}},
			"engine, context and parameters": {
				Message:    Message{Version: Version3, ID: 1, MaxSize: 484, Model: ModelUSM},
				Parameters: SecurityParameters{EngineID: long, AuthenticationParameters: long, PrivacyParameters: long},
				Scoped:     ScopedPDU{ContextEngineID: long, ContextName: long},
				PDU:        PDU{Type: Report},
			},
			"encryptedPDU": {Message: Message{Version: Version3, MaxSize: 484, Flags: FlagPriv, Model: ModelUSM, Data: long}},
		} {
			var f Frame
			if d := diff(o, mustOpen(t, o.build(&f))); d != "" {
				t.Errorf("%s of %d octets (-built +parsed):\n%s", name, size, d)
			}
		}
	}
}

// TestFrameZero: the zero Frame builds the same as a Frame after Reset.
func TestFrameZero(t *testing.T) {
	build := func(f *Frame) string {
		for _, vb := range casnRow() {
			f.AppendVarbind(&vb)
		}
		f.ClosePDU(Response, 1, 0, 0)
		f.CloseCommunity(Version2c, []byte("public"))
		return string(f.Bytes())
	}
	var zero, reset Frame
	reset.Reset()
	want := build(&reset)
	if got := build(&zero); got != want {
		t.Errorf("zero Frame: %x, after Reset: %x", got, want)
	}
	zero.Reset()
	if got := build(&zero); got != want {
		t.Errorf("used again: %x, want %x", got, want)
	}
}

// TestFrameSmall: the zero Frame may have less memory than the headroom.
func TestFrameSmall(t *testing.T) {
	var f Frame
	f.AppendRaw([]byte{1})
	f.Reset()
	f.AppendRaw([]byte{2})
	f.prependHeader(tagOctets, 1)
	if want := []byte{tagOctets, 1, 2}; !bytes.Equal(f.Bytes(), want) {
		t.Errorf("%x, want %x", f.Bytes(), want)
	}
}

// TestFramePad: the octets are zero, whatever the memory contained.
func TestFramePad(t *testing.T) {
	var f Frame
	f.Reset()
	f.AppendRaw(bytes.Repeat([]byte{0xff}, 100))
	f.Truncate(1)
	f.Pad(7)
	f.Pad(0)
	if want := []byte{0xff, 0, 0, 0, 0, 0, 0, 0}; !bytes.Equal(f.Bytes(), want) {
		t.Errorf("%x, want %x", f.Bytes(), want)
	}
}

// TestFrameTruncate removes variable bindings that do not fit, and continues.
func TestFrameTruncate(t *testing.T) {
	row := casnRow()
	var f, want Frame
	var ends []int
	for i := range row {
		f.AppendVarbind(&row[i])
		ends = append(ends, f.Len())
	}
	f.Truncate(ends[2])
	if f.Len() != ends[2] {
		t.Fatalf("%d octets, want %d", f.Len(), ends[2])
	}
	f.AppendVarbind(&row[6])
	for _, i := range []int{0, 1, 2, 6} {
		want.AppendVarbind(&row[i])
	}
	if !bytes.Equal(f.Bytes(), want.Bytes()) {
		t.Errorf("%x, want %x", f.Bytes(), want.Bytes())
	}
	f.Truncate(0)
	if f.Len() != 0 {
		t.Errorf("%d octets are left", f.Len())
	}
}

// TestOverhead: the bounds are valid for the greatest numbers and lengths.
func TestOverhead(t *testing.T) {
	for _, size := range []int{0, 200, 65536} {
		var f Frame
		f.AppendRaw(make([]byte, size))
		f.ClosePDU(Response, -1<<31, 1<<31-1, 1<<31-1)
		pdu := f.Len()
		if over := pdu - size; over > PDUOverhead {
			t.Errorf("ClosePDU put %d octets around %d, PDUOverhead is %d", over, size, PDUOverhead)
		}
		community := make([]byte, size)
		f.CloseCommunity(Version2c, community)
		if over := f.Len() - pdu - len(community); over > CommunityOverhead {
			t.Errorf("CloseCommunity put %d octets around %d, CommunityOverhead is %d", over, pdu, CommunityOverhead)
		}
	}
}

// TestDigestPlace finds the digest's place in messages with all lengths of the fields around it.
func TestDigestPlace(t *testing.T) {
	for _, n := range []int{0, 1, 12, 16, 24, 32, 48, 127, 128, 300} {
		for _, other := range []int{0, 8, 100, 127, 128, 600} {
			p := SecurityParameters{
				EngineID: make([]byte, other), UserName: make([]byte, min(other, 32)), PrivacyParameters: make([]byte, other),
				AuthenticationParameters: make([]byte, n),
			}
			var f Frame
			f.ClosePDU(Report, 1, 0, 0)
			f.CloseScoped(make([]byte, other), nil)
			auth := f.CloseV3(&HeaderV3{ID: 1, MaxSize: 65507, Model: ModelUSM}, &p)
			if len(auth) != n {
				t.Fatalf("the field has %d octets, want %d", len(auth), n)
			}
			for i := range auth {
				auth[i] = 0xdd
			}
			o := mustOpen(t, f.Bytes())
			if want := bytes.Repeat([]byte{0xdd}, n); !bytes.Equal(o.Parameters.AuthenticationParameters, want) || bytes.Count(f.Bytes(), []byte{0xdd}) != n {
				t.Errorf("digest of %d beside fields of %d: the message is %x", n, other, f.Bytes())
			}
		}
	}
}
