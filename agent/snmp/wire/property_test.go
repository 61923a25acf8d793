package wire

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/mib"
)

// genNumber prefers limits: lengths in octets, sign bits, seven-bit groups.
var genNumber = rapid.OneOf(
	rapid.Uint64(),
	rapid.Custom(func(t *rapid.T) uint64 {
		return 1<<rapid.IntRange(0, 63).Draw(t, "bit") + uint64(rapid.IntRange(-1, 1).Draw(t, "off"))
	}),
	rapid.Uint64Range(0, 200),
)

var genInt32 = rapid.Map(genNumber, func(n uint64) int32 { return int32(uint32(n)) })

var genOID = rapid.Custom(func(t *rapid.T) mib.OID {
	oid := mib.OID{rapid.Uint32Range(0, 2).Draw(t, "first"), rapid.Uint32Range(0, 39).Draw(t, "second")}
	if oid[0] == 2 && rapid.Bool().Draw(t, "long second") {
		oid[1] = uint32(genNumber.Draw(t, "second"))
	}
	n := rapid.OneOf(rapid.IntRange(0, 16), rapid.IntRange(0, mib.MaxSubIDs-2)).Draw(t, "more")
	for range n {
		oid = append(oid, uint32(genNumber.Draw(t, "sub-identifier")))
	}
	return oid
})

var genOctets = rapid.OneOf(
	rapid.SliceOfN(rapid.Byte(), 0, 40),
	rapid.Map(rapid.SampledFrom([]int{126, 127, 128, 129, 255, 256, 257, 65535, 65536}), func(n int) []byte { return bytes.Repeat([]byte{0xa5}, n) }),
)

var allTypes = []mib.Type{
	mib.Integer32, mib.OctetString, mib.Null, mib.ObjectIdentifier, mib.IpAddress, mib.Counter32, mib.Gauge32,
	mib.TimeTicks, mib.Opaque, mib.Counter64, mib.NoSuchObject, mib.NoSuchInstance, mib.EndOfMibView,
}

func genVarbind(types []mib.Type) *rapid.Generator[mib.Varbind] {
	return rapid.Custom(func(t *rapid.T) mib.Varbind {
		vb := mib.Varbind{Name: genOID.Draw(t, "name"), Value: mib.Value{Type: rapid.SampledFrom(types).Draw(t, "type")}}
		switch v := &vb.Value; v.Type {
		case mib.OctetString, mib.Opaque:
			v.Str = string(genOctets.Draw(t, "octets"))
		case mib.ObjectIdentifier:
			v.OID = genOID.Draw(t, "OID")
		case mib.Counter64:
			v.Num = genNumber.Draw(t, "number")
		case mib.Null, mib.NoSuchObject, mib.NoSuchInstance, mib.EndOfMibView:
		default:
			v.Num = uint64(uint32(genNumber.Draw(t, "number")))
		}
		return vb
	})
}

// genVarbinds generates lists whose names often share a prefix, as in a walk.
func genVarbinds(types []mib.Type) *rapid.Generator[[]mib.Varbind] {
	return rapid.Custom(func(t *rapid.T) []mib.Varbind {
		vbs := rapid.SliceOfN(genVarbind(types), 0, 12).Draw(t, "varbinds")
		for i := 1; i < len(vbs); i++ {
			if shared := rapid.IntRange(0, len(vbs[i-1].Name)).Draw(t, "shared"); shared >= 2 {
				name := append(mib.OID{}, vbs[i-1].Name[:shared]...)
				vbs[i].Name = append(name, vbs[i].Name[2:min(len(vbs[i].Name), 2+mib.MaxSubIDs-shared)]...)
			}
		}
		return vbs
	})
}

var (
	genPDUType   = rapid.SampledFrom([]PDUType{GetRequest, GetNextRequest, Response, SetRequest, GetBulkRequest, InformRequest, SNMPv2Trap, Report})
	genV1PDUType = rapid.SampledFrom([]PDUType{GetRequest, GetNextRequest, Response, SetRequest})
)

