package wire

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/mib"
)

// unhex decodes hexadecimal digits and ignores white space.
func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		tb.Fatalf("%q: %v", s, err)
	}
	return b
}

// opened is a message, parsed as far as possible without keys.
type opened struct {
	Message    Message
	Parameters SecurityParameters
	Scoped     ScopedPDU
	PDU        PDU
}

// encrypted reports whether the PDU is encrypted.
func (o *opened) encrypted() bool {
	return o.Message.Version == Version3 && o.Message.Flags&FlagPriv != 0
}

func (o *opened) parse(b []byte) error {
	if err := o.Message.Parse(b); err != nil {
		return err
	}
	pdu := o.Message.Data
	if o.Message.Version == Version3 {
		if o.Message.Model == ModelUSM {
			if err := o.Parameters.Parse(o.Message.SecurityParameters); err != nil {
				return err
			}
		}
		if o.encrypted() {
			return nil
		}
		if err := o.Scoped.Parse(o.Message.Data, false); err != nil {
			return err
		}
		pdu = o.Scoped.PDU
	}
	if o.Message.Version == Version1 {
		return o.PDU.ParseV1(pdu)
	}
	return o.PDU.Parse(pdu)
}

func mustOpen(tb testing.TB, b []byte) *opened {
	tb.Helper()
	var o opened
	if err := o.parse(b); err != nil {
		tb.Fatalf("%x: %v", b, err)
	}
	return &o
}

// build encodes the message again.
func (o *opened) build(f *Frame) []byte {
	f.Reset()
	if o.encrypted() {
		f.AppendRaw(o.Message.Data)
		f.CloseOctets()
	} else {
		o.buildPDU(f)
	}
	if o.Message.Version != Version3 {
		f.CloseCommunity(o.Message.Version, o.Message.Community)
		return f.Bytes()
	}
	if !o.encrypted() {
		f.CloseScoped(o.Scoped.ContextEngineID, o.Scoped.ContextName)
	}
	m := &o.Message
	f.CloseV3(&HeaderV3{ID: m.ID, MaxSize: m.MaxSize, Flags: m.Flags, Model: m.Model}, &o.Parameters)
	return f.Bytes()
}

func (o *opened) buildPDU(f *Frame) {
	for i := range o.PDU.Varbinds {
		f.AppendVarbind(&o.PDU.Varbinds[i])
	}
	f.ClosePDU(o.PDU.Type, o.PDU.RequestID, o.PDU.ErrorStatus, o.PDU.ErrorIndex)
}

// member is the value of the field that a Value's Type selects.
type member struct {
	Type mib.Type
	Num  uint64
	Str  string
	OID  string
}

func memberOf(v mib.Value) member {
	m := member{Type: v.Type}
	switch v.Type {
	case mib.OctetString, mib.Opaque:
		m.Str = v.Str
	case mib.ObjectIdentifier:
		m.OID = v.OID.String()
	case mib.Null, mib.NoSuchObject, mib.NoSuchInstance, mib.EndOfMibView:
	default:
		m.Num = v.Num
	}
	return m
}

// sameMeaning ignores the raw octets, whose lengths may not be the shortest.
var sameMeaning = cmp.Options{
	cmp.FilterValues(func(_, _ []mib.Varbind) bool { return true }, cmpopts.EquateEmpty()),
	cmp.Transformer("octets", func(b []byte) string { return string(b) }), // otherwise cmp compares them one by one
	cmpopts.IgnoreFields(PDU{}, "RawVarbinds"),
	cmpopts.IgnoreFields(ScopedPDU{}, "PDU"),
	cmpopts.IgnoreFields(Message{}, "SecurityParameters", "Data"),
	cmp.Transformer("member", memberOf),
}

// diff returns the differences between two opened messages.
func diff(a, b *opened) string {
	d := cmp.Diff(a, b, sameMeaning)
	if a.encrypted() {
		d += cmp.Diff(string(a.Message.Data), string(b.Message.Data))
	}
	return d
}
