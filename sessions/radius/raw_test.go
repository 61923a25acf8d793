package radius

import (
	"encoding/binary"

	"aaasess/internal/radius"
)

// rawPacket encodes a packet of any code with these attribute octets and no valid authenticator.
func rawPacket(code radius.Code, attrs string) []byte {
	b := append(radius.AppendHeader(nil, code, 1), attrs...)
	return withLength(b, len(b))
}

// withLength returns a packet with another Length field.
func withLength(b []byte, n int) []byte {
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return b
}
