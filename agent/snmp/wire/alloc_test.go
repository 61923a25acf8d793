package wire

import (
	"testing"

	"aaasess/mib"
)

// readRequests returns the requests that must not allocate, with the headers of v2c and of v3.
func readRequests(tb testing.TB) map[string][]byte {
	tb.Helper()
	out := map[string][]byte{}
	for _, typ := range []PDUType{GetRequest, GetNextRequest, GetBulkRequest} {
		var f Frame
		pdu := func() {
			f.Reset()
			for _, vb := range casnRow() {
				f.AppendVarbind(&mib.Varbind{Name: vb.Name, Value: mib.Value{Type: mib.Null}})
			}
			f.ClosePDU(typ, 1234567, 0, 50)
		}
		pdu()
		f.CloseCommunity(Version2c, []byte("public"))
		out["v2c "+typ.String()] = append([]byte(nil), f.Bytes()...)
		pdu()
		f.CloseScoped([]byte("engine"), nil)
		f.CloseV3(&HeaderV3{ID: 1, MaxSize: 65507, Flags: FlagReportable, Model: ModelUSM}, &SecurityParameters{
			EngineID: []byte("engine"), UserName: []byte("user"), AuthenticationParameters: make([]byte, 24), PrivacyParameters: make([]byte, 8),
		})
		out["v3 "+typ.String()] = append([]byte(nil), f.Bytes()...)
	}
	return out
}

func TestParseDoesNotAllocate(t *testing.T) {
	for name, b := range readRequests(t) {
		var o opened
		if avg := testing.AllocsPerRun(100, func() {
			if o.parse(b) != nil || len(o.PDU.Varbinds) != 7 {
				t.Fatal("not parsed")
			}
		}); avg != 0 {
			t.Errorf("%s: %v allocations", name, avg)
		}
	}
}

// TestParseOtherTypes: values other than octets allocate nothing either; names and OIDs reuse
// memory.
func TestParseOtherTypes(t *testing.T) {
	var values [][]byte
	for _, c := range valueCases {
		if c.value.Type != mib.OctetString && c.value.Type != mib.Opaque {
			values = append(values, varbind(sysUpTime0, unhex(t, c.hex)))
		}
	}
	b := pduOf(Response, values...)
	var p PDU
	if avg := testing.AllocsPerRun(100, func() {
		if p.Parse(b) != nil || len(p.Varbinds) != len(values) {
			t.Fatal("not parsed")
		}
	}); avg != 0 {
		t.Errorf("%v allocations", avg)
	}
}

func TestBuildDoesNotAllocate(t *testing.T) {
	row, community, engine, user := casnRow(), []byte("public"), []byte("engine-id-of-17-x"), []byte("user")
	digest, salt := make([]byte, 48), make([]byte, 8)
	var f Frame
	append50 := func() {
		f.Reset()
		for range 50 {
			for i := range row {
				f.AppendVarbind(&row[i])
			}
		}
		f.ClosePDU(Response, 1234567, 0, 0)
	}
	for _, c := range []struct {
		name  string
		build func()
	}{
		{"v2c", func() {
			append50()
			f.CloseCommunity(Version2c, community)
		}},
		{"v3", func() {
			append50()
			f.CloseScoped(engine, nil)
			f.Pad(7)
			f.CloseOctets()
			f.CloseV3(&HeaderV3{ID: 1, MaxSize: 65507, Flags: 3, Model: ModelUSM}, &SecurityParameters{
				EngineID: engine, Boots: 1, Time: 5000000, UserName: user, AuthenticationParameters: digest, PrivacyParameters: salt,
			})
		}},
		{"echo", func() {
			f.Reset()
			f.AppendRaw(engine)
			f.ClosePDU(Response, 1234567, 5, 1)
			f.CloseCommunity(Version2c, community)
		}},
	} {
		if avg := testing.AllocsPerRun(100, c.build); avg != 0 {
			t.Errorf("%s: %v allocations", c.name, avg)
		}
	}
}
