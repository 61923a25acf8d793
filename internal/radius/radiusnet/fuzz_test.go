package radiusnet

import (
	"encoding/hex"
	"testing"

	"aaasess/internal/radius"
)

// FuzzRead passes attributes to a server in an otherwise valid request.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "2806000000022c0a30303030303030312906000000032806", "280600000002" + "2c03782906" + "00000003", "2c00", "2c", "2901",
	} {
		b, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, attrs []byte) {
		if len(attrs) > radius.MaxPacket-radius.HeaderLen {
			return
		}
		b := append(radius.AppendHeader(nil, radius.CodeAccountingRequest, 9), attrs...)
		sum := radius.Seal(b, 0, radius.Authenticator{}, secret)
		h := &Host{Server: Server{Secret: secret}}
		var a Arrival
		if err := h.read(b, &a); err == nil && (a.Identifier != 9 || a.Authenticator != sum || len(attrs) < 6+6+2) {
			t.Errorf("%x is read as %+v", attrs, a)
		}
	})
}
