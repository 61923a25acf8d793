package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mustBeMalformed checks the error of rejected octets.
func mustBeMalformed(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrVersion) {
		t.Fatalf("error %v wraps neither ErrMalformed nor ErrVersion", err)
	}
	_ = err.Error()
}

// FuzzMessage parses a message as far as possible, builds it again, and parses the result.
func FuzzMessage(f *testing.F) {
	for _, r := range readRecorded(f) {
		f.Add(r.octets)
	}
	for _, b := range readRequests(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second opened
		var frame Frame
		if err := first.parse(b); err != nil {
			mustBeMalformed(t, err)
			return
		}
		if first.Message.Version == Version3 && first.Message.Model != ModelUSM {
			return // not the parameters of USM
		}
		if first.PDU.Type == TrapV1 {
			return // nothing builds traps of SNMPv1
		}
		if err := second.parse(first.build(&frame)); err != nil {
			t.Fatalf("%x: built again %x: %v", b, frame.Bytes(), err)
		}
		if d := diff(&first, &second); d != "" {
			t.Errorf("%x: built again %x (-first +second):\n%s", b, frame.Bytes(), d)
		}
	})
}

// FuzzSecurityParameters parses, builds and parses again.
func FuzzSecurityParameters(f *testing.F) {
	for _, r := range readRecorded(f) {
		if o := mustOpen(f, r.octets); o.Message.Version == Version3 {
			f.Add(o.Message.SecurityParameters)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second SecurityParameters
		if err := first.Parse(b); err != nil {
			mustBeMalformed(t, err)
			return
		}
		var frame Frame
		auth := frame.CloseV3(&HeaderV3{MaxSize: 484, Model: ModelUSM, Flags: FlagPriv}, &first)
		if !bytes.Equal(auth, first.AuthenticationParameters) {
			t.Errorf("the digest's place holds %x, want %x", auth, first.AuthenticationParameters)
		}
		frame.CloseOctets() // there is no msgData: the message cannot be parsed, only its beginning
		outer := cursor{rest: frame.Bytes()}
		outer.enter(tagOctets, "")
		outer.enter(tagSequence, "")
		outer.int32("", noLimit)
		outer.read(tagSequence, "")
		if err := second.Parse(outer.read(tagOctets, "")); err != nil {
			t.Fatalf("%x: built again %x: %v", b, frame.Bytes(), err)
		}
		if d := cmp.Diff(first, second, sameMeaning); d != "" {
			t.Errorf("%x (-first +second):\n%s", b, d)
		}
	})
}

// FuzzScopedPDU parses with and without padding.
func FuzzScopedPDU(f *testing.F) {
	for _, r := range readRecorded(f) {
		if o := mustOpen(f, r.octets); o.Message.Version == Version3 {
			f.Add(o.Message.Data)
			f.Add(append(bytes.Clone(o.Message.Data), 3, 3, 3))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var strict, padded, second ScopedPDU
		strictErr, err := strict.Parse(b, false), padded.Parse(b, true)
		if err != nil {
			mustBeMalformed(t, err)
			if strictErr == nil {
				t.Fatalf("%x is well formed, and is not when it may be padded: %v", b, err)
			}
			return
		}
		var frame Frame
		frame.AppendRaw(padded.PDU)
		frame.CloseScoped(padded.ContextEngineID, padded.ContextName)
		if err := second.Parse(frame.Bytes(), false); err != nil {
			t.Fatalf("%x: built again %x: %v", b, frame.Bytes(), err)
		}
		if d := cmp.Diff(padded, second, sameMeaning); d != "" || !bytes.Equal(padded.PDU, second.PDU) {
			t.Errorf("%x (-first +second):\n%s", b, d)
		}
		if d := cmp.Diff(padded, strict, sameMeaning); strictErr == nil && d != "" {
			t.Errorf("%x (-padded +strict):\n%s", b, d)
		}
	})
}

// FuzzPDU parses, builds and parses again, in reused memory.
func FuzzPDU(f *testing.F) {
	usedBefore := pduOf(SetRequest, varbind(sysUpTime0, text("used before")), varbind(sysUpTime0, tlv(tagOID, []byte{0x2b, 1, 2, 3})))
	for _, r := range readRecorded(f) {
		if o := mustOpen(f, r.octets); o.Message.Version == Version3 && !o.encrypted() {
			f.Add(o.Scoped.PDU)
		} else if !o.encrypted() {
			f.Add(o.Message.Data)
		}
	}
	for _, c := range valueCases {
		if b := unhex(f, c.hex); len(b) < 1000 {
			f.Add(pduOf(SetRequest, varbind(sysUpTime0, b)))
		}
	}
	f.Add(trapV1(trapFields(f)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		checkV1Subset(t, b)
		var first, second opened
		if err := first.PDU.Parse(b); err != nil {
			mustBeMalformed(t, err)
			return
		}
		if !first.PDU.Type.isRead() { // old values are visible in those, because only types are required
			_ = second.PDU.Parse(usedBefore)
		}
		var frame Frame
		first.buildPDU(&frame)
		if err := second.PDU.Parse(frame.Bytes()); err != nil {
			t.Fatalf("%x: built again %x: %v", b, frame.Bytes(), err)
		}
		if d := cmp.Diff(first.PDU, second.PDU, sameMeaning); d != "" {
			t.Errorf("%x: built again %x (-first +second):\n%s", b, frame.Bytes(), d)
		}
	})
}

// checkV1Subset: a PDU of SNMPv1, except a trap, is the same PDU of SNMPv2.
func checkV1Subset(t *testing.T, b []byte) {
	var old, p PDU
	if err := old.ParseV1(b); err != nil {
		mustBeMalformed(t, err)
		return
	}
	if old.Type == TrapV1 {
		return
	}
	if err := p.Parse(b); err != nil {
		t.Fatalf("%x: only SNMPv1 has it: %v", b, err)
	}
	if d := cmp.Diff(p, old, sameMeaning); d != "" || p.Type > SetRequest {
		t.Errorf("%x: %s (-v2 +v1):\n%s", b, p.Type, d)
	}
}
