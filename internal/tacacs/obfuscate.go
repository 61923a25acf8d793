package tacacs

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
)

// shortKey is the length of a key up to which Obfuscate allocates nothing.
const shortKey = 128

// Obfuscate obfuscates a body, or reverses that, in place (RFC 8907 section 4.5). h is the header
// of the packet, whose Session, Version and Seq matter. The caller looks at FlagUnencrypted, and
// does not call it for a body that is sent as it is.
func Obfuscate(body []byte, h Header, key Key) {
	var room [4 + shortKey + 2 + md5.Size]byte
	seed := binary.BigEndian.AppendUint32(room[:0], h.Session)
	seed = append(seed, key...)
	seed = append(seed, h.Version, h.Seq)
	sum := md5.Sum(seed)
	n := subtle.XORBytes(body, body, sum[:])
	for seed = append(seed, sum[:]...); n < len(body); {
		sum = md5.Sum(seed)
		copy(seed[len(seed)-md5.Size:], sum[:])
		n += subtle.XORBytes(body[n:], body[n:], sum[:])
	}
}
