package client

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"aaasess/internal/tacacs"
)

const fuzzKey tacacs.Key = "key"

// packet encodes an answer.
func packet(h tacacs.Header, r tacacs.AcctReply) []byte {
	body, err := tacacs.AppendAcctReply(nil, &r)
	if err != nil {
		panic(err)
	}
	h.Length = uint32(len(body))
	tacacs.Obfuscate(body, h, fuzzKey)
	return append(tacacs.AppendHeader(nil, h), body...)
}

// FuzzAnswers: whatever a server sends, each packet is an answer or a fault; nothing after a
// malformed one is read.
func FuzzAnswers(f *testing.F) {
	good := tacacs.Header{Version: tacacs.Version, Type: tacacs.TypeAccounting, Seq: replySeq, Session: 7}
	success := packet(good, tacacs.AcctReply{Status: tacacs.StatusSuccess})
	f.Add(success)
	f.Add(append(packet(good, tacacs.AcctReply{Status: tacacs.StatusError, ServerMsg: "no", Data: "x"}), success...))
	f.Add(success[:9])
	f.Add(append(success, success[:15]...))
	for _, change := range []func(h *tacacs.Header){
		func(h *tacacs.Header) { h.Version = 0x10 }, func(h *tacacs.Header) { h.Type = 1 }, func(h *tacacs.Header) { h.Seq = 3 },
		func(h *tacacs.Header) { h.Flags = tacacs.FlagUnencrypted }, func(h *tacacs.Header) { h.Length = 1 << 20 },
	} {
		h := good
		h.Length = 5
		change(&h)
		f.Add(append(tacacs.AppendHeader(nil, h), 1, 2, 3, 4, 5))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		var a answer
		for {
			before := r.Len()
			if err := a.read(r, fuzzKey); err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("unexpected error %v", err)
				}
				return
			}
			read := before - r.Len()
			switch {
			case isFault(a.fault):
				return
			case a.fault != nil:
				t.Fatalf("unknown fault %v", a.fault)
			case read != tacacs.HeaderLen+int(a.header.Length) || cap(a.body) > tacacs.MaxBody:
				t.Fatalf("%d octets were read of a packet with a body of %d, room for %d", read, a.header.Length, cap(a.body))
			}
			h := a.header
			if again := packet(tacacs.Header{Version: h.Version, Type: h.Type, Seq: h.Seq, Flags: h.Flags, Session: h.Session}, a.reply); !bytes.Equal(again, b[len(b)-before:][:read]) {
				t.Fatalf("%x\nis encoded as\n%x", b[len(b)-before:][:read], again)
			}
		}
	})
}
