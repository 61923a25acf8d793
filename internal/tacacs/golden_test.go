package tacacs

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Packets that tacquito's client wrote (v0.0.0-20260814210148-7c6e7f81cf5a), in hexadecimal, with
// goldenKey and the session 0xdeadbeef.
const (
	goldenKey = "xyzzy5461"

	goldenStart       = "c0030104deadbeef00000039ebcae6ffca723ddcdaf461b68b662a7591a28e4cb7800b7f2d68071378707c377bac656563076b97bc654f09fb3ffe571d06387004a2d4386d"
	goldenEmpty       = "c0030100deadbeef00000009edcde7fcc9773bd2d8"
	goldenSuccess     = "c0030204deadbeef00000005be39acbfb3"
	goldenError       = "c0030200deadbeef00000012be35acbeb0fdd767d628b03186c5b591c2c3"
	goldenUnencrypted = "c0030201deadbeef000000050000000001"
)

func octets(tb testing.TB, digits string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// packet encodes a packet with goldenKey; its length becomes that of the body.
func packet(h Header, body []byte) []byte {
	h.Length = uint32(len(body))
	out := append(AppendHeader(nil, h), body...)
	if h.Flags&FlagUnencrypted == 0 {
		Obfuscate(out[HeaderLen:], h, goldenKey)
	}
	return out
}

// parse decodes the header of a packet, and returns its body as it was before obfuscation.
func parse(tb testing.TB, b []byte, key Key) (Header, []byte) {
	tb.Helper()
	h, err := ParseHeader(b[:HeaderLen])
	if err != nil {
		tb.Fatal(err)
	}
	body := bytes.Clone(b[HeaderLen:])
	if int(h.Length) != len(body) {
		tb.Fatalf("length %d of %d octets", h.Length, len(body))
	}
	if h.Flags&FlagUnencrypted == 0 {
		Obfuscate(body, h, key)
	}
	return h, body
}

func header(seq byte, flags Flags) Header {
	return Header{Version: Version, Type: TypeAccounting, Seq: seq, Flags: flags, Session: 0xdeadbeef}
}

func TestGoldenRequests(t *testing.T) {
	for name, tt := range map[string]struct {
		packet  string
		header  Header
		request AcctRequest
	}{
		"a start": {goldenStart, header(1, FlagSingleConnect), AcctRequest{
			Flags: AcctFlagStart, AuthenMethod: AuthenMethodTACACSPlus, PrivLvl: PrivLvlUser, AuthenType: AuthenTypePAP, AuthenService: AuthenServicePPP,
			User: "alice", Port: "Async5", RemAddr: "562/5622329477", Args: []string{"task_id=13", "service=ppp"},
		}},
		"a stop without fields": {goldenEmpty, header(1, 0), AcctRequest{Flags: AcctFlagStop, AuthenMethod: AuthenMethodNone, AuthenType: AuthenTypeASCII}},
	} {
		t.Run(name, func(t *testing.T) {
			golden := octets(t, tt.packet)
			h, body := parse(t, golden, goldenKey)
			got, err := ParseAcctRequest(body)
			if err != nil {
				t.Fatal(err)
			}
			tt.header.Length = h.Length
			if diff := cmp.Diff(tt.header, h); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.request, got); diff != "" {
				t.Error(diff)
			}
			body, err = AppendAcctRequest(nil, &tt.request)
			if b := packet(tt.header, body); err != nil || !bytes.Equal(b, golden) {
				t.Errorf("%x, %v", b, err)
			}
			_, body = parse(t, golden, goldenKey+"?")
			if _, err := ParseAcctRequest(body); !errors.Is(err, ErrLengths) {
				t.Errorf("with another key: %v", err)
			}
		})
	}
}

func TestGoldenReplies(t *testing.T) {
	for name, tt := range map[string]struct {
		packet string
		header Header
		reply  AcctReply
	}{
		"a success":   {goldenSuccess, header(2, FlagSingleConnect), AcctReply{Status: StatusSuccess}},
		"an error":    {goldenError, header(2, 0), AcctReply{StatusError, "disk is full", "x"}},
		"unencrypted": {goldenUnencrypted, header(2, FlagUnencrypted), AcctReply{Status: StatusSuccess}},
	} {
		t.Run(name, func(t *testing.T) {
			golden := octets(t, tt.packet)
			h, body := parse(t, golden, goldenKey)
			got, err := ParseAcctReply(body)
			if err != nil {
				t.Fatal(err)
			}
			tt.header.Length = h.Length
			if diff := cmp.Diff(tt.header, h); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.reply, got); diff != "" {
				t.Error(diff)
			}
			body, err = AppendAcctReply(nil, &tt.reply)
			if b := packet(tt.header, body); err != nil || !bytes.Equal(b, golden) {
				t.Errorf("%x, %v", b, err)
			}
			if _, body = parse(t, golden, goldenKey+"?"); h.Flags&FlagUnencrypted == 0 {
				if _, err := ParseAcctReply(body); !errors.Is(err, ErrLengths) {
					t.Errorf("with another key: %v", err)
				}
			}
		})
	}
}
