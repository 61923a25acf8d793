package wire

import (
	"testing"

	"aaasess/mib"
)

// TestParseType: type and request-id are parsed whatever follows them.
func TestParseType(t *testing.T) {
	var f Frame
	f.Reset()
	f.AppendVarbind(&mib.Varbind{Name: mib.OID{1, 3}, Value: mib.Value{Type: mib.Null}})
	f.ClosePDU(SetRequest, -4711, 0, 0)
	good := append([]byte(nil), f.Bytes()...)
	broken := append([]byte(nil), good...)
	broken[len(broken)-1] = 0xff // the NULL claims a large length
	tests := []struct {
		name string
		in   []byte
		ok   bool
	}{
		{"right", good, true},
		{"a variable binding that is none", broken, true},
		{"nothing", nil, false},
		{"not a PDU", []byte{0x30, 0}, false},
		{"no request-id", []byte{0xa0, 0}, false},
		{"a request-id that is no integer", []byte{0xa0, 3, 4, 1, 0}, false},
		{"cut off", good[:3], false},
		{"octets behind it", append(append([]byte(nil), good...), 0), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := PDU{Varbinds: make([]mib.Varbind, 3)}
			err := p.ParseType(tt.in)
			if (err == nil) != tt.ok {
				t.Fatal(err)
			}
			if tt.ok && (p.Type != SetRequest || p.RequestID != -4711) || len(p.Varbinds) != 0 {
				t.Errorf("%+v", p)
			}
		})
	}
}
