package wire

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"
	"pgregory.net/rapid"

	"aaasess/mib"
)

// toGosnmp converts a variable binding to the form that gosnmp sends and, mostly, returns.
func toGosnmp(vb mib.Varbind) gosnmp.SnmpPDU {
	p := gosnmp.SnmpPDU{Name: vb.Name.String(), Type: gosnmp.Asn1BER(vb.Value.Type)}
	switch v := vb.Value; v.Type {
	case mib.Integer32:
		p.Value = int(v.Int32())
	case mib.OctetString, mib.Opaque:
		p.Value = []byte(v.Str)
	case mib.ObjectIdentifier:
		p.Value = v.OID.String()
	case mib.IpAddress:
		n := uint32(v.Num)
		p.Value = netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
	case mib.Counter32, mib.Gauge32:
		p.Value = uint(v.Num)
	case mib.TimeTicks:
		p.Value = uint32(v.Num)
	case mib.Counter64:
		p.Value = v.Num
	}
	return p
}

func toGosnmps(vbs []mib.Varbind) []gosnmp.SnmpPDU {
	out := make([]gosnmp.SnmpPDU, len(vbs))
	for i := range vbs {
		out[i] = toGosnmp(vbs[i])
	}
	return out
}

// gosnmpEncodes rejects OIDs that gosnmp cannot encode: a second sub-identifier above 2^32-81
// (valid by X.690 section 8.19).
func gosnmpEncodes(vbs []mib.Varbind) bool {
	for _, vb := range vbs {
		for _, oid := range []mib.OID{vb.Name, vb.Value.OID} {
			if len(oid) > 1 && oid[1] > 1<<32-81 {
				return false
			}
		}
	}
	return true
}

// without returns all types except these.
func without(types ...mib.Type) (left []mib.Type) {
	for _, t := range allTypes {
		if !strings.Contains(fmt.Sprint(types), t.String()) {
			left = append(left, t)
		}
	}
	return left
}

// packet returns the gosnmp message equal to o.
func (o *opened) packet() *gosnmp.SnmpPacket {
	p := &gosnmp.SnmpPacket{
		Version: gosnmp.SnmpVersion(o.Message.Version), Community: string(o.Message.Community),
		PDUType: gosnmp.PDUType(o.PDU.Type), RequestID: uint32(o.PDU.RequestID), Variables: toGosnmps(o.PDU.Varbinds),
	}
	if o.PDU.Type == GetBulkRequest {
		p.NonRepeaters, p.MaxRepetitions = uint8(o.PDU.ErrorStatus), uint32(o.PDU.ErrorIndex)
	} else {
		p.Error, p.ErrorIndex = gosnmp.SNMPError(o.PDU.ErrorStatus), uint8(o.PDU.ErrorIndex)
	}
	if o.Message.Version == Version3 {
		p.MsgID, p.MsgMaxSize, p.SecurityModel = uint32(o.Message.ID), uint32(o.Message.MaxSize), gosnmp.UserSecurityModel
		p.MsgFlags = gosnmp.SnmpV3MsgFlags(o.Message.Flags)
		p.ContextEngineID, p.ContextName = string(o.Scoped.ContextEngineID), string(o.Scoped.ContextName)
		p.SecurityParameters = &gosnmp.UsmSecurityParameters{
			AuthoritativeEngineID:    string(o.Parameters.EngineID),
			AuthoritativeEngineBoots: uint32(o.Parameters.Boots), AuthoritativeEngineTime: uint32(o.Parameters.Time),
			UserName: string(o.Parameters.UserName), AuthenticationProtocol: gosnmp.NoAuth, PrivacyProtocol: gosnmp.NoPriv,
		}
	}
	return p
}

// genForGosnmp generates messages within the limits of gosnmp's types.
func genForGosnmp(types []mib.Type) *rapid.Generator[*opened] {
	return rapid.Custom(func(t *rapid.T) *opened {
		o := genOpened(types).Filter(func(o *opened) bool { return gosnmpEncodes(o.PDU.Varbinds) }).Draw(t, "message")
		o.PDU.RequestID &= 1<<31 - 1
		o.PDU.ErrorStatus &= 0x7f
		o.PDU.ErrorIndex &= 0x7f
		if o.PDU.Type == GetBulkRequest {
			o.PDU.ErrorIndex = rapid.SampledFrom([]int32{0, 1, 50, 127, 128, 255, 256, 1<<31 - 1}).Draw(t, "max-repetitions")
		}
		o.Message.Community = o.Message.Community[:min(len(o.Message.Community), 127)] // gosnmp writes this length in one octet
		o.Message.Flags &= FlagReportable
		o.Parameters.AuthenticationParameters, o.Parameters.PrivacyParameters = nil, nil
		if o.Message.Version != Version3 {
			return o
		}
		o.Parameters.UserName = append(o.Parameters.UserName[:min(len(o.Parameters.UserName), MaxUserNameSize-1)], 'u') // gosnmp requires a name
		o.Parameters.EngineID = o.Parameters.EngineID[:min(len(o.Parameters.EngineID), 32)]
		return o
	})
}

// TestParseGosnmp parses messages that gosnmp has encoded.
func TestParseGosnmp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genForGosnmp(allTypes).Draw(t, "message")
		b, err := want.packet().MarshalMsg()
		if err != nil {
			t.Fatal(err)
		}
		var got opened
		if err := got.parse(b); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if d := diff(want, &got); d != "" {
			t.Fatalf("%x: (-gosnmp +parsed):\n%s", b, d)
		}
	})
}

// TestGosnmpDecodes has gosnmp decode our messages, except Opaque, in which it accepts only
// numbers.
func TestGosnmpDecodes(t *testing.T) {
	types := without(mib.Opaque)
	rapid.Check(t, func(t *rapid.T) {
		o := genForGosnmp(types).Filter(func(o *opened) bool { return o.PDU.Type != GetBulkRequest }).Draw(t, "message")
		want := o.packet()
		var f Frame
		g := &gosnmp.GoSNMP{Version: want.Version, SecurityModel: want.SecurityModel, MsgFlags: want.MsgFlags, SecurityParameters: want.SecurityParameters}
		got, err := g.SnmpDecodePacket(o.build(&f))
		if err != nil {
			t.Fatalf("%x: %v", f.Bytes(), err)
		}
		compare := func(what string, want, got any) {
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-built +gosnmp):\n%s", what, d)
			}
		}
		compare("version", want.Version, got.Version)
		compare("community", want.Community, got.Community)
		compare("type", want.PDUType, got.PDUType)
		compare("request-id", want.RequestID, got.RequestID)
		compare("error-status", want.Error, got.Error)
		compare("error-index", want.ErrorIndex, got.ErrorIndex)
		if o.Message.Version == Version3 {
			compare("msgID", want.MsgID, got.MsgID)
			compare("msgFlags", want.MsgFlags, got.MsgFlags)
			compare("contextEngineID", want.ContextEngineID, got.ContextEngineID)
			compare("contextName", want.ContextName, got.ContextName)
		}
		compare("number of variables", len(want.Variables), len(got.Variables))
		for i, v := range got.Variables {
			compare(fmt.Sprintf("variable %d", i+1), []any{want.Variables[i].Name, want.Variables[i].Type, want.Variables[i].Value}, []any{v.Name, v.Type, v.Value})
		}
	})
}
