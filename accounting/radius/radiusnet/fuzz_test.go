package radiusnet

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// FuzzRead gives a server attributes in a request that is right otherwise.
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
		if len(attrs) > 4096-headerLen {
			return
		}
		b := append(make([]byte, headerLen), attrs...)
		b[0], b[1] = request, 9
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		sum := md5.Sum(append(append([]byte(nil), b...), secret...))
		copy(b[authenticatorAt:], sum[:])
		h := &Host{Server: Server{Secret: secret}}
		var a Arrival
		if err := h.read(b, &a); err == nil && (a.Identifier != 9 || a.Authenticator != sum || len(attrs) < 6+6+2) {
			t.Errorf("%x is read as %+v", attrs, a)
		}
	})
}