func genOpened(types []mib.Type) *rapid.Generator[*opened] {
	return rapid.Custom(func(t *rapid.T) *opened {
		types, genType := types, genPDUType
		version := rapid.SampledFrom([]Version{Version1, Version2c, Version3}).Draw(t, "version")
		if version == Version1 {
			genType = genV1PDUType
			types = slices.DeleteFunc(slices.Clone(types), func(t mib.Type) bool { return !InV1(t) })
		}
		o := &opened{Message: Message{Version: version}, PDU: PDU{
			Type:        genType.Draw(t, "PDU"),
			RequestID:   genInt32.Draw(t, "request-id"),
			ErrorStatus: genInt32.Draw(t, "error-status"),
			ErrorIndex:  genInt32.Draw(t, "error-index"),
		}}
		if o.PDU.Type.isRead() {
			types = []mib.Type{mib.Null} // Parse returns only the types of values
		}
		o.PDU.Varbinds = genVarbinds(types).Draw(t, "variable-bindings")
		if o.Message.Version != Version3 {
			o.Message.Community = genOctets.Draw(t, "community")
			return o
		}
		positive := rapid.Map(genInt32, func(n int32) int32 { return n & (1<<31 - 1) })
		o.Message.ID = positive.Draw(t, "msgID")
		o.Message.MaxSize = max(positive.Draw(t, "msgMaxSize"), MinMaxSize)
		o.Message.Flags = rapid.Byte().Draw(t, "msgFlags") &^ FlagPriv
		o.Message.Model = ModelUSM
		o.Parameters = SecurityParameters{
			EngineID:                 genOctets.Draw(t, "engine"),
			Boots:                    positive.Draw(t, "boots"),
			Time:                     positive.Draw(t, "time"),
			UserName:                 rapid.SliceOfN(rapid.Byte(), 0, MaxUserNameSize).Draw(t, "user"),
			AuthenticationParameters: genOctets.Draw(t, "authentication"),
			PrivacyParameters:        genOctets.Draw(t, "privacy"),
		}
		o.Scoped.ContextEngineID = genOctets.Draw(t, "contextEngineID")
		o.Scoped.ContextName = genOctets.Draw(t, "contextName")
		return o
	})
}

// TestBuildParse builds messages, several in the memory of one Frame, and parses them in the memory
// of one opened: the results are equal.
func TestBuildParse(t *testing.T) {
	var f Frame
	var got opened
	rapid.Check(t, func(t *rapid.T) {
		want := genOpened(allTypes).Draw(t, "message")
		b := want.build(&f)
		if err := got.parse(b); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if want.Message.Version != Version3 {
			got.Parameters, got.Scoped = SecurityParameters{}, ScopedPDU{} // clear the previous message
		}
		if d := diff(want, &got); d != "" {
			t.Fatalf("%x: (-built +parsed):\n%s", b, d)
		}
	})
}

// TestEncryptedPadded builds encrypted messages whose ScopedPDU is padded to whole blocks, and
// finds the digest's place.
func TestEncryptedPadded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genOpened(allTypes).Filter(func(o *opened) bool { return o.Message.Version == Version3 }).Draw(t, "message")
		var f Frame
		want.buildPDU(&f)
		f.CloseScoped(want.Scoped.ContextEngineID, want.Scoped.ContextName)
		plain := bytes.Clone(f.Bytes())
		pad := -len(plain) & 7
		f.Pad(pad)
		f.CloseOctets()
		m := &want.Message
		auth := f.CloseV3(&HeaderV3{ID: m.ID, MaxSize: m.MaxSize, Flags: m.Flags | FlagPriv, Model: m.Model}, &want.Parameters)
		for i := range auth {
			auth[i]++
		}

		got := opened{}
		if err := got.parse(f.Bytes()); err != nil {
			t.Fatal(err)
		}
		for i := range auth {
			auth[i]--
		}
		if d := cmp.Diff(want.Parameters, got.Parameters, sameMeaning); d != "" {
			t.Fatalf("the digest's place is wrong (-built +parsed):\n%s", d)
		}
		if d := cmp.Diff(string(plain)+strings.Repeat("\x00", pad), string(got.Message.Data)); d != "" {
			t.Fatalf("encryptedPDU (-built +parsed):\n%s", d)
		}
		if err := got.Scoped.Parse(got.Message.Data, true); err != nil {
			t.Fatal(err)
		}
		if err := got.Scoped.Parse(got.Message.Data, false); (err != nil) != (pad > 0) {
			t.Fatalf("%d octets of padding where none may be: %v", pad, err)
		}
	})
}
